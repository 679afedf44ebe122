//! Message
//!
//! A reply put together: give it the deltas of a stream, or a whole response that was not streamed.
//! It copies what it keeps.

use super::boundary::{Handle, enter, give, run, show, take};
use super::delta::{dw_delta, dw_usage};
use super::names;
use super::slice::{bytes, dw_slice};
use super::status::{Failure, dw_error, dw_status};
use crate::Message;
use crate::message::{Choice, ToolCall};

/// A reply.
pub struct dw_message {
    is_poisoned: bool,
    message: Message,
    failure: Failure,
}

impl Handle for dw_message {
    fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    fn poison(&mut self) {
        self.is_poisoned = true;
    }

    fn failure(&self) -> &Failure {
        &self.failure
    }
}

/// What is known of a reply as a whole.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_message_info {
    /// The provider's name for the response.
    pub id: dw_slice,
    /// The model that answered.
    pub model: dw_slice,
    /// Whose message it is: "assistant".
    pub role: dw_slice,
    /// Token counts: of each the last that came.
    pub usage: dw_usage,
    /// How many choices there are, for `dw_message_choice`.
    pub choices: usize,
    /// How many tool calls all choices have, for `dw_message_tool_call`.
    pub tool_calls: usize,
    /// The same of tools that the provider ran, for `dw_message_server_tool_call`.
    pub server_tool_calls: usize,
    /// A `dw_end`; DW_END_UNKNOWN until `dw_message_finish`.
    pub end: u32,
    /// 1 if the stream came to its end and reported no error, else 0.
    pub is_complete: u32,
    /// The kind of the first error that the provider reported, a `dw_error_kind`.
    pub error_kind: u32,
    /// 1 if the same request may succeed later, else 0.
    pub error_transient: u32,
    /// The error's code, else its type.
    pub error_code: dw_slice,
    /// The error's message.
    pub error_message: dw_slice,
    /// Zero.
    pub reserved: [u64; 4],
}

/// One of the replies to a prompt.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_choice {
    /// Its index on the wire, from 0.
    pub index: u32,
    /// Why it ended, a `dw_finish_reason`.
    pub finish_reason: u32,
    /// The same in the provider's words.
    pub finish_raw: dw_slice,
    /// The reply.
    pub text: dw_slice,
    /// The model's reasoning or its summary.
    pub reasoning: dw_slice,
    /// The model's refusal.
    pub refusal: dw_slice,
    /// Zero.
    pub reserved: [u64; 4],
}

/// A call of a tool.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_tool_call {
    /// The choice it belongs to.
    pub choice: u32,
    /// Its index on the wire, else a running count.
    pub index: i32,
    /// The provider's name for the call, which its result has to carry.
    pub id: dw_slice,
    /// The tool's name.
    pub name: dw_slice,
    /// The arguments: JSON text, if the model wrote it right.
    pub arguments: dw_slice,
    /// Zero.
    pub reserved: [u64; 4],
}

impl dw_message {
    /// Has this in place of what it had.
    pub(super) fn replace(&mut self, message: Message) {
        self.message = message;
    }
}

impl dw_message_info {
    fn of(message: &Message) -> Self {
        let text = |text: &Option<String>| dw_slice::of(text.as_deref().unwrap_or("").as_bytes());
        let error = message.error.as_ref();
        let said =
            |said: Option<&String>| said.map_or(dw_slice::EMPTY, |it| dw_slice::of(it.as_bytes()));
        let calls = |calls: usize, of: usize| calls.saturating_add(of);
        let choices = message.choices.iter();
        dw_message_info {
            id: text(&message.id),
            model: text(&message.model),
            role: text(&message.role),
            usage: dw_usage::of(&message.usage),
            choices: message.choices.len(),
            tool_calls: choices.clone().map(|it| it.tool_calls.len()).fold(0, calls),
            server_tool_calls: choices.map(|it| it.server_tool_calls.len()).fold(0, calls),
            end: names::end_number(message.end),
            is_complete: u32::from(message.is_complete()),
            error_kind: error.map_or(0, |error| names::error_kind_number(error.kind)),
            error_transient: error.map_or(0, |error| u32::from(error.transient)),
            error_code: said(error.map(|error| &error.code)),
            error_message: said(error.map(|error| &error.message)),
            reserved: [0; 4],
        }
    }
}

impl dw_tool_call {
    fn of((choice, call): &(u32, &ToolCall)) -> Self {
        dw_tool_call {
            choice: *choice,
            index: call.index,
            id: dw_slice::of(call.id.as_bytes()),
            name: dw_slice::of(call.name.as_bytes()),
            arguments: dw_slice::of(call.arguments.as_bytes()),
            reserved: [0; 4],
        }
    }
}

/// Makes a message of which nothing has come.
///
/// @param message  Receives the message, to be given to `dw_message_free`. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_OUT_OF_MEMORY.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_new(message: *mut *mut dw_message) -> dw_status {
    run(|| {
        if message.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        let made = give(dw_message {
            is_poisoned: false,
            message: Message::new(),
            failure: Failure::NONE,
        });
        if made.is_null() {
            return dw_status::DW_ERR_OUT_OF_MEMORY;
        }
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { message.write(made) };
        dw_status::DW_OK
    })
}

/// Frees a message.
///
/// @param message  NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_message_free(message: *mut dw_message) {
    // SAFETY: NULL, or a message that was not freed.
    unsafe { take(message) };
}

/// Takes in a delta, and copies what it keeps of it.
///
/// @param delta  As a decoder wrote it, its slices still valid; or one of the caller's, zeroed but for
///               the fields of its kind.
/// @return DW_OK; DW_ERR_ARGUMENT, also for an unknown kind and for text that is not UTF-8;
///         DW_ERR_OUT_OF_MEMORY, and nothing of the delta is taken in; DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_push(
    message: *mut dw_message,
    delta: *const dw_delta,
) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread uses meanwhile.
    enter(unsafe { message.as_mut() }, |handle| {
        // SAFETY: NULL, or a delta that stays as it is during the call.
        let Some(delta) = (unsafe { delta.as_ref() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        // SAFETY: its slices are valid, as the header demands.
        let Some(delta) = (unsafe { delta.get() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        if handle.message.try_push(&delta).is_ok() {
            dw_status::DW_OK
        } else {
            dw_status::DW_ERR_OUT_OF_MEMORY
        }
    })
}

/// Notes how the stream ended.
///
/// @param end  A `dw_end` other than DW_END_UNKNOWN, as `dw_decoder_end` returns it.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_finish(message: *mut dw_message, end: u32) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread uses meanwhile.
    enter(unsafe { message.as_mut() }, |handle| {
        let Some(end) = names::end(end) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        handle.message.finish(end);
        dw_status::DW_OK
    })
}

/// Reads a whole response, as a server sends it where no stream was asked for, in place of what the
/// message had. An error that the provider reports in it is the message's, and no failure.
///
/// Valid until the next call on `message` other than const ones: the message in `error`.
///
/// @param body   `len` bytes of JSON.
/// @param len    Length of `body` in bytes.
/// @param error  NULL, or receives what is wrong with the body, and where. Written only on the three
///               errors that concern it.
/// @return DW_OK; DW_ERR_NOT_JSON, DW_ERR_NOT_A_RESPONSE, DW_ERR_OUT_OF_MEMORY; DW_ERR_ARGUMENT,
///         DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_read(
    message: *mut dw_message,
    body: *const u8,
    len: usize,
    error: *mut dw_error,
) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread uses meanwhile.
    enter(unsafe { message.as_mut() }, |handle| {
        // SAFETY: `len` bytes are at `body`, and nobody writes to them during the call.
        let Some(body) = (unsafe { bytes(body, len) }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        match Message::from_response(body) {
            Ok(read) => {
                handle.replace(read);
                dw_status::DW_OK
            }
            Err(what) => {
                let status = handle.failure.note(&what);
                if !error.is_null() {
                    // SAFETY: not NULL, so it points to an error that may be written.
                    unsafe { error.write(handle.failure.details()) };
                }
                status
            }
        }
    })
}

/// What is known of the reply as a whole.
///
/// Valid until the next call on `message` other than const ones: the slices in `info`.
///
/// @param info  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_get(
    message: *const dw_message,
    info: *mut dw_message_info,
) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread changes meanwhile.
    let message = unsafe { message.as_ref() };
    // SAFETY: NULL, or an info that may be written.
    unsafe {
        show(message, info, |handle| {
            Ok(dw_message_info::of(&handle.message))
        })
    }
}

/// One of the choices, which are in the order of their indexes.
///
/// Valid until the next call on `message` other than const ones: the slices in `choice`.
///
/// @param at      From 0, below `dw_message_info.choices`.
/// @param choice  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, also where there is no such choice; DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_choice(
    message: *const dw_message,
    at: usize,
    choice: *mut dw_choice,
) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread changes meanwhile.
    let message = unsafe { message.as_ref() };
    let found = |handle: &dw_message| {
        let found = handle.message.choices.get(at);
        let found = found.ok_or(dw_status::DW_ERR_ARGUMENT)?;
        let finish = found.finish.as_ref();
        Ok(dw_choice {
            index: found.index,
            finish_reason: finish.map_or(0, |it| names::finish_reason_number(it.reason)),
            finish_raw: dw_slice::of(finish.map_or("", |it| &it.raw).as_bytes()),
            text: dw_slice::of(found.text.as_bytes()),
            reasoning: dw_slice::of(found.reasoning.as_bytes()),
            refusal: dw_slice::of(found.refusal.as_bytes()),
            reserved: [0; 4],
        })
    };
    // SAFETY: NULL, or a choice that may be written.
    unsafe { show(message, choice, found) }
}

/// One of the tool calls of all choices, which are in the order in which they began.
///
/// Valid until the next call on `message` other than const ones: the slices in `call`.
///
/// @param at    From 0, below `dw_message_info.tool_calls`.
/// @param call  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, also where there is no such call; DW_ERR_OUT_OF_MEMORY,
///         DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_tool_call(
    message: *const dw_message,
    at: usize,
    call: *mut dw_tool_call,
) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread changes meanwhile.
    let message = unsafe { message.as_ref() };
    let found = |handle: &dw_message| nth(&handle.message, |choice| &choice.tool_calls, at);
    // SAFETY: NULL, or a call that may be written.
    unsafe { show(message, call, found) }
}

/// The same for the calls of tools that the provider ran itself.
///
/// Valid until the next call on `message` other than const ones: the slices in `call`.
///
/// @param at    From 0, below `dw_message_info.server_tool_calls`.
/// @param call  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, also where there is no such call; DW_ERR_OUT_OF_MEMORY,
///         DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_message_server_tool_call(
    message: *const dw_message,
    at: usize,
    call: *mut dw_tool_call,
) -> dw_status {
    // SAFETY: NULL, or a message that was not freed and that no other thread changes meanwhile.
    let message = unsafe { message.as_ref() };
    let found = |handle: &dw_message| nth(&handle.message, |choice| &choice.server_tool_calls, at);
    // SAFETY: NULL, or a call that may be written.
    unsafe { show(message, call, found) }
}

fn nth(
    message: &Message,
    of: fn(&Choice) -> &[ToolCall],
    at: usize,
) -> Result<dw_tool_call, dw_status> {
    let calls = message.try_calls(of);
    let calls = calls.map_err(|_| dw_status::DW_ERR_OUT_OF_MEMORY)?;
    let call = calls.get(at).ok_or(dw_status::DW_ERR_ARGUMENT)?;
    Ok(dw_tool_call::of(call))
}
