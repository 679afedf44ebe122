//! Ollama's lines.

use super::Plain;
use super::calls::Call;
use super::value::{elements, index_of, is_empty, text};
use crate::oracles::heard::Heard;
use serde_json::Value;

impl Plain {
    pub(super) fn ollama(&mut self, root: &Value) -> bool {
        let Some(done) = root.get("done") else {
            return false;
        };
        self.piece(Heard::Reasoning, 0, &root["thinking"]);
        self.piece(Heard::Text, 0, &root["response"]);
        let message = &root["message"];
        if message.is_object() {
            self.piece(Heard::Reasoning, 0, &message["thinking"]);
            self.piece(Heard::Text, 0, &message["content"]);
            for call in elements(&message["tool_calls"]) {
                let function = call.get("function").unwrap_or(call);
                let new = Call {
                    index: function.get("index").and_then(index_of),
                    id: text(&call["id"]),
                    name: text(&function["name"]),
                    is_new: true,
                    ..Call::default()
                };
                let index = self.call(&new);
                if let Some(arguments) = function.get("arguments") {
                    self.heard
                        .push(Heard::AllArguments(0, index, arguments.clone()));
                }
            }
        }
        if !is_empty(done) {
            let word = text(&root["done_reason"]);
            let meaning = match word {
                "stop" if !self.calls.is_empty() => "tool_calls",
                "stop" => "stop",
                "length" => "length",
                _ => "other",
            };
            self.finish(0, word, meaning);
            self.usage(root);
            self.is_complete = true;
            self.done();
        }
        true
    }
}
