//! Options of programs that were compiled with another header.

use core::mem::size_of;

use super::slice::bytes;
use super::status::dw_status;

/// No header has ever had so large a struct of options.
const MAX_BYTES: usize = 4096;

/// A struct of options.
///
/// # Safety
///
/// It is `repr(C)`, begins with `struct_size: u32`, and any bytes are a value of it: numbers and raw
/// pointers alone.
pub(super) unsafe trait Options: Copy {
    /// What NULL stands for: zeros.
    const DEFAULT: Self;
}

/// The options that C gives: of an older header the fields it had, of a newer one those that are known
/// here, provided that the others are zero.
///
/// # Safety
///
/// `options` is NULL, or its first four bytes say how many bytes can be read there.
pub(super) unsafe fn read<T: Options>(options: *const T) -> Result<T, dw_status> {
    let mut known = T::DEFAULT;
    if options.is_null() {
        return Ok(known);
    }
    // SAFETY: there are at least the four bytes of the size. They need not be aligned.
    let size = unsafe { options.cast::<u32>().read_unaligned() } as usize;
    if !(size_of::<u32>()..=MAX_BYTES).contains(&size) {
        return Err(dw_status::DW_ERR_ARGUMENT);
    }
    // SAFETY: the caller says that there are so many bytes.
    let given = unsafe { bytes(options.cast::<u8>(), size) }.unwrap_or_default();
    let len = size.min(size_of::<T>());
    let (given, unknown) = given.split_at_checked(len).unwrap_or_default();
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(dw_status::DW_ERR_UNSUPPORTED);
    }
    // SAFETY: `known` has room for `len` bytes, is not part of what is given, and is a `T` whatever
    // its bytes.
    unsafe { core::ptr::copy_nonoverlapping(given.as_ptr(), (&raw mut known).cast::<u8>(), len) };
    Ok(known)
}
