//! `bedrock`: AWS Bedrock, `ConverseStream` and `InvokeModelWithResponseStream`.
//!
//! Format: AWS event-stream frames. Converse events are named by their frame and carry the bare
//! member. Invoke frames are all named `chunk` and carry the model's own JSON in base64; which model
//! it is shows in that JSON. Usage comes after `messageStop`, so the stream is complete there but
//! its end is queued only at the end.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Dialect, Spec, anthropic, openai_chat};
use crate::delta::{Scope, TextKind, Usage};
use crate::fallible::OutOfMemory;
use crate::frame::Framing;
use crate::json::with_short;
use crate::json::{Malformed, Reader, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::finish::finish_reason;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk, find};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Bedrock,
    name: "bedrock",
    framing: Framing::EventStream,
    event,
    unwrap: Some(chunk),
    ..Spec::DEFAULT
};

/// The type of the frames that carry a model's own JSON.
const CHUNK: &str = "chunk";
/// The kind of a part that is a content block.
const BLOCK: u8 = 0x45;
/// The member with the service's own counts.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    // No two frames are alike.
    walk.queue.unique();
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    if walk.payload.event == CHUNK {
        return invoke(root, walk);
    }
    let is_known = converse(walk.payload.event, root, walk);
    Ok(is_known)
}

/// Interprets an event of `ConverseStream`.
fn converse(name: &str, object: Span, walk: &mut Walk<'_, '_>) -> bool {
    match name {
        "messageStart" => {
            let mut role = Str::default();
            walk.object(
                object,
                Scope::Response,
                &Path::ROOT,
                |walk, key, member| match key {
                    "role" => member.text(&mut role),
                    "p" => walk.varies(member),
                    _ => false,
                },
            );
            let none = Str::default();
            walk.progress.start(none, none, role, walk.queue);
        }
        "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" => block(object, walk),
        "messageStop" => message_stop(object, walk),
        "metadata" => {
            walk.object(
                object,
                Scope::Response,
                &Path::ROOT,
                |walk, key, member| match key {
                    "usage" => usage::report(walk, member, &Path::ROOT.key(key)),
                    "p" => walk.varies(member),
                    _ => false,
                },
            );
        }
        _ => return false,
    }
    true
}

fn message_stop(object: Span, walk: &mut Walk<'_, '_>) {
    let mut raw = Str::default();
    walk.object(
        object,
        Scope::Response,
        &Path::ROOT,
        |walk, key, member| match key {
            "stopReason" => member.text(&mut raw),
            "p" => walk.varies(member),
            _ => false,
        },
    );
    let reason = with_short(raw, finish_reason);
    walk.progress.finish(0, reason, raw, walk.queue);
    walk.progress.complete = true;
}

/// Reads a content block's start, a piece of it, or its end.
fn block(object: Span, walk: &mut Walk<'_, '_>) {
    let index = walk.get(object, "contentBlockIndex").value.i32();
    let index = index.unwrap_or_default();
    let part = walk.part(0, BLOCK, index, 0);
    let scope = Scope::Part { choice: 0, part };
    walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
        "contentBlockIndex" => member.value.i32().is_some() || member.value.is_null(),
        "p" => walk.varies(member),
        "start" | "delta" => match member.as_object() {
            Some(inner) => {
                walk.object(inner, scope, &Path::ROOT, |walk, key, member| {
                    piece(index, part, key, member, walk)
                });
                true
            }
            None => member.value.is_null(),
        },
        // Some senders leave `start` out.
        "toolUse" => piece(index, part, key, member, walk),
        _ => false,
    });
}

/// Reads a member of a block. Returns false if it is unknown.
fn piece<'d>(
    index: i32,
    part: u32,
    key: &str,
    member: Member<'d>,
    walk: &mut Walk<'_, 'd>,
) -> bool {
    let scope = Scope::Part { choice: 0, part };
    match (key, member.value) {
        ("text", Value::String(text)) => walk.queue.piece(TextKind::Text, 0, part, text),
        ("reasoningContent", Value::Object(object)) => {
            walk.object(
                object,
                scope,
                &Path::ROOT.key(key),
                |walk, key, member| match (key, member.value) {
                    ("text", Value::String(text)) => {
                        walk.queue.piece(TextKind::Reasoning, 0, part, text);
                        true
                    }
                    ("signature" | "redactedContent" | "data", _) => {
                        let path = Path::ROOT.key("reasoningContent");
                        walk.piece_detail(scope, &path.key(key), member)
                    }
                    _ => false,
                },
            );
        }
        ("toolUse", Value::Object(object)) => tool_use(index, part, object, walk),
        ("citation", _) => return walk.piece_detail(scope, &Path::ROOT.key(key), member),
        (_, Value::Null) => {}
        _ => return false,
    }
    true
}

fn tool_use(index: i32, part: u32, object: Span, walk: &mut Walk<'_, '_>) {
    let mut call = Call {
        part: Some(part),
        index: Some(index),
        ..Call::default()
    };
    let mut input = Str::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "toolUseId" => member.text(&mut call.id),
        "name" => member.text(&mut call.name),
        "type" => {
            call.is_server = member.str().is("server_tool_use");
            member.value.str().is_some()
        }
        "input" => member.text(&mut input),
        _ => false,
    });
    let call = walk.progress.call(&call, walk.queue);
    walk.queue.arguments(call, input, false);
    walk.end_object(members, call.scope(), &Path::ROOT.key("toolUse"), object);
}

/// Interprets the model's own JSON.
fn invoke(root: Span, walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let is_known = if walk.get(root, "type").value.str().is_some() {
        anthropic::event(walk)?
    } else if walk.get(root, "choices").as_array().is_some() {
        let is_known = openai_chat::event(walk)?;
        // There is no `[DONE]` in a frame.
        walk.progress.no_terminator = true;
        walk.progress.complete = walk.progress.is_complete();
        is_known
    } else {
        own(root, walk)
    };
    let metrics = walk.get(root, METRICS);
    if let Some(object) = metrics.as_object() {
        // The service's counts differ from the model's and only fill what the model does not report.
        let known = walk.progress.usage;
        let metrics = usage::read(walk, object, &Path::ROOT.key("invocationMetrics"));
        let missing = Usage {
            input_tokens: metrics
                .input_tokens
                .filter(|_| known.input_tokens.is_none()),
            output_tokens: metrics
                .output_tokens
                .filter(|_| known.output_tokens.is_none()),
            ..Usage::default()
        };
        walk.progress.usage(missing, walk.queue);
    }
    Ok(is_known)
}

/// Reads Nova, Titan, Llama, Mistral, Cohere and the old Claude, told apart by their members.
fn own(root: Span, walk: &mut Walk<'_, '_>) -> bool {
    let mut is_known = false;
    let mut choice = 0;
    let (mut text, mut raw) = (Str::default(), Str::default());
    let mut is_finished = false;
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "outputText" | "generation" | "completion" | "text" => {
            is_known = true;
            member.text(&mut text)
        }
        "completionReason" | "stop_reason" | "finish_reason" => {
            is_known = true;
            member.text(&mut raw)
        }
        "index" => member.choice(&mut choice),
        "is_finished" => {
            is_known = true;
            member.flag(&mut is_finished)
        }
        METRICS => true,
        "p" => walk.varies(member),
        "outputs" | "generations" => {
            is_known = true;
            let Some(array) = member.as_array() else {
                return member.value.is_null();
            };
            let path = Path::ROOT.key(key);
            walk.elements(array, |walk, n, element| match element.as_object() {
                Some(object) => output(n as u32, object, walk),
                None => walk.detail(Scope::Response, &path.index(n), element),
            });
            true
        }
        "messageStart" | "contentBlockStart" | "contentBlockDelta" | "contentBlockStop"
        | "messageStop" | "metadata" => {
            is_known = true;
            let Some(object) = member.as_object() else {
                return member.value.is_null();
            };
            converse(key, object, walk);
            true
        }
        _ => false,
    });
    walk.piece(TextKind::Text, choice, text);
    own_end(choice, raw, walk);
    walk.progress.complete |= is_finished;
    if is_known {
        walk.end_object(members, Scope::Response, &Path::ROOT, root);
    }
    is_known
}

/// Reads one of several outputs.
fn output(choice: u32, object: Span, walk: &mut Walk<'_, '_>) {
    let (mut text, mut stop, mut finish) = (Str::default(), Str::default(), Str::default());
    let scope = Scope::Choice { choice };
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "text" => member.text(&mut text),
        "stop_reason" => member.text(&mut stop),
        "finish_reason" => member.text(&mut finish),
        _ => false,
    });
    walk.piece(TextKind::Text, choice, text);
    own_end(choice, if stop.is_empty() { finish } else { stop }, walk);
    walk.end_object(members, scope, &Path::ROOT, object);
}

fn own_end(choice: u32, raw: Str<'_>, walk: &mut Walk<'_, '_>) {
    if !raw.is_empty() {
        walk.progress.choice(choice, raw, walk.queue);
        walk.progress.complete = true;
    }
}

/// Decodes the model's own JSON in an invoke frame's payload. Returns false if the frame has none.
fn chunk(event: &str, text: &str, out: &mut Vec<u8>) -> Result<bool, OutOfMemory> {
    if event != CHUNK {
        return Ok(false);
    }
    let bytes = find(Reader::new(text), "bytes").str();
    let Some(bytes) = bytes.plain() else {
        return Ok(false);
    };
    out.clear();
    let room = base64::decoded_len_estimate(bytes.len());
    out.try_reserve(room).map_err(|_| OutOfMemory)?;
    out.resize(room, 0);
    Ok(match BASE64.decode_slice(bytes, out) {
        Ok(len) if len > 0 => {
            out.truncate(len);
            true
        }
        _ => false,
    })
}
