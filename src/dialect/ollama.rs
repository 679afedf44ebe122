//! `ollama`: Ollama's native chat and generate.
//!
//! Wire: newline-delimited JSON, the last line with `"done":true`. Tool calls come whole, their
//! arguments as objects. An error in the middle is a line of its own, and the last.

use super::Wire;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;
use crate::delta::FinishReason;

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one line. Returns false where the dialect has no such line.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let mut message = None;
        let (mut model, mut text, mut thinking, mut raw) = ("", "", "", "");
        let mut done = None;
        for (key, value) in root.members() {
            match key {
                "model" => model = value.text(),
                "message" if value.is_object() => message = Some(value),
                "response" => text = value.text(),
                "thinking" => thinking = value.text(),
                "done" => done = Some(!value.is_empty()),
                "done_reason" => raw = value.text(),
                _ => sink.ignored(key),
            }
        }
        let Some(done) = done else { return false };
        self.progress.start(
            "",
            model,
            message.map_or("", |message| message.text_of("role")),
            sink,
        );
        sink.piece(Kind::Reasoning, 0, thinking);
        sink.piece(Kind::Text, 0, text);
        if let Some(message) = message {
            self.message(message, wire, sink);
        }
        if done {
            // The counts stand among what else is read, and are not told from it.
            sink.unique();
            let reason = match raw {
                "stop" => self.progress.stop_or_tool_calls(0),
                "length" => FinishReason::Length,
                _ => FinishReason::Other,
            };
            self.progress.finish(0, reason, raw, sink);
            self.progress.usage(usage::read(root, sink), sink);
            self.progress.done(sink);
        }
        true
    }

    fn message(&mut self, message: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        sink.piece(Kind::Reasoning, 0, message.text_of("thinking"));
        sink.piece(Kind::Text, 0, message.text_of("content"));
        if message
            .get("images")
            .is_some_and(|images| !images.is_empty())
        {
            sink.other("images", wire.doc.text);
        }
        for call in message
            .get("tool_calls")
            .into_iter()
            .flat_map(Value::elements)
        {
            let function = call.get("function").unwrap_or(call);
            let what = Call {
                index: function.get("index").and_then(Value::index),
                id: call.text_of("id"),
                name: function.text_of("name"),
                is_new: true,
                ..Call::default()
            };
            let index = self.progress.tools.call(&what, sink);
            let arguments = wire
                .doc
                .member_text(function, "arguments")
                .unwrap_or_default();
            sink.tool_call_arguments(0, index, arguments, true);
        }
    }
}
