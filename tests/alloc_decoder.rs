//! A decoder that has seen a stream reads another one like it without calling the allocator.
//!
//! One test to a file: the allocator counts for the whole process, and a second test would run at
//! the same time.
#![cfg(feature = "delta")]
#![expect(unsafe_code, reason = "a global allocator cannot be had without")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use common::decoding::{decoder, recordings, streams};
use deltawire::{Decoder, Delta};

/// The system's allocator, and how often it was asked for memory.
struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(ptr, layout, len) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads a stream to its end and forgets it. Returns how many deltas it had.
fn read(decoder: &mut Decoder, body: &[u8], size: usize) -> u64 {
    decoder.reset();
    let mut deltas = 0;
    let mut count = |delta: &Delta<'_>| {
        std::hint::black_box(delta);
        deltas += 1;
    };
    for chunk in body.chunks(size) {
        let mut input = chunk;
        loop {
            match decoder.next(&mut input) {
                Ok(Some(delta)) => count(&delta),
                Ok(None) => break,
                Err(_) => {}
            }
        }
    }
    loop {
        match decoder.finish() {
            Ok(Some(delta)) => count(&delta),
            Ok(None) => return deltas,
            Err(_) => {}
        }
    }
}

#[test]
fn a_warm_decoder_never_calls_the_allocator() {
    let own = streams()
        .into_iter()
        .map(|stream| (stream.name, stream.input));
    let recorded = recordings().unwrap_or_default();
    let recorded = recorded.into_iter().map(|it| (it.name, it.body));
    let bodies: Vec<(String, Vec<u8>)> = own.chain(recorded).collect();
    let mut faults = Vec::new();
    let (mut streams, mut deltas) = (0, 0);
    for (name, body) in &bodies {
        for size in [16 * 1024, 64] {
            let mut decoder = decoder(None);
            read(&mut decoder, body, size);
            let before = CALLS.load(Relaxed);
            deltas += read(&mut decoder, body, size);
            let calls = CALLS.load(Relaxed) - before;
            if calls > 0 {
                faults.push(format!("{name} in pieces of {size}: {calls} calls"));
            }
            streams += 1;
        }
    }
    println!("{streams} streams, {deltas} deltas");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
