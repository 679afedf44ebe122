//! `watsonx`: the native text generation of IBM watsonx.ai.
//!
//! Format: `event: message` with an `id`, `data: {"results":[{"generated_text":…,"stop_reason":…}]}`.
//! The last piece has a stop reason that is not `not_finished`.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind, Usage};
use crate::json::{Malformed, Span, Str};
use crate::reply::details::Path;
use crate::reply::walk::{Member, Walk};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Watsonx,
    name: "watsonx",
    detect: |outline| {
        let first = outline.first(outline.results);
        first.is_some_and(|result| outline.has(result, "generated_text"))
    },
    event,
    ..Spec::DEFAULT
};

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut model = Str::default();
    let mut results = None;
    let mut created = Member::default();
    let members = walk.queue.begin_object();
    walk.members(root, |_, key, member| match key {
        "model_id" => member.text(&mut model),
        "results" => member.array(&mut results),
        "created_at" => {
            created = member;
            member.value.str().is_some()
        }
        _ => false,
    });
    let Some(results) = results else {
        return Ok(false);
    };
    let none = Str::default();
    walk.progress.start(none, model, none, walk.queue);
    walk.elements(results, |walk, n, element| match element.as_object() {
        Some(object) => result(n as u32, object, walk),
        None => walk.detail(
            Scope::Response,
            &Path::ROOT.key("results").index(n),
            element,
        ),
    });
    walk.time(created, "created_at");
    walk.end_object(members, Scope::Response, &Path::ROOT, root);
    Ok(true)
}

fn result(choice: u32, object: Span, walk: &mut Walk<'_, '_>) {
    let mut text = Str::default();
    let mut raw = Str::default();
    let mut counts = Usage::default();
    let scope = Scope::Choice { choice };
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "generated_text" => member.text(&mut text),
        "stop_reason" => member.text(&mut raw),
        "input_token_count" => {
            // Reported once, in the first piece; all others say 0.
            counts.input_tokens = member.value.u64().filter(|count| *count > 0);
            member.value.u64().is_some() || member.value.is_null()
        }
        "generated_token_count" => {
            counts.output_tokens = member.value.u64();
            member.value.u64().is_some() || member.value.is_null()
        }
        _ => false,
    });
    walk.piece(TextKind::Text, choice, text);
    let is_last = !raw.is_empty() && !raw.is("not_finished");
    let finish = if is_last { raw } else { Str::default() };
    walk.progress.choice(choice, finish, walk.queue);
    walk.progress.usage(counts, walk.queue);
    if is_last {
        walk.progress.done(walk.queue);
    }
    walk.end_object(members, scope, &Path::ROOT, object);
}
