//! From the bytes of a provider's response to its deltas.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::delta::Delta;
use crate::dialect::error::report;
use crate::dialect::json::{NotJson, Reader};
use crate::dialect::sink::Sink;
use crate::dialect::{Dialect, State, recognise};
use crate::frame::{self, Eof, Event, Field, Item, MAX_EVENT_BYTES, sse};

/// How many bytes are kept of a body that is no event stream: enough for an error and its message.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What a decoder is told before it begins.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The dialect; `None` has it recognised by the first events.
    pub dialect: Option<Dialect>,
    /// The largest event that is accepted, in bytes.
    pub max_event_bytes: usize,
    /// What becomes of an event that lacks its blank line at the end. Flushing, the default,
    /// delivers it where its payload is whole, since some servers forget the last line end.
    pub eof: Eof,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            dialect: None,
            max_event_bytes: MAX_EVENT_BYTES,
            eof: Eof::Flush,
        }
    }
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The dialect's own terminator came, or all of a sender known to send none.
    Complete,
    /// It did not: something is missing.
    Truncated,
    /// No dialect was recognised; [`Decoder::seen`] has the beginning.
    Unrecognised,
}

/// Why an event could not be decoded. The stream goes on behind it.
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
            Error::NotAResponse => f.write_str("the body is JSON, but no response of a known kind"),
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
/// for chunk in body.chunks(7) {
///     let mut input = chunk;
///     while let Some(delta) = decoder.next(&mut input)? {
///         if let Delta::Text { text: piece, .. } = delta {
///             text.push_str(piece);
///         }
///     }
/// }
/// while let Some(_delta) = decoder.finish()? {}
/// assert_eq!(text, "Hi");
/// assert_eq!(decoder.end(), End::Complete);
/// # Ok::<(), deltawire::Error>(())
/// ```
pub struct Decoder {
    parser: sse::Parser<Vec<u8>>,
    events: Events,
    options: Options,
}

/// All of a decoder but its framing, whose items it reads.
struct Events {
    state: Option<State>,
    reader: Reader,
    sink: Sink,
    /// Lines that are no part of an event stream: perhaps an error, perhaps a web page.
    body: Vec<u8>,
    events: u64,
    comments: u64,
    finished: bool,
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
        let mut parser = sse::Parser::new();
        parser.set_max_event_bytes(options.max_event_bytes);
        let events = Events {
            state: options.dialect.map(State::new),
            reader: Reader::new(),
            sink: Sink::default(),
            body: Vec::new(),
            events: 0,
            comments: 0,
            finished: false,
        };
        Decoder {
            parser,
            events,
            options,
        }
    }

    /// The next delta, and `input` moved past the bytes used so far. `None`: `input` is used up and
    /// more is needed.
    ///
    /// What the delta borrows lives until the next call on the decoder.
    ///
    /// # Errors
    ///
    /// [`Error`] for an event that cannot be decoded. Go on calling: what is behind it comes.
    pub fn next<'d, 'i: 'd>(
        &'d mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Delta<'d>>, Error> {
        if self.advance(input)? {
            Ok(self.events.sink.next())
        } else {
            Ok(None)
        }
    }

    /// Reads until a delta waits; false where `input` is used up first. A caller that owns both the
    /// decoder and its input needs this: it cannot return what [`next`](Self::next) borrows out of
    /// the loop that refills the input.
    pub(crate) fn advance(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        while !self.events.sink.has_next() {
            match self.parser.next(input)? {
                Some(item) => self.events.item(&item)?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Ends the stream: the deltas of what it left unfinished, one a call, then `None`. Then
    /// [`end`](Self::end) says how the stream ended.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn finish(&mut self) -> Result<Option<Delta<'_>>, Error> {
        if self.advance_to_end()? {
            Ok(self.events.sink.next())
        } else {
            Ok(None)
        }
    }

    /// [`advance`](Self::advance), for [`finish`](Self::finish).
    pub(crate) fn advance_to_end(&mut self) -> Result<bool, Error> {
        while !self.events.sink.has_next() {
            if self.events.finished {
                return Ok(false);
            }
            match self.parser.finish(self.options.eof)? {
                Some(item) => self.events.unfinished(&item),
                None => self.events.finish(),
            }
        }
        Ok(true)
    }

    /// How the stream ended, or would have if it ended here.
    #[must_use]
    pub fn end(&self) -> End {
        match &self.events.state {
            Some(_) if self.parser.is_mid_event() => End::Truncated,
            Some(state) => state.end(),
            None => End::Unrecognised,
        }
    }

    /// The dialect, once it is known.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.events.state.as_ref().map(State::dialect)
    }

    /// How many bytes of the stream were consumed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.parser.offset()
    }

    /// How many events were dispatched.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.events
    }

    /// How many comments came.
    #[must_use]
    pub fn comments(&self) -> u64 {
        self.events.comments
    }

    /// The lines that are no part of an event stream, up to 64 KiB of them: what a server sent
    /// in place of a stream, such as a JSON error or a web page.
    #[must_use]
    pub fn seen(&self) -> &[u8] {
        &self.events.body
    }

    /// Forgets the stream and begins another one with the same options; memory is kept.
    pub fn reset(&mut self) {
        self.parser.reset();
        let events = &mut self.events;
        match (&mut events.state, self.options.dialect) {
            (Some(state), Some(_)) => state.reset(),
            (state, _) => *state = None,
        }
        events.sink.clear();
        events.body.clear();
        events.events = 0;
        events.comments = 0;
        events.finished = false;
    }
}

impl Events {
    /// Reads an item into the sink.
    fn item(&mut self, item: &Item<'_>) -> Result<(), Error> {
        self.sink.clear();
        match item {
            Item::Event(event) => {
                self.events += 1;
                let read = self.event(event);
                read.map_err(|error| {
                    self.sink.other(&event.event.to_string(), &event.data);
                    Error::NotJson {
                        offset: event.offset,
                        at: error.at,
                    }
                })
            }
            Item::Comment(_) => {
                self.comments += 1;
                Ok(())
            }
            Item::Field(field) => {
                self.field(field);
                Ok(())
            }
            Item::Retry(_) | Item::Blank(_) => Ok(()),
        }
    }

    /// Reads what the end of the stream left unfinished. An event whose payload is cut is none.
    fn unfinished(&mut self, item: &Item<'_>) {
        let events = self.events;
        if self.item(item).is_err() {
            self.events = events;
            self.sink.clear();
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), NotJson> {
        let payload = event.data.trim_ascii();
        if payload.is_empty() {
            return Ok(());
        }
        if payload == b"[DONE]" {
            match &mut self.state {
                Some(state) => state.done(&mut self.sink),
                None => self.sink.other("message", payload),
            }
            return Ok(());
        }
        let Events {
            state,
            reader,
            sink,
            ..
        } = self;
        reader.read(payload, |doc| {
            if state.is_none() {
                *state = recognise(&doc).map(State::new);
            }
            if state.as_mut().is_some_and(|state| state.event(&doc, sink)) {
                return;
            }
            if !report(&doc, *event.event == *b"error", sink) {
                let names = [doc.root.text_of("type"), doc.root.text_of("object")];
                match names.into_iter().find(|name| !name.is_empty()) {
                    Some(name) => sink.other(name, payload),
                    None => sink.other(&event.event.to_str(), payload),
                }
            }
        })
    }

    /// A line that an event stream ignores: llama.cpp reports errors so, and a body that is no
    /// stream at all is made of nothing else.
    fn field(&mut self, field: &Field<'_>) {
        if *field.name == *b"error" {
            let Events { reader, sink, .. } = self;
            let _ = reader.read(&field.value, |doc| report(&doc, true, sink));
        }
        let room = MAX_BODY_BYTES.saturating_sub(self.body.len());
        self.body
            .extend_from_slice(&field.raw[..field.raw.len().min(room)]);
    }

    /// Looks at what came beside the events, once there are no more.
    fn finish(&mut self) {
        self.sink.clear();
        self.finished = true;
        if self.body.is_empty() {
            return;
        }
        let Events {
            reader, sink, body, ..
        } = self;
        let _ = reader.read(body.trim_ascii(), |doc| report(&doc, false, sink));
    }
}

/// What a body that is no event stream seems to be, for a message to a person.
#[must_use]
pub fn describe_body(body: &[u8]) -> String {
    let start = body.trim_ascii_start();
    let lower: Vec<u8> = start.iter().take(512).map(u8::to_ascii_lowercase).collect();
    let what = if start.is_empty() {
        "nothing"
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
