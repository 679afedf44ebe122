//! Deltas
//!
//! What a provider's stream says, piece by piece. One event on the wire gives none, one or several.

use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;

use super::names;
use super::slice::dw_slice;
use crate::{Delta, Error, StreamError, Usage};

/// What a delta is, and which of its fields say something. All others are empty or zero.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_delta_kind {
    /// The message begins: `id`, `model`, `role`. Comes again where the provider changes one.
    DW_DELTA_START = 1,
    /// A piece of the reply: `choice`, `text`.
    DW_DELTA_TEXT = 2,
    /// A piece of the model's reasoning or of its summary: `choice`, `text`.
    DW_DELTA_REASONING = 3,
    /// A piece of the model's refusal to answer: `choice`, `text`.
    DW_DELTA_REFUSAL = 4,
    /// A tool call begins, or one that is known gets the ID or name it lacked, or is returned to:
    /// `choice`, `index`, `id`, `name`. A new ID at an index in use is a new call.
    DW_DELTA_TOOL_CALL_START = 5,
    /// A piece of a tool call's arguments: `choice`, `index`, `text`. With DW_DELTA_WHOLE in `flags`
    /// `text` is all of them, in place of any that came before.
    DW_DELTA_TOOL_CALL_ARGUMENTS = 6,
    /// As DW_DELTA_TOOL_CALL_START, of a tool that the provider runs: nothing is left to do.
    DW_DELTA_SERVER_TOOL_CALL_START = 7,
    /// As DW_DELTA_TOOL_CALL_ARGUMENTS, of a tool that the provider runs.
    DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS = 8,
    /// A choice is at its end: `choice`, `finish_reason`, and `raw`, the provider's word for it.
    DW_DELTA_FINISH = 9,
    /// Token counts so far: `usage`. Each number replaces the one before it.
    DW_DELTA_USAGE = 10,
    /// The provider reports an error: `error_kind`, `code`, `text`, its message, and `raw`, the whole
    /// payload. With DW_DELTA_TRANSIENT in `flags` the same request may succeed later.
    DW_DELTA_ERROR = 11,
    /// What has no place among the others: `name`, what it is, and `raw`, the whole payload.
    DW_DELTA_OTHER = 12,
    /// The provider's own end of the stream. Comes once; more may follow it.
    DW_DELTA_DONE = 13,
}

/// In `dw_delta.flags`: `text` is all of the arguments.
pub const DW_DELTA_WHOLE: u32 = 1;
/// In `dw_delta.flags`: the same request may succeed later.
pub const DW_DELTA_TRANSIENT: u32 = 2;

/// In `dw_usage.known`: `input_tokens` is.
pub const DW_USAGE_INPUT_TOKENS: u32 = 1;
/// In `dw_usage.known`: `output_tokens` is.
pub const DW_USAGE_OUTPUT_TOKENS: u32 = 2;
/// In `dw_usage.known`: `total_tokens` is.
pub const DW_USAGE_TOTAL_TOKENS: u32 = 4;
/// In `dw_usage.known`: `cached_tokens` is.
pub const DW_USAGE_CACHED_TOKENS: u32 = 8;
/// In `dw_usage.known`: `cache_creation_tokens` is.
pub const DW_USAGE_CACHE_CREATION_TOKENS: u32 = 16;
/// In `dw_usage.known`: `reasoning_tokens` is.
pub const DW_USAGE_REASONING_TOKENS: u32 = 32;

/// Token counts with the provider's meaning. Providers differ in whether cached tokens are part of
/// `input_tokens`, and reasoning tokens part of `output_tokens`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_usage {
    /// Which of the counts the stream gave, DW_USAGE_… joined; the others are zero.
    pub known: u32,
    /// Zero.
    pub reserved0: u32,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the reply.
    pub output_tokens: u64,
    /// All tokens, as the provider adds them up.
    pub total_tokens: u64,
    /// Tokens of the prompt that were read from a cache.
    pub cached_tokens: u64,
    /// Tokens of the prompt that were written to a cache.
    pub cache_creation_tokens: u64,
    /// Tokens spent on reasoning.
    pub reasoning_tokens: u64,
}

/// One piece of news from a stream; `kind` says which fields have it. Text is UTF-8: what was not,
/// and lone surrogates, are U+FFFD in it. It may have NUL inside, and is never empty but where the
/// provider gave nothing.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_delta {
    /// A `dw_delta_kind`.
    pub kind: u32,
    /// The choice it belongs to, from 0.
    pub choice: u32,
    /// The tool call's index on the wire, else a running count. Some number from -1.
    pub index: i32,
    /// DW_DELTA_WHOLE, DW_DELTA_TRANSIENT.
    pub flags: u32,
    /// A `dw_finish_reason`.
    pub finish_reason: u32,
    /// A `dw_error_kind`.
    pub error_kind: u32,
    /// The piece of text or of JSON arguments, to be appended; or the error's message.
    pub text: dw_slice,
    /// The provider's name for the response, or for the tool call.
    pub id: dw_slice,
    /// The tool's name; or what a delta of the kind OTHER is.
    pub name: dw_slice,
    /// The model that answers.
    pub model: dw_slice,
    /// Whose message it is: "assistant".
    pub role: dw_slice,
    /// The error's code, else its type.
    pub code: dw_slice,
    /// What came on the wire: the word for a finish reason, or a whole payload.
    pub raw: dw_slice,
    /// Token counts.
    pub usage: dw_usage,
    /// Zero.
    pub reserved: [u64; 4],
}

const NAMES: &[(dw_delta_kind, &CStr)] = &[
    (dw_delta_kind::DW_DELTA_START, c"start"),
    (dw_delta_kind::DW_DELTA_TEXT, c"text"),
    (dw_delta_kind::DW_DELTA_REASONING, c"reasoning"),
    (dw_delta_kind::DW_DELTA_REFUSAL, c"refusal"),
    (dw_delta_kind::DW_DELTA_TOOL_CALL_START, c"tool_call_start"),
    (
        dw_delta_kind::DW_DELTA_TOOL_CALL_ARGUMENTS,
        c"tool_call_arguments",
    ),
    (
        dw_delta_kind::DW_DELTA_SERVER_TOOL_CALL_START,
        c"server_tool_call_start",
    ),
    (
        dw_delta_kind::DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS,
        c"server_tool_call_arguments",
    ),
    (dw_delta_kind::DW_DELTA_FINISH, c"finish"),
    (dw_delta_kind::DW_DELTA_USAGE, c"usage"),
    (dw_delta_kind::DW_DELTA_ERROR, c"error"),
    (dw_delta_kind::DW_DELTA_OTHER, c"other"),
    (dw_delta_kind::DW_DELTA_DONE, c"done"),
];

/// The name of a delta's kind, such as "tool_call_start".
///
/// @param kind  A `dw_delta_kind`; "unknown" is the name of any other number.
/// @return Static text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn dw_delta_kind_name(kind: u32) -> *const c_char {
    let known = NAMES.iter().find(|(known, _)| *known as u32 == kind);
    known.map_or(c"unknown", |(_, name)| name).as_ptr()
}

/// Returns the error of an event that could not be decoded, which C sees as a status.
#[inline(always)]
pub(super) fn or_error<'d>(delta: Option<Delta<'d>>) -> Result<Option<Delta<'d>>, Error> {
    match delta {
        Some(Delta::Invalid { error, .. }) => Err(error),
        delta => Ok(delta),
    }
}

impl dw_usage {
    const NONE: dw_usage = dw_usage {
        known: 0,
        reserved0: 0,
        input_tokens: 0,
        output_tokens: 0,
        total_tokens: 0,
        cached_tokens: 0,
        cache_creation_tokens: 0,
        reasoning_tokens: 0,
    };

    pub(super) fn of(usage: &Usage) -> Self {
        let mut known = 0;
        let mut count = |bit, count: Option<u64>| {
            known |= if count.is_some() { bit } else { 0 };
            count.unwrap_or_default()
        };
        dw_usage {
            input_tokens: count(DW_USAGE_INPUT_TOKENS, usage.input_tokens),
            output_tokens: count(DW_USAGE_OUTPUT_TOKENS, usage.output_tokens),
            total_tokens: count(DW_USAGE_TOTAL_TOKENS, usage.total_tokens),
            cached_tokens: count(DW_USAGE_CACHED_TOKENS, usage.cached_tokens),
            cache_creation_tokens: count(
                DW_USAGE_CACHE_CREATION_TOKENS,
                usage.cache_creation_tokens,
            ),
            reasoning_tokens: count(DW_USAGE_REASONING_TOKENS, usage.reasoning_tokens),
            known,
            reserved0: 0,
        }
    }

    fn to_usage(self) -> Usage {
        let count = |bit, count| (self.known & bit != 0).then_some(count);
        Usage {
            input_tokens: count(DW_USAGE_INPUT_TOKENS, self.input_tokens),
            output_tokens: count(DW_USAGE_OUTPUT_TOKENS, self.output_tokens),
            total_tokens: count(DW_USAGE_TOTAL_TOKENS, self.total_tokens),
            cached_tokens: count(DW_USAGE_CACHED_TOKENS, self.cached_tokens),
            cache_creation_tokens: count(
                DW_USAGE_CACHE_CREATION_TOKENS,
                self.cache_creation_tokens,
            ),
            reasoning_tokens: count(DW_USAGE_REASONING_TOKENS, self.reasoning_tokens),
        }
    }
}

impl dw_delta {
    const EMPTY: dw_delta = dw_delta {
        kind: 0,
        choice: 0,
        index: 0,
        flags: 0,
        finish_reason: 0,
        error_kind: 0,
        text: dw_slice::EMPTY,
        id: dw_slice::EMPTY,
        name: dw_slice::EMPTY,
        model: dw_slice::EMPTY,
        role: dw_slice::EMPTY,
        code: dw_slice::EMPTY,
        raw: dw_slice::EMPTY,
        usage: dw_usage::NONE,
        reserved: [0; 4],
    };

    /// Writes the delta for C where C wants to have it: made elsewhere, it would be copied. Its slices
    /// point to where the delta's do.
    #[inline(always)]
    pub(super) fn write<'o>(
        out: &'o mut MaybeUninit<dw_delta>,
        delta: &Delta<'_>,
    ) -> &'o mut dw_delta {
        let out = out.write(Self::EMPTY);
        match *delta {
            Delta::Text { choice, text, .. } => {
                out.piece(dw_delta_kind::DW_DELTA_TEXT, choice, text);
            }
            Delta::Reasoning { choice, text, .. } => {
                out.piece(dw_delta_kind::DW_DELTA_REASONING, choice, text);
            }
            Delta::ToolCallArguments {
                choice,
                index,
                fragment,
                whole: false,
                ..
            } => {
                let kind = dw_delta_kind::DW_DELTA_TOOL_CALL_ARGUMENTS;
                out.piece(kind, choice, fragment);
                out.index = index;
            }
            _ => out.rarer(delta),
        }
        out
    }

    #[inline]
    fn piece(&mut self, kind: dw_delta_kind, choice: u32, text: &str) {
        self.kind = kind as u32;
        self.choice = choice;
        self.text = dw_slice::of(text.as_bytes());
    }

    /// All kinds, of which [`write`](Self::write) has the frequent ones itself.
    fn rarer(&mut self, delta: &Delta<'_>) {
        use dw_delta_kind::*;
        let slice = |text: &str| dw_slice::of(text.as_bytes());
        let kind = match *delta {
            Delta::Text { choice, text, .. } => return self.piece(DW_DELTA_TEXT, choice, text),
            Delta::Reasoning { choice, text, .. } => {
                return self.piece(DW_DELTA_REASONING, choice, text);
            }
            Delta::Refusal { choice, text, .. } => {
                return self.piece(DW_DELTA_REFUSAL, choice, text);
            }
            Delta::ToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                ..
            }
            | Delta::ServerToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                ..
            } => {
                let kind = match delta {
                    Delta::ToolCallArguments { .. } => DW_DELTA_TOOL_CALL_ARGUMENTS,
                    _ => DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS,
                };
                self.index = index;
                self.flags = if whole { DW_DELTA_WHOLE } else { 0 };
                return self.piece(kind, choice, fragment);
            }
            Delta::ToolCallStart {
                choice,
                index,
                id,
                name,
                ..
            }
            | Delta::ServerToolCallStart {
                choice,
                index,
                id,
                name,
                ..
            } => {
                (self.choice, self.index) = (choice, index);
                (self.id, self.name) = (slice(id), slice(name));
                match delta {
                    Delta::ToolCallStart { .. } => DW_DELTA_TOOL_CALL_START,
                    _ => DW_DELTA_SERVER_TOOL_CALL_START,
                }
            }
            Delta::Start { id, model, role } => {
                (self.id, self.model, self.role) = (slice(id), slice(model), slice(role));
                DW_DELTA_START
            }
            Delta::Finish {
                choice,
                reason,
                raw,
            } => {
                self.choice = choice;
                self.finish_reason = names::finish_reason_number(reason);
                self.raw = slice(raw);
                DW_DELTA_FINISH
            }
            Delta::Usage(usage) => {
                self.usage = dw_usage::of(&usage);
                DW_DELTA_USAGE
            }
            Delta::Error(error) => {
                self.flags = if error.transient {
                    DW_DELTA_TRANSIENT
                } else {
                    0
                };
                self.error_kind = names::error_kind_number(error.kind);
                (self.text, self.code) = (slice(error.message), slice(error.code));
                self.raw = dw_slice::of(error.raw);
                DW_DELTA_ERROR
            }
            Delta::Other { event, raw } => {
                (self.name, self.raw) = (slice(event), dw_slice::of(raw));
                DW_DELTA_OTHER
            }
            // Until the ABI has a kind for details: the value under its name.
            Delta::Detail { name, value, .. } => {
                (self.name, self.raw) = (slice(name), slice(value));
                DW_DELTA_OTHER
            }
            // A status of its own, see `or_error`.
            Delta::Invalid { .. } => DW_DELTA_OTHER,
            Delta::Done => DW_DELTA_DONE,
        };
        self.kind = kind as u32;
    }

    /// Every slice in it.
    pub(super) fn slices_mut(&mut self) -> [&mut dw_slice; 7] {
        [
            &mut self.text,
            &mut self.id,
            &mut self.name,
            &mut self.model,
            &mut self.role,
            &mut self.code,
            &mut self.raw,
        ]
    }

    /// What C means by it; `None` where a value is unknown, a slice impossible or text not UTF-8.
    ///
    /// # Safety
    ///
    /// Each slice whose pointer is not NULL has `len` bytes that can be read and that nobody writes to
    /// during the borrow.
    pub(super) unsafe fn get(&self) -> Option<Delta<'_>> {
        use dw_delta_kind::*;
        // SAFETY: handed on.
        let bytes = |slice: dw_slice| unsafe { slice.get() };
        let text = |slice: dw_slice| core::str::from_utf8(bytes(slice)?).ok();
        let choice = self.choice;
        let index = self.index;
        let whole = self.flags & DW_DELTA_WHOLE != 0;
        let kind = self.kind;
        let (kind, _) = NAMES.iter().find(|(known, _)| *known as u32 == kind)?;
        Some(match kind {
            DW_DELTA_START => Delta::Start {
                id: text(self.id)?,
                model: text(self.model)?,
                role: text(self.role)?,
            },
            DW_DELTA_TEXT => Delta::Text {
                choice,
                part: 0,
                text: text(self.text)?,
            },
            DW_DELTA_REASONING => Delta::Reasoning {
                choice,
                part: 0,
                text: text(self.text)?,
            },
            DW_DELTA_REFUSAL => Delta::Refusal {
                choice,
                part: 0,
                text: text(self.text)?,
            },
            DW_DELTA_TOOL_CALL_START => Delta::ToolCallStart {
                choice,
                part: 0,
                index,
                id: text(self.id)?,
                name: text(self.name)?,
            },
            DW_DELTA_TOOL_CALL_ARGUMENTS => Delta::ToolCallArguments {
                choice,
                part: 0,
                index,
                fragment: text(self.text)?,
                whole,
            },
            DW_DELTA_SERVER_TOOL_CALL_START => Delta::ServerToolCallStart {
                choice,
                part: 0,
                index,
                id: text(self.id)?,
                name: text(self.name)?,
            },
            DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS => Delta::ServerToolCallArguments {
                choice,
                part: 0,
                index,
                fragment: text(self.text)?,
                whole,
            },
            DW_DELTA_FINISH => Delta::Finish {
                choice,
                reason: names::finish_reason(self.finish_reason)?,
                raw: text(self.raw)?,
            },
            DW_DELTA_USAGE => Delta::Usage(self.usage.to_usage()),
            DW_DELTA_ERROR => Delta::Error(StreamError {
                kind: names::error_kind(self.error_kind)?,
                code: text(self.code)?,
                message: text(self.text)?,
                transient: self.flags & DW_DELTA_TRANSIENT != 0,
                raw: bytes(self.raw)?,
            }),
            DW_DELTA_OTHER => Delta::Other {
                event: text(self.name)?,
                raw: bytes(self.raw)?,
            },
            DW_DELTA_DONE => Delta::Done,
        })
    }
}
