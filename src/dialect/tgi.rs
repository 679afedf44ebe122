//! `tgi`: the native `/generate_stream` of text-generation-inference.
//!
//! Format: `data:{"token":{…},"generated_text":null,…}` events; the last has the whole text and the
//! details.

use super::{Dialect, Spec};
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::usage;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Tgi,
    name: "tgi",
    detect: |payload| {
        let token = payload.doc.root.get("token");
        token.is_some_and(|token| token.get("text").is_some())
    },
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let Some(token) = root.get("token") else {
        return false;
    };
    for (key, _) in root.members().chain(token.members()) {
        if !matches!(
            key,
            "token" | "details" | "generated_text" | "special" | "text"
        ) {
            queue.ignored(key);
        }
    }
    // Special tokens, such as the end of the sequence, are not part of the text.
    if token.get("special").is_none_or(Value::is_empty) {
        queue.piece(TextKind::Text, 0, token.text_of("text"));
    }
    if let Some(details) = root.get("details").filter(|details| details.is_object()) {
        // The counts stand beside the finish reason, and are not told from it.
        queue.unique();
        progress.choice(0, details.text_of("finish_reason"), queue);
        progress.usage(usage::read(details, queue), queue);
    }
    if root
        .get("generated_text")
        .is_some_and(|text| text.str().is_some())
    {
        progress.done(queue);
    }
    true
}
