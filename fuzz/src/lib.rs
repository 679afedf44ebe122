//! The oracles of all fuzz targets, which `cargo test` uses as well: see `tests/oracles`.
#![allow(unreachable_pub, dead_code, reason = "what the tests share is more than is needed here")]

#[path = ""]
pub mod common {
    #[path = "../../tests/common/decoding.rs"]
    pub mod decoding;
    #[path = "../../tests/common/framing.rs"]
    pub mod framing;
    #[path = "../../tests/common/json.rs"]
    pub mod json;
    #[path = "../../tests/common/naive.rs"]
    pub mod naive;
    #[path = "../../tests/common/others.rs"]
    pub mod others;
}
#[allow(dead_code, unused_imports, reason = "the library's, of which a part is run")]
#[path = "../../src/json/mod.rs"]
mod json;
#[path = "../../tests/oracles/mod.rs"]
pub mod oracles;
#[path = "../../tests/common/twin/mod.rs"]
mod twin;

/// For the command's modules, whose words are caught.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::oracles::files::complain(format!($($words)*)) };
}

// They name each other from the crate's root.
#[allow(dead_code, unreachable_pub, reason = "the command's, of which a part is run")]
#[path = "../../src/bin/deltawire/collect.rs"]
mod collect;
#[allow(dead_code, unreachable_pub, reason = "the command's, of which a part is run")]
#[path = "../../src/bin/deltawire/deltas.rs"]
mod deltas;
#[allow(dead_code, unreachable_pub, reason = "the command's, of which a part is run")]
#[path = "../../src/bin/deltawire/events.rs"]
mod events;
#[allow(dead_code, unreachable_pub, reason = "the command's, of which a part is run")]
#[path = "../../src/bin/deltawire/input.rs"]
mod input;
#[allow(dead_code, unreachable_pub, reason = "the command's, of which a part is run")]
#[path = "../../src/bin/deltawire/recording.rs"]
mod recording;
use oracles::files::{Failure, Outcome, output};

/// Counts for the target `limit`.
#[global_allocator]
static ALLOCATOR: oracles::allocator::Counting = oracles::allocator::Counting;
