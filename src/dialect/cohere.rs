//! `cohere`: Cohere Chat v2.
//!
//! Format: `event: T` and `data: {"type":"T",…}` from `message-start` to `message-end`, after which
//! `[DONE]` may follow. `tool_calls` is an object here, not a list.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind};
use crate::json::with_short;
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::error::ProviderError;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Cohere,
    name: "cohere",
    detect: |outline| outline.is_type(is_type),
    // A complete response has no type, and without text its message has no content.
    detect_body: Some(|outline| outline.message.is_some() && outline.has_finish_reason),
    event,
    complete_body: Some(complete_body),
    ..Spec::DEFAULT
};

/// The kinds of parts, beside the kinds of text.
const CONTENT: u8 = 0x42;
const CALL: u8 = 0x43;

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

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let (mut kind, mut id) = (Str::default(), Str::default());
    let mut index = None;
    let mut delta = None;
    let members = walk.queue.begin_object();
    walk.members(root, |_, key, member| match key {
        "type" => member.text(&mut kind),
        "id" => member.text(&mut id),
        "index" => member.index(&mut index),
        "delta" => member.object(&mut delta),
        _ => false,
    });
    let is_known = with_short(kind, |kind| {
        if !is_type(kind) {
            return false;
        }
        let at = index.unwrap_or_default();
        if let Some(delta) = delta {
            let event = Event {
                kind,
                index: at,
                id,
            };
            event.delta(delta, walk);
        } else if kind == "message-start" {
            let none = Str::default();
            walk.progress.start(id, none, none, walk.queue);
        }
        if kind == "message-end" {
            walk.progress.done(walk.queue);
        }
        true
    });
    if is_known {
        let scope = with_short(kind, |kind| scope_of(kind, index.unwrap_or_default(), walk));
        walk.end_object(members, scope, &Path::ROOT, root);
    }
    Ok(is_known)
}

/// Returns the scope of the members of an event.
fn scope_of(kind: &str, index: i32, walk: &mut Walk<'_, '_>) -> Scope {
    if kind.starts_with("content-") {
        return Scope::Part {
            choice: 0,
            part: walk.part(0, CONTENT, index, 0),
        };
    }
    if kind.starts_with("tool-call-") {
        walk.queue.use_tools();
        let call = walk.progress.tools.latest(0, index);
        return call.map_or(Scope::Response, |call| call.scope());
    }
    Scope::Response
}

/// What the members of an event's root say.
struct Event<'e, 'd> {
    kind: &'e str,
    index: i32,
    id: Str<'d>,
}

impl<'d> Event<'_, 'd> {
    /// Reads the delta, and the message in it.
    fn delta(&self, delta: Span, walk: &mut Walk<'_, 'd>) {
        let mut message = None;
        let mut finish = Str::default();
        let (mut usage, mut error) = (Member::default(), Member::default());
        let members = walk.queue.begin_object();
        walk.members(delta, |_, key, member| match key {
            "message" => member.object(&mut message),
            "finish_reason" => member.text(&mut finish),
            "usage" => {
                usage = member;
                member.as_object().is_some() || member.value.is_null()
            }
            "error" => {
                error = member;
                true
            }
            _ => false,
        });
        let mut role = Str::default();
        if let Some(object) = message {
            self.message(object, &mut role, walk);
        }
        if self.kind == "message-start" {
            walk.progress
                .start(self.id, Str::default(), role, walk.queue);
        }
        if !finish.is_empty() {
            walk.progress.choice(0, finish, walk.queue);
        }
        usage::report(walk, usage, &Path::ROOT.key("usage"));
        if !error.is_empty(walk.text()) {
            let path = Path::ROOT.key("error");
            ProviderError::read(walk, error, &path, &|_| false).report(walk);
        }
        let scope = scope_of(self.kind, self.index, walk);
        walk.end_object(members, scope, &Path::ROOT, delta);
    }

    /// Reads the message of a delta: a piece of text, of a call, or of the plan.
    fn message(&self, object: Span, role: &mut Str<'d>, walk: &mut Walk<'_, 'd>) {
        let index = self.index;
        let members = walk.queue.begin_object();
        walk.members(object, |walk, key, member| match key {
            "role" => member.text(role),
            "content" => match member.value {
                Value::Object(object) => {
                    content(index, object, walk);
                    true
                }
                _ => member.value.is_null() || member.is_empty(walk.text()),
            },
            "tool_calls" => match member.value {
                Value::Object(object) => {
                    tool_call(Some(index), object, walk);
                    true
                }
                _ => member.value.is_null() || member.is_empty(walk.text()),
            },
            // The plan comes in pieces, and citations belong to the text before them.
            "tool_plan" | "citations" => {
                walk.piece_detail(Scope::Response, &Path::ROOT.key(key), member)
            }
            _ => false,
        });
        let scope = scope_of(self.kind, index, walk);
        walk.end_object(members, scope, &Path::ROOT, object);
    }
}

/// Reads a piece of the content.
fn content(index: i32, object: Span, walk: &mut Walk<'_, '_>) {
    let part = walk.part(0, CONTENT, index, 0);
    let scope = Scope::Part { choice: 0, part };
    walk.object(object, scope, &Path::ROOT, |walk, key, member| {
        let kind = match key {
            "text" => TextKind::Text,
            "thinking" => TextKind::Reasoning,
            "type" => return member.value.str().is_some(),
            _ => return false,
        };
        match member.value {
            Value::String(text) => walk.queue.piece(kind, 0, part, text),
            Value::Null => {}
            _ => return false,
        }
        true
    });
}

/// Reads a tool call or a fragment of one.
fn tool_call(index: Option<i32>, object: Span, walk: &mut Walk<'_, '_>) {
    let mut call = Call {
        part: index.map(|index| walk.part(0, CALL, index, 0)),
        index,
        ..Call::default()
    };
    let mut function = None;
    let mut arguments = Str::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "id" => member.text(&mut call.id),
        "type" => member.value.str().is_some(),
        "function" => member.object(&mut function),
        _ => false,
    });
    let inner = walk.queue.begin_object();
    if let Some(function) = function {
        walk.members(function, |_, key, member| match key {
            "name" => member.text(&mut call.name),
            "arguments" => member.text(&mut arguments),
            _ => false,
        });
    }
    call.has_arguments = !arguments.is_empty();
    let call = walk.progress.call(&call, walk.queue);
    walk.queue.arguments(call, arguments, false);
    let path = Path::ROOT.key("function");
    walk.end_object(inner, call.scope(), &path, function.unwrap_or(object));
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}

/// Interprets a non-streaming response.
fn complete_body(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let (mut id, mut finish) = (Str::default(), Str::default());
    let mut usage = Member::default();
    let mut message = None;
    let members = walk.queue.begin_object();
    walk.members(root, |_, key, member| match key {
        "id" => member.text(&mut id),
        "finish_reason" => member.text(&mut finish),
        "message" => member.object(&mut message),
        "usage" => {
            usage = member;
            member.as_object().is_some() || member.value.is_null()
        }
        _ => false,
    });
    let mut role = Str::default();
    if let Some(message) = message {
        role = walk.get(message, "role").str();
        walk.progress.start(id, Str::default(), role, walk.queue);
        complete_message(message, walk);
    }
    walk.progress.start(id, Str::default(), role, walk.queue);
    walk.progress.choice(0, finish, walk.queue);
    usage::report(walk, usage, &Path::ROOT.key("usage"));
    walk.end_object(members, Scope::Response, &Path::ROOT, root);
    Ok(true)
}

/// Reads the message of a non-streaming response.
fn complete_message(object: Span, walk: &mut Walk<'_, '_>) {
    walk.object(
        object,
        Scope::Response,
        &Path::ROOT,
        |walk, key, member| match (key, member.value) {
            ("role", _) => member.value.str().is_some(),
            ("content", Value::Array(array)) => {
                walk.elements(array, |walk, n, element| match element.as_object() {
                    Some(object) => content(n as i32, object, walk),
                    None => walk.detail(Scope::Response, &Path::ROOT.key(key).index(n), element),
                });
                true
            }
            ("tool_calls", Value::Array(array)) => {
                walk.elements(array, |walk, n, element| match element.as_object() {
                    Some(object) => tool_call(Some(n as i32), object, walk),
                    None => walk.detail(Scope::Response, &Path::ROOT.key(key).index(n), element),
                });
                true
            }
            _ => false,
        },
    );
}
