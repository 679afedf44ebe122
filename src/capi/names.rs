//! Vocabulary
//!
//! One set of words for all providers. The names are those that the command `deltawire` prints.
//! Fields and arguments of these types are `uint32_t`, since later versions may add values.

use core::ffi::{CStr, c_char};

use super::slice::bytes;
use crate::frame::{Eof, Framing};
use crate::{Dialect, End, ErrorKind, FinishReason};

/// The providers' wire formats.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_dialect {
    /// As an option: recognise it by the first events. As an answer: not known yet.
    DW_DIALECT_AUTO = 0,
    /// OpenAI chat completions and all who speak it: "openai-chat".
    DW_DIALECT_OPENAI_CHAT = 1,
    /// OpenAI legacy completions: "openai-completions".
    DW_DIALECT_OPENAI_COMPLETIONS = 2,
    /// OpenAI's Responses API: "openai-responses".
    DW_DIALECT_OPENAI_RESPONSES = 3,
    /// Runs of OpenAI's Assistants API: "openai-assistants".
    DW_DIALECT_OPENAI_ASSISTANTS = 4,
    /// Anthropic Messages: "anthropic".
    DW_DIALECT_ANTHROPIC = 5,
    /// Anthropic's legacy text completions: "anthropic-complete".
    DW_DIALECT_ANTHROPIC_COMPLETE = 6,
    /// Google's streamGenerateContent: "gemini".
    DW_DIALECT_GEMINI = 7,
    /// Google's Interactions API: "gemini-interactions".
    DW_DIALECT_GEMINI_INTERACTIONS = 8,
    /// Cohere Chat v2: "cohere".
    DW_DIALECT_COHERE = 9,
    /// Ollama's native chat and generate: "ollama".
    DW_DIALECT_OLLAMA = 10,
    /// The native stream of text-generation-inference: "tgi".
    DW_DIALECT_TGI = 11,
    /// The native text generation of IBM watsonx.ai: "watsonx".
    DW_DIALECT_WATSONX = 12,
    /// Replicate's prediction streams: "replicate".
    DW_DIALECT_REPLICATE = 13,
    /// The native completions of llama.cpp's server: "llamacpp".
    DW_DIALECT_LLAMACPP = 14,
    /// AWS Bedrock, Converse and Invoke: "bedrock".
    DW_DIALECT_BEDROCK = 15,
}

/// How events are told apart in the bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_framing {
    /// Of a parser: `DW_FRAMING_SSE`. Of a decoder: as the dialect has it, or the first bytes show.
    DW_FRAMING_AUTO = 0,
    /// The WHATWG event stream, text/event-stream.
    DW_FRAMING_SSE = 1,
    /// A line of JSON each, application/x-ndjson.
    DW_FRAMING_NDJSON = 2,
    /// AWS's binary frames, application/vnd.amazon.eventstream.
    DW_FRAMING_EVENT_STREAM = 3,
}

/// What becomes of an event whose blank line is missing at the end of the stream.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_eof {
    /// Of a parser: `DW_EOF_DISCARD`. Of a decoder: `DW_EOF_FLUSH`.
    DW_EOF_DEFAULT = 0,
    /// It is dropped, as the standard demands.
    DW_EOF_DISCARD = 1,
    /// It is delivered, by a decoder where its payload is whole: some servers forget the last line.
    DW_EOF_FLUSH = 2,
}

/// How a stream ended.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_end {
    /// Nobody has said yet.
    DW_END_UNKNOWN = 0,
    /// All came: the provider's own terminator did, or all of a provider that sends none.
    DW_END_COMPLETE = 1,
    /// Something is missing, or an error took its place.
    DW_END_TRUNCATED = 2,
    /// It was no stream of a known provider; `dw_decoder_seen` has its beginning.
    DW_END_UNRECOGNISED = 3,
}

/// Why a choice ended.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_finish_reason {
    /// It has not.
    DW_FINISH_NONE = 0,
    /// The model was done, or met a stop sequence: "stop".
    DW_FINISH_STOP = 1,
    /// The limit on tokens was reached: "length".
    DW_FINISH_LENGTH = 2,
    /// The model waits for the results of its tool calls: "tool_calls".
    DW_FINISH_TOOL_CALLS = 3,
    /// Something was withheld by a filter: "content_filter".
    DW_FINISH_CONTENT_FILTER = 4,
    /// The provider failed: "error".
    DW_FINISH_ERROR = 5,
    /// A reason that is none of these: "other".
    DW_FINISH_OTHER = 6,
}

/// What went wrong at the provider's.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_error_kind {
    /// Nothing.
    DW_ERROR_NONE = 0,
    /// The key is missing, wrong or expired: "authentication".
    DW_ERROR_AUTHENTICATION = 1,
    /// The key may not do this, or the account has no credit: "permission".
    DW_ERROR_PERMISSION = 2,
    /// No such model, path or response: "not_found".
    DW_ERROR_NOT_FOUND = 3,
    /// Too many requests or tokens in too short a time: "rate_limit".
    DW_ERROR_RATE_LIMIT = 4,
    /// The provider has more to do than it can: "overloaded".
    DW_ERROR_OVERLOADED = 5,
    /// The prompt and the reply do not fit in the model's context: "context_length".
    DW_ERROR_CONTEXT_LENGTH = 6,
    /// The request is not what the provider understands: "invalid_request".
    DW_ERROR_INVALID_REQUEST = 7,
    /// A filter stopped the request or the reply: "content_filter".
    DW_ERROR_CONTENT_FILTER = 8,
    /// The provider waited too long for something: "timeout".
    DW_ERROR_TIMEOUT = 9,
    /// The provider failed: "server".
    DW_ERROR_SERVER = 10,
    /// Anything else: "other".
    DW_ERROR_OTHER = 11,
}

const DIALECTS: &[(u32, Dialect, &CStr)] = &[
    (1, Dialect::OpenAiChat, c"openai-chat"),
    (2, Dialect::OpenAiCompletions, c"openai-completions"),
    (3, Dialect::OpenAiResponses, c"openai-responses"),
    (4, Dialect::OpenAiAssistants, c"openai-assistants"),
    (5, Dialect::Anthropic, c"anthropic"),
    (6, Dialect::AnthropicComplete, c"anthropic-complete"),
    (7, Dialect::Gemini, c"gemini"),
    (8, Dialect::GeminiInteractions, c"gemini-interactions"),
    (9, Dialect::Cohere, c"cohere"),
    (10, Dialect::Ollama, c"ollama"),
    (11, Dialect::Tgi, c"tgi"),
    (12, Dialect::Watsonx, c"watsonx"),
    (13, Dialect::Replicate, c"replicate"),
    (14, Dialect::LlamaCpp, c"llamacpp"),
    (15, Dialect::Bedrock, c"bedrock"),
];

const FINISH_REASONS: &[(u32, FinishReason, &CStr)] = &[
    (1, FinishReason::Stop, c"stop"),
    (2, FinishReason::Length, c"length"),
    (3, FinishReason::ToolCalls, c"tool_calls"),
    (4, FinishReason::ContentFilter, c"content_filter"),
    (5, FinishReason::Error, c"error"),
    (6, FinishReason::Other, c"other"),
];

const ERROR_KINDS: &[(u32, ErrorKind, &CStr)] = &[
    (1, ErrorKind::Authentication, c"authentication"),
    (2, ErrorKind::Permission, c"permission"),
    (3, ErrorKind::NotFound, c"not_found"),
    (4, ErrorKind::RateLimit, c"rate_limit"),
    (5, ErrorKind::Overloaded, c"overloaded"),
    (6, ErrorKind::ContextLength, c"context_length"),
    (7, ErrorKind::InvalidRequest, c"invalid_request"),
    (8, ErrorKind::ContentFilter, c"content_filter"),
    (9, ErrorKind::Timeout, c"timeout"),
    (10, ErrorKind::Server, c"server"),
    (11, ErrorKind::Other, c"other"),
];

/// The number that C has for a value; 0, which no value has, where the table lacks it.
pub(super) fn number<T: PartialEq>(table: &[(u32, T, &CStr)], value: &T) -> u32 {
    let known = table.iter().find(|(_, known, _)| known == value);
    known.map_or(0, |(number, ..)| *number)
}

fn value<T: Copy>(table: &[(u32, T, &CStr)], number: u32) -> Option<T> {
    let known = table.iter().find(|(known, ..)| *known == number);
    known.map(|(_, value, _)| *value)
}

fn name<T>(table: &[(u32, T, &'static CStr)], number: u32) -> *const c_char {
    let known = table.iter().find(|(known, ..)| *known == number);
    known.map_or(c"unknown", |(.., name)| name).as_ptr()
}

pub(super) fn dialect_number(dialect: Option<Dialect>) -> u32 {
    dialect.map_or(0, |dialect| number(DIALECTS, &dialect))
}

/// `None` for a number that is no dialect; the inner one for `DW_DIALECT_AUTO`.
pub(super) fn dialect(number: u32) -> Option<Option<Dialect>> {
    match number {
        0 => Some(None),
        _ => value(DIALECTS, number).map(Some),
    }
}

pub(super) fn framing(number: u32) -> Option<Option<Framing>> {
    match number {
        0 => Some(None),
        1 => Some(Some(Framing::Sse)),
        2 => Some(Some(Framing::Ndjson)),
        3 => Some(Some(Framing::EventStream)),
        _ => None,
    }
}

pub(super) fn eof(number: u32, default: Eof) -> Option<Eof> {
    match number {
        0 => Some(default),
        1 => Some(Eof::Discard),
        2 => Some(Eof::Flush),
        _ => None,
    }
}

pub(super) fn end_number(end: Option<End>) -> u32 {
    let end = match end {
        None => dw_end::DW_END_UNKNOWN,
        Some(End::Complete) => dw_end::DW_END_COMPLETE,
        Some(End::Truncated) => dw_end::DW_END_TRUNCATED,
        Some(End::Unrecognised) => dw_end::DW_END_UNRECOGNISED,
    };
    end as u32
}

pub(super) fn end(number: u32) -> Option<End> {
    match number {
        1 => Some(End::Complete),
        2 => Some(End::Truncated),
        3 => Some(End::Unrecognised),
        _ => None,
    }
}

pub(super) fn finish_reason_number(reason: FinishReason) -> u32 {
    number(FINISH_REASONS, &reason)
}

pub(super) fn finish_reason(number: u32) -> Option<FinishReason> {
    value(FINISH_REASONS, number)
}

pub(super) fn error_kind_number(kind: ErrorKind) -> u32 {
    number(ERROR_KINDS, &kind)
}

pub(super) fn error_kind(number: u32) -> Option<ErrorKind> {
    value(ERROR_KINDS, number)
}

/// The name of a dialect.
///
/// @param dialect  A `dw_dialect`; "unknown" is the name of any other number and of AUTO.
/// @return Static text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn dw_dialect_name(dialect: u32) -> *const c_char {
    name(DIALECTS, dialect)
}

/// The dialect of a name, as a program's user gives it.
///
/// @param name  `len` bytes, not NUL-terminated.
/// @param len   Length of `name` in bytes.
/// @return A `dw_dialect`; DW_DIALECT_AUTO where no dialect has that name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_dialect_by_name(name: *const c_char, len: usize) -> u32 {
    // SAFETY: the header asks for `len` bytes that stay as they are during the call.
    let name = unsafe { bytes(name.cast(), len) }.unwrap_or_default();
    let known = DIALECTS.iter().find(|(.., known)| known.to_bytes() == name);
    known.map_or(0, |(number, ..)| *number)
}

/// The name of a finish reason.
///
/// @param reason  A `dw_finish_reason`; "unknown" is the name of any other number and of NONE.
/// @return Static text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn dw_finish_reason_name(reason: u32) -> *const c_char {
    name(FINISH_REASONS, reason)
}

/// The name of an error kind.
///
/// @param kind  A `dw_error_kind`; "unknown" is the name of any other number and of NONE.
/// @return Static text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn dw_error_kind_name(kind: u32) -> *const c_char {
    name(ERROR_KINDS, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_and_numbers_are_those_of_rust_and_of_the_header() {
        assert_eq!(DIALECTS.len(), Dialect::ALL.len());
        for (at, dialect) in Dialect::ALL.iter().enumerate() {
            let row = DIALECTS
                .get(at)
                .map(|(number, is, name)| (*number as usize, *is, *name));
            let name = format!("{dialect}\0");
            let name = CStr::from_bytes_with_nul(name.as_bytes()).unwrap_or_default();
            assert_eq!(row, Some((at + 1, *dialect, name)));
        }
        for (number, reason, name) in FINISH_REASONS {
            assert_eq!(name.to_str().ok(), Some(reason.as_str()));
            assert_eq!(finish_reason_number(*reason), *number);
        }
        for (number, kind, name) in ERROR_KINDS {
            assert_eq!(name.to_str().ok(), Some(kind.as_str()));
            assert_eq!(error_kind_number(*kind), *number);
        }
        assert_eq!(dw_dialect::DW_DIALECT_BEDROCK as usize, DIALECTS.len());
        assert_eq!(
            dw_finish_reason::DW_FINISH_OTHER as usize,
            FINISH_REASONS.len()
        );
        assert_eq!(dw_error_kind::DW_ERROR_OTHER as usize, ERROR_KINDS.len());
    }
}
