//! The WHATWG event stream, HTML section 9.2.6 "Interpreting an event stream", to the letter.
//!
//! What is done beyond the standard's text, all of it without changing what is dispatched:
//!
//! - Comments, `retry` and unknown fields are items too, handed out in the order of their lines.
//! - An event may be limited in size ([`Parser::set_max_event_bytes`]).
//! - A line that ends in CR is complete at once; a LF that follows is part of the same line end.
//! - [`Eof::Flush`] delivers an event that lacks only its blank line.
//! - A reconnection time that does not fit in 64 bits is ignored.
//!
//! Invariants: the carry holds `[last event ID][the block's lines so far][the line so far]`; while a
//! block lies whole in the chunk the carry holds the last event ID alone, and nothing is copied. It is
//! one long file because all of it (the lines, the carry, the skipping of an event over the limit)
//! keeps these invariants together; what a single line says is in `line`.

mod line;

use memchr::memchr;

use self::line::{Block, Line, Name, find_line_end, may_count, millis};
use super::{
    Blank, Carry, Comment, Eof, Error, Event, Field, Fixed, Item, MAX_EVENT_BYTES, Retry, Span,
    Value,
};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An incremental parser of one event stream.
///
/// ```
/// use deltawire::frame::{Item, sse};
///
/// let mut memory = [0; 128];
/// let mut parser = sse::Parser::in_memory(&mut memory);
/// let mut input = &b"id: 7\nevent: note\ndata: a\ndata: b\n\nretry: 500\nid: 8\ndata: c\n"[..];
/// let Some(Item::Event(event)) = parser.next(&mut input)? else { unreachable!() };
/// assert_eq!(event.event, "note");
/// assert_eq!(event.data, "a\nb");
/// let Some(Item::Retry(retry)) = parser.next(&mut input)? else { unreachable!() };
/// assert_eq!(retry.millis, 500);
/// // The last event lacks its blank line: it is not dispatched, and its ID does not count.
/// assert_eq!(parser.next(&mut input)?, None);
/// assert_eq!(parser.last_event_id(), "7");
/// # Ok::<(), deltawire::frame::Error>(())
/// ```
#[derive(Debug)]
pub struct Parser<C> {
    carry: C,
    max_event_bytes: usize,
    /// Stream position of the first byte not yet consumed.
    offset: u64,
    /// How much of a byte order mark has been seen; `BOM.len()` once the question is settled.
    bom: usize,
    /// The last line end was a CR at the end of a chunk, so a LF may belong to it.
    skip_lf: bool,
    /// That LF is part of a line of the block, so it is kept with it.
    keep_lf: bool,
    /// The last event ID is `carry[..id_len]`.
    id_len: usize,
    /// Where the unfinished line begins in the carry. Equal to the carry's length between lines.
    line_start: usize,
    line_offset: u64,
    block: Block,
    block_offset: u64,
    /// Set while the rest of an event that broke the limit is skipped.
    discard: Option<Discard>,
    /// What to drop from the carry when the item that borrows it is given back.
    settle: Option<Settle>,
}

/// The state of skipping an event: its `id` and `retry` lines still count.
#[derive(Debug, Clone, Copy, Default)]
struct Discard {
    /// Length of the event's own ID, which lies in the carry behind the last event ID.
    id_len: Option<usize>,
    /// The unfinished line is neither `id` nor `retry` and is not kept.
    skip_line: bool,
}

#[derive(Debug, Clone, Copy)]
enum Settle {
    /// Keep this much of the carry.
    Truncate(usize),
    /// The block is over, and this piece of the carry is the last event ID from now on.
    Id(Span),
}

/// An item found, as positions. It becomes an [`Item`] once nothing is going to move any more.
struct Found {
    what: What,
    in_carry: bool,
    /// Where in the chunk or the carry the other spans count from.
    base: usize,
    len: usize,
    offset: u64,
}

enum What {
    Event {
        event: Span,
        data: Span,
    },
    /// An event whose data was joined from several lines, behind all else in the carry.
    Joined {
        event: Span,
        data: Span,
    },
    Comment {
        text: Span,
    },
    Retry {
        millis: u64,
    },
    Field {
        name: Span,
        value: Span,
    },
    Blank {
        event: Span,
    },
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
    /// A parser that keeps what a chunk's end cuts off in `memory` and never allocates. The length
    /// of `memory` limits the size of an event, see [`Fixed`].
    pub fn in_memory(memory: &'m mut [u8]) -> Self {
        Self::with_carry(Fixed::new(memory))
    }
}

/// An event of one `data` line.
#[inline]
fn message<'p>(data: &'p [u8], id: &'p [u8], raw: &'p [u8], offset: u64) -> Item<'p> {
    Item::Event(Event {
        event: Value::new(b"message"),
        data: Value::new(data),
        id: Value::new(id),
        raw,
        offset,
    })
}

impl<C: Carry> Parser<C> {
    /// A parser with this carry, which is emptied.
    pub fn with_carry(mut carry: C) -> Self {
        carry.truncate(0);
        Parser {
            carry,
            max_event_bytes: MAX_EVENT_BYTES,
            offset: 0,
            bom: 0,
            skip_lf: false,
            keep_lf: false,
            id_len: 0,
            line_start: 0,
            line_offset: 0,
            block: Block::default(),
            block_offset: 0,
            discard: None,
            settle: None,
        }
    }

    /// Sets the largest event that is accepted, in bytes: those of its lines without the end of the
    /// last one. A larger one is an [`Error::EventTooLarge`].
    pub fn set_max_event_bytes(&mut self, max: usize) {
        self.max_event_bytes = max;
    }

    /// The largest event that is accepted, in bytes.
    #[must_use]
    pub fn max_event_bytes(&self) -> usize {
        self.max_event_bytes
    }

    /// Seeds the last event ID, as after a reconnect in another process.
    ///
    /// Returns false and changes nothing where `id` has a NUL, CR or LF, which no stream could have
    /// set, where it does not fit in the carry, or in the middle of an event. Returns false where there
    /// is no memory for it; the ID is empty then.
    #[must_use = "false means that the ID was not taken"]
    pub fn set_last_event_id(&mut self, id: &[u8]) -> bool {
        self.settle();
        let is_foreign = memchr::memchr3(0, b'\r', b'\n', id).is_some();
        if is_foreign || self.is_mid_event() || id.len() > self.carry.limit() {
            return false;
        }
        self.carry.truncate(0);
        let taken = self.carry.push(id);
        self.id_len = if taken { id.len() } else { 0 };
        self.line_start = self.id_len;
        taken
    }

    /// The last event ID, as a reconnecting client sends it; empty where none was set.
    #[must_use]
    pub fn last_event_id(&self) -> Value<'_> {
        Value::new(self.id_span().of(self.carry.bytes()))
    }

    /// How many bytes of the stream were consumed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the bytes so far end inside an event: lines without their blank line, or part of a
    /// line.
    #[must_use]
    pub fn is_mid_event(&self) -> bool {
        let settled = match self.settle {
            None => self.carry.kept() > self.id_len,
            Some(Settle::Truncate(len)) => len > self.id_len,
            Some(Settle::Id(_)) => false,
        };
        settled || self.discard.is_some() || (self.bom > 0 && self.bom < BOM.len())
    }

    /// Nothing is pending: the next byte begins a block.
    #[cfg(feature = "delta")]
    #[inline]
    pub(crate) fn is_between_events(&mut self) -> bool {
        self.settle();
        self.is_plain() && self.carry.kept() == self.id_len
    }

    /// Moves past an event that was read without the parser.
    #[cfg(feature = "delta")]
    #[inline]
    pub(crate) fn skip_event(&mut self, input: &mut &[u8], len: usize) {
        self.consume(input, len);
    }

    /// Starts a new stream with nothing known; memory is kept.
    pub fn reset(&mut self) {
        self.id_len = 0;
        self.settle = None;
        self.carry.truncate(0);
        self.reconnect();
    }

    /// Starts a new stream that goes on with the last event ID of the one before. An unfinished
    /// event is dropped, and the new stream may begin with a byte order mark again.
    pub fn reconnect(&mut self) {
        self.settle();
        self.carry.truncate(self.id_len);
        self.line_start = self.id_len;
        self.block = Block::default();
        self.discard = None;
        self.skip_lf = false;
        self.bom = 0;
        self.offset = 0;
    }

    /// The next item, and `input` moved past the bytes used for it. `None`: `input` is used up and
    /// more is needed.
    ///
    /// The item lives until the next call on the parser.
    ///
    /// # Errors
    ///
    /// [`Error`] for an event that cannot be delivered. Go on calling: the events behind it come.
    #[inline]
    pub fn next<'p, 'i: 'p>(&'p mut self, input: &mut &'i [u8]) -> Result<Option<Item<'p>>, Error> {
        if self.settle.is_some() {
            self.settle();
        }
        let chunk: &'i [u8] = input;
        if chunk.is_empty() {
            return Ok(None);
        }
        let mut line_end = None;
        // An event of one `data` line, whole in the chunk as nearly all are or begun in an earlier
        // one, and a chunk that has no line end. All else, and these too, is what `scan` does; the
        // two agree by test.
        if self.is_plain() {
            let kept = self.carry.kept() - self.id_len;
            let found = find_line_end(chunk);
            let end = found.unwrap_or(chunk.len());
            line_end = Some(end);
            let fits = self.fits(kept + end);
            if found.is_none() {
                if fits && self.keep(chunk) {
                    *input = &[];
                    return Ok(None);
                }
            } else if fits
                && let Some((line, rest)) = chunk.split_at_checked(end)
                && let Some(rest) = rest.strip_prefix(b"\n\n")
                && let Some(last) = chunk.get(..end + 2)
            {
                if kept == 0 {
                    if let Some(data) = line::data(line) {
                        let offset = self.offset;
                        self.offset += last.len() as u64;
                        *input = rest;
                        let id = self.carry.bytes().get(..self.id_len).unwrap_or_default();
                        return Ok(Some(message(data, id, last, offset)));
                    }
                } else if self.is_cut_data() && self.carry.push(last) {
                    self.offset += last.len() as u64;
                    *input = rest;
                    self.settle = Some(Settle::Truncate(self.id_len));
                    let (id, raw) = self
                        .carry
                        .bytes()
                        .split_at_checked(self.id_len)
                        .unwrap_or_default();
                    let data = raw.get(b"data:".len()..raw.len() - 2).unwrap_or_default();
                    let data = line::value(data);
                    return Ok(Some(message(data, id, raw, self.line_offset)));
                }
            }
        }
        match self.scan(input, line_end)? {
            Some(found) => Ok(Some(self.item(&found, chunk))),
            None => Ok(None),
        }
    }

    /// Ends the stream: the items of what it left unfinished, one a call, then `None`. With
    /// [`Eof::Discard`] there are none.
    ///
    /// Call [`reset`](Self::reset) or [`reconnect`](Self::reconnect) before the next stream.
    ///
    /// # Errors
    ///
    /// [`Error`] for an event whose joined data finds no room.
    pub fn finish(&mut self, eof: Eof) -> Result<Option<Item<'_>>, Error> {
        self.settle();
        if eof == Eof::Discard || self.discard.is_some() {
            self.reconnect_at_end();
            return Ok(None);
        }
        if self.bom > 0 && self.bom < BOM.len() {
            let len = core::mem::replace(&mut self.bom, BOM.len());
            self.line_offset = self.offset - len as u64;
            self.push_bom(len)?;
        }
        let found = if self.carry.kept() > self.line_start {
            self.carried_line(self.carry.kept())
        } else {
            None
        };
        let found = match found {
            Some(found) => found,
            None if self.block.has_lines => self.dispatch(None)?,
            None => {
                self.reconnect_at_end();
                return Ok(None);
            }
        };
        Ok(Some(self.item(&found, &[])))
    }

    /// Drops what is unfinished; the stream's position stays for whoever asks.
    fn reconnect_at_end(&mut self) {
        let offset = self.offset;
        self.reconnect();
        self.offset = offset;
    }

    /// The next byte begins a block or goes on with a line, and no special case is pending.
    #[inline]
    fn is_plain(&self) -> bool {
        let len = self.carry.kept();
        self.bom == BOM.len()
            && !self.skip_lf
            && self.discard.is_none()
            && (len == self.id_len || len > self.line_start)
    }

    /// The line that is begun in the carry is a `data` line and its block's first.
    #[inline]
    fn is_cut_data(&self) -> bool {
        let line = self.carry.bytes().get(self.id_len..).unwrap_or_default();
        !self.block.has_lines && line.starts_with(b"data:")
    }

    /// Takes in a chunk that has no line end, where the carry has room for it.
    #[inline]
    fn keep(&mut self, chunk: &[u8]) -> bool {
        let len = self.carry.kept();
        if !self.carry.push(chunk) {
            return false;
        }
        if len == self.id_len {
            self.line_start = len;
            self.line_offset = self.offset;
        }
        self.offset += chunk.len() as u64;
        true
    }

    /// Whether the lines of an event may grow so large.
    #[inline]
    fn fits(&self, size: usize) -> bool {
        size <= self.max_event_bytes && self.fits_carry(size)
    }

    /// Whether the carry has room for so much beside the last event ID. Four bytes are spared for
    /// the end of the last line and the blank line.
    #[inline]
    fn fits_carry(&self, size: usize) -> bool {
        size + self.id_len + 4 <= self.carry.limit()
    }

    fn id_span(&self) -> Span {
        match self.settle {
            Some(Settle::Id(id)) => id,
            _ => Span {
                start: 0,
                end: self.id_len,
            },
        }
    }

    fn settle(&mut self) {
        if let Some(settle) = self.settle.take() {
            self.settle_as(settle);
        }
    }

    fn settle_as(&mut self, settle: Settle) {
        match settle {
            Settle::Truncate(len) => self.carry.truncate(len),
            Settle::Id(id) => {
                self.carry.copy_down(id.start..id.end, 0);
                self.id_len = id.len();
                self.carry.truncate(self.id_len);
                self.line_start = self.id_len;
            }
        }
    }

    /// Moves past a byte order mark, which may come in pieces, and past a LF that belongs to a CR at
    /// the end of the chunk before. Returns how many bytes these were.
    fn skip_start(&mut self, chunk: &[u8]) -> Result<usize, Error> {
        let mut pos = 0;
        while self.bom < BOM.len() {
            let Some(byte) = chunk.get(pos) else {
                return Ok(pos);
            };
            if BOM.get(self.bom) == Some(byte) {
                self.bom += 1;
                pos += 1;
                continue;
            }
            // No byte order mark after all: what was taken for one begins the first line.
            let before = self.bom - pos;
            self.bom = BOM.len();
            if before > 0 {
                self.line_offset = self.offset - before as u64;
                self.push_bom(before)?;
            }
            return Ok(0);
        }
        if self.skip_lf && pos < chunk.len() {
            if chunk.get(pos) == Some(&b'\n') {
                if self.keep_lf && self.block.has_lines {
                    if !self.carry.push(b"\n") {
                        // The LF is skipped by the next call.
                        let offset = self.start_discard(&mut &[][..], 0, 0);
                        return Err(Error::OutOfMemory { offset });
                    }
                    self.line_start = self.carry.kept();
                }
                pos += 1;
            }
            self.skip_lf = false;
        }
        Ok(pos)
    }

    /// Begins the first line with what was taken for a byte order mark.
    #[cold]
    fn push_bom(&mut self, len: usize) -> Result<(), Error> {
        if self.fits(len) && self.carry.push(BOM.get(..len).unwrap_or_default()) {
            return Ok(());
        }
        self.discard = Some(Discard {
            id_len: None,
            skip_line: true,
        });
        Err(if !self.fits(len) {
            self.too_large(self.line_offset)
        } else {
            Error::OutOfMemory {
                offset: self.line_offset,
            }
        })
    }

    /// Reads lines until one makes an item or the chunk ends. `line_end` is the end of the first
    /// line where it was looked for already, the chunk's length where it is not in the chunk.
    fn scan(
        &mut self,
        input: &mut &[u8],
        mut line_end: Option<usize>,
    ) -> Result<Option<Found>, Error> {
        let chunk = *input;
        let mut pos = self.skip_start(chunk)?;
        // The block's lines from here on are not in the carry.
        let mut from = pos;
        loop {
            if self.discard.is_some() {
                let (found, end) = self.discard_lines(chunk, pos);
                if found.is_some() || end == chunk.len() {
                    self.consume(input, end);
                    return Ok(found);
                }
                pos = end;
                from = end;
            }
            let carried = self.carry.kept() > self.id_len;
            let partial = self.carry.kept() > self.line_start;
            if !partial {
                self.line_offset = self.offset + pos as u64;
            }
            let rest = chunk.get(pos..).unwrap_or_default();
            let end = line_end
                .take()
                .unwrap_or_else(|| pos + find_line_end(rest).unwrap_or(rest.len()));

            // The block's lines and this one so far, wherever the chunks end; a blank line is free.
            let size = self.carry.kept() - self.id_len + end - from;
            if !self.fits(size) && (partial || end > pos) {
                return Err(self.over_limit(input, from, pos));
            }
            if end == chunk.len() {
                let line_start = self.carry.kept() + (pos - from);
                if !self.carry.push(chunk.get(from..).unwrap_or_default()) {
                    return Err(self.over_memory(input, from, pos));
                }
                if !partial {
                    self.line_start = line_start;
                }
                self.consume(input, chunk.len());
                return Ok(None);
            }
            let next = self.line_end(chunk, end);

            if carried {
                let line_end = self.carry.kept() + (end - pos);
                if !self.carry.push(chunk.get(pos..next).unwrap_or_default()) {
                    return Err(self.over_memory(input, from, pos));
                }
                pos = next;
                from = next;
                if line_end == self.line_start {
                    self.consume(input, next);
                    return self.dispatch(None).map(Some);
                }
                if let Some(found) = self.carried_line(line_end) {
                    self.consume(input, next);
                    return Ok(Some(found));
                }
                continue;
            }

            let line = chunk.get(pos..end).unwrap_or_default();
            if !self.block.has_lines {
                self.block_offset = self.line_offset;
            }
            let what = match self.block.read(line, pos - from) {
                Line::Absorbed => {
                    pos = next;
                    continue;
                }
                Line::Blank => {
                    let block = chunk.get(from..next).unwrap_or_default();
                    let found = self.dispatch(Some((block, from)));
                    self.consume(input, next);
                    return found.map(Some);
                }
                Line::Comment { text } => What::Comment { text },
                Line::Retry { millis } => What::Retry { millis },
                Line::Unknown { name, value } => What::Field { name, value },
            };
            // The line stands inside a block, whose lines so far must outlive this call.
            if pos > from && !self.carry.push(chunk.get(from..pos).unwrap_or_default()) {
                return Err(self.over_memory(input, from, pos));
            }
            self.line_start = self.carry.kept();
            self.keep_lf = false;
            self.consume(input, next);
            return Ok(Some(Found {
                what,
                in_carry: false,
                base: pos,
                len: next - pos,
                offset: self.line_offset,
            }));
        }
    }

    fn consume(&mut self, input: &mut &[u8], len: usize) {
        *input = input.get(len..).unwrap_or_default();
        self.offset += len as u64;
    }

    /// Reads the line in the carry that ends at `line_end`, its line end behind it.
    fn carried_line(&mut self, line_end: usize) -> Option<Found> {
        if !self.block.has_lines {
            self.block_offset = self.line_offset;
        }
        let line_start = self.line_start;
        let line = Span {
            start: line_start,
            end: line_end,
        }
        .of(self.carry.bytes());
        let what = match self.block.read(line, line_start - self.id_len) {
            Line::Absorbed | Line::Blank => {
                self.line_start = self.carry.kept();
                return None;
            }
            Line::Comment { text } => What::Comment { text },
            Line::Retry { millis } => What::Retry { millis },
            Line::Unknown { name, value } => What::Field { name, value },
        };
        self.settle = Some(Settle::Truncate(line_start));
        self.keep_lf = false;
        Some(Found {
            what,
            in_carry: true,
            base: line_start,
            len: self.carry.kept() - line_start,
            offset: self.line_offset,
        })
    }

    /// Ends the block at its blank line ("dispatch the event"). It lies in the carry, or in `chunk`
    /// together with its place there.
    fn dispatch(&mut self, chunk: Option<(&[u8], usize)>) -> Result<Found, Error> {
        let block = core::mem::take(&mut self.block);
        let offset = if block.has_lines {
            self.block_offset
        } else {
            self.line_offset
        };
        let id_len = self.id_len;
        let (base, len) = match chunk {
            Some((lines, from)) => (from, lines.len()),
            None => (id_len, self.carry.kept() - id_len),
        };
        let found = |what| Found {
            what,
            in_carry: chunk.is_none(),
            base,
            len,
            offset,
        };

        // The ID counts from here on, whether or not there is data to dispatch.
        let mut settle = Settle::Truncate(id_len);
        self.line_start = id_len;
        if let Some(id) = block.id {
            let start = self.carry.kept();
            let id = match chunk {
                Some((lines, _)) if self.carry.push(id.of(lines)) => Span {
                    start,
                    end: start + id.len(),
                },
                Some(_) => {
                    self.settle = Some(settle);
                    return Err(Error::OutOfMemory { offset });
                }
                None => id.shifted(id_len),
            };
            settle = Settle::Id(id);
        }
        self.settle = Some(settle);
        match block.data_lines {
            0 => Ok(found(What::Blank { event: block.event })),
            1 => Ok(found(What::Event {
                event: block.event,
                data: block.data,
            })),
            _ => {
                let data = self.join_data(chunk.map(|(lines, _)| lines), &block, offset)?;
                Ok(found(What::Joined {
                    event: block.event,
                    data,
                }))
            }
        }
    }

    /// Joins the values of the block's `data` lines by LF, behind all else in the carry.
    fn join_data(
        &mut self,
        chunk: Option<&[u8]>,
        block: &Block,
        offset: u64,
    ) -> Result<Span, Error> {
        let in_carry = Span {
            start: self.id_len,
            end: self.id_len + block.end,
        };
        let start = self.carry.kept();
        let mut pos = 0;
        let mut joined = 0;
        while pos < block.end {
            let lines = match chunk {
                Some(lines) => lines.get(..block.end).unwrap_or_default(),
                None => in_carry.of(self.carry.bytes()),
            };
            let rest = lines.get(pos..).unwrap_or_default();
            let end = pos + find_line_end(rest).unwrap_or(rest.len());
            let (name, value) = Name::of(lines.get(pos..end).unwrap_or_default());
            let value = Span {
                start: pos + value,
                end,
            };
            pos = end + 1;
            if name != Name::Data {
                continue;
            }
            let is_first = value.start == block.data.start;
            joined += value.len() + usize::from(!is_first);
            // As if the block were in the carry, wherever it is: what fits in a `Fixed` carry must
            // not depend on where the chunks end.
            if !self.fits_carry(joined + block.end) {
                return Err(self.too_large(offset));
            }
            let taken = (is_first || self.carry.push(b"\n"))
                && match chunk {
                    Some(lines) => self.carry.push(value.of(lines)),
                    None => {
                        let value = value.shifted(self.id_len);
                        self.carry.push_within(value.start..value.end)
                    }
                };
            if !taken {
                return Err(Error::OutOfMemory { offset });
            }
        }
        Ok(Span {
            start,
            end: self.carry.kept(),
        })
    }

    /// Turns positions into what they point at.
    fn item<'p>(&'p self, found: &Found, chunk: &'p [u8]) -> Item<'p> {
        let carry = self.carry.bytes();
        let source = if found.in_carry { carry } else { chunk };
        let raw = Span {
            start: found.base,
            end: found.base + found.len,
        }
        .of(source);
        let value = |span: Span| Value::new(span.of(raw));
        let offset = found.offset;
        let event = |span: Span, data| {
            let event = value(span);
            let event = if event.is_empty() {
                Value::new(b"message")
            } else {
                event
            };
            Item::Event(Event {
                event,
                data,
                id: Value::new(self.id_span().of(carry)),
                raw,
                offset,
            })
        };
        match found.what {
            What::Event { event: name, data } => event(name, value(data)),
            What::Joined { event: name, data } => event(name, Value::new(data.of(carry))),
            What::Comment { text } => Item::Comment(Comment {
                text: value(text),
                raw,
                offset,
            }),
            What::Retry { millis } => Item::Retry(Retry {
                millis,
                raw,
                offset,
            }),
            What::Field { name, value: text } => Item::Field(Field {
                name: value(name),
                value: value(text),
                raw,
                offset,
            }),
            What::Blank { event } => Item::Blank(Blank {
                event: value(event),
                raw,
                offset,
            }),
        }
    }

    #[cold]
    fn too_large(&self, offset: u64) -> Error {
        Error::EventTooLarge {
            offset,
            limit: self.max_event_bytes.min(self.carry.limit()),
        }
    }

    /// Begins to skip the event: keeps its ID, and the unfinished line while it may still be an
    /// `id` or `retry`. The block's lines that are not in the carry begin at `from` in `input`, the
    /// line goes on at `pos`, and `input` is moved there.
    #[cold]
    fn start_discard(&mut self, input: &mut &[u8], from: usize, pos: usize) -> u64 {
        let block = core::mem::take(&mut self.block);
        let line = Span {
            start: self.line_start,
            end: self.carry.kept(),
        };
        let keep_line = may_count(line.of(self.carry.bytes()));

        let mut id_len = None;
        let mut end = self.id_len;
        if let Some(id) = block.id {
            let kept = if line.start > self.id_len {
                let id = id.shifted(self.id_len);
                self.carry.copy_down(id.start..id.end, end);
                true
            } else {
                // The block lies in the chunk, so there is no unfinished line in the carry either.
                self.carry
                    .push(id.of(input.get(from..).unwrap_or_default()))
            };
            if kept {
                id_len = Some(id.len());
                end += id.len();
            }
        }
        self.line_start = end;
        if keep_line {
            self.carry.copy_down(line.start..line.end, end);
            end += line.len();
        }
        self.carry.truncate(end);
        self.discard = Some(Discard {
            id_len,
            skip_line: line.len() > 0 && !keep_line,
        });
        self.consume(input, pos);
        if block.has_lines {
            self.block_offset
        } else {
            self.line_offset
        }
    }

    #[cold]
    fn over_limit(&mut self, input: &mut &[u8], from: usize, pos: usize) -> Error {
        let offset = self.start_discard(input, from, pos);
        self.too_large(offset)
    }

    #[cold]
    fn over_memory(&mut self, input: &mut &[u8], from: usize, pos: usize) -> Error {
        let offset = self.start_discard(input, from, pos);
        Error::OutOfMemory { offset }
    }

    /// Skips lines up to and including the event's blank line. Returns how far it came, and a
    /// `retry` if it met one.
    #[cold]
    fn discard_lines(&mut self, chunk: &[u8], mut pos: usize) -> (Option<Found>, usize) {
        while let Some(mut discard) = self.discard {
            let rest = chunk.get(pos..).unwrap_or_default();
            let partial = self.carry.kept() > self.line_start;
            if !partial && !discard.skip_line {
                self.line_offset = self.offset + pos as u64;
            }
            let end = find_line_end(rest);
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let kept = self.carry.kept() - self.id_len;
            let keep = !discard.skip_line
                && (partial || may_count(line))
                && self.fits(kept + line.len())
                && self.carry.push(line);
            let Some(end) = end else {
                let line = self
                    .carry
                    .bytes()
                    .get(self.line_start..)
                    .unwrap_or_default();
                if !line.is_empty() && !may_count(line) || !keep {
                    self.carry.truncate(self.line_start);
                    discard.skip_line |= !rest.is_empty() || partial;
                }
                self.discard = Some(discard);
                return (None, chunk.len());
            };
            let next = self.line_end(chunk, pos + end);
            let is_blank = line.is_empty() && !partial && !discard.skip_line;
            discard.skip_line = false;
            pos = next;
            if is_blank {
                let id = Span {
                    start: self.id_len,
                    end: self.line_start,
                };
                self.settle_as(match discard.id_len {
                    Some(_) => Settle::Id(id),
                    None => Settle::Truncate(self.id_len),
                });
                self.line_start = self.id_len;
                self.discard = None;
                break;
            }
            let line_start = self.line_start;
            let mut found = None;
            if keep {
                let line = self.carry.bytes().get(line_start..).unwrap_or_default();
                match Name::of(line) {
                    (Name::Id, value)
                        if memchr(0, line.get(value..).unwrap_or_default()).is_none() =>
                    {
                        let id = Span {
                            start: value,
                            end: line.len(),
                        }
                        .shifted(line_start);
                        self.carry.copy_down(id.start..id.end, self.id_len);
                        self.line_start = self.id_len + id.len();
                        discard.id_len = Some(id.len());
                    }
                    (Name::Retry, value) => {
                        found = millis(line.get(value..).unwrap_or_default()).map(|millis| Found {
                            what: What::Retry { millis },
                            in_carry: true,
                            base: line_start,
                            len: line.len(),
                            offset: self.line_offset,
                        });
                    }
                    _ => {}
                }
            }
            self.discard = Some(discard);
            if found.is_some() {
                self.settle = Some(Settle::Truncate(line_start));
                return (found, pos);
            }
            self.carry.truncate(self.line_start);
        }
        (None, pos)
    }

    /// Where the line end at `end` ends itself.
    #[inline]
    fn line_end(&mut self, chunk: &[u8], end: usize) -> usize {
        if chunk.get(end) == Some(&b'\r') {
            match chunk.get(end + 1) {
                Some(b'\n') => return end + 2,
                Some(_) => {}
                None => {
                    self.skip_lf = true;
                    self.keep_lf = true;
                }
            }
        }
        end + 1
    }
}
