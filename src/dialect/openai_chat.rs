//! `openai-chat`: OpenAI chat completions, and what all those who speak it make of it.
//!
//! Wire: `data: {chunk}` events and `data: [DONE]`. The senders differ most in where they put
//! reasoning, usage and tool calls, and in whether they end with `[DONE]` at all; whatever any of
//! them does is read here without asking which of them it is.

use super::error::Said;
use super::json::{Doc, Elements, Value};
use super::progress::Progress;
use super::sink::{Kind, Sink};
use super::tools::Call;
use super::{Wire, usage};

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

/// The member of a choice that says what is new.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Delta,
    /// Of a response that was not streamed.
    Message,
}

impl State {
    /// Reads one chunk. Returns false where it is none.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        self.chunk(wire, News::Delta, sink)
    }

    /// Reads a whole response, in which a choice has a message in place of deltas.
    pub(crate) fn whole(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        self.chunk(wire, News::Message, sink)
    }

    fn chunk(&mut self, wire: &Wire<'_>, news: News, sink: &mut Sink) -> bool {
        let doc = &wire.doc;
        let mut chunk = Chunk::default();
        if !chunk.read(doc, &mut self.progress, sink) {
            return false;
        }
        for choice in chunk.choices() {
            self.choice(choice, news, wire, sink, &mut chunk.other);
        }
        chunk.finish(doc, &mut self.progress, sink);
        if let Some(name) = chunk.other {
            sink.other(name, doc.text);
        }
        true
    }

    fn choice<'d>(
        &mut self,
        choice: Value<'d>,
        news: News,
        wire: &Wire<'d>,
        sink: &mut Sink,
        other: &mut Option<&'d str>,
    ) {
        let mut index = 0;
        let mut delta = None;
        let mut text = None;
        let mut finish = "";
        let mut usage = None;
        for (key, value) in choice.members() {
            match key {
                "index" => index = value.choice().unwrap_or(0),
                "delta" if news == News::Delta => {
                    delta = value.is_object().then_some(value).or(delta);
                }
                "message" if news == News::Message => {
                    delta = value.is_object().then_some(value).or(delta);
                }
                "text" => text = Some((key, value)),
                "finish_reason" => finish = value.text(),
                "usage" => usage = Some(value),
                // The whole text so far, beside its delta: Perplexity and Writer.
                "message" => {
                    self.progress.no_terminator = true;
                    sink.ignored(key);
                }
                "logprobs" if !value.is_empty() => *other = Some(key),
                "logprobs" => {}
                _ => {
                    sink.ignored(key);
                    self.progress.beside(key, value, other, sink);
                }
            }
        }
        match (delta, text) {
            (Some(delta), text) => {
                // Together says everything twice.
                if let Some((key, _)) = text {
                    sink.ignored(key);
                }
                self.delta(delta, index, wire, sink, other);
            }
            // Some send legacy pieces in the middle of a chat.
            (None, Some((_, text))) => sink.piece(Kind::Text, index, text.text()),
            (None, None) => {}
        }
        self.progress.choice(index, finish, sink);
        if let Some(usage) = usage.filter(|usage| usage.is_object()) {
            self.progress.usage(usage::read(usage, sink), sink);
        }
    }

    fn delta<'d>(
        &mut self,
        delta: Value<'d>,
        choice: u32,
        wire: &Wire<'d>,
        sink: &mut Sink,
        other: &mut Option<&'d str>,
    ) {
        let doc = &wire.doc;
        let mut content = None;
        let mut text = "";
        let mut thought = Thought::default();
        let mut is_refusal = false;
        let mut has_calls = false;
        for (key, value) in delta.members() {
            match key {
                "role" => self.progress.role(value.text(), sink),
                "content" => content = Some(value),
                "reasoning_content" => thought.or(0, key, value, sink),
                "reasoning" => thought.or(1, key, value, sink),
                "reasoning_text" => thought.or(2, key, value, sink),
                "refusal" => is_refusal = true,
                "tool_calls" => has_calls = true,
                "function_call" if value.is_object() => has_calls = true,
                "reasoning_details" => {
                    // Its text is in `reasoning` too; what is encrypted or signed is not.
                    if has_opaque(value, sink) {
                        *other = Some(key);
                    }
                }
                _ if wire.fields.text.as_deref() == Some(key) => text = value.text(),
                _ if wire.fields.reasoning.as_deref() == Some(key) => {
                    thought.or(3, key, value, sink);
                }
                // Padding and bookkeeping that comes with every piece.
                "channel" | "token_id" | "obfuscation" => sink.ignored(key),
                _ if value.is_empty() => {}
                _ => *other = Some(key),
            }
        }
        sink.piece(Kind::Reasoning, choice, thought.text);
        if let Some(content) = content {
            self.content(content, choice, sink, other);
        }
        sink.piece(Kind::Text, choice, text);
        if is_refusal {
            sink.piece(Kind::Refusal, choice, delta.text_of("refusal"));
        }
        if has_calls {
            self.calls(delta, choice, doc, sink);
        }
    }

    fn calls<'d>(&mut self, delta: Value<'d>, choice: u32, doc: &Doc<'d>, sink: &mut Sink) {
        let function = delta.get("function_call").unwrap_or_default();
        if function.is_object() {
            let call = Call {
                choice,
                index: Some(0),
                ..Call::default()
            };
            self.function(function, call, doc, sink);
        }
        let calls = delta.get("tool_calls").unwrap_or_default();
        for call in calls.elements() {
            self.tool_call(call, choice, doc, sink);
        }
    }

    /// Content is a string, or a list of typed parts (Mistral).
    fn content<'d>(
        &mut self,
        content: Value<'d>,
        choice: u32,
        sink: &mut Sink,
        other: &mut Option<&'d str>,
    ) {
        sink.piece(Kind::Text, choice, content.text());
        for part in content.elements() {
            sink.piece(Kind::Text, choice, part.text());
            let mut is_known = part.str().is_some();
            for (key, value) in part.members() {
                match key {
                    "text" => sink.piece(Kind::Text, choice, value.text()),
                    "thinking" => {
                        sink.piece(Kind::Reasoning, choice, value.text());
                        for inner in value.elements() {
                            sink.piece(Kind::Reasoning, choice, inner.text_of("text"));
                        }
                    }
                    _ => continue,
                }
                is_known = true;
            }
            if !is_known {
                *other = Some("content");
            }
        }
    }

    fn tool_call<'d>(&mut self, call: Value<'d>, choice: u32, doc: &Doc<'d>, sink: &mut Sink) {
        let mut what = Call {
            choice,
            ..Call::default()
        };
        let mut function = None;
        for (key, value) in call.members() {
            match key {
                "index" => what.index = value.index(),
                "id" => what.id = value.text(),
                "function" | "custom" if value.is_object() => function = Some(value),
                _ => {}
            }
        }
        match function {
            Some(function) => self.function(function, what, doc, sink),
            None => {
                self.progress.tools.call(&what, sink);
            }
        }
    }

    fn function<'d>(
        &mut self,
        function: Value<'d>,
        mut what: Call<'d>,
        doc: &Doc<'d>,
        sink: &mut Sink,
    ) {
        let mut arguments = "";
        let mut whole = false;
        for (key, value) in function.members() {
            match key {
                "name" => what.name = value.text(),
                "arguments" | "input" => {
                    whole = value.is_object() || value.is_array();
                    let json = || doc.value_text(key).unwrap_or_default();
                    arguments = if whole { json() } else { value.text() };
                }
                _ => {}
            }
        }
        what.has_arguments = !arguments.is_empty();
        let index = self.progress.tools.call(&what, sink);
        sink.tool_call_arguments(what.choice, index, arguments, whole);
    }
}

/// Reasoning, which some send twice, under two names.
#[derive(Default)]
struct Thought<'d> {
    text: &'d str,
    key: &'d str,
    /// Of several names the one with the lowest rank counts.
    rank: u8,
}

impl<'d> Thought<'d> {
    /// Takes in what goes by another name, unless it is empty. The text that does not count is
    /// declared as ignored.
    fn or(&mut self, rank: u8, key: &'d str, value: Value<'d>, sink: &mut Sink) {
        let text = value.text();
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            *self = Thought { text, key, rank };
        } else if rank <= self.rank {
            sink.ignored(self.key);
            *self = Thought { text, key, rank };
        } else {
            sink.ignored(key);
        }
    }
}

/// The parts of a chunk that chat and legacy completions share.
#[derive(Default)]
pub(super) struct Chunk<'d> {
    choices: Value<'d>,
    usage: Value<'d>,
    groq: Value<'d>,
    is_error: bool,
    /// A part with news that the model has no place for.
    other: Option<&'d str>,
}

impl<'d> Chunk<'d> {
    /// Reads a payload and notes its start; false where it is neither a chunk nor an error.
    // Called, it would pass the whole chunk through memory; so would `finish`.
    #[inline(always)]
    pub(super) fn read(&mut self, doc: &Doc<'d>, progress: &mut Progress, sink: &mut Sink) -> bool {
        let (mut id, mut model, mut object) = ("", "", "");
        let mut error = Value::default();
        for (key, value) in doc.root.members() {
            match key {
                "choices" => self.choices = value,
                "id" => id = value.text(),
                "model" => model = value.text(),
                "object" => object = value.text(),
                "usage" => self.usage = value,
                "error" => error = value,
                // Groq gives its usage, and an error, here.
                "x_groq" => self.groq = value,
                // Cerebras tells its timing in the last chunk and sends no `[DONE]`.
                "time_info" => progress.no_terminator = true,
                // Bedrock reads its own.
                "amazon-bedrock-invocationMetrics" => {}
                _ => {
                    sink.ignored(key);
                    progress.beside(key, value, &mut self.other, sink);
                }
            }
        }
        self.is_error = object == "error"
            || !error.is_empty()
            || self
                .groq
                .get("error")
                .is_some_and(|error| !error.is_empty());
        if !self.choices.is_array() && !self.is_error && object != "chat.completion.chunk" {
            return false;
        }
        progress.start(id, model, "", sink);
        true
    }

    #[inline]
    pub(super) fn choices(&self) -> Elements<'d> {
        self.choices.elements()
    }

    /// Notes what comes behind the choices: usage, then an error.
    #[inline(always)]
    pub(super) fn finish(&self, doc: &Doc<'d>, progress: &mut Progress, sink: &mut Sink) {
        let groq = self.groq.get("usage").unwrap_or_default();
        for usage in [groq, self.usage] {
            if usage.is_object() {
                progress.usage(usage::read(usage, sink), sink);
            }
        }
        if self.is_error {
            Said::read(doc.root).report(doc, sink);
        }
    }
}

/// Whether reasoning details carry what plain text cannot.
fn has_opaque(details: Value<'_>, sink: &mut Sink) -> bool {
    let mut is_opaque = false;
    for (key, value) in details.elements().flat_map(Value::members) {
        match key {
            "data" | "signature" => is_opaque |= !value.is_empty(),
            _ => sink.ignored(key),
        }
    }
    is_opaque
}
