//! The cursor, and the values it reads.

use super::places::Places;
use super::scan::{at, pair_at, space_end, token};
use super::skip::{container_end, fast_name, slow_name, string_end, value_end};
use super::span::Span;
use super::string::{Buffer, ESCAPES};
use super::{MAX_DEPTH, Malformed, Number, Problem, Str};

/// Keys with escapes are unescaped if their value has at most this many bytes.
const KEY_BYTES: usize = 128;

/// A cursor in a JSON text. Offsets are bytes from the start of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'d> {
    text: &'d str,
    pos: u32,
    /// The number of arrays and objects that the cursor is in.
    depth: u32,
    /// The places of arrays and objects, if the text was checked before.
    places: Option<&'d Places>,
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

/// A member's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'k> {
    /// The text of which the name is a part: the whole text, or the name without its escapes.
    text: &'k str,
    name: Span,
    span: Span,
}

impl<'k> Key<'k> {
    /// Returns the name. A name with escapes is unescaped if its value has at most 128 bytes; the raw
    /// text of a longer one is longer than any name it could be compared with.
    #[inline]
    pub(crate) fn name(self) -> &'k str {
        self.name.of(self.text)
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

impl<'d> Reader<'d> {
    /// Makes a reader for `text`. A text of 2 GiB or more is not read: it counts as empty.
    #[inline]
    pub(crate) fn new(text: &'d str) -> Self {
        Reader::at(text, 0)
    }

    /// Makes a reader that begins at `offset`, where a value begins. The depth counts from there.
    #[inline]
    pub(crate) fn at(text: &'d str, offset: usize) -> Self {
        // The highest bit of an offset has another use, and a few bytes may be added to any offset.
        let is_too_long = text.len() > (ESCAPES - 64) as usize;
        let text = if is_too_long { "" } else { text };
        Reader {
            text,
            pos: offset.min(text.len()) as u32,
            depth: 0,
            places: None,
        }
    }

    /// Makes a reader for a text that [`check`](Self::check) noted the places of.
    #[inline]
    pub(crate) fn with_places(text: &'d str, offset: usize, places: &'d Places) -> Self {
        Reader {
            places: Some(places),
            ..Reader::at(text, offset)
        }
    }

    /// Checks the value at the beginning of the text and returns it. Notes the places of the arrays and
    /// objects in it, and does nothing if they were noted before.
    pub(crate) fn check(&mut self, places: &Places) -> Result<(Value<'d>, Span), Malformed> {
        let next = self.token();
        if !matches!(next, b'{' | b'[') {
            return self.value_and_place();
        }
        let start = self.pos;
        self.pos = match places.end_of(start) {
            Some(end) => end,
            None => {
                places.clear();
                container_end(self.text.as_bytes(), start, self.depth, places)?
            }
        };
        let span = Span {
            start,
            end: self.pos,
        };
        let value = match next {
            b'{' => Value::Object(span),
            _ => Value::Array(span),
        };
        Ok((value, span))
    }

    /// Returns the end of the value that begins at the cursor with `next`.
    #[inline]
    fn end_of_value(&self, next: u8) -> Result<u32, Malformed> {
        if let (Some(places), b'{' | b'[') = (self.places, next)
            && let Some(end) = places.end_of(self.pos)
        {
            return Ok(end);
        }
        value_end(self.text.as_bytes(), self.pos, next, self.depth)
    }

    /// Makes a reader for a value that stands inside `depth` arrays and objects.
    pub(crate) fn inside(text: &'d str, depth: u32) -> Self {
        Reader {
            depth,
            ..Reader::new(text)
        }
    }

    /// Returns the whole text.
    #[inline]
    #[allow(dead_code, reason = "the reader's tests use it")]
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
    #[allow(dead_code, reason = "the reader's tests use it")]
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
        self.open(b'{')?;
        let bytes = self.text.as_bytes();
        if pair_at(bytes, self.pos) != u16::from_le_bytes(*b"{\"") {
            let found = first_name(bytes, self.pos)?;
            self.pos = found & !CLOSED;
            if found != self.pos {
                self.depth -= 1;
                return Ok(());
            }
        }
        loop {
            // The cursor is at the byte before the opening quote of the name.
            let start = self.pos + 2;
            let end = match fast_name(bytes, start) {
                Ok((end, _)) => {
                    self.pos = end + 2;
                    end
                }
                Err(stop) => {
                    let name = slow_name(bytes, stop)?;
                    self.pos = name.colon_end;
                    name.end
                }
            };
            let mut span = Span { start, end };
            let mut buffer;
            let key = if end & ESCAPES == 0 {
                Key {
                    text: self.text,
                    name: span,
                    span,
                }
            } else {
                span.end &= !ESCAPES;
                buffer = Buffer::<KEY_BYTES>::new();
                let raw = span.of(self.text);
                let text = buffer.unescape(raw).unwrap_or(raw);
                let name = Span {
                    start: 0,
                    end: text.len() as u32,
                };
                Key { text, name, span }
            };
            f(self, key)?;
            debug_assert!(self.pos > span.end + 2, "the value was not read");
            if pair_at(bytes, self.pos) == u16::from_le_bytes(*b",\"") {
                continue;
            }
            if at(bytes, self.pos) == b'}' {
                self.close();
                return Ok(());
            }
            let found = next_name(bytes, self.pos)?;
            self.pos = found & !CLOSED;
            if found != self.pos {
                self.depth -= 1;
                return Ok(());
            }
        }
    }

    /// Reads an array. Calls `f` once per element, in order; `f` must read the element with exactly one
    /// call of the reader it is given.
    #[inline]
    pub(crate) fn elements(
        &mut self,
        mut f: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.open(b'[')?;
        self.pos += 1;
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
            return Err(other_kind(self.text, self.pos));
        }
        let start = self.pos + 1;
        let end = string_end(self.text.as_bytes(), self.pos)?;
        self.pos = end & !ESCAPES;
        Ok(Str {
            text: self.text,
            start,
            end: end - 1,
        })
    }

    /// Skips a value of any kind and returns its place. Its text is checked.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<Span, Malformed> {
        let next = self.token();
        let start = self.pos;
        let end = self.end_of_value(next)?;
        self.pos = end & !ESCAPES;
        let end = self.pos;
        Ok(Span { start, end })
    }

    /// Returns true if the next value begins with this byte.
    #[inline(always)]
    pub(crate) fn is_at(&mut self, first: u8) -> bool {
        self.token() == first
    }

    /// Reads a value of any kind. Arrays and objects are skipped.
    #[inline]
    #[allow(dead_code, reason = "the reader's tests use it")]
    pub(crate) fn value(&mut self) -> Result<Value<'d>, Malformed> {
        self.value_and_place().map(|(value, _)| value)
    }

    /// Reads a value of any kind and returns its place too.
    #[inline]
    pub(crate) fn value_and_place(&mut self) -> Result<(Value<'d>, Span), Malformed> {
        let next = self.token();
        let start = self.pos;
        let end = self.end_of_value(next)?;
        self.pos = end & !ESCAPES;
        let text = self.text;
        let span = Span {
            start,
            end: self.pos,
        };
        let value = match next {
            b'"' => Value::String(Str {
                text,
                start: start + 1,
                end: end - 1,
            }),
            b'{' => Value::Object(span),
            b'[' => Value::Array(span),
            b'n' => Value::Null,
            b't' | b'f' => Value::Bool(next == b't'),
            _ => Value::Number(Number { text, span }),
        };
        Ok((value, span))
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

    /// Enters an array or object. The cursor stays at its bracket.
    #[inline(always)]
    fn open(&mut self, bracket: u8) -> Result<(), Malformed> {
        if self.token() != bracket {
            return Err(other_kind(self.text, self.pos));
        }
        if self.depth >= MAX_DEPTH {
            return Err(Malformed::too_deep(self.pos));
        }
        self.depth += 1;
        Ok(())
    }

    /// Moves past the bracket that closes an array or object.
    #[inline(always)]
    fn close(&mut self) {
        self.depth -= 1;
        self.pos += 1;
    }
}

/// Added to an offset if an object ends there.
const CLOSED: u32 = 1 << 31;

/// Moves from the bracket of an object to the byte before the opening quote of its first name. If the
/// object is empty, moves past it and adds [`CLOSED`].
#[cold]
#[inline(never)]
fn first_name(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match token(bytes, pos + 1) {
        (pos, b'"') => Ok(pos - 1),
        (pos, b'}') => Ok((pos + 1) | CLOSED),
        (pos, _) => Err(Malformed::syntax(pos)),
    }
}

/// Moves from the end of a member to the byte before the opening quote of the next name. If the object
/// ends, moves past it and adds [`CLOSED`].
#[cold]
#[inline(never)]
fn next_name(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match token(bytes, pos) {
        (pos, b',') => match token(bytes, pos + 1) {
            (pos, b'"') => Ok(pos - 1),
            (pos, _) => Err(Malformed::syntax(pos)),
        },
        (pos, b'}') => Ok((pos + 1) | CLOSED),
        (pos, _) => Err(Malformed::syntax(pos)),
    }
}

/// Returns the error for a value at `pos` that the caller did not expect.
#[cold]
#[inline(never)]
fn other_kind(text: &str, pos: u32) -> Malformed {
    let problem = match Reader::at(text, pos as usize).peek() {
        Kind::Invalid | Kind::End => Problem::Syntax,
        _ => Problem::OtherKind,
    };
    Malformed { at: pos, problem }
}
