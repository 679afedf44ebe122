//! Places in a text.

/// The place of a value in the text. A string's quotes are part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Returns the text of the value, or an empty one if the span is not of `text`.
    #[inline]
    pub(crate) fn of(self, text: &str) -> &str {
        slice(text, self.start, self.end)
    }

    /// Returns whether this is the default span, which is of no value.
    #[inline]
    #[allow(dead_code, reason = "the reader's tests use it")]
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Returns a part of the text. The bounds are those of a token, which begins and ends with ASCII.
#[inline(always)]
pub(super) fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}
