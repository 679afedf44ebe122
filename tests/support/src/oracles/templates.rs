//! A decoder with templates against one without, after every call. See `tests/support/src/twin`.

use crate::twin;

pub fn check(input: &[u8]) {
    if let Err(what) = twin::compare(&twin::arbitrary(input)) {
        panic!("{what}");
    }
}
