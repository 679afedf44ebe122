//! `openai-assistants`: runs of OpenAI's Assistants API.
//!
//! Format: `event: thread.…` and `data: {…}` without a type of its own, at the end `event: done` with
//! `[DONE]`.

use super::members::type_of;
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
    dialect: Dialect::OpenAiAssistants,
    name: "openai-assistants",
    ends_with_done: true,
    detect: |payload| type_of(payload).is_none() && payload.event.starts_with("thread."),
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let Some(name) = payload.event.strip_prefix("thread.") else {
        return false;
    };
    match name {
        "message.delta" => {
            for part in content(root) {
                match part.get("text") {
                    Some(text) => queue.piece(TextKind::Text, 0, text.text_of("value")),
                    None => queue.other(part.text_of("type"), payload.doc.text),
                }
            }
        }
        "run.step.delta" => step(progress, root, payload, queue),
        "run.created" | "run.queued" | "run.in_progress" | "run.cancelling" => {
            start(progress, root, queue);
        }
        "run.completed"
        | "run.requires_action"
        | "run.incomplete"
        | "run.failed"
        | "run.cancelled"
        | "run.expired" => end(progress, root, payload, queue),
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

fn start(progress: &mut Progress, run: Value<'_>, queue: &mut Queue) {
    progress.start(run.text_of("id"), run.text_of("model"), "assistant", queue);
}

fn step(progress: &mut Progress, root: Value<'_>, payload: &Payload<'_>, queue: &mut Queue) {
    let details = root
        .get("delta")
        .and_then(|delta| delta.get("step_details"));
    let calls = details.and_then(|details| details.get("tool_calls"));
    for call in calls.into_iter().flat_map(Value::elements) {
        let Some(function) = call.get("function") else {
            queue.other(call.text_of("type"), payload.doc.text);
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
        let index = progress.tools.call(&call, queue);
        queue.tool_call_arguments(0, index, arguments, false);
    }
}

fn end(progress: &mut Progress, run: Value<'_>, payload: &Payload<'_>, queue: &mut Queue) {
    start(progress, run, queue);
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
    progress.finish(0, reason, raw, queue);
    progress.usage(usage::of(run.get("usage"), queue), queue);
    if let Some(error) = run.get("last_error").filter(|error| !error.is_empty()) {
        ProviderError::read(error).report(&payload.doc, queue);
    }
}

fn content(root: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let content = root.get("delta").and_then(|delta| delta.get("content"));
    content.into_iter().flat_map(Value::elements)
}
