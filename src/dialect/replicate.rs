//! `replicate`: Replicate's prediction streams.
//!
//! Format: `event: output` with the text as it is, not JSON, over as many `data` lines as it has;
//! `event: done` with `{}` or a reason; `event: error` with a message.

use super::{Dialect, Spec};
use crate::delta::{FinishReason, Scope, TextKind};
use crate::json::with_short;
use crate::json::{Malformed, Str};
use crate::reply::details::Path;
use crate::reply::error::report_text;
use crate::reply::walk::Walk;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Replicate,
    name: "replicate",
    event,
    text_event: Some(OUTPUT),
    text: Some(text),
    ..Spec::DEFAULT
};

/// The type of the events that carry the reply.
const OUTPUT: &str = "output";

/// Interprets an event whose data is text. Returns false if the data is JSON.
fn text(walk: &mut Walk<'_, '_>) -> bool {
    // Every space of the text counts.
    walk.queue.unique();
    let text = walk.payload.text;
    let is_json = text.trim_start().starts_with('{');
    match walk.payload.event {
        OUTPUT => {
            let part = walk.part(0, TextKind::Text as u8, 0, 0);
            walk.queue.plain_piece(TextKind::Text, 0, part, text);
        }
        "done" => return false,
        _ if is_json => return false,
        "error" => drop(report_text(text, walk.queue)),
        // The prediction's log, and events of a later version.
        event => walk.queue.other(event, text.as_bytes()),
    }
    true
}

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let root = walk.root()?.as_object();
    let (Some(root), "done") = (root, walk.payload.event) else {
        return Ok(false);
    };
    let mut raw = Str::default();
    walk.object(root, Scope::Response, &Path::ROOT, |_, key, member| {
        key == "reason" && member.text(&mut raw)
    });
    let reason = with_short(raw, |raw| match raw {
        "error" => FinishReason::Error,
        _ => FinishReason::Other,
    });
    walk.progress.finish(0, reason, raw, walk.queue);
    walk.progress.done(walk.queue);
    Ok(true)
}
