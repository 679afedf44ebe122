//! `openai-assistants`: runs of OpenAI's Assistants API.
//!
//! Wire: `event: thread.…` and `data: {…}` without a type of its own, at the end `event: done` with
//! `[DONE]`.

use super::Wire;
use super::error::Said;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;
use crate::delta::FinishReason;

/// What is known of the run so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let Some(name) = wire.event.strip_prefix("thread.") else {
            return false;
        };
        match name {
            "message.delta" => {
                for part in content(root) {
                    match part.get("text") {
                        Some(text) => sink.piece(Kind::Text, 0, text.text_of("value")),
                        None => sink.other(part.text_of("type"), wire.doc.text),
                    }
                }
            }
            "run.step.delta" => self.step(root, wire, sink),
            "run.created" | "run.queued" | "run.in_progress" | "run.cancelling" => {
                self.start(root, sink);
            }
            "run.completed"
            | "run.requires_action"
            | "run.incomplete"
            | "run.failed"
            | "run.cancelled"
            | "run.expired" => self.end(root, wire, sink),
            // Frames around what the deltas say.
            "created"
            | "message.created"
            | "message.in_progress"
            | "message.completed"
            | "run.step.created"
            | "run.step.in_progress"
            | "run.step.completed" => {}
            _ => return false,
        }
        true
    }

    fn start(&mut self, run: Value<'_>, sink: &mut Sink) {
        self.progress
            .start(run.text_of("id"), run.text_of("model"), "assistant", sink);
    }

    fn step(&mut self, root: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let details = root
            .get("delta")
            .and_then(|delta| delta.get("step_details"));
        let calls = details.and_then(|details| details.get("tool_calls"));
        for call in calls.into_iter().flat_map(Value::elements) {
            let Some(function) = call.get("function") else {
                sink.other(call.text_of("type"), wire.doc.text);
                continue;
            };
            let arguments = function.text_of("arguments");
            let call = Call {
                index: call.get("index").and_then(Value::index),
                id: call.text_of("id"),
                name: function.text_of("name"),
                has_arguments: !arguments.is_empty(),
                ..Call::default()
            };
            let index = self.progress.tools.call(&call, sink);
            sink.tool_call_arguments(0, index, arguments, false);
        }
    }

    fn end(&mut self, run: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        self.start(run, sink);
        let why = run
            .get("incomplete_details")
            .map_or("", |why| why.text_of("reason"));
        let raw = if why.is_empty() {
            run.text_of("status")
        } else {
            why
        };
        let reason = match raw {
            "completed" => FinishReason::Stop,
            "requires_action" => FinishReason::ToolCalls,
            "max_completion_tokens" | "max_prompt_tokens" => FinishReason::Length,
            "failed" => FinishReason::Error,
            _ => FinishReason::Other,
        };
        self.progress.finish(0, reason, raw, sink);
        self.progress.usage(usage::of(run.get("usage"), sink), sink);
        if let Some(error) = run.get("last_error").filter(|error| !error.is_empty()) {
            Said::read(error).report(&wire.doc, sink);
        }
    }
}

fn content(root: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let content = root.get("delta").and_then(|delta| delta.get("content"));
    content.into_iter().flat_map(Value::elements)
}
