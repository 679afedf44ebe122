//! AWS's binary event stream, `application/vnd.amazon.eventstream`, as Bedrock sends.
//!
//! All numbers are big-endian. A frame is: u32 length of the whole, u32 length of the headers, u32
//! CRC-32 of those eight bytes; the headers; the payload; u32 CRC-32 of all before it. A header is:
//! u8 length of the name, the name, u8 type, the value, whose length the type gives.
//!
//! The frame's `:event-type` is the event, its payload the data. A frame whose `:message-type` is
//! `exception` or `error` is an [`Exception`].
//!
//! Invariant: the carry holds the unfinished frame and nothing else.

use super::{
    BadFrame, Carry, Eof, Error, Event, Exception, Fixed, Item, MAX_EVENT_BYTES, Span, Value,
};

/// The lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
/// What a frame has beside headers and payload.
const OVERHEAD_BYTES: usize = 16;

/// An incremental parser of one stream of frames.
///
/// ```
/// use deltawire::frame::{Item, eventstream};
///
/// let frame = b"\x00\x00\x00<\x00\x00\x00*\xdaHC8\
///     \x0d:message-type\x07\x00\x05event\
///     \x0b:event-type\x07\x00\x05chunk\
///     {}\xc8d\xb7P";
/// let mut memory = [0; 128];
/// let mut parser = eventstream::Parser::in_memory(&mut memory);
/// let (head, mut input) = frame.split_at(30);
/// assert_eq!(parser.next(&mut &*head)?, None);
/// let Some(Item::Event(event)) = parser.next(&mut input)? else { unreachable!() };
/// assert_eq!(event.event, "chunk");
/// assert_eq!(event.data, "{}");
/// # Ok::<(), deltawire::frame::Error>(())
/// ```
#[derive(Debug)]
pub struct Parser<C> {
    carry: C,
    max_event_bytes: usize,
    /// Stream position of the first byte not yet consumed.
    offset: u64,
    frame_offset: u64,
    /// How many bytes of a frame over the limit are still to come.
    skip: u64,
    /// A frame without a known end has made the rest unreadable.
    is_lost: bool,
    /// The carry's frame was handed out and is dropped at the next call.
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
    /// A parser that keeps what a chunk's end cuts off in `memory` and never allocates. A frame must
    /// fit in `memory`.
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
            frame_offset: 0,
            skip: 0,
            is_lost: false,
            delivered: false,
        }
    }

    /// Sets the largest frame that is accepted, in bytes. A larger one is an
    /// [`Error::EventTooLarge`] and skipped.
    pub fn set_max_event_bytes(&mut self, max: usize) {
        self.max_event_bytes = max;
    }

    /// The largest frame that is accepted, in bytes.
    #[must_use]
    pub fn max_event_bytes(&self) -> usize {
        self.max_event_bytes
    }

    /// How many bytes of the stream were consumed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the bytes so far end inside a frame, or behind one that made the rest unreadable.
    #[must_use]
    pub fn is_mid_event(&self) -> bool {
        self.is_lost || self.skip > 0 || (!self.delivered && !self.carry.bytes().is_empty())
    }

    /// Starts a new stream; memory is kept.
    pub fn reset(&mut self) {
        self.carry.truncate(0);
        self.offset = 0;
        self.skip = 0;
        self.is_lost = false;
        self.delivered = false;
    }

    /// The next item, and `input` moved past the bytes used for it. `None`: `input` is used up and
    /// more is needed.
    ///
    /// The item lives until the next call on the parser.
    ///
    /// # Errors
    ///
    /// [`Error`] for a frame that cannot be delivered. Go on calling: the frames behind it come,
    /// unless the error says that there is no telling where they begin.
    pub fn next<'p, 'i: 'p>(&'p mut self, input: &mut &'i [u8]) -> Result<Option<Item<'p>>, Error> {
        self.settle();
        if self.is_lost {
            self.consume(input, input.len());
            return Ok(None);
        }
        if self.skip > 0 {
            let len = usize::try_from(self.skip)
                .unwrap_or(usize::MAX)
                .min(input.len());
            self.skip -= len as u64;
            self.consume(input, len);
        }
        if input.is_empty() {
            return Ok(None);
        }
        if self.carry.bytes().is_empty() {
            self.frame_offset = self.offset;
        }
        // The prelude says how long the frame is; until it is here nothing else matters.
        let kept = self.carry.kept();
        if kept > 0 && kept < PRELUDE_BYTES {
            let len = (PRELUDE_BYTES - kept).min(input.len());
            if !self.keep(input, len) {
                return Err(self.lost());
            }
        }
        let chunk: &'i [u8] = input;
        let is_carried = !self.carry.bytes().is_empty();
        let start = if is_carried {
            self.carry.bytes()
        } else {
            chunk
        };
        let Some(prelude) = start.first_chunk::<PRELUDE_BYTES>() else {
            if !is_carried && !self.keep(input, chunk.len()) {
                return Err(self.lost());
            }
            return Ok(None);
        };
        let lengths = match Lengths::read(prelude) {
            Ok(lengths) => lengths,
            Err(what) => {
                self.is_lost = true;
                self.carry.truncate(0);
                return Err(Error::BadFrame {
                    offset: self.frame_offset,
                    what,
                });
            }
        };
        let max = self.max_event_bytes.min(self.carry.limit());
        if lengths.total > max {
            self.skip = (lengths.total - self.carry.kept()) as u64;
            self.carry.truncate(0);
            return Err(Error::EventTooLarge {
                offset: self.frame_offset,
                limit: max,
            });
        }
        let frame = if is_carried {
            let missing = lengths.total - self.carry.kept();
            if !self.keep(input, missing.min(input.len())) {
                return Err(self.over_memory(lengths));
            }
            if self.carry.kept() < lengths.total {
                return Ok(None);
            }
            self.delivered = true;
            self.carry.bytes()
        } else {
            let Some((frame, rest)) = chunk.split_at_checked(lengths.total) else {
                if !self.keep(input, chunk.len()) {
                    return Err(self.over_memory(lengths));
                }
                return Ok(None);
            };
            *input = rest;
            self.offset += frame.len() as u64;
            frame
        };
        item(frame, lengths, self.frame_offset).map(Some)
    }

    /// Ends the stream. A frame that was cut is dropped: half a frame has no checksum.
    ///
    /// # Errors
    ///
    /// None so far; the type is that of every framing.
    pub fn finish(&mut self, _eof: Eof) -> Result<Option<Item<'_>>, Error> {
        self.settle();
        self.carry.truncate(0);
        self.skip = 0;
        Ok(None)
    }

    fn settle(&mut self) {
        if self.delivered {
            self.delivered = false;
            self.carry.truncate(0);
        }
    }

    /// Moves bytes from the input to the carry. Returns false, and moves none, where there is no
    /// memory.
    fn keep(&mut self, input: &mut &[u8], len: usize) -> bool {
        let is_kept = self.carry.push(input.get(..len).unwrap_or_default());
        if is_kept {
            self.consume(input, len);
        }
        is_kept
    }

    /// There is no memory for the frame, which is skipped.
    #[cold]
    fn over_memory(&mut self, lengths: Lengths) -> Error {
        self.skip = (lengths.total - self.carry.kept()) as u64;
        self.carry.truncate(0);
        Error::OutOfMemory {
            offset: self.frame_offset,
        }
    }

    /// There is no memory even for the frame's lengths, so nobody knows where the next one begins.
    #[cold]
    fn lost(&mut self) -> Error {
        self.is_lost = true;
        self.carry.truncate(0);
        Error::OutOfMemory {
            offset: self.frame_offset,
        }
    }

    fn consume(&mut self, input: &mut &[u8], len: usize) {
        *input = input.get(len..).unwrap_or_default();
        self.offset += len as u64;
    }
}

/// What a frame's prelude says.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    total: usize,
    headers: usize,
}

impl Lengths {
    fn read(prelude: &[u8; PRELUDE_BYTES]) -> Result<Lengths, BadFrame> {
        let [t0, t1, t2, t3, h0, h1, h2, h3, c0, c1, c2, c3] = *prelude;
        let lengths = [t0, t1, t2, t3, h0, h1, h2, h3];
        if crc32fast::hash(&lengths) != u32::from_be_bytes([c0, c1, c2, c3]) {
            return Err(BadFrame::Prelude);
        }
        let len = |bytes| usize::try_from(u32::from_be_bytes(bytes)).map_err(|_| BadFrame::Length);
        let (total, headers) = (len([t0, t1, t2, t3])?, len([h0, h1, h2, h3])?);
        if total < OVERHEAD_BYTES || headers > total - OVERHEAD_BYTES {
            return Err(BadFrame::Length);
        }
        Ok(Lengths { total, headers })
    }
}

/// Reads a whole frame.
fn item(frame: &[u8], lengths: Lengths, offset: u64) -> Result<Item<'_>, Error> {
    let bad = |what| Error::BadFrame { offset, what };
    let Some((body, sum)) = frame.split_last_chunk::<4>() else {
        return Err(bad(BadFrame::Length));
    };
    if crc32fast::hash(body) != u32::from_be_bytes(*sum) {
        return Err(bad(BadFrame::Checksum));
    }
    let headers = Span {
        start: PRELUDE_BYTES,
        end: PRELUDE_BYTES + lengths.headers,
    };
    let payload = Span {
        start: headers.end,
        end: body.len(),
    }
    .of(body);
    let headers = Headers::read(headers.of(body)).ok_or(bad(BadFrame::Headers))?;
    let data = Value::new(payload);
    let exception = |name, data| {
        Item::Exception(Exception {
            name,
            data,
            raw: frame,
            offset,
        })
    };
    Ok(match headers.message_type.as_bytes() {
        b"exception" => exception(headers.exception_type, data),
        b"error" => exception(headers.error_code, headers.error_message),
        _ => Item::Event(Event {
            event: headers.event_type,
            data,
            id: Value::default(),
            raw: frame,
            offset,
        }),
    })
}

/// The headers that say what a frame is; all others are skipped.
#[derive(Debug, Default)]
struct Headers<'a> {
    message_type: Value<'a>,
    event_type: Value<'a>,
    exception_type: Value<'a>,
    error_code: Value<'a>,
    error_message: Value<'a>,
}

impl<'a> Headers<'a> {
    /// Reads the headers; `None` where they do not end with their bytes.
    fn read(mut bytes: &'a [u8]) -> Option<Headers<'a>> {
        let mut headers = Headers::default();
        while let Some((&name_len, rest)) = bytes.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(name_len))?;
            let (&kind, rest) = rest.split_first()?;
            let (len, rest) = match kind {
                // Boolean true and false, i8, i16, i32, i64, timestamp, UUID; bytes and string.
                0 | 1 => (0, rest),
                2 => (1, rest),
                3 => (2, rest),
                4 => (4, rest),
                5 | 8 => (8, rest),
                9 => (16, rest),
                6 | 7 => {
                    let (len, rest) = rest.split_first_chunk::<2>()?;
                    (usize::from(u16::from_be_bytes(*len)), rest)
                }
                _ => return None,
            };
            let (value, rest) = rest.split_at_checked(len)?;
            bytes = rest;
            let slot = match name {
                b":message-type" => &mut headers.message_type,
                b":event-type" => &mut headers.event_type,
                b":exception-type" => &mut headers.exception_type,
                b":error-code" => &mut headers.error_code,
                b":error-message" => &mut headers.error_message,
                _ => continue,
            };
            *slot = Value::new(value);
        }
        Some(headers)
    }
}
