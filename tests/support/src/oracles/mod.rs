//! What the fuzz targets hold the library to, a module each. `fuzz/` runs them on whatever a fuzzer
//! comes up with, `tests/decoder/fuzz_seeds.rs` on the inputs that are checked in.
//!
//! An oracle takes an input, which is bytes of any kind, and panics where something is wrong.

pub mod capi;
pub mod cuts;
pub mod files;
pub mod framing;
pub mod heard;
pub mod http;
pub mod json;
pub mod limit;
pub mod plain;
pub mod reader;
pub mod streams;
pub mod templates;
pub mod whole;

use crate::framing::every;

/// Takes an input, and panics where something is wrong.
pub type Oracle = fn(&[u8]);

/// Every target with its oracle.
pub const TARGETS: &[(&str, Oracle)] = &[
    ("capi", capi::check),
    ("cuts", cuts::check),
    ("files", files::check),
    ("framing", framing::check),
    ("http", http::check),
    ("json", json::check),
    ("limit", limit::check),
    ("reader", reader::check),
    ("streams", streams::check),
    ("templates", templates::check),
    ("whole", whole::check),
];

/// The start of most inputs: one byte that says how the rest is cut, and what else it decides.
pub struct Head {
    /// The bits above those of the cutting.
    pub flags: u8,
    sizes: Vec<usize>,
}

impl Head {
    /// Takes it off the input. Its low three bits, and so the digits `0` to `7`, are: whole, pieces of
    /// 1, 2, 3, 7, 16, 64 bytes; 7 is pieces of sizes that the next byte counts and those behind it are.
    pub fn take(input: &mut &[u8]) -> Head {
        let mut byte = || {
            let (first, rest) = input.split_first().unwrap_or((&0, &[]));
            *input = rest;
            *first
        };
        let first = byte();
        let sizes = match first & 7 {
            0 => Vec::new(),
            7 => (0..1 + byte() % 6).map(|_| usize::from(byte())).collect(),
            size => vec![[1, 2, 3, 7, 16, 64][usize::from(size) - 1]],
        };
        Head {
            flags: first >> 3,
            sizes,
        }
    }

    /// One of the flags, of which the digits have 1 and 2 set and `8` and `9` have 0, 1 and 2.
    pub fn flag(&self, n: u8) -> bool {
        self.flags >> n & 1 == 1
    }

    /// Where a stream of that length is cut, as `framing::cut` takes it.
    pub fn cuts(&self, len: usize) -> Vec<usize> {
        match &self.sizes[..] {
            [] => Vec::new(),
            [size] => every(len, (*size).max(1)),
            sizes => {
                let mut at = 0;
                let mut cuts = Vec::new();
                for size in sizes.iter().cycle().take(4 * len) {
                    at += size;
                    if at > len {
                        break;
                    }
                    cuts.push(at);
                }
                cuts
            }
        }
    }
}
