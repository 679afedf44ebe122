//! `openai-chat`: OpenAI chat completions, and what OpenAI-compatible servers make of it.
//!
//! Format: `data: {chunk}` events and `data: [DONE]`. Senders differ most in where they put reasoning,
//! usage and tool calls, and in whether they end with `[DONE]`. Every variant is read here, whoever
//! sends it.
//!
//! The chunk is read once, to its end. [`Chunk`] and [`Choice`] hold the places of its values; most
//! chunks have one choice, and the others are read again where they stand.

use super::detect::Outline;
use super::{Dialect, Spec};
use crate::delta::{Scope, TextKind};
use crate::json::{Key, Malformed, Reader, Span, Str, Value};
use crate::reply::details::Path;
use crate::reply::error::ProviderError;
use crate::reply::fields::Fields;
use crate::reply::queue::Level;
use crate::reply::queue::Queue;
use crate::reply::queued::CallRef;
use crate::reply::tool_calls::Call;
use crate::reply::usage;
use crate::reply::walk::{Member, Walk, string, unknown};

/// The dialect's row in the table.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiChat,
    name: "openai-chat",
    ends_with_done: true,
    detect: |outline| outline.has_choices() && !outline.has_legacy_choices(),
    event,
    ..Spec::DEFAULT
};

/// The values of a chunk.
#[derive(Default)]
struct Chunk<'d> {
    id: Str<'d>,
    model: Str<'d>,
    object: Str<'d>,
    choices: Option<Span>,
    /// The chunk has more than one choice, or elements that are not objects.
    has_more: bool,
    has_first: bool,
    first: Choice<'d>,
    usage: Member<'d>,
    error: Member<'d>,
    groq: Member<'d>,
    created: Member<'d>,
}

/// The values of a choice.
#[derive(Clone, Copy, Default)]
struct Choice<'d> {
    index: u32,
    finish: Str<'d>,
    has_delta: bool,
    delta: Delta<'d>,
    /// The text of a legacy completion.
    text: Member<'d>,
    /// The whole message so far, or of a non-streaming response.
    message: Option<Span>,
    usage: Member<'d>,
    logprobs: Member<'d>,
}

/// The values of a choice's delta.
#[derive(Clone, Copy, Default)]
struct Delta<'d> {
    role: Str<'d>,
    content: Member<'d>,
    /// Text under the caller's own name.
    text: Str<'d>,
    reasoning: Str<'d>,
    /// The name with the lowest rank counts: some send their reasoning under several.
    rank: u8,
    /// Its name.
    reasoning_key: Span,
    refusal: Str<'d>,
    function_call: Option<Span>,
    tool_calls: Option<Span>,
    reasoning_details: Member<'d>,
    /// Where the object begins, if it has members of a few senders alone.
    unusual: Option<u32>,
}

/// Interprets a chunk, or a non-streaming response. Returns false if the payload is neither.
pub(super) fn event(walk: &mut Walk<'_, '_>) -> Result<bool, Malformed> {
    let mut reader = Reader::new(walk.text());
    if !reader.is_at(b'{') {
        walk.root()?;
        return Ok(false);
    }
    let mut chunk = Chunk::default();
    chunk.read(&mut reader, walk)?;
    reader.end()?;
    Ok(chunk.interpret(walk))
}

impl<'d> Chunk<'d> {
    /// Reads an object into this, where it lies: the whole of it is too large to be moved about.
    #[inline]
    fn read(&mut self, reader: &mut Reader<'d>, walk: &mut Walk<'_, 'd>) -> Result<(), Malformed> {
        let chunk = self;
        let queue = &mut *walk.queue;
        let fields = walk.payload.fields;
        reader.members(|reader, key| {
            match key.name() {
                "choices" if reader.is_at(b'[') => {
                    let start = reader.offset() as u32;
                    reader.elements(|reader| {
                        if !chunk.has_first && !chunk.has_more && reader.is_at(b'{') {
                            chunk.has_first = true;
                            chunk.first.read(reader, fields, queue)?;
                        } else {
                            chunk.has_more = true;
                            reader.skip()?;
                        }
                        Ok(())
                    })?;
                    let end = reader.offset() as u32;
                    chunk.choices = Some(Span { start, end });
                }
                "id" => chunk.id = string(reader, key, queue, Level::Root)?,
                "model" => chunk.model = string(reader, key, queue, Level::Root)?,
                "object" => chunk.object = string(reader, key, queue, Level::Root)?,
                "usage" => chunk.usage = container(reader, key, queue, Level::Root)?,
                "error" => chunk.error = Member::read(reader)?,
                "x_groq" => chunk.groq = container(reader, key, queue, Level::Root)?,
                "created" => chunk.created = Member::read(reader)?,
                // Padding.
                "obfuscation" | "p" => queue.varies(reader.skip()?),
                // Bedrock reads its own counts.
                "amazon-bedrock-invocationMetrics" => drop(reader.skip()?),
                "choices" => null_or_unknown(reader, key, queue, Level::Root)?,
                _ => unknown(reader, key, queue, Level::Root)?,
            }
            Ok(())
        })
    }

    fn interpret(&self, walk: &mut Walk<'_, 'd>) -> bool {
        let text = walk.text();
        let groq_error = match self.groq.as_object() {
            Some(groq) => walk.get(groq, "error"),
            None => Member::default(),
        };
        let is_error =
            self.object.is("error") || !self.error.is_empty(text) || !groq_error.is_empty(text);
        let is_chunk = self.choices.is_some()
            || self.object.is("chat.completion.chunk")
            || self.usage.as_object().is_some();
        if !is_chunk && !is_error {
            return false;
        }
        walk.progress
            .start(self.id, self.model, Str::default(), walk.queue);
        if let (Some(choices), true) = (self.choices, self.has_more) {
            self.each_choice(choices, walk);
        } else if let (true, Some(choices)) = (self.has_first, self.choices) {
            self.first.interpret(choices, walk);
        }
        if !self.groq.value.is_null() && !is_error {
            self.groq(walk);
        }
        usage::report(walk, self.usage, &Path::ROOT.key("usage"));
        walk.time(self.created, "created");
        if is_error {
            self.error(walk);
        }
        // Cerebras tells its timing in the last chunk and sends no `[DONE]`.
        if walk.queue.has_unknown_root(text, "time_info") {
            walk.progress.no_terminator = true;
        }
        walk.queue
            .end_root(&mut walk.progress.details, &Path::ROOT, text);
        true
    }

    /// Reads the choices of a chunk with several.
    fn each_choice(&self, choices: Span, walk: &mut Walk<'_, 'd>) {
        let members = walk.queue.begin_object();
        if self.has_first {
            self.first.interpret(choices, walk);
        }
        let mut reader = walk.payload.reader(choices);
        let mut position = 0;
        // The payload was checked, so this does not fail.
        let _ = reader.elements(|reader| {
            let is_first = position == 0 && self.has_first;
            if is_first {
                reader.skip()?;
            } else if reader.is_at(b'{') {
                let start = reader.offset() as u32;
                let mut choice = Choice::default();
                choice.read(reader, walk.payload.fields, walk.queue)?;
                let end = reader.offset() as u32;
                choice.interpret(Span { start, end }, walk);
            } else {
                let member = Member::read(reader)?;
                let path = Path::ROOT.key("choices");
                walk.detail(Scope::Response, &path.index(position), member);
            }
            position += 1;
            Ok(())
        });
        walk.end_object(members, Scope::Response, &Path::ROOT, choices);
    }

    /// Reports Groq's own object, which has usage, errors and an ID.
    fn groq(&self, walk: &mut Walk<'_, 'd>) {
        let path = Path::ROOT.key("x_groq");
        let Some(groq) = self.groq.as_object() else {
            return;
        };
        walk.object(
            groq,
            Scope::Response,
            &path,
            |walk, key, member| match key {
                "usage" => usage::report(walk, member, &path.key(key)),
                // Read together with the root's error.
                "error" => member.value.span().is_some() || member.value.is_null(),
                _ => false,
            },
        );
    }

    fn error(&self, walk: &mut Walk<'_, 'd>) {
        let Ok(root) = walk.root() else { return };
        // The error's own reading reports the members of the root that the chunk does not have.
        walk.queue.forget_root();
        let is_known = |key: &str| {
            matches!(
                key,
                "id" | "model"
                    | "object"
                    | "choices"
                    | "usage"
                    | "created"
                    | "obfuscation"
                    | "p"
                    | "amazon-bedrock-invocationMetrics"
            )
        };
        let error = ProviderError::read(walk, root, &Path::ROOT, &is_known);
        error.report(walk);
    }
}

impl<'d> Choice<'d> {
    #[inline]
    fn read(
        &mut self,
        reader: &mut Reader<'d>,
        fields: &Fields,
        queue: &mut Queue,
    ) -> Result<(), Malformed> {
        let choice = self;
        reader.members(|reader, key| {
            match key.name() {
                "index" => {
                    let member = Member::read(reader)?;
                    if !member.choice(&mut choice.index) {
                        queue.unknown(key.span(), member.span);
                    }
                }
                "delta" if reader.is_at(b'{') => {
                    choice.has_delta = true;
                    choice.delta.read(reader, fields, queue)?;
                }
                "finish_reason" => choice.finish = string(reader, key, queue, Level::Inner)?,
                "text" => choice.text = Member::read(reader)?,
                "message" if reader.is_at(b'{') => {
                    choice.message = Some(reader.skip()?);
                }
                "usage" => choice.usage = container(reader, key, queue, Level::Inner)?,
                "logprobs" => choice.logprobs = Member::read(reader)?,
                "delta" | "message" => null_or_unknown(reader, key, queue, Level::Inner)?,
                _ => unknown(reader, key, queue, Level::Inner)?,
            }
            Ok(())
        })
    }

    fn interpret(&self, object: Span, walk: &mut Walk<'_, 'd>) {
        let index = self.index;
        let scope = Scope::Choice { choice: index };
        let text = walk.text();
        if self.has_delta {
            self.delta.interpret(index, walk);
        }
        match self.text.value {
            Value::Null => {}
            // Together says everything twice.
            Value::String(text) if self.has_delta && same(self.delta.content.str(), text) => {
                walk.queue.repeated(self.text.span);
            }
            // Some send legacy pieces in the middle of a chat.
            Value::String(text) if !self.has_delta => walk.piece(TextKind::Text, index, text),
            _ => walk.detail(scope, &Path::ROOT.key("text"), self.text),
        }
        if let Some(message) = self.message {
            self.message(message, walk);
        }
        walk.progress.choice(index, self.finish, walk.queue);
        if !self.usage.value.is_null() {
            usage::report(walk, self.usage, &Path::ROOT.key("usage"));
        }
        if !self.logprobs.value.is_null() {
            walk.piece_detail(scope, &Path::ROOT.key("logprobs"), self.logprobs);
        }
        // The unknown members of the choice and of its delta were collected together.
        if walk.queue.has_unknown() {
            let details = &mut walk.progress.details;
            walk.queue
                .end_all(details, scope, &Path::ROOT, text, object);
        }
    }

    /// Reads a message beside the delta, or in its place.
    #[cold]
    fn message(&self, message: Span, walk: &mut Walk<'_, 'd>) {
        let mut delta = Delta::default();
        let mut reader = walk.payload.reader(message);
        // The payload was checked, so this does not fail.
        let _ = delta.read(&mut reader, walk.payload.fields, walk.queue);
        let is_new = !self.has_delta && !walk.progress.has_parts(self.index);
        if is_new {
            delta.interpret(self.index, walk);
            return;
        }
        // The deltas brought its text already: Perplexity and Writer repeat all of it in each chunk.
        walk.progress.no_terminator = true;
        let scope = Scope::Choice { choice: self.index };
        let path = Path::ROOT.key("message");
        match delta.content.value {
            Value::String(_) => walk.queue.ignored(delta.content.span),
            Value::Null => {}
            _ => walk.detail(scope, &path.key("content"), delta.content),
        }
        if !delta.reasoning_details.value.is_null() {
            walk.detail(
                scope,
                &path.key("reasoning_details"),
                delta.reasoning_details,
            );
        }
    }
}

impl<'d> Delta<'d> {
    #[inline]
    fn read(
        &mut self,
        reader: &mut Reader<'d>,
        fields: &Fields,
        queue: &mut Queue,
    ) -> Result<(), Malformed> {
        let start = reader.offset() as u32;
        reader.members(|reader, key| {
            match key.name() {
                "content" => self.content = Member::read(reader)?,
                "role" => self.role = string(reader, key, queue, Level::Inner)?,
                "reasoning_content" => self.reasoning(0, reader, key, queue)?,
                "reasoning" => self.reasoning(1, reader, key, queue)?,
                "reasoning_text" => self.reasoning(2, reader, key, queue)?,
                "refusal" => self.refusal = string(reader, key, queue, Level::Inner)?,
                "tool_calls" => {
                    let member = Member::read(reader)?;
                    if !member.array(&mut self.tool_calls) {
                        queue.unknown(key.span(), member.span);
                    }
                }
                "function_call" => {
                    let member = Member::read(reader)?;
                    if !member.object(&mut self.function_call) {
                        queue.unknown(key.span(), member.span);
                    }
                }
                "reasoning_details" => self.reasoning_details = Member::read(reader)?,
                // Padding.
                "obfuscation" => queue.varies(reader.skip()?),
                name if fields.text.as_deref() == Some(name) => {
                    self.text = string(reader, key, queue, Level::Inner)?;
                }
                name if fields.reasoning.as_deref() == Some(name) => {
                    self.reasoning(3, reader, key, queue)?;
                }
                "text" | "tool_use_id" | "input" | "extra_content" => {
                    self.unusual = Some(start);
                    unknown(reader, key, queue, Level::Inner)?;
                }
                _ => unknown(reader, key, queue, Level::Inner)?,
            }
            Ok(())
        })
    }

    /// Reads reasoning under one of its names. Text that another name brings too is not repeated.
    fn reasoning(
        &mut self,
        rank: u8,
        reader: &mut Reader<'d>,
        key: Key<'_>,
        queue: &mut Queue,
    ) -> Result<(), Malformed> {
        let text = string(reader, key, queue, Level::Inner)?;
        if text.is_empty() {
            return Ok(());
        }
        let place = |text: Str<'_>| Span {
            start: text.start() as u32 - 1,
            end: (text.start() + text.raw().len()) as u32 + 1,
        };
        let (first, first_key) = (self.reasoning, self.reasoning_key);
        let is_first = first.is_empty();
        let (other, other_key) = if is_first || rank < self.rank {
            (self.reasoning, self.rank, self.reasoning_key) = (text, rank, key.span());
            (first, first_key)
        } else {
            (text, key.span())
        };
        if is_first {
        } else if same(first, text) {
            queue.repeated(place(other));
        } else {
            // The names bring different texts, so the other one is a detail. Which one it is depends on
            // both.
            queue.unique();
            queue.unknown(other_key, place(other));
        }
        Ok(())
    }

    #[inline]
    fn interpret(&self, choice: u32, walk: &mut Walk<'_, 'd>) {
        if !self.role.is_empty() {
            let none = Str::default();
            walk.progress.start(none, none, self.role, walk.queue);
        }
        if self.unusual.is_some() || walk.progress.is_thought(choice) {
            self.unusual(choice, walk);
            return;
        }
        self.texts(choice, walk);
        self.calls(choice, walk);
    }

    /// Interprets a delta with members that few senders have, and one behind a thought.
    #[cold]
    fn unusual(&self, choice: u32, walk: &mut Walk<'_, 'd>) {
        // What they mean depends on their values, and on what came before.
        walk.queue.unique();
        let object = Span {
            start: self.unusual.unwrap_or_default(),
            end: walk.text().len() as u32,
        };
        let get = |walk: &Walk<'_, 'd>, name: &str| match self.unusual {
            Some(_) => walk.get(object, name),
            None => Member::default(),
        };
        // Snowflake says the text twice.
        let content = self.content.str();
        if let Some(text) = get(walk, "text").value.str()
            && same(content, text)
        {
            walk.queue.forget_named(walk.payload.text, "text");
        }
        let extra = get(walk, "extra_content").as_object();
        let google = extra.and_then(|extra| walk.get(extra, "google").as_object());
        let thought = google.map(|google| walk.get(google, "thought").value.bool());
        let was_thought = walk.progress.is_thought(choice);
        let is_thought = thought == Some(Some(true));
        let mut delta = *self;
        if !content.is_empty() {
            walk.progress.set_thought(choice, is_thought);
        }
        if !content.is_empty() && (is_thought || was_thought) {
            // Gemini's OpenAI endpoint marks thoughts, and puts tags around them besides.
            let (kind, tag) = if is_thought {
                (TextKind::Reasoning, "<thought>")
            } else {
                (TextKind::Text, "</thought>")
            };
            delta.content = Member::default();
            let text = content.strip_prefix(tag).unwrap_or(content);
            walk.piece(kind, choice, text);
        }
        delta.texts(choice, walk);
        delta.calls(choice, walk);
        let id = get(walk, "tool_use_id").str();
        let input = get(walk, "input");
        if !id.is_empty() || !input.value.is_null() {
            flat_call(choice, id, get(walk, "name").str(), input, walk);
        }
    }

    /// Queues the pieces.
    #[inline]
    fn texts(&self, choice: u32, walk: &mut Walk<'_, 'd>) {
        walk.piece(TextKind::Reasoning, choice, self.reasoning);
        if !self.reasoning_details.value.is_null() {
            self.reasoning_details(choice, walk);
        }
        match self.content.value {
            Value::Null => {}
            Value::String(text) => walk.piece(TextKind::Text, choice, text),
            _ => self.content(choice, walk),
        }
        walk.piece(TextKind::Text, choice, self.text);
        walk.piece(TextKind::Refusal, choice, self.refusal);
    }

    /// Queues the calls.
    #[inline]
    fn calls(&self, choice: u32, walk: &mut Walk<'_, 'd>) {
        if let Some(function) = self.function_call {
            let call = Call {
                choice,
                index: Some(0),
                ..Call::default()
            };
            self::function(function, call, walk);
        }
        if let Some(calls) = self.tool_calls {
            walk.elements(calls, |walk, n, element| match element.as_object() {
                Some(call) => tool_call(call, choice, walk),
                None => {
                    let path = Path::ROOT.key("tool_calls");
                    walk.detail(Scope::Choice { choice }, &path.index(n), element);
                }
            });
        }
    }

    /// Reads a list of typed parts: Mistral, Databricks.
    #[cold]
    fn content(&self, choice: u32, walk: &mut Walk<'_, 'd>) {
        let scope = Scope::Choice { choice };
        let path = Path::ROOT.key("content");
        let Some(parts) = self.content.as_array() else {
            walk.detail(scope, &path, self.content);
            return;
        };
        walk.elements(parts, |walk, n, part| {
            let path = path.index(n);
            match part.value {
                Value::String(text) => walk.piece(TextKind::Text, choice, text),
                Value::Object(object) => content_part(object, choice, &path, walk),
                _ => walk.detail(scope, &path, part),
            }
        });
    }

    /// Reports OpenRouter's reasoning details, which must be sent back. They are the reasoning itself if
    /// the delta has no other.
    #[cold]
    fn reasoning_details(&self, choice: u32, walk: &mut Walk<'_, 'd>) {
        let scope = Scope::Choice { choice };
        let path = Path::ROOT.key("reasoning_details");
        if self.reasoning.is_empty() {
            // The details bring text too.
            walk.queue.unique();
        }
        walk.piece_detail(scope, &path, self.reasoning_details);
        let Some(details) = self.reasoning_details.as_array() else {
            return;
        };
        if self.reasoning.is_empty() {
            walk.elements(details, |walk, _, element| {
                let Some(object) = element.as_object() else {
                    return;
                };
                for name in ["text", "summary"] {
                    let text = walk.get(object, name).str();
                    walk.piece(TextKind::Reasoning, choice, text);
                }
            });
        }
    }
}

/// Reads a typed part of a content list.
fn content_part<'d>(object: Span, choice: u32, path: &Path<'_>, walk: &mut Walk<'_, 'd>) {
    let is_reasoning = {
        let kind = walk.get(object, "type").str();
        kind.is("reasoning") || kind.is("thinking")
    };
    let kind = if is_reasoning {
        TextKind::Reasoning
    } else {
        TextKind::Text
    };
    let scope = Scope::Choice { choice };
    walk.object(object, scope, path, |walk, key, member| match key {
        "type" => member.value.str().is_some(),
        "text" => match member.value {
            Value::String(text) => {
                walk.piece(kind, choice, text);
                true
            }
            _ => member.value.is_null(),
        },
        "thinking" | "summary" => match member.value {
            Value::String(text) => {
                walk.piece(TextKind::Reasoning, choice, text);
                true
            }
            Value::Array(array) => {
                let path = path.key(key);
                walk.elements(array, |walk, n, element| {
                    let path = path.index(n);
                    reasoning_part(element, choice, &path, walk);
                });
                true
            }
            _ => member.value.is_null(),
        },
        "signature" => walk.piece_detail(scope, &path.key(key), member),
        _ => false,
    });
}

/// Reads an element of a list of reasoning texts.
fn reasoning_part<'d>(element: Member<'d>, choice: u32, path: &Path<'_>, walk: &mut Walk<'_, 'd>) {
    let scope = Scope::Choice { choice };
    match element.value {
        Value::String(text) => walk.piece(TextKind::Reasoning, choice, text),
        Value::Object(object) => {
            walk.object(object, scope, path, |walk, key, member| match key {
                "type" => member.value.str().is_some(),
                "text" => match member.value {
                    Value::String(text) => {
                        walk.piece(TextKind::Reasoning, choice, text);
                        true
                    }
                    _ => member.value.is_null(),
                },
                "signature" => walk.piece_detail(scope, &path.key(key), member),
                _ => false,
            });
        }
        _ => walk.detail(scope, path, element),
    }
}

/// Queues a call whose members stand in the delta itself (Snowflake): the first piece has its ID and
/// name, the others have its input.
fn flat_call<'d>(
    choice: u32,
    id: Str<'d>,
    name: Str<'d>,
    input: Member<'d>,
    walk: &mut Walk<'_, 'd>,
) {
    let call = Call {
        choice,
        id,
        name,
        has_arguments: !input.is_empty(walk.text()),
        ..Call::default()
    };
    let call = walk.progress.call(&call, walk.queue);
    match input.value {
        Value::String(text) => walk.queue.arguments(call, text, false),
        Value::Object(span) => {
            walk.queue.json_arguments(call, span.of(walk.payload.text));
        }
        _ => {}
    }
    for name in ["tool_use_id", "name", "input", "content_list"] {
        walk.queue.forget_named(walk.payload.text, name);
    }
}

/// Reads a tool call or a fragment of one.
fn tool_call<'d>(object: Span, choice: u32, walk: &mut Walk<'_, 'd>) {
    let mut call = Call {
        choice,
        ..Call::default()
    };
    let mut function = None;
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "index" => member.index(&mut call.index),
        "id" => member.text(&mut call.id),
        "function" | "custom" => member.object(&mut function),
        "type" => member.value.str().is_some() || member.value.is_null(),
        _ => false,
    });
    let call = match function {
        Some(function) => self::function(function, call, walk),
        None => walk.progress.call(&call, walk.queue),
    };
    walk.end_object(members, call.scope(), &Path::ROOT, object);
}

/// Reads the function of a call: its name and arguments.
fn function<'d>(object: Span, mut call: Call<'d>, walk: &mut Walk<'_, 'd>) -> CallRef {
    let mut arguments = Member::default();
    let members = walk.queue.begin_object();
    walk.members(object, |_, key, member| match key {
        "name" => member.text(&mut call.name),
        "arguments" | "input" => {
            arguments = member;
            matches!(
                member.value,
                Value::String(_) | Value::Object(_) | Value::Array(_) | Value::Null
            )
        }
        _ => false,
    });
    (call.has_arguments, call.is_complete) = match arguments.value {
        Value::String(text) => {
            let opens = !call.id.is_empty() || !call.name.is_empty();
            (!text.is_empty(), opens && is_whole_object(text))
        }
        value => (value.span().is_some(), value.span().is_some()),
    };
    let call = walk.progress.call(&call, walk.queue);
    match arguments.value {
        Value::String(text) => walk.queue.arguments(call, text, false),
        Value::Object(span) | Value::Array(span) => {
            walk.queue.json_arguments(call, span.of(walk.payload.text));
        }
        _ => {}
    }
    let path = Path::ROOT.key("function");
    walk.end_object(members, call.scope(), &path, object);
    call
}

/// Returns true if the string is the text of one JSON object, as far as its braces and quotes tell.
fn is_whole_object(text: Str<'_>) -> bool {
    let mut chars = text.chars().skip_while(char::is_ascii_whitespace);
    let (mut depth, mut is_in_string) = (0, false);
    while let Some(char) = chars.next() {
        match char {
            '\\' if is_in_string => drop(chars.next()),
            '"' => is_in_string = !is_in_string,
            '{' if !is_in_string => depth += 1,
            '}' if !is_in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return char == '}' && chars.all(|char| char.is_ascii_whitespace());
        }
    }
    false
}

/// Reads an object. Another value is added to the unknown members.
#[inline]
fn container<'d>(
    reader: &mut Reader<'d>,
    key: Key<'_>,
    queue: &mut Queue,
    level: Level,
) -> Result<Member<'d>, Malformed> {
    let member = Member::read(reader)?;
    match member.value {
        Value::Object(_) | Value::Null => Ok(member),
        _ => {
            queue.unknown_at(level, key.span(), member.span);
            Ok(Member::default())
        }
    }
}

/// Adds a value other than null to the unknown members.
fn null_or_unknown(
    reader: &mut Reader<'_>,
    key: Key<'_>,
    queue: &mut Queue,
    level: Level,
) -> Result<(), Malformed> {
    let member = Member::read(reader)?;
    if !member.value.is_null() {
        queue.unknown_at(level, key.span(), member.span);
    }
    Ok(())
}

/// Returns true if two strings have the same value.
fn same(a: Str<'_>, b: Str<'_>) -> bool {
    if a.has_escapes() || b.has_escapes() {
        a.chars().eq(b.chars())
    } else {
        a.raw() == b.raw()
    }
}

impl Outline<'_> {
    /// Returns true if the payload has a list of choices.
    pub(super) fn has_choices(&self) -> bool {
        self.choices.is_some()
    }

    /// Returns true if the choices are those of legacy completions.
    pub(super) fn has_legacy_choices(&self) -> bool {
        match self.first(self.choices) {
            Some(choice) => !self.has(choice, "delta") && self.has(choice, "text"),
            None => self.object.is("text_completion"),
        }
    }
}
