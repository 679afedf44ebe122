//! `tgi`: the native `/generate_stream` of text-generation-inference.
//!
//! Wire: `data:{"token":{…},"generated_text":null,…}` events; the last has the whole text and the
//! details.

use super::Wire;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::usage;

/// What is known of the reply so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let Some(token) = root.get("token") else {
            return false;
        };
        for (key, _) in root.members().chain(token.members()) {
            if !matches!(
                key,
                "token" | "details" | "generated_text" | "special" | "text"
            ) {
                sink.ignored(key);
            }
        }
        // Special tokens, such as the end of the sequence, are not part of the text.
        if token.get("special").is_none_or(Value::is_empty) {
            sink.piece(Kind::Text, 0, token.text_of("text"));
        }
        if let Some(details) = root.get("details").filter(|details| details.is_object()) {
            // The counts stand beside the finish reason, and are not told from it.
            sink.unique();
            self.progress
                .choice(0, details.text_of("finish_reason"), sink);
            self.progress.usage(usage::read(details, sink), sink);
        }
        if root
            .get("generated_text")
            .is_some_and(|text| text.str().is_some())
        {
            self.progress.done(sink);
        }
        true
    }
}
