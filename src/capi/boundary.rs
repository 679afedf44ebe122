//! Where C's calls come in: no panic leaves, and a handle that panicked is used no more.

use core::any::Any;
use core::panic::AssertUnwindSafe;
use std::alloc::{Layout, alloc};
use std::panic::catch_unwind;

use super::status::{Failure, dw_error, dw_status};

/// What C has a pointer to.
pub(super) trait Handle {
    /// Set once a panic was caught: what the panic left half done is not looked at again.
    fn is_poisoned(&self) -> bool;
    fn poison(&mut self);
    /// What failed last, of those that note it.
    fn failure(&self) -> &Failure;
}

/// Drops what a panic carried, which may panic too; what that one carries is left.
#[cold]
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        core::mem::forget(again);
    }
}

/// Runs the body of a function without a handle.
pub(super) fn run(body: impl FnOnce() -> dw_status) -> dw_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(status) => status,
        Err(payload) => {
            discard(payload);
            dw_status::DW_ERR_PANIC
        }
    }
}

/// Runs the body of a function on a handle, which is the caller's pointer made a reference.
#[inline]
pub(super) fn enter<H: Handle>(
    handle: Option<&mut H>,
    body: impl FnOnce(&mut H) -> dw_status,
) -> dw_status {
    let Some(handle) = handle else {
        return dw_status::DW_ERR_ARGUMENT;
    };
    if handle.is_poisoned() {
        return dw_status::DW_ERR_PANIC;
    }
    let status = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(deltawire_test_panic)]
        planned::strike();
        body(handle)
    }));
    status.unwrap_or_else(|payload| {
        discard(payload);
        handle.poison();
        dw_status::DW_ERR_PANIC
    })
}

/// Asks a handle for a number; `otherwise` for none and for one that is used no more.
pub(super) fn ask<H: Handle, T>(handle: Option<&H>, otherwise: T, what: impl FnOnce(&H) -> T) -> T {
    match handle {
        Some(handle) if !handle.is_poisoned() => {
            catch_unwind(AssertUnwindSafe(|| what(handle))).unwrap_or(otherwise)
        }
        _ => otherwise,
    }
}

/// Writes what a handle shows of itself to `out`.
///
/// # Safety
///
/// `out` is NULL or may be written.
pub(super) unsafe fn show<H: Handle, T>(
    handle: Option<&H>,
    out: *mut T,
    what: impl FnOnce(&H) -> Result<T, dw_status>,
) -> dw_status {
    let Some(handle) = handle.filter(|_| !out.is_null()) else {
        return dw_status::DW_ERR_ARGUMENT;
    };
    if handle.is_poisoned() {
        return dw_status::DW_ERR_PANIC;
    }
    run(|| match what(handle) {
        Ok(shown) => {
            // SAFETY: not NULL, and the caller promises the rest.
            unsafe { out.write(shown) };
            dw_status::DW_OK
        }
        Err(status) => status,
    })
}

/// Writes what failed last to `error`; of a handle that is used no more, that it is.
///
/// # Safety
///
/// `error` is NULL or may be written.
pub(super) unsafe fn show_error<H: Handle>(handle: Option<&H>, error: *mut dw_error) -> dw_status {
    let Some(handle) = handle.filter(|_| !error.is_null()) else {
        return dw_status::DW_ERR_ARGUMENT;
    };
    let details = if handle.is_poisoned() {
        dw_error::PANIC
    } else {
        handle.failure().details()
    };
    // SAFETY: not NULL, and the caller promises the rest.
    unsafe { error.write(details) };
    dw_status::DW_OK
}

/// Gives C a handle on the heap, to be taken back by [`take`]. NULL where memory could not be had,
/// which `Box::new` would abort for.
pub(super) fn give<H>(handle: H) -> *mut H {
    let layout = Layout::new::<H>();
    debug_assert!(layout.size() > 0);
    // SAFETY: the layout is that of a handle, and no handle is without fields.
    let memory = unsafe { alloc(layout) }.cast::<H>();
    if !memory.is_null() {
        // SAFETY: the memory is new and has the layout of a handle.
        unsafe { memory.write(handle) };
    }
    memory
}

/// Takes back and drops what [`give`] gave. A panic on the way is swallowed.
///
/// # Safety
///
/// `handle` is NULL, or came from `give` and was not taken back before.
pub(super) unsafe fn take<H>(handle: *mut H) {
    if !handle.is_null() {
        // SAFETY: `give` took the memory from the global allocator with the layout of `H`, as a box
        // does, and wrote an `H` to it.
        let handle = unsafe { Box::from_raw(handle) };
        run(|| {
            drop(handle);
            dw_status::DW_OK
        });
    }
}

/// A panic on request, for tests alone: it is in no library that is built without the `cfg`, and not
/// in the header.
#[cfg(deltawire_test_panic)]
mod planned {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    static NEXT: AtomicBool = AtomicBool::new(false);

    /// The next call on any handle panics.
    #[unsafe(no_mangle)]
    extern "C" fn dw_test_panic() {
        NEXT.store(true, Relaxed);
    }

    #[allow(clippy::panic, reason = "that is what it is for")]
    pub(super) fn strike() {
        if NEXT.swap(false, Relaxed) {
            panic!("a test asked for it");
        }
    }
}
