//! `llamacpp`: the native `/completion` of llama.cpp's server.
//!
//! Format: `data: {"content":…,"stop":false}` events; the last of a prompt has `"stop":true`, a reason
//! and the counts. Several prompts interleave by `index`, each with a stop of its own, so the end is
//! queued at the end of the stream. The server's other routes use `openai-chat` and similar formats.

use super::{Dialect, Spec};
use crate::delta::{FinishReason, Scope, TextKind, Usage};
use crate::json::with_short;
use crate::json::{Malformed, Str};
use crate::reply::details::Path;
use crate::reply::usage;
use crate::reply::walk::Walk;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::LlamaCpp,
    name: "llamacpp",
    detect: |outline| outline.has_content && outline.has_stop,
    event,
    ..Spec::DEFAULT
};

/// Reasons of servers before December 2024: a member for each.
const OLDER: &[&str] = &["stopped_limit", "stopped_eos", "stopped_word"];

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut choice = 0;
    let (mut text, mut stop) = (None, None);
    let (mut model, mut raw) = (Str::default(), Str::default());
    let mut counts = Usage::default();
    let mut older = None;
    let members = walk.queue.begin_object();
    walk.members(root, |walk, key, member| match key {
        "index" => member.choice(&mut choice),
        "content" => {
            text = member.value.str();
            text.is_some()
        }
        "stop" => {
            stop = member.value.bool();
            stop.is_some()
        }
        "model" => member.text(&mut model),
        "stop_type" => member.text(&mut raw),
        // Tokens and probabilities belong to the piece.
        "completion_probabilities" | "tokens" => {
            walk.piece_detail(Scope::Response, &Path::ROOT.key(key), member)
        }
        key => {
            let reason = OLDER.iter().find(|name| **name == key);
            if let Some(reason) = reason
                && member.value.bool() == Some(true)
            {
                older = older.or(Some(*reason));
            }
            usage::count(walk, &mut counts, key, member)
        }
    });
    let (Some(text), Some(is_stop)) = (text, stop) else {
        return Ok(false);
    };
    let none = Str::default();
    walk.progress.start(none, model, none, walk.queue);
    walk.piece(TextKind::Text, choice, text);
    if is_stop {
        // The counts stand among members that are read, too.
        walk.queue.unique();
        let raw = if raw.is_empty() {
            Str::from_plain(older.unwrap_or("stop"))
        } else {
            raw
        };
        let reason = with_short(raw, |raw| match raw {
            "eos" | "word" | "stop" | "stopped_eos" | "stopped_word" => FinishReason::Stop,
            "limit" | "stopped_limit" => FinishReason::Length,
            _ => FinishReason::Other,
        });
        walk.progress.finish(choice, reason, raw, walk.queue);
        walk.progress.usage(counts, walk.queue);
    } else {
        walk.progress.choice(choice, none, walk.queue);
    }
    walk.progress.no_terminator = true;
    walk.progress.complete = false;
    walk.progress.complete = walk.progress.is_complete();
    walk.end_object(members, Scope::Choice { choice }, &Path::ROOT, root);
    Ok(true)
}
