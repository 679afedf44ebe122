//! No cutting changes what comes of a stream: framing, decoder and message.
//!
//! The input is a [`Head`] and then what `twin::arbitrary` takes: a stream as it is, or decisions that
//! make one. Its bytes as a whole are held against the pieces that the head says, and short ones
//! against single bytes. All three framings read them, whatever they are.

use super::Head;
use super::streams::{Read, bodies, options, read};
use crate::framing::{Framing as _, Seen, cut, every, run};
use crate::twin;
use deltawire::Decoder;
use deltawire::frame::{Eof, Item, eventstream, ndjson, sse};

const SHORT: usize = 512;

pub fn check(mut input: &[u8]) {
    let head = Head::take(&mut input);
    let case = twin::arbitrary(input);
    let max = case.max_event_bytes;
    let mut decoder = Decoder::with_options(options(&case));
    for body in bodies(&case) {
        let mut cuttings = vec![head.cuts(body.len())];
        if body.len() <= SHORT {
            cuttings.push(every(body.len(), 1));
        }
        let whole = decoded(&mut decoder, &[&body]);
        let framed = framings(&[&body], max, case.eof);
        for cuts in &cuttings {
            let chunks = cut(&body, cuts);
            let pieces = decoded(&mut decoder, &chunks);
            assert_eq!(pieces, whole, "cut at {cuts:?}: {}", body.escape_ascii());
            let pieces = framings(&chunks, max, case.eof);
            assert_eq!(pieces, framed, "cut at {cuts:?}: {}", body.escape_ascii());
        }
    }
}

fn decoded(decoder: &mut Decoder, chunks: &[&[u8]]) -> Read {
    decoder.reset();
    read(decoder, chunks.iter().copied())
}

/// What each framing makes of the chunks, without the raw bytes of lines: these lack the LF that a
/// chunk's end parts from its CR.
fn framings(chunks: &[&[u8]], max: Option<usize>, eof: Eof) -> (Vec<Seen>, Vec<Seen>, Vec<String>) {
    let max = max.unwrap_or(usize::MAX);
    let chunks = || chunks.iter().copied();
    let mut lines = sse::Parser::new();
    lines.set_max_event_bytes(max);
    let mut events = run(&mut lines, chunks(), eof);
    for seen in &mut events {
        *seen = seen.clone().without_raw();
    }
    let mut json = ndjson::Parser::new();
    json.set_max_event_bytes(max);
    let values = run(&mut json, chunks(), eof);
    assert_eq!(lines.consumed(), json.consumed());
    (events, values, frames(chunks(), max))
}

/// Frames, damaged ones too, as they show themselves.
fn frames<'c>(chunks: impl Iterator<Item = &'c [u8]>, max: usize) -> Vec<String> {
    let mut parser = eventstream::Parser::new();
    parser.set_max_event_bytes(max);
    let mut seen = Vec::new();
    for chunk in chunks {
        let mut input = chunk;
        while let Some(item) = parser.next(&mut input).transpose() {
            seen.push(match item {
                Ok(Item::Event(event)) => format!("{event:?}"),
                Ok(Item::Exception(exception)) => format!("{exception:?}"),
                other => format!("{other:?}"),
            });
        }
    }
    while let Some(item) = parser.finish(Eof::Discard).transpose() {
        seen.push(format!("{item:?}"));
    }
    seen
}
