//! Decoder
//!
//! From the bytes of one response to its deltas. Whose response it is shows in its first events,
//! unless the options say it. Bring what was received, cut wherever it may be; at the end of the body
//! call `dw_decoder_finish` until it returns DW_OK, then `dw_decoder_end` says whether all came.
//!
//! ```c
//! /** The defaults: recognise the dialect, events of up to 16 MiB. */
//! #define DW_DECODER_OPTIONS_INIT \
//!     { sizeof(dw_decoder_options), 0, 0, 0, 0, 0, 0, { NULL, 0 }, { NULL, 0 } }
//! ```

use core::mem::MaybeUninit;

use super::batch;
use super::boundary::{Handle, ask, enter, give, run, show, show_error, take};
use super::delta::{dw_delta, or_error};
use super::names;
use super::options::{self, Options};
use super::slice::{dw_input, dw_slice};
use super::status::{Failure, dw_error, dw_status};
use super::window::Window;
use crate::fallible;
use crate::frame::{Eof, MAX_EVENT_BYTES};
use crate::{Decoder, Error, Fields};

/// Reads one response.
pub struct dw_decoder {
    is_poisoned: bool,
    decoder: Decoder,
    window: Window,
    /// What a batch hands out of the decoder's own memory, which the next event overwrites.
    kept: Vec<u8>,
    /// An error that a batch met behind its deltas.
    pending: Option<Error>,
    /// A batch used the last byte of its input and kept it back, since more waits than it gave: it comes
    /// again as the first byte of the next input.
    has_kept_back: bool,
    failure: Failure,
}

impl Handle for dw_decoder {
    #[inline]
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

/// In `dw_decoder_options.flags`: do without templates. Slower by far, the same deltas.
pub const DW_DECODER_NO_TEMPLATES: u32 = 1;

/// What a decoder is told before it begins. Zeros are the defaults; `DW_DECODER_OPTIONS_INIT` sets
/// them and `struct_size`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_decoder_options {
    /// `sizeof(dw_decoder_options)`.
    pub struct_size: u32,
    /// A `dw_dialect`.
    pub dialect: u32,
    /// A `dw_framing`.
    pub framing: u32,
    /// A `dw_eof`.
    pub eof: u32,
    /// DW_DECODER_NO_TEMPLATES.
    pub flags: u32,
    /// Zero.
    pub reserved0: u32,
    /// The largest event that is accepted, in bytes; 0 stands for 16 MiB.
    pub max_event_bytes: usize,
    /// The name of a member of an OpenAI chat delta that carries text besides those that are known,
    /// for a sender that invented one. UTF-8, copied; empty for none.
    pub text_field: dw_slice,
    /// The same for reasoning.
    pub reasoning_field: dw_slice,
}

// SAFETY: the struct has numbers and raw pointers alone, `struct_size` first.
unsafe impl Options for dw_decoder_options {
    const DEFAULT: Self = dw_decoder_options {
        struct_size: 0,
        dialect: 0,
        framing: 0,
        eof: 0,
        flags: 0,
        reserved0: 0,
        max_event_bytes: 0,
        text_field: dw_slice::NONE,
        reasoning_field: dw_slice::NONE,
    };
}

impl dw_decoder_options {
    /// What C means by it; an error where a value is unknown, a slice impossible, a name not UTF-8, or
    /// memory cannot be had.
    ///
    /// # Safety
    ///
    /// The slices can be read.
    pub(super) unsafe fn get(&self) -> Result<crate::Options, dw_status> {
        let wrong = dw_status::DW_ERR_ARGUMENT;
        let name = |slice: dw_slice| {
            // SAFETY: handed on.
            let name = core::str::from_utf8(unsafe { slice.get() }.ok_or(wrong)?);
            match name.map_err(|_| wrong)? {
                "" => Ok(None),
                name => Ok(Some(
                    fallible::copy(name).map_err(|_| dw_status::DW_ERR_OUT_OF_MEMORY)?,
                )),
            }
        };
        Ok(crate::Options {
            details: crate::DetailLevel::All,
            dialect: names::dialect(self.dialect).ok_or(wrong)?,
            framing: names::framing(self.framing).ok_or(wrong)?,
            max_event_bytes: match self.max_event_bytes {
                0 => MAX_EVENT_BYTES,
                max => max,
            },
            fields: Fields {
                text: name(self.text_field)?,
                reasoning: name(self.reasoning_field)?,
            },
            eof: names::eof(self.eof, Eof::Flush).ok_or(wrong)?,
            templates: match self.flags {
                0 => true,
                DW_DECODER_NO_TEMPLATES => false,
                _ => return Err(wrong),
            },
        })
    }
}

impl dw_decoder {
    /// Whether `input` is used up and nothing waits: what every second call finds where each piece of
    /// input is one event. Nothing that could panic is asked.
    #[inline]
    fn is_done(&self, input: &dw_input) -> bool {
        input.pos == input.len
            && !input.data.is_null()
            && !self.is_poisoned
            && self.pending.is_none()
            && self.window.is_empty()
            && self.decoder.is_drained()
    }

    /// The error that a batch met behind its deltas, if it did.
    #[inline]
    fn pending(&mut self) -> Option<dw_status> {
        let error = self.pending?;
        self.pending = None;
        Some(self.failure.note(&error))
    }

    /// Keeps the last byte of an input back that is used up, so that the caller comes again with it.
    fn keep_back(&mut self, input: &mut dw_input) {
        if input.pos == input.len && input.pos > 0 {
            input.pos = input.pos.saturating_sub(1);
            self.has_kept_back = true;
        }
    }

    /// Moves the caller's input past the byte that was kept back, wherever that lies by now.
    #[cold]
    fn give_back(&mut self, input: Option<&mut dw_input>) {
        if let Some(input) = input
            && input.pos < input.len
        {
            input.pos = input.pos.saturating_add(1);
            self.has_kept_back = false;
        }
    }
}

/// Makes a decoder.
///
/// @param options  NULL for the defaults.
/// @param decoder  Receives the decoder, to be given to `dw_decoder_free`. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_new(
    options: *const dw_decoder_options,
    decoder: *mut *mut dw_decoder,
) -> dw_status {
    run(|| {
        if decoder.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        // SAFETY: NULL, or options with their size, as the header demands.
        let options = match unsafe { options::read(options) } {
            Ok(options) => options,
            Err(status) => return status,
        };
        // SAFETY: the names in the options can be read, as the header demands.
        let options = match unsafe { options.get() } {
            Ok(options) => options,
            Err(status) => return status,
        };
        let made = give(dw_decoder {
            is_poisoned: false,
            decoder: Decoder::with_options(options),
            window: Window::default(),
            kept: Vec::new(),
            pending: None,
            has_kept_back: false,
            failure: Failure::NONE,
        });
        if made.is_null() {
            return dw_status::DW_ERR_OUT_OF_MEMORY;
        }
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { decoder.write(made) };
        dw_status::DW_OK
    })
}

/// Frees a decoder.
///
/// @param decoder  NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_decoder_free(decoder: *mut dw_decoder) {
    // SAFETY: NULL, or a decoder that was not freed.
    unsafe { take(decoder) };
}

/// Reads the next delta.
///
/// Valid until the next call on `decoder` other than const ones, and while the bytes in `input` are
/// unchanged: the slices in `delta`.
///
/// @param input  The caller's bytes; `pos` is advanced. NULL: what was committed to the window.
/// @param delta  Written only on DW_DELTA.
/// @return DW_DELTA, or DW_OK where the input is used up; DW_ERR_EVENT_TOO_LARGE, DW_ERR_NOT_JSON,
///         DW_ERR_BAD_FRAME, DW_ERR_OUT_OF_MEMORY for one event, after which to call on;
///         DW_ERR_ORDER for an input while the window is not used up; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_next(
    decoder: *mut dw_decoder,
    input: *mut dw_input,
    delta: *mut dw_delta,
) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    let idle = unsafe { decoder.as_ref() };
    // SAFETY: NULL, or an input that nobody changes meanwhile.
    if let (Some(idle), Some(input)) = (idle, unsafe { input.as_ref() })
        && !delta.is_null()
        && idle.is_done(input)
    {
        return dw_status::DW_OK;
    }
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    enter(unsafe { decoder.as_mut() }, |handle| {
        // SAFETY: NULL, or a place for a delta, of which nothing is read.
        let Some(delta) = (unsafe { delta.cast::<MaybeUninit<dw_delta>>().as_mut() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        if handle.has_kept_back {
            // SAFETY: NULL, or an input that nothing else points to meanwhile.
            handle.give_back(unsafe { input.as_mut() });
        }
        if let Some(status) = handle.pending() {
            return status;
        }
        let dw_decoder {
            decoder,
            window,
            failure,
            ..
        } = handle;
        // Looked at where it lies: a delta is large, and to move it costs as much as a short call.
        let read = |rest: &mut &[u8]| match &or_error(decoder.next(rest)) {
            Ok(Some(next)) => {
                dw_delta::write(delta, next);
                dw_status::DW_DELTA
            }
            Ok(None) => dw_status::DW_OK,
            Err(error) => failure.note(error),
        };
        // SAFETY: NULL, or an input whose bytes stay as they are during the call.
        unsafe { window.feed(input, read) }
    })
}

/// Reads as many deltas as there are in the input, up to `capacity`: one call where crossing into C is
/// what costs. An error behind deltas is returned by the next call, for which the last byte of input is
/// kept back, to come again as the first of the next input: where `count` is below `capacity` and `pos` is
/// `len`, all is used up and nothing waits.
///
/// Valid until the next call on `decoder` other than const ones, and while the bytes in `input` are
/// unchanged: the slices in all of `deltas`.
///
/// @param input     The caller's bytes; `pos` is advanced. NULL: what was committed to the window.
/// @param deltas    Room for `capacity` deltas, of which the first `count` are written.
/// @param capacity  At least 1.
/// @param count     Receives how many deltas there are: 0 unless DW_DELTA is returned. Not written on
///                  DW_ERR_ARGUMENT and DW_ERR_PANIC.
/// @return DW_DELTA, or DW_OK where the input is used up; the errors of `dw_decoder_next`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_next_batch(
    decoder: *mut dw_decoder,
    input: *mut dw_input,
    deltas: *mut dw_delta,
    capacity: usize,
    count: *mut usize,
) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    enter(unsafe { decoder.as_mut() }, |handle| {
        // SAFETY: NULL, or room for `capacity` deltas.
        let Some(room) = unsafe { batch::room(deltas, capacity) }.filter(|_| !count.is_null())
        else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        let mut filled = 0;
        if handle.has_kept_back {
            // SAFETY: NULL, or an input that nothing else points to meanwhile.
            handle.give_back(unsafe { input.as_mut() });
        }
        let status = handle.pending().unwrap_or_else(|| {
            let dw_decoder {
                decoder,
                window,
                kept,
                pending,
                failure,
                ..
            } = handle;
            let read = |rest: &mut &[u8]| {
                let input = rest.as_ptr_range();
                let batch = batch::fill(room, input, kept, |slot| {
                    match &or_error(decoder.next(rest)) {
                        Ok(next) => Ok(next.as_ref().map(|next| dw_delta::write(slot, next))),
                        Err(error) => Err(*error),
                    }
                });
                match batch {
                    (0, None) => dw_status::DW_OK,
                    (0, Some(error)) => failure.note(&error),
                    (len, error) => {
                        filled = len;
                        *pending = error;
                        dw_status::DW_DELTA
                    }
                }
            };
            // SAFETY: NULL, or an input whose bytes stay as they are during the call.
            unsafe { window.feed(input, read) }
        });
        // More waits than there was to give, though there was room.
        let is_short = filled > 0 && filled < capacity;
        if is_short && (handle.pending.is_some() || !handle.decoder.is_drained()) {
            // SAFETY: NULL, or an input that nothing else points to meanwhile.
            if let Some(input) = unsafe { input.as_mut() } {
                handle.keep_back(input);
            }
        }
        if status != dw_status::DW_ERR_ARGUMENT {
            // SAFETY: not NULL, so it points to a number that may be written.
            unsafe { count.write(filled) };
        }
        status
    })
}

/// Ends the stream: the deltas of what it left unfinished, one a call, then DW_OK. Then
/// `dw_decoder_end` says how the stream ended. Call `dw_decoder_reset` before the next one.
///
/// Valid until the next call on `decoder` other than const ones: the slices in `delta`.
///
/// @param delta  Written only on DW_DELTA.
/// @return DW_DELTA, or DW_OK where there is nothing more; the errors of `dw_decoder_next`, DW_ERR_ORDER
///         while the window is not used up.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_finish(
    decoder: *mut dw_decoder,
    delta: *mut dw_delta,
) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    enter(unsafe { decoder.as_mut() }, |handle| {
        // SAFETY: NULL, or a place for a delta, of which nothing is read.
        let Some(delta) = (unsafe { delta.cast::<MaybeUninit<dw_delta>>().as_mut() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        if !handle.window.is_empty() {
            return dw_status::DW_ERR_ORDER;
        }
        if let Some(status) = handle.pending() {
            return status;
        }
        match or_error(handle.decoder.finish()) {
            Ok(Some(next)) => {
                dw_delta::write(delta, &next);
                dw_status::DW_DELTA
            }
            Ok(None) => dw_status::DW_OK,
            Err(error) => handle.failure.note(&error),
        }
    })
}

/// Lends memory of the decoder's to be filled, for runtimes whose own buffers move. Then call
/// `dw_decoder_commit`, and `dw_decoder_next` with NULL as input. What was committed and is not used
/// yet stays.
///
/// Valid until the next call on `decoder` other than const ones: the memory.
///
/// @param want  How many bytes at least; 0 stands for 16 KiB.
/// @param data  Receives where to write to. Written only on DW_OK.
/// @param size  Receives how many bytes may be written there. Written only on DW_OK.
/// @return DW_OK; DW_ERR_OUT_OF_MEMORY; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_window(
    decoder: *mut dw_decoder,
    want: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    enter(unsafe { decoder.as_mut() }, |decoder| {
        // SAFETY: NULL, or places that may be written.
        unsafe { decoder.window.lend_to(want, data, size) }
    })
}

/// Takes over what was written to the window.
///
/// @param len  How many bytes, no more than `dw_decoder_window` lent.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_commit(decoder: *mut dw_decoder, len: usize) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    enter(unsafe { decoder.as_mut() }, |decoder| {
        decoder.window.commit(len)
    })
}

/// Forgets the stream and begins another one. Options and memory are kept.
///
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_decoder_reset(decoder: *mut dw_decoder) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread uses meanwhile.
    enter(unsafe { decoder.as_mut() }, |handle| {
        handle.decoder.reset();
        handle.window.clear();
        handle.pending = None;
        handle.has_kept_back = false;
        handle.failure = Failure::NONE;
        dw_status::DW_OK
    })
}

/// How the stream ended, or would have if it ended here.
///
/// @return A `dw_end`; DW_END_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_decoder_end(decoder: *const dw_decoder) -> u32 {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread changes meanwhile.
    ask(unsafe { decoder.as_ref() }, 0, |handle| {
        names::end_number(Some(handle.decoder.end()))
    })
}

/// Whose response it is.
///
/// @return A `dw_dialect`; DW_DIALECT_AUTO as long as it is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_decoder_dialect(decoder: *const dw_decoder) -> u32 {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread changes meanwhile.
    ask(unsafe { decoder.as_ref() }, 0, |handle| {
        names::dialect_number(handle.decoder.dialect())
    })
}

/// How many bytes of the stream were used, those of an unfinished event among them.
///
/// @return Bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_decoder_offset(decoder: *const dw_decoder) -> u64 {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread changes meanwhile.
    ask(unsafe { decoder.as_ref() }, 0, |handle| {
        handle.decoder.offset()
    })
}

/// How many events were dispatched, those whose payload is not JSON among them.
///
/// @return A count; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_decoder_events(decoder: *const dw_decoder) -> u64 {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread changes meanwhile.
    ask(unsafe { decoder.as_ref() }, 0, |handle| {
        handle.decoder.events()
    })
}

/// The lines that are no part of an event stream, up to 64 KiB of them: what a server sent in place of
/// a stream, such as a web page.
///
/// Valid until the next call on `decoder` other than const ones: the slice in `seen`.
///
/// @param seen  Bytes, each line ended by LF, however it came. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_seen(
    decoder: *const dw_decoder,
    seen: *mut dw_slice,
) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread changes meanwhile.
    let decoder = unsafe { decoder.as_ref() };
    let bytes = |handle: &dw_decoder| Ok(dw_slice::of(handle.decoder.unrecognised_body()));
    // SAFETY: NULL, or a slice that may be written.
    unsafe { show(decoder, seen, bytes) }
}

/// What failed last.
///
/// Valid until the next call on `decoder` other than const ones: the message in `error`.
///
/// @param error  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_decoder_error(
    decoder: *const dw_decoder,
    error: *mut dw_error,
) -> dw_status {
    // SAFETY: NULL, or a decoder that was not freed and that no other thread changes meanwhile.
    let decoder = unsafe { decoder.as_ref() };
    // SAFETY: NULL, or an error that may be written.
    unsafe { show_error(decoder, error) }
}
