//! Interpretation: from a framing's items to queued deltas.

use alloc::string::String;
use alloc::vec::Vec;

use super::{DetailLevel, Error, Fields};
use crate::delta::Delta;
use crate::dialect::{self, Dialect, Outline, Spec};
use crate::fallible::{self, OutOfMemory, TryBox};
use crate::frame::{self, Event, Exception, Field, Framing, Item};
use crate::json::with_short;
use crate::json::{Malformed, Places, Reader};
use crate::reply::Payload;
use crate::reply::details::Path;
use crate::reply::error::{ProviderError, report, report_text};
use crate::reply::pooled::PooledQueue;
use crate::reply::progress::{Progress, Version};
use crate::reply::queue::Queue;
use crate::reply::walk::{Member, Walk};
use crate::template::{Attempt, Cache, Context};
use crate::utf8::to_str;

/// The most bytes that are kept of a body that is not an event stream, unless it may be JSON: enough for
/// an error and its message.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The most lines of such a body that are tried as the beginning of a JSON document. Each try reads all
/// that follows, so without a bound the work would grow with the square of the lines.
const MAX_DOCUMENTS: usize = 8;

/// Data that servers send to keep a connection alive, and that is not JSON.
const KEEP_ALIVES: &[&str] = &[
    "ping",
    "PING",
    "[PING]",
    "keep-alive",
    "keepalive",
    "heartbeat",
];

/// What a decoder knows of a response, and the deltas that wait.
pub(super) struct Interpreter {
    pub(super) response: Response,
    queue: PooledQueue,
    /// The error of an event that could not be decoded, which comes before its other deltas.
    failed: Option<Error>,
    /// Lines that are not part of an event stream: perhaps a JSON body, perhaps a web page.
    pub(super) unrecognised_body: Vec<u8>,
    max_event_bytes: usize,
    /// The payloads that an event holds besides its first one.
    pending: Option<TryBox<Pending>>,
    /// A payload that an event carried in another encoding.
    unwrapped: Vec<u8>,
    /// A payload whose invalid UTF-8 was replaced.
    lossy: String,
    pub(super) events: u64,
    pub(super) comments: u64,
    /// The events that could not be decoded.
    pub(super) invalid: u64,
    /// A copy of the version of the response.
    pub(super) version: Version,
}

/// Payloads of one event that wait until the deltas of those before them were returned.
#[derive(Default)]
struct Pending {
    /// The type of the event.
    event: String,
    /// Its data, and where the next line begins.
    data: Vec<u8>,
    at: usize,
    offset: u64,
}

impl Pending {
    fn new(event: &Event<'_>) -> Result<TryBox<Pending>, OutOfMemory> {
        let mut pending = TryBox::new(Pending::default())?;
        pending.event = fallible::lossy(&event.event)?.into_owned();
        fallible::extend(&mut pending.data, &event.data)?;
        pending.offset = event.offset;
        Ok(pending)
    }

    fn next(&mut self) -> Option<&[u8]> {
        let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split_inclusive(|byte| *byte == b'\n').next()?;
        self.at += line.len();
        Some(line)
    }
}

/// The state of a response.
pub(super) struct Response {
    /// The dialect, once it is known.
    pub(super) spec: Option<&'static Spec>,
    pub(super) progress: Progress,
    /// Events came that no dialect recognised.
    has_unknown: bool,
    /// Names of members that the caller added.
    fields: Fields,
}

/// Why an event was not interpreted.
enum Failed {
    /// The payload is not JSON from this byte on.
    NotJson(usize),
    OutOfMemory,
}

impl From<Malformed> for Failed {
    fn from(malformed: Malformed) -> Self {
        Failed::NotJson(malformed.at as usize)
    }
}

impl From<OutOfMemory> for Failed {
    fn from(_: OutOfMemory) -> Self {
        Failed::OutOfMemory
    }
}

impl Interpreter {
    pub(super) fn new(
        dialect: Option<Dialect>,
        fields: Fields,
        details: DetailLevel,
        max_event_bytes: usize,
    ) -> Self {
        let mut progress = Progress::default();
        progress.details.report = details;
        Interpreter {
            response: Response {
                spec: dialect.map(Dialect::spec),
                progress,
                has_unknown: false,
                fields,
            },
            queue: PooledQueue::new(),
            failed: None,
            pending: None,
            unrecognised_body: Vec::new(),
            max_event_bytes,
            unwrapped: Vec::new(),
            lossy: String::new(),
            events: 0,
            comments: 0,
            invalid: 0,
            version: Version::default(),
        }
    }

    /// Forgets the stream and keeps the memory.
    pub(super) fn reset(&mut self, dialect: Option<Dialect>) {
        self.response.spec = dialect.map(Dialect::spec);
        self.response.progress.reset();
        self.response.has_unknown = false;
        self.version = self.response.progress.version();
        self.queue.release();
        self.failed = None;
        self.pending = None;
        self.unrecognised_body.clear();
        self.events = 0;
        self.comments = 0;
        self.invalid = 0;
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

    /// Sets the dialect, unless one is known already.
    pub(super) fn begin(&mut self, spec: &'static Spec) {
        self.response.spec.get_or_insert(spec);
    }

    /// Returns true if a delta waits to be returned.
    #[inline]
    pub(super) fn has_next(&self) -> bool {
        self.queue.has_next() || self.failed.is_some()
    }

    /// Returns true if the next delta is the last one.
    pub(super) fn is_last(&self) -> bool {
        self.queue.is_last() && self.failed.is_none() && self.pending.is_none()
    }

    /// Queues the deltas of a payload that waits. Returns false if none does.
    #[inline]
    pub(super) fn next_payload(&mut self) -> bool {
        self.pending.is_some() && self.queue_payload()
    }

    #[cold]
    fn queue_payload(&mut self) -> bool {
        let Some(mut pending) = self.pending.take() else {
            return false;
        };
        let offset = pending.offset;
        let queue = match self.queue.acquire() {
            Ok(queue) => queue,
            Err(OutOfMemory) => {
                self.out_of_memory(offset);
                return true;
            }
        };
        queue.clear();
        self.response.progress.details.begin();
        let event = core::mem::take(&mut pending.event);
        let Some(line) = pending.next() else {
            return false;
        };
        let (unwrapped, lossy) = (&mut self.unwrapped, &mut self.lossy);
        let read = self.response.event(&event, line, unwrapped, lossy, queue);
        // Each line was read before, so only memory may be missing.
        if read.is_err() {
            queue.set_out_of_memory();
        }
        pending.event = event;
        self.pending = Some(pending);
        self.seal(offset);
        self.version = self.response.progress.version();
        true
    }

    /// Returns the next delta.
    pub(super) fn next(&mut self) -> Option<Delta<'_>> {
        if let Some(error) = self.failed.take() {
            let offset = error.offset();
            return Some(Delta::Invalid { offset, error });
        }
        self.queue.get_mut()?.next()
    }

    /// Releases the queue once all its deltas were returned.
    #[inline]
    pub(super) fn rest(&mut self) {
        self.queue.release();
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
        let len = templates.replay(
            bytes,
            attempt,
            self.version,
            limit,
            &mut self.response.progress,
            self.queue.acquire().ok()?,
        )?;
        self.version = self.response.progress.version();
        self.events += 1;
        Some(len)
    }

    /// Learns from an event whose deltas are in the queue.
    pub(super) fn learn(&mut self, templates: &mut Cache, event: &Event<'_>, is_repeatable: bool) {
        let Some(spec) = self.response.spec else {
            return;
        };
        let progress = &mut self.response.progress;
        let is_repeatable = is_repeatable && !progress.details.has_twins();
        templates.on_miss(event, &self.queue, progress, spec.builtin, is_repeatable);
        self.version = progress.version();
    }

    /// Queues an event that the framing lost. A damaged length in an AWS frame makes the rest of the
    /// stream unreadable, and any damage may hide the end.
    pub(super) fn lose(&mut self, error: frame::Error) {
        let is_damaged = matches!(error, frame::Error::BadFrame { .. });
        self.response.progress.is_damaged |= is_damaged;
        self.fail(error.into());
    }

    /// Discards what an event queued, and reports that it could not be decoded.
    fn fail(&mut self, error: Error) {
        if let Some(queue) = self.queue.get_mut() {
            queue.clear();
        }
        self.invalid += 1;
        self.failed = Some(error);
    }

    /// Interprets an item and queues its deltas. Returns the framing of the rest of the stream if the
    /// item shows that it is another one.
    pub(super) fn item(&mut self, item: &Item<'_>) -> Option<Framing> {
        match self.queue.acquire() {
            Ok(queue) => queue.clear(),
            Err(OutOfMemory) => {
                self.out_of_memory(item.offset());
                return None;
            }
        }
        self.response.progress.details.begin();
        let framing = self.interpret(item);
        self.seal(item.offset());
        self.version = self.response.progress.version();
        framing
    }

    /// Puts the deltas of an event at this offset in order.
    fn seal(&mut self, offset: u64) {
        if let Some(queue) = self.queue.get_mut() {
            queue.seal();
        }
        if self.queue.is_out_of_memory() {
            self.out_of_memory(offset);
        }
    }

    /// Discards what an event queued before memory ran out.
    #[cold]
    fn out_of_memory(&mut self, offset: u64) {
        if self.failed.take().is_some() {
            self.invalid -= 1;
        }
        self.fail(frame::Error::OutOfMemory { offset }.into());
    }

    fn interpret(&mut self, item: &Item<'_>) -> Option<Framing> {
        match item {
            Item::Event(event) => {
                self.events += 1;
                self.event(event);
            }
            Item::Comment(_) => self.comments += 1,
            Item::Field(field) => return self.field(field),
            Item::Exception(exception) => {
                self.events += 1;
                self.exception(exception);
            }
            Item::Retry(_) | Item::Blank(_) => {}
        }
        None
    }

    /// Interprets the item left over at the end of the stream. A truncated payload is discarded.
    pub(super) fn unfinished(&mut self, item: &Item<'_>) {
        let (events, invalid) = (self.events, self.invalid);
        self.item(item);
        if matches!(self.failed, Some(Error::NotJson { .. })) {
            (self.events, self.invalid, self.failed) = (events, invalid, None);
            self.queue.release();
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let Some(queue) = self.queue.get_mut() else {
            return;
        };
        // Most events are named so, and need no validation as UTF-8.
        let name = if event.event == "message" {
            "message"
        } else {
            event.event.as_str().unwrap_or_default()
        };
        let read = self.response.event(
            name,
            event.data.as_bytes(),
            &mut self.unwrapped,
            &mut self.lossy,
            queue,
        );
        match read {
            Ok(()) => {}
            Err(Failed::OutOfMemory) => queue.set_out_of_memory(),
            Err(Failed::NotJson(_)) if self.response.is_list_of_payloads(&event.data) => {
                queue.clear();
                queue.unique();
                match Pending::new(event) {
                    Ok(pending) => self.pending = Some(pending),
                    Err(OutOfMemory) => queue.set_out_of_memory(),
                }
            }
            Err(Failed::NotJson(at)) => {
                queue.clear();
                match fallible::lossy(&event.event) {
                    Ok(name) => queue.other(&name, &event.data),
                    Err(OutOfMemory) => queue.set_out_of_memory(),
                }
                if !is_keep_alive(&event.data) {
                    let offset = event.offset;
                    self.invalid += 1;
                    self.failed = Some(Error::NotJson { offset, at });
                }
            }
        }
    }

    /// Queues the error that a frame reports, with JSON or text as its payload.
    fn exception(&mut self, exception: &Exception<'_>) {
        let Some(queue) = self.queue.get_mut() else {
            return;
        };
        let name = fallible::lossy(&exception.name);
        let text = fallible::lossy(&exception.data);
        let (Ok(name), Ok(text)) = (name, text) else {
            queue.set_out_of_memory();
            return;
        };
        let places = Places::new();
        let mut walk = self.response.walk(&name, text.trim_ascii(), &places, queue);
        let error = match walk.root() {
            Ok(root) => ProviderError::read(&mut walk, root, &Path::ROOT, &|_| false),
            Err(_) => ProviderError::from_message(&text),
        };
        error.named(&name).report(&mut walk);
    }

    /// Interprets a line that an event stream ignores. llama.cpp reports errors in such lines, and a body
    /// that is not an event stream consists of them. Returns the framing of the rest of the stream if
    /// the line belongs to a stream of JSON lines.
    fn field(&mut self, field: &Field<'_>) -> Option<Framing> {
        let queue = self.queue.get_mut()?;
        if *field.name == *b"error" {
            self.response.error_field(&field.value, queue);
        }
        let line = field.raw.trim_ascii();
        let is_first = self.response.spec.is_none() && self.unrecognised_body.is_empty();
        if is_first
            && line.starts_with(b"{")
            && let Ok(text) = core::str::from_utf8(line)
            && self.response.first_line(text, queue)
        {
            self.events += 1;
            return Some(Framing::Ndjson);
        }
        // The line end is kept as LF, because nobody knows of the LF of a CRLF that a chunk's end cuts.
        let text = without_end(field.raw);
        let body = &mut self.unrecognised_body;
        let first = body.first().or(line.first());
        let max = match first {
            Some(b'{' | b'[') => self.max_event_bytes,
            _ => MAX_BODY_BYTES,
        };
        let room = max.saturating_sub(body.len());
        if body.try_reserve(room.min(text.len() + 1)).is_err() {
            queue.set_out_of_memory();
            return None;
        }
        body.extend(text.iter().chain(b"\n").take(room));
        None
    }

    /// Queues what only the end of a stream of `len` bytes shows: a JSON body in place of a stream, an
    /// error among lines that are not part of an event stream, or the terminator.
    pub(super) fn finish(&mut self, len: u64) {
        let queue = match self.queue.acquire() {
            Ok(queue) => queue,
            Err(OutOfMemory) => return self.out_of_memory(len),
        };
        queue.clear();
        let is_alone = self.events == 0;
        self.response.body(&self.unrecognised_body, is_alone, queue);
        if self.response.spec.is_some() {
            self.response.progress.at_end(queue);
        }
        self.seal(len);
    }
}

impl Response {
    pub(super) fn walk<'w, 'd>(
        &'w mut self,
        event: &'d str,
        text: &'d str,
        places: &'d Places,
        queue: &'w mut Queue,
    ) -> Walk<'w, 'd>
    where
        'w: 'd,
    {
        Walk {
            payload: Payload {
                event,
                text,
                fields: &self.fields,
                places,
            },
            progress: &mut self.progress,
            queue,
        }
    }

    /// Queues the error of an `error:` line.
    fn error_field(&mut self, value: &[u8], queue: &mut Queue) {
        let Ok(text) = fallible::lossy(value) else {
            queue.set_out_of_memory();
            return;
        };
        let places = Places::new();
        let mut walk = self.walk("error", text.trim_ascii(), &places, queue);
        match walk.root() {
            Ok(root) => drop(report(&mut walk, root, true)),
            Err(_) => drop(report_text(&text, walk.queue)),
        }
    }

    /// Interprets the first JSON document among the lines of a body. `is_alone` says that no event came.
    fn body(&mut self, body: &[u8], is_alone: bool, queue: &mut Queue) {
        let mut rest = body;
        let documents = body
            .split_inclusive(|byte| *byte == b'\n')
            .filter_map(|line| {
                let document = rest;
                rest = rest.get(line.len()..).unwrap_or_default();
                let is_start = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
                is_start.then(|| document.trim_ascii())
            });
        let mut is_first = is_alone;
        for document in documents.take(MAX_DOCUMENTS) {
            let Ok(text) = fallible::lossy(document) else {
                queue.set_out_of_memory();
                return;
            };
            let is_whole = is_first && document.len() == body.trim_ascii().len();
            is_first = false;
            if self.document(&text, is_whole, queue) {
                return;
            }
        }
    }

    /// Interprets an event of this type.
    fn event(
        &mut self,
        name: &str,
        data: &[u8],
        unwrapped: &mut Vec<u8>,
        lossy: &mut String,
        queue: &mut Queue,
    ) -> Result<(), Failed> {
        let spec = self.spec.or_else(|| dialect::with_plain_text(name));
        if let Some(read) = spec.and_then(|spec| spec.text) {
            // The dialect first: text may look like JSON or a terminator.
            self.spec = spec;
            let text = fallible::lossy(data)?;
            if read(&mut self.walk(name, &text, &Places::new(), queue)) {
                return Ok(());
            }
        }
        let mut data = data.trim_ascii();
        if let Some(inner) = inner_payload(data) {
            // Templates know the first name alone.
            queue.unique();
            data = inner;
        }
        if data == b"[DONE]" {
            self.done(queue);
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let text = to_text(data, lossy)?;
        if let Some(unwrap) = self.spec.and_then(|spec| spec.unwrap)
            && unwrap(name, text, unwrapped)?
        {
            let text = to_text(unwrapped, lossy)?;
            return self.payload(name, text, queue);
        }
        self.payload(name, text, queue)
    }

    /// Returns true if the data of an event is a list of payloads, one a line: some senders end their events
    /// with one LF.
    #[cold]
    fn is_list_of_payloads(&self, data: &[u8]) -> bool {
        let is_plain_text = self.spec.is_some_and(|spec| spec.text.is_some());
        !is_plain_text && has_payload_lines(data)
    }

    /// Interprets `[DONE]`. Only OpenAI-compatible servers send it before any chunk, for example after
    /// an error. After events that no dialect recognised it does not make a stream complete.
    fn done(&mut self, queue: &mut Queue) {
        if self.spec.is_none() && !self.has_unknown {
            self.spec = Some(Dialect::OpenAiChat.spec());
        }
        if self.spec.is_some_and(|spec| spec.ends_with_done) {
            self.progress.done(queue);
        }
    }

    /// Interprets a payload. Recognises the dialect if it is not known.
    fn payload(&mut self, event: &str, text: &str, queue: &mut Queue) -> Result<(), Failed> {
        let places = Places::new();
        if self.spec.is_none() {
            let outline = Outline::read(Payload {
                event,
                text,
                fields: &self.fields,
                places: &places,
            });
            match outline {
                Ok(outline) => self.spec = outline.dialect(),
                // Some servers report an error in plain words.
                Err(_) if event == "error" && report_text(text, queue) => return Ok(()),
                Err(malformed) => return Err(malformed.into()),
            }
        }
        let spec = self.spec;
        let mut walk = self.walk(event, text, &places, queue);
        if let Some(spec) = spec {
            match (spec.event)(&mut walk) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(_) if event == "error" => {
                    walk.queue.clear();
                    if report_text(text, walk.queue) {
                        return Ok(());
                    }
                    walk.root()?;
                }
                Err(malformed) => return Err(malformed.into()),
            }
        }
        // Forget what the dialect collected before it found that the event is not its own.
        walk.queue.clear();
        let root = walk.root()?;
        if report(&mut walk, root, event == "error") {
            return Ok(());
        }
        other(&mut walk, root);
        self.has_unknown = true;
        Ok(())
    }

    /// Interprets the first line of a body if it belongs to a dialect of JSON lines. Returns false if it
    /// does not.
    fn first_line(&mut self, text: &str, queue: &mut Queue) -> bool {
        let places = Places::new();
        let outline = Outline::read(Payload {
            event: "",
            text,
            fields: &self.fields,
            places: &places,
        });
        let spec = outline.ok().and_then(|outline| outline.dialect());
        let spec = spec.filter(|spec| spec.framing == Framing::Ndjson);
        if spec.is_none() {
            return false;
        }
        self.spec = spec;
        self.payload("", text, queue).is_ok()
    }

    /// Interprets a JSON document that is not an event. Returns false if it is not JSON. If it is the
    /// whole body, it may be a non-streaming response, in the dialect that its members tell.
    fn document(&mut self, text: &str, is_whole: bool, queue: &mut Queue) -> bool {
        let places = Places::new();
        let payload = Payload {
            event: "",
            text,
            fields: &self.fields,
            places: &places,
        };
        let Ok(outline) = Outline::read(payload) else {
            return false;
        };
        if is_whole && let Some(spec) = outline.dialect_of_body() {
            let told = self.spec.replace(spec);
            let interpret = spec.complete_body.unwrap_or(spec.event);
            let mut walk = self.walk("", text, &places, queue);
            if interpret(&mut walk) == Ok(true) {
                self.progress.complete = !queue.has_error();
                return true;
            }
            self.spec = told.or(Some(spec));
            queue.clear();
        }
        let mut walk = self.walk("", text, &places, queue);
        let Ok(root) = walk.root() else { return false };
        report(&mut walk, root, false);
        true
    }

    /// Interprets the body of a non-streaming response. Returns false if it is JSON of another kind.
    pub(super) fn complete_body(
        &mut self,
        text: &str,
        queue: &mut Queue,
    ) -> Result<bool, Malformed> {
        let places = Places::new();
        let outline = Outline::read(Payload {
            event: "",
            text,
            fields: &self.fields,
            places: &places,
        })?;
        let spec = outline.dialect_of_body();
        let mut walk = self.walk("", text, &places, queue);
        if let Some(spec) = spec {
            let interpret = spec.complete_body.unwrap_or(spec.event);
            return interpret(&mut walk);
        }
        let root = walk.root()?;
        Ok(report(&mut walk, root, false))
    }

    /// A response of which nothing is known.
    pub(super) fn new() -> Self {
        Response {
            spec: None,
            progress: Progress::default(),
            has_unknown: false,
            fields: Fields::default(),
        }
    }
}

/// Queues a whole event of an unknown kind, named by its own type.
fn other(walk: &mut Walk<'_, '_>, root: Member<'_>) {
    let mut name = crate::json::Str::default();
    if let Some(object) = root.as_object() {
        for key in ["type", "event_type", "object"] {
            if name.is_empty() {
                name = walk.get(object, key).str();
            }
        }
    }
    let text = walk.payload.text.as_bytes();
    if name.is_empty() {
        walk.queue.other(walk.payload.event, text);
    } else {
        with_short(name, |name| walk.queue.other(name, text));
    }
}

/// Returns bytes as text. Copies them if invalid UTF-8 must be replaced.
fn to_text<'d>(bytes: &'d [u8], copy: &'d mut String) -> Result<&'d str, OutOfMemory> {
    if let Some(text) = to_str(bytes) {
        return Ok(text);
    }
    copy.clear();
    for piece in bytes.utf8_chunks() {
        fallible::push_str(copy, piece.valid())?;
        if !piece.invalid().is_empty() {
            fallible::push_str(copy, "\u{FFFD}")?;
        }
    }
    Ok(copy)
}

fn is_keep_alive(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    KEEP_ALIVES.iter().any(|known| known.as_bytes() == data)
}

/// Returns the payload inside a payload that repeats the field's name: `data: data: {…}`.
fn inner_payload(data: &[u8]) -> Option<&[u8]> {
    let inner = data.strip_prefix(b"data:")?.trim_ascii();
    (inner.starts_with(b"{") || inner == b"[DONE]").then_some(inner)
}

/// Returns true if data of several lines has a payload in each line: a JSON object or `[DONE]`.
fn has_payload_lines(data: &[u8]) -> bool {
    let mut lines = data.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    data.trim_ascii().contains(&b'\n')
        && lines.all(|line| {
            let line = inner_payload(line).unwrap_or(line);
            line == b"[DONE]"
                || (line.starts_with(b"{")
                    && core::str::from_utf8(line).is_ok_and(|line| {
                        let mut reader = Reader::new(line);
                        reader.skip().is_ok() && reader.end().is_ok()
                    }))
        })
}

/// Returns a line without its end: CRLF, CR or LF.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
