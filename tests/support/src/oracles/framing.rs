//! The framing against the standard's text and against another parser.
//!
//! The input is a [`Head`] and then a stream. Held against each other are
//!
//! - what the parser says of the stream in pieces, and what `naive` says of it as a whole:
//!   items, raw bytes, offsets, and the last event ID;
//! - the same with each item as soon as the byte is in that completes it;
//! - events, IDs and `retry`, and what `sse-core` says.

use super::Head;
use crate::framing::{cut, every, feed, run};
use crate::naive::{self, Setup};
use crate::others::{Said, deltawire, sse_core};
use deltawire::frame::{Eof, sse};

/// A stream may be so long to be fed byte by byte as well.
const SHORT: usize = 512;

pub fn check(mut input: &[u8]) {
    let head = Head::take(&mut input);
    let stream = input;
    let cuts = head.cuts(stream.len());
    let seed: &[u8] = if head.flag(4) { b"seed" } else { b"" };
    let setup = Setup {
        eof: if head.flag(0) {
            Eof::Flush
        } else {
            Eof::Discard
        },
        last_event_id: seed,
        cuts: &cuts,
        ..Setup::default()
    };
    let chunks = cut(stream, &cuts);
    let expected = naive::parse(stream, &setup);
    let mut parser = sse::Parser::new();
    assert!(parser.set_last_event_id(seed));
    let seen = run(&mut parser, chunks.iter().copied(), setup.eof);
    assert_eq!(seen, expected.seen, "against the standard's text");
    assert_eq!(*parser.last_event_id(), *expected.last_event_id);
    assert_eq!(parser.offset(), stream.len() as u64);

    if stream.len() <= SHORT {
        in_time(stream, seed);
    }

    let seed = std::str::from_utf8(seed).unwrap_or_default();
    let mut ours = deltawire(&chunks, seed);
    // It keeps `retry` in 32 bits and drops what does not fit.
    let fits = |said: &Said| !matches!(said, Said::Retry(ms) if u32::try_from(*ms).is_err());
    ours.said.retain(fits);
    assert_eq!(ours, sse_core(&chunks, seed), "against sse-core");
}

/// Each item comes with the byte that completes it, and none before.
fn in_time(stream: &[u8], seed: &[u8]) {
    let cuts = every(stream.len(), 1);
    let setup = Setup {
        last_event_id: seed,
        cuts: &cuts,
        ..Setup::default()
    };
    let expected = naive::parse(stream, &setup);
    let mut complete = expected.complete_at.iter().peekable();
    let mut seen = Vec::new();
    let mut due = 0;
    let mut parser = sse::Parser::new();
    assert!(parser.set_last_event_id(seed));
    for (at, byte) in stream.chunks(1).enumerate() {
        seen.extend(feed(&mut parser, [byte]));
        while complete.next_if(|end| **end <= at + 1).is_some() {
            due += 1;
        }
        assert_eq!(seen.len(), due, "items after byte {at}");
    }
    assert_eq!(seen, expected.seen, "byte by byte");
}
