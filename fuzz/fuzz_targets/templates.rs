//! A decoder with templates against one without. The oracle is that of `tests/templates.rs`.
#![no_main]

#[path = "../../tests/common/twin.rs"]
mod twin;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(what) = twin::compare(&twin::arbitrary(input)) {
        panic!("{what}");
    }
});
