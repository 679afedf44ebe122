//! The model: what a provider's stream says, in one vocabulary for all providers.

use core::fmt;

use crate::frame;

/// One change of the response. An event makes any number of deltas, in this order: the start, pieces and
/// calls with their finish reasons, usage, errors, details, the end.
///
/// Strings are borrowed, from the caller's chunk or from the decoder, and live until the next call on
/// the decoder. Text is valid UTF-8: invalid sequences and lone surrogates are replaced by U+FFFD. A
/// string that the stream does not contain is empty. An empty piece of text makes no delta.
///
/// # Parts
///
/// A reply is a sequence of parts: Anthropic content blocks, the content and summary parts of Responses
/// items, runs of one kind in Gemini. `part` counts them per choice, from 0 in order of first
/// appearance. Text, reasoning and tool calls share one numbering. In dialects that number nothing,
/// such as OpenAI chat, each kind of text is one part and each tool call is one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Delta<'a> {
    /// The message begins. Comes once, and again where the provider changes one of these.
    Start {
        /// The provider's name for this response.
        id: &'a str,
        /// The model that answers.
        model: &'a str,
        /// Whose message it is: `assistant`.
        role: &'a str,
    },
    /// A piece of the reply.
    Text {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that it belongs to, see [parts](Delta#parts).
        part: u32,
        /// The piece, to be appended to what came before.
        text: &'a str,
    },
    /// A piece of the model's reasoning or of its summary.
    Reasoning {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that it belongs to, see [parts](Delta#parts).
        part: u32,
        /// The piece, to be appended to what came before.
        text: &'a str,
    },
    /// A piece of the model's refusal to answer.
    Refusal {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that it belongs to, see [parts](Delta#parts).
        part: u32,
        /// The piece, to be appended to what came before.
        text: &'a str,
    },
    /// A tool call begins, or one that is known gets the ID or another piece of its name, or is returned
    /// to.
    ToolCallStart {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that the call is, see [parts](Delta#parts).
        part: u32,
        /// The call's index on the wire, else a running count. A start with a new ID at an index in
        /// use is a new call, which has the index from then on. Some number their calls from -1.
        index: i32,
        /// The provider's name for this call, which its result has to carry.
        id: &'a str,
        /// The tool's name, or a piece of it to be appended to what came before.
        name: &'a str,
    },
    /// A piece of a tool call's arguments.
    ToolCallArguments {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that the call is, see [parts](Delta#parts).
        part: u32,
        /// The call's index, as in its start.
        index: i32,
        /// A piece of JSON text, to be appended to what came before.
        fragment: &'a str,
        /// This is all of the arguments, in place of any that came before: the wire had them as a
        /// JSON value, whose text this is, or repeated them and they are not what the pieces were.
        whole: bool,
    },
    /// The model calls a tool that the provider runs itself. Nothing is left to do for the caller.
    ServerToolCallStart {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that the call is, see [parts](Delta#parts).
        part: u32,
        /// As in [`Delta::ToolCallStart`], with which it shares its numbering.
        index: i32,
        /// The provider's name for this call.
        id: &'a str,
        /// The tool's name, or a piece of it to be appended to what came before.
        name: &'a str,
    },
    /// A piece of the arguments of a tool call that the provider runs itself.
    ServerToolCallArguments {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The part of the choice that the call is, see [parts](Delta#parts).
        part: u32,
        /// The call's index, as in its start.
        index: i32,
        /// A piece of JSON text, to be appended to what came before.
        fragment: &'a str,
        /// As in [`Delta::ToolCallArguments`].
        whole: bool,
    },
    /// A choice is at its end.
    Finish {
        /// The choice that ended, from 0.
        choice: u32,
        /// Why, in the common vocabulary.
        reason: FinishReason,
        /// Why, in the provider's words.
        raw: &'a str,
    },
    /// Token counts so far. Each number replaces the one before it.
    Usage(Usage),
    /// The provider reports an error inside the stream.
    Error(StreamError<'a>),
    /// A value that has no field of its own in this model.
    ///
    /// A value that did not change since it was last reported for the same scope and name is not
    /// reported again, unless it belongs to a piece of the reply, such as `logprobs`.
    Detail {
        /// The object that the value belongs to.
        scope: Scope,
        /// The path of the value below that object, in the provider's spelling: `usage.cost`,
        /// `safetyRatings`, `annotations[0].url`. Keys that contain `.` or `[` are quoted.
        name: &'a str,
        /// The value as JSON text, as it came.
        value: &'a str,
    },
    /// A whole event of a kind that is not known.
    Other {
        /// The event's type, in the provider's words.
        event: &'a str,
        /// The payload as it came, except that invalid UTF-8 in JSON is replaced by U+FFFD. If a Bedrock
        /// frame carries the payload in base64, the decoded payload.
        raw: &'a [u8],
    },
    /// An event that could not be decoded. The stream continues. If the payload is text that is not
    /// JSON, it follows as [`Delta::Other`].
    Invalid {
        /// Where the event begins, in bytes from the start of the stream.
        offset: u64,
        /// What is wrong with it.
        error: Error,
    },
    /// The dialect's own end of the stream; comes once. More may follow it.
    Done,
}

/// Why an event, or a [non-streaming response](crate::Message::from_response), could not be decoded.
/// A stream continues after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The event could not be framed.
    Frame(frame::Error),
    /// The payload is not JSON.
    NotJson {
        /// Where the event begins, in bytes from the start of the stream.
        offset: u64,
        /// The offset in the payload of the first byte that cannot stand there in any JSON text.
        at: usize,
    },
    /// The body is JSON, but not a response of a known dialect.
    NotAResponse,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Frame(error) => error.fmt(f),
            Error::NotJson { offset, at } => write!(
                f,
                "the payload of the event at byte {offset} is not JSON (at its byte {at})"
            ),
            Error::NotAResponse => f.write_str("the body is JSON, but no response of a known kind"),
        }
    }
}

impl Error {
    /// Where the event begins, in bytes from the start of the stream.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Error::Frame(error) => error.offset(),
            Error::NotJson { offset, .. } => *offset,
            Error::NotAResponse => 0,
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Frame(error) => Some(error),
            Error::NotJson { .. } | Error::NotAResponse => None,
        }
    }
}

impl From<frame::Error> for Error {
    fn from(error: frame::Error) -> Self {
        Error::Frame(error)
    }
}

/// The object that a [detail](Delta::Detail) belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The response as a whole.
    Response,
    /// A choice.
    Choice {
        /// The choice's index, from 0.
        choice: u32,
    },
    /// A part of a choice.
    Part {
        /// The choice's index, from 0.
        choice: u32,
        /// The part's number, as in its text.
        part: u32,
    },
    /// A tool call.
    ToolCall {
        /// The choice's index, from 0.
        choice: u32,
        /// The number of the part that the call is.
        part: u32,
        /// The call's index, as in its start.
        index: i32,
    },
}

impl Scope {
    /// The name as the command prints it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Response => "response",
            Scope::Choice { .. } => "choice",
            Scope::Part { .. } => "part",
            Scope::ToolCall { .. } => "tool_call",
        }
    }

    /// The choice, if the scope is within one.
    #[must_use]
    pub fn choice(self) -> Option<u32> {
        match self {
            Scope::Response => None,
            Scope::Choice { choice }
            | Scope::Part { choice, .. }
            | Scope::ToolCall { choice, .. } => Some(choice),
        }
    }

    /// The part, if the scope is within one.
    #[must_use]
    pub fn part(self) -> Option<u32> {
        match self {
            Scope::Part { part, .. } | Scope::ToolCall { part, .. } => Some(part),
            Scope::Response | Scope::Choice { .. } => None,
        }
    }

    /// The tool call's index, if the scope is one.
    #[must_use]
    pub fn index(self) -> Option<i32> {
        match self {
            Scope::ToolCall { index, .. } => Some(index),
            _ => None,
        }
    }
}

/// The kinds of text in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    Text,
    Reasoning,
    Refusal,
}

impl TextKind {
    /// Returns a delta of this kind.
    #[inline]
    pub(crate) fn delta(self, choice: u32, part: u32, text: &str) -> Delta<'_> {
        match self {
            TextKind::Text => Delta::Text { choice, part, text },
            TextKind::Reasoning => Delta::Reasoning { choice, part, text },
            TextKind::Refusal => Delta::Refusal { choice, part, text },
        }
    }
}

/// Why a choice ended, in one vocabulary for all providers.
///
/// The provider's own words stand beside it, in [`Delta::Finish`].
///
/// | | OpenAI chat and its like | Responses, Assistants | Anthropic, Bedrock | Gemini | Cohere | Ollama, TGI, llama.cpp, Bedrock's models |
/// |---|---|---|---|---|---|---|
/// | `Stop` | `stop`, `eos` | `completed` without tool calls | `end_turn`, `stop_sequence`, `pause_turn` | `STOP`, `completed` without tool calls | `COMPLETE`, `STOP_SEQUENCE` | `stop`, `eos_token`, `stop_sequence`, `eos`, `word`, `FINISH` |
/// | `Length` | `length`, `model_length` | `max_output_tokens`, `max_prompt_tokens`, `max_completion_tokens` | `max_tokens`, `model_context_window_exceeded` | `MAX_TOKENS`, `incomplete` | `MAX_TOKENS` | `length`, `max_tokens`, `limit`, `LENGTH` |
/// | `ToolCalls` | `tool_calls`, `function_call` | `completed` with tool calls, `requires_action` | `tool_use`; Converse: `end_turn` with tool calls | `STOP` or `completed` with tool calls, `requires_action` | `TOOL_CALL` | `stop` with tool calls |
/// | `ContentFilter` | `content_filter` | `content_filter` | `refusal`, `guardrail_intervened`, `content_filtered` | `SAFETY`, `RECITATION`, `BLOCKLIST`, `PROHIBITED_CONTENT`, `SPII`, `IMAGE_…`, any `blockReason` | | `CONTENT_FILTERED` |
/// | `Error` | `error`, `insufficient_system_resource` | `failed` | `malformed_model_output`, `malformed_tool_use` | `MALFORMED_FUNCTION_CALL`, `UNEXPECTED_TOOL_CALL`, `TOO_MANY_TOOL_CALLS`, `failed` | `ERROR`, `TIMEOUT` | Replicate's `error` |
/// | `Other` | all else | `cancelled`, `expired` | all else, such as `compaction` | `OTHER`, `LANGUAGE`, `NO_IMAGE`, `cancelled` | all else | `load`, `unload`, `canceled` |
///
/// Sources: the reason types of the providers' own SDKs (`openai`, `anthropic`, `google-genai`,
/// `cohere`), AWS's `StopReason`, text-generation-inference's `FinishReason`, llama.cpp's server
/// README, Mistral's and DeepSeek's API references, and recorded streams. `tests/streams` has each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model was done, or met a stop sequence.
    Stop,
    /// The limit on tokens was reached.
    Length,
    /// The model waits for the results of its tool calls.
    ToolCalls,
    /// Something was withheld by a filter.
    ContentFilter,
    /// The provider failed.
    Error,
    /// A reason that is none of these.
    Other,
}

impl FinishReason {
    /// The reasons by their numbers.
    pub(crate) const ALL: &[FinishReason] = &[
        FinishReason::Stop,
        FinishReason::Length,
        FinishReason::ToolCalls,
        FinishReason::ContentFilter,
        FinishReason::Error,
        FinishReason::Other,
    ];

    /// The reason's name as the command prints it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::ContentFilter => "content_filter",
            FinishReason::Error => "error",
            FinishReason::Other => "other",
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Token counts with the provider's meaning; `None` where the stream did not say. Providers differ in
/// whether cached tokens are part of `input_tokens` and reasoning tokens part of `output_tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Tokens of the reply.
    pub output_tokens: Option<u64>,
    /// All tokens, as the provider adds them up.
    pub total_tokens: Option<u64>,
    /// Tokens of the prompt that were read from a cache.
    pub cached_tokens: Option<u64>,
    /// Tokens of the prompt that were written to a cache.
    pub cache_creation_tokens: Option<u64>,
    /// Tokens spent on reasoning.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Usage::default()
    }

    /// Takes over each number that `newer` has.
    pub fn merge(&mut self, newer: &Usage) {
        let Usage {
            input_tokens,
            output_tokens,
            total_tokens,
            cached_tokens,
            cache_creation_tokens,
            reasoning_tokens,
        } = *newer;
        self.input_tokens = input_tokens.or(self.input_tokens);
        self.output_tokens = output_tokens.or(self.output_tokens);
        self.total_tokens = total_tokens.or(self.total_tokens);
        self.cached_tokens = cached_tokens.or(self.cached_tokens);
        self.cache_creation_tokens = cache_creation_tokens.or(self.cache_creation_tokens);
        self.reasoning_tokens = reasoning_tokens.or(self.reasoning_tokens);
    }

    /// The counts with their names, in the order in which the command prints them.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, Option<u64>); 6] {
        [
            ("input_tokens", self.input_tokens),
            ("output_tokens", self.output_tokens),
            ("total_tokens", self.total_tokens),
            ("cached_tokens", self.cached_tokens),
            ("cache_creation_tokens", self.cache_creation_tokens),
            ("reasoning_tokens", self.reasoning_tokens),
        ]
    }
}

/// An error that the provider reports inside the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamError<'a> {
    /// What went wrong, in the common vocabulary.
    pub kind: ErrorKind,
    /// The provider's code, else its type; empty where there is neither.
    pub code: &'a str,
    /// The provider's message.
    pub message: &'a str,
    /// Whether the same request may succeed later.
    pub transient: bool,
    /// The whole payload that reported it, as in [`Delta::Other`].
    pub raw: &'a [u8],
}

/// What went wrong, in one vocabulary for errors in a stream and HTTP errors before it.
///
/// A provider's code, type or status says it, in this order; else the HTTP status, or a number that
/// the provider uses like one; else it is `Other`. A message that names the context's length makes
/// an `InvalidRequest` or `Other` a `ContextLength`, since most servers have no code for it. The four
/// that are marked are [transient](Self::is_transient).
///
/// | | codes, types and names (case does not matter) | HTTP |
/// |---|---|---|
/// | `Authentication` | `invalid_api_key`, `authentication_error`, `UNAUTHENTICATED`, `ExpiredTokenException`, … | 401 |
/// | `Permission` | `permission_error`, `PERMISSION_DENIED`, `billing_error`, `insufficient_quota`, `AccessDeniedException`, … | 402, 403 |
/// | `NotFound` | `model_not_found`, `not_found_error`, `NOT_FOUND`, `ResourceNotFoundException` | 404 |
/// | `RateLimit`, transient | `rate_limit_exceeded`, `rate_limit_error`, `RESOURCE_EXHAUSTED`, `throttlingException`, … | 429 |
/// | `Overloaded`, transient | `overloaded_error`, `overloaded`, `UNAVAILABLE`, `serviceUnavailableException`, … | 503, 529 |
/// | `ContextLength` | `context_length_exceeded`, `exceed_context_size_error`, `request_too_large`, … | 413 |
/// | `InvalidRequest` | `invalid_request_error`, `INVALID_ARGUMENT`, `FAILED_PRECONDITION`, `validation`, `validationException`, `tool_use_failed`, … | other 4xx |
/// | `ContentFilter` | `content_filter`, `content_policy_violation`, `ResponsibleAIPolicyViolation` | |
/// | `Timeout`, transient | `timeout_error`, `DEADLINE_EXCEEDED`, `modelTimeoutException`, … | 408, 504 |
/// | `Server`, transient | `server_error`, `api_error`, `INTERNAL`, `generation`, `internalServerException`, `modelStreamErrorException`, … | other 5xx |
/// | `Other` | all else, such as `CANCELLED` | 499 |
///
/// Sources: OpenAI's "Error codes", Anthropic's "Errors", Google's `google.rpc.Code`, the exceptions
/// of AWS's `ConverseStream` and `InvokeModelWithResponseStream`, text-generation-inference's
/// `ErrorResponse`, llama.cpp's server, and recorded streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The key is missing, wrong or expired.
    Authentication,
    /// The key may not do this, or the account has no credit.
    Permission,
    /// No such model, path or response.
    NotFound,
    /// Too many requests or tokens in too short a time.
    RateLimit,
    /// The provider has more to do than it can.
    Overloaded,
    /// The prompt and the reply do not fit in the model's context.
    ContextLength,
    /// The request is not what the provider understands.
    InvalidRequest,
    /// A filter stopped the request or the reply.
    ContentFilter,
    /// The provider waited too long for something.
    Timeout,
    /// The provider failed.
    Server,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// The kinds by their numbers.
    pub(crate) const ALL: &[ErrorKind] = &[
        ErrorKind::Authentication,
        ErrorKind::Permission,
        ErrorKind::NotFound,
        ErrorKind::RateLimit,
        ErrorKind::Overloaded,
        ErrorKind::ContextLength,
        ErrorKind::InvalidRequest,
        ErrorKind::ContentFilter,
        ErrorKind::Timeout,
        ErrorKind::Server,
        ErrorKind::Other,
    ];

    /// The kind's name as the command prints it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Authentication => "authentication",
            ErrorKind::Permission => "permission",
            ErrorKind::NotFound => "not_found",
            ErrorKind::RateLimit => "rate_limit",
            ErrorKind::Overloaded => "overloaded",
            ErrorKind::ContextLength => "context_length",
            ErrorKind::InvalidRequest => "invalid_request",
            ErrorKind::ContentFilter => "content_filter",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Server => "server",
            ErrorKind::Other => "other",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            ErrorKind::RateLimit | ErrorKind::Overloaded | ErrorKind::Timeout | ErrorKind::Server
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
