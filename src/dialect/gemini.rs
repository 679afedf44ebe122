//! `gemini`: Google's `streamGenerateContent`, also on Vertex AI.
//!
//! Format: `data: {…}` events, each a whole `GenerateContentResponse` with what is new. There is no
//! terminator: the stream is complete once a candidate has a finish reason, which may come more
//! than once, or the prompt was blocked.

use super::{Dialect, Spec};
use crate::delta::FinishReason;
use crate::delta::TextKind;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::tape::Value;

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::Gemini,
    name: "gemini",
    detect: |payload| {
        is_response(payload.doc.root) || payload.doc.root.get("response").is_some_and(is_response)
    },
    event,
    ..Spec::DEFAULT
};

/// Reads one event. Returns false if the dialect has no such event.
fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    let root = response(payload.doc.root);
    let mut is_response = false;
    let mut counts = None;
    let mut candidates = None;
    let mut blocked = "";
    let (mut id, mut model) = ("", "");
    for (key, value) in root.members() {
        match key {
            "candidates" => candidates = Some(value),
            "usageMetadata" => counts = Some(value),
            "promptFeedback" => blocked = value.text_of("blockReason"),
            "responseId" => id = value.text(),
            "modelVersion" => model = value.text(),
            _ => {
                queue.ignored(key);
                continue;
            }
        }
        is_response = true;
    }
    if !is_response {
        return false;
    }
    progress.start(id, model, "", queue);
    for candidate in candidates.into_iter().flat_map(Value::elements) {
        self::candidate(progress, candidate, payload, queue);
    }
    if !blocked.is_empty() {
        progress.finish(0, FinishReason::ContentFilter, blocked, queue);
        progress.complete = true;
    }
    progress.usage(usage::of(counts, queue), queue);
    true
}

fn candidate(
    progress: &mut Progress,
    candidate: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let mut choice = 0;
    let mut content = None;
    let mut finish = "";
    let mut other = None;
    for (key, value) in candidate.members() {
        match key {
            "index" => choice = value.choice().unwrap_or_default(),
            "content" => content = Some(value),
            "finishReason" => finish = value.text(),
            "groundingMetadata" | "citationMetadata" | "urlContextMetadata" | "logprobsResult" => {
                if !value.is_empty() {
                    other = Some(key);
                }
            }
            _ => queue.ignored(key),
        }
    }
    if let Some(content) = content {
        progress.role(content.text_of("role"), queue);
        for part in content.get("parts").into_iter().flat_map(Value::elements) {
            self::part(progress, choice, part, payload, queue);
        }
    }
    if let Some(name) = other {
        queue.other(name, payload.doc.text);
    }
    let reason = match finish {
        "STOP" => progress.stop_or_tool_calls(choice),
        "MAX_TOKENS" => FinishReason::Length,
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => {
            FinishReason::Error
        }
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
            FinishReason::ContentFilter
        }
        finish if finish.starts_with("IMAGE_") => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    };
    progress.finish(choice, reason, finish, queue);
    progress.complete |= !finish.is_empty();
}

fn part(
    progress: &mut Progress,
    choice: u32,
    part: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let mut text = "";
    let mut kind = TextKind::Text;
    let mut call = None;
    let mut other = None;
    for (key, value) in part.members() {
        match key {
            "text" => text = value.text(),
            "thought" if !value.is_empty() => kind = TextKind::Reasoning,
            "functionCall" => call = Some(value),
            "thought" | "thoughtSignature" if value.is_empty() => {}
            // Signatures, files, code and its result, the provider's own tools.
            _ => other = Some(key),
        }
    }
    queue.piece(kind, choice, text);
    if let Some(call) = call {
        function_call(progress, choice, call, payload, queue);
    }
    if let Some(name) = other {
        queue.other(name, payload.doc.text);
    }
}

fn function_call(
    progress: &mut Progress,
    choice: u32,
    call: Value<'_>,
    payload: &Payload<'_>,
    queue: &mut Queue,
) {
    let name = call.text_of("name");
    if !name.is_empty() {
        let call_id = call.text_of("id");
        let new = Call {
            choice,
            id: call_id,
            name,
            is_new: true,
            ..Call::default()
        };
        let index = progress.tools.call(&new, queue);
        if call.get("args").is_some() {
            let arguments = payload.doc.member_text(call, "args").unwrap_or_default();
            queue.tool_call_arguments(choice, index, arguments, true);
        }
    }
    // Pieces of arguments by path (`streamFunctionCallArguments`), which are no JSON text.
    if name.is_empty() || call.get("partialArgs").is_some() {
        queue.other("partialArgs", payload.doc.text);
    }
}

/// The response, taken out of the envelope that Code Assist puts around it.
pub(super) fn response(root: Value<'_>) -> Value<'_> {
    match root.get("response") {
        Some(inner) if inner.is_object() && root.get("candidates").is_none() => inner,
        _ => root,
    }
}

/// Returns true for a response, or a piece of one.
fn is_response(value: Value<'_>) -> bool {
    let mut keys = ["candidates", "promptFeedback", "usageMetadata"].into_iter();
    keys.any(|key| value.get(key).is_some())
}
