//! `anthropic`: Anthropic Messages.
//!
//! Format: `event: T` and `data: {"type":"T",…}`: `message_start`, then content blocks, each started,
//! continued by deltas and stopped, `message_delta` with the stop reason and the cumulative usage,
//! `message_stop`. After an `error` the stream ends without it.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind};
use crate::json::with_short;
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::error::ProviderError;
use crate::reply::parts::BLOCK;
use crate::reply::queued::{CallRef, Queued, TextSpan};
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};
use crate::template::Builtin;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Anthropic,
    name: "anthropic",
    detect: |outline| outline.is_type(is_type),
    event,
    complete_body: Some(complete_body),
    builtin: BUILTIN,
    ..Spec::DEFAULT
};

/// The events between the start and the end of a message, as Anthropic and its proxies write them.
/// Blocks are short, so learning would come late for most of them.
const BUILTIN: &[Builtin] = &[
    Builtin::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":%,"delta":{"type":"text_delta","text":"$"}~}"#,
            "\n\n"
        ),
        Some(piece(TextKind::Text)),
    ),
    Builtin::new(
        concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":%,"delta":{"type":"thinking_delta","thinking":"$"}~}"#,
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
        Some(Queued::Arguments {
            call: CallRef {
                choice: 0,
                part: 0,
                index: 0,
                is_server: false,
            },
            fragment: TextSpan::NONE,
            whole: false,
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
            r#"data: {"type":"content_block_stop","index":%~}"#,
            "\n\n"
        ),
        None,
    ),
    Builtin::new(
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":%,"content_block":{"type":"text","text":""}~}"#,
            "\n\n"
        ),
        None,
    ),
    Builtin::new(
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":%,"content_block":{"type":"thinking","thinking":"","signature":""}~}"#,
            "\n\n"
        ),
        None,
    ),
];

const fn piece(kind: TextKind) -> Queued {
    Queued::Piece {
        kind,
        choice: 0,
        part: 0,
        text: TextSpan::NONE,
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

/// The members of an event.
#[derive(Default)]
struct Event<'d> {
    kind: Str<'d>,
    index: Option<i32>,
    object: Option<Span>,
    usage: Member<'d>,
}

/// Interprets an event. Returns false if the dialect has no such event.
pub(super) fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut event = Event::default();
    let members = walk.queue.begin_object();
    walk.members(root, |_, key, member| match key {
        "type" => member.text(&mut event.kind),
        "index" => member.index(&mut event.index),
        "message" | "content_block" | "delta" => member.object(&mut event.object),
        "usage" => {
            event.usage = member;
            member.as_object().is_some() || member.value.is_null()
        }
        // Bedrock reads its own counts.
        "amazon-bedrock-invocationMetrics" => true,
        _ => false,
    });
    let is_known = with_short(event.kind, |kind| {
        match (kind, event.object) {
            ("content_block_delta", Some(object)) => delta(&event, object, walk),
            ("content_block_start", Some(object)) => {
                block(event.index.unwrap_or_default(), object, walk);
            }
            ("content_block_stop", _) => {
                block_part(event.index.unwrap_or_default(), walk);
            }
            ("message_start", Some(object)) => message(object, walk),
            ("message_delta", Some(object)) => {
                walk.object(object, Scope::Response, &Path::ROOT, stop_reason);
            }
            ("message_stop", _) => walk.progress.done(walk.queue),
            ("error", _) => {
                // The error's own reading reports the members of the root.
                walk.queue.forget_members(members);
                return error(walk);
            }
            _ => return false,
        }
        true
    });
    if is_known {
        usage::report(walk, event.usage, &Path::ROOT.key("usage"));
        walk.end_object(members, Scope::Response, &Path::ROOT, root);
    }
    Ok(is_known)
}

/// Interprets a non-streaming response.
fn complete_body(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    message(root, walk);
    Ok(true)
}

/// Reports the error of an `error` event.
fn error(walk: &mut Walk<'_, '_>) -> bool {
    let Ok(root) = walk.root() else { return false };
    let error = ProviderError::read(walk, root, &Path::ROOT, &|_| false);
    error.report(walk);
    true
}

/// Reads a message: who answers, its usage, and the blocks that it has already.
fn message(object: Span, walk: &mut Walk<'_, '_>) {
    let (mut id, mut model, mut role) = (Str::default(), Str::default(), Str::default());
    let mut content = None;
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "id" => member.text(&mut id),
        "model" => member.text(&mut model),
        "role" => member.text(&mut role),
        "content" => member.array(&mut content),
        "type" => member.value.str().is_some(),
        // Read below, after the blocks.
        "usage" => member.as_object().is_some() || member.value.is_null(),
        "stop_reason" => member.value.str().is_some() || member.value.is_null(),
        _ => false,
    });
    walk.progress.start(id, model, role, walk.queue);
    if let Some(content) = content {
        walk.elements(content, |walk, n, element| match element.as_object() {
            Some(object) => block(n as i32, object, walk),
            None => {
                let path = Path::ROOT.key("content");
                walk.detail(Scope::Response, &path.index(n), element);
            }
        });
    }
    let stop = walk.get(object, "stop_reason").str();
    if !stop.is_empty() {
        walk.progress.choice(0, stop, walk.queue);
    }
    let usage = walk.get(object, "usage");
    usage::report(walk, usage, &Path::ROOT.key("usage"));
    walk.end_object(members, Scope::Response, &Path::ROOT, object);
}

/// Reads a member of a `message_delta`.
fn stop_reason<'d>(walk: &mut Walk<'_, 'd>, key: &str, member: Member<'d>) -> bool {
    let mut reason = Str::default();
    if key != "stop_reason" || !member.text(&mut reason) {
        return false;
    }
    walk.progress.choice(0, reason, walk.queue);
    true
}

/// Returns the part that a block is.
fn block_part(index: i32, walk: &mut Walk<'_, '_>) -> u32 {
    walk.part(0, BLOCK, index, 0)
}

/// Reads a block at its start, or one of a complete message.
fn block(index: i32, object: Span, walk: &mut Walk<'_, '_>) {
    let part = block_part(index, walk);
    let kind = walk.get(object, "type").str();
    let scope = Scope::Part { choice: 0, part };
    with_short(kind, |kind| match kind {
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            tool_use(index, part, kind != "tool_use", object, walk);
        }
        "text" | "thinking" => {
            walk.object(object, scope, &Path::ROOT, |walk, key, member| {
                text_member(part, key, member, walk) || key == "type"
            });
        }
        // Results of the provider's own tools, redacted reasoning, and blocks of a later version.
        _ => walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
            "data" | "signature" => walk.piece_detail(scope, &Path::ROOT.key(key), member),
            _ => false,
        }),
    });
}

/// Reads a member that continues a text or its reasoning. Returns false for other members.
fn text_member<'d>(part: u32, key: &str, member: Member<'d>, walk: &mut Walk<'_, 'd>) -> bool {
    let scope = Scope::Part { choice: 0, part };
    let kind = match key {
        "text" => TextKind::Text,
        "thinking" => TextKind::Reasoning,
        "signature" | "citation" | "citations" => {
            return walk.piece_detail(scope, &Path::ROOT.key(key), member);
        }
        _ => return false,
    };
    match member.value {
        Value::String(text) => walk.queue.piece(kind, 0, part, text),
        Value::Null => {}
        _ => return false,
    }
    true
}

/// Reads a block that is a tool call.
fn tool_use(index: i32, part: u32, is_server: bool, object: Span, walk: &mut Walk<'_, '_>) {
    let mut call = Call {
        part: Some(part),
        index: Some(index),
        is_server,
        ..Call::default()
    };
    let mut input = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "type" => true,
        "id" => member.text(&mut call.id),
        "name" => member.text(&mut call.name),
        "input" => {
            input = member;
            member.as_object().is_some() || member.value.is_null()
        }
        _ => false,
    });
    let call = walk.progress.call(&call, walk.queue);
    // An empty object only keeps the place of what the deltas bring.
    if input.as_object().is_some() && !input.is_empty(walk.text()) {
        let json = input.span.of(walk.payload.text);
        walk.queue.json_arguments(call, json);
    }
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}

/// Reads a piece of a block.
fn delta<'d>(event: &Event<'d>, object: Span, walk: &mut Walk<'_, 'd>) {
    let index = event.index.unwrap_or_default();
    let part = block_part(index, walk);
    let scope = Scope::Part { choice: 0, part };
    let kind = walk.get(object, "type").str();
    let is_known = with_short(kind, |kind| {
        matches!(
            kind,
            "text_delta"
                | "thinking_delta"
                | "input_json_delta"
                | "signature_delta"
                | "citations_delta"
        )
    });
    walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
        "type" if is_known => true,
        "partial_json" => match member.value {
            Value::String(fragment) => {
                let call = Call {
                    part: Some(part),
                    index: Some(index),
                    ..Call::default()
                };
                let call = walk.progress.call(&call, walk.queue);
                walk.queue.arguments(call, fragment, false);
                true
            }
            _ => member.value.is_null(),
        },
        key if text_member(part, key, member, walk) => true,
        // Pieces of a kind of a later version.
        key if !is_known && key != "type" => walk.piece_detail(scope, &Path::ROOT.key(key), member),
        _ => false,
    });
}
