//! Measures the timed rows of `benches/budgets.sh`, side by side in one run.
//!
//!     times [quick]
//!
//! Prints a line for each row: its name, a number, and a note. All ways take turns, and only the least
//! time of each counts, because the machine is never quiet. If every round reads other bytes, the
//! least would be that of the luckiest text, so the fiftieth part of the rounds may be faster.
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use deltawire::{Decoder, Delta, Options};

use common::decode;
use common::peers::{Frame, Json, Peer};

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

/// Text of random lengths: hits, misses and peers against the search for line ends.
///
/// Each round copies other events of a long stream into one buffer and reads them once. So the bytes
/// are in the cache, as bytes just received are, and the text lengths are new to the branch predictor.
fn random_lengths(rounds: usize) {
    const WINDOW: usize = 400;
    let events = common::random_events(50 * WINDOW);
    let mut warm = Decoder::new();
    let mut warm_pieces = Decoder::new();
    let mut options = Options::default();
    options.templates = false;
    let mut off = Decoder::with_options(options);
    for decoder in [&mut warm, &mut warm_pieces, &mut off] {
        text(decoder, events.iter().map(String::as_bytes));
    }
    let peers = [
        (Frame::Lines, Json::SonicGet),
        (Frame::Lines, Json::SonicMany),
        (Frame::Lines, Json::SonicTyped),
        (Frame::Lines, Json::SerdeTyped),
        (Frame::SseStream, Json::SonicGet),
    ]
    .map(|(frame, json)| Peer { frame, json });
    const WAYS: usize = 9;
    let mut times: [Vec<Duration>; WAYS] = Default::default();
    let mut stream = Vec::new();
    for round in 0..rounds {
        let first = round % (events.len() / WINDOW) * WINDOW;
        let events = &events[first..first + WINDOW];
        stream.clear();
        events
            .iter()
            .for_each(|event| stream.extend_from_slice(event.as_bytes()));
        let pieces = common::pieces(&stream, events, 0);
        let mut way = 0;
        let mut time = |work: &mut dyn FnMut()| {
            let start = Instant::now();
            work();
            times[way].push(start.elapsed());
            way += 1;
        };
        time(&mut || {
            for end in memchr::memchr_iter(b'\n', black_box(&stream)) {
                black_box(end);
            }
        });
        time(&mut || {
            black_box(text(&mut warm, black_box(&stream).chunks(16384)));
        });
        for decoder in [&mut warm_pieces, &mut off] {
            time(&mut || {
                black_box(text(decoder, black_box(&pieces).iter().copied()));
            });
        }
        for peer in peers {
            time(&mut || {
                peer.run(black_box(&pieces), |text| {
                    black_box(text);
                });
            });
        }
    }
    let nanos = times.map(|mut times| {
        times.sort();
        times
            .get(times.len() / 50)
            .map_or(0.0, |time| time.as_nanos() as f64 / WINDOW as f64)
    });
    let [lines, whole, hit, miss, peers_nanos @ ..] = nanos;
    let how = |time: f64| format!("{time:.1} ns an event against {lines:.1}");
    row("random-16k", whole / lines, &how(whole));
    row("random-event", hit / lines, &how(hit));
    row("random-miss", miss / lines, &how(miss));
    row("miss-ns", miss, "");
    for (peer, nanos) in peers.iter().zip(peers_nanos) {
        let name = peer.name().replace(' ', "-");
        let how = format!("{nanos:.0} ns an event");
        row(&format!("hit-{name}"), nanos / hit, &how);
        row(&format!("miss-{name}"), nanos / miss, &how);
    }
}

/// Deltas against nothing but the search for line ends, and against a copy of the bytes, for text
/// lengths that repeat after ten events.
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
fn in_turn(name: &str, count: usize, rounds: usize) {
    let events = common::events(40);
    let warm = events.concat();
    let mut decoders: Vec<Decoder> = (0..count).map(|_| Decoder::new()).collect();
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
                for _ in 0..count {
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
    let nanos = |time: Duration| time.as_nanos() as f64 / count as f64;
    let how = format!("{:.0} ns an event against {:.0}", nanos(many), nanos(one));
    row(name, ratio(many, one), &how);
}

/// Two threads with a decoder each against one, for the same work per thread.
fn two_threads(rounds: usize) {
    let stream = common::random_events(20_000).concat();
    let work = || {
        let mut decoder = Decoder::new();
        black_box(text(&mut decoder, stream.as_bytes().chunks(16384)));
    };
    let [one, two] = least(
        rounds,
        [&mut || common::on_new_thread(work), &mut || {
            std::thread::scope(|scope| {
                scope.spawn(work);
                scope.spawn(work);
            });
        }],
    );
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let how = format!("{:.2} ms against {:.2}", millis(two), millis(one));
    row("threads", ratio(two, one), &how);
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
    let pieces: Vec<&[u8]> = event.chunks(1024).collect();
    // A peer that looks up the text alone.
    let lookup = Peer {
        frame: Frame::SseStream,
        json: Json::SonicGet,
    };
    let [whole, cut, other] = least(
        rounds,
        [
            &mut || decode(event.len()),
            &mut || decode(1024),
            &mut || {
                lookup.run(&pieces, |text| {
                    black_box(text);
                });
            },
        ],
    );
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let how = format!("{:.1} ms against {:.1}", millis(cut), millis(whole));
    row("large", ratio(cut, whole), &how);
    let how = format!("{}: {:.1} ms", lookup.name(), millis(other));
    row("large-ms", millis(cut), &how);
}

fn main() {
    let is_quick = std::env::args().any(|arg| arg == "quick");
    let rounds = if is_quick { 5 } else { 60 };
    random_lengths(if is_quick { 100 } else { 3000 });
    against_the_scan(rounds * 5);
    in_turn("turn", 10_000, rounds);
    if !is_quick {
        in_turn("turn-many", 100_000, 10);
    }
    two_threads(if is_quick { 3 } else { 10 });
    large(if is_quick { 2 } else { 9 });
}
