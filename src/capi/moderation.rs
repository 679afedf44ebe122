//! Moderation
//!
//! Text held back until a sentence, a paragraph or a number of characters is whole, so that it can be
//! checked before anybody sees it. Give a moderator each delta of a stream; what comes out of it, all
//! text in its order, is to be checked by the caller, and shown if it is fine.
//!
//! ```c
//! /** The defaults: sentences, of which up to 4 KiB are held back for a choice. */
//! #define DW_MODERATOR_OPTIONS_INIT { sizeof(dw_moderator_options), 0, 0, 0 }
//! ```

use core::mem::MaybeUninit;

use super::boundary::{Handle, enter, give, run, take};
use super::delta::dw_delta;
use super::options::{self, Options};
use super::status::{Failure, dw_status};

/// What is checked as one piece.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_unit {
    /// A sentence, by Unicode Standard Annex 29. It is whole once the next words begin.
    DW_UNIT_SENTENCE = 0,
    /// All to a blank line and with it.
    DW_UNIT_PARAGRAPH = 1,
    /// As many characters as the options say, counted as a reader counts them.
    DW_UNIT_CHARACTERS = 2,
}

/// Holds text back.
pub struct dw_moderator {
    is_poisoned: bool,
    moderator: built::Moderator,
}

impl Handle for dw_moderator {
    fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    fn poison(&mut self) {
        self.is_poisoned = true;
    }

    fn failure(&self) -> &Failure {
        &Failure::NONE
    }
}

/// What a moderator is told before it begins. Zeros are the defaults; `DW_MODERATOR_OPTIONS_INIT` sets
/// them and `struct_size`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_moderator_options {
    /// `sizeof(dw_moderator_options)`.
    pub struct_size: u32,
    /// A `dw_unit`.
    pub unit: u32,
    /// How many characters a piece has, with DW_UNIT_CHARACTERS; 0 stands for 1.
    pub characters: usize,
    /// The most text that is held back for one choice, in bytes; 0 stands for 4 KiB. A longer unit comes
    /// in parts.
    pub max_held_bytes: usize,
}

// SAFETY: the struct has numbers alone, `struct_size` first.
unsafe impl Options for dw_moderator_options {
    const DEFAULT: Self = dw_moderator_options {
        struct_size: 0,
        unit: 0,
        characters: 0,
        max_held_bytes: 0,
    };
}

#[cfg(feature = "moderation")]
mod built {
    use super::super::status::dw_status;
    use super::{dw_moderator_options, dw_unit};
    pub(super) use crate::moderation::Moderator;
    use crate::moderation::{Options, Unit};

    pub(super) fn moderator(options: &dw_moderator_options) -> Result<Moderator, dw_status> {
        let unit = match options.unit {
            unit if unit == dw_unit::DW_UNIT_SENTENCE as u32 => Unit::Sentence,
            unit if unit == dw_unit::DW_UNIT_PARAGRAPH as u32 => Unit::Paragraph,
            unit if unit == dw_unit::DW_UNIT_CHARACTERS as u32 => {
                Unit::Characters(options.characters)
            }
            _ => return Err(dw_status::DW_ERR_ARGUMENT),
        };
        let mut told = Options::new(unit);
        if options.max_held_bytes > 0 {
            told.max_held_bytes = options.max_held_bytes;
        }
        Ok(Moderator::with_options(told))
    }
}

/// What stands in its place where moderation is not built in: there is never a moderator.
#[cfg(not(feature = "moderation"))]
mod built {
    use super::super::status::dw_status;
    use super::dw_moderator_options;
    use crate::{Delta, OutOfMemory};

    pub(super) enum Moderator {}

    pub(super) fn moderator(_: &dw_moderator_options) -> Result<Moderator, dw_status> {
        Err(dw_status::DW_ERR_UNSUPPORTED)
    }

    impl Moderator {
        pub(super) fn try_push(&mut self, _: &Delta<'_>) -> Result<bool, OutOfMemory> {
            match *self {}
        }

        pub(super) fn next(&mut self) -> Option<Delta<'_>> {
            match *self {}
        }

        pub(super) fn finish(&mut self) {
            match *self {}
        }

        pub(super) fn stop(&mut self) {
            match *self {}
        }
    }
}

/// Makes a moderator.
///
/// @param options    NULL for the defaults.
/// @param moderator  Receives the moderator, to be given to `dw_moderator_free`. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_moderator_new(
    options: *const dw_moderator_options,
    moderator: *mut *mut dw_moderator,
) -> dw_status {
    run(|| {
        if moderator.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        // SAFETY: NULL, or options with their size, as the header demands.
        let options = match unsafe { options::read(options) } {
            Ok(options) => options,
            Err(status) => return status,
        };
        let built = match built::moderator(&options) {
            Ok(built) => built,
            Err(status) => return status,
        };
        let made = give(dw_moderator {
            is_poisoned: false,
            moderator: built,
        });
        if made.is_null() {
            return dw_status::DW_ERR_OUT_OF_MEMORY;
        }
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { moderator.write(made) };
        dw_status::DW_OK
    })
}

/// Frees a moderator, and what it holds.
///
/// @param moderator  NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_moderator_free(moderator: *mut dw_moderator) {
    // SAFETY: NULL, or a moderator that was not freed.
    unsafe { take(moderator) };
}

/// Takes in a delta and copies its text. Then call `dw_moderator_next` until it returns DW_OK: a delta
/// that ends a text, such as a finish reason, makes pieces whole too.
///
/// @param delta  As a decoder or a stream wrote it, its slices still valid.
/// @return DW_OK for text, reasoning and refusal, which come out of `dw_moderator_next` in time; DW_DELTA
///         for all others, which are the caller's to use as they are, behind the pieces that
///         `dw_moderator_next` gives now; DW_ERR_ARGUMENT, also for an unknown kind and for text that
///         is not UTF-8; DW_ERR_OUT_OF_MEMORY, where nothing of the text is held; DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_moderator_push(
    moderator: *mut dw_moderator,
    delta: *const dw_delta,
) -> dw_status {
    // SAFETY: NULL, or a moderator that was not freed and that no other thread uses meanwhile.
    enter(unsafe { moderator.as_mut() }, |handle| {
        // SAFETY: NULL, or a delta that nobody changes meanwhile.
        let delta = unsafe { delta.as_ref() };
        // SAFETY: its slices are valid, as the header demands.
        let Some(delta) = delta.and_then(|delta| unsafe { delta.get() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        match handle.moderator.try_push(&delta) {
            Ok(true) => dw_status::DW_OK,
            Ok(false) => dw_status::DW_DELTA,
            Err(_) => dw_status::DW_ERR_OUT_OF_MEMORY,
        }
    })
}

/// The next piece that is whole: a delta of the kind and choice of those it came from. It is to be checked
/// before it is shown.
///
/// Valid until the next call on `moderator` other than const ones: the slices in `delta`.
///
/// @param delta  Written only on DW_DELTA.
/// @return DW_DELTA, or DW_OK where more of the stream is needed; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_moderator_next(
    moderator: *mut dw_moderator,
    delta: *mut dw_delta,
) -> dw_status {
    // SAFETY: NULL, or a moderator that was not freed and that no other thread uses meanwhile.
    enter(unsafe { moderator.as_mut() }, |handle| {
        // SAFETY: NULL, or a place for a delta, of which nothing is read.
        let Some(delta) = (unsafe { delta.cast::<MaybeUninit<dw_delta>>().as_mut() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        match &handle.moderator.next() {
            Some(piece) => {
                dw_delta::write(delta, piece);
                dw_status::DW_DELTA
            }
            None => dw_status::DW_OK,
        }
    })
}

/// Says that the stream is at its end: what is held comes out of `dw_moderator_next` as it is.
///
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_moderator_finish(moderator: *mut dw_moderator) -> dw_status {
    // SAFETY: NULL, or a moderator that was not freed and that no other thread uses meanwhile.
    enter(unsafe { moderator.as_mut() }, |handle| {
        handle.moderator.finish();
        dw_status::DW_OK
    })
}

/// Says that a piece was refused: what is held is forgotten, and no text comes out any more. The stream
/// itself is the caller's to end, by `dw_stream_cancel` or as it came.
///
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_moderator_stop(moderator: *mut dw_moderator) -> dw_status {
    // SAFETY: NULL, or a moderator that was not freed and that no other thread uses meanwhile.
    enter(unsafe { moderator.as_mut() }, |handle| {
        handle.moderator.stop();
        dw_status::DW_OK
    })
}
