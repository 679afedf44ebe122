//! A JSON reader that makes one pass over a text.
//!
//! A [`Reader`] is a cursor in a text. Each call reads one value and moves the cursor past it:
//! [`Reader::string`] reads a string, [`Reader::members`] the members of an object,
//! [`Reader::elements`] the elements of an array, [`Reader::skip`] a value of any kind. The reader
//! builds no tree, allocates nothing and keeps no state but its position and its depth. A value that
//! is needed later is kept as a [`Span`] and read again by [`Reader::at`].
//!
//! ```ignore
//! let mut reader = Reader::new(r#"{"model":"m1","delta":{"text":"Hi"}}"#);
//! let mut text = Str::default();
//! reader.members(|reader, key| match key.name() {
//!     "delta" => reader.members(|reader, key| match key.name() {
//!         "text" => reader.string().map(|string| text = string),
//!         _ => reader.skip().map(drop),
//!     }),
//!     _ => reader.skip().map(drop),
//! })?;
//! reader.end()?;
//! assert!(text.is("Hi"));
//! ```
//!
//! # What is JSON
//!
//! Every byte is checked, in skipped values too. The reader accepts the texts that Python's
//! `json.loads` accepts in strict mode: RFC 8259, and also `NaN`, `Infinity` and `-Infinity`. Numbers
//! may have any size. The differences are:
//!
//! - Arrays and objects may be nested [`MAX_DEPTH`] levels deep.
//! - An escape of half a surrogate pair reads as U+FFFD, because a `str` cannot hold it.
//! - Members are reported in the order of the text. The caller decides which of two members with the
//!   same name counts.
//! - A text is shorter than 2 GiB.
//!
//! [`Malformed::at`] is the offset of the first byte that cannot stand there in any JSON text. If the
//! text is truncated, the offset is its length.
//!
//! # How it works
//!
//! Most bytes of a payload are inside strings, so `scan` compares 16 bytes at a time with everything
//! that ends a run of plain characters: the quote, the backslash and control characters. Strings stay
//! as they are in the text; `string` resolves escapes only when a caller asks. `number` finds the end
//! of a number and leaves its digits alone. `reader` connects them. White space is rare in payloads,
//! so it is handled outside the main path. Skipping an array or object is one loop that keeps one bit
//! per open level, so nesting costs no stack.

#[cfg(feature = "alloc")]
extern crate alloc;

mod number;
mod places;
mod reader;
mod scan;
mod skip;
mod span;
mod string;
#[cfg(test)]
mod tests;

pub(crate) use number::Number;
pub(crate) use places::Places;
#[allow(unused_imports, reason = "the reader's tests use it")]
pub(crate) use reader::Kind;
pub(crate) use reader::{Key, Reader, Value};
pub(crate) use scan::skip_plain_string;
pub(crate) use span::Span;
#[allow(unused_imports, reason = "the reader's tests use it")]
pub(crate) use string::Short;
pub(crate) use string::{Str, with_short};

/// Arrays and objects may be nested this many levels deep.
pub(crate) const MAX_DEPTH: u32 = 128;

/// The place where a text stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The offset of the first byte that cannot stand there, or the length of a truncated text.
    pub(crate) at: u32,
    pub(crate) problem: Problem,
}

/// Why a text was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The text is not JSON.
    Syntax,
    /// An array or object is nested more than [`MAX_DEPTH`] levels deep.
    TooDeep,
    /// The value that begins here is not of the kind that the caller asked for.
    OtherKind,
}

impl Malformed {
    #[cold]
    fn syntax(at: u32) -> Self {
        Malformed {
            at,
            problem: Problem::Syntax,
        }
    }

    #[cold]
    fn too_deep(at: u32) -> Self {
        Malformed {
            at,
            problem: Problem::TooDeep,
        }
    }
}
