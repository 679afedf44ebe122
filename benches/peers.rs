//! The peers' work for `benches/run.sh`, which counts its instructions.
//!
//!     peers list                names of all, one a line, and what each yields after a tab
//!     peers NAME COUNT CHUNK    COUNT OpenAI chat chunks of random text lengths, CHUNK 0: one
//!                               event a piece
//!
//! Prints how often the allocator was called an event. That all find the same text is asserted.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its trait")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::peers::{Peer, all};

/// Counts what is asked of the system's allocator, a larger block for a smaller one included.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// All that is counted: every piece of text is read, its length included.
#[inline(never)]
fn measured(peer: Peer, pieces: &[&[u8]]) -> usize {
    let mut bytes = 0;
    peer.run(pieces, |text| bytes += black_box(text).len());
    bytes
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    if args.first().is_some_and(|arg| arg == "list") {
        for peer in all() {
            println!("{}\t{}", peer.name(), peer.yields());
        }
        return;
    }
    let [name, count, chunk] = &args[..] else {
        eprintln!("usage: see the head of benches/peers.rs");
        return;
    };
    let peer = all().into_iter().find(|peer| peer.name() == *name);
    let peer = peer.expect("a name that `list` prints");
    let events = common::random_events(count.parse().expect("a number of events"));
    let stream = events.concat();
    let chunk = chunk.parse().expect("a number of bytes");
    let pieces = common::pieces(stream.as_bytes(), &events, chunk);
    // The first events warm buffers up, which is not what a long stream costs.
    let before = CALLS.load(Ordering::Relaxed);
    measured(peer, &pieces);
    let calls = CALLS.load(Ordering::Relaxed) - before;
    println!(
        "{:.2} allocations an event",
        calls as f64 / events.len() as f64
    );
    check(peer, &pieces, &events);
}

/// Holds what the peer reads against what was written.
fn check(peer: Peer, pieces: &[&[u8]], events: &[String]) {
    let mut read = Vec::new();
    peer.run(pieces, |text| read.extend_from_slice(text));
    let wanted: String = events
        .iter()
        .filter_map(|event| {
            if peer.is_framing() {
                return event.strip_prefix("data: ").map(str::trim_end);
            }
            event.split(r#""content":""#).nth(1)?.split('"').next()
        })
        .collect();
    assert!(read == wanted.as_bytes(), "{}: other text", peer.name());
}
