//! Framing: events of a byte stream, without the decoder.

mod alloc;
mod cuts;
mod differential;
mod vectors;

/// Counts on each thread; see `alloc`.
#[global_allocator]
static ALLOCATOR: deltawire_test_support::allocator::Counting =
    deltawire_test_support::allocator::Counting;
