//! `llamacpp`: the native `/completion` of llama.cpp's server.
//!
//! Format: `data: {"content":…,"stop":false}` events; the last of a prompt has `"stop":true`, a reason
//! and the counts. Several prompts interleave by `index`, each with a stop of its own, so the end is
//! noted at the end of the stream. The server's other routes speak `openai-chat` and the like.

use super::members::has_text;
use super::{Dialect, Spec};
use crate::delta::FinishReason;
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::usage;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::LlamaCpp,
    name: "llamacpp",
    detect: |payload| {
        let root = payload.doc.root;
        has_text(root, "content") && root.get("stop").is_some_and(|stop| stop.bool().is_some())
    },
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = payload.doc.root;
    let mut choice = 0;
    let (mut text, mut model, mut raw) = (None, "", "");
    let mut stop = None;
    let mut other = None;
    for (key, value) in root.members() {
        match key {
            "index" => choice = value.choice().unwrap_or_default(),
            "content" => text = value.str(),
            "stop" => stop = value.bool(),
            "model" => model = value.text(),
            "stop_type" => raw = value.text(),
            "completion_probabilities" | "prompt_progress" if !value.is_empty() => {
                other = Some(key);
            }
            _ => {}
        }
    }
    let (Some(text), Some(stop)) = (text, stop) else {
        return false;
    };
    progress.start("", model, "", queue);
    queue.piece(TextKind::Text, choice, text);
    if let Some(name) = other {
        queue.other(name, payload.doc.text);
    }
    if stop {
        self::stop(progress, choice, raw, root, queue);
    } else {
        progress.choice(choice, "", queue);
        // Counts that grow with every piece are told with the last.
        for key in ["tokens_predicted", "tokens_evaluated", "tokens", "timings"] {
            for (name, _) in root.members().filter(|(name, _)| *name == key) {
                queue.ignored(name);
            }
        }
    }
    progress.no_terminator = true;
    progress.complete = false;
    progress.complete = progress.is_complete();
    true
}

fn stop(progress: &mut Progress, choice: u32, raw: &str, root: Value<'_>, queue: &mut Queue) {
    // Servers of before December 2024 have a member for each reason in place of a reason.
    let older = ["stopped_limit", "stopped_eos", "stopped_word"];
    let older = older
        .into_iter()
        .find(|key| root.get(key).and_then(Value::bool) == Some(true));
    let raw = match raw {
        "" => older.unwrap_or("stop"),
        raw => raw,
    };
    let reason = match raw {
        "eos" | "word" | "stop" | "stopped_eos" | "stopped_word" => FinishReason::Stop,
        "limit" | "stopped_limit" => FinishReason::Length,
        _ => FinishReason::Other,
    };
    progress.finish(choice, reason, raw, queue);
    // The counts stand among what else is read, and are not told from it.
    queue.unique();
    let counts = usage::read(root, queue);
    progress.usage(counts, queue);
}
