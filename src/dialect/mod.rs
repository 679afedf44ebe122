//! Dialects: what each provider's events mean.
//!
//! | name | framing | terminator | recognised by |
//! |---|---|---|---|
//! | `openai-chat` | event stream | `[DONE]` | `choices` whose elements have a `delta` |
//! | `openai-completions` | event stream | `[DONE]` | `choices` whose elements have a `text` and no `delta` |
//!
//! A dialect is one file with one `State`: `event` reads a payload into the sink, `reset` forgets.

pub(crate) mod error;
pub(crate) mod json;
mod openai_chat;
mod openai_completions;
pub(crate) mod sink;
mod tools;
mod usage;

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use self::json::Doc;
use self::sink::Sink;
use crate::decoder::End;
use crate::delta::FinishReason;

/// The wire formats that are decoded, by the names that the command and the C ABI use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI chat completions and all who speak it: `openai-chat`.
    OpenAiChat,
    /// OpenAI legacy completions: `openai-completions`.
    OpenAiCompletions,
}

impl Dialect {
    /// All dialects.
    pub const ALL: &'static [Dialect] = &[Dialect::OpenAiChat, Dialect::OpenAiCompletions];

    /// The dialect's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai-chat",
            Dialect::OpenAiCompletions => "openai-completions",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is that of no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownDialect;

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such dialect; there are")?;
        Dialect::ALL
            .iter()
            .try_for_each(|dialect| write!(f, " {dialect}"))
    }
}

impl core::error::Error for UnknownDialect {}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        Dialect::ALL
            .iter()
            .copied()
            .find(|dialect| dialect.as_str() == name)
            .ok_or(UnknownDialect)
    }
}

/// What is known of a response, by dialect.
pub(crate) enum State {
    OpenAiChat(openai_chat::State),
    OpenAiCompletions(openai_completions::State),
}

impl State {
    pub(crate) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenAiChat => State::OpenAiChat(Default::default()),
            Dialect::OpenAiCompletions => State::OpenAiCompletions(Default::default()),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            State::OpenAiChat(_) => Dialect::OpenAiChat,
            State::OpenAiCompletions(_) => Dialect::OpenAiCompletions,
        }
    }

    pub(crate) fn reset(&mut self) {
        match self {
            State::OpenAiChat(state) => state.reset(),
            State::OpenAiCompletions(state) => state.reset(),
        }
    }

    /// Reads one payload. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, doc: &Doc<'_>, sink: &mut Sink) -> bool {
        match self {
            State::OpenAiChat(state) => state.event(doc, sink),
            State::OpenAiCompletions(state) => state.event(doc, sink),
        }
    }

    /// The event `[DONE]` came.
    pub(crate) fn done(&mut self, sink: &mut Sink) {
        let (State::OpenAiChat(openai_chat::State { choices, .. })
        | State::OpenAiCompletions(openai_completions::State { choices })) = self;
        if !core::mem::replace(&mut choices.done, true) {
            sink.done();
        }
    }

    /// Whether the stream is complete, if it ends here.
    pub(crate) fn end(&self) -> End {
        match self {
            State::OpenAiChat(state) => state.choices.end(),
            State::OpenAiCompletions(state) => state.choices.end(),
        }
    }
}

/// The dialect that has such an event, if any has.
pub(crate) fn recognise(doc: &Doc<'_>) -> Option<Dialect> {
    let choices = doc
        .root
        .get("choices")
        .filter(|choices| choices.is_array())?;
    let is_legacy = match choices.elements().next() {
        Some(choice) => choice.get("delta").is_none() && choice.get("text").is_some(),
        None => doc.root.text_of("object") == "text_completion",
    };
    Some(if is_legacy {
        Dialect::OpenAiCompletions
    } else {
        Dialect::OpenAiChat
    })
}

/// Reads a whole response, which a stream would have brought in pieces. Returns false where it is
/// that of no known dialect.
pub(crate) fn whole(doc: &Doc<'_>, sink: &mut Sink) -> bool {
    match recognise(doc).map(State::new) {
        Some(State::OpenAiChat(mut state)) => state.whole(doc, sink),
        Some(State::OpenAiCompletions(mut state)) => state.event(doc, sink),
        None => error::report(doc, false, sink),
    }
}

/// Who answers, as far as it was said.
#[derive(Default)]
pub(crate) struct Identity {
    id: String,
    model: String,
    role: String,
}

impl Identity {
    pub(crate) fn reset(&mut self) {
        self.id.clear();
        self.model.clear();
        self.role.clear();
    }

    /// Takes over what is new and notes it as a start. Empty strings say nothing.
    pub(crate) fn update(&mut self, id: &str, model: &str, sink: &mut Sink) {
        // Both, whatever the first says.
        if replace(&mut self.id, id) | replace(&mut self.model, model) {
            sink.start(&self.id, &self.model, &self.role);
        }
    }

    /// The same for the role, which stands elsewhere in an event than the rest.
    pub(crate) fn role(&mut self, role: &str, sink: &mut Sink) {
        if replace(&mut self.role, role) && !sink.set_role(role) {
            sink.start(&self.id, &self.model, &self.role);
        }
    }
}

/// Takes over a string that is neither empty nor the same; says whether it did.
fn replace(slot: &mut String, new: &str) -> bool {
    let is_new = !new.is_empty() && slot != new;
    if is_new {
        slot.clear();
        slot.push_str(new);
    }
    is_new
}

/// A provider's finish reason in the common vocabulary.
pub(crate) fn finish_reason(raw: &str) -> FinishReason {
    match raw {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => FinishReason::Stop,
        "length" | "model_length" | "max_tokens" => FinishReason::Length,
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        "error" | "insufficient_system_resource" => FinishReason::Error,
        _ => FinishReason::Other,
    }
}
