//! Recognising the dialect of a stream by one of its events.
//!
//! Only names of members, types and events count. The order of members does not.

use super::{SPECS, Spec};
use crate::json::{Malformed, Reader, Span, Str, Value};
use crate::reply::Payload;
use crate::reply::walk::{Member, get};

/// The members of a payload's root by which dialects differ.
#[derive(Default)]
pub(crate) struct Outline<'d> {
    payload: Option<Payload<'d>>,
    /// The type that the framing gave the event.
    pub(super) event: &'d str,
    /// The payload's own type; `None` if it names none.
    pub(super) kind: Option<Str<'d>>,
    pub(super) object: Str<'d>,
    pub(super) choices: Option<Span>,
    pub(super) results: Option<Span>,
    pub(super) message: Option<Span>,
    pub(super) response: Member<'d>,
    pub(super) token: Option<Span>,
    pub(super) has_event_type: bool,
    pub(super) has_gemini: bool,
    pub(super) has_completion: bool,
    pub(super) has_content: bool,
    pub(super) has_stop: bool,
    pub(super) has_done: bool,
    pub(super) has_finish_reason: bool,
}

impl<'d> Outline<'d> {
    /// Reads the outline of a payload, all of which is checked.
    pub(crate) fn read(payload: Payload<'d>) -> Result<Self, Malformed> {
        let mut outline = Outline {
            payload: Some(payload),
            event: payload.event,
            ..Outline::default()
        };
        let mut whole = Reader::new(payload.text);
        let (root, _) = whole.check(payload.places)?;
        whole.end()?;
        let Value::Object(root) = root else {
            return Ok(outline);
        };
        let mut reader = payload.reader(root);
        reader.members(|reader, key| {
            match key.name() {
                "choices" => outline.choices = Member::read(reader)?.as_array(),
                "type" => outline.kind = Member::read(reader)?.value.str(),
                "object" => outline.object = Member::read(reader)?.str(),
                "event_type" => {
                    outline.has_event_type = Member::read(reader)?.value.str().is_some();
                }
                "candidates" | "promptFeedback" | "usageMetadata" => {
                    reader.skip()?;
                    outline.has_gemini = true;
                }
                "response" => outline.response = Member::read(reader)?,
                "completion" => {
                    outline.has_completion = Member::read(reader)?.value.str().is_some();
                }
                "token" => outline.token = Member::read(reader)?.as_object(),
                "results" => outline.results = Member::read(reader)?.as_array(),
                "done" => {
                    reader.skip()?;
                    outline.has_done = true;
                }
                "message" => outline.message = Member::read(reader)?.as_object(),
                "content" => {
                    outline.has_content = Member::read(reader)?.value.str().is_some();
                }
                "stop" => outline.has_stop = Member::read(reader)?.value.bool().is_some(),
                "finish_reason" => {
                    reader.skip()?;
                    outline.has_finish_reason = true;
                }
                _ => drop(reader.skip()?),
            }
            Ok(())
        })?;
        Ok(outline)
    }

    /// Returns true if an object has a member of this name.
    pub(super) fn has(&self, object: Span, name: &str) -> bool {
        self.payload
            .is_some_and(|payload| get(payload, object, name).span != Span::default())
    }

    /// Returns the first element of an array, if that is an object.
    pub(super) fn first(&self, array: Option<Span>) -> Option<Span> {
        let mut reader = self.payload?.reader(array?);
        let mut first = None;
        // The payload was checked, so this does not fail.
        let _ = reader.elements(|reader| {
            let element = Member::read(reader)?;
            first = first.or(Some(element));
            Ok(())
        });
        first?.as_object()
    }

    /// Returns the dialect whose stream has such an event.
    pub(crate) fn dialect(&self) -> Option<&'static Spec> {
        let mut specs = SPECS.iter().copied();
        specs.find(|spec| (spec.detect)(self))
    }

    /// Returns the dialect of a non-streaming response.
    pub(crate) fn dialect_of_body(&self) -> Option<&'static Spec> {
        let is_body = |spec: &&Spec| spec.detect_body.is_some_and(|detect| detect(self));
        let mut specs = SPECS.iter().copied();
        specs.find(is_body).or_else(|| self.dialect())
    }

    /// Returns true if `response` is an object with one of these members.
    pub(super) fn response_has(&self, names: &[&str]) -> bool {
        match self.response.value {
            Value::Object(object) => names.iter().any(|name| self.has(object, name)),
            _ => false,
        }
    }

    /// Returns true if the payload's own type satisfies a condition.
    pub(super) fn is_type(&self, is_type: fn(&str) -> bool) -> bool {
        self.kind
            .is_some_and(|kind| crate::json::with_short(kind, is_type))
    }
}

/// Returns the dialect whose events of this type carry plain text instead of JSON.
pub(crate) fn with_plain_text(event: &str) -> Option<&'static Spec> {
    let mut specs = SPECS.iter().copied();
    specs.find(|spec| spec.text_event == Some(event))
}
