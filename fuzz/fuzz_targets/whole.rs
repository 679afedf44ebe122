//! See `tests/support/src/oracles/whole.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| deltawire_fuzz::oracles::whole::check(input));
