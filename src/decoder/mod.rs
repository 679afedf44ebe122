//! From the bytes of a provider's response to its deltas.
//!
//! A [`Decoder`] reads one response: framing, recognising the dialect, and what each event means. It
//! is pulled, chunk by chunk ([`Decoder::next`]); at the end of the body [`Decoder::finish`] gives what
//! only the end can show, and [`Decoder::end`] says whether all came.

mod complete;
mod framing;
mod interpret;
mod options;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

pub(crate) use self::complete::read_complete_body;
#[cfg(feature = "client")]
pub(crate) use self::complete::read_error_body;
use self::framing::FrameParser;
use self::interpret::Interpreter;
pub use self::options::{DetailLevel, Fields, Options};
use crate::delta::Delta;
pub use crate::delta::Error;
use crate::dialect::Dialect;
use crate::frame::{Framing, Item};
use crate::template::{Attempt, Cache, Predicted};

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The dialect's own terminator came; or a finish reason for every choice, of a sender that is
    /// known to send no terminator.
    Complete,
    /// It did not: something is missing, or an error took its place.
    Truncated,
    /// No dialect was recognised; [`Decoder::unrecognised_body`] has the beginning.
    Unrecognised,
}

/// Decodes one response.
///
/// ```
/// use deltawire::{Decoder, Delta, End};
///
/// let body = br#"data: {"choices":[{"index":0,"delta":{"content":"H"}}]}
///
/// data: {oops
///
/// data: {"choices":[{"index":0,"delta":{"content":"i"},"finish_reason":"stop"}]}
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
///     while let Some(delta) = decoder.next(&mut input) {
///         read(delta);
///     }
/// }
/// while let Some(delta) = decoder.finish() {
///     read(delta);
/// }
/// assert_eq!(text, "Hi");
/// assert_eq!(decoder.end(), End::Complete);
/// ```
pub struct Decoder {
    parser: FrameParser,
    templates: Cache,
    interpreter: Interpreter,
    phase: Phase,
    options: Options,
}

/// Where in a stream a decoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first byte has not come. It decides on the framing, unless an option did.
    Start,
    /// Events are read in the ordinary way.
    Reading,
    /// No delta is queued, the next byte begins an event, and templates are worth an attempt.
    AtEvent,
    /// What the end of the stream left over was interpreted.
    Finished,
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
    pub fn with_options(mut options: Options) -> Self {
        let framing = options.framing.or(options.dialect.map(Dialect::framing));
        Decoder {
            parser: FrameParser::new(framing, options.max_event_bytes),
            templates: Cache::new(options.templates),
            interpreter: Interpreter::new(
                options.dialect,
                core::mem::take(&mut options.fields),
                options.details,
                options.max_event_bytes,
            ),
            phase: Phase::Start,
            options,
        }
    }

    /// Returns the next delta and moves `input` past the bytes used so far. Returns `None` if `input` is
    /// used up and more is needed.
    ///
    /// The strings of the delta live until the next call on the decoder. An event that cannot be decoded, or
    /// for which there is no memory, is a [`Delta::Invalid`], and the stream continues.
    ///
    /// ```
    /// use deltawire::{Decoder, Delta};
    ///
    /// let mut decoder = Decoder::new();
    /// let mut text = String::new();
    /// let chunks: [&[u8]; 3] = [
    ///     b"data: {\"choices\":[{\"index\":0,\"delta\":{\"con",
    ///     b"tent\":\"Hi\"}}]}\n\ndata: {oops\n",
    ///     b"\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"}}]}\n\n",
    /// ];
    /// for mut chunk in chunks {
    ///     while let Some(delta) = decoder.next(&mut chunk) {
    ///         match delta {
    ///             Delta::Text { text: piece, .. } => text.push_str(piece),
    ///             Delta::Invalid { error, .. } => eprintln!("skipped: {error}"),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// assert_eq!((text.as_str(), decoder.invalid()), ("Hi!", 1));
    /// ```
    pub fn next<'d, 'i: 'd>(&'d mut self, input: &mut &'i [u8]) -> Option<Delta<'d>> {
        let mut attempt = Attempt::Untried;
        if self.phase == Phase::AtEvent {
            if input.is_empty() {
                return None;
            }
            match self.predict(input) {
                Ok(Predicted::Piece {
                    kind,
                    choice,
                    part,
                    text,
                }) => return Some(kind.delta(choice, part, text)),
                Ok(Predicted::Other(delta)) => return Some(delta),
                Err(failed) => attempt = failed,
            }
        }
        self.next_queued(input, attempt)
    }

    /// Whether all known deltas were returned: [`next`](Self::next) with an empty input would return
    /// `None`.
    #[must_use]
    #[inline]
    pub fn is_drained(&self) -> bool {
        !self.interpreter.has_next()
    }

    /// Reads a chunk and calls `f` with each delta. If `f` returns [`ControlFlow::Break`], the rest of the
    /// chunk is not read, and the value is returned.
    ///
    /// ```
    /// use deltawire::{Decoder, Delta, End};
    ///
    /// let body = b"data: {oops\n\n\
    ///     data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";
    /// let mut text = String::new();
    /// let mut decoder = Decoder::new();
    /// for chunk in body.chunks(10) {
    ///     let _ = decoder.feed(chunk, |delta| {
    ///         if let Delta::Text { text: piece, .. } = delta {
    ///             text.push_str(piece);
    ///         }
    ///         std::ops::ControlFlow::<()>::Continue(())
    ///     });
    /// }
    /// assert_eq!(decoder.close(|_| {}), End::Complete);
    /// assert_eq!((text.as_str(), decoder.invalid()), ("Hi", 1));
    /// ```
    pub fn feed<B>(
        &mut self,
        chunk: &[u8],
        mut f: impl FnMut(Delta<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut input = chunk;
        while let Some(delta) = self.next(&mut input) {
            f(delta)?;
        }
        ControlFlow::Continue(())
    }

    /// Ends the stream, calls `f` with each delta that the end shows, and returns how the stream ended.
    pub fn close(&mut self, mut f: impl FnMut(Delta<'_>)) -> End {
        while let Some(delta) = self.finish() {
            f(delta);
        }
        self.end()
    }

    /// Returns the only delta of an event that the predicted template matches.
    #[inline]
    fn predict<'i>(&mut self, input: &mut &'i [u8]) -> Result<Predicted<'i>, Attempt> {
        let context = self.interpreter.context(self.parser.max_event_bytes());
        let (len, predicted) = self.templates.predict(input, context)?;
        self.parser.skip_event(input, len);
        self.interpreter.events += 1;
        Ok(predicted)
    }

    /// Returns the next delta by way of the queue.
    #[inline(never)]
    fn next_queued(&mut self, input: &mut &[u8], attempt: Attempt) -> Option<Delta<'_>> {
        if self.step(input, attempt) {
            let is_at_event = self.interpreter.is_last()
                && self.templates.is_ready()
                && self.parser.is_between_events();
            if self.phase != Phase::Finished {
                self.phase = if is_at_event {
                    Phase::AtEvent
                } else {
                    Phase::Reading
                };
            }
            return self.interpreter.next();
        }
        self.interpreter.rest();
        None
    }

    /// Reads until a delta is queued, for [`next`](Self::next) with an empty input to return. Returns
    /// false if `input` is used up first. For callers that own both the decoder and its input: they
    /// cannot return what `next` borrows out of the loop that refills the input.
    #[cfg(feature = "client")]
    pub(crate) fn advance(&mut self, input: &mut &[u8]) -> bool {
        let is_queued = self.step(input, Attempt::Untried);
        if is_queued && self.phase == Phase::AtEvent {
            self.phase = Phase::Reading;
        }
        is_queued
    }

    /// Reads until the queue has deltas. Returns false if `input` is used up first. `attempt` says what is
    /// known of the event at the start of `input`.
    fn step(&mut self, input: &mut &[u8], mut attempt: Attempt) -> bool {
        while !self.interpreter.has_next() {
            if self.interpreter.next_payload() {
                continue;
            }
            let chunk = *input;
            let Some(first) = chunk.first() else {
                return false;
            };
            // Templates first. An event that a chunk's end cuts is matched after its framing.
            let was_tried = self.templates.is_ready() && self.parser.is_between_events();
            if was_tried {
                let attempt = core::mem::replace(&mut attempt, Attempt::Untried);
                if let Some(len) = self.replay(chunk, attempt) {
                    self.parser.skip_event(input, len);
                    continue;
                }
            }
            if self.phase == Phase::Start {
                self.begin(*first);
            }
            self.phase = Phase::Reading;
            let item = match self.parser.next(input) {
                Ok(Some(item)) => item,
                Ok(None) => return false,
                Err(error) => {
                    self.interpreter.lose(error);
                    continue;
                }
            };
            let Item::Event(event) = &item else {
                if let Some(framing) = self.interpreter.item(&item) {
                    // Only a whole line shows this, so the old parser holds nothing back.
                    self.parser.switch_to(framing);
                }
                continue;
            };
            let limit = self.options.max_event_bytes;
            let is_cut = !was_tried && self.templates.is_ready();
            if is_cut
                && self
                    .interpreter
                    .replay(&mut self.templates, event.raw, Attempt::Untried, limit)
                    .is_some()
            {
                continue;
            }
            // An event is learnt only if it did not change the state on which the next ones depend.
            let is_known = self.interpreter.response.spec.is_some();
            let before = self.interpreter.version;
            self.interpreter.item(&item);
            let is_repeatable = is_known && before.is_same_reply(self.interpreter.version);
            self.interpreter
                .learn(&mut self.templates, event, is_repeatable);
        }
        true
    }

    /// Queues the deltas of the event at the start of `bytes` if a template matches it, and returns its
    /// length.
    fn replay(&mut self, bytes: &[u8], attempt: Attempt) -> Option<usize> {
        let limit = self.parser.max_event_bytes();
        self.interpreter
            .replay(&mut self.templates, bytes, attempt, limit)
    }

    /// Chooses the framing by the first byte of the stream.
    #[cold]
    fn begin(&mut self, first: u8) {
        if self.parser.framing().is_none() || self.is_framing_open() {
            // An AWS frame begins with the upper byte of its length, which is zero. Text never does.
            let framing = if first == 0 {
                Framing::EventStream
            } else {
                Framing::Sse
            };
            self.parser.switch_to(framing);
        }
        if self.parser.framing() == Some(Framing::EventStream) {
            self.interpreter.begin(Dialect::Bedrock.spec());
        }
    }

    /// Returns true if neither option fixes the framing.
    fn is_framing_open(&self) -> bool {
        self.options.framing.is_none() && self.options.dialect.is_none()
    }

    /// Ends the stream and returns the deltas that only the end shows, one a call, then `None`. After that
    /// [`end`](Self::end) says how the stream ended. A JSON body that came in place of a stream is read here.
    ///
    /// HTML section 9.2.6 drops an event without its blank line. Some servers forget that line, so here
    /// one whose payload is whole comes out at the end, unless [`Options::eof`] says otherwise.
    ///
    /// ```
    /// use deltawire::{Decoder, Delta, End};
    ///
    /// let mut decoder = Decoder::new();
    /// let mut input = &b"data: {\"choices\":[{\"index\":0,\"delta\":{}}]}\n\ndata: [DONE]"[..];
    /// # let mut malformed = &b"data: {oops\n\n"[..];
    /// # while decoder.next(&mut malformed).is_some() {}
    /// while decoder.next(&mut input).is_some() {}
    /// assert_eq!(decoder.end(), End::Truncated);
    /// assert_eq!(decoder.finish(), Some(Delta::Done));
    /// assert_eq!(decoder.finish(), None);
    /// assert_eq!(decoder.end(), End::Complete);
    /// ```
    pub fn finish(&mut self) -> Option<Delta<'_>> {
        if self.advance_to_end() {
            return self.interpreter.next();
        }
        self.interpreter.rest();
        None
    }

    /// Does for [`finish`](Self::finish) what [`advance`](Self::advance) does for `next`.
    pub(crate) fn advance_to_end(&mut self) -> bool {
        while !self.interpreter.has_next() {
            if self.interpreter.next_payload() {
                continue;
            }
            if self.phase == Phase::Finished {
                return false;
            }
            self.interpreter.response.progress.is_damaged |= self.parser.is_mid_frame();
            let len = self.parser.offset();
            match self.parser.finish(self.options.eof) {
                Ok(Some(item)) => self.interpreter.unfinished(&item),
                Ok(None) => {
                    self.phase = Phase::Finished;
                    self.interpreter.finish(len);
                }
                Err(error) => self.interpreter.lose(error),
            }
        }
        true
    }

    /// How the stream ended, or would have if it ended here. An event without its blank line does not
    /// count before [`finish`](Self::finish) has read it.
    #[must_use]
    pub fn end(&self) -> End {
        if self.interpreter.response.spec.is_none() {
            End::Unrecognised
        } else if self.interpreter.response.progress.is_complete() {
            End::Complete
        } else {
            End::Truncated
        }
    }

    /// The dialect, once it is known.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.interpreter.response.spec.map(|spec| spec.dialect)
    }

    /// How many bytes of the stream were consumed, those of an unfinished event among them.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.parser.offset()
    }

    /// How many events were dispatched, those whose payload is not JSON among them.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.interpreter.events
    }

    /// How many events could not be decoded: each was a [`Delta::Invalid`].
    #[must_use]
    pub fn invalid(&self) -> u64 {
        self.interpreter.invalid
    }

    /// How many of the events were taken by templates, see [`Options::templates`].
    #[must_use]
    pub fn templated(&self) -> u64 {
        self.templates.hits()
    }

    /// How many comment lines came, as servers send to keep a connection alive.
    #[must_use]
    pub fn comments(&self) -> u64 {
        self.interpreter.comments
    }

    /// The lines that are no part of an event stream, up to 64 KiB of them: what a server sent
    /// in place of a stream, such as a JSON error or a web page. Each ends with LF, however it came.
    #[must_use]
    pub fn unrecognised_body(&self) -> &[u8] {
        &self.interpreter.unrecognised_body
    }

    /// Forgets the stream and begins another one with the same options. The memory is kept.
    pub fn reset(&mut self) {
        self.parser.reset();
        self.templates.reset();
        self.interpreter.reset(self.options.dialect);
        self.phase = Phase::Start;
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
