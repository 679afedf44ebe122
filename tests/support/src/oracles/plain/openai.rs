//! Chat completions and the older completions of OpenAI's.

use super::calls::Call;
use super::value::{NOTHING, choice_of, elements, index_of, is_empty, pairs, text};
use super::{Plain, anthropic_or_openai, usage};
use crate::oracles::heard::Heard;
use deltawire::{Dialect, Usage};
use serde_json::Value;

impl Plain {
    pub(super) fn openai(&mut self, root: &Value) -> bool {
        let is_error = root["object"] == "error"
            || !is_empty(root.get("error").unwrap_or(&NOTHING))
            || !is_empty(&root["x_groq"]["error"]);
        let choices = &root["choices"];
        if !choices.is_array() && !is_error && root["object"] != "chat.completion.chunk" {
            return false;
        }
        let start = self.heard.len();
        let mut counts = Vec::new();
        for choice in elements(choices) {
            let index = choice_of(&choice["index"]);
            let delta = match self.is_whole {
                true => &choice["message"],
                false => &choice["delta"],
            };
            if self.dialect == Dialect::OpenAiChat && delta.is_object() {
                self.openai_delta(delta, index);
            } else {
                self.piece(Heard::Text, index, &choice["text"]);
            }
            let word = text(&choice["finish_reason"]);
            self.finish(index, word, anthropic_or_openai(word));
            if self.dialect == Dialect::OpenAiChat {
                counts.push((self.heard.len(), usage::read(&choice["usage"])));
            }
        }
        counts.push((self.heard.len(), usage::read(&root["x_groq"]["usage"])));
        counts.push((self.heard.len(), usage::read(&root["usage"])));
        // An event has one usage, where the first stands.
        counts.retain(|(_, usage)| !usage.is_empty());
        if let Some((at, _)) = counts.first() {
            let mut all = Usage::default();
            for (_, usage) in &counts {
                all.merge(usage);
            }
            self.heard.insert((*at).max(start), Heard::Usage(all));
        }
        if is_error {
            self.heard.push(Heard::Error);
        }
        true
    }

    fn openai_delta(&mut self, delta: &Value, choice: u32) {
        let names = ["reasoning_content", "reasoning", "reasoning_text"];
        let thought = names
            .iter()
            .map(|key| &delta[*key])
            .find(|it| !text(it).is_empty());
        self.piece(Heard::Reasoning, choice, thought.unwrap_or(&NOTHING));
        let content = &delta["content"];
        self.piece(Heard::Text, choice, content);
        for part in elements(content) {
            self.piece(Heard::Text, choice, part);
            for (key, value) in pairs(part) {
                match key {
                    "text" => self.piece(Heard::Text, choice, value),
                    "thinking" => {
                        self.piece(Heard::Reasoning, choice, value);
                        for inner in elements(value) {
                            self.piece(Heard::Reasoning, choice, &inner["text"]);
                        }
                    }
                    _ => {}
                }
            }
        }
        self.piece(Heard::Refusal, choice, &delta["refusal"]);
        let function = &delta["function_call"];
        if function.is_object() {
            let call = Call {
                choice,
                index: Some(0),
                ..Call::default()
            };
            self.function(function, call);
        }
        for tool in elements(&delta["tool_calls"]) {
            let call = Call {
                choice,
                index: index_of(&tool["index"]),
                id: text(&tool["id"]),
                ..Call::default()
            };
            let functions = pairs(tool)
                .filter(|(key, value)| matches!(*key, "function" | "custom") && value.is_object());
            match functions.last() {
                Some((_, function)) => self.function(function, call),
                None => {
                    self.call(&call);
                }
            }
        }
    }

    fn function<'v>(&mut self, function: &'v Value, mut call: Call<'v>) {
        let arguments = pairs(function).filter(|(key, _)| matches!(*key, "arguments" | "input"));
        let arguments = arguments.last().map_or(&NOTHING, |(_, value)| value);
        call.name = text(&function["name"]);
        call.has_arguments =
            arguments.is_object() || arguments.is_array() || !text(arguments).is_empty();
        let index = self.call(&call);
        if arguments.is_object() || arguments.is_array() {
            let all = Heard::AllArguments(call.choice, index, arguments.clone());
            self.heard.push(all);
        } else if call.has_arguments {
            let piece = Heard::Arguments(call.choice, index, text(arguments).into());
            self.heard.push(piece);
        }
    }
}
