//! `cohere`: Cohere Chat v2.
//!
//! Wire: `event: T` and `data: {"type":"T",…}` from `message-start` to `message-end`, behind which
//! `[DONE]` may follow. `tool_calls` is an object here, not a list.

use super::Wire;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let delta = root.get("delta").unwrap_or(root);
        let message = delta.get("message").unwrap_or(delta);
        match root.text_of("type") {
            "content-delta" | "content-start" => content(message, sink),
            "tool-call-start" | "tool-call-delta" => {
                let index = root.get("index").and_then(Value::index);
                if let Some(call) = message.get("tool_calls") {
                    self.tool_call(index, call, sink);
                }
            }
            "message-start" => {
                self.progress
                    .start(root.text_of("id"), "", message.text_of("role"), sink);
            }
            "message-end" => {
                self.end(delta, sink);
                if let Some(error) = delta.get("error").filter(|error| !error.is_empty()) {
                    super::error::Said::read(error).report(&wire.doc, sink);
                }
                self.progress.done(sink);
            }
            "content-end" | "tool-call-end" | "citation-end" => {}
            // The plan before tool calls, citations, and what is newer than this.
            _ => return false,
        }
        true
    }

    /// Reads a whole response.
    pub(crate) fn whole(&mut self, wire: &Wire<'_>, sink: &mut Sink) {
        let root = wire.doc.root;
        let message = root.get("message").unwrap_or(root);
        self.progress
            .start(root.text_of("id"), "", message.text_of("role"), sink);
        for part in message.get("content").into_iter().flat_map(Value::elements) {
            piece(part, sink);
        }
        let calls = message
            .get("tool_calls")
            .into_iter()
            .flat_map(Value::elements);
        for (index, call) in (0..).zip(calls) {
            self.tool_call(Some(index), call, sink);
        }
        self.end(root, sink);
    }

    fn tool_call(&mut self, index: Option<i32>, call: Value<'_>, sink: &mut Sink) {
        let function = call.get("function").unwrap_or(call);
        let arguments = function.text_of("arguments");
        let what = Call {
            index,
            id: call.text_of("id"),
            name: function.text_of("name"),
            has_arguments: !arguments.is_empty(),
            ..Call::default()
        };
        let index = self.progress.tools.call(&what, sink);
        sink.tool_call_arguments(0, index, arguments, false);
    }

    fn end(&mut self, end: Value<'_>, sink: &mut Sink) {
        self.progress.choice(0, end.text_of("finish_reason"), sink);
        self.progress.usage(usage::of(end.get("usage"), sink), sink);
    }
}

fn content(message: Value<'_>, sink: &mut Sink) {
    if let Some(content) = message.get("content") {
        piece(content, sink);
    }
}

fn piece(content: Value<'_>, sink: &mut Sink) {
    sink.piece(Kind::Reasoning, 0, content.text_of("thinking"));
    sink.piece(Kind::Text, 0, content.text_of("text"));
}
