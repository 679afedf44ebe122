//! A plain reading of five dialects with serde_json: no tape, no templates, no memory that is used
//! again. It reads what JSON readers agree on, and says `None` of the rest: keys that come twice,
//! lone surrogates, numbers out of range (which the decoder reads as null), lines that are no part of a stream.

mod anthropic;
mod calls;
mod gemini;
mod ollama;
mod openai;
mod usage;
mod value;

use super::heard::Heard;
use crate::framing::Seen;
use crate::naive::{self, Setup};
use calls::Known;
use deltawire::Dialect;
use deltawire::frame::{Eof, Framing};
use serde_json::Value;
use std::collections::BTreeMap;
use value::{text, value};

/// Those that are read here.
pub const DIALECTS: &[Dialect] = &[
    Dialect::OpenAiChat,
    Dialect::OpenAiCompletions,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
];

pub struct Plain {
    dialect: Dialect,
    /// A choice has a message in place of a delta.
    is_whole: bool,
    pub heard: Vec<Heard>,
    calls: Vec<Known>,
    /// The last finish reason of each choice.
    finishes: BTreeMap<u32, String>,
    is_done: bool,
    is_complete: bool,
}

/// Reads a stream.
pub fn read(body: &[u8], dialect: Dialect, framing: Framing, eof: Eof) -> Option<Vec<Heard>> {
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
pub fn whole(body: &[u8]) -> Option<Vec<Heard>> {
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
        let usage = usage::read(value);
        if !usage.is_empty() {
            self.heard.push(Heard::Usage(usage));
        }
    }

    fn done(&mut self) {
        if !self.is_whole && !std::mem::replace(&mut self.is_done, true) {
            self.heard.push(Heard::Done);
        }
    }
}
