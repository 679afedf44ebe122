//! The cursor, and the values it reads.

use super::number::{number_end, word_end};
use super::scan::{at, space_end, string_stop};
use super::string::{Buffer, escaped_end};
use super::{Malformed, Number, Problem, Str};

/// Arrays and objects may be nested this many levels deep.
pub(crate) const MAX_DEPTH: u32 = 128;

/// Keys with escapes are unescaped if their value has at most this many bytes.
const KEY_BYTES: usize = 128;

/// A cursor in a JSON text. Offsets are bytes from the start of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'d> {
    text: &'d str,
    pos: u32,
    /// The number of arrays and objects that the cursor is in.
    depth: u32,
}

/// The kind of a value, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
    /// The byte does not begin a value.
    Invalid,
    /// The text ends here.
    End,
}

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
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A member's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'k> {
    name: &'k str,
    span: Span,
}

impl<'k> Key<'k> {
    /// Returns the name. A name with escapes is unescaped if its value has at most 128 bytes; the raw
    /// text of a longer one is longer than any name it could be compared with.
    #[inline]
    pub(crate) fn name(self) -> &'k str {
        self.name
    }

    /// Returns the place of the raw text between the quotes.
    #[inline]
    pub(crate) fn span(self) -> Span {
        self.span
    }
}

/// A value. The contents of arrays and objects are checked but not read; [`Reader::at`] reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Value<'d> {
    #[default]
    Null,
    Bool(bool),
    Number(Number<'d>),
    String(Str<'d>),
    Object(Span),
    Array(Span),
}

impl<'d> Value<'d> {
    /// Returns the string.
    #[inline]
    pub(crate) fn str(self) -> Option<Str<'d>> {
        match self {
            Value::String(string) => Some(string),
            _ => None,
        }
    }

    /// Returns the number if it is an integer that fits. 3.0 and 3e0 are integers.
    #[inline]
    pub(crate) fn u64(self) -> Option<u64> {
        match self {
            Value::Number(number) => number.u64(),
            _ => None,
        }
    }

    /// Returns the number if it is an integer that fits.
    #[inline]
    pub(crate) fn u32(self) -> Option<u32> {
        self.u64()?.try_into().ok()
    }

    /// Returns the number if it is an integer that fits.
    #[inline]
    pub(crate) fn i32(self) -> Option<i32> {
        match self {
            Value::Number(number) => number.i64()?.try_into().ok(),
            _ => None,
        }
    }

    /// Returns true or false.
    #[inline]
    pub(crate) fn bool(self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether the value is null.
    #[inline]
    pub(crate) fn is_null(self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns the place of an array or object.
    #[inline]
    pub(crate) fn span(self) -> Option<Span> {
        match self {
            Value::Object(span) | Value::Array(span) => Some(span),
            _ => None,
        }
    }
}

/// Returns a part of the text. The bounds are those of a token, which begins and ends with ASCII.
#[inline(always)]
fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

impl<'d> Reader<'d> {
    /// Makes a reader for `text`. A text of 4 GiB or more is not read: it counts as empty.
    #[inline]
    pub(crate) fn new(text: &'d str) -> Self {
        Reader::at(text, 0)
    }

    /// Makes a reader that begins at `offset`, where a value begins. The depth counts from there.
    #[inline]
    pub(crate) fn at(text: &'d str, offset: usize) -> Self {
        // Leaves room for the few bytes by which a position is moved before it is compared.
        let is_too_long = text.len() > (u32::MAX - 64) as usize;
        let text = if is_too_long { "" } else { text };
        Reader {
            text,
            pos: offset.min(text.len()) as u32,
            depth: 0,
        }
    }

    /// Returns the whole text.
    #[inline]
    pub(crate) fn text(&self) -> &'d str {
        self.text
    }

    /// Returns the position of the cursor: after [`Reader::peek`] that of the next value, after reading
    /// a value its end.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.pos as usize
    }

    /// Moves past white space and returns the next byte, or 0 at the end of the text.
    #[inline(always)]
    fn token(&mut self) -> u8 {
        let (pos, byte) = token(self.text.as_bytes(), self.pos);
        self.pos = pos;
        byte
    }

    /// Moves past white space and returns the kind of the next value.
    #[inline]
    pub(crate) fn peek(&mut self) -> Kind {
        match self.token() {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b'-' | b'0'..=b'9' | b'N' | b'I' => Kind::Number,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ if self.pos as usize == self.text.len() => Kind::End,
            _ => Kind::Invalid,
        }
    }

    /// Reads an object. Calls `f` once per member, in order; `f` must read the value with exactly one
    /// call of the reader it is given.
    #[inline]
    pub(crate) fn members(
        &mut self,
        mut f: impl FnMut(&mut Self, Key<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if self.token() != b'{' {
            return Err(self.other_kind());
        }
        self.open()?;
        let mut next = self.token();
        if next == b'}' {
            self.close();
            return Ok(());
        }
        let bytes = self.text.as_bytes();
        loop {
            if next != b'"' {
                return Err(Malformed::syntax(self.pos));
            }
            let start = self.pos + 1;
            let stop = string_stop(bytes, start);
            let is_plain = at(bytes, stop) == b'"';
            let end = match is_plain {
                true => stop,
                false => escaped_end(bytes, stop)?,
            };
            let raw = slice(self.text, start, end);
            let mut buffer;
            let name = if is_plain {
                raw
            } else {
                buffer = Buffer::<KEY_BYTES>::new();
                buffer.unescape(raw).unwrap_or(raw)
            };
            self.pos = colon_end(bytes, end + 1)?;
            let span = Span { start, end };
            f(self, Key { name, span })?;
            debug_assert!(self.pos > end + 2, "the value was not read");
            match self.token() {
                b',' => self.pos += 1,
                b'}' => break,
                _ => return Err(Malformed::syntax(self.pos)),
            }
            next = self.token();
        }
        self.close();
        Ok(())
    }

    /// Reads an array. Calls `f` once per element, in order; `f` must read the element with exactly one
    /// call of the reader it is given.
    #[inline]
    pub(crate) fn elements(
        &mut self,
        mut f: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if self.token() != b'[' {
            return Err(self.other_kind());
        }
        self.open()?;
        if self.token() == b']' {
            self.close();
            return Ok(());
        }
        loop {
            let start = self.pos;
            f(self)?;
            debug_assert!(self.pos > start, "the element was not read");
            match self.token() {
                b',' => self.pos += 1,
                b']' => break,
                _ => return Err(Malformed::syntax(self.pos)),
            }
        }
        self.close();
        Ok(())
    }

    /// Reads a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Str<'d>, Malformed> {
        if self.token() != b'"' {
            return Err(self.other_kind());
        }
        let bytes = self.text.as_bytes();
        let start = self.pos + 1;
        let stop = string_stop(bytes, start);
        let has_escapes = at(bytes, stop) != b'"';
        let end = match has_escapes {
            true => escaped_end(bytes, stop)?,
            false => stop,
        };
        self.pos = end + 1;
        Ok(Str {
            raw: slice(self.text, start, end),
            start,
            has_escapes,
        })
    }

    /// Skips a value of any kind and returns its place. Its text is checked.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<Span, Malformed> {
        let next = self.token();
        let start = self.pos;
        let bytes = self.text.as_bytes();
        let end = match next {
            b'{' | b'[' => container_end(bytes, start, self.depth)?,
            next => scalar_end(bytes, start, next)?,
        };
        self.pos = end;
        Ok(Span { start, end })
    }

    /// Reads a value of any kind. Arrays and objects are skipped.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'d>, Malformed> {
        let next = self.token();
        if next == b'"' {
            return Ok(Value::String(self.string()?));
        }
        let span = self.skip()?;
        Ok(match next {
            b'{' => Value::Object(span),
            b'[' => Value::Array(span),
            b'n' => Value::Null,
            b't' | b'f' => Value::Bool(next == b't'),
            _ => Value::Number(Number {
                text: span.of(self.text),
                start: span.start,
            }),
        })
    }

    /// Checks that nothing but white space follows.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        if (self.pos as usize) < self.text.len() {
            self.pos = space_end(self.text.as_bytes(), self.pos);
        }
        if self.pos as usize == self.text.len() {
            Ok(())
        } else {
            Err(Malformed::syntax(self.pos))
        }
    }

    /// Moves past the bracket that opens an array or object.
    #[inline(always)]
    fn open(&mut self) -> Result<(), Malformed> {
        if self.depth >= MAX_DEPTH {
            return Err(Malformed::too_deep(self.pos));
        }
        self.depth += 1;
        self.pos += 1;
        Ok(())
    }

    /// Moves past the bracket that closes an array or object.
    #[inline(always)]
    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.pos += 1;
    }

    /// Returns the error for a value that the caller did not expect.
    #[cold]
    fn other_kind(&mut self) -> Malformed {
        match self.peek() {
            Kind::Invalid | Kind::End => Malformed::syntax(self.pos),
            _ => Malformed {
                at: self.pos,
                problem: Problem::OtherKind,
            },
        }
    }
}

/// Returns the offset of the next byte that is not white space, and the byte, or 0 at the end of the
/// text.
#[inline(always)]
fn token(bytes: &[u8], pos: u32) -> (u32, u8) {
    let byte = at(bytes, pos);
    if byte > b' ' {
        return (pos, byte);
    }
    let pos = space_end(bytes, pos);
    (pos, at(bytes, pos))
}

/// Returns the end of the colon that must be next.
#[inline(always)]
fn colon_end(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match token(bytes, pos) {
        (pos, b':') => Ok(pos + 1),
        (pos, _) => Err(Malformed::syntax(pos)),
    }
}

/// Returns the end of the string whose opening quote is at `pos`.
#[inline(always)]
fn string_end(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    let stop = string_stop(bytes, pos + 1);
    if at(bytes, stop) == b'"' {
        return Ok(stop + 1);
    }
    Ok(escaped_end(bytes, stop)? + 1)
}

/// Returns the end of the member's name that must begin at `pos` with `next`, and of its colon.
#[inline(always)]
fn key_end(bytes: &[u8], pos: u32, next: u8) -> Result<u32, Malformed> {
    if next != b'"' {
        return Err(Malformed::syntax(pos));
    }
    colon_end(bytes, string_end(bytes, pos)?)
}

/// Returns the end of the value that begins at `pos` with `next` and is not an array or object.
#[inline(always)]
fn scalar_end(bytes: &[u8], pos: u32, next: u8) -> Result<u32, Malformed> {
    match next {
        b'"' => string_end(bytes, pos),
        b'-' | b'0'..=b'9' | b'N' | b'I' => number_end(bytes, pos),
        b'n' => word_end(bytes, pos, b"null"),
        b't' => word_end(bytes, pos, b"true"),
        b'f' => word_end(bytes, pos, b"false"),
        _ => Err(Malformed::syntax(pos)),
    }
}

/// Returns the end of the array or object that begins at `pos`, in `depth` others.
#[inline(never)]
fn container_end(bytes: &[u8], mut pos: u32, depth: u32) -> Result<u32, Malformed> {
    // One bit per open level, the innermost lowest: 1 for an object.
    let mut levels: u128 = 0;
    let mut level = depth;
    let mut next = at(bytes, pos);
    loop {
        if let b'{' | b'[' = next {
            if level >= MAX_DEPTH {
                return Err(Malformed::too_deep(pos));
            }
            let is_object = next == b'{';
            (pos, next) = token(bytes, pos + 1);
            if next == if is_object { b'}' } else { b']' } {
                pos += 1;
            } else {
                level += 1;
                levels = levels << 1 | u128::from(is_object);
                if is_object {
                    pos = key_end(bytes, pos, next)?;
                    (pos, next) = token(bytes, pos);
                }
                continue;
            }
        } else {
            pos = scalar_end(bytes, pos, next)?;
        }
        // A value has ended: close what ends with it, up to the next value.
        loop {
            if level == depth {
                return Ok(pos);
            }
            let is_object = levels & 1 == 1;
            (pos, next) = token(bytes, pos);
            if next == b',' {
                (pos, next) = token(bytes, pos + 1);
                if is_object {
                    pos = key_end(bytes, pos, next)?;
                    (pos, next) = token(bytes, pos);
                }
                break;
            }
            if next != if is_object { b'}' } else { b']' } {
                return Err(Malformed::syntax(pos));
            }
            pos += 1;
            level -= 1;
            levels >>= 1;
        }
    }
}
