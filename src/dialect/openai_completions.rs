//! `openai-completions`: OpenAI legacy completions.
//!
//! Format: as chat completions, but a choice has its piece of the reply in `text`.

use super::openai_chat::Chunk;
use super::openai_chat::{has_choices, has_legacy_choices};
use super::{Dialect, Spec};
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiCompletions,
    name: "openai-completions",
    ends_with_done: true,
    detect: |payload| has_choices(payload) && has_legacy_choices(payload),
    event,
    ..Spec::DEFAULT
};

/// Reads one chunk. Returns false where it is none.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let doc = &payload.doc;
    let mut chunk = Chunk::default();
    if !chunk.read(doc, progress, queue) {
        return false;
    }
    let mut has_logprobs = false;
    for choice in chunk.choices() {
        let mut index = 0;
        let mut text = "";
        let mut finish = "";
        for (key, value) in choice.members() {
            match key {
                "index" => index = value.choice().unwrap_or(0),
                "text" => text = value.text(),
                "finish_reason" => finish = value.text(),
                "logprobs" => has_logprobs |= !value.is_empty(),
                _ => queue.ignored(key),
            }
        }
        queue.piece(TextKind::Text, index, text);
        progress.choice(index, finish, queue);
    }
    chunk.finish(doc, progress, queue);
    if has_logprobs {
        queue.other("logprobs", doc.text);
    }
    true
}
