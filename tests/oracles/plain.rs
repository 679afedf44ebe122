//! A plain reading of five dialects with serde_json: no tape, no templates, no memory that is used
//! again. It reads what JSON readers agree on, and says `None` of the rest: keys that come twice,
//! lone surrogates, numbers out of range, lines that are no part of a stream.

use super::heard::Heard;
use crate::common::framing::Seen;
use crate::common::json::Json;
use crate::common::naive::{self, Setup};
use deltawire::frame::{Eof, Framing};
use deltawire::{Dialect, Usage};
use serde_json::Value;
use std::collections::BTreeMap;

/// Those that are read here.
pub(crate) const DIALECTS: &[Dialect] = &[
    Dialect::OpenAiChat,
    Dialect::OpenAiCompletions,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
];

static NOTHING: Value = Value::Null;

pub(crate) struct Plain {
    dialect: Dialect,
    /// A choice has a message in place of a delta.
    is_whole: bool,
    pub(crate) heard: Vec<Heard>,
    calls: Vec<Known>,
    /// The last finish reason of each choice.
    finishes: BTreeMap<u32, String>,
    is_done: bool,
    is_complete: bool,
}

struct Known {
    choice: u32,
    index: i32,
    id: String,
    has_name: bool,
    has_arguments: bool,
    is_server: bool,
    /// Of several at an index the one with the highest counts.
    turn: usize,
}

/// What a fragment says of its call.
#[derive(Default)]
struct Call<'v> {
    choice: u32,
    index: Option<i32>,
    id: &'v str,
    name: &'v str,
    has_arguments: bool,
    is_new: bool,
    is_server: bool,
}

/// Reads a stream.
pub(crate) fn read(
    body: &[u8],
    dialect: Dialect,
    framing: Framing,
    eof: Eof,
) -> Option<Vec<Heard>> {
    let mut plain = Plain::new(dialect, false);
    match framing {
        Framing::Sse => {
            let setup = Setup {
                eof,
                ..Setup::default()
            };
            for seen in naive::parse(body, &setup).seen {
                match seen {
                    Seen::Event { event, data, .. } => plain.event(&event, &data)?,
                    Seen::Field { .. } => return None,
                    _ => {}
                }
            }
        }
        Framing::Ndjson => {
            let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
            let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
            if eof == Eof::Discard {
                lines.pop();
            }
            for line in lines {
                plain.event(b"message", line)?;
            }
        }
        _ => return None,
    }
    if plain.is_complete {
        plain.done();
    }
    Some(plain.heard)
}

/// Reads a whole response.
pub(crate) fn whole(body: &[u8]) -> Option<Vec<Heard>> {
    let root = value(body)?;
    let is_text = |key: &str| root[key].is_string();
    let name = text(&root["type"]);
    let has = |value: &Value| {
        let keys = ["candidates", "promptFeedback", "usageMetadata"];
        keys.iter().any(|key| value.get(*key).is_some())
    };
    if !root.is_object()
        || root["object"] == "response"
        || (root["message"].is_object() && root.get("finish_reason").is_some())
    {
        return None;
    }
    let dialect = if let Some(choices) = root["choices"].as_array() {
        let is_legacy = match choices.first() {
            Some(choice) => choice.get("delta").is_none() && choice.get("text").is_some(),
            None => root["object"] == "text_completion",
        };
        match is_legacy {
            true => Dialect::OpenAiCompletions,
            false => Dialect::OpenAiChat,
        }
    } else if name == "message" {
        Dialect::Anthropic
    } else if !name.is_empty() || is_text("event_type") {
        return None;
    } else if has(&root) || has(&root["response"]) {
        Dialect::Gemini
    } else if root.get("done").is_some()
        && (root["message"].is_object() || is_text("response"))
        && ["completion", "token", "results"]
            .iter()
            .all(|key| root.get(*key).is_none())
    {
        Dialect::Ollama
    } else {
        return None;
    };
    let mut plain = Plain::new(dialect, true);
    let is_known = match dialect {
        Dialect::Anthropic => {
            plain.start(&root);
            let word = text(&root["stop_reason"]);
            plain.finish(0, word, anthropic_or_openai(word));
            true
        }
        _ => plain.read(&root),
    };
    is_known.then_some(plain.heard)
}

/// The payload, where JSON readers agree on it.
fn value(data: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(data);
    let value: Value = serde_json::from_str(&text).ok()?;
    // A key that comes twice is there once.
    let outline = Json::read(text.as_bytes())?;
    (members(&value) == outline_members(&outline)).then_some(value)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(array) => array.iter().map(members).sum(),
        _ => 0,
    }
}

fn outline_members(json: &Json<'_>) -> usize {
    match json {
        Json::Object(object) => {
            object.len()
                + object
                    .iter()
                    .map(|(_, json)| outline_members(json))
                    .sum::<usize>()
        }
        Json::Array(array) => array.iter().map(outline_members).sum(),
        Json::Scalar(_) => 0,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whole and not negative; 3.0 is 3.
fn number(value: &Value) -> Option<u64> {
    let whole = |float: &f64| *float >= 0.0 && *float < 9e15 && float.fract() == 0.0;
    let float = || value.as_f64().filter(whole).map(|float| float as u64);
    value.as_u64().or_else(|| match value.is_i64() {
        true => None,
        false => float(),
    })
}

fn choice_of(value: &Value) -> u32 {
    let number = number(value).and_then(|number| u32::try_from(number).ok());
    number.unwrap_or_default()
}

fn index_of(value: &Value) -> Option<i32> {
    match value.as_i64() {
        Some(index) => i32::try_from(index).ok(),
        None => i32::try_from(number(value)?).ok(),
    }
}

/// It says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(array) => array.iter().all(is_empty),
        Value::Object(object) => object.values().all(is_empty),
        _ => false,
    }
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pairs(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (&**key, value))
}

/// The first table at `FinishReason`, two of its columns.
fn anthropic_or_openai(word: &str) -> &'static str {
    match word {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "pause_turn" | "COMPLETE"
        | "STOP_SEQUENCE" | "FINISH" | "FINISHED" => "stop",
        "length"
        | "model_length"
        | "max_tokens"
        | "model_context_window_exceeded"
        | "MAX_TOKENS"
        | "LENGTH" => "length",
        "tool_calls" | "function_call" | "tool_use" | "TOOL_CALL" => "tool_calls",
        "content_filter" | "refusal" | "CONTENT_FILTERED" => "content_filter",
        "error" | "insufficient_system_resource" | "ERROR" | "TIMEOUT" => "error",
        _ => "other",
    }
}

/// Counts by the names that providers give them; details are more precise than a flat member.
fn usage(value: &Value) -> Usage {
    fn note(usage: &mut Usage, key: &str, value: &Value) {
        let slot = match key {
            "prompt_tokens" | "input_tokens" | "promptTokenCount" | "total_input_tokens"
            | "prompt_eval_count" | "inputTokens" | "inputTokenCount" | "input_length"
            | "tokens_evaluated" => &mut usage.input_tokens,
            "completion_tokens"
            | "output_tokens"
            | "candidatesTokenCount"
            | "total_output_tokens"
            | "eval_count"
            | "outputTokens"
            | "outputTokenCount"
            | "generated_tokens"
            | "tokens_predicted" => &mut usage.output_tokens,
            "total_tokens" | "totalTokenCount" | "totalTokens" => &mut usage.total_tokens,
            "cached_tokens"
            | "prompt_cache_hit_tokens"
            | "cache_read_input_tokens"
            | "cachedContentTokenCount"
            | "total_cached_tokens"
            | "cacheReadInputTokens"
            | "cacheReadInputTokenCount" => &mut usage.cached_tokens,
            "cache_creation_input_tokens"
            | "cacheWriteInputTokens"
            | "cacheWriteInputTokenCount"
            | "cache_write_tokens" => &mut usage.cache_creation_tokens,
            "reasoning_tokens"
            | "thinking_tokens"
            | "thoughtsTokenCount"
            | "total_thought_tokens" => &mut usage.reasoning_tokens,
            _ => return,
        };
        *slot = number(value).or(*slot);
    }
    let (mut flat, mut details) = (Usage::default(), Usage::default());
    for (key, value) in pairs(value) {
        match key {
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                for (key, value) in pairs(value) {
                    let known = [
                        "cached_tokens",
                        "cache_write_tokens",
                        "reasoning_tokens",
                        "thinking_tokens",
                    ];
                    if known.contains(&key) {
                        note(&mut details, key, value);
                    }
                }
            }
            "tokens" => details.merge(&usage(value)),
            _ => note(&mut flat, key, value),
        }
    }
    flat.merge(&details);
    flat
}

impl Plain {
    fn new(dialect: Dialect, is_whole: bool) -> Self {
        Plain {
            dialect,
            is_whole,
            heard: Vec::new(),
            calls: Vec::new(),
            finishes: BTreeMap::new(),
            is_done: false,
            is_complete: false,
        }
    }

    /// Reads an event of a stream; `None` where JSON readers would not agree.
    fn event(&mut self, name: &[u8], data: &[u8]) -> Option<()> {
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            if matches!(
                self.dialect,
                Dialect::OpenAiChat | Dialect::OpenAiCompletions
            ) {
                self.done();
            }
            return Some(());
        }
        if data.is_empty() {
            return Some(());
        }
        let root = value(data)?;
        if !self.read(&root) {
            let first = root
                .as_array()
                .and_then(|array| array.first())
                .unwrap_or(&root);
            let error = &first["error"];
            let is_named = ["type", "object"].iter().any(|key| first[*key] == "error");
            if name == b"error" || is_named || error.is_string() || error.is_object() {
                self.heard.push(Heard::Error);
            }
        }
        Some(())
    }

    /// Reads what a dialect has; false of what it has not.
    fn read(&mut self, root: &Value) -> bool {
        match self.dialect {
            Dialect::OpenAiChat | Dialect::OpenAiCompletions => self.openai(root),
            Dialect::Anthropic => self.anthropic(root),
            Dialect::Gemini => self.gemini(root),
            _ => self.ollama(root),
        }
    }

    fn openai(&mut self, root: &Value) -> bool {
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
                counts.push((self.heard.len(), usage(&choice["usage"])));
            }
        }
        counts.push((self.heard.len(), usage(&root["x_groq"]["usage"])));
        counts.push((self.heard.len(), usage(&root["usage"])));
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

    fn anthropic(&mut self, root: &Value) -> bool {
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
    fn start(&mut self, message: &Value) {
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

    fn gemini(&mut self, root: &Value) -> bool {
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

    fn ollama(&mut self, root: &Value) -> bool {
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

    fn piece(&mut self, kind: fn(u32, String) -> Heard, choice: u32, piece: &Value) {
        let piece = text(piece);
        if !piece.is_empty() {
            self.heard.push(kind(choice, piece.into()));
        }
    }

    /// A reason comes once, and again where it changes.
    fn finish(&mut self, choice: u32, word: &str, meaning: &'static str) {
        let last = self.finishes.entry(choice).or_default();
        if !word.is_empty() && last != word {
            *last = word.into();
            self.heard.push(Heard::Finish(choice, word.into(), meaning));
        }
    }

    fn usage(&mut self, value: &Value) {
        let usage = usage(value);
        if !usage.is_empty() {
            self.heard.push(Heard::Usage(usage));
        }
    }

    fn done(&mut self) {
        if !self.is_whole && !std::mem::replace(&mut self.is_done, true) {
            self.heard.push(Heard::Done);
        }
    }

    fn is_server(&self, index: i32) -> bool {
        let calls = self
            .calls
            .iter()
            .filter(|call| call.choice == 0 && call.index == index);
        calls
            .max_by_key(|call| call.turn)
            .is_some_and(|call| call.is_server)
    }

    /// Finds the call that a fragment belongs to, or begins one, and gives its index.
    fn call(&mut self, call: &Call<'_>) -> i32 {
        let of_choice = |known: &&mut Known| known.choice == call.choice;
        let count = self
            .calls
            .iter()
            .filter(|known| known.choice == call.choice)
            .count();
        let turn = 1 + self
            .calls
            .iter()
            .map(|known| known.turn)
            .max()
            .unwrap_or_default();
        let index = call.index;
        let here = |known: &Known| index.is_none_or(|index| known.index == index);
        let mut known: Vec<&mut Known> = self.calls.iter_mut().filter(of_choice).collect();
        known.sort_by_key(|known| std::cmp::Reverse(known.turn));
        let latest = known.iter().position(|known| here(known));
        let by_id = known
            .iter()
            .position(|known| here(known) && known.id == call.id);
        let at = match (latest, index) {
            _ if call.is_new => None,
            (None, _) => None,
            (Some(at), Some(_)) => {
                let id = &known[at].id;
                match call.id.is_empty() || id.is_empty() || id == call.id {
                    true => Some(at),
                    false => by_id,
                }
            }
            (Some(_), None) if !call.id.is_empty() => by_id,
            (Some(at), None) => {
                let last = &known[at];
                let is_other = !call.name.is_empty() && last.has_name && last.has_arguments;
                (!is_other).then_some(at)
            }
        };
        let mut is_news = false;
        let known = match at {
            Some(at) => {
                let is_latest = !known[..at]
                    .iter()
                    .any(|later| later.index == known[at].index);
                let known = known.swap_remove(at);
                if !is_latest {
                    known.turn = turn;
                    is_news = true;
                }
                known
            }
            None => {
                is_news = true;
                self.calls.push(Known {
                    choice: call.choice,
                    index: index.unwrap_or(i32::try_from(count).unwrap_or(i32::MAX)),
                    id: String::new(),
                    has_name: false,
                    has_arguments: false,
                    is_server: call.is_server,
                    turn,
                });
                self.calls.last_mut().expect("the new one")
            }
        };
        if known.id.is_empty() && !call.id.is_empty() {
            known.id = call.id.into();
            is_news = true;
        }
        let name = if known.has_name { "" } else { call.name };
        if is_news || !name.is_empty() {
            let start = match known.is_server {
                true => Heard::ServerCall,
                false => Heard::Call,
            };
            self.heard.push(start(
                known.choice,
                known.index,
                known.id.clone(),
                name.into(),
            ));
        }
        known.has_name |= !name.is_empty();
        known.has_arguments |= call.has_arguments;
        known.index
    }
}
