//! The C ABI against the Rust API: a program of calls, drawn from the input, on the same bytes.
//!
//! The input is one byte that says what is called, one for its options, one that counts the calls, as
//! many bytes for these, and then what `twin::arbitrary` takes. The program is repeated until the
//! bytes are used up. Under AddressSanitizer it shows every slice that is longer or lives shorter
//! than the header says: inputs are copied to memory of exactly their size, which is overwritten and
//! freed as soon as the header allows it, and each slice is read again right before the call that
//! ends its life.
#![allow(unsafe_code, reason = "C's side of the border")]

use crate::twin;
use program::Program;

/// A call as the header allows it: objects that were made and not freed, pointers to values of their
/// type or NULL where the case is about NULL, lengths that are those of what they belong to.
macro_rules! c {
    ($call:expr) => {{
        // SAFETY: see the macro.
        unsafe { $call }
    }};
}

mod decoder;
mod flat;
mod message;
mod parser;
mod program;

pub fn check(input: &[u8]) {
    let [what, options, count, rest @ ..] = input else {
        return;
    };
    let (program, rest) = rest.split_at(usize::from(*count & 63).min(rest.len()));
    let case = twin::arbitrary(rest);
    let program = Program::new(program);
    match what & 3 {
        0 => decoder::check(&case, *options, program),
        1 => parser::check(&case, *options, program, None),
        2 => parser::check(&case, *options, program, Some(usize::from(*what >> 2) * 8)),
        _ => message::check(&case),
    }
}
