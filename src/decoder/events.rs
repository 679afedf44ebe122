//! From a framing's items to deltas: what no framing and no template knows.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Error, Fields};
use crate::dialect::error::{Said, report, report_text};
use crate::dialect::json::{self, Doc, NotJson};
use crate::dialect::lent::Lent;
use crate::dialect::progress::Version;
use crate::dialect::sink::Sink;
use crate::dialect::{Dialect, State, Wire, bedrock, by_event, recognise};
use crate::frame::{Event, Exception, Field, Framing, Item};
use crate::template::{Known, Templates};

/// How many bytes are kept of a body that is no event stream: enough for an error and its message.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// All of a decoder but its framing, whose items it reads.
pub(super) struct Events {
    pub(super) state: Option<Box<State>>,
    /// That of the stream before, for its memory.
    pub(super) spare: Option<Box<State>>,
    pub(super) sink: Lent,
    pub(super) fields: Fields,
    /// Lines that are no part of an event stream: perhaps an error, perhaps a web page.
    pub(super) body: Vec<u8>,
    /// A model's own JSON, taken out of the frame that carried it in base64.
    pub(super) inner: Vec<u8>,
    pub(super) events: u64,
    pub(super) comments: u64,
    /// The stream is one of lines, not of events.
    pub(super) is_ndjson: bool,
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
        let len = templates.replay(bytes, known, max, &mut self.sink)?;
        self.events += 1;
        Some(len)
    }

    /// Reads an item into the sink.
    pub(super) fn item(&mut self, item: &Item<'_>) -> Result<(), Error> {
        self.sink.clear();
        let read = self.read(item);
        self.see_version();
        read
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
                let read = self.event(event);
                read.map_err(|error| {
                    self.sink.other(&event.event.to_str(), &event.data);
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
            Item::Exception(exception) => {
                self.events += 1;
                self.exception(exception);
                Ok(())
            }
            Item::Retry(_) | Item::Blank(_) => Ok(()),
        }
    }

    /// Reads what the end of the stream left unfinished. An event whose payload is cut is none.
    pub(super) fn unfinished(&mut self, item: &Item<'_>) {
        let events = self.events;
        if self.item(item).is_err() {
            self.events = events;
            self.sink.clear();
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<(), NotJson> {
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
            let state = state.get_or_insert_with(|| State::begin(Dialect::Replicate, spare));
            if state.text(name, &event.data.to_str(), sink) {
                return Ok(());
            }
        }
        if payload == b"[DONE]" {
            // Before any chunk, behind an error say: all who send it are OpenAI's heirs.
            let Events {
                state, spare, sink, ..
            } = self;
            let state = state.get_or_insert_with(|| State::begin(Dialect::OpenAiChat, spare));
            state.done(sink);
            return Ok(());
        }
        if payload.is_empty() {
            return Ok(());
        }
        let is_chunk = name == "chunk" && self.dialect() == Some(Dialect::Bedrock);
        let has_inner = json::read(payload, |doc| {
            if is_chunk && bedrock::chunk(&doc, &mut self.inner) {
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
            Err(_) if name == "error" && report_text(payload, &mut self.sink) => Ok(()),
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
        let name = exception.name.to_str();
        let read = json::read(&exception.data, |doc| {
            Said {
                name: &name,
                ..Said::read(doc.root)
            }
            .report(&doc, sink);
        });
        if read.is_err() {
            let message = exception.data.to_str();
            let said = Said {
                name: &name,
                message: &message,
                ..Said::default()
            };
            said.report_as(&exception.data, sink);
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
            body,
            ..
        } = self;
        if *field.name == *b"error" {
            let read = json::read(&field.value, |doc| report(&doc, true, sink));
            if read.is_err() {
                report_text(&field.value, sink);
            }
        }
        let line = field.raw.trim_ascii();
        if state.is_none() && body.is_empty() && line.starts_with(b"{") {
            let is_line = json::read(line, |doc| {
                let wire = Wire {
                    event: "",
                    doc,
                    fields,
                };
                match recognise(&wire) {
                    Some(dialect) if dialect.framing() == Framing::Ndjson => {
                        *state = Some(State::begin(dialect, spare));
                        read_event(&wire, state, spare, sink);
                        true
                    }
                    _ => false,
                }
            });
            if is_line.unwrap_or(false) {
                self.events += 1;
                self.is_ndjson = true;
                return;
            }
        }
        // Its end is kept as LF, whatever it was: where a chunk's end cuts a CRLF, nobody knows of the LF.
        let text = without_end(field.raw);
        let room = MAX_BODY_BYTES.saturating_sub(body.len());
        body.extend(text.iter().chain(b"\n").take(room));
    }

    /// Looks at what came beside the events, once there are no more.
    pub(super) fn finish(&mut self) {
        self.sink.clear();
        self.finished = true;
        let Events {
            state, sink, body, ..
        } = self;
        if let Some(state) = state {
            state.progress_mut().at_end(sink);
        }
        // An error may stand behind other lines that are no part of a stream. What is no JSON is
        // nothing to report, and `seen` has it.
        let lines = body.split_inclusive(|byte| *byte == b'\n');
        let mut start = 0;
        for line in lines {
            let is_start = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
            let document = body.get(start..).unwrap_or_default().trim_ascii();
            if is_start && json::read(document, |doc| report(&doc, false, sink)).is_ok() {
                break;
            }
            start += line.len();
        }
    }
}

/// A line without its end: CRLF, CR or LF.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Reads a parsed event, recognising its dialect where none is known.
fn read_event(
    wire: &Wire<'_>,
    state: &mut Option<Box<State>>,
    spare: &mut Option<Box<State>>,
    sink: &mut Sink,
) {
    sink.begin(&wire.doc);
    if state.is_none() {
        *state = recognise(wire).map(|dialect| State::begin(dialect, spare));
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
