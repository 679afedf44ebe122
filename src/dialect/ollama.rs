//! `ollama`: Ollama's native chat and generate.
//!
//! Format: newline-delimited JSON, the last line with `"done":true`. Tool calls come complete, their
//! arguments as objects. An error in the middle is a line of its own, and the last.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind, Usage};
use crate::frame::Framing;
use crate::json::with_short;
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::finish::finish_reason;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Ollama,
    name: "ollama",
    framing: Framing::Ndjson,
    detect: |outline| {
        outline.has_done && (outline.message.is_some() || outline.response.value.str().is_some())
    },
    event,
    ..Spec::DEFAULT
};

/// Interprets a line. Returns false if the dialect has no such line.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut message = None;
    let (mut model, mut text) = (Str::default(), Str::default());
    let (mut thinking, mut raw) = (Str::default(), Str::default());
    let mut done = None;
    let mut counts = Usage::default();
    let mut created = Member::default();
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "model" => member.text(&mut model),
        "message" => member.object(&mut message),
        "response" => member.text(&mut text),
        "thinking" => member.text(&mut thinking),
        "done" => {
            done = Some(!member.is_empty(walk.text()));
            member.value.bool().is_some() || member.value.is_null()
        }
        "done_reason" => member.text(&mut raw),
        "created_at" => {
            created = member;
            member.value.str().is_some() || member.value.is_null()
        }
        key => usage::count(walk, &mut counts, key, member),
    });
    let Some(is_done) = done else {
        return Ok(false);
    };
    let mut role = Str::default();
    if let Some(message) = message {
        role = walk.get(message, "role").str();
    }
    walk.progress.start(Str::default(), model, role, walk.queue);
    walk.piece(TextKind::Reasoning, 0, thinking);
    walk.piece(TextKind::Text, 0, text);
    if let Some(message) = message {
        self::message(message, walk);
    }
    walk.time(created, "created_at");
    if is_done {
        // The counts stand among members that are read, too.
        walk.queue.unique();
        let reason = with_short(raw, finish_reason);
        walk.progress.finish(0, reason, raw, walk.queue);
        walk.progress.usage(counts, walk.queue);
        walk.progress.done(walk.queue);
    }
    walk.end_object(members, Scope::Response, &Path::ROOT, root);
    Ok(true)
}

fn message(object: Span, walk: &mut Walk<'_, '_>) {
    let scope = Scope::Choice { choice: 0 };
    let (mut thinking, mut content) = (Str::default(), Str::default());
    let mut calls = None;
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "role" => member.value.str().is_some() || member.value.is_null(),
        "thinking" => member.text(&mut thinking),
        "content" => member.text(&mut content),
        "tool_calls" => member.array(&mut calls),
        _ => false,
    });
    walk.piece(TextKind::Reasoning, 0, thinking);
    walk.piece(TextKind::Text, 0, content);
    if let Some(calls) = calls {
        walk.elements(calls, |walk, n, element| match element.as_object() {
            Some(object) => tool_call(object, walk),
            None => walk.detail(scope, &Path::ROOT.key("tool_calls").index(n), element),
        });
    }
    walk.end_object(members, scope, &Path::ROOT, object);
}

/// Reads a tool call, which is complete.
fn tool_call(object: Span, walk: &mut Walk<'_, '_>) {
    let mut call = Call {
        is_new: true,
        ..Call::default()
    };
    let mut function = None;
    let mut arguments = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "id" => member.text(&mut call.id),
        "type" => member.value.str().is_some(),
        "function" => member.object(&mut function),
        _ => false,
    });
    let inner = walk.queue.begin_object();
    walk.members(function.unwrap_or(object), |_, key, member| match key {
        "index" => member.index(&mut call.index),
        "name" => member.text(&mut call.name),
        "arguments" => {
            arguments = member;
            true
        }
        // Without a function these are the members that were just read.
        _ => function.is_none(),
    });
    let call = walk.progress.call(&call, walk.queue);
    match arguments.value {
        // A quoted object in place of an object.
        Value::String(text) => walk.queue.arguments(call, text, true),
        Value::Null => {}
        _ => {
            let json = arguments.span.of(walk.payload.text);
            walk.queue.json_arguments(call, json);
        }
    }
    let path = Path::ROOT.key("function");
    walk.end_object(inner, call.scope(), &path, function.unwrap_or(object));
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}
