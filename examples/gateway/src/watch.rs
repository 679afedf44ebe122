//! Reading along: what is taken out of the bytes that pass.

use std::fmt;

use bytes::Bytes;
use deltawire::frame::Framing;
use deltawire::{
    Decoder, Delta, DetailLevel, Dialect, End, ErrorKind, FinishReason, Options, Usage,
};

use crate::peer::Peer;

/// What reads along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Reader {
    /// A decoder of this library, for every dialect
    Deltawire,
    /// Nothing
    None,
    /// What it is measured against: OpenAI's chat chunks alone
    EventsourceStream,
}

/// Whether all of the reply came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// No stream, or nothing reads along.
    #[default]
    NotRead,
    Complete,
    Truncated,
    Unrecognised,
}

/// What was read out of a reply.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) events: u64,
    /// Of the text, in bytes.
    pub(crate) text_len: u64,
    pub(crate) usage: Usage,
    pub(crate) finishes: Vec<(u32, FinishReason)>,
    /// The provider's own error, in the stream.
    pub(crate) error: Option<ErrorKind>,
    /// Events that could not be read, and passed like all others.
    pub(crate) unreadable: u64,
    /// The text, piece by piece with its choice, where it is wanted.
    pub(crate) text: Option<Vec<(u32, Bytes)>>,
}

/// Reads along.
pub(crate) struct Watch {
    reading: Reading,
    seen: Seen,
}

enum Reading {
    Nothing,
    Deltas(Box<Decoder>),
    Peer(Box<Peer>),
}

impl Watch {
    pub(crate) fn new(reader: Reader, framing: Framing, keeps_text: bool) -> Watch {
        let reading = match reader {
            Reader::None => Reading::Nothing,
            Reader::Deltawire => {
                let mut options = Options::default();
                options.framing = Some(framing);
                // Nobody here looks at them.
                options.details = DetailLevel::Off;
                Reading::Deltas(Box::new(Decoder::with_options(options)))
            }
            Reader::EventsourceStream => Reading::Peer(Box::default()),
        };
        let seen = Seen {
            text: keeps_text.then(Vec::new),
            ..Seen::default()
        };
        Watch { reading, seen }
    }

    /// Of what is no stream nothing is read.
    pub(crate) fn blind() -> Watch {
        Watch {
            reading: Reading::Nothing,
            seen: Seen::default(),
        }
    }

    /// Looks at what passes. Nothing is copied: the decoder reads the frame where it lies.
    pub(crate) fn look(&mut self, frame: &Bytes) {
        match &mut self.reading {
            Reading::Nothing => {}
            Reading::Deltas(decoder) => {
                let mut input = &frame[..];
                while let Some(delta) = decoder.next(&mut input) {
                    self.seen.take(&delta, frame);
                }
            }
            Reading::Peer(peer) => peer.look(frame, &mut self.seen),
        }
    }

    /// What was seen, once nothing more comes.
    pub(crate) fn finish(&mut self) -> Seen {
        match &mut self.reading {
            Reading::Nothing => {}
            Reading::Deltas(decoder) => {
                while let Some(delta) = decoder.finish() {
                    self.seen.take(&delta, &Bytes::new());
                }
                self.seen.kind = match decoder.end() {
                    End::Complete => Kind::Complete,
                    End::Unrecognised => Kind::Unrecognised,
                    _ => Kind::Truncated,
                };
                self.seen.dialect = decoder.dialect();
                self.seen.events = decoder.events();
            }
            Reading::Peer(peer) => {
                self.seen.kind = if peer.is_done() {
                    Kind::Complete
                } else {
                    Kind::Truncated
                };
            }
        }
        std::mem::take(&mut self.seen)
    }
}

impl Seen {
    /// Records a delta of a frame.
    fn take(&mut self, delta: &Delta<'_>, frame: &Bytes) {
        match *delta {
            Delta::Text { choice, text, .. } => {
                self.text_len += text.len() as u64;
                if let Some(pieces) = &mut self.text {
                    pieces.push((choice, part_of(frame, text.as_bytes())));
                }
            }
            Delta::Usage(usage) => self.usage.merge(&usage),
            Delta::Finish { choice, reason, .. } => self.finishes.push((choice, reason)),
            Delta::Error(error) => self.error = Some(error.kind),
            Delta::Invalid { .. } => self.unreadable += 1,
            _ => {}
        }
    }
}

/// The text as a slice that shares the frame's memory, where it lies in it, as that of most events
/// does. What the decoder had to make anew lies with the decoder and is copied: an event that a
/// frame's end cut, a string with escapes, and the first events of a shape, which are parsed whole.
fn part_of(frame: &Bytes, text: &[u8]) -> Bytes {
    let (outer, inner) = (frame.as_ptr_range(), text.as_ptr_range());
    if outer.start <= inner.start && inner.end <= outer.end {
        frame.slice_ref(text)
    } else {
        Bytes::copy_from_slice(text)
    }
}

/// All but whether it is complete, each with a comma before it.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::NotRead {
            return Ok(());
        }
        if let Some(dialect) = self.dialect {
            write!(f, ", {}", dialect.as_str())?;
        }
        write!(
            f,
            ", {} events, {} bytes of text",
            self.events, self.text_len
        )?;
        for (name, count) in self.usage.counts() {
            if let Some(count) = count {
                write!(f, ", {name} {count}")?;
            }
        }
        for (choice, reason) in &self.finishes {
            write!(f, ", finish {choice} {reason}")?;
        }
        if let Some(kind) = self.error {
            write!(f, ", error {kind}")?;
        }
        if self.unreadable > 0 {
            write!(f, ", {} unreadable", self.unreadable)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" two\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" three\"}}]}\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\u0301\"}}]}\n\n\
        data: [DONE]\n\n";

    #[test]
    fn text_shares_the_memory_of_its_frame() {
        let frame = Bytes::from_static(STREAM);
        let mut watch = Watch::new(Reader::Deltawire, Framing::Sse, true);
        watch.look(&frame);
        let seen = watch.finish();
        let text = seen.text.expect("it was wanted");
        let pieces: Vec<&[u8]> = text.iter().map(|(_, piece)| &piece[..]).collect();
        assert_eq!(
            pieces,
            [&b"one"[..], b" two", b" three", "a\u{301}".as_bytes()]
        );
        let is_shared = |piece: &[u8]| frame.as_ptr_range().contains(&piece.as_ptr());
        // Those that the decoder had to parse whole, and what has escapes, are copied.
        let shared: Vec<bool> = pieces.into_iter().map(is_shared).collect();
        assert_eq!(shared, [false, false, true, false]);
    }

    #[test]
    fn every_reader_sees_the_same_text() {
        for reader in [Reader::Deltawire, Reader::EventsourceStream] {
            for size in [1, 7, 1000] {
                let mut watch = Watch::new(reader, Framing::Sse, false);
                for frame in STREAM.chunks(size) {
                    watch.look(&Bytes::copy_from_slice(frame));
                }
                let seen = watch.finish();
                assert_eq!((seen.kind, seen.text_len), (Kind::Complete, 16), "{reader}");
            }
        }
    }
}
