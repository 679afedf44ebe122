//! The limit of an event: none is ever cut, what is behind a large one comes, and memory is bounded.
//!
//! The input is a [`Head`], two bytes for the limit and one for the size of a fixed memory, and then a
//! stream in which `~`, a byte and a character stand for that character many times over, so that a
//! short input makes a long stream. Flag 0 flushes, flag 3 has limits up to 16 KiB in place of up to
//! 255 bytes, flag 4 reads in fixed memory.
//!
//! - Items and errors are those of `naive`, which knows limit and memory.
//! - A limit only takes items away, and never changes one.
//! - Behind the stream, whatever it was, an event that fits comes as it is: from the framings, and from
//!   a decoder.
//! - What a parser holds is [`CARRY`], a decoder [`DECODER`], times the limit at most, and a constant.

use super::Head;
use crate::allocator;
use crate::framing::{Framing as _, Seen, cut, feed, run};
use crate::naive::{self, Setup};
use deltawire::frame::{Carry, Eof, Framing, ndjson, sse};
use deltawire::{Decoder, Delta, Dialect, Options};

/// The longest stream that is made of an input, in bytes.
const MAX_STREAM: usize = 96 * 1024;

/// How many times the limit a framing parser holds at most, besides [`CARRY_BYTES`]: an event and its
/// joined data, in memory that grows by doubling while the half of it is still there.
const CARRY: usize = 6;
const CARRY_BYTES: usize = 64;

/// The same of a decoder, which besides copies a payload and has 20 bytes for each token of its JSON.
const DECODER: usize = 96;
const DECODER_BYTES: usize = 192 * 1024;

/// An event that every limit here lets through where it is meant to, and as a decoder reads it.
const SENTINEL: &str = "data: sentinel\n\n";
const REPLY: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"sentinel\"}}]}\n\n";

pub fn check(mut input: &[u8]) {
    allocator::assert_counts();
    let head = Head::take(&mut input);
    let [low, high, memory, rest @ ..] = input else {
        return;
    };
    let stream = expand(rest);
    let max = match head.flag(3) {
        false => usize::from(*low),
        true => usize::from(u16::from_be_bytes([*high, *low])) & 0x3FFF,
    };
    let setup = Setup {
        max_event_bytes: max,
        memory: head.flag(4).then_some(usize::from(*memory) * 4),
        eof: if head.flag(0) {
            Eof::Flush
        } else {
            Eof::Discard
        },
        cuts: &head.cuts(stream.len()),
        ..Setup::default()
    };
    events(&stream, &setup);
    lines(&stream, &setup);
    decoder(&stream, &setup);
}

/// Writes out the repetitions.
fn expand(mut rest: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'~', [times, what, behind @ ..]) => {
                let times = usize::from(times & 15);
                let times = (1_usize << times).min(MAX_STREAM.saturating_sub(stream.len()));
                stream.extend(std::iter::repeat_n(*what, times));
                rest = behind;
            }
            _ => stream.push(*byte),
        }
    }
    stream.truncate(MAX_STREAM);
    stream
}

fn events(stream: &[u8], setup: &Setup<'_>) {
    let mut memory = vec![0; setup.memory.unwrap_or(0)];
    let seen = match setup.memory {
        None => run_limited(sse::Parser::new(), stream, setup),
        Some(_) => run_limited(sse::Parser::in_memory(&mut memory), stream, setup),
    };
    assert_eq!(
        seen,
        naive::parse(stream, setup).seen,
        "against the standard's text"
    );

    let free = Setup {
        max_event_bytes: usize::MAX,
        memory: None,
        ..*setup
    };
    let free = run_limited(sse::Parser::new(), stream, &free);
    let mut free = free.iter().map(comparable);
    for one in seen.iter().filter(|one| !one.is_error()).map(comparable) {
        assert!(
            free.any(|other| other == one),
            "{one:?} is new or out of order"
        );
    }

    if setup.memory.is_none() && setup.max_event_bytes >= SENTINEL.len() {
        let mut parser = sse::Parser::new();
        parser.set_max_event_bytes(setup.max_event_bytes);
        feed(&mut parser, cut(stream, setup.cuts));
        let behind = feed(&mut parser, [&b"\n\n\n"[..], SENTINEL.as_bytes()]);
        let Some(Seen::Event { data, .. }) = behind.last() else {
            panic!("no event behind the stream: {behind:?}");
        };
        assert_eq!(data, b"sentinel");
    }

    if setup.memory.is_none() {
        let (peak, _) = allocator::peak(|| {
            let mut parser = sse::Parser::new();
            parser.set_max_event_bytes(setup.max_event_bytes);
            for chunk in cut(stream, setup.cuts) {
                let mut input = chunk;
                while parser.next(&mut input).transpose().is_some() {}
            }
        });
        // Where the chunks begin is not the parser's.
        let chunks = 16 * (setup.cuts.len() + 1);
        let bound = CARRY * setup.max_event_bytes + CARRY_BYTES + chunks;
        assert!(
            peak <= bound,
            "a parser held {peak} bytes, {bound} are allowed"
        );
    }
}

fn run_limited<C: Carry>(
    mut parser: sse::Parser<C>,
    stream: &[u8],
    setup: &Setup<'_>,
) -> Vec<Seen> {
    parser.set_max_event_bytes(setup.max_event_bytes);
    run(&mut parser, cut(stream, setup.cuts), setup.eof)
}

/// An item without its ID, which is lost with the line that was too long, and raw bytes.
fn comparable(seen: &Seen) -> Seen {
    match seen.clone().without_raw() {
        Seen::Event {
            event,
            data,
            offset,
            ..
        } => Seen::Event {
            event,
            data,
            id: Vec::new(),
            raw: Vec::new(),
            offset,
        },
        other => other,
    }
}

/// Lines of JSON: each comes whole or not at all.
fn lines(stream: &[u8], setup: &Setup<'_>) {
    let max = setup.max_event_bytes;
    let mut parser = ndjson::Parser::new();
    parser.set_max_event_bytes(max);
    let mut seen = feed(&mut parser, cut(stream, setup.cuts));
    seen.extend(feed(&mut parser, [&b"\n{}\n"[..]]));
    assert_eq!(parser.consumed(), stream.len() as u64 + 4);
    let (mut expected, mut large) = (Vec::new(), 0);
    let whole = stream.split(|byte| *byte == b'\n').chain([&b"{}"[..]]);
    for (at, line) in whole.enumerate() {
        if line.len() > max {
            large += 1;
            continue;
        }
        // A byte order mark, and lines that are blank, are no data.
        let line = match at {
            0 => line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line),
            _ => line,
        };
        if !line.trim_ascii().is_empty() {
            expected.push(line.strip_suffix(b"\r").unwrap_or(line));
        }
    }
    let data = seen.iter().filter_map(|one| match one {
        Seen::Event { data, .. } => Some(&data[..]),
        _ => None,
    });
    assert_eq!(data.collect::<Vec<_>>(), expected, "lines within the limit");
    assert_eq!(seen.iter().filter(|one| one.is_error()).count(), large);
}

fn decoder(stream: &[u8], setup: &Setup<'_>) {
    let max = setup.max_event_bytes;
    let mut options = Options::default();
    options.dialect = Some(Dialect::OpenAiChat);
    options.framing = Some(Framing::Sse);
    options.max_event_bytes = max;
    let chunks = cut(stream, setup.cuts);
    // The thread's own memory for payloads, which all its decoders share, is there before.
    let mut warm = Decoder::new();
    assert!(warm.next(&mut REPLY.as_bytes()).is_some());
    let (peak, (last, mut decoder)) = allocator::peak(|| {
        let mut decoder = Decoder::with_options(options.clone());
        let mut most = 0;
        for chunk in &chunks {
            let mut input = *chunk;
            while let Some(delta) = decoder.next(&mut input) {
                if let Delta::Other { raw, .. } = delta {
                    most = most.max(raw.len());
                }
            }
        }
        (most, decoder)
    });
    assert!(last <= max.max(1) * 3, "a payload of {last} bytes");
    let bound = DECODER * max + DECODER_BYTES;
    assert!(
        peak <= bound,
        "a decoder held {peak} bytes, {bound} are allowed"
    );
    if max >= REPLY.len() {
        let mut texts = Vec::new();
        for chunk in [&b"\n\n\n"[..], REPLY.as_bytes()] {
            let mut input = chunk;
            while let Some(delta) = decoder.next(&mut input) {
                if let Delta::Text { text, .. } = delta {
                    texts.push(text.to_owned());
                }
            }
        }
        assert_eq!(texts.last().map(String::as_str), Some("sentinel"));
    }
}
