//! `replicate`: Replicate's prediction streams.
//!
//! Format: `event: output` with the text as it is, no JSON, over as many `data` lines as it has;
//! `event: done` with `{}` or a reason; `event: error` with a message.

use super::members::type_of;
use super::{Dialect, Spec};
use crate::delta::FinishReason;
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::error::ProviderError;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Replicate,
    name: "replicate",
    detect: |payload| type_of(payload).is_none() && payload.event == OUTPUT,
    plain_text_event: Some(OUTPUT),
    event,
    text: Some(text),
    ..Spec::DEFAULT
};

/// The type of the events that carry the reply.
const OUTPUT: &str = "output";

/// Reads an event whose data is text. Returns false for one whose data is JSON.
fn text(event: &str, text: &str, queue: &mut Queue) -> bool {
    // Text, of which every space counts.
    queue.unique();
    let is_json = text.trim_start().starts_with('{');
    match event {
        OUTPUT => queue.piece(TextKind::Text, 0, text),
        "done" => return false,
        _ if is_json => return false,
        "error" => ProviderError {
            message: text,
            ..ProviderError::default()
        }
        .report_as(text.as_bytes(), queue),
        // The prediction's log, and what is newer than this.
        event => queue.other(event, text.as_bytes()),
    }
    true
}

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    if payload.event != "done" {
        return false;
    }
    let raw = payload.doc.root.text_of("reason");
    let reason = match raw {
        "error" => FinishReason::Error,
        _ => FinishReason::Other,
    };
    progress.finish(0, reason, raw, queue);
    progress.done(queue);
    true
}
