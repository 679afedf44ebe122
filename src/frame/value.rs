//! A field value: bytes, with a text view on demand.

use core::fmt;
use core::ops::Deref;

/// The bytes of a field value.
///
/// An event stream is UTF-8 by definition, and most of what it carries is decoded by something that
/// checks this once more, so a value is validated only when it is asked for as text. What is
/// invalid then reads as U+FFFD, one for each maximal subpart, as the Encoding standard's "UTF-8
/// decode" does; it is never an error.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// A value of these bytes.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Value(bytes)
    }

    /// The bytes as they came.
    #[inline]
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text, where it is valid UTF-8.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }

    /// The text, borrowed where it is valid UTF-8, else a copy with U+FFFD in the invalid places.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_str(self) -> alloc::borrow::Cow<'a, str> {
        // Validated first: the lossy conversion is several times slower on valid text.
        match core::str::from_utf8(self.0) {
            Ok(text) => alloc::borrow::Cow::Borrowed(text),
            Err(_) => alloc::string::String::from_utf8_lossy(self.0),
        }
    }
}

impl Deref for Value<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl AsRef<[u8]> for Value<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Value(bytes)
    }
}

impl PartialEq<str> for Value<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Value<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// Writes the text, U+FFFD in place of what is invalid; allocates nothing.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.utf8_chunks() {
            f.write_str(piece.valid())?;
            if !piece.invalid().is_empty() {
                f.write_str("\u{FFFD}")?;
            }
        }
        Ok(())
    }
}

/// Shows the bytes as a byte string literal would.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}
