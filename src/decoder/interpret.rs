//! Interpretation: from a framing's items to queued deltas.

use alloc::vec::Vec;

use super::{Error, Fields};
use crate::delta::Delta;
use crate::dialect::{self, Dialect, Spec};
use crate::fallible::{self, OutOfMemory};
use crate::frame::{self, Event, Exception, Field, Framing, Item};
use crate::reply::Payload;
use crate::reply::error::{ProviderError, report, report_text};
use crate::reply::pooled::PooledQueue;
use crate::reply::progress::{Progress, Version};
use crate::reply::queue::Queue;
use crate::tape::{self, Doc, Unread};
use crate::template::{Attempt, Cache, Context};

/// The most bytes that are kept of a body that is not an event stream: enough for an error and its
/// message.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The most lines of such a body that are tried as the beginning of a JSON document. Each try reads all
/// that follows, so without a bound the work would grow with the square of the lines.
const MAX_DOCUMENTS: usize = 8;

/// What a decoder knows of a response, and the deltas that wait.
pub(super) struct Interpreter {
    pub(super) response: Response,
    pub(super) queue: PooledQueue,
    /// Lines that are not part of an event stream: perhaps an error, perhaps a web page.
    pub(super) unrecognised_body: Vec<u8>,
    /// A payload that an event carried in another encoding.
    unwrapped: Vec<u8>,
    pub(super) events: u64,
    pub(super) comments: u64,
    /// A copy of the version of `progress`.
    pub(super) version: Version,
}

/// The state of a response.
pub(super) struct Response {
    /// The dialect, once it is known.
    pub(super) spec: Option<&'static Spec>,
    pub(super) progress: Progress,
    /// Names of members that the caller added.
    fields: Fields,
}

impl Interpreter {
    pub(super) fn new(dialect: Option<Dialect>, fields: Fields) -> Self {
        Interpreter {
            response: Response {
                spec: dialect.map(Dialect::spec),
                progress: Progress::default(),
                fields,
            },
            queue: PooledQueue::new(),
            unrecognised_body: Vec::new(),
            unwrapped: Vec::new(),
            events: 0,
            comments: 0,
            version: Version::default(),
        }
    }

    /// Forgets the stream and keeps the memory.
    pub(super) fn reset(&mut self, dialect: Option<Dialect>) {
        self.response.spec = dialect.map(Dialect::spec);
        self.response.progress.reset();
        self.version = self.response.progress.version();
        self.queue.release();
        self.unrecognised_body.clear();
        self.events = 0;
        self.comments = 0;
    }

    /// Returns what templates need to know of the response.
    #[inline]
    pub(super) fn context(&self, limit: usize) -> Context<'_> {
        Context {
            version: self.version,
            progress: &self.response.progress,
            limit,
        }
    }

    /// Returns the next queued delta.
    pub(super) fn next(&mut self) -> Option<Delta<'_>> {
        self.queue.get_mut()?.next()
    }

    /// Sets the dialect, unless one is known already.
    pub(super) fn begin(&mut self, spec: &'static Spec) {
        self.response.spec.get_or_insert(spec);
    }

    /// Queues the deltas of the event at the start of `bytes` if a template matches it, and returns its
    /// length.
    pub(super) fn replay(
        &mut self,
        templates: &mut Cache,
        bytes: &[u8],
        attempt: Attempt,
        limit: usize,
    ) -> Option<usize> {
        let context = Context {
            version: self.version,
            progress: &self.response.progress,
            limit,
        };
        let queue = self.queue.acquire().ok()?;
        let len = templates.replay(bytes, attempt, context, queue)?;
        self.events += 1;
        Some(len)
    }

    /// Records that the framing lost an event. A damaged length in an AWS frame makes the rest of the
    /// stream unreadable, and any damage may hide the end.
    pub(super) fn lose(&mut self, error: frame::Error) -> Error {
        self.response.progress.is_damaged |= matches!(error, frame::Error::BadFrame { .. });
        error.into()
    }

    /// Interprets an item and queues its deltas. Returns the framing of the rest of the stream if the
    /// item shows that it is another one.
    pub(super) fn item(&mut self, item: &Item<'_>) -> Result<Option<Framing>, Error> {
        match self.queue.acquire() {
            Ok(queue) => queue.clear(),
            Err(OutOfMemory) => return Err(self.out_of_memory(item.offset())),
        }
        let interpreted = self.interpret(item);
        self.version = self.response.progress.version();
        if self.queue.is_out_of_memory() {
            return Err(self.out_of_memory(item.offset()));
        }
        interpreted
    }

    /// Discards what an event queued before memory ran out.
    #[cold]
    fn out_of_memory(&mut self, offset: u64) -> Error {
        if let Some(queue) = self.queue.get_mut() {
            queue.clear();
        }
        frame::Error::OutOfMemory { offset }.into()
    }

    fn interpret(&mut self, item: &Item<'_>) -> Result<Option<Framing>, Error> {
        match item {
            Item::Event(event) => {
                self.events += 1;
                self.event(event)?;
            }
            Item::Comment(_) => self.comments += 1,
            Item::Field(field) => return Ok(self.field(field)),
            Item::Exception(exception) => {
                self.events += 1;
                self.exception(exception);
            }
            Item::Retry(_) | Item::Blank(_) => {}
        }
        Ok(None)
    }

    /// Interprets the item left over at the end of the stream. A truncated payload is discarded.
    pub(super) fn unfinished(&mut self, item: &Item<'_>) -> Result<(), Error> {
        let events = self.events;
        match self.item(item) {
            Err(Error::NotJson { .. }) => {
                self.events = events;
                if let Some(queue) = self.queue.get_mut() {
                    queue.clear();
                }
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    /// Interprets an event. Only JSON errors are returned; the queue remembers that memory ran out.
    fn event(&mut self, event: &Event<'_>) -> Result<(), Error> {
        let Some(queue) = self.queue.get_mut() else {
            return Ok(());
        };
        let response = &mut self.response;
        // Most events are named so, and need no validation as UTF-8.
        let name = if event.event == "message" {
            "message"
        } else {
            event.event.as_str().unwrap_or_default()
        };
        let read = response.event(name, event, &mut self.unwrapped, queue);
        match read {
            Ok(()) => Ok(()),
            Err(Unread::OutOfMemory) => {
                queue.set_out_of_memory();
                Ok(())
            }
            Err(Unread::NotJson { at }) => {
                match fallible::lossy(&event.event) {
                    Ok(name) => queue.other(&name, &event.data),
                    Err(OutOfMemory) => queue.set_out_of_memory(),
                }
                Err(Error::NotJson {
                    offset: event.offset,
                    at,
                })
            }
        }
    }

    /// Queues the error that a frame reports, with JSON or text as its payload.
    fn exception(&mut self, exception: &Exception<'_>) {
        let Some(queue) = self.queue.get_mut() else {
            return;
        };
        let Ok(name) = fallible::lossy(&exception.name) else {
            queue.set_out_of_memory();
            return;
        };
        let read = tape::read(&exception.data, |doc| {
            ProviderError {
                name: &name,
                ..ProviderError::read(doc.root)
            }
            .report(&doc, queue);
        });
        let Err(unread) = read else {
            return;
        };
        match (unread, fallible::lossy(&exception.data)) {
            (Unread::NotJson { .. }, Ok(message)) => ProviderError {
                name: &name,
                message: &message,
                ..ProviderError::default()
            }
            .report_as(&exception.data, queue),
            _ => queue.set_out_of_memory(),
        }
    }

    /// Interprets a line that an event stream ignores. llama.cpp reports errors in such lines, and a body
    /// that is not an event stream consists of them. Returns the framing of the rest of the stream if
    /// the line belongs to a stream of JSON lines.
    fn field(&mut self, field: &Field<'_>) -> Option<Framing> {
        let queue = self.queue.get_mut()?;
        if *field.name == *b"error" {
            match tape::read(&field.value, |doc| report(&doc, true, queue)) {
                Ok(_) => {}
                Err(Unread::NotJson { .. }) => {
                    report_text(&field.value, queue);
                }
                Err(Unread::OutOfMemory) => queue.set_out_of_memory(),
            }
        }
        let line = field.raw.trim_ascii();
        let is_first = self.response.spec.is_none() && self.unrecognised_body.is_empty();
        if is_first && line.starts_with(b"{") {
            match tape::read(line, |doc| self.response.first_line(doc, queue)) {
                Ok(true) => {
                    self.events += 1;
                    return Some(Framing::Ndjson);
                }
                Ok(false) | Err(Unread::NotJson { .. }) => {}
                Err(Unread::OutOfMemory) => queue.set_out_of_memory(),
            }
            if queue.is_out_of_memory() {
                // The next line may be recognised.
                return None;
            }
        }
        // The line end is kept as LF, because nobody knows of the LF of a CRLF that a chunk's end cuts.
        let text = without_end(field.raw);
        let body = &mut self.unrecognised_body;
        let room = MAX_BODY_BYTES.saturating_sub(body.len());
        if body.try_reserve(room.min(text.len() + 1)).is_err() {
            queue.set_out_of_memory();
            return None;
        }
        body.extend(text.iter().chain(b"\n").take(room));
        None
    }

    /// Queues what only the end of a stream of `len` bytes shows: its terminator, or an error among the
    /// lines that are not part of an event stream.
    pub(super) fn finish(&mut self, len: u64) -> Result<(), Error> {
        let queue = match self.queue.acquire() {
            Ok(queue) => queue,
            Err(OutOfMemory) => return Err(self.out_of_memory(len)),
        };
        queue.clear();
        if self.response.spec.is_some() {
            self.response.progress.at_end(queue);
        }
        let body = self.unrecognised_body.as_slice();
        let mut rest = body;
        let documents = body
            .split_inclusive(|byte| *byte == b'\n')
            .filter_map(|line| {
                let document = rest;
                rest = rest.get(line.len()..).unwrap_or_default();
                let is_start = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
                is_start.then(|| document.trim_ascii())
            });
        for document in documents.take(MAX_DOCUMENTS) {
            match tape::read(document, |doc| report(&doc, false, queue)) {
                Ok(_) => break,
                Err(Unread::NotJson { .. }) => {}
                Err(Unread::OutOfMemory) => queue.set_out_of_memory(),
            }
        }
        if queue.is_out_of_memory() {
            return Err(self.out_of_memory(len));
        }
        Ok(())
    }
}

impl Response {
    /// Interprets an event of that type.
    fn event(
        &mut self,
        name: &str,
        event: &Event<'_>,
        unwrapped: &mut Vec<u8>,
        queue: &mut Queue,
    ) -> Result<(), Unread> {
        let spec = self.spec.or_else(|| dialect::with_plain_text(name));
        if let Some(read) = spec.and_then(|spec| spec.text) {
            // The dialect first: text may look like JSON or a terminator.
            self.spec = spec;
            let text = fallible::lossy(&event.data);
            let text = text.map_err(|OutOfMemory| Unread::OutOfMemory)?;
            if read(name, &text, queue) {
                return Ok(());
            }
        }
        let data = event.data.trim_ascii();
        if data == b"[DONE]" {
            // Only OpenAI-compatible servers send it before any chunk, for example after an error.
            let spec = self.spec.get_or_insert(Dialect::OpenAiChat.spec());
            if spec.ends_with_done {
                self.progress.done(queue);
            }
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let unwrap = self.spec.and_then(|spec| spec.unwrap);
        let read = tape::read(data, |doc| {
            if unwrap.is_some_and(|unwrap| unwrap(name, &doc, unwrapped, queue)) {
                return true;
            }
            self.payload(name, doc, queue);
            false
        });
        match read {
            Ok(true) => tape::read(unwrapped, |doc| self.payload(name, doc, queue)),
            Ok(false) => Ok(()),
            // Some servers report an error in plain words.
            Err(Unread::NotJson { .. }) if name == "error" && report_text(data, queue) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Interprets a parsed payload. Recognises the dialect if it is not known.
    fn payload(&mut self, event: &str, doc: Doc<'_>, queue: &mut Queue) {
        let payload = Payload {
            event,
            doc,
            fields: &self.fields,
        };
        queue.begin(&payload.doc);
        if self.spec.is_none() {
            self.spec = dialect::recognise(&payload);
        }
        if let Some(spec) = self.spec
            && (spec.event)(&mut self.progress, &payload, queue)
        {
            return;
        }
        if report(&payload.doc, event == "error", queue) {
            return;
        }
        let root = payload.doc.root;
        let names = [
            root.text_of("type"),
            root.text_of("event_type"),
            root.text_of("object"),
        ];
        let name = names.into_iter().find(|name| !name.is_empty());
        queue.other(name.unwrap_or(event), payload.doc.text);
    }

    /// Interprets the first line of a body if it belongs to a dialect of JSON lines. Returns false if it
    /// does not.
    fn first_line(&mut self, doc: Doc<'_>, queue: &mut Queue) -> bool {
        let payload = Payload {
            event: "",
            doc,
            fields: &self.fields,
        };
        let spec = dialect::recognise(&payload);
        let spec = spec.filter(|spec| spec.framing == Framing::Ndjson);
        if spec.is_some() {
            self.spec = spec;
            self.payload("", doc, queue);
        }
        spec.is_some()
    }
}

/// Returns a line without its end: CRLF, CR or LF.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
