//! The oracles of all fuzz targets, which `cargo test` uses as well: see `tests/support/src/oracles`.

pub use deltawire_test_support::oracles;

/// Counts for the target `limit`.
#[global_allocator]
static ALLOCATOR: deltawire_test_support::allocator::Counting =
    deltawire_test_support::allocator::Counting;
