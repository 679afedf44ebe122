//! `ollama`: Ollama's native chat and generate.
//!
//! Format: newline-delimited JSON, the last line with `"done":true`. Tool calls come whole, their
//! arguments as objects. An error in the middle is a line of its own, and the last.

use super::members::has_text;
use super::{Dialect, Spec};
use crate::delta::FinishReason;
use crate::delta::TextKind;
use crate::frame::Framing;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Ollama,
    name: "ollama",
    framing: Framing::Ndjson,
    detect: is_line,
    event,
    ..Spec::DEFAULT
};

/// Reads one line. Returns false where the dialect has no such line.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
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
            _ => queue.ignored(key),
        }
    }
    let Some(done) = done else { return false };
    progress.start(
        "",
        model,
        message.map_or("", |message| message.text_of("role")),
        queue,
    );
    queue.piece(TextKind::Reasoning, 0, thinking);
    queue.piece(TextKind::Text, 0, text);
    if let Some(message) = message {
        self::message(progress, message, payload, queue);
    }
    if done {
        // The counts stand among what else is read, and are not told from it.
        queue.unique();
        let reason = match raw {
            "stop" => progress.stop_or_tool_calls(0),
            "length" => FinishReason::Length,
            _ => FinishReason::Other,
        };
        progress.finish(0, reason, raw, queue);
        progress.usage(usage::read(root, queue), queue);
        progress.done(queue);
    }
    true
}

fn message(progress: &mut Progress, message: Value<'_>, payload: &Payload<'_>, queue: &mut Queue) {
    queue.piece(TextKind::Reasoning, 0, message.text_of("thinking"));
    queue.piece(TextKind::Text, 0, message.text_of("content"));
    if message
        .get("images")
        .is_some_and(|images| !images.is_empty())
    {
        queue.other("images", payload.doc.text);
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
        let index = progress.tools.call(&what, queue);
        let arguments = payload
            .doc
            .member_text(function, "arguments")
            .unwrap_or_default();
        queue.tool_call_arguments(0, index, arguments, true);
    }
}

/// Returns true for a line of chat or generate.
fn is_line(payload: &Payload<'_>) -> bool {
    let root = payload.doc.root;
    let has_message = root.get("message").is_some_and(Value::is_object);
    root.get("done").is_some() && (has_message || has_text(root, "response"))
}
