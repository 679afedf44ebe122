//! From the bytes of a provider's response to its deltas.
//!
//! A [`Decoder`] reads one response: framing, recognising the dialect, and what each event means. It
//! is pulled, chunk by chunk ([`Decoder::next`]); at the end of the body [`Decoder::finish`] gives what
//! only the end can show, and [`Decoder::end`] says whether all came.

mod events;
mod options;
mod parser;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use self::events::Events;
pub use self::options::{Fields, Options};
use self::parser::Parser;
use crate::delta::Delta;
use crate::dialect::lent::Lent;
use crate::dialect::progress::Version;
use crate::dialect::{Dialect, State};
use crate::frame::{self, Framing, Item};
use crate::memory::{self, Held};
use crate::template::Templates;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The dialect's own terminator came; or a finish reason for every choice, of a sender that is
    /// known to send no terminator.
    Complete,
    /// It did not: something is missing, or an error took its place.
    Truncated,
    /// No dialect was recognised; [`Decoder::seen`] has the beginning.
    Unrecognised,
}

/// Why an event, or a [whole response](crate::Message::from_response), could not be decoded. A stream
/// goes on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The event could not be framed.
    Frame(frame::Error),
    /// The payload is not JSON. It comes next, untouched, as [`Delta::Other`].
    NotJson {
        /// Where the event begins, in bytes from the start of the stream.
        offset: u64,
        /// How far into the payload it is JSON, in bytes.
        at: usize,
    },
    /// A whole response is JSON, but that of no known dialect.
    NotAResponse,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Frame(error) => error.fmt(f),
            Error::NotJson { offset, at } => write!(
                f,
                "the payload of the event at byte {offset} is not JSON (at its byte {at})"
            ),
            Error::NotAResponse => {
                f.write_str("the body is JSON but not the response of a known provider")
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Frame(error) => Some(error),
            Error::NotJson { .. } | Error::NotAResponse => None,
        }
    }
}

impl From<frame::Error> for Error {
    fn from(error: frame::Error) -> Self {
        Error::Frame(error)
    }
}

/// Decodes one response.
///
/// ```
/// use deltawire::{Decoder, Delta, End};
///
/// let body = br#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}
///
/// data: [DONE]
///
/// "#;
/// let mut decoder = Decoder::new();
/// let mut text = String::new();
/// let mut read = |delta: Delta<'_>| {
///     if let Delta::Text { text: piece, .. } = delta {
///         text.push_str(piece);
///     }
/// };
/// for chunk in body.chunks(7) {
///     let mut input = chunk;
///     while let Some(delta) = decoder.next(&mut input)? {
///         read(delta);
///     }
/// }
/// while let Some(delta) = decoder.finish()? {
///     read(delta);
/// }
/// assert_eq!(text, "Hi");
/// assert_eq!(decoder.end(), End::Complete);
/// # Ok::<(), deltawire::Error>(())
/// ```
pub struct Decoder {
    parser: Parser,
    templates: Templates,
    /// The first byte decides on the parser.
    is_undecided: bool,
    /// Parsers that were in use before, for their memory; one of a kind at most.
    spare: Vec<Parser>,
    events: Events,
    /// No delta waits, the next byte begins an event, and templates are worth an attempt.
    is_at_event: bool,
    options: Options,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("dialect", &self.dialect())
            .field("offset", &self.offset())
            .field("events", &self.events())
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder that recognises the dialect, with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(Options::default())
    }

    /// A decoder with these options.
    #[must_use]
    pub fn with_options(options: Options) -> Self {
        Self::try_with_options(options).unwrap_or_else(|| memory::give_up(size_of::<State>()))
    }

    /// The same; `None` where there is no memory for it.
    pub(crate) fn try_with_options(mut options: Options) -> Option<Self> {
        let state = match options.dialect {
            Some(dialect) => Some(Held::new(State::new(dialect)?)?),
            None => None,
        };
        let framing = options.framing.or(options.dialect.map(Dialect::framing));
        let parser = match framing {
            Some(framing) => Parser::new(framing, options.max_event_bytes),
            None => Parser::UNKNOWN,
        };
        let events = Events {
            state,
            spare: None,
            sink: Lent::new(),
            fields: core::mem::take(&mut options.fields),
            seen: Vec::new(),
            inner: Vec::new(),
            events: 0,
            comments: 0,
            is_ndjson: false,
            is_bedrock: framing == Some(Framing::EventStream),
            is_cut: false,
            finished: false,
            version: Version::default(),
        };
        let templates = Templates::new(options.templates);
        Some(Decoder {
            parser,
            templates,
            is_undecided: framing.is_none(),
            spare: Vec::new(),
            events,
            is_at_event: false,
            options,
        })
    }

    /// The next delta, and `input` moved past the bytes used so far. `None`: `input` is used up and
    /// more is needed.
    ///
    /// What the delta borrows lives until the next call on the decoder.
    ///
    /// # Errors
    ///
    /// [`Error`] for an event that cannot be decoded. Go on calling: what is behind it comes.
    /// An event for which there is no memory is such an error, and gives nothing. The JSON parser,
    /// simd-json, ends the process where it finds none for up to 2 MiB a thread, which it asks for when
    /// it first reads.
    ///
    /// ```
    /// use deltawire::{Decoder, Delta};
    ///
    /// let mut decoder = Decoder::new();
    /// let (mut text, mut errors) = (String::new(), 0);
    /// let chunks: [&[u8]; 3] = [
    ///     b"data: {\"choices\":[{\"index\":0,\"delta\":{\"con",
    ///     b"tent\":\"Hi\"}}]}\n\ndata: {\"cho\n",
    ///     b"\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"}}]}\n\n",
    /// ];
    /// for chunk in chunks {
    ///     let mut input = chunk;
    ///     loop {
    ///         match decoder.next(&mut input) {
    ///             Ok(Some(Delta::Text { text: piece, .. })) => text.push_str(piece),
    ///             Ok(Some(_)) => {}
    ///             Ok(None) => break, // the chunk is used up
    ///             Err(_) => errors += 1, // of one event
    ///         }
    ///     }
    /// }
    /// assert_eq!((text.as_str(), errors), ("Hi!", 1));
    /// ```
    pub fn next<'d, 'i: 'd>(
        &'d mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Delta<'d>>, Error> {
        if self.is_at_event {
            if input.is_empty() && !self.events.sink.is_held() {
                return Ok(None);
            }
            if let Some(delta) = self.hit(input) {
                return Ok(Some(delta));
            }
        }
        self.next_noted(input)
    }

    /// Whether all that is known was handed out: [`next`](Self::next) with an empty input would give
    /// `None`, and do nothing else.
    #[must_use]
    #[inline]
    pub fn is_drained(&self) -> bool {
        !self.events.sink.has_next() && !self.events.sink.is_held()
    }

    /// The only delta of an event that the expected template matches, read where it stands.
    #[inline]
    fn hit<'i>(&mut self, input: &mut &'i [u8]) -> Option<Delta<'i>> {
        let max = self.options.max_event_bytes;
        let known = self.events.known();
        let (len, delta) = self.templates.single(input, known, max)?;
        self.parser.skip_event(input, len);
        self.events.events += 1;
        Some(delta)
    }

    /// The next delta, by way of the sink.
    #[inline(never)]
    fn next_noted(&mut self, input: &mut &[u8]) -> Result<Option<Delta<'_>>, Error> {
        let is_ready = !input.is_empty() || self.events.sink.has_next();
        if is_ready && self.step(input)? {
            self.is_at_event = self.events.sink.is_last()
                && self.templates.is_ready()
                && self.parser.is_between_events();
            return Ok(self.events.sink.next());
        }
        self.events.sink.give_back();
        Ok(None)
    }

    /// Reads until a delta waits, for [`next`](Self::next) with an empty input to hand out; false
    /// where `input` is used up first. A caller that owns both the decoder and its input needs
    /// this: it cannot return what `next` borrows out of the loop that refills the input.
    #[cfg(feature = "client")]
    pub(crate) fn advance(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        self.step(input)
    }

    /// Reads until the sink has deltas; false where `input` is used up first.
    fn step(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        let max = self.options.max_event_bytes;
        while !self.events.sink.has_next() {
            let chunk = *input;
            if chunk.is_empty() {
                return Ok(false);
            }
            // Templates first. An event that a chunk's end cut is held against them below.
            let is_attempt = self.templates.is_ready() && self.parser.is_between_events();
            if is_attempt && let Some(len) = self.events.replay(&mut self.templates, chunk, max) {
                self.parser.skip_event(input, len);
                continue;
            }
            self.is_at_event = false;
            if self.is_undecided {
                let first = chunk.first().copied().unwrap_or_default();
                self.recognise_framing(first);
            }
            let item = match self.parser.next(input) {
                Ok(Some(item)) => item,
                Ok(None) => return Ok(false),
                Err(error) => {
                    self.events.is_cut |= matches!(error, frame::Error::BadFrame { .. });
                    return Err(error.into());
                }
            };
            if let Item::Event(event) = &item
                && self.templates.is_ready()
                && !(is_attempt && is_part_of(event.raw, chunk))
                && self
                    .events
                    .replay(&mut self.templates, event.raw, max)
                    .is_some()
            {
                continue;
            }
            let is_known = self.events.state.is_some();
            let before = self.events.version;
            self.events.item(&item)?;
            if let Item::Event(event) = &item {
                // One that changed what its like depends on is none that the next may repeat; nor is
                // one before which no dialect was known.
                let known = self.events.known();
                let is_repeatable = is_known && before == known.version;
                self.templates
                    .missed(event, &self.events.sink, known, is_repeatable);
            }
            if self.events.is_ndjson
                && let Some(frame::Parser::Sse(lines)) = self.parser.known()
            {
                // Only a line that is whole can show this, so nothing is left in the other parser.
                let offset = lines.offset();
                self.set_parser(Framing::Ndjson);
                if let Some(frame::Parser::Ndjson(parser)) = self.parser.known_mut() {
                    parser.set_offset(offset);
                }
            }
        }
        Ok(true)
    }

    #[cold]
    fn recognise_framing(&mut self, first: u8) {
        // The length of an AWS frame begins with a zero, and no text does.
        let framing = if first == 0 {
            Framing::EventStream
        } else {
            Framing::Sse
        };
        self.is_undecided = false;
        self.set_parser(framing);
        if framing == Framing::EventStream && self.events.state.is_none() {
            self.events.is_bedrock = true;
            let spare = &mut self.events.spare;
            self.events.state = State::begin(Dialect::Bedrock, spare);
        }
    }

    /// Goes over to a framing, and keeps the parser of the one before.
    fn set_parser(&mut self, framing: Framing) {
        if self.parser.framing() == Some(framing) {
            return;
        }
        let mut known = self.spare.iter();
        let known = known.position(|parser| parser.framing() == Some(framing));
        let mut parser = match known {
            Some(at) => self.spare.swap_remove(at),
            None => Parser::new(framing, self.options.max_event_bytes),
        };
        parser.reset();
        let before = core::mem::replace(&mut self.parser, parser);
        if before.framing().is_some() {
            // One that cannot be kept is made anew the next time.
            let _ = memory::push(&mut self.spare, before);
        }
    }

    /// Ends the stream: the deltas of what it left unfinished, one a call, then `None`. Then
    /// [`end`](Self::end) says how the stream ended.
    ///
    /// HTML section 9.2.6 drops an event without its blank line. Some servers forget that line, so here
    /// one whose payload is whole comes out at the end, unless [`Options::eof`] says otherwise.
    ///
    /// ```
    /// use deltawire::{Decoder, Delta, End};
    ///
    /// let mut decoder = Decoder::new();
    /// let mut input = &b"data: {\"choices\":[{\"index\":0,\"delta\":{}}]}\n\ndata: [DONE]"[..];
    /// while decoder.next(&mut input)?.is_some() {}
    /// assert_eq!(decoder.end(), End::Truncated);
    /// assert_eq!(decoder.finish()?, Some(Delta::Done));
    /// assert_eq!(decoder.finish()?, None);
    /// assert_eq!(decoder.end(), End::Complete);
    /// # Ok::<(), deltawire::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn finish(&mut self) -> Result<Option<Delta<'_>>, Error> {
        if self.advance_to_end()? {
            return Ok(self.events.sink.next());
        }
        self.events.sink.give_back();
        Ok(None)
    }

    /// [`advance`](Self::advance), for [`finish`](Self::finish).
    pub(crate) fn advance_to_end(&mut self) -> Result<bool, Error> {
        while !self.events.sink.has_next() {
            if self.events.finished {
                return Ok(false);
            }
            self.is_at_event = false;
            if let Some(frame::Parser::EventStream(parser)) = self.parser.known() {
                self.events.is_cut |= parser.is_mid_event();
            }
            let len = self.parser.offset();
            match self.parser.finish(self.options.eof)? {
                Some(item) => self.events.unfinished(&item)?,
                None => self.events.finish(len)?,
            }
        }
        Ok(true)
    }

    /// How the stream ended, or would have if it ended here. An event without its blank line does not
    /// count before [`finish`](Self::finish) has read it.
    #[must_use]
    pub fn end(&self) -> End {
        match &self.events.state {
            None => End::Unrecognised,
            Some(state) if state.progress().is_complete() && !self.events.is_cut => End::Complete,
            Some(_) => End::Truncated,
        }
    }

    /// The dialect, once it is known.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.events.dialect()
    }

    /// How many bytes of the stream were consumed, those of an unfinished event among them.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.parser.offset()
    }

    /// How many events were dispatched, those whose payload is not JSON among them.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.events
    }

    /// How many of the events were taken by templates, see [`Options::templates`].
    #[must_use]
    pub fn templated(&self) -> u64 {
        self.templates.taken()
    }

    /// How many comment lines came, as servers send to keep a connection alive.
    #[must_use]
    pub fn comments(&self) -> u64 {
        self.events.comments
    }

    /// The lines that are no part of an event stream, up to 64 KiB of them: what a server sent
    /// in place of a stream, such as a JSON error or a web page. Each ends with LF, however it came.
    #[must_use]
    pub fn seen(&self) -> &[u8] {
        &self.events.seen
    }

    /// Forgets the stream and begins another one with the same options; memory is kept.
    pub fn reset(&mut self) {
        self.parser.reset();
        self.templates.reset();
        self.is_at_event = false;
        if self.options.framing.is_none() && self.options.dialect.is_none() {
            self.is_undecided = true;
        }
        let events = &mut self.events;
        match (&mut events.state, self.options.dialect) {
            (Some(state), Some(_)) => state.reset(),
            (state, _) => events.spare = state.take().or(events.spare.take()),
        }
        events.see_version();
        events.is_ndjson = false;
        events.is_bedrock = self.options.framing == Some(Framing::EventStream);
        events.is_cut = false;
        events.sink.give_back();
        events.seen.clear();
        events.events = 0;
        events.comments = 0;
        events.finished = false;
    }
}

/// Whether a slice lies in another one.
fn is_part_of(part: &[u8], whole: &[u8]) -> bool {
    whole.as_ptr_range().contains(&part.as_ptr())
}

/// What a body that is no event stream seems to be, for a message to a person.
#[must_use]
pub fn describe_body(body: &[u8]) -> String {
    let start = body.trim_ascii_start();
    let lower: Vec<u8> = start.iter().take(512).map(u8::to_ascii_lowercase).collect();
    let what = if start.is_empty() {
        "an empty body"
    } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        "an HTML page"
    } else if lower.starts_with(b"<") {
        "a markup document"
    } else if start.starts_with(b"{") || start.starts_with(b"[") {
        "a JSON document"
    } else {
        "text"
    };
    let first = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let first = String::from_utf8_lossy(&first[..first.len().min(60)]);
    if start.is_empty() {
        what.to_string()
    } else {
        alloc::format!("{what}: {first:?}")
    }
}
