//! `openai-chat`: OpenAI chat completions, and what all those who speak it make of it.
//!
//! Format: `data: {chunk}` events and `data: [DONE]`. The senders differ most in where they put
//! reasoning, usage and tool calls, and in whether they end with `[DONE]` at all; whatever any of
//! them does is read here without asking which of them it is.

use super::{Dialect, Spec};
use crate::delta::TextKind;
use crate::reply::error::ProviderError;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::reply::tool_calls::Call;
use crate::reply::{Payload, usage};
use crate::tape::{Doc, Elements, Value};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiChat,
    name: "openai-chat",
    ends_with_done: true,
    detect: |payload| has_choices(payload) && !has_legacy_choices(payload),
    event,
    complete_body: Some(complete_body),
    ..Spec::DEFAULT
};

/// The member of a choice that carries the reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Delta,
    /// In a non-streaming response.
    Message,
}

/// Reads one chunk. Returns false where it is none.
pub(super) fn event(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    chunk(progress, payload, Source::Delta, queue)
}

/// Interprets a non-streaming response, in which a choice has a message in place of deltas.
fn complete_body(progress: &mut Progress, payload: &Payload<'_>, queue: &mut Queue) -> bool {
    chunk(progress, payload, Source::Message, queue)
}

fn chunk(
    progress: &mut Progress,
    payload: &Payload<'_>,
    source: Source,
    queue: &mut Queue,
) -> bool {
    let doc = &payload.doc;
    let mut chunk = Chunk::default();
    if !chunk.read(doc, progress, queue) {
        return false;
    }
    for choice in chunk.choices() {
        self::choice(progress, choice, source, payload, queue, &mut chunk.other);
    }
    chunk.finish(doc, progress, queue);
    if let Some(name) = chunk.other {
        queue.other(name, doc.text);
    }
    true
}

fn choice<'d>(
    progress: &mut Progress,
    choice: Value<'d>,
    source: Source,
    payload: &Payload<'d>,
    queue: &mut Queue,
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
            "delta" if source == Source::Delta => {
                delta = value.is_object().then_some(value).or(delta);
            }
            "message" if source == Source::Message => {
                delta = value.is_object().then_some(value).or(delta);
            }
            "text" => text = Some((key, value)),
            "finish_reason" => finish = value.text(),
            "usage" => usage = Some(value),
            // The whole text so far, beside its delta: Perplexity and Writer.
            "message" => {
                progress.no_terminator = true;
                queue.ignored(key);
            }
            "logprobs" if !value.is_empty() => *other = Some(key),
            "logprobs" => {}
            _ => {
                queue.ignored(key);
                progress.extra(key, value, other, queue);
            }
        }
    }
    match (delta, text) {
        (Some(delta), text) => {
            // Together says everything twice.
            if let Some((key, _)) = text {
                queue.ignored(key);
            }
            self::delta(progress, delta, index, payload, queue, other);
        }
        // Some send legacy pieces in the middle of a chat.
        (None, Some((_, text))) => queue.piece(TextKind::Text, index, text.text()),
        (None, None) => {}
    }
    progress.choice(index, finish, queue);
    if let Some(usage) = usage.filter(|usage| usage.is_object()) {
        progress.usage(usage::read(usage, queue), queue);
    }
}

fn delta<'d>(
    progress: &mut Progress,
    delta: Value<'d>,
    choice: u32,
    payload: &Payload<'d>,
    queue: &mut Queue,
    other: &mut Option<&'d str>,
) {
    let doc = &payload.doc;
    let mut content = None;
    let mut text = "";
    let mut thought = Thought::default();
    let mut is_refusal = false;
    let mut has_calls = false;
    for (key, value) in delta.members() {
        match key {
            "role" => progress.role(value.text(), queue),
            "content" => content = Some(value),
            "reasoning_content" => thought.or(0, key, value, queue),
            "reasoning" => thought.or(1, key, value, queue),
            "reasoning_text" => thought.or(2, key, value, queue),
            "refusal" => is_refusal = true,
            "tool_calls" => has_calls = true,
            "function_call" if value.is_object() => has_calls = true,
            "reasoning_details" => {
                // Its text is in `reasoning` too; what is encrypted or signed is not.
                if has_opaque(value, queue) {
                    *other = Some(key);
                }
            }
            _ if payload.fields.text.as_deref() == Some(key) => text = value.text(),
            _ if payload.fields.reasoning.as_deref() == Some(key) => {
                thought.or(3, key, value, queue);
            }
            // Padding and bookkeeping that comes with every piece.
            "channel" | "token_id" | "obfuscation" => queue.ignored(key),
            _ if value.is_empty() => {}
            _ => *other = Some(key),
        }
    }
    queue.piece(TextKind::Reasoning, choice, thought.text);
    if let Some(content) = content {
        self::content(content, choice, queue, other);
    }
    queue.piece(TextKind::Text, choice, text);
    if is_refusal {
        queue.piece(TextKind::Refusal, choice, delta.text_of("refusal"));
    }
    if has_calls {
        calls(progress, delta, choice, doc, queue);
    }
}

fn calls<'d>(
    progress: &mut Progress,
    delta: Value<'d>,
    choice: u32,
    doc: &Doc<'d>,
    queue: &mut Queue,
) {
    let function = delta.get("function_call").unwrap_or_default();
    if function.is_object() {
        let call = Call {
            choice,
            index: Some(0),
            ..Call::default()
        };
        self::function(progress, function, call, doc, queue);
    }
    let calls = delta.get("tool_calls").unwrap_or_default();
    for call in calls.elements() {
        tool_call(progress, call, choice, doc, queue);
    }
}

/// Content is a string, or a list of typed parts (Mistral).
fn content<'d>(content: Value<'d>, choice: u32, queue: &mut Queue, other: &mut Option<&'d str>) {
    queue.piece(TextKind::Text, choice, content.text());
    for part in content.elements() {
        queue.piece(TextKind::Text, choice, part.text());
        let mut is_known = part.str().is_some();
        for (key, value) in part.members() {
            match key {
                "text" => queue.piece(TextKind::Text, choice, value.text()),
                "thinking" => {
                    queue.piece(TextKind::Reasoning, choice, value.text());
                    for inner in value.elements() {
                        queue.piece(TextKind::Reasoning, choice, inner.text_of("text"));
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

fn tool_call<'d>(
    progress: &mut Progress,
    call: Value<'d>,
    choice: u32,
    doc: &Doc<'d>,
    queue: &mut Queue,
) {
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
        Some(function) => self::function(progress, function, what, doc, queue),
        None => {
            progress.tools.call(&what, queue);
        }
    }
}

fn function<'d>(
    progress: &mut Progress,
    function: Value<'d>,
    mut what: Call<'d>,
    doc: &Doc<'d>,
    queue: &mut Queue,
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
    let index = progress.tools.call(&what, queue);
    queue.tool_call_arguments(what.choice, index, arguments, whole);
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
    fn or(&mut self, rank: u8, key: &'d str, value: Value<'d>, queue: &mut Queue) {
        let text = value.text();
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            *self = Thought { text, key, rank };
        } else if rank <= self.rank {
            queue.ignored(self.key);
            *self = Thought { text, key, rank };
        } else {
            queue.ignored(key);
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
    /// A part with source that the model has no place for.
    other: Option<&'d str>,
}

impl<'d> Chunk<'d> {
    /// Reads a payload and notes its start; false where it is neither a chunk nor an error.
    // Called, it would pass the whole chunk through memory; so would `finish`.
    #[inline(always)]
    pub(super) fn read(
        &mut self,
        doc: &Doc<'d>,
        progress: &mut Progress,
        queue: &mut Queue,
    ) -> bool {
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
                    queue.ignored(key);
                    progress.extra(key, value, &mut self.other, queue);
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
        progress.start(id, model, "", queue);
        true
    }

    #[inline]
    pub(super) fn choices(&self) -> Elements<'d> {
        self.choices.elements()
    }

    /// Notes what comes behind the choices: usage, then an error.
    #[inline(always)]
    pub(super) fn finish(&self, doc: &Doc<'d>, progress: &mut Progress, queue: &mut Queue) {
        let groq = self.groq.get("usage").unwrap_or_default();
        for usage in [groq, self.usage] {
            if usage.is_object() {
                progress.usage(usage::read(usage, queue), queue);
            }
        }
        if self.is_error {
            ProviderError::read(doc.root).report(doc, queue);
        }
    }
}

/// Whether reasoning details carry what plain text cannot.
fn has_opaque(details: Value<'_>, queue: &mut Queue) -> bool {
    let mut is_opaque = false;
    for (key, value) in details.elements().flat_map(Value::members) {
        match key {
            "data" | "signature" => is_opaque |= !value.is_empty(),
            _ => queue.ignored(key),
        }
    }
    is_opaque
}

/// Returns true if the payload has a list of choices.
pub(super) fn has_choices(payload: &Payload<'_>) -> bool {
    let choices = payload.doc.root.get("choices");
    choices.is_some_and(Value::is_array)
}

/// Returns true if the choices are those of legacy completions.
pub(super) fn has_legacy_choices(payload: &Payload<'_>) -> bool {
    let root = payload.doc.root;
    match root.get("choices").unwrap_or(root).elements().next() {
        Some(choice) => choice.get("delta").is_none() && choice.get("text").is_some(),
        None => root.text_of("object") == "text_completion",
    }
}
