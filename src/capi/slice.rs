//! Bytes in and out
//!
//! What the library hands out are slices: a pointer and a length, no NUL behind them, and one may be
//! inside. They are never the caller's to free. What the caller brings is a `dw_input`, whose bytes
//! are read where they lie.

/// A piece of memory that is lent. What calls hand out never has a NULL here, even where `len` is
/// zero. Where C++, Go or Python would keep it, they copy it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_slice {
    /// The first byte.
    pub ptr: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// The caller's bytes, and how far they are used. `next` advances `pos`; once it returns `DW_OK`,
/// `pos` is `len`, and the bytes may be overwritten, moved or freed.
#[repr(C)]
#[derive(Debug)]
pub struct dw_input {
    /// The first byte; may be NULL where `len` is zero.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
    /// The first byte that is not used yet. Begin with 0.
    pub pos: usize,
}

static NOTHING: [u8; 1] = [0];

impl dw_slice {
    /// That of an option which is not set.
    pub(super) const NONE: dw_slice = dw_slice {
        ptr: core::ptr::null(),
        len: 0,
    };

    pub(super) const EMPTY: dw_slice = dw_slice {
        ptr: NOTHING.as_ptr(),
        len: 0,
    };

    /// The same bytes for C. An empty slice of Rust's may point nowhere, so it is another one.
    #[inline]
    pub(super) const fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::EMPTY;
        }
        dw_slice {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// What C means by it; `None` where it can mean nothing.
    ///
    /// # Safety
    ///
    /// As for [`bytes`].
    #[inline]
    pub(super) unsafe fn get<'a>(self) -> Option<&'a [u8]> {
        // SAFETY: handed on.
        unsafe { bytes(self.ptr, self.len) }
    }
}

/// A pointer and a length as a slice; `None` for NULL with a length and for a length that no
/// memory has.
///
/// # Safety
///
/// If `ptr` is not NULL, `len` bytes can be read there, and nobody writes to them during `'a`.
#[inline]
pub(super) unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> Option<&'a [u8]> {
    if len == 0 {
        Some(&[])
    } else if ptr.is_null() || isize::try_from(len).is_err() {
        None
    } else {
        // SAFETY: not NULL, no longer than memory can be, and the caller promises the rest.
        Some(unsafe { core::slice::from_raw_parts(ptr, len) })
    }
}

/// As [`bytes`], of any values.
///
/// # Safety
///
/// If `ptr` is not NULL, `len` values can be read there, and nobody writes to them during `'a`.
pub(super) unsafe fn array<'a, T>(ptr: *const T, len: usize) -> Option<&'a [T]> {
    let size = size_of::<T>().checked_mul(len)?;
    if len == 0 {
        Some(&[])
    } else if ptr.is_null() || !ptr.is_aligned() || isize::try_from(size).is_err() {
        None
    } else {
        // SAFETY: aligned, not NULL, no longer than memory can be, and the caller promises the rest.
        Some(unsafe { core::slice::from_raw_parts(ptr, len) })
    }
}

impl dw_input {
    /// What is not used yet; `None` where the fields contradict each other.
    ///
    /// # Safety
    ///
    /// As for [`bytes`], of `data` and `len`.
    #[inline]
    pub(super) unsafe fn rest<'a>(&self) -> Option<&'a [u8]> {
        // SAFETY: handed on.
        unsafe { bytes(self.data, self.len) }?.get(self.pos..)
    }
}
