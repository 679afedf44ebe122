//! `tgi`: the native `/generate_stream` of text-generation-inference.
//!
//! Format: `data:{"token":{…},"generated_text":null,…}` events; the last has the complete text and the
//! details.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind, Usage};
use crate::json::{Malformed, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::usage;
use crate::reply::walk::Walk;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Tgi,
    name: "tgi",
    detect: |outline| {
        outline
            .token
            .is_some_and(|token| outline.has(token, "text"))
    },
    event,
    ..Spec::DEFAULT
};

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let (mut token, mut details) = (None, None);
    let mut generated = Str::default();
    let mut is_last = false;
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "token" => member.object(&mut token),
        "details" => member.object(&mut details),
        "generated_text" => {
            is_last = member.value.str().is_some();
            member.text(&mut generated)
        }
        // The position of the token.
        "index" => matches!(member.value, Value::Number(_)) && walk.varies(member),
        _ => false,
    });
    let Some(token) = token else { return Ok(false) };
    self::token(token, walk);
    if let Some(details) = details {
        self::details(details, walk);
    }
    if is_last {
        walk.progress.done(walk.queue);
    }
    walk.end_object(members, Scope::Response, &Path::ROOT, root);
    Ok(true)
}

/// Reads a token. Its ID and probability come with each piece.
fn token(object: Span, walk: &mut Walk<'_, '_>) {
    let scope = Scope::Choice { choice: 0 };
    let mut text = Str::default();
    let mut is_special = false;
    let path = Path::ROOT.key("token");
    walk.object(object, scope, &path, |walk, key, member| match key {
        "text" => member.text(&mut text),
        "special" => member.flag(&mut is_special),
        "id" | "logprob" => walk.piece_detail(scope, &path.key(key), member),
        _ => false,
    });
    // Special tokens, such as the end of the sequence, are not part of the text.
    if !is_special {
        walk.piece(TextKind::Text, 0, text);
    } else if !text.is_empty() {
        let text = walk.get(object, "text");
        walk.piece_detail(scope, &path.key("text"), text);
    }
}

/// Reads the details of the last event: why it ended, and the counts.
fn details(object: Span, walk: &mut Walk<'_, '_>) {
    // The counts stand beside the finish reason.
    walk.queue.unique();
    let mut finish = Str::default();
    let mut counts = Usage::default();
    let path = Path::ROOT.key("details");
    walk.object(object, Scope::Response, &path, |walk, key, member| {
        if key == "finish_reason" {
            member.text(&mut finish)
        } else {
            usage::count(walk, &mut counts, key, member)
        }
    });
    walk.progress.choice(0, finish, walk.queue);
    walk.progress.usage(counts, walk.queue);
}
