//! `gemini-interactions`: Google's Interactions API.
//!
//! Format: named events whose JSON has the name as `event_type`; older servers say `content` and
//! `interaction.complete` where newer ones say `step` and `interaction.completed`. At the end
//! `event: done` with `[DONE]`.

use super::{Dialect, Spec};
use crate::delta::{FinishReason, Scope, TextKind};
use crate::json::with_short;
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::error::ProviderError;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::GeminiInteractions,
    name: "gemini-interactions",
    detect: |outline| outline.has_event_type,
    event,
    ..Spec::DEFAULT
};

/// The kind of a part that is a step.
const STEP: u8 = 0x41;

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut name = Str::default();
    let mut index = None;
    let mut object = None;
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "event_type" => member.text(&mut name),
        "index" => member.index(&mut index),
        "delta" | "step" | "content" | "interaction" => member.object(&mut object),
        "event_id" | "sequence_number" => match member.value {
            Value::String(_) | Value::Number(_) => walk.varies(member),
            _ => false,
        },
        _ => false,
    });
    let step = index.unwrap_or_default();
    let is_known = with_short(name, |name| {
        match name {
            "step.delta" | "content.delta" => {
                if let Some(object) = object {
                    delta(step, object, walk);
                }
            }
            "step.start" | "content.start" => {
                if let Some(object) = object {
                    self::step(step, object, walk);
                }
            }
            "interaction.start"
            | "interaction.created"
            | "interaction.complete"
            | "interaction.completed" => {
                if object.is_none() {
                    // The event is the interaction, whose reading reports the members of the root.
                    walk.queue.forget_members(members);
                }
                let is_end = name.starts_with("interaction.complete");
                interaction(object.unwrap_or(root), root, is_end, walk);
            }
            "interaction.status_update" | "step.stop" | "content.stop" => {}
            "error" => {
                let Ok(root) = walk.root() else { return false };
                // The error's own reading reports the members of the root.
                walk.queue.forget_members(members);
                let is_known = |key: &str| matches!(key, "event_type" | "event_id");
                ProviderError::read(walk, root, &Path::ROOT, &is_known).report(walk);
            }
            _ => return false,
        }
        true
    });
    if is_known {
        walk.end_object(members, Scope::Response, &Path::ROOT, root);
    }
    Ok(is_known)
}

/// Reads a step at its start.
fn step(index: i32, object: Span, walk: &mut Walk<'_, '_>) {
    let kind = walk.get(object, "type").str();
    if kind.is("function_call") {
        function_call(index, object, walk);
        return;
    }
    let text_kind = if kind.is("thought") {
        Some(TextKind::Reasoning)
    } else if kind.is("model_output") || kind.is("text") {
        Some(TextKind::Text)
    } else {
        None
    };
    piece(index, text_kind, object, walk);
}

/// Reads a piece of a step.
fn delta(index: i32, object: Span, walk: &mut Walk<'_, '_>) {
    let kind = walk.get(object, "type").str();
    if kind.is("function_call") || kind.is("arguments_delta") {
        function_call(index, object, walk);
        return;
    }
    let text_kind = with_short(kind, |kind| match kind {
        "text" => Some(TextKind::Text),
        "thought_summary" | "thought" | "thought_signature" => Some(TextKind::Reasoning),
        _ => None,
    });
    piece(index, text_kind, object, walk);
}

/// Reads the text of a step. Of an unknown kind, all members are details.
fn piece(index: i32, kind: Option<TextKind>, object: Span, walk: &mut Walk<'_, '_>) {
    let part = walk.part(0, STEP, index, 0);
    let scope = Scope::Part { choice: 0, part };
    let Some(kind) = kind else {
        walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
            "type" => false,
            key => walk.piece_detail(scope, &Path::ROOT.key(key), member),
        });
        return;
    };
    walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
        "type" => true,
        "text" | "thought" => match member.value {
            Value::String(text) => {
                walk.queue.piece(kind, 0, part, text);
                true
            }
            _ => member.value.is_null(),
        },
        "content" | "summary" => match member.as_object() {
            Some(object) => {
                let path = Path::ROOT.key(key);
                walk.object(object, scope, &path, |walk, key, member| match key {
                    "type" => member.value.str().is_some(),
                    "text" => match member.value {
                        Value::String(text) => {
                            walk.queue.piece(kind, 0, part, text);
                            true
                        }
                        _ => member.value.is_null(),
                    },
                    _ => false,
                });
                true
            }
            None => member.value.is_null(),
        },
        "signature" => walk.piece_detail(scope, &Path::ROOT.key(key), member),
        _ => false,
    });
}

fn function_call(index: i32, object: Span, walk: &mut Walk<'_, '_>) {
    let mut call = Call {
        part: Some(walk.part(0, STEP, index, 0)),
        index: Some(index),
        ..Call::default()
    };
    let mut arguments = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "type" => member.value.str().is_some(),
        "id" => member.text(&mut call.id),
        "name" => member.text(&mut call.name),
        "arguments" => {
            arguments = member;
            matches!(
                member.value,
                Value::String(_) | Value::Object(_) | Value::Null
            )
        }
        _ => false,
    });
    let call = walk.progress.call(&call, walk.queue);
    match arguments.value {
        Value::String(text) => walk.queue.arguments(call, text, false),
        Value::Object(span) if !arguments.is_empty(walk.text()) => {
            let json = span.of(walk.payload.text);
            walk.queue.json_arguments(call, json);
        }
        _ => {}
    }
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}

/// Reads an interaction: who answers and, at its end, why it ended.
fn interaction(object: Span, root: Span, is_end: bool, walk: &mut Walk<'_, '_>) {
    let (mut id, mut model, mut role) = (Str::default(), Str::default(), Str::default());
    let mut status = Str::default();
    let mut usage = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "id" => member.text(&mut id),
        "model" => member.text(&mut model),
        "role" => member.text(&mut role),
        "status" if is_end => member.text(&mut status),
        "object" => true,
        "usage" => {
            usage = member;
            member.as_object().is_some() || member.value.is_null()
        }
        // The event itself, if it has no such object.
        "event_type" | "index" => object == root,
        _ => false,
    });
    walk.progress.start(id, model, role, walk.queue);
    if is_end {
        let reason = with_short(status, |status| match status {
            "completed" => FinishReason::Stop,
            "requires_action" => FinishReason::ToolCalls,
            "incomplete" => FinishReason::Length,
            "failed" => FinishReason::Error,
            _ => FinishReason::Other,
        });
        walk.progress.finish(0, reason, status, walk.queue);
    }
    usage::report(walk, usage, &Path::ROOT.key("usage"));
    if is_end {
        walk.progress.done(walk.queue);
    }
    walk.end_object(members, Scope::Response, &Path::ROOT, object);
}
