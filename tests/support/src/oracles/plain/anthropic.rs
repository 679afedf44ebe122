//! Messages of Anthropic's.

use super::calls::Call;
use super::value::{NOTHING, elements, index_of, is_empty, pairs, text};
use super::{Plain, anthropic_or_openai};
use crate::oracles::heard::Heard;
use serde_json::Value;

impl Plain {
    pub(super) fn anthropic(&mut self, root: &Value) -> bool {
        let index = index_of(&root["index"]).unwrap_or_default();
        let objects =
            pairs(root).filter(|(key, _)| matches!(*key, "message" | "content_block" | "delta"));
        let object = objects.last().map(|(_, value)| value);
        match (text(&root["type"]), object) {
            ("content_block_delta", Some(delta)) => {
                let texts = pairs(delta)
                    .filter(|(key, _)| matches!(*key, "text" | "thinking" | "partial_json"));
                let piece = texts.last().map_or(&NOTHING, |(_, value)| value);
                match text(&delta["type"]) {
                    "text_delta" => self.piece(Heard::Text, 0, piece),
                    "thinking_delta" => self.piece(Heard::Reasoning, 0, piece),
                    "input_json_delta" => {
                        let call = Call {
                            index: Some(index),
                            ..Call::default()
                        };
                        let index = self.call(&call);
                        let piece = text(piece).to_owned();
                        if piece.is_empty() {
                        } else if self.is_server(index) {
                            self.heard.push(Heard::ServerArguments(0, index, piece));
                        } else {
                            self.heard.push(Heard::Arguments(0, index, piece));
                        }
                    }
                    _ => {}
                }
            }
            ("content_block_start", Some(block)) => self.block(index, block),
            ("content_block_stop", _) => {}
            ("message_start", Some(message)) => self.start(message),
            ("message_delta", Some(delta)) => {
                let word = text(&delta["stop_reason"]);
                self.finish(0, word, anthropic_or_openai(word));
                self.usage(&root["usage"]);
            }
            ("message_stop", _) => {
                self.is_complete = true;
                self.done();
            }
            ("error", _) => self.heard.push(Heard::Error),
            _ => return false,
        }
        true
    }

    /// A message of Anthropic's, as a stream begins with it and as it comes whole.
    pub(super) fn start(&mut self, message: &Value) {
        self.usage(&message["usage"]);
        for (index, block) in (0..).zip(elements(&message["content"])) {
            self.block(index, block);
        }
    }

    fn block(&mut self, index: i32, block: &Value) {
        let kind = text(&block["type"]);
        match kind {
            "text" => self.piece(Heard::Text, 0, &block["text"]),
            "thinking" => self.piece(Heard::Reasoning, 0, &block["thinking"]),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                let call = Call {
                    index: Some(index),
                    id: text(&block["id"]),
                    name: text(&block["name"]),
                    is_server: kind != "tool_use",
                    ..Call::default()
                };
                let index = self.call(&call);
                let input = &block["input"];
                if is_empty(input) {
                } else if self.is_server(index) {
                    self.heard
                        .push(Heard::AllServerArguments(0, index, input.clone()));
                } else {
                    self.heard
                        .push(Heard::AllArguments(0, index, input.clone()));
                }
            }
            _ => {}
        }
    }
}
