//! `llamacpp`: the native `/completion` of llama.cpp's server.
//!
//! Wire: `data: {"content":…,"stop":false}` events; the last of a prompt has `"stop":true`, a reason
//! and the counts. Several prompts interleave by `index`, each with a stop of its own, so the end is
//! noted at the end of the stream. The server's other routes speak `openai-chat` and the like.

use super::Wire;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::usage;
use crate::delta::FinishReason;

/// What is known of the replies so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let mut choice = 0;
        let (mut text, mut model, mut raw) = (None, "", "");
        let mut stop = None;
        let mut other = None;
        for (key, value) in root.members() {
            match key {
                "index" => choice = value.choice().unwrap_or_default(),
                "content" => text = value.str(),
                "stop" => stop = value.bool(),
                "model" => model = value.text(),
                "stop_type" => raw = value.text(),
                "completion_probabilities" | "prompt_progress" if !value.is_empty() => {
                    other = Some(key);
                }
                _ => {}
            }
        }
        let (Some(text), Some(stop)) = (text, stop) else {
            return false;
        };
        self.progress.start("", model, "", sink);
        sink.piece(Kind::Text, choice, text);
        if let Some(name) = other {
            sink.other(name, wire.doc.text);
        }
        if stop {
            self.stop(choice, raw, root, sink);
        } else {
            self.progress.choice(choice, "", sink);
            // Counts that grow with every piece are told with the last.
            for key in ["tokens_predicted", "tokens_evaluated", "tokens", "timings"] {
                for (name, _) in root.members().filter(|(name, _)| *name == key) {
                    sink.ignored(name);
                }
            }
        }
        self.progress.no_terminator = true;
        self.progress.complete = false;
        self.progress.complete = self.progress.is_complete();
        true
    }

    fn stop(&mut self, choice: u32, raw: &str, root: Value<'_>, sink: &mut Sink) {
        // Servers of before December 2024 have a member for each reason in place of a reason.
        let older = ["stopped_limit", "stopped_eos", "stopped_word"];
        let older = older
            .into_iter()
            .find(|key| root.get(key).and_then(Value::bool) == Some(true));
        let raw = match raw {
            "" => older.unwrap_or("stop"),
            raw => raw,
        };
        let reason = match raw {
            "eos" | "word" | "stop" | "stopped_eos" | "stopped_word" => FinishReason::Stop,
            "limit" | "stopped_limit" => FinishReason::Length,
            _ => FinishReason::Other,
        };
        self.progress.finish(choice, reason, raw, sink);
        // The counts stand among what else is read, and are not told from it.
        sink.unique();
        let counts = usage::read(root, sink);
        self.progress.usage(counts, sink);
    }
}
