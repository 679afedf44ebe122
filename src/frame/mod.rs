//! Framing: from the bytes of a response body to its events, and nothing else.
//!
//! | framing | events are | used by |
//! |---|---|---|
//! | [`sse`] | blocks of an event stream (HTML, section 9.2.6) | nearly every provider |
//! | [`ndjson`] | lines | Ollama |
//! | [`eventstream`] | binary frames of AWS | Bedrock |
//!
//! All framings have one shape, and [`Parser`] is any of them, chosen at run time. A parser is given
//! the caller's chunk as `&mut &[u8]`, hands out one [`Item`] a call and moves the slice past what it
//! used; `None` means that it wants the next chunk.
//!
//! ```
//! use deltawire::frame::{Item, sse};
//!
//! let mut memory = [0; 256];
//! let mut parser = sse::Parser::in_memory(&mut memory);
//! let mut seen = 0;
//! for chunk in [&b"data: hel"[..], b"lo\n", b"\ndata: you\n\n"] {
//!     let mut input = chunk;
//!     while let Some(item) = parser.next(&mut input).transpose() {
//!         if let Ok(Item::Event(event)) = item {
//!             assert_eq!(&*event.data, [&b"hello"[..], b"you"][seen]);
//!             seen += 1;
//!         }
//!     }
//! }
//! assert_eq!(seen, 2);
//! ```
//!
//! What is handed out borrows from the chunk where the item lies whole in it, and from the parser's
//! carry where a chunk's end cut it. Either way it lives until the next call on the parser. Framing
//! never allocates, unless its carry is a `Vec` that has to grow.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod any;
mod carry;
pub mod eventstream;
pub mod ndjson;
pub mod sse;
mod value;

use core::fmt;

pub use any::Parser;
pub use carry::{Carry, Fixed};
pub use value::Value;

/// The largest event that is accepted unless told otherwise: 16 MiB.
pub const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// What a framing finds. `raw` are the item's bytes as they came, line ends included.
///
/// Each line is in one item's `raw`, and all of them joined are the stream (its byte order mark apart,
/// and what its end cut off) with two exceptions: a comment, `retry` or unknown line that stands inside
/// a block comes before the block's own lines, and a LF that follows its CR only in a later chunk is in
/// no `raw` unless its block goes on. An event over the limit has no `raw`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event was dispatched.
    Event(Event<'a>),
    /// A comment line, as servers send to keep a connection alive.
    Comment(Comment<'a>),
    /// The server set the reconnection time.
    Retry(Retry<'a>),
    /// A line with a field that the standard does not know, or a `retry` that is no number. An
    /// event stream ignores it; some providers hide an error in it.
    Field(Field<'a>),
    /// A blank line that dispatched nothing, since no `data` came before it.
    Blank(Blank<'a>),
    /// The server reports that it failed; AWS frames alone can.
    Exception(Exception<'a>),
}

/// A dispatched event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event type; `message` where the stream named none, as lines of JSON never do. Of an AWS
    /// frame, its `:event-type`.
    pub event: Value<'a>,
    /// The data buffer: the values of the `data` lines, joined by LF. Of other framings, the line
    /// without its end, or the payload.
    pub data: Value<'a>,
    /// The last event ID at dispatch, which may come from an earlier event; empty where none was set,
    /// and in other framings, which have none.
    pub id: Value<'a>,
    /// The event's own lines as they came, blank line included; or the line, or the frame.
    pub raw: &'a [u8],
    /// Where the event begins, in bytes from the start of the stream.
    pub offset: u64,
}

#[cfg(feature = "delta")]
impl Event<'_> {
    /// Returns the length of the suffix of `raw` that does not count against the event limit: the end
    /// of an event stream's last line and its blank line, or the LF of a line.
    pub(crate) fn uncounted(&self) -> usize {
        // Every event of an event stream has more than `data:` besides its data.
        let is_line = self.raw.len() < self.data.len() + b"data:".len();
        if is_line {
            return 1;
        }
        let ends = self.raw.iter().rev();
        ends.take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count()
    }
}

/// A comment line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a> {
    /// What follows the colon, not stripped.
    pub text: Value<'a>,
    /// The line as it came.
    pub raw: &'a [u8],
    /// Where the line begins, in bytes from the start of the stream.
    pub offset: u64,
}

/// A `retry` line of ASCII digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry<'a> {
    /// The reconnection time in milliseconds.
    pub millis: u64,
    /// The line as it came.
    pub raw: &'a [u8],
    /// Where the line begins, in bytes from the start of the stream.
    pub offset: u64,
}

/// A line that an event stream ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The field's name: what precedes the first colon, or the whole line.
    pub name: Value<'a>,
    /// The field's value, one leading space stripped; empty where there is no colon.
    pub value: Value<'a>,
    /// The line as it came.
    pub raw: &'a [u8],
    /// Where the line begins, in bytes from the start of the stream.
    pub offset: u64,
}

/// A blank line that ended a block without data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blank<'a> {
    /// The event type that the block named and that nothing was dispatched with; mostly empty.
    pub event: Value<'a>,
    /// The block's lines as they came, blank line included.
    pub raw: &'a [u8],
    /// Where the block begins, in bytes from the start of the stream.
    pub offset: u64,
}

/// A frame whose `:message-type` is `exception` or `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception<'a> {
    /// `:exception-type`, or `:error-code`.
    pub name: Value<'a>,
    /// The payload, mostly JSON with a `message`; or `:error-message`.
    pub data: Value<'a>,
    /// The frame as it came.
    pub raw: &'a [u8],
    /// Where the frame begins, in bytes from the start of the stream.
    pub offset: u64,
}

impl<'a> Item<'a> {
    /// The item's bytes as they came.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        match self {
            Item::Event(x) => x.raw,
            Item::Comment(x) => x.raw,
            Item::Retry(x) => x.raw,
            Item::Field(x) => x.raw,
            Item::Blank(x) => x.raw,
            Item::Exception(x) => x.raw,
        }
    }

    /// Where the item begins, in bytes from the start of the stream.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Item::Event(x) => x.offset,
            Item::Comment(x) => x.offset,
            Item::Retry(x) => x.offset,
            Item::Field(x) => x.offset,
            Item::Blank(x) => x.offset,
            Item::Exception(x) => x.offset,
        }
    }
}

/// The framings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// The WHATWG event stream, `text/event-stream`.
    Sse,
    /// Newline-delimited JSON, `application/x-ndjson`.
    Ndjson,
    /// AWS's binary event stream, `application/vnd.amazon.eventstream`.
    EventStream,
}

impl Framing {
    /// The framing of a body with this content type; `None` where it tells nothing.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Framing> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        [
            ("text/event-stream", Framing::Sse),
            ("application/x-ndjson", Framing::Ndjson),
            ("application/ndjson", Framing::Ndjson),
            ("application/jsonl", Framing::Ndjson),
            ("application/vnd.amazon.eventstream", Framing::EventStream),
        ]
        .into_iter()
        .find(|(name, _)| essence.eq_ignore_ascii_case(name))
        .map(|(_, framing)| framing)
    }
}

/// What becomes of an event that the end of the stream cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Eof {
    /// It is dropped, as HTML section 9.2.6 demands.
    #[default]
    Discard,
    /// It is delivered as if its blank line had come: some servers forget the last one. A binary frame
    /// that is cut never is.
    Flush,
}

/// Why an event could not be delivered. The stream goes on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The event is larger than the limit. Its remaining bytes are discarded up to its end, the
    /// `id` and `retry` fields among them still count.
    EventTooLarge {
        /// Where the event begins, in bytes from the start of the stream.
        offset: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// Memory for the event could not be had. It is discarded like one that is too large. Where a
    /// binary frame's lengths were cut by a chunk's end and found no memory, so is the rest of the
    /// stream.
    OutOfMemory {
        /// Where the event begins, in bytes from the start of the stream.
        offset: u64,
    },
    /// A binary frame is not what its checksums or lengths say. Behind [`BadFrame::Prelude`] and
    /// [`BadFrame::Length`] nothing more can be read, since nobody knows where the next frame
    /// begins; the others cost only the frame.
    BadFrame {
        /// Where the frame begins, in bytes from the start of the stream.
        offset: u64,
        /// What is wrong with it.
        what: BadFrame,
    },
}

/// What is wrong with a binary frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadFrame {
    /// The checksum of the lengths does not match.
    Prelude,
    /// The lengths contradict each other.
    Length,
    /// The checksum of the frame does not match.
    Checksum,
    /// The headers do not fill the place that they are given.
    Headers,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::EventTooLarge { offset, limit } => {
                write!(
                    f,
                    "the event at byte {offset} is larger than the limit of {limit} bytes"
                )
            }
            Error::OutOfMemory { offset } => {
                write!(f, "no memory for the event at byte {offset}")
            }
            Error::BadFrame { offset, what } => {
                let what = match what {
                    BadFrame::Prelude => "its prelude's checksum does not match",
                    BadFrame::Length => "its lengths contradict each other",
                    BadFrame::Checksum => "its checksum does not match",
                    BadFrame::Headers => "its headers are cut or overlong",
                };
                write!(f, "the frame at byte {offset} is damaged: {what}")
            }
        }
    }
}

impl Error {
    /// Where the event begins, in bytes from the start of the stream.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Error::EventTooLarge { offset, .. }
            | Error::OutOfMemory { offset }
            | Error::BadFrame { offset, .. } => *offset,
        }
    }
}

impl core::error::Error for Error {}

/// A piece of a block or of the carry.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    #[inline]
    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    fn shifted(self, by: usize) -> Span {
        Span {
            start: self.start + by,
            end: self.end + by,
        }
    }
}
