//! The model: what a provider's stream says, in one vocabulary for all providers.

use core::fmt;

/// One piece of news from a stream. A wire event gives none, one or several, in wire order.
///
/// Everything in it is borrowed and lives until the next call on the decoder. Text is valid UTF-8.
/// A string that the stream does not give is empty. Empty pieces of text give no delta.
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
        /// The piece, to be appended to what came before.
        text: &'a str,
    },
    /// A piece of the model's reasoning or of its summary.
    Reasoning {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The piece, to be appended to what came before.
        text: &'a str,
    },
    /// A piece of the model's refusal to answer.
    Refusal {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The piece, to be appended to what came before.
        text: &'a str,
    },
    /// A tool call begins, or one that is known gets the ID or name it lacked, or is returned to.
    ToolCallStart {
        /// The choice it belongs to, from 0.
        choice: u32,
        /// The call's index on the wire, else a running count. A start with a new ID at an index in
        /// use is a new call, which has the index from then on. Some number their calls from -1.
        index: i32,
        /// The provider's name for this call, which its result has to carry.
        id: &'a str,
        /// The tool's name.
        name: &'a str,
    },
    /// A piece of a tool call's arguments.
    ToolCallArguments {
        /// The choice it belongs to, from 0.
        choice: u32,
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
        /// As in [`Delta::ToolCallStart`], with which it shares its numbering.
        index: i32,
        /// The provider's name for this call.
        id: &'a str,
        /// The tool's name.
        name: &'a str,
    },
    /// A piece of the arguments of a tool call that the provider runs itself.
    ServerToolCallArguments {
        /// The choice it belongs to, from 0.
        choice: u32,
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
    /// An event, or a part of one, that has no place in this model.
    Other {
        /// What it is, in the provider's words: the event's type, or the name of the part.
        event: &'a str,
        /// The whole payload of the event, untouched.
        raw: &'a [u8],
    },
    /// The dialect's own end of the stream. More may follow it.
    Done,
}

/// Why a choice ended, in one vocabulary for all providers.
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

/// Token counts with the provider's meaning; `None` where the stream did not say.
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

    /// The counts with their names, in the order in which they are printed.
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
    /// The whole payload that reported it, untouched.
    pub raw: &'a [u8],
}

/// What went wrong, in one vocabulary for errors in a stream and HTTP errors before it.
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
