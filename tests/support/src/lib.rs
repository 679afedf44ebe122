//! Helpers that the tests of deltawire and its fuzz targets share.
//!
//! - streams, and what they give: [`decoding`], [`framing`], [`cases`];
//! - streams made up: [`random`] for property tests, [`twin`] from a fuzzer's bytes;
//! - other readers, written plainly or by others: [`naive`], [`others`], [`json`];
//! - the fuzz targets' [`oracles`] and [`seeds`];
//! - an [`allocator`] that counts and an HTTP [`server`] that does what a test writes out.

pub mod allocator;
#[cfg(feature = "delta")]
pub mod cases;
#[cfg(feature = "delta")]
pub mod decoding;
pub mod framing;
#[cfg(feature = "delta")]
pub mod json;
pub mod naive;
#[cfg(all(feature = "capi", feature = "cli"))]
pub mod oracles;
pub mod others;
#[cfg(feature = "random")]
pub mod random;
#[cfg(feature = "delta")]
pub mod seeds;
#[cfg(feature = "client")]
pub mod server;
#[cfg(feature = "delta")]
pub mod twin;

use std::path::{Path, PathBuf};

/// A path in the repository.
pub fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}
