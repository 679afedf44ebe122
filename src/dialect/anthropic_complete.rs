//! `anthropic-complete`: Anthropic's legacy text completions.
//!
//! Format: `event: completion` and `data: {"completion":…,"stop_reason":…}`, with `ping` between. The
//! last piece has a stop reason.

use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind};
use crate::json::{Malformed, Str};
use crate::reply::details::Path;
use crate::reply::walk::Walk;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::AnthropicComplete,
    name: "anthropic-complete",
    detect: |outline| outline.has_completion,
    event,
    ..Spec::DEFAULT
};

/// Interprets an event. Returns false if the dialect has no such event.
fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let Some(root) = walk.root()?.as_object() else {
        return Ok(false);
    };
    let mut text = None;
    let (mut id, mut log_id) = (Str::default(), Str::default());
    let (mut model, mut finish) = (Str::default(), Str::default());
    let members = walk.queue.begin_object();
    walk.members(root, |_, key, member| match key {
        "completion" => {
            text = Some(member.str());
            member.value.str().is_some() || member.value.is_null()
        }
        "id" => member.text(&mut id),
        // The only name that the response has.
        "log_id" => member.text(&mut log_id),
        "model" => member.text(&mut model),
        "stop_reason" => member.text(&mut finish),
        "type" => member.value.str().is_some(),
        _ => false,
    });
    let Some(text) = text else { return Ok(false) };
    let id = if id.is_empty() { log_id } else { id };
    walk.progress.start_assistant(id, model, walk.queue);
    walk.piece(TextKind::Text, 0, text);
    walk.progress.choice(0, finish, walk.queue);
    if !finish.is_empty() {
        walk.progress.done(walk.queue);
    }
    walk.end_object(members, Scope::Response, &Path::ROOT, root);
    Ok(true)
}
