//! `gemini-interactions`: Google's Interactions API.
//!
//! Wire: named events whose JSON has the name as `event_type`; older servers say `content` and
//! `interaction.complete` where newer ones say `step` and `interaction.completed`. At the end
//! `event: done` with `[DONE]`.

use super::Wire;
use super::error::Said;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;
use crate::delta::FinishReason;

/// What is known of the interaction so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let index = root.get("index").and_then(Value::index).unwrap_or_default();
        let object = |key| root.get(key).unwrap_or(root);
        match root.text_of("event_type") {
            "step.delta" | "content.delta" => self.delta(index, object("delta"), wire, sink),
            "step.start" => self.step(index, object("step"), wire, sink),
            "content.start" => self.step(index, object("content"), wire, sink),
            "interaction.start" | "interaction.created" => self.start(object("interaction"), sink),
            "interaction.complete" | "interaction.completed" => {
                self.end(object("interaction"), sink);
            }
            "interaction.status_update" | "step.stop" | "content.stop" => {}
            "error" => Said::read(root).report(&wire.doc, sink),
            _ => return false,
        }
        true
    }

    fn start(&mut self, interaction: Value<'_>, sink: &mut Sink) {
        let (id, model) = (interaction.text_of("id"), interaction.text_of("model"));
        self.progress
            .start(id, model, interaction.text_of("role"), sink);
    }

    fn step(&mut self, index: i32, step: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        match step.text_of("type") {
            "function_call" => self.function_call(index, step, wire, sink),
            "thought" => sink.piece(Kind::Reasoning, 0, step.text_of("text")),
            "model_output" | "text" => sink.piece(Kind::Text, 0, step.text_of("text")),
            kind => sink.other(kind, wire.doc.text),
        }
    }

    fn function_call(&mut self, index: i32, call: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let what = Call {
            index: Some(index),
            id: call.text_of("id"),
            name: call.text_of("name"),
            ..Call::default()
        };
        let index = self.progress.tools.call(&what, sink);
        match call.get("arguments") {
            Some(arguments) if arguments.is_object() && !arguments.is_empty() => {
                let text = wire.doc.member_text(call, "arguments").unwrap_or_default();
                sink.tool_call_arguments(0, index, text, true);
            }
            Some(arguments) => sink.tool_call_arguments(0, index, arguments.text(), false),
            None => {}
        }
    }

    fn delta(&mut self, index: i32, delta: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let content = delta
            .get("content")
            .map_or("", |content| content.text_of("text"));
        match delta.text_of("type") {
            "text" => sink.piece(Kind::Text, 0, delta.text_of("text")),
            "thought_summary" => sink.piece(Kind::Reasoning, 0, content),
            "thought" => sink.piece(Kind::Reasoning, 0, delta.text_of("thought")),
            "function_call" | "arguments_delta" => self.function_call(index, delta, wire, sink),
            "thought_signature" if delta.text_of("signature").is_empty() => {}
            kind => sink.other(kind, wire.doc.text),
        }
    }

    fn end(&mut self, interaction: Value<'_>, sink: &mut Sink) {
        self.start(interaction, sink);
        let raw = interaction.text_of("status");
        let reason = match raw {
            "completed" => self.progress.stop_or_tool_calls(0),
            "requires_action" => FinishReason::ToolCalls,
            "incomplete" => FinishReason::Length,
            "failed" => FinishReason::Error,
            _ => FinishReason::Other,
        };
        self.progress.finish(0, reason, raw, sink);
        self.progress
            .usage(usage::of(interaction.get("usage"), sink), sink);
        self.progress.done(sink);
    }
}
