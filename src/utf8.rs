//! Bytes as text.

/// Returns a payload as text if it is UTF-8.
pub(crate) fn to_str(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

/// Returns a piece of text if it is UTF-8. Most pieces are short and ASCII.
#[inline]
pub(crate) fn short_to_str(bytes: &[u8]) -> Option<&str> {
    match ascii::AsciiStr::from_ascii(bytes) {
        Ok(text) => Some(text.as_str()),
        Err(_) => core::str::from_utf8(bytes).ok(),
    }
}
