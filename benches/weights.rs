//! Measures what the decoder asks of the allocator, for `benches/budgets.sh`.
//!
//!     weights
//!
//! Prints a line for each row: name, number, and a note. Rows: allocator calls and bytes of the first
//! events on a new thread, the peak of the heap for one large event, a decoder at rest, and what
//! a thread keeps after its decoders are gone.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its trait")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use deltawire::{Decoder, Options};

use common::decode;

/// Counts calls, bytes asked for, bytes in use and their peak.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static ASKED: AtomicUsize = AtomicUsize::new(0);
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(size: usize) {
    CALLS.fetch_add(1, Relaxed);
    ASKED.fetch_add(size, Relaxed);
    let in_use = IN_USE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(in_use, Relaxed);
}

// SAFETY: every call is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The system may extend a block in place, so the old block does not count beside the new.
        IN_USE.fetch_sub(layout.size(), Relaxed);
        grow(size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn row(name: &str, value: usize, how: &str) {
    println!("{name}\t{value}\t{how}");
}

/// Reads every delta of a stream in pieces.
fn read<'a>(decoder: &mut Decoder, pieces: impl IntoIterator<Item = &'a [u8]>) {
    decode(decoder, pieces, |delta| {
        black_box(delta);
    });
}

/// Prints the allocator calls and bytes of a stream's first events, by a new decoder on a new thread.
fn cold(row_name: &str, name: &str, count: usize) {
    let Some(events) = common::stream(name) else {
        return;
    };
    let pieces: Vec<&[u8]> = events.iter().take(count).map(String::as_bytes).collect();
    let (calls, asked) = common::on_new_thread(|| {
        let before = (CALLS.load(Relaxed), ASKED.load(Relaxed));
        let mut decoder = Decoder::new();
        read(&mut decoder, pieces.iter().copied());
        (
            CALLS.load(Relaxed) - before.0,
            ASKED.load(Relaxed) - before.1,
        )
    });
    row(&format!("calls-{row_name}"), calls, "");
    row(&format!("bytes-{row_name}"), asked, "");
}

/// Prints the peak of the heap above what it was, for one event on a new thread.
fn peak(name: &str, event: &[u8]) {
    for (chunk, pieces) in [(event.len(), "whole"), (1024, "1k")] {
        let (peak, kept) = common::on_new_thread(|| {
            let before = IN_USE.load(Relaxed);
            PEAK.store(before, Relaxed);
            let mut options = Options::default();
            options.max_event_bytes = 2 << 20;
            let mut decoder = Decoder::with_options(options);
            read(&mut decoder, event.chunks(chunk));
            let peak = PEAK.load(Relaxed).saturating_sub(before);
            drop(decoder);
            (peak, IN_USE.load(Relaxed).saturating_sub(before))
        });
        let how = format!("{} bytes of event, {kept} kept by the thread", event.len());
        row(&format!("peak-{name}-{pieces}"), peak, &how);
        if name == "text" {
            row(&format!("kept-{pieces}"), kept, "");
        }
    }
}

/// Events of 1 MB that a sender, or an attacker, may write.
fn peaks() {
    const LEN: usize = 1_000_000;
    let around = |head: &str, body: &str, end: &str| {
        let body = body.repeat((LEN - head.len() - end.len() - 8) / body.len());
        format!("data: {head}{body}{end}\n\n").into_bytes()
    };
    let chat = r#"{"choices":[{"index":0,"delta":{"content":""#;
    peak("text", &around(chat, "x", r#""}}]}"#));
    peak("brackets", &around("", "[", ""));
    peak("numbers", &around(r#"{"choices":[],"x":["#, "1,", "1]}"));
    peak("string", &around("\"", "x", "\""));
    peak("escapes", &around(chat, "\\n", r#""}}]}"#));
}

/// Prints heap and handle of a decoder between events, without what a thread's decoders share.
fn at_rest() {
    let handle = size_of::<Decoder>();
    let weigh = |stream: &[u8]| {
        let before = IN_USE.load(Relaxed);
        let mut decoder = Decoder::new();
        let mut most = 0;
        for piece in stream.chunks(16384) {
            read(&mut decoder, [piece]);
            most = most.max(IN_USE.load(Relaxed) - before);
        }
        most
    };
    let stream = common::random_events(100).concat();
    // The first decoder of a thread makes what all of them share.
    weigh(stream.as_bytes());
    let heap = weigh(stream.as_bytes());
    let how = format!("{heap} of heap, {handle} of handle");
    row("rest", heap + handle, &how);
    let mut weights: Vec<(usize, String)> = common::corpus("all")
        .into_iter()
        .map(|recording| {
            weigh(&recording.body);
            (weigh(&recording.body) + handle, recording.name)
        })
        .collect();
    weights.sort();
    if let Some((most, name)) = weights.last() {
        let (median, _) = weights[weights.len() / 2];
        let how = format!("the most is {most}, {name}");
        row("rest-recorded", median, &how);
    }
}

fn main() {
    // The first thread pays for what the standard library makes once.
    common::on_new_thread(|| {});
    let recorded = [
        ("six-openai-chat", "openai-chat-206-"),
        ("six-openai-responses", "openai-responses-062-"),
        ("six-anthropic", "anthropic-004-"),
    ];
    cold("first-made", "made", 1);
    for name in common::OWN_STREAMS {
        cold(&format!("first-{name}"), name, 1);
        cold(&format!("ten-{name}"), name, 10);
        cold(&format!("own-{name}"), name, usize::MAX);
    }
    for (row_name, name) in recorded {
        cold(row_name, name, usize::MAX);
    }
    peaks();
    at_rest();
}
