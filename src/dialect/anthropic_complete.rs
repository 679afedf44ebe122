//! `anthropic-complete`: Anthropic's legacy text completions.
//!
//! Format: `event: completion` and `data: {"completion":…,"stop_reason":…}`, with `ping` between. The
//! last piece has a stop reason.

use super::members::has_text;
use super::{Dialect, Spec};
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::AnthropicComplete,
    name: "anthropic-complete",
    detect: |payload| has_text(payload.doc.root, "completion"),
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let Some(text) = root.get("completion") else {
        return false;
    };
    // `log_id` is the only name that the response has.
    let id = Some(root.text_of("id")).filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(|| root.text_of("log_id"));
    progress.start(id, root.text_of("model"), "assistant", queue);
    queue.piece(TextKind::Text, 0, text.text());
    let finish = root.text_of("stop_reason");
    progress.choice(0, finish, queue);
    if !finish.is_empty() {
        progress.done(queue);
    }
    true
}
