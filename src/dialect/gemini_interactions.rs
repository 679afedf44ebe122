//! `gemini-interactions`: Google's Interactions API.
//!
//! Format: named events whose JSON has the name as `event_type`; older servers say `content` and
//! `interaction.complete` where newer ones say `step` and `interaction.completed`. At the end
//! `event: done` with `[DONE]`.

use super::members::has_text;
use super::{Dialect, Spec};
use crate::delta::FinishReason;
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::error::ProviderError;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::GeminiInteractions,
    name: "gemini-interactions",
    detect: |payload| has_text(payload.doc.root, "event_type"),
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let index = root.get("index").and_then(Value::index).unwrap_or_default();
    let object = |key| root.get(key).unwrap_or(root);
    match root.text_of("event_type") {
        "step.delta" | "content.delta" => delta(progress, index, object("delta"), payload, queue),
        "step.start" => step(progress, index, object("step"), payload, queue),
        "content.start" => step(progress, index, object("content"), payload, queue),
        "interaction.start" | "interaction.created" => {
            start(progress, object("interaction"), queue);
        }
        "interaction.complete" | "interaction.completed" => {
            end(progress, object("interaction"), queue);
        }
        "interaction.status_update" | "step.stop" | "content.stop" => {}
        "error" => ProviderError::read(root).report(&payload.doc, queue),
        _ => return false,
    }
    true
}

fn start(progress: &mut Progress, interaction: Value<'_>, queue: &mut Queue) {
    let (id, model) = (interaction.text_of("id"), interaction.text_of("model"));
    progress.start(id, model, interaction.text_of("role"), queue);
}

fn step(
    progress: &mut Progress,
    index: i32,
    step: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    match step.text_of("type") {
        "function_call" => function_call(progress, index, step, payload, queue),
        "thought" => queue.piece(TextKind::Reasoning, 0, step.text_of("text")),
        "model_output" | "text" => queue.piece(TextKind::Text, 0, step.text_of("text")),
        kind => queue.other(kind, payload.doc.text),
    }
}

fn function_call(
    progress: &mut Progress,
    index: i32,
    call: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let what = Call {
        index: Some(index),
        id: call.text_of("id"),
        name: call.text_of("name"),
        ..Call::default()
    };
    let index = progress.tools.call(&what, queue);
    match call.get("arguments") {
        Some(arguments) if arguments.is_object() && !arguments.is_empty() => {
            let text = payload
                .doc
                .member_text(call, "arguments")
                .unwrap_or_default();
            queue.tool_call_arguments(0, index, text, true);
        }
        Some(arguments) => queue.tool_call_arguments(0, index, arguments.text(), false),
        None => {}
    }
}

fn delta(
    progress: &mut Progress,
    index: i32,
    delta: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let content = delta
        .get("content")
        .map_or("", |content| content.text_of("text"));
    match delta.text_of("type") {
        "text" => queue.piece(TextKind::Text, 0, delta.text_of("text")),
        "thought_summary" => queue.piece(TextKind::Reasoning, 0, content),
        "thought" => queue.piece(TextKind::Reasoning, 0, delta.text_of("thought")),
        "function_call" | "arguments_delta" => {
            function_call(progress, index, delta, payload, queue);
        }
        "thought_signature" if delta.text_of("signature").is_empty() => {}
        kind => queue.other(kind, payload.doc.text),
    }
}

fn end(progress: &mut Progress, interaction: Value<'_>, queue: &mut Queue) {
    start(progress, interaction, queue);
    let raw = interaction.text_of("status");
    let reason = match raw {
        "completed" => progress.stop_or_tool_calls(0),
        "requires_action" => FinishReason::ToolCalls,
        "incomplete" => FinishReason::Length,
        "failed" => FinishReason::Error,
        _ => FinishReason::Other,
    };
    progress.finish(0, reason, raw, queue);
    progress.usage(usage::of(interaction.get("usage"), queue), queue);
    progress.done(queue);
}
