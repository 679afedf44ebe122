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
//! A dialect is one file with one `State`, whose `event` reads an event into the sink and, where it keeps more than a `Progress`, whose
//! `reset` forgets; `whole` reads a response that was not streamed, where there is such a thing.

mod anthropic;
mod anthropic_complete;
pub(crate) mod bedrock;
mod cohere;
pub(crate) mod error;
mod gemini;
mod gemini_interactions;
pub(crate) mod json;
pub(crate) mod lent;
mod llamacpp;
pub(crate) mod note;
mod ollama;
mod openai_assistants;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod pool;
pub(crate) mod progress;
mod replicate;
pub(crate) mod sink;
mod tgi;
mod tools;
pub(crate) mod usage;
mod watsonx;

use core::fmt;
use core::str::FromStr;

use self::json::{Doc, Value};
use self::progress::Progress;
use self::sink::Sink;
use crate::decoder::Fields;
use crate::delta::FinishReason;
use crate::frame::Framing;
use crate::memory::Held;
use crate::template::Seed;

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

    /// The dialect's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai-chat",
            Dialect::OpenAiCompletions => "openai-completions",
            Dialect::OpenAiResponses => "openai-responses",
            Dialect::OpenAiAssistants => "openai-assistants",
            Dialect::Anthropic => "anthropic",
            Dialect::AnthropicComplete => "anthropic-complete",
            Dialect::Gemini => "gemini",
            Dialect::GeminiInteractions => "gemini-interactions",
            Dialect::Cohere => "cohere",
            Dialect::Ollama => "ollama",
            Dialect::Tgi => "tgi",
            Dialect::Watsonx => "watsonx",
            Dialect::Replicate => "replicate",
            Dialect::LlamaCpp => "llamacpp",
            Dialect::Bedrock => "bedrock",
        }
    }

    /// How the dialect's events are framed.
    #[must_use]
    pub fn framing(self) -> Framing {
        match self {
            Dialect::Ollama => Framing::Ndjson,
            Dialect::Bedrock => Framing::EventStream,
            _ => Framing::Sse,
        }
    }

    /// What templates need not learn.
    pub(crate) fn seeds(self) -> &'static [Seed] {
        match self {
            Dialect::Anthropic => anthropic::SEEDS,
            _ => &[],
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

/// An event as a dialect reads it.
pub(crate) struct Wire<'d> {
    /// The event type that its framing gave it.
    pub(crate) event: &'d str,
    pub(crate) doc: Doc<'d>,
    /// Names that the caller knows and this does not.
    pub(crate) fields: &'d Fields,
}

/// What is known of a response, by dialect.
pub(crate) enum State {
    OpenAiChat(openai_chat::State),
    OpenAiCompletions(openai_completions::State),
    OpenAiResponses(openai_responses::State),
    OpenAiAssistants(openai_assistants::State),
    Anthropic(anthropic::State),
    AnthropicComplete(anthropic_complete::State),
    Gemini(gemini::State),
    GeminiInteractions(gemini_interactions::State),
    Cohere(cohere::State),
    Ollama(ollama::State),
    Tgi(tgi::State),
    Watsonx(watsonx::State),
    Replicate(replicate::State),
    LlamaCpp(llamacpp::State),
    /// Boxed, as it holds two other states and so is by far the largest.
    Bedrock(Held<bedrock::State>),
}

impl State {
    /// `None` where there is no memory for one.
    pub(crate) fn new(dialect: Dialect) -> Option<Self> {
        Some(match dialect {
            Dialect::OpenAiChat => State::OpenAiChat(Default::default()),
            Dialect::OpenAiCompletions => State::OpenAiCompletions(Default::default()),
            Dialect::OpenAiResponses => State::OpenAiResponses(Default::default()),
            Dialect::OpenAiAssistants => State::OpenAiAssistants(Default::default()),
            Dialect::Anthropic => State::Anthropic(Default::default()),
            Dialect::AnthropicComplete => State::AnthropicComplete(Default::default()),
            Dialect::Gemini => State::Gemini(Default::default()),
            Dialect::GeminiInteractions => State::GeminiInteractions(Default::default()),
            Dialect::Cohere => State::Cohere(Default::default()),
            Dialect::Ollama => State::Ollama(Default::default()),
            Dialect::Tgi => State::Tgi(Default::default()),
            Dialect::Watsonx => State::Watsonx(Default::default()),
            Dialect::Replicate => State::Replicate(Default::default()),
            Dialect::LlamaCpp => State::LlamaCpp(Default::default()),
            Dialect::Bedrock => State::Bedrock(Held::new(bedrock::State::default())?),
        })
    }

    /// A new one, in the memory of `spare` where that is of the same dialect; `None` where there is no
    /// memory for one.
    pub(crate) fn begin(dialect: Dialect, spare: &mut Option<Held<State>>) -> Option<Held<Self>> {
        match spare.take() {
            Some(mut state) if state.dialect() == dialect => {
                state.reset();
                Some(state)
            }
            _ => Held::new(State::new(dialect)?),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            State::OpenAiChat(_) => Dialect::OpenAiChat,
            State::OpenAiCompletions(_) => Dialect::OpenAiCompletions,
            State::OpenAiResponses(_) => Dialect::OpenAiResponses,
            State::OpenAiAssistants(_) => Dialect::OpenAiAssistants,
            State::Anthropic(_) => Dialect::Anthropic,
            State::AnthropicComplete(_) => Dialect::AnthropicComplete,
            State::Gemini(_) => Dialect::Gemini,
            State::GeminiInteractions(_) => Dialect::GeminiInteractions,
            State::Cohere(_) => Dialect::Cohere,
            State::Ollama(_) => Dialect::Ollama,
            State::Tgi(_) => Dialect::Tgi,
            State::Watsonx(_) => Dialect::Watsonx,
            State::Replicate(_) => Dialect::Replicate,
            State::LlamaCpp(_) => Dialect::LlamaCpp,
            State::Bedrock(_) => Dialect::Bedrock,
        }
    }

    /// Reads one event. Returns false where the dialect has no such event.
    // It has one caller, whose frame serves.
    #[inline(always)]
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        match self {
            State::OpenAiChat(state) => state.event(wire, sink),
            State::OpenAiCompletions(state) => state.event(wire, sink),
            State::OpenAiResponses(state) => state.event(wire, sink),
            State::OpenAiAssistants(state) => state.event(wire, sink),
            State::Anthropic(state) => state.event(wire, sink),
            State::AnthropicComplete(state) => state.event(wire, sink),
            State::Gemini(state) => state.event(wire, sink),
            State::GeminiInteractions(state) => state.event(wire, sink),
            State::Cohere(state) => state.event(wire, sink),
            State::Ollama(state) => state.event(wire, sink),
            State::Tgi(state) => state.event(wire, sink),
            State::Watsonx(state) => state.event(wire, sink),
            State::Replicate(state) => state.event(wire, sink),
            State::LlamaCpp(state) => state.event(wire, sink),
            State::Bedrock(state) => state.event(wire, sink),
        }
    }

    /// Reads an event whose data is text and no JSON. Returns false where there is none.
    pub(crate) fn text(&mut self, event: &str, text: &str, sink: &mut Sink) -> bool {
        match self {
            State::Replicate(state) => state.text(event, text, sink),
            _ => false,
        }
    }

    pub(crate) fn reset(&mut self) {
        match self {
            State::OpenAiResponses(state) => state.reset(),
            State::Bedrock(state) => state.reset(),
            // The others know nothing beside how far the response has come.
            _ => self.progress_mut().reset(),
        }
    }

    /// How far the response has come.
    pub(crate) fn progress(&self) -> &Progress {
        match self {
            State::OpenAiChat(state) => &state.progress,
            State::OpenAiCompletions(state) => &state.progress,
            State::OpenAiResponses(state) => &state.progress,
            State::OpenAiAssistants(state) => &state.progress,
            State::Anthropic(state) => &state.progress,
            State::AnthropicComplete(state) => &state.progress,
            State::Gemini(state) => &state.progress,
            State::GeminiInteractions(state) => &state.progress,
            State::Cohere(state) => &state.progress,
            State::Ollama(state) => &state.progress,
            State::Tgi(state) => &state.progress,
            State::Watsonx(state) => &state.progress,
            State::Replicate(state) => &state.progress,
            State::LlamaCpp(state) => &state.progress,
            State::Bedrock(state) => state.progress(),
        }
    }

    pub(crate) fn progress_mut(&mut self) -> &mut Progress {
        match self {
            State::OpenAiChat(state) => &mut state.progress,
            State::OpenAiCompletions(state) => &mut state.progress,
            State::OpenAiResponses(state) => &mut state.progress,
            State::OpenAiAssistants(state) => &mut state.progress,
            State::Anthropic(state) => &mut state.progress,
            State::AnthropicComplete(state) => &mut state.progress,
            State::Gemini(state) => &mut state.progress,
            State::GeminiInteractions(state) => &mut state.progress,
            State::Cohere(state) => &mut state.progress,
            State::Ollama(state) => &mut state.progress,
            State::Tgi(state) => &mut state.progress,
            State::Watsonx(state) => &mut state.progress,
            State::Replicate(state) => &mut state.progress,
            State::LlamaCpp(state) => &mut state.progress,
            State::Bedrock(state) => state.progress_mut(),
        }
    }

    /// Whether the provider runs the tool call that is the latest at this index of the first choice;
    /// `None` where there is none.
    pub(crate) fn is_server_call(&self, index: i32) -> Option<bool> {
        self.progress().tools.is_server(0, index)
    }

    /// The event `[DONE]` came: a terminator for some, for others an addition of a server between.
    pub(crate) fn done(&mut self, sink: &mut Sink) {
        match self {
            State::OpenAiChat(_) | State::OpenAiCompletions(_) | State::OpenAiAssistants(_) => {
                self.progress_mut().done(sink);
            }
            _ => {}
        }
    }
}

/// The dialect that has such an event, if any has. Names of members count and their order does not;
/// the event type counts only where the payload names no type of its own.
pub(crate) fn recognise(wire: &Wire<'_>) -> Option<Dialect> {
    let root = wire.doc.root;
    if root.get("choices").is_some_and(Value::is_array) {
        return Some(openai(wire));
    }
    let name = root.get("type").and_then(Value::str);
    name.and_then(by_type)
        .or_else(|| by_members(root))
        .or_else(|| match name {
            Some(_) => None,
            None => by_event(wire.event),
        })
}

/// Recognises a dialect whose payloads name no type but have members of their own.
fn by_members(root: Value<'_>) -> Option<Dialect> {
    let has_text = |key| root.get(key).is_some_and(|value| value.str().is_some());
    let is_gemini = |value: Value<'_>| {
        let mut keys = ["candidates", "promptFeedback", "usageMetadata"].into_iter();
        keys.any(|key| value.get(key).is_some())
    };
    let has_generated = |results: Value<'_>| {
        let first = results.elements().next();
        first.is_some_and(|result| result.get("generated_text").is_some())
    };
    let has_reply = root.get("message").is_some_and(Value::is_object) || has_text("response");
    if has_text("event_type") {
        Some(Dialect::GeminiInteractions)
    } else if is_gemini(root) || root.get("response").is_some_and(is_gemini) {
        Some(Dialect::Gemini)
    } else if has_text("completion") {
        Some(Dialect::AnthropicComplete)
    } else if root
        .get("token")
        .is_some_and(|token| token.get("text").is_some())
    {
        Some(Dialect::Tgi)
    } else if root.get("results").is_some_and(has_generated) {
        Some(Dialect::Watsonx)
    } else if root.get("done").is_some() && has_reply {
        Some(Dialect::Ollama)
    } else if has_text("content") && root.get("stop").is_some_and(|stop| stop.bool().is_some()) {
        Some(Dialect::LlamaCpp)
    } else {
        None
    }
}

/// Recognises a dialect whose payloads name no type of their own.
pub(crate) fn by_event(event: &str) -> Option<Dialect> {
    match event {
        "output" => Some(Dialect::Replicate),
        event if event.starts_with("thread.") => Some(Dialect::OpenAiAssistants),
        _ => None,
    }
}

fn by_type(name: &str) -> Option<Dialect> {
    match name {
        "message_start"
        | "message_delta"
        | "message_stop"
        | "content_block_start"
        | "content_block_delta"
        | "content_block_stop"
        | "message" => Some(Dialect::Anthropic),
        "message-start" | "message-end" | "content-start" | "content-delta" | "content-end"
        | "tool-plan-delta" | "tool-call-start" | "tool-call-delta" | "tool-call-end"
        | "citation-start" | "citation-end" => Some(Dialect::Cohere),
        name if name.starts_with("response.") => Some(Dialect::OpenAiResponses),
        _ => None,
    }
}

fn openai(wire: &Wire<'_>) -> Dialect {
    let root = wire.doc.root;
    let choices = root.get("choices").unwrap_or(root);
    let is_legacy = match choices.elements().next() {
        Some(choice) => choice.get("delta").is_none() && choice.get("text").is_some(),
        None => root.text_of("object") == "text_completion",
    };
    if is_legacy {
        Dialect::OpenAiCompletions
    } else {
        Dialect::OpenAiChat
    }
}

/// Reads a whole response, which a stream would have brought in pieces. Returns false where it is
/// that of no known dialect.
pub(crate) fn whole(wire: &Wire<'_>, sink: &mut Sink) -> bool {
    let root = wire.doc.root;
    if root.text_of("object") == "response" {
        openai_responses::State::default().whole(wire, sink);
        return true;
    }
    // Cohere's whole response has no type, and without text its message has no content.
    let has_message = root.get("message").is_some_and(Value::is_object);
    if has_message && root.get("finish_reason").is_some() {
        cohere::State::default().whole(wire, sink);
        return true;
    }
    match recognise(wire).and_then(State::new) {
        Some(State::OpenAiChat(mut state)) => state.whole(wire, sink),
        Some(State::Anthropic(mut state)) => {
            state.whole(wire, sink);
            true
        }
        Some(mut state) => state.event(wire, sink),
        None => error::report(&wire.doc, false, sink),
    }
}

/// A provider's finish reason in the common vocabulary, where the word alone says it.
pub(crate) fn finish_reason(raw: &str) -> FinishReason {
    match raw {
        // OpenAI and its like; Anthropic; Cohere; TGI and watsonx; Titan.
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "pause_turn" | "COMPLETE"
        | "STOP_SEQUENCE" | "FINISH" | "FINISHED" => FinishReason::Stop,
        "length"
        | "model_length"
        | "max_tokens"
        | "model_context_window_exceeded"
        | "MAX_TOKENS"
        | "LENGTH" => FinishReason::Length,
        "tool_calls" | "function_call" | "tool_use" | "TOOL_CALL" => FinishReason::ToolCalls,
        "content_filter" | "refusal" | "CONTENT_FILTERED" => FinishReason::ContentFilter,
        "error" | "insufficient_system_resource" | "ERROR" | "TIMEOUT" => FinishReason::Error,
        _ => FinishReason::Other,
    }
}
