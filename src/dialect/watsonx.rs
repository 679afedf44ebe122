//! `watsonx`: the native text generation of IBM watsonx.ai.
//!
//! Wire: `event: message` with an `id`, `data: {"results":[{"generated_text":…,"stop_reason":…}]}`.
//! The last piece has a stop reason that is not `not_finished`.

use super::Wire;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use crate::delta::Usage;

/// What is known of the reply so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let Some(results) = root.get("results") else {
            return false;
        };
        self.progress.start("", root.text_of("model_id"), "", sink);
        for (choice, result) in (0..).zip(results.elements()) {
            sink.piece(Kind::Text, choice, result.text_of("generated_text"));
            let count = |key| result.get(key).and_then(Value::u64);
            let usage = Usage {
                // Told once, in the first piece; all others say 0.
                input_tokens: count("input_token_count").filter(|count| *count > 0),
                output_tokens: count("generated_token_count"),
                ..Usage::default()
            };
            let raw = result.text_of("stop_reason");
            let is_last = !raw.is_empty() && raw != "not_finished";
            self.progress
                .choice(choice, if is_last { raw } else { "" }, sink);
            self.progress.usage(usage, sink);
            if is_last {
                self.progress.done(sink);
            }
        }
        true
    }
}
