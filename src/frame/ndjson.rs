//! Newline-delimited JSON: one event a line, as Ollama's native API sends.
//!
//! A line ends in LF; a CR before it belongs to the line end. A line of white space alone is a
//! [`Blank`], a byte order mark at the start is skipped. The last line may lack its LF: whether it
//! is delivered at the end is the caller's choice ([`Eof`]).
//!
//! Invariant: the carry holds the unfinished line and nothing else.

use memchr::memchr;

use super::{Blank, Carry, Eof, Error, Event, Fixed, Item, MAX_EVENT_BYTES, Value};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An incremental parser of one stream of lines.
///
/// ```
/// use deltawire::frame::{Eof, Item, ndjson};
///
/// let mut memory = [0; 64];
/// let mut parser = ndjson::Parser::in_memory(&mut memory);
/// let mut lines = 0;
/// for chunk in [&b"{\"n\":1}\r\n{\"n\""[..], b":2}\n{\"n\":3}"] {
///     let mut input = chunk;
///     while let Some(item) = parser.next(&mut input).transpose() {
///         lines += u32::from(matches!(item, Ok(Item::Event(_))));
///     }
/// }
/// assert_eq!(lines, 2);
/// let Some(Item::Event(last)) = parser.finish(Eof::Flush)? else { unreachable!() };
/// assert_eq!(last.data, "{\"n\":3}");
/// # Ok::<(), deltawire::frame::Error>(())
/// ```
#[derive(Debug)]
pub struct Parser<C> {
    carry: C,
    max_event_bytes: usize,
    /// Stream position of the first byte not yet consumed.
    offset: u64,
    line_offset: u64,
    /// The rest of a line that broke the limit is skipped.
    discarding: bool,
    /// The carry's line was handed out and is dropped at the next call.
    delivered: bool,
}

#[cfg(feature = "alloc")]
impl Parser<alloc::vec::Vec<u8>> {
    /// A parser that keeps what a chunk's end cuts off in a `Vec`.
    #[must_use]
    pub fn new() -> Self {
        Self::with_carry(alloc::vec::Vec::new())
    }
}

#[cfg(feature = "alloc")]
impl Default for Parser<alloc::vec::Vec<u8>> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'m> Parser<Fixed<'m>> {
    /// A parser that keeps what a chunk's end cuts off in `memory` and never allocates. A line with
    /// its line end must fit in `memory`.
    pub fn in_memory(memory: &'m mut [u8]) -> Self {
        Self::with_carry(Fixed::new(memory))
    }
}

impl<C: Carry> Parser<C> {
    /// A parser with this carry, which is emptied.
    pub fn with_carry(mut carry: C) -> Self {
        carry.truncate(0);
        Parser {
            carry,
            max_event_bytes: MAX_EVENT_BYTES,
            offset: 0,
            line_offset: 0,
            discarding: false,
            delivered: false,
        }
    }

    /// Sets the longest line that is accepted, in bytes, its LF apart. A longer one is an
    /// [`Error::EventTooLarge`].
    pub fn set_max_event_bytes(&mut self, max: usize) {
        self.max_event_bytes = max;
    }

    /// The longest line that is accepted, in bytes.
    #[must_use]
    pub fn max_event_bytes(&self) -> usize {
        self.max_event_bytes
    }

    /// How many bytes of the stream were consumed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes on in the middle of a stream of which another parser read the beginning.
    #[cfg(feature = "delta")]
    pub(crate) fn set_offset(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// Nothing is pending: the next byte begins a line.
    #[cfg(feature = "delta")]
    #[inline]
    pub(crate) fn is_between_events(&mut self) -> bool {
        self.settle();
        !self.discarding && self.carry.bytes().is_empty()
    }

    /// Moves past a line that was read without the parser.
    #[cfg(feature = "delta")]
    #[inline]
    pub(crate) fn skip_event(&mut self, input: &mut &[u8], len: usize) {
        self.consume(input, len);
    }

    /// Whether the bytes so far end inside a line.
    #[must_use]
    pub fn is_mid_event(&self) -> bool {
        self.discarding || (!self.delivered && !self.carry.bytes().is_empty())
    }

    /// Starts a new stream; memory is kept.
    pub fn reset(&mut self) {
        self.carry.truncate(0);
        self.offset = 0;
        self.discarding = false;
        self.delivered = false;
    }

    /// The next item, and `input` moved past the bytes used for it. `None`: `input` is used up and
    /// more is needed.
    ///
    /// The item lives until the next call on the parser.
    ///
    /// # Errors
    ///
    /// [`Error`] for a line that cannot be delivered. Go on calling: the lines behind it come.
    #[inline]
    pub fn next<'p, 'i: 'p>(&'p mut self, input: &mut &'i [u8]) -> Result<Option<Item<'p>>, Error> {
        self.settle();
        loop {
            let chunk: &'i [u8] = input;
            let is_fresh = self.carry.bytes().is_empty();
            if is_fresh && !self.discarding {
                self.line_offset = self.offset;
            }
            let end = memchr(b'\n', chunk);
            let line = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let used = chunk
                .get(..end.map_or(chunk.len(), |n| n + 1))
                .unwrap_or_default();
            if self.discarding {
                self.discarding = end.is_none();
                self.consume(input, used.len());
            } else if self.carry.kept() + line.len() > self.room() {
                // Nothing is consumed: what is left of the line is skipped by the next call.
                self.discarding = true;
                self.carry.truncate(0);
                return Err(Error::EventTooLarge {
                    offset: self.line_offset,
                    limit: self.max_event_bytes.min(self.carry.limit()),
                });
            } else if is_fresh && end.is_some() {
                self.consume(input, used.len());
                return Ok(Some(item(used, self.line_offset)));
            } else if !self.carry.push(used) {
                self.discarding = true;
                self.carry.truncate(0);
                return Err(Error::OutOfMemory {
                    offset: self.line_offset,
                });
            } else {
                self.consume(input, used.len());
                if end.is_some() {
                    self.delivered = true;
                    return Ok(Some(item(self.carry.bytes(), self.line_offset)));
                }
            }
            if end.is_none() {
                return Ok(None);
            }
        }
    }

    /// Ends the stream: the line that lacks its LF, then `None`. With [`Eof::Discard`] there is
    /// none. Call [`reset`](Self::reset) before the next stream.
    ///
    /// # Errors
    ///
    /// None so far; the type is that of every framing.
    pub fn finish(&mut self, eof: Eof) -> Result<Option<Item<'_>>, Error> {
        self.settle();
        self.discarding = false;
        if eof == Eof::Discard {
            self.carry.truncate(0);
        }
        if self.carry.bytes().is_empty() {
            return Ok(None);
        }
        self.delivered = true;
        Ok(Some(item(self.carry.bytes(), self.line_offset)))
    }

    fn settle(&mut self) {
        if self.delivered {
            self.delivered = false;
            self.carry.truncate(0);
        }
    }

    fn room(&self) -> usize {
        self.max_event_bytes
            .min(self.carry.limit().saturating_sub(1))
    }

    fn consume(&mut self, input: &mut &[u8], len: usize) {
        *input = input.get(len..).unwrap_or_default();
        self.offset += len as u64;
    }
}

/// The item of a line given with its line end.
fn item(raw: &[u8], offset: u64) -> Item<'_> {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = if offset == 0 {
        line.strip_prefix(BOM).unwrap_or(line)
    } else {
        line
    };
    if line.trim_ascii().is_empty() {
        return Item::Blank(Blank {
            event: Value::default(),
            raw,
            offset,
        });
    }
    Item::Event(Event {
        event: Value::new(b"message"),
        data: Value::new(line),
        id: Value::default(),
        raw,
        offset,
    })
}
