//! `watsonx`: the native text generation of IBM watsonx.ai.
//!
//! Format: `event: message` with an `id`, `data: {"results":[{"generated_text":…,"stop_reason":…}]}`.
//! The last piece has a stop reason that is not `not_finished`.

use super::{Dialect, Spec};
use crate::delta::TextKind;
use crate::delta::Usage;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Watsonx,
    name: "watsonx",
    detect: has_generated_text,
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let Some(results) = root.get("results") else {
        return false;
    };
    progress.start("", root.text_of("model_id"), "", queue);
    for (choice, result) in (0..).zip(results.elements()) {
        queue.piece(TextKind::Text, choice, result.text_of("generated_text"));
        let count = |key| result.get(key).and_then(Value::u64);
        let usage = Usage {
            // Told once, in the first piece; all others say 0.
            input_tokens: count("input_token_count").filter(|count| *count > 0),
            output_tokens: count("generated_token_count"),
            ..Usage::default()
        };
        let raw = result.text_of("stop_reason");
        let is_last = !raw.is_empty() && raw != "not_finished";
        progress.choice(choice, if is_last { raw } else { "" }, queue);
        progress.usage(usage, queue);
        if is_last {
            progress.done(queue);
        }
    }
    true
}

/// Returns true if the first result has generated text.
fn has_generated_text(payload: &Payload<'_>) -> bool {
    let results = payload.doc.root.get("results");
    let first = results.and_then(|results| results.elements().next());
    first.is_some_and(|result| result.get("generated_text").is_some())
}
