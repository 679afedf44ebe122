//! Times, with criterion: `cargo bench --bench compare [-- FILTER]`.
//!
//! Groups are called `layer/corpus/chunking`, and every way through the same bytes is a member of the
//! same group: `memchr` (the search for line ends) and `memcpy` are what the bytes cost anyone, the
//! peers are used as their documentation has it, see `benches/common/peers.rs`. That all of them read
//! the same is asserted outside of what is timed. Recordings are read from ../shared/corpus, and left
//! out where that is not.
mod common;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use deltawire::{Decoder, Options};

use common::decode;
use common::peers::{Frame, Json, Peer, all};

type Group<'c> = BenchmarkGroup<'c, WallTime>;

const CHUNKS: [(usize, &str); 4] = [(16384, "16k"), (0, "event"), (1024, "1k"), (64, "64")];

fn group<'c>(criterion: &'c mut Criterion, name: &str, bytes: usize) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
}

/// What the bytes cost without being parsed.
fn floor(group: &mut Group<'_>, stream: &[u8]) {
    group.bench_function("memchr", |bencher| {
        bencher.iter(|| {
            for end in memchr::memchr_iter(b'\n', black_box(stream)) {
                black_box(end);
            }
        });
    });
    let mut copy = Vec::with_capacity(stream.len());
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| {
            copy.clear();
            copy.extend_from_slice(black_box(stream));
            black_box(&copy);
        });
    });
}

fn read(peer: Peer, pieces: &[&[u8]]) -> Vec<u8> {
    let mut read = Vec::new();
    peer.run(pieces, |text| read.extend_from_slice(text));
    read
}

fn peer(group: &mut Group<'_>, peer: Peer, pieces: &[&[u8]], wanted: &[u8]) {
    assert!(read(peer, pieces) == wanted, "{}: other text", peer.name());
    group.bench_function(peer.name(), |bencher| {
        bencher.iter(|| {
            peer.run(black_box(pieces), |text| {
                black_box(text);
            });
        });
    });
}

const OWN: Peer = Peer {
    frame: Frame::Deltawire,
    json: Json::Deltawire,
};
const WITHOUT_TEMPLATES: Peer = Peer {
    frame: Frame::Deltawire,
    json: Json::DeltawireWithoutTemplates,
};

/// Framing and deltas over the same made stream, beside everyone else.
fn streams(criterion: &mut Criterion, corpus: &str, events: &[String]) {
    let stream = events.concat().into_bytes();
    for (chunk, name) in CHUNKS {
        let pieces = common::pieces(&stream, events, chunk);
        for (layer, is_framing) in [("framing", true), ("deltas", false)] {
            let mut group = group(criterion, &format!("{layer}/{corpus}/{name}"), stream.len());
            if chunk == 16384 {
                floor(&mut group, &stream);
            }
            let own = Peer {
                frame: Frame::Deltawire,
                json: if is_framing {
                    Json::None
                } else {
                    Json::Deltawire
                },
            };
            let wanted = read(own, &pieces);
            for other in all()
                .into_iter()
                .filter(|peer| peer.is_framing() == is_framing)
            {
                peer(&mut group, other, &pieces, &wanted);
            }
            group.finish();
        }
    }
}

/// Streams that do not suit templates, or suit them less.
fn hard_streams(criterion: &mut Criterion) {
    let streams = [
        ("escapes", common::escaped_events(200)),
        ("many-shapes", common::events_of_many_shapes(200)),
    ];
    for (name, events) in streams {
        let stream = events.concat().into_bytes();
        let pieces = common::pieces(&stream, &events, 16384);
        let mut group = group(criterion, &format!("deltas/{name}/16k"), stream.len());
        let wanted = read(WITHOUT_TEMPLATES, &pieces);
        for other in all().into_iter().filter(|peer| !peer.is_framing()) {
            if other.frame != Frame::EventsourceStream {
                peer(&mut group, other, &pieces, &wanted);
            }
        }
        group.finish();
    }
}

/// One event of 16 MiB: the time must not depend on the pieces it comes in.
fn large_event(criterion: &mut Criterion) {
    const MIB: usize = 1 << 20;
    let event = common::large_event(16 * MIB);
    for (chunk, name) in [(event.len(), "whole"), (16384, "16k"), (1024, "1k")] {
        let pieces: Vec<&[u8]> = event.chunks(chunk).collect();
        let mut group = group(
            criterion,
            &format!("deltas/one-event-of-16-mib/{name}"),
            event.len(),
        );
        group.sample_size(10);
        group.bench_function("deltawire", |bencher| {
            bencher.iter(|| {
                let mut options = Options::default();
                options.max_event_bytes = 17 * MIB;
                let mut decoder = Decoder::with_options(options);
                decode(&mut decoder, pieces.iter().copied(), |delta| {
                    black_box(delta);
                });
            });
        });
        // What the event costs someone who looks up its text alone.
        let lookup = Peer {
            frame: Frame::SseStream,
            json: Json::SonicGet,
        };
        peer(&mut group, lookup, &pieces, "x".repeat(16 * MIB).as_bytes());
        group.finish();
    }
}

/// Many decoders of which each has one event in turn, as a gateway's have; always 10,000 events.
fn in_turn(criterion: &mut Criterion) {
    let events = common::events(40);
    let warm = events.concat();
    for count in [1, 100, 10_000] {
        let mut decoders: Vec<Decoder> = (0..count).map(|_| Decoder::new()).collect();
        for decoder in &mut decoders {
            decode(decoder, [warm.as_bytes()], |_| {});
        }
        let mut event = events.iter().map(String::as_bytes).cycle();
        let mut group = criterion.benchmark_group(format!("deltas/openai-chat/in-turn-{count}"));
        group.throughput(Throughput::Elements(10_000));
        group.bench_function("deltawire", |bencher| {
            bencher.iter(|| {
                for _ in 0..10_000 / count {
                    for decoder in &mut decoders {
                        decode(decoder, event.next(), |delta| {
                            black_box(delta);
                        });
                    }
                }
            });
        });
        group.finish();
    }
}

/// Every recording of a dialect, one after the other, each by a decoder of its own.
fn recordings(criterion: &mut Criterion) {
    let recordings = common::corpus("all");
    let mut dialects: Vec<&str> = recordings.iter().map(|of| of.dialect.as_str()).collect();
    dialects.dedup();
    for dialect in dialects {
        let bodies: Vec<&[u8]> = recordings
            .iter()
            .filter(|recording| recording.dialect == dialect)
            .map(|recording| recording.body.as_slice())
            .collect();
        let all = bodies.concat();
        let mut group = group(
            criterion,
            &format!("deltas/recorded-{dialect}/16k"),
            all.len(),
        );
        floor(&mut group, &all);
        for (name, templates) in [("deltawire", true), ("deltawire, templates off", false)] {
            let mut options = Options::default();
            options.templates = templates;
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    for body in &bodies {
                        let mut decoder = Decoder::with_options(options.clone());
                        decode(&mut decoder, body.chunks(16384), |delta| {
                            black_box(delta);
                        });
                    }
                });
            });
        }
        group.finish();
    }
    // A recorded reply that everyone reads alike: one choice, every event JSON.
    let reply = recordings.iter().filter(|of| of.dialect == "openai-chat");
    let same = |body: &[u8]| {
        let pieces: Vec<&[u8]> = body.chunks(16384).collect();
        let wanted = read(OWN, &pieces);
        let mut others = all().into_iter().filter(|peer| !peer.is_framing());
        wanted.len() > 1000 && others.all(|peer| read(peer, &pieces) == wanted)
    };
    let Some(reply) = reply
        .filter(|of| same(&of.body))
        .max_by_key(|of| of.body.len())
    else {
        return;
    };
    println!("recorded reply: {}, {} bytes", reply.name, reply.body.len());
    let pieces: Vec<&[u8]> = reply.body.chunks(16384).collect();
    let wanted = read(OWN, &pieces);
    let mut group = group(criterion, "deltas/recorded-reply/16k", reply.body.len());
    floor(&mut group, &reply.body);
    for other in all().into_iter().filter(|peer| !peer.is_framing()) {
        peer(&mut group, other, &pieces, &wanted);
    }
    group.finish();
}

fn main() {
    println!("{:<42} what it yields", "");
    for peer in all() {
        println!("{:<42} {}", peer.name(), peer.yields());
    }
    // There are many of them, and one takes a second.
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20)
        .configure_from_args();
    streams(&mut criterion, "openai-chat", &common::events(200));
    // Long, so that the branch predictor does not learn the text lengths of one round in another.
    let events = common::random_events(4000);
    streams(&mut criterion, "openai-chat-random", &events);
    hard_streams(&mut criterion);
    large_event(&mut criterion);
    in_turn(&mut criterion);
    recordings(&mut criterion);
    criterion.final_summary();
}
