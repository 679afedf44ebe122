//! `cohere`: Cohere Chat v2.
//!
//! Format: `event: T` and `data: {"type":"T",…}` from `message-start` to `message-end`, behind which
//! `[DONE]` may follow. `tool_calls` is an object here, not a list.

use super::members::type_of;
use super::{Dialect, Spec};
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
    dialect: Dialect::Cohere,
    name: "cohere",
    detect: |payload| type_of(payload).is_some_and(is_type),
    // The response has no type, and its message has no content if there is no text.
    detect_body: Some(|payload| {
        let root = payload.doc.root;
        root.get("message").is_some_and(Value::is_object) && root.get("finish_reason").is_some()
    }),
    event,
    complete_body: Some(complete_body),
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let delta = root.get("delta").unwrap_or(root);
    let message = delta.get("message").unwrap_or(delta);
    match root.text_of("type") {
        "content-delta" | "content-start" => content(message, queue),
        "tool-call-start" | "tool-call-delta" => {
            let index = root.get("index").and_then(Value::index);
            if let Some(call) = message.get("tool_calls") {
                tool_call(progress, index, call, queue);
            }
        }
        "message-start" => {
            progress.start(root.text_of("id"), "", message.text_of("role"), queue);
        }
        "message-end" => {
            end(progress, delta, queue);
            if let Some(error) = delta.get("error").filter(|error| !error.is_empty()) {
                ProviderError::read(error).report(&payload.doc, queue);
            }
            progress.done(queue);
        }
        "content-end" | "tool-call-end" | "citation-end" => {}
        // The plan before tool calls, citations, and what is newer than this.
        _ => return false,
    }
    true
}

/// Interprets a non-streaming response.
fn complete_body(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let message = root.get("message").unwrap_or(root);
    progress.start(root.text_of("id"), "", message.text_of("role"), queue);
    for part in message.get("content").into_iter().flat_map(Value::elements) {
        piece(part, queue);
    }
    let calls = message
        .get("tool_calls")
        .into_iter()
        .flat_map(Value::elements);
    for (index, call) in (0..).zip(calls) {
        tool_call(progress, Some(index), call, queue);
    }
    end(progress, root, queue);
    true
}

fn tool_call(progress: &mut Progress, index: Option<i32>, call: Value<'_>, queue: &mut Queue) {
    let function = call.get("function").unwrap_or(call);
    let arguments = function.text_of("arguments");
    let what = Call {
        index,
        id: call.text_of("id"),
        name: function.text_of("name"),
        has_arguments: !arguments.is_empty(),
        ..Call::default()
    };
    let index = progress.tools.call(&what, queue);
    queue.tool_call_arguments(0, index, arguments, false);
}

fn end(progress: &mut Progress, end: Value<'_>, queue: &mut Queue) {
    progress.choice(0, end.text_of("finish_reason"), queue);
    progress.usage(usage::of(end.get("usage"), queue), queue);
}

fn content(message: Value<'_>, queue: &mut Queue) {
    if let Some(content) = message.get("content") {
        piece(content, queue);
    }
}

fn piece(content: Value<'_>, queue: &mut Queue) {
    queue.piece(TextKind::Reasoning, 0, content.text_of("thinking"));
    queue.piece(TextKind::Text, 0, content.text_of("text"));
}

/// Returns true for the type of an event.
fn is_type(name: &str) -> bool {
    matches!(
        name,
        "message-start"
            | "message-end"
            | "content-start"
            | "content-delta"
            | "content-end"
            | "tool-plan-delta"
            | "tool-call-start"
            | "tool-call-delta"
            | "tool-call-end"
            | "citation-start"
            | "citation-end"
    )
}
