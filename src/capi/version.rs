//! Versions
//!
//! `DW_VERSION_…` are those of the header a program was compiled with, the functions those of the
//! library it runs with.

use core::ffi::{CStr, c_char};

/// Changes with every release that is not compatible, from 1.0 on.
pub const DW_VERSION_MAJOR: u32 = 0;
/// Changes with every release that is not compatible before 1.0; from 1.0 on, with one that adds
/// something.
pub const DW_VERSION_MINOR: u32 = 1;
/// Changes with every other release.
pub const DW_VERSION_PATCH: u32 = 0;
/// Changes when a program has to be compiled again to run with a newer library, and only then.
pub const DW_ABI_VERSION: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library, such as "0.1.0".
///
/// @return Static text.
#[unsafe(no_mangle)]
pub extern "C" fn dw_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The `DW_ABI_VERSION` of the library. A program that loads the library by itself compares the two.
///
/// @return The number.
#[unsafe(no_mangle)]
pub extern "C" fn dw_abi_version() -> u32 {
    DW_ABI_VERSION
}
