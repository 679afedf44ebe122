//! Dialects: what each provider's events mean.
//!
//! | name | framing | terminator | recognised by |
//! |---|---|---|---|
//! | `openai-chat` | event stream | `[DONE]` | `choices` whose elements have a `delta` |
//! | `openai-completions` | event stream | `[DONE]` | `choices` whose elements have a `text` and no `delta` |
//! | `openai-responses` | event stream | `response.completed`, `.incomplete`, `.failed`, `.cancelled` | `type` that begins with `response.` |
//! | `openai-assistants` | event stream | `[DONE]` | no `type`; event `thread.…` |
//! | `anthropic` | event stream | `message_stop` | `type` of a message or content block |
//! | `anthropic-complete` | event stream | `stop_reason` | `completion` |
//! | `gemini` | event stream | none: `finishReason` or `blockReason`, then the end | `candidates`, `promptFeedback` or `usageMetadata` |
//! | `gemini-interactions` | event stream | `interaction.completed` | `event_type` |
//! | `cohere` | event stream | `message-end` | `type` with a hyphen, such as `message-start` |
//! | `ollama` | lines | `"done":true` | `done` beside `message` or `response` |
//! | `tgi` | event stream | `generated_text` | `token` with a `text` |
//! | `watsonx` | event stream | `stop_reason` | `results` with `generated_text` |
//! | `replicate` | event stream | event `done` | event `output`, whatever its data |
//! | `llamacpp` | event stream | `"stop":true` of every prompt | `content` beside `stop` |
//! | `bedrock` | AWS event stream | `messageStop`, or the model's own | the framing, whose first byte is 0 |
//!
//! A dialect is one file with one `Spec`, its row in the table `SPECS`. Its `event` interprets an
//! event: it updates the response's `Progress` and appends deltas to the queue.

mod anthropic;
mod anthropic_complete;
mod bedrock;
mod cohere;
mod detect;
mod gemini;
mod gemini_interactions;
mod llamacpp;
mod ollama;
mod openai_assistants;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod replicate;
mod tgi;
mod watsonx;

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

pub(crate) use self::detect::{Outline, with_plain_text};
use crate::fallible::OutOfMemory;
use crate::frame::Framing;
use crate::json::Malformed;
use crate::reply::walk::Walk;
use crate::template::Builtin;

/// Interprets an event. Returns false if the dialect has no such event.
pub(crate) type Interpret = fn(&mut Walk<'_, '_>) -> Result<bool, Malformed>;

/// Decodes the payload of an event of this type. Returns false if it is not encoded.
pub(crate) type Unwrap = fn(&str, &str, &mut Vec<u8>) -> Result<bool, OutOfMemory>;

/// One dialect: everything that the decoder knows of it.
pub(crate) struct Spec {
    pub(crate) dialect: Dialect,
    /// The name that the command and the C ABI use.
    pub(crate) name: &'static str,
    pub(crate) framing: Framing,
    /// Whether `[DONE]` is the dialect's terminator. In other dialects a proxy added it.
    pub(crate) ends_with_done: bool,
    /// Returns true if an event belongs to this dialect. Rows of the table are asked in order.
    detect: fn(&Outline<'_>) -> bool,
    /// Returns true for a non-streaming response, if that is recognised in another way.
    detect_body: Option<fn(&Outline<'_>) -> bool>,
    pub(crate) event: Interpret,
    /// The type of the events that carry plain text.
    text_event: Option<&'static str>,
    /// Interprets an event whose data is plain text. Returns false if the data is JSON after all.
    pub(crate) text: Option<fn(&mut Walk<'_, '_>) -> bool>,
    /// Decodes a payload that an event of this type carries in another encoding. Returns false if it
    /// carries nothing.
    pub(crate) unwrap: Option<Unwrap>,
    /// Interprets a non-streaming response, if that has another shape than events.
    pub(crate) complete_body: Option<Interpret>,
    /// Templates that every stream of the dialect has from its first event on.
    pub(crate) builtin: &'static [Builtin],
}

impl Spec {
    /// The fields that most dialects have alike.
    const DEFAULT: Spec = Spec {
        dialect: Dialect::OpenAiChat,
        name: "",
        framing: Framing::Sse,
        ends_with_done: false,
        detect: |_| false,
        detect_body: None,
        event: |_| Ok(false),
        text_event: None,
        text: None,
        unwrap: None,
        complete_body: None,
        builtin: &[],
    };
}

/// All dialects, in the order of [`Dialect`], which is also the order of recognition.
static SPECS: &[&Spec] = &[
    &openai_chat::SPEC,
    &openai_completions::SPEC,
    &openai_responses::SPEC,
    &openai_assistants::SPEC,
    &anthropic::SPEC,
    &anthropic_complete::SPEC,
    &gemini::SPEC,
    &gemini_interactions::SPEC,
    &cohere::SPEC,
    &ollama::SPEC,
    &tgi::SPEC,
    &watsonx::SPEC,
    &replicate::SPEC,
    &llamacpp::SPEC,
    &bedrock::SPEC,
];

/// The wire formats that are decoded, by the names that the command and the C ABI use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI chat completions and all who speak it: `openai-chat`.
    OpenAiChat,
    /// OpenAI legacy completions: `openai-completions`.
    OpenAiCompletions,
    /// OpenAI's Responses API: `openai-responses`.
    OpenAiResponses,
    /// Runs of OpenAI's Assistants API: `openai-assistants`.
    OpenAiAssistants,
    /// Anthropic Messages: `anthropic`.
    Anthropic,
    /// Anthropic's legacy text completions: `anthropic-complete`.
    AnthropicComplete,
    /// Google's `streamGenerateContent`: `gemini`.
    Gemini,
    /// Google's Interactions API: `gemini-interactions`.
    GeminiInteractions,
    /// Cohere Chat v2: `cohere`.
    Cohere,
    /// Ollama's native chat and generate: `ollama`.
    Ollama,
    /// The native stream of text-generation-inference: `tgi`.
    Tgi,
    /// The native text generation of IBM watsonx.ai: `watsonx`.
    Watsonx,
    /// Replicate's prediction streams: `replicate`.
    Replicate,
    /// The native completions of llama.cpp's server: `llamacpp`.
    LlamaCpp,
    /// AWS Bedrock, Converse and Invoke: `bedrock`.
    Bedrock,
}

impl Dialect {
    /// All dialects.
    pub const ALL: &'static [Dialect] = &[
        Dialect::OpenAiChat,
        Dialect::OpenAiCompletions,
        Dialect::OpenAiResponses,
        Dialect::OpenAiAssistants,
        Dialect::Anthropic,
        Dialect::AnthropicComplete,
        Dialect::Gemini,
        Dialect::GeminiInteractions,
        Dialect::Cohere,
        Dialect::Ollama,
        Dialect::Tgi,
        Dialect::Watsonx,
        Dialect::Replicate,
        Dialect::LlamaCpp,
        Dialect::Bedrock,
    ];

    /// Returns the dialect's row in the table.
    pub(crate) fn spec(self) -> &'static Spec {
        SPECS[self as usize]
    }

    /// The dialect's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// How the dialect's events are framed.
    #[must_use]
    pub fn framing(self) -> Framing {
        self.spec().framing
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is not that of a dialect.
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

#[cfg(test)]
mod tests {
    use super::{Dialect, SPECS};

    #[test]
    fn the_table_and_the_list_are_in_the_order_of_the_enum() {
        assert_eq!(SPECS.len(), Dialect::ALL.len());
        for (n, (spec, dialect)) in SPECS.iter().zip(Dialect::ALL).enumerate() {
            assert_eq!((spec.dialect, *dialect as usize), (*dialect, n));
        }
    }
}
