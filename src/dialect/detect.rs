//! Recognising the dialect of a stream by one of its events.
//!
//! Only names of members, types and events count. The order of members does not.

use super::{SPECS, Spec};
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::{Payload, error};

/// Returns the first dialect that has such an event.
pub(crate) fn recognise(payload: &Payload<'_>) -> Option<&'static Spec> {
    let mut specs = SPECS.iter().copied();
    specs.find(|spec| (spec.detect)(payload))
}

/// Returns the dialect whose events of this type carry plain text instead of JSON.
pub(crate) fn with_plain_text(event: &str) -> Option<&'static Spec> {
    let mut specs = SPECS.iter().copied();
    specs.find(|spec| spec.plain_text_event == Some(event))
}

/// Interprets a non-streaming response. Returns false if it belongs to no known dialect.
pub(crate) fn read_complete_body(
    progress: &mut Progress,
    payload: &Payload<'_>,
    queue: &mut Queue,
) -> bool {
    let mut specs = SPECS.iter().copied();
    let spec = specs.find(|spec| spec.detect_body.is_some_and(|detect| detect(payload)));
    let spec = spec.or_else(|| recognise(payload));
    match spec {
        Some(spec) => spec.complete_body.unwrap_or(spec.event)(progress, payload, queue),
        None => error::report(&payload.doc, false, queue),
    }
}
