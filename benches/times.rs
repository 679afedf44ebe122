//! What `benches/budgets.sh` measures by the clock, side by side in one run, and by weight.
//!
//!     times [quick]
//!
//! Prints a line for each: its name, a number, and after a tab how it was come by. Of every time the
//! least of several rounds is taken, in turn with what it is compared to: the machine is never quiet.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its trait")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deltawire::{Decoder, Delta, Options};

use common::decode;

/// Keeps account of the heap's bytes.
struct Weighing;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to `System` as it came.
unsafe impl GlobalAlloc for Weighing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        BYTES.fetch_add(size, Ordering::Relaxed);
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Weighing = Weighing;

/// The least times of works that take turns.
fn least<const N: usize>(rounds: usize, mut works: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut least = [Duration::MAX; N];
    for _ in 0..rounds {
        for (work, least) in works.iter_mut().zip(&mut least) {
            let start = Instant::now();
            work();
            *least = start.elapsed().min(*least);
        }
    }
    least
}

fn row(name: &str, value: f64, how: &str) {
    let decimals = if value < 100.0 { 2 } else { 0 };
    println!("{name}\t{value:.decimals$}\t{how}");
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Every delta is read, its text's length included.
fn text<'a>(decoder: &mut Decoder, pieces: impl IntoIterator<Item = &'a [u8]>) -> usize {
    let mut bytes = 0;
    decode(decoder, pieces, |delta| {
        if let Delta::Text { text, .. } = black_box(delta) {
            bytes += text.len();
        }
    });
    bytes
}

/// Deltas against nothing but the search for line ends, and against a copy of the bytes.
fn against_the_scan(rounds: usize) {
    // 64 KiB: the stream stays in the second-level cache, as bytes do that have just been received.
    let events = common::events(200);
    let stream = events.concat().into_bytes();
    let one_each = common::pieces(&stream, &events, 0);
    let mut decoder = Decoder::new();
    text(&mut decoder, stream.chunks(16384));
    let mut cut_decoder = Decoder::new();
    text(&mut cut_decoder, stream.chunks(16384));
    let mut copy = Vec::with_capacity(stream.len());
    // So many passes at a time that the clock's own cost is lost in them.
    const PASSES: usize = 20;
    let [deltas, each, lines, copied] = least(
        rounds,
        [
            &mut || {
                for _ in 0..PASSES {
                    black_box(text(&mut decoder, black_box(&stream).chunks(16384)));
                }
            },
            &mut || {
                for _ in 0..PASSES {
                    black_box(text(&mut cut_decoder, black_box(&one_each).iter().copied()));
                }
            },
            &mut || {
                for _ in 0..PASSES {
                    // Every line end is handed out, as a parser's caller would have it.
                    for end in memchr::memchr_iter(b'\n', black_box(&stream)) {
                        black_box(end);
                    }
                }
            },
            &mut || {
                for _ in 0..PASSES {
                    copy.clear();
                    copy.extend_from_slice(black_box(&stream));
                    black_box(&copy);
                }
            },
        ],
    );
    let nanos = |time: Duration| time.as_nanos() as f64 / (PASSES * events.len()) as f64;
    let how = format!(
        "{:.1} ns an event against {:.1}, {:.1} for a copy",
        nanos(deltas),
        nanos(lines),
        nanos(copied)
    );
    row("scan-16k", ratio(deltas, lines), &how);
    let how = format!("{:.1} ns an event against {:.1}", nanos(each), nanos(lines));
    row("scan-event", ratio(each, lines), &how);
}

/// One decoder for many events against many decoders that have one each in turn.
fn in_turn(rounds: usize) {
    const DECODERS: usize = 10_000;
    let events = common::events(40);
    let warm = events.concat();
    let mut decoders: Vec<Decoder> = (0..DECODERS).map(|_| Decoder::new()).collect();
    for decoder in &mut decoders {
        text(decoder, [warm.as_bytes()]);
    }
    let mut single = Decoder::new();
    text(&mut single, [warm.as_bytes()]);
    let mut event = events.iter().map(String::as_bytes).cycle();
    let mut same_event = event.clone();
    let [one, many] = least(
        rounds,
        [
            &mut || {
                for _ in 0..DECODERS {
                    black_box(text(&mut single, same_event.next()));
                }
            },
            &mut || {
                // A gateway reads into one buffer, so it is the decoders that are cold.
                for decoder in &mut decoders {
                    black_box(text(decoder, event.next()));
                }
            },
        ],
    );
    let nanos = |time: Duration| time.as_nanos() as f64 / DECODERS as f64;
    let how = format!("{:.0} ns an event against {:.0}", nanos(many), nanos(one));
    row("turn", ratio(many, one), &how);
}

/// One event of 16 MiB in one piece, and in pieces of 1 KiB.
fn large(rounds: usize) {
    const MIB: usize = 1 << 20;
    let mut options = Options::default();
    options.max_event_bytes = 17 * MIB;
    let event = common::large_event(16 * MIB);
    let decode = |chunk: usize| {
        let mut decoder = Decoder::with_options(options.clone());
        assert_eq!(text(&mut decoder, event.chunks(chunk)), 16 * MIB);
    };
    let [whole, cut] = least(rounds, [&mut || decode(event.len()), &mut || decode(1024)]);
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let how = format!("{:.1} ms against {:.1}", millis(cut), millis(whole));
    row("large", ratio(cut, whole), &how);
}

/// Heap and handle of a decoder behind an event, what its thread's decoders share left out.
fn at_rest() {
    let handle = size_of::<Decoder>();
    let weigh = |stream: &[u8], chunk: usize| {
        let before = BYTES.load(Ordering::Relaxed);
        let mut decoder = Decoder::new();
        let mut most = 0;
        for piece in stream.chunks(chunk) {
            text(&mut decoder, [piece]);
            most = most.max(BYTES.load(Ordering::Relaxed) - before);
        }
        most
    };
    let stream = common::events(100).concat();
    // The first decoder of a thread makes what all of them share.
    weigh(stream.as_bytes(), 16384);
    let heap = weigh(stream.as_bytes(), 16384);
    let how = format!("bytes: {heap} of heap, {handle} of handle");
    row("rest", (heap + handle) as f64, &how);
    let mut weights: Vec<(usize, String)> = common::corpus("openai-chat")
        .into_iter()
        .map(|recording| {
            weigh(&recording.body, 16384);
            (weigh(&recording.body, 16384) + handle, recording.name)
        })
        .collect();
    weights.sort();
    if let Some((most, name)) = weights.last() {
        let (median, _) = weights[weights.len() / 2];
        let how = format!("bytes, the median of recordings; the most is {most}, {name}");
        row("rest-recorded", median as f64, &how);
    }
}

fn main() {
    let is_quick = std::env::args().any(|arg| arg == "quick");
    let rounds = if is_quick { 5 } else { 60 };
    at_rest();
    against_the_scan(rounds * 5);
    in_turn(rounds);
    large(if is_quick { 2 } else { 9 });
}
