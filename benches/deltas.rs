//! The decoder's work for `benches/budgets.sh`, which counts its instructions.
//!
//!     deltas random COUNT CHUNK [off]          COUNT chat chunks of about 326 bytes, random lengths
//!     deltas events COUNT CHUNK [off]          the same with text lengths that repeat after ten
//!     deltas escaped COUNT CHUNK [off]         the same, full of escapes
//!     deltas shapes COUNT CHUNK [off]          the same, but no two of a shape
//!     deltas corpus DIALECT CHUNK [off]        every recording of a dialect, `all` for all text
//!     deltas fresh DIALECT CHUNK [off]         the same, each on a new thread, new decoder and drop
//!                                              included
//!     deltas first STREAM EVENTS               the first EVENTS events of a stream, `all` for all, by
//!                                              a new decoder on a new thread
//!     deltas many KIND COUNT                   a response with COUNT choices, calls and the like, and
//!                                              a message of it
//!     deltas print COUNT [random]              those of `events`, for programs that are not Rust
//!     deltas shares                            what templates take of each dialect
//!
//! STREAM is `made`, a name in benches/streams or the start of a recording's name.
//! CHUNK 0 is one event a piece; `off` decodes without templates. `shares` prints, after a line for
//! each dialect, the recordings of 20 events and more of which templates take less than half, and
//! which members keep them from more.
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use deltawire::frame::{Event, Item, ndjson, sse};
use deltawire::{Decoder, Delta, Message, Options};
use serde_json::Value;

use common::{Recording, corpus, decode};

/// All that is counted: every delta is read, its text's length included.
#[inline(never)]
fn measured(decoder: &mut Decoder, pieces: &[&[u8]]) -> (usize, usize) {
    let (mut deltas, mut bytes) = (0, 0);
    decode(decoder, pieces.iter().copied(), |delta| {
        deltas += 1;
        if let Delta::Text { text, .. } = black_box(delta) {
            bytes += text.len();
        }
    });
    (deltas, bytes)
}

/// The same, and the deltas put together.
#[inline(never)]
fn measured_message(decoder: &mut Decoder, stream: &[u8]) -> Message {
    let mut message = Message::new();
    decode(decoder, [stream], |delta| message.push(&delta));
    message
}

/// Decodes pieces by a new decoder, its creation included, and returns it for the caller to drop.
#[inline(never)]
fn measured_first(pieces: &[&[u8]]) -> Decoder {
    let mut decoder = Decoder::new();
    decode(&mut decoder, pieces.iter().copied(), |delta| {
        black_box(delta);
    });
    decoder
}

/// Decodes a whole stream, from a new decoder to its drop. Returns the number of events.
#[inline(never)]
fn measured_stream(options: Options, body: &[u8], chunk: usize) -> u64 {
    let mut decoder = Decoder::with_options(options);
    decode(&mut decoder, body.chunks(chunk), |delta| {
        black_box(delta);
    });
    decoder.events()
}

/// Decodes the first events of a stream on a new thread.
fn first(name: &str, count: &str) {
    let Some(events) = common::stream(name) else {
        return println!("SKIPPED: no recording {name}");
    };
    let count = count.parse().unwrap_or(events.len());
    let pieces: Vec<&[u8]> = events.iter().take(count).map(String::as_bytes).collect();
    let decoder = common::on_new_thread(|| measured_first(&pieces));
    let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
    println!("{bytes} bytes, {} events", decoder.events());
}

/// Decodes recordings, each on a new thread.
fn fresh(dialect: &str, chunk: usize, options: &Options) {
    let (mut events, mut size) = (0, 0);
    for recording in corpus(dialect) {
        let options = options.clone();
        events += common::on_new_thread(|| measured_stream(options, &recording.body, chunk));
        size += recording.body.len();
    }
    println!("{size} bytes, {events} events");
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (kind, what, chunk, off) = match args.as_slice() {
        ["shares"] => return shares(),
        ["print", count] => {
            let count = count.parse().expect("a number of events");
            return print!("{}", common::events(count).concat());
        }
        ["print", count, "random"] => {
            let count = count.parse().expect("a number of events");
            return print!("{}", common::random_events(count).concat());
        }
        ["first", stream, count] => return first(stream, count),
        ["many", kind, count] => {
            let stream = common::many(kind, count.parse().expect("a number"));
            let mut decoder = Decoder::new();
            let message = measured_message(&mut decoder, stream.as_bytes());
            let calls: usize = message
                .choices
                .iter()
                .map(|choice| choice.tool_calls.len())
                .sum();
            return println!(
                "{} bytes, {} choices, {calls} calls",
                stream.len(),
                message.choices.len()
            );
        }
        [kind, what, chunk, off @ ..] => (*kind, *what, *chunk, off),
        _ => return eprintln!("usage: see the head of benches/deltas.rs"),
    };
    let chunk: usize = chunk.parse().expect("a number of bytes");
    let mut options = Options::default();
    options.templates = off.is_empty();
    if kind == "fresh" {
        return fresh(what, chunk, &options);
    }
    if kind == "corpus" {
        let (mut events, mut size) = (0, 0);
        for recording in corpus(what) {
            let pieces: Vec<&[u8]> = recording.body.chunks(chunk).collect();
            let mut decoder = Decoder::with_options(options.clone());
            measured(&mut decoder, &pieces);
            events += decoder.events();
            size += recording.body.len();
        }
        println!("{size} bytes, {events} events");
        return;
    }
    let count = what.parse().expect("a number of events");
    let events = match kind {
        "random" => common::random_events(count),
        "events" => common::events(count),
        "escaped" => common::escaped_events(count),
        "shapes" => common::events_of_many_shapes(count),
        _ => return eprintln!("no such stream: {kind}"),
    };
    let stream = events.concat();
    let pieces = common::pieces(stream.as_bytes(), &events, chunk);
    let mut decoder = Decoder::with_options(options);
    let (deltas, bytes) = measured(&mut decoder, &pieces);
    println!(
        "{} bytes, {count} events, {deltas} deltas, {bytes} bytes of text",
        stream.len()
    );
}

/// The share of some events that templates match.
#[derive(Default)]
struct Share {
    events: u64,
    taken: u64,
}

impl Share {
    fn add(&mut self, decoder: &Decoder) {
        self.events += decoder.events();
        self.taken += decoder.templated();
    }

    fn percent(&self) -> f64 {
        100.0 * self.taken as f64 / self.events.max(1) as f64
    }
}

fn shares() {
    let mut dialects: BTreeMap<String, (Share, Share)> = BTreeMap::new();
    let mut all = (Share::default(), Share::default());
    let mut misses = Vec::new();
    for recording in corpus("all") {
        let mut decoder = Decoder::new();
        measured(&mut decoder, &[&recording.body]);
        let of = dialects.entry(recording.dialect.clone()).or_default();
        for (total, long) in [of, &mut all] {
            total.add(&decoder);
            if decoder.events() >= 20 {
                long.add(&decoder);
            }
        }
        if decoder.events() >= 20 && decoder.templated() * 2 < decoder.events() {
            let (events, taken) = (decoder.events(), decoder.templated());
            let why = why_not(&recording);
            misses.push(format!("{}\t{taken} of {events}\t{why}", recording.name));
        }
    }
    println!("dialect\tevents\tby templates\tin streams of 20 and more\tby templates");
    for (dialect, (total, long)) in dialects.iter().chain([(&"all".to_owned(), &all)]) {
        println!(
            "{dialect}\t{}\t{:.1}%\t{}\t{:.1}%",
            total.events,
            total.percent(),
            long.events,
            long.percent()
        );
    }
    println!("\nrecording under 50%\ttaken\twhat else changes from event to event");
    misses.iter().for_each(|miss| println!("{miss}"));
}

/// How many events back one is looked for that is like the next.
const MEMORY: usize = 8;

/// Names the members in which the events that templates did not take differ from those before them,
/// and which do not vary in those that they took: the most frequent ones, with how often.
fn why_not(recording: &Recording) -> String {
    let mut decoder = Decoder::new();
    let mut earlier: Vec<BTreeMap<String, String>> = Vec::new();
    let mut varying = BTreeSet::new();
    let mut reasons: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
    let mut see = |event: &Event<'_>| {
        let before = decoder.templated();
        measured(&mut decoder, &[event.raw]);
        let mut members = BTreeMap::new();
        match serde_json::from_slice(event.data.as_bytes()) {
            Ok(value) => flatten(&value, String::new(), &mut members),
            Err(_) => drop(members.insert("(no JSON)".to_owned(), String::new())),
        }
        let nearest = earlier
            .iter()
            .rev()
            .map(|other| difference(other, &members));
        let nearest = nearest.min_by_key(BTreeSet::len).unwrap_or_default();
        if decoder.templated() > before {
            varying.extend(nearest);
        } else {
            *reasons.entry(nearest).or_default() += 1;
        }
        earlier.push(members);
        if earlier.len() > MEMORY {
            earlier.remove(0);
        }
    };
    let mut input = &recording.body[..];
    if recording.name.ends_with(".ndjson") {
        let mut parser = ndjson::Parser::new();
        while let Ok(Some(item)) = parser.next(&mut input) {
            if let Item::Event(event) = item {
                see(&event);
            }
        }
    } else {
        let mut parser = sse::Parser::new();
        while let Ok(Some(item)) = parser.next(&mut input) {
            if let Item::Event(event) = item {
                see(&event);
            }
        }
    }
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    for (members, count) in reasons {
        let members: Vec<String> = members.difference(&varying).take(3).cloned().collect();
        let members = match members.as_slice() {
            // The same members as in events that were taken: their values are what does it, or the
            // response was not known well enough yet.
            [] => "(values only)".to_owned(),
            members => members.join(" + "),
        };
        *tally.entry(members).or_default() += count;
    }
    let mut tally: Vec<(String, usize)> = tally.into_iter().collect();
    tally.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named = tally
        .iter()
        .take(3)
        .map(|(members, count)| format!("{members} ({count})"));
    named.collect::<Vec<_>>().join("; ")
}

/// The scalars of a payload by their paths, `+` and the path for a member's being there at all.
fn flatten(value: &Value, path: String, members: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(value, format!("{path}{dot}{key}"), members);
            }
        }
        Value::Array(list) => {
            for (n, value) in list.iter().enumerate() {
                flatten(value, format!("{path}[{n}]"), members);
            }
        }
        scalar => drop(members.insert(path, scalar.to_string())),
    }
}

/// The paths at which two payloads differ, a `+` before those that only one of them has.
fn difference(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> BTreeSet<String> {
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differs = |path: &&String| a.get(*path) != b.get(*path);
    let name = |path: &String| match (a.get(path), b.get(path)) {
        (Some(_), Some(_)) => path.clone(),
        _ => format!("+{path}"),
    };
    paths.into_iter().filter(differs).map(name).collect()
}
