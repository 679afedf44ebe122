//! The decoder: deltas of every dialect, and what holds for all of them.

mod alloc_decoder;
mod corpus;
#[cfg(all(feature = "capi", feature = "cli"))]
mod fuzz_seeds;
mod memory;
mod mutations;
mod options;
mod panics;
#[cfg(all(feature = "capi", feature = "cli"))]
mod reader;
mod reads;
mod streams;
mod templates;

/// Counts on each thread, so that tests may run beside each other. A decoder starts no thread: what it
/// allocates is on the thread of its test.
#[global_allocator]
static ALLOCATOR: deltawire_test_support::allocator::Counting =
    deltawire_test_support::allocator::Counting;
