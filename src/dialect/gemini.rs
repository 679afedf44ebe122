//! `gemini`: Google's `streamGenerateContent`, also on Vertex AI.
//!
//! Wire: `data: {…}` events, each a whole `GenerateContentResponse` with what is new. There is no
//! terminator: the stream is complete once a candidate has a finish reason, which may come more
//! than once, or the prompt was blocked.

use super::Wire;
use super::json::Value;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::usage;
use crate::delta::FinishReason;

/// What is known of the response so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = response(wire.doc.root);
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
                    sink.ignored(key);
                    continue;
                }
            }
            is_response = true;
        }
        if !is_response {
            return false;
        }
        self.progress.start(id, model, "", sink);
        for candidate in candidates.into_iter().flat_map(Value::elements) {
            self.candidate(candidate, wire, sink);
        }
        if !blocked.is_empty() {
            self.progress
                .finish(0, FinishReason::ContentFilter, blocked, sink);
            self.progress.complete = true;
        }
        self.progress.usage(usage::of(counts, sink), sink);
        true
    }

    fn candidate(&mut self, candidate: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let mut choice = 0;
        let mut content = None;
        let mut finish = "";
        let mut other = None;
        for (key, value) in candidate.members() {
            match key {
                "index" => choice = value.choice().unwrap_or_default(),
                "content" => content = Some(value),
                "finishReason" => finish = value.text(),
                "groundingMetadata" | "citationMetadata" | "urlContextMetadata"
                | "logprobsResult" => {
                    if !value.is_empty() {
                        other = Some(key);
                    }
                }
                _ => sink.ignored(key),
            }
        }
        if let Some(content) = content {
            self.progress.role(content.text_of("role"), sink);
            for part in content.get("parts").into_iter().flat_map(Value::elements) {
                self.part(choice, part, wire, sink);
            }
        }
        if let Some(name) = other {
            sink.other(name, wire.doc.text);
        }
        let reason = match finish {
            "STOP" => self.progress.stop_or_tool_calls(choice),
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
        self.progress.finish(choice, reason, finish, sink);
        self.progress.complete |= !finish.is_empty();
    }

    fn part(&mut self, choice: u32, part: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        let mut text = "";
        let mut kind = Kind::Text;
        let mut call = None;
        let mut other = None;
        for (key, value) in part.members() {
            match key {
                "text" => text = value.text(),
                "thought" if !value.is_empty() => kind = Kind::Reasoning,
                "functionCall" => call = Some(value),
                "thought" | "thoughtSignature" if value.is_empty() => {}
                // Signatures, files, code and its result, the provider's own tools.
                _ => other = Some(key),
            }
        }
        sink.piece(kind, choice, text);
        if let Some(call) = call {
            self.function_call(choice, call, wire, sink);
        }
        if let Some(name) = other {
            sink.other(name, wire.doc.text);
        }
    }

    fn function_call(&mut self, choice: u32, call: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
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
            let index = self.progress.tools.call(&new, sink);
            if call.get("args").is_some() {
                let arguments = wire.doc.member_text(call, "args").unwrap_or_default();
                sink.tool_call_arguments(choice, index, arguments, true);
            }
        }
        // Pieces of arguments by path (`streamFunctionCallArguments`), which are no JSON text.
        if name.is_empty() || call.get("partialArgs").is_some() {
            sink.other("partialArgs", wire.doc.text);
        }
    }
}

/// The response, taken out of the envelope that Code Assist puts around it.
pub(super) fn response(root: Value<'_>) -> Value<'_> {
    match root.get("response") {
        Some(inner) if inner.is_object() && root.get("candidates").is_none() => inner,
        _ => root,
    }
}
