//! `openai-assistants`: runs of OpenAI's Assistants API.
//!
//! Format: `event: thread.…` and `data: {…}` without a type of its own, at the end `event: done` with
//! `[DONE]`.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind};
use crate::json::with_short;
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::{Path, hash_bytes};
use crate::reply::error::ProviderError;
use crate::reply::finish::finish_reason;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiAssistants,
    name: "openai-assistants",
    ends_with_done: true,
    detect: |outline| outline.kind.is_none() && outline.event.starts_with("thread."),
    event,
    ..Spec::DEFAULT
};

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let root = walk.root()?.as_object();
    let (Some(root), Some(name)) = (root, walk.payload.event.strip_prefix("thread.")) else {
        return Ok(false);
    };
    match name {
        "message.delta" => message(root, walk),
        "run.step.delta" => step(root, walk),
        "run.created"
        | "run.queued"
        | "run.in_progress"
        | "run.cancelling"
        | "run.completed"
        | "run.requires_action"
        | "run.incomplete"
        | "run.failed"
        | "run.cancelled"
        | "run.expired" => run(name, root, walk),
        // Objects around what the deltas bring.
        "created"
        | "message.created"
        | "message.in_progress"
        | "message.completed"
        | "run.step.created"
        | "run.step.in_progress"
        | "run.step.completed" => {
            let kind = match name {
                "created" => "thread",
                name if name.starts_with("run.step") => "step",
                _ => "message",
            };
            walk.rest(root, Scope::Response, &Path::ROOT.key(kind));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Reads a piece of a message.
fn message(root: Span, walk: &mut Walk<'_, '_>) {
    let id = walk.get(root, "id").str();
    // Parts are told apart by the message and the index in its content.
    let message = hash_bytes(0, id.raw().as_bytes()) as i32;
    let path = Path::ROOT.key("message");
    walk.object(
        root,
        Scope::Response,
        &path,
        |walk, key, member| match key {
            "object" => true,
            "id" => {
                walk.detail(Scope::Response, &path.key(key), member);
                true
            }
            "delta" => match member.as_object() {
                Some(delta) => {
                    walk.object(delta, Scope::Response, &path, |walk, key, member| {
                        match (key, member.as_array()) {
                            ("content", Some(array)) => {
                                walk.elements(array, |walk, n, element| {
                                    content(message, n, element, walk);
                                });
                                true
                            }
                            _ => false,
                        }
                    });
                    true
                }
                None => member.value.is_null(),
            },
            _ => false,
        },
    );
}

/// Reads an element of a message's content.
fn content<'d>(message: i32, position: usize, element: Member<'d>, walk: &mut Walk<'_, 'd>) {
    let Some(object) = element.as_object() else {
        let path = Path::ROOT.key("content");
        walk.detail(Scope::Response, &path.index(position), element);
        return;
    };
    let index = walk.get(object, "index").value.i32();
    let part = walk.part(0, 0, message, index.unwrap_or(position as i32));
    let scope = Scope::Part { choice: 0, part };
    walk.object(object, scope, &Path::ROOT, |walk, key, member| match key {
        "index" => member.value.i32().is_some(),
        "type" => member.str().is("text"),
        "text" => match member.as_object() {
            Some(text) => {
                walk.object(text, scope, &Path::ROOT, |walk, key, member| match key {
                    "value" => match member.value {
                        Value::String(text) => {
                            walk.queue.piece(TextKind::Text, 0, part, text);
                            true
                        }
                        _ => member.value.is_null(),
                    },
                    "annotations" => walk.piece_detail(scope, &Path::ROOT.key(key), member),
                    _ => false,
                });
                true
            }
            None => member.value.is_null(),
        },
        _ => false,
    });
}

/// Reads a piece of a step: fragments of tool calls.
fn step(root: Span, walk: &mut Walk<'_, '_>) {
    let path = Path::ROOT.key("step");
    walk.object(root, Scope::Response, &path, |walk, key, member| {
        match (key, member.as_object()) {
            ("object", _) => true,
            ("delta", Some(delta)) => {
                walk.object(delta, Scope::Response, &path, |walk, key, member| {
                    match (key, member.as_object()) {
                        ("step_details", Some(details)) => {
                            step_details(details, &path, walk);
                            true
                        }
                        _ => false,
                    }
                });
                true
            }
            _ => false,
        }
    });
}

fn step_details(details: Span, path: &Path<'_>, walk: &mut Walk<'_, '_>) {
    let path = path.key("step_details");
    walk.object(
        details,
        Scope::Response,
        &path,
        |walk, key, member| match (key, member.as_array()) {
            ("type", _) => member.value.str().is_some(),
            ("tool_calls", Some(calls)) => {
                walk.elements(calls, |walk, n, element| match element.as_object() {
                    Some(object) => tool_call(n, object, walk),
                    None => walk.detail(Scope::Response, &path.key("tool_calls").index(n), element),
                });
                true
            }
            _ => false,
        },
    );
}

/// Reads a fragment of a tool call.
fn tool_call(position: usize, object: Span, walk: &mut Walk<'_, '_>) {
    let Some(function) = walk.get(object, "function").as_object() else {
        // The provider's own tools: code interpreter, file search.
        let details = Path::ROOT.key("step_details");
        let path = details.key("tool_calls");
        walk.rest(object, Scope::Response, &path.index(position));
        return;
    };
    let mut call = Call::default();
    let mut arguments = Str::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "index" => member.index(&mut call.index),
        "id" => member.text(&mut call.id),
        "type" => member.value.str().is_some(),
        "function" => true,
        _ => false,
    });
    let inner = walk.queue.begin_object();
    walk.members(function, |_, key, member| match key {
        "name" => member.text(&mut call.name),
        "arguments" => member.text(&mut arguments),
        _ => false,
    });
    call.has_arguments = !arguments.is_empty();
    let call = walk.progress.call(&call, walk.queue);
    walk.queue.arguments(call, arguments, false);
    walk.end_object(inner, call.scope(), &Path::ROOT.key("function"), function);
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}

/// Reads a run: who answers, and how it ended.
fn run(name: &str, root: Span, walk: &mut Walk<'_, '_>) {
    let is_end = !matches!(
        name,
        "run.created" | "run.queued" | "run.in_progress" | "run.cancelling"
    );
    let (mut id, mut model, mut status) = (Str::default(), Str::default(), Str::default());
    let mut why = Str::default();
    let mut last_error = Member::default();
    let mut usage = Member::default();
    let path = Path::ROOT.key("run");
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "id" => member.text(&mut id),
        "model" => member.text(&mut model),
        "status" if is_end => member.text(&mut status),
        "object" => true,
        "usage" => {
            usage = member;
            member.as_object().is_some() || member.value.is_null()
        }
        "last_error" => {
            last_error = member;
            member.as_object().is_some() || member.value.is_null()
        }
        "incomplete_details" => {
            if let Some(object) = member.as_object() {
                why = walk.get(object, "reason").str();
            }
            member.value.is_null()
        }
        _ => false,
    });
    walk.progress.start_assistant(id, model, walk.queue);
    if is_end {
        let raw = if why.is_empty() { status } else { why };
        let reason = with_short(raw, finish_reason);
        walk.progress.finish(0, reason, raw, walk.queue);
    }
    usage::report(walk, usage, &Path::ROOT.key("usage"));
    if !last_error.is_empty(walk.text()) {
        let path = Path::ROOT.key("last_error");
        ProviderError::read(walk, last_error, &path, &|_| false).report(walk);
    }
    walk.end_object(members, Scope::Response, &path, root);
}
