//! Memory that the caller fills, for runtimes whose own buffers move.

use super::slice::dw_input;
use super::status::dw_status;

/// What is handed out where the caller names no size.
const BYTES: usize = 16 * 1024;

/// A buffer: used up to `start`, filled up to `end`, and lent to the caller for `lent` bytes behind.
#[derive(Default)]
pub(super) struct Window {
    memory: Vec<u8>,
    start: usize,
    end: usize,
    lent: usize,
}

impl Window {
    /// Room for `want` bytes, or for as many as are usual.
    fn lend(&mut self, want: usize) -> Result<&mut [u8], dw_status> {
        let want = if want == 0 { BYTES } else { want };
        self.memory.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        let len = self.end.saturating_add(want);
        if let Some(more) = len.checked_sub(self.memory.len()) {
            let is_had = self.memory.try_reserve_exact(more).is_ok();
            if !is_had {
                return Err(dw_status::DW_ERR_OUT_OF_MEMORY);
            }
            self.memory.resize(len, 0);
        }
        let room = self.memory.get_mut(self.end..).unwrap_or_default();
        self.lent = room.len();
        Ok(room)
    }

    /// [`lend`](Self::lend), with the room written to where C wants to have it.
    ///
    /// # Safety
    ///
    /// `data` and `size` are each NULL or may be written.
    pub(super) unsafe fn lend_to(
        &mut self,
        want: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> dw_status {
        if data.is_null() || size.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        let room = match self.lend(want) {
            Ok(room) => room,
            Err(status) => return status,
        };
        // SAFETY: not NULL, and the caller promises the rest.
        unsafe { data.write(room.as_mut_ptr()) };
        // SAFETY: the same.
        unsafe { size.write(room.len()) };
        dw_status::DW_OK
    }

    /// Takes over what the caller has written, which cannot be more than was lent.
    pub(super) fn commit(&mut self, len: usize) -> dw_status {
        let Some(left) = self.lent.checked_sub(len) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        self.lent = left;
        self.end = self.end.saturating_add(len);
        dw_status::DW_OK
    }

    /// Has `read` read from the input, or from here where there is none, and notes how far it came.
    ///
    /// # Safety
    ///
    /// `input` is NULL, or nothing else points to it meanwhile and its `data` has `len` bytes that
    /// nobody writes to during the call.
    #[inline]
    pub(super) unsafe fn feed(
        &mut self,
        input: *mut dw_input,
        read: impl FnOnce(&mut &[u8]) -> dw_status,
    ) -> dw_status {
        // SAFETY: handed on.
        let Some(input) = (unsafe { input.as_mut() }) else {
            let mut rest = self.memory.get(self.start..self.end).unwrap_or_default();
            let status = read(&mut rest);
            self.start = self.end.saturating_sub(rest.len());
            return status;
        };
        if !self.is_empty() {
            return dw_status::DW_ERR_ORDER;
        }
        // SAFETY: handed on.
        let Some(mut rest) = (unsafe { input.rest() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        let status = read(&mut rest);
        input.pos = input.len.saturating_sub(rest.len());
        status
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Drops what is not used; memory is kept.
    pub(super) fn clear(&mut self) {
        (self.start, self.end, self.lent) = (0, 0, 0);
    }
}
