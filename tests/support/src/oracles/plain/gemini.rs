//! Gemini's responses.

use super::Plain;
use super::calls::Call;
use super::value::{choice_of, elements, is_empty, text};
use crate::oracles::heard::Heard;
use serde_json::Value;

impl Plain {
    pub(super) fn gemini(&mut self, root: &Value) -> bool {
        // Code Assist puts an envelope around it.
        let inner = &root["response"];
        let root = match inner.is_object() && root.get("candidates").is_none() {
            true => inner,
            false => root,
        };
        let known = [
            "candidates",
            "usageMetadata",
            "promptFeedback",
            "responseId",
            "modelVersion",
        ];
        if known.iter().all(|key| root.get(*key).is_none()) {
            return false;
        }
        for candidate in elements(&root["candidates"]) {
            let choice = choice_of(&candidate["index"]);
            for part in elements(&candidate["content"]["parts"]) {
                let kind = match is_empty(&part["thought"]) {
                    true => Heard::Text,
                    false => Heard::Reasoning,
                };
                self.piece(kind, choice, &part["text"]);
                let call = &part["functionCall"];
                if !text(&call["name"]).is_empty() {
                    let new = Call {
                        choice,
                        id: text(&call["id"]),
                        name: text(&call["name"]),
                        is_new: true,
                        ..Call::default()
                    };
                    let index = self.call(&new);
                    if let Some(args) = call.get("args") {
                        self.heard
                            .push(Heard::AllArguments(choice, index, args.clone()));
                    }
                }
            }
            let word = text(&candidate["finishReason"]);
            let meaning = match word {
                "STOP" if self.calls.iter().any(|call| call.choice == choice) => "tool_calls",
                "STOP" => "stop",
                "MAX_TOKENS" => "length",
                "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => {
                    "error"
                }
                "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
                    "content_filter"
                }
                word if word.starts_with("IMAGE_") => "content_filter",
                _ => "other",
            };
            self.finish(choice, word, meaning);
            self.is_complete |= !word.is_empty();
        }
        let blocked = text(&root["promptFeedback"]["blockReason"]);
        self.finish(0, blocked, "content_filter");
        self.is_complete |= !blocked.is_empty();
        self.usage(&root["usageMetadata"]);
        true
    }
}
