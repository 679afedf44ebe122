//! Recognising the dialect of a stream by one of its events.
//!
//! Only names of members, types and events count. The order of members does not.

use super::{SPECS, Spec, cohere, openai_responses, replicate};
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::{Payload, error};
use crate::tape::Value;

/// Returns the first dialect that has such an event.
pub(crate) fn recognise(payload: &Payload<'_>) -> Option<&'static Spec> {
    let mut specs = SPECS.iter().copied();
    specs.find(|spec| (spec.detect)(payload))
}

/// Returns the dialect whose events of this type carry plain text instead of JSON.
pub(crate) fn with_plain_text(event: &str) -> Option<&'static Spec> {
    (event == replicate::OUTPUT).then_some(&replicate::SPEC)
}

/// Interprets a non-streaming response. Returns false if it belongs to no known dialect.
pub(crate) fn read_complete_body(
    progress: &mut Progress,
    payload: &Payload<'_>,
    queue: &mut Queue,
) -> bool {
    let root = payload.doc.root;
    let is_responses = root.text_of("object") == "response";
    // Cohere's response has no type, and without text its message has no content.
    let is_cohere =
        root.get("message").is_some_and(Value::is_object) && root.get("finish_reason").is_some();
    let spec = if is_responses {
        Some(&openai_responses::SPEC)
    } else if is_cohere {
        Some(&cohere::SPEC)
    } else {
        recognise(payload)
    };
    match spec {
        Some(spec) => spec.complete_body.unwrap_or(spec.event)(progress, payload, queue),
        None => error::report(&payload.doc, false, queue),
    }
}

/// Returns the payload's own type, or `None` if it names none.
pub(super) fn type_of<'d>(payload: &Payload<'d>) -> Option<&'d str> {
    payload.doc.root.get("type").and_then(Value::str)
}

/// Returns true if the object has a string by this name.
pub(super) fn has_text(object: Value<'_>, key: &str) -> bool {
    object.get(key).is_some_and(|value| value.str().is_some())
}
