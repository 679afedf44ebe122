//! `bedrock`: AWS Bedrock, `ConverseStream` and `InvokeModelWithResponseStream`.
//!
//! Wire: AWS event-stream frames. Converse events are named by their frame and carry the bare
//! member. Invoke frames are all named `chunk` and carry the model's own JSON in base64; which model
//! it is shows in that JSON. Usage comes behind `messageStop`, so the stream is complete there but
//! its end is noted only at the end.

use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::json::{Doc, Value};
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::{Wire, anthropic, openai_chat, usage};
use crate::delta::{FinishReason, Usage};

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
    /// The models whose own format is that of another dialect.
    anthropic: anthropic::State,
    openai_chat: openai_chat::State,
    /// Which of the three has the message.
    owner: Owner,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Owner {
    #[default]
    Bedrock,
    Anthropic,
    OpenAiChat,
}

impl State {
    pub(crate) fn reset(&mut self) {
        self.progress.reset();
        self.anthropic.progress.reset();
        self.openai_chat.progress.reset();
        self.owner = Owner::Bedrock;
    }

    pub(super) fn progress(&self) -> &Progress {
        match self.owner {
            Owner::Bedrock => &self.progress,
            Owner::Anthropic => &self.anthropic.progress,
            Owner::OpenAiChat => &self.openai_chat.progress,
        }
    }

    pub(super) fn progress_mut(&mut self) -> &mut Progress {
        match self.owner {
            Owner::Bedrock => &mut self.progress,
            Owner::Anthropic => &mut self.anthropic.progress,
            Owner::OpenAiChat => &mut self.openai_chat.progress,
        }
    }

    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        // Who owns the message and what was counted has no version; no two frames are alike anyway.
        sink.unique();
        if wire.event == "chunk" {
            return self.invoke(wire, sink);
        }
        self.converse(wire.event, wire.doc.root, wire, sink)
    }

    fn converse(&mut self, name: &str, root: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let index = root
            .get("contentBlockIndex")
            .and_then(Value::index)
            .unwrap_or_default();
        match name {
            "messageStart" => self.progress.start("", "", root.text_of("role"), sink),
            "contentBlockStart" => {
                let start = root.get("start").unwrap_or(root);
                match start.get("toolUse") {
                    Some(tool) => self.tool_start(index, tool, sink),
                    None if start.is_empty() => {}
                    None => sink.other(name, wire.doc.text),
                }
            }
            "contentBlockDelta" => {
                if let Some(delta) = root.get("delta") {
                    self.delta(index, delta, wire, sink);
                }
            }
            "contentBlockStop" => {}
            "messageStop" => {
                let raw = root.text_of("stopReason");
                let reason = match raw {
                    // Some models say so although they call tools.
                    "end_turn" => self.progress.stop_or_tool_calls(0),
                    "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
                    "malformed_model_output" | "malformed_tool_use" => FinishReason::Error,
                    raw => super::finish_reason(raw),
                };
                self.progress.finish(0, reason, raw, sink);
                self.progress.complete = true;
            }
            "metadata" => {
                let counts = usage::of(root.get("usage"), sink);
                self.progress.usage(counts, sink);
            }
            _ => return false,
        }
        true
    }

    fn tool_start(&mut self, index: i32, tool: Value<'_>, sink: &mut Sink) {
        let call = Call {
            index: Some(index),
            id: tool.text_of("toolUseId"),
            name: tool.text_of("name"),
            is_server: tool.text_of("type") == "server_tool_use",
            ..Call::default()
        };
        self.progress.tools.call(&call, sink);
    }

    fn delta(&mut self, index: i32, delta: Value<'_>, wire: &Wire<'_>, sink: &mut Sink) {
        for (key, value) in delta.members() {
            match key {
                "text" => sink.piece(Kind::Text, 0, value.text()),
                "reasoningContent" => {
                    sink.piece(Kind::Reasoning, 0, value.text_of("text"));
                    if value.get("text").is_none() {
                        sink.other(key, wire.doc.text);
                    }
                }
                "toolUse" => {
                    let call = Call {
                        index: Some(index),
                        ..Call::default()
                    };
                    let index = self.progress.tools.call(&call, sink);
                    let fragment = value.text_of("input");
                    self.progress.arguments(0, index, fragment, false, sink);
                }
                _ => sink.other(key, wire.doc.text),
            }
        }
    }

    /// The model's own JSON.
    fn invoke(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let metrics = root.get("amazon-bedrock-invocationMetrics");
        let is_known = if root.get("type").is_some() {
            self.owner = Owner::Anthropic;
            self.anthropic.event(wire, sink)
        } else if root.get("choices").is_some() {
            self.owner = Owner::OpenAiChat;
            let is_known = self.openai_chat.event(wire, sink);
            // There is no `[DONE]` in a frame.
            self.openai_chat.progress.no_terminator = true;
            self.openai_chat.progress.complete = self.openai_chat.progress.is_complete();
            is_known
        } else {
            self.own(wire, sink)
        };
        // The service's counts differ from the model's and only fill what the model does not give.
        let given = self.progress().usage;
        let metrics = usage::of(metrics, sink);
        let missing = Usage {
            input_tokens: metrics
                .input_tokens
                .filter(|_| given.input_tokens.is_none()),
            output_tokens: metrics
                .output_tokens
                .filter(|_| given.output_tokens.is_none()),
            ..Usage::default()
        };
        self.progress_mut().usage(missing, sink);
        is_known
    }

    /// Nova, Titan, Llama, Mistral, Cohere and the old Claude, told apart by their members.
    fn own(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let mut is_known = false;
        let mut choice = 0;
        let (mut text, mut raw) = ("", "");
        let mut is_finished = false;
        for (key, value) in root.members() {
            match key {
                "outputText" | "generation" | "completion" | "text" => text = value.text(),
                "completionReason" | "stop_reason" | "finish_reason" => raw = value.text(),
                "index" => {
                    choice = value.choice().unwrap_or_default();
                    continue;
                }
                "is_finished" => is_finished = !value.is_empty(),
                "outputs" | "generations" => {
                    for (index, output) in (0..).zip(value.elements()) {
                        sink.piece(Kind::Text, index, output.text_of("text"));
                        let reasons = [
                            output.text_of("stop_reason"),
                            output.text_of("finish_reason"),
                        ];
                        let raw = reasons.into_iter().find(|raw| !raw.is_empty());
                        self.own_end(index, raw.unwrap_or_default(), sink);
                    }
                }
                "messageStart" | "contentBlockStart" | "contentBlockDelta" | "contentBlockStop"
                | "messageStop" | "metadata" => {
                    self.converse(key, value, wire, sink);
                }
                _ => continue,
            }
            is_known = true;
        }
        sink.piece(Kind::Text, choice, text);
        self.own_end(choice, raw, sink);
        self.progress.complete |= is_finished;
        is_known
    }

    fn own_end(&mut self, choice: u32, raw: &str, sink: &mut Sink) {
        if !raw.is_empty() {
            self.progress.choice(choice, raw, sink);
            self.progress.complete = true;
        }
    }
}

/// Takes the model's own JSON out of an invoke frame's payload. Returns false where it has none.
pub(crate) fn chunk(doc: &Doc<'_>, out: &mut Vec<u8>, sink: &mut Sink) -> bool {
    out.clear();
    let bytes = doc.root.text_of("bytes").as_bytes();
    let room = base64::decoded_len_estimate(bytes.len());
    if out.try_reserve(room).is_err() {
        sink.set_short();
        return false;
    }
    out.resize(room, 0);
    match BASE64.decode_slice(bytes, out) {
        Ok(len) if len > 0 => {
            out.truncate(len);
            true
        }
        _ => false,
    }
}
