//! `gemini`: Google's `streamGenerateContent`, also on Vertex AI.
//!
//! Format: `data: {…}` events, each a whole `GenerateContentResponse` with what is new. There is no
//! terminator: the stream is complete once a candidate has a finish reason, which may come more
//! than once, or the prompt was blocked.
//!
//! Parts of a reply are runs of one kind of text. A signature ends a run, because it belongs to the
//! text before it.

use super::{Dialect, Spec};
use crate::delta::{FinishReason, Scope, TextKind};
use crate::json::with_short;
use crate::json::{Malformed, Span, Str};
use crate::reply::details::Path;
use crate::reply::finish::finish_reason;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Gemini,
    name: "gemini",
    detect: |outline| outline.has_gemini || outline.response_has(MEMBERS),
    event,
    ..Spec::DEFAULT
};

/// The members of which a response has at least one.
const MEMBERS: &[&str] = &["candidates", "promptFeedback", "usageMetadata"];

/// The kind of the parts that are not text.
const OTHER_PART: u8 = 9;

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    // Code Assist puts an envelope around the response.
    let is_wrapped = walk.get(root, "response").as_object().is_some()
        && walk.get(root, "candidates").as_array().is_none();
    if !is_wrapped {
        return Ok(response(root, walk));
    }
    let mut is_response = false;
    walk.object(
        root,
        Scope::Response,
        &Path::ROOT,
        |walk, key, member| match (key, member.as_object()) {
            ("response", Some(object)) => {
                is_response = response(object, walk);
                true
            }
            _ => false,
        },
    );
    Ok(is_response)
}

fn response(object: Span, walk: &mut Walk<'_, '_>) -> bool {
    let mut is_response = false;
    let mut candidates = None;
    let mut counts = Member::default();
    let mut feedback = None;
    let (mut id, mut model) = (Str::default(), Str::default());
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "candidates" => {
            is_response = true;
            member.array(&mut candidates)
        }
        "usageMetadata" => {
            is_response = true;
            counts = member;
            member.as_object().is_some() || member.value.is_null()
        }
        "promptFeedback" => {
            is_response = true;
            member.object(&mut feedback)
        }
        "responseId" => {
            is_response = true;
            member.text(&mut id)
        }
        "modelVersion" => {
            is_response = true;
            member.text(&mut model)
        }
        _ => false,
    });
    if !is_response {
        return false;
    }
    walk.progress.start(id, model, Str::default(), walk.queue);
    if let Some(array) = candidates {
        walk.elements(array, |walk, n, element| match element.as_object() {
            Some(object) => candidate(object, walk),
            None => {
                let path = Path::ROOT.key("candidates");
                walk.detail(Scope::Response, &path.index(n), element);
            }
        });
    }
    if let Some(feedback) = feedback {
        self::feedback(feedback, walk);
    }
    usage::report(walk, counts, &Path::ROOT.key("usageMetadata"));
    walk.end_object(members, Scope::Response, &Path::ROOT, object);
    true
}

/// Reads what the service says of the prompt.
fn feedback(object: Span, walk: &mut Walk<'_, '_>) {
    let path = Path::ROOT.key("promptFeedback");
    walk.object(object, Scope::Response, &path, |walk, key, member| {
        let mut blocked = Str::default();
        if key != "blockReason" || !member.text(&mut blocked) {
            return false;
        }
        if !blocked.is_empty() {
            let reason = FinishReason::ContentFilter;
            walk.progress.finish(0, reason, blocked, walk.queue);
            walk.progress.complete = true;
        }
        true
    });
}

fn candidate(object: Span, walk: &mut Walk<'_, '_>) {
    let mut choice = 0;
    let mut content = None;
    let mut finish = Str::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "index" => member.choice(&mut choice),
        "content" => member.object(&mut content),
        "finishReason" => member.text(&mut finish),
        _ => false,
    });
    let scope = Scope::Choice { choice };
    if let Some(content) = content {
        self::content(choice, content, walk);
    }
    if !finish.is_empty() {
        let reason = with_short(finish, finish_reason);
        walk.progress.finish(choice, reason, finish, walk.queue);
        walk.progress.complete = true;
    }
    walk.end_object(members, scope, &Path::ROOT, object);
}

/// Reads the content of a candidate: its role and its parts.
fn content(choice: u32, object: Span, walk: &mut Walk<'_, '_>) {
    let scope = Scope::Choice { choice };
    let mut role = Str::default();
    let mut parts = None;
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "role" => member.text(&mut role),
        "parts" => member.array(&mut parts),
        _ => false,
    });
    if !role.is_empty() {
        let none = Str::default();
        walk.progress.start(none, none, role, walk.queue);
    }
    if let Some(parts) = parts {
        walk.elements(parts, |walk, n, element| match element.as_object() {
            Some(object) => part(choice, object, walk),
            None => {
                let content = Path::ROOT.key("content");
                walk.detail(scope, &content.key("parts").index(n), element);
            }
        });
    }
    walk.end_object(members, scope, &Path::ROOT.key("content"), object);
}

fn part(choice: u32, object: Span, walk: &mut Walk<'_, '_>) {
    let mut text = Str::default();
    let mut has_text = false;
    let mut is_thought = false;
    let mut call = None;
    let mut signature = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "text" => {
            has_text = member.value.str().is_some();
            member.text(&mut text)
        }
        "thought" => member.flag(&mut is_thought),
        "functionCall" => member.object(&mut call),
        "thoughtSignature" => {
            signature = member;
            true
        }
        _ => false,
    });
    let kind = if is_thought {
        TextKind::Reasoning
    } else {
        TextKind::Text
    };
    let has_signature = !signature.is_empty(walk.text());
    let scope = if let Some(call) = call {
        function_call(choice, call, walk)
    } else if has_text || has_signature {
        let part = walk.progress.run(choice, kind, walk.queue);
        walk.queue.piece(kind, choice, part, text);
        Scope::Part { choice, part }
    } else if walk.queue.has_unknown_since(members) {
        // Files, code and its result, calls of the provider's own tools.
        walk.progress.end_run(choice);
        let part = walk.progress.new_part(choice, OTHER_PART, walk.queue);
        Scope::Part { choice, part }
    } else {
        return;
    };
    if has_signature {
        let path = Path::ROOT.key("thoughtSignature");
        walk.piece_detail(scope, &path, signature);
        walk.progress.end_run(choice);
    }
    walk.end_object(members, scope, &Path::ROOT, object);
}

/// Reads a call, or a piece of its arguments. Returns its scope.
fn function_call(choice: u32, object: Span, walk: &mut Walk<'_, '_>) -> Scope {
    if walk.get(object, "name").str().is_empty() {
        return piece_of_call(choice, object, walk);
    }
    let mut call = Call {
        choice,
        ..Call::default()
    };
    let mut args = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "name" => member.text(&mut call.name),
        "id" => member.text(&mut call.id),
        "args" => {
            args = member;
            true
        }
        _ => false,
    });
    walk.progress.end_run(choice);
    call.is_new = true;
    let call = walk.progress.call(&call, walk.queue);
    if !args.value.is_null() {
        let json = args.span.of(walk.payload.text);
        walk.queue.json_arguments(call, json);
    }
    walk.end_object(
        members,
        call.scope(),
        &Path::ROOT.key("functionCall"),
        object,
    );
    call.scope()
}

/// Reports pieces of arguments by path (`partialArgs`). They have no name and belong to the latest call.
fn piece_of_call(choice: u32, object: Span, walk: &mut Walk<'_, '_>) -> Scope {
    walk.queue.use_tools();
    let latest = walk.progress.tools.last(choice);
    let scope = latest.map_or(Scope::Choice { choice }, |call| call.scope());
    let path = Path::ROOT.key("functionCall");
    walk.object(object, scope, &path, |walk, key, member| {
        walk.piece_detail(scope, &path.key(key), member)
    });
    scope
}
