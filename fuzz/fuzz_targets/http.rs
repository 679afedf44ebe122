//! See `tests/support/src/oracles/http.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| deltawire_fuzz::oracles::http::check(input));
