//! `anthropic`: Anthropic Messages.
//!
//! Format: `event: T` and `data: {"type":"T",…}`: `message_start`, then content blocks, each begun,
//! continued by deltas and stopped, `message_delta` with the stop reason and the cumulative usage,
//! `message_stop`. After an `error` the stream ends without one.

use super::members::type_of;
use super::{Dialect, Spec};
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::error::ProviderError;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::queued::{NO_TEXT, Queued};
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::tape::Value;
use crate::template::Builtin;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Anthropic,
    name: "anthropic",
    detect: |payload| type_of(payload).is_some_and(is_type),
    event,
    complete_body: Some(complete_body),
    builtin: BUILTIN,
    ..Spec::DEFAULT
};

/// What a message is made of between its start and its end, as Anthropic writes it and all who pass
/// it on. Blocks are short, so learning would come late for most of them.
const BUILTIN: &[Builtin] = &[
    Builtin::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":#,"delta":{"type":"text_delta","text":"$"}~}"#,
            "\n\n"
        ),
        Some(piece(TextKind::Text)),
    ),
    Builtin::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":#,"delta":{"type":"thinking_delta","thinking":"$"}~}"#,
            "\n\n"
        ),
        Some(piece(TextKind::Reasoning)),
    ),
    Builtin::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":@,"delta":{"type":"input_json_delta","partial_json":"$"}~}"#,
            "\n\n"
        ),
        Some(Queued::ToolCallArguments {
            choice: 0,
            index: 0,
            fragment: NO_TEXT,
            whole: false,
            is_server: false,
        }),
    ),
    Builtin::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":@,"delta":{"type":"input_json_delta","partial_json":""}~}"#,
            "\n\n"
        ),
        None,
    ),
    Builtin::new(
        concat!(
            "event: content_block_stop\n",
            r#"data: {"type":"content_block_stop","index":#~}"#,
            "\n\n"
        ),
        None,
    ),
    Builtin::new(
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":#,"content_block":{"type":"text","text":""}~}"#,
            "\n\n"
        ),
        None,
    ),
    Builtin::new(
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":#,"content_block":{"type":"thinking","thinking":"","signature":""}~}"#,
            "\n\n"
        ),
        None,
    ),
];

const fn piece(kind: TextKind) -> Queued {
    Queued::Piece {
        kind,
        choice: 0,
        text: NO_TEXT,
    }
}

/// Reads one event. Returns false if the dialect has no such event.
pub(super) fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let mut name = "";
    let mut index = 0;
    let mut index_key = None;
    let mut object = None;
    let mut counts = None;
    for (key, value) in root.members() {
        match key {
            "type" => name = value.text(),
            "index" => {
                index = value.index().unwrap_or_default();
                index_key = Some(key);
            }
            "message" | "content_block" | "delta" => object = Some(value),
            "usage" => counts = Some(value),
            _ => queue.ignored(key),
        }
    }
    match (name, object) {
        ("content_block_delta", Some(delta)) => self::delta(progress, index, delta, payload, queue),
        ("content_block_start", Some(block)) => self::block(progress, index, block, payload, queue),
        ("content_block_stop", _) => {}
        ("message_start", Some(message)) => {
            start(progress, message, queue);
            let blocks = message.get("content").into_iter().flat_map(Value::elements);
            for (index, block) in (0..).zip(blocks) {
                self::block(progress, index, block, payload, queue);
            }
        }
        ("message_delta", Some(delta)) => {
            progress.choice(0, delta.text_of("stop_reason"), queue);
            progress.usage(usage::of(counts, queue), queue);
        }
        ("message_stop", _) => progress.done(queue),
        ("error", _) => ProviderError::read(root).report(&payload.doc, queue),
        _ => return false,
    }
    // Blocks of text have no number in the model.
    if let Some(key) = index_key
        && !queue.uses_tools()
    {
        queue.ignored(key);
    }
    true
}

/// Interprets a non-streaming response.
fn complete_body(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    start(progress, root, queue);
    let blocks = root.get("content").into_iter().flat_map(Value::elements);
    for (index, block) in (0..).zip(blocks) {
        self::block(progress, index, block, payload, queue);
    }
    progress.choice(0, root.text_of("stop_reason"), queue);
    true
}

fn start(progress: &mut Progress, message: Value<'_>, queue: &mut Queue) {
    let (id, model, role) = (
        message.text_of("id"),
        message.text_of("model"),
        message.text_of("role"),
    );
    progress.start(id, model, role, queue);
    progress.usage(usage::of(message.get("usage"), queue), queue);
}

fn block(
    progress: &mut Progress,
    index: i32,
    block: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let kind = block.text_of("type");
    match kind {
        "text" => queue.piece(TextKind::Text, 0, block.text_of("text")),
        "thinking" => queue.piece(TextKind::Reasoning, 0, block.text_of("thinking")),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let call = Call {
                index: Some(index),
                id: block.text_of("id"),
                name: block.text_of("name"),
                is_server: kind != "tool_use",
                ..Call::default()
            };
            let index = progress.tools.call(&call, queue);
            // An empty object only keeps the place of what the deltas bring.
            if block.get("input").is_some_and(|input| !input.is_empty()) {
                let arguments = payload.doc.member_text(block, "input").unwrap_or_default();
                progress.arguments(0, index, arguments, true, queue);
            }
        }
        kind => queue.other(kind, payload.doc.text),
    }
}

fn delta(
    progress: &mut Progress,
    index: i32,
    delta: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let mut name = "";
    let mut text = "";
    for (key, value) in delta.members() {
        match key {
            "type" => name = value.text(),
            "text" | "thinking" | "partial_json" => text = value.text(),
            _ => queue.ignored(key),
        }
    }
    match name {
        "text_delta" => queue.piece(TextKind::Text, 0, text),
        "thinking_delta" => queue.piece(TextKind::Reasoning, 0, text),
        "input_json_delta" => {
            let call = Call {
                index: Some(index),
                ..Call::default()
            };
            let index = progress.tools.call(&call, queue);
            progress.arguments(0, index, text, false, queue);
        }
        // Signatures, citations, summaries of what was compacted.
        name => queue.other(name, payload.doc.text),
    }
}

/// Returns true for the type of a message, or of one of its events.
fn is_type(name: &str) -> bool {
    matches!(
        name,
        "message_start"
            | "message_delta"
            | "message_stop"
            | "content_block_start"
            | "content_block_delta"
            | "content_block_stop"
            | "message"
    )
}
