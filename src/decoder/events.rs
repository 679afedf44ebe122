//! From a framing's items to deltas: what no framing and no template knows.

use alloc::vec::Vec;

use super::{Error, Fields};
use crate::dialect::error::{Said, report, report_text};
use crate::dialect::json::{self, Doc, Unread};
use crate::dialect::lent::Lent;
use crate::dialect::progress::Version;
use crate::dialect::sink::Sink;
use crate::dialect::{Dialect, State, Wire, bedrock, by_event, recognise};
use crate::frame::{self, Event, Exception, Field, Framing, Item};
use crate::memory::{self, Held};
use crate::template::{Known, Templates};

/// How many bytes are kept of a body that is no event stream: enough for an error and its message.
const MAX_SEEN_BYTES: usize = 64 * 1024;

/// So many lines of it are tried as the beginning of a document: each is read to the end of what is
/// kept, so that without a bound the work would grow with its square.
const MAX_DOCUMENTS: usize = 8;

/// All of a decoder but its framing, whose items it reads.
pub(super) struct Events {
    pub(super) state: Option<Held<State>>,
    /// That of the stream before, for its memory.
    pub(super) spare: Option<Held<State>>,
    pub(super) sink: Lent,
    pub(super) fields: Fields,
    /// Lines that are no part of an event stream: perhaps an error, perhaps a web page.
    pub(super) seen: Vec<u8>,
    /// A model's own JSON, taken out of the frame that carried it in base64.
    pub(super) inner: Vec<u8>,
    pub(super) events: u64,
    pub(super) comments: u64,
    /// The stream is one of lines, not of events.
    pub(super) is_ndjson: bool,
    /// The stream is one of frames, which Bedrock alone sends.
    pub(super) is_bedrock: bool,
    /// A frame was damaged, or cut at the end.
    pub(super) is_cut: bool,
    pub(super) finished: bool,
    /// That of what is known of the response.
    pub(super) version: Version,
}

impl Events {
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.state.as_ref().map(|state| state.dialect())
    }

    /// What templates ask of the response.
    #[inline]
    pub(super) fn known(&self) -> Known<'_> {
        Known {
            version: self.version,
            state: self.state.as_deref(),
        }
    }

    /// Reads the event that `bytes` begin with by way of a template, if one matches. Gives its
    /// length.
    pub(super) fn replay(
        &mut self,
        templates: &mut Templates,
        bytes: &[u8],
        max: usize,
    ) -> Option<usize> {
        let known = Known {
            version: self.version,
            state: self.state.as_deref(),
        };
        let len = templates.replay(bytes, known, max, self.sink.hold()?)?;
        self.events += 1;
        Some(len)
    }

    /// Reads an item into the sink.
    pub(super) fn item(&mut self, item: &Item<'_>) -> Result<(), Error> {
        let Some(sink) = self.sink.hold() else {
            return Err(self.short(item.offset()));
        };
        sink.clear();
        if self.is_bedrock && begin(Dialect::Bedrock, &mut self.state, &mut self.spare).is_err() {
            self.sink.set_short();
        }
        let read = self.read(item);
        self.see_version();
        if self.sink.is_short() {
            return Err(self.short(item.offset()));
        }
        read
    }

    /// There was no memory for all that the event there gives, so it gives nothing.
    #[cold]
    fn short(&mut self, offset: u64) -> Error {
        if self.sink.is_held() {
            self.sink.clear();
        }
        frame::Error::OutOfMemory { offset }.into()
    }

    /// Takes over the version of what is known of the response.
    pub(super) fn see_version(&mut self) {
        self.version = self
            .state
            .as_ref()
            .map_or(Version::default(), |state| state.progress().version());
    }

    pub(super) fn read(&mut self, item: &Item<'_>) -> Result<(), Error> {
        match item {
            Item::Event(event) => {
                self.events += 1;
                match self.event(event) {
                    Ok(()) => Ok(()),
                    Err(Unread::OutOfMemory) => {
                        self.sink.set_short();
                        Ok(())
                    }
                    Err(Unread::NotJson { at }) => {
                        match memory::lossy(&event.event) {
                            Some(name) => self.sink.other(&name, &event.data),
                            None => self.sink.set_short(),
                        }
                        Err(Error::NotJson {
                            offset: event.offset,
                            at,
                        })
                    }
                }
            }
            Item::Comment(_) => {
                self.comments += 1;
                Ok(())
            }
            Item::Field(field) => {
                self.field(field);
                Ok(())
            }
            Item::Exception(exception) => {
                self.events += 1;
                self.exception(exception);
                Ok(())
            }
            Item::Retry(_) | Item::Blank(_) => Ok(()),
        }
    }

    /// Reads what the end of the stream left unfinished. An event whose payload is cut is none.
    pub(super) fn unfinished(&mut self, item: &Item<'_>) -> Result<(), Error> {
        let events = self.events;
        match self.item(item) {
            Err(Error::NotJson { .. }) => {
                self.events = events;
                self.sink.clear();
                Ok(())
            }
            read => read,
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<(), Unread> {
        // Not worth a validation each time.
        let name = if event.event == "message" {
            "message"
        } else {
            event.event.as_str().unwrap_or_default()
        };
        let payload = event.data.trim_ascii();
        let is_text = self.dialect() == Some(Dialect::Replicate)
            || (self.state.is_none() && by_event(name) == Some(Dialect::Replicate));
        if is_text {
            // What looks like JSON or a terminator may be the text itself, so the dialect is asked
            // first.
            let Events {
                state, spare, sink, ..
            } = self;
            let state = begin(Dialect::Replicate, state, spare)?;
            let text = memory::lossy(&event.data).ok_or(Unread::OutOfMemory)?;
            if state.text(name, &text, sink) {
                return Ok(());
            }
        }
        if payload == b"[DONE]" {
            // Before any chunk, behind an error say: all who send it are OpenAI's heirs.
            let Events {
                state, spare, sink, ..
            } = self;
            begin(Dialect::OpenAiChat, state, spare)?.done(sink);
            return Ok(());
        }
        if payload.is_empty() {
            return Ok(());
        }
        let is_chunk = name == "chunk" && self.dialect() == Some(Dialect::Bedrock);
        let has_inner = json::read(payload, |doc| {
            if is_chunk && bedrock::chunk(&doc, &mut self.inner, &mut self.sink) {
                return true;
            }
            self.payload(name, doc);
            false
        });
        match has_inner {
            Ok(true) => {
                let inner = core::mem::take(&mut self.inner);
                let read = json::read(&inner, |doc| self.payload(name, doc));
                self.inner = inner;
                read
            }
            Ok(false) => Ok(()),
            // Some servers report what went wrong in plain words.
            Err(Unread::NotJson { .. })
                if name == "error" && report_text(payload, &mut self.sink) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the payload of an event of that name.
    fn payload(&mut self, name: &str, doc: Doc<'_>) {
        let Events {
            state,
            spare,
            sink,
            fields,
            ..
        } = self;
        let wire = Wire {
            event: name,
            doc,
            fields,
        };
        read_event(&wire, state, spare, sink);
    }

    /// A frame that reports an error, with JSON or text as its payload.
    pub(super) fn exception(&mut self, exception: &Exception<'_>) {
        let Events { sink, .. } = self;
        let Some(name) = memory::lossy(&exception.name) else {
            sink.set_short();
            return;
        };
        let read = json::read(&exception.data, |doc| {
            Said {
                name: &name,
                ..Said::read(doc.root)
            }
            .report(&doc, sink);
        });
        let Err(unread) = read else {
            return;
        };
        match (unread, memory::lossy(&exception.data)) {
            (Unread::NotJson { .. }, Some(message)) => Said {
                name: &name,
                message: &message,
                ..Said::default()
            }
            .report_as(&exception.data, sink),
            _ => sink.set_short(),
        }
    }

    /// A line that an event stream ignores: llama.cpp reports errors so, and a body that is no
    /// stream of events is made of nothing else.
    pub(super) fn field(&mut self, field: &Field<'_>) {
        let Events {
            state,
            spare,
            sink,
            fields,
            seen,
            ..
        } = self;
        if *field.name == *b"error" {
            match json::read(&field.value, |doc| report(&doc, true, sink)) {
                Ok(_) => {}
                Err(Unread::NotJson { .. }) => {
                    report_text(&field.value, sink);
                }
                Err(Unread::OutOfMemory) => sink.set_short(),
            }
        }
        let line = field.raw.trim_ascii();
        if state.is_none() && seen.is_empty() && line.starts_with(b"{") {
            let is_line = json::read(line, |doc| {
                let wire = Wire {
                    event: "",
                    doc,
                    fields,
                };
                match recognise(&wire) {
                    Some(dialect) if dialect.framing() == Framing::Ndjson => {
                        if begin(dialect, state, spare).is_err() {
                            sink.set_short();
                            return false;
                        }
                        read_event(&wire, state, spare, sink);
                        true
                    }
                    _ => false,
                }
            });
            if is_line == Ok(true) {
                self.events += 1;
                self.is_ndjson = true;
                return;
            }
            if sink.is_short() || is_line == Err(Unread::OutOfMemory) {
                // The next line may be recognised.
                sink.set_short();
                return;
            }
        }
        // Its end is kept as LF, whatever it was: where a chunk's end cuts a CRLF, nobody knows of the LF.
        let text = without_end(field.raw);
        let room = MAX_SEEN_BYTES.saturating_sub(seen.len());
        if seen.try_reserve(room.min(text.len() + 1)).is_err() {
            sink.set_short();
            return;
        }
        seen.extend(text.iter().chain(b"\n").take(room));
    }

    /// Looks at what came beside the events, once there are no more. The stream has so many bytes.
    pub(super) fn finish(&mut self, len: u64) -> Result<(), Error> {
        // Whatever becomes of it, it is done once.
        self.finished = true;
        let Some(sink) = self.sink.hold() else {
            return Err(self.short(len));
        };
        sink.clear();
        let Events {
            state, sink, seen, ..
        } = self;
        if let Some(state) = state {
            state.progress_mut().at_end(sink);
        }
        // An error may stand behind other lines that are no part of a stream. What is no JSON is
        // nothing to report, and `seen` has it.
        let mut behind = seen.as_slice();
        let documents = seen
            .split_inclusive(|byte| *byte == b'\n')
            .filter_map(|line| {
                let document = behind;
                behind = behind.get(line.len()..).unwrap_or_default();
                let is_start = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
                is_start.then(|| document.trim_ascii())
            });
        for document in documents.take(MAX_DOCUMENTS) {
            match json::read(document, |doc| report(&doc, false, sink)) {
                Ok(_) => break,
                Err(Unread::NotJson { .. }) => {}
                Err(Unread::OutOfMemory) => sink.set_short(),
            }
        }
        if self.sink.is_short() {
            return Err(self.short(len));
        }
        Ok(())
    }
}

/// A line without its end: CRLF, CR or LF.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The state; one of this dialect where there is none.
fn begin<'s>(
    dialect: Dialect,
    state: &'s mut Option<Held<State>>,
    spare: &mut Option<Held<State>>,
) -> Result<&'s mut State, Unread> {
    if state.is_none() {
        *state = State::begin(dialect, spare);
    }
    state.as_deref_mut().ok_or(Unread::OutOfMemory)
}

/// Reads a parsed event, recognising its dialect where none is known.
fn read_event(
    wire: &Wire<'_>,
    state: &mut Option<Held<State>>,
    spare: &mut Option<Held<State>>,
    sink: &mut Sink,
) {
    sink.begin(&wire.doc);
    if state.is_none()
        && let Some(dialect) = recognise(wire)
        && begin(dialect, state, spare).is_err()
    {
        sink.set_short();
        return;
    }
    if state.as_mut().is_some_and(|state| state.event(wire, sink)) {
        return;
    }
    if report(&wire.doc, wire.event == "error", sink) {
        return;
    }
    let root = wire.doc.root;
    let names = [
        root.text_of("type"),
        root.text_of("event_type"),
        root.text_of("object"),
    ];
    let name = names.into_iter().find(|name| !name.is_empty());
    sink.other(name.unwrap_or(wire.event), wire.doc.text);
}
