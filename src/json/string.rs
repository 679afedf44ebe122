//! Strings: where they end, and what their escapes stand for.

#[cfg(feature = "alloc")]
use super::alloc::{collections::TryReserveError, string::String};
use core::fmt::{self, Write as _};
use core::str;

use super::Malformed;
#[cfg(feature = "alloc")]
use super::scan::backslash;
use super::scan::{at, stop_in, string_stop, window};
use super::span::slice;

/// A string, as the text has it between its quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Str<'d> {
    /// The whole text: cutting it to the string costs more than finding the string.
    pub(super) text: &'d str,
    pub(super) start: u32,
    /// The offset of the closing quote, with [`ESCAPES`].
    pub(super) end: u32,
}

/// Added to the offset of a closing quote if there are escapes before it.
pub(super) const ESCAPES: u32 = 1 << 31;

impl<'d> Str<'d> {
    /// Makes a string of text that has no escapes. It has no place in a payload.
    pub(crate) fn from_plain(text: &'d str) -> Self {
        Str {
            text,
            start: 0,
            end: text.len() as u32 & !ESCAPES,
        }
    }

    /// Returns the text between the quotes, with its escapes.
    #[inline]
    pub(crate) fn raw(self) -> &'d str {
        slice(self.text, self.start, self.end & !ESCAPES)
    }

    /// Returns the offset of the first byte after the opening quote.
    #[inline]
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    /// Returns whether the raw text has escapes.
    #[inline]
    pub(crate) fn has_escapes(self) -> bool {
        self.end & ESCAPES != 0
    }

    /// Returns whether the string is empty.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Returns the string if it has no escapes, so that the raw text is its value.
    #[inline]
    pub(crate) fn plain(self) -> Option<&'d str> {
        (!self.has_escapes()).then(|| self.raw())
    }

    /// Returns the string without a beginning that has no escapes.
    pub(crate) fn strip_prefix(self, prefix: &str) -> Option<Str<'d>> {
        let rest = self.raw().strip_prefix(prefix)?;
        let len = (self.raw().len() - rest.len()) as u32;
        Some(Str {
            start: self.start + len,
            ..self
        })
    }

    /// Returns whether the string's value is `other`.
    #[inline]
    pub(crate) fn is(self, other: &str) -> bool {
        if self.has_escapes() {
            self.chars().eq(other.chars())
        } else {
            self.raw() == other
        }
    }

    /// Returns the value of a short string, for a `match`. A value with escapes is put into `buffer`. If
    /// it does not fit, the raw text is returned, which is longer than any name it could be compared
    /// with.
    #[inline]
    pub(crate) fn short<'b>(self, buffer: &'b mut Short) -> &'b str
    where
        'd: 'b,
    {
        if self.has_escapes() {
            buffer.unescape(self.raw()).unwrap_or(self.raw())
        } else {
            self.raw()
        }
    }

    /// Returns the characters of the string's value.
    #[inline]
    pub(crate) fn chars(self) -> impl Iterator<Item = char> {
        Chars(self.raw().chars())
    }

    /// Appends the string's value to `out`. Appends nothing if there is no memory for it.
    #[cfg(feature = "alloc")]
    pub(crate) fn unescape_into(self, out: &mut String) -> Result<(), TryReserveError> {
        // An escape is never shorter than the character it stands for.
        out.try_reserve(self.raw().len())?;
        if !self.has_escapes() {
            out.push_str(self.raw());
            return Ok(());
        }
        let mut rest = self.raw();
        loop {
            let run = backslash(rest.as_bytes(), 0);
            let (plain, escaped) = rest.split_at_checked(run).unwrap_or((rest, ""));
            out.push_str(plain);
            let mut chars = escaped.chars();
            if chars.next().is_none() {
                return Ok(());
            }
            out.push(escape(&mut chars));
            rest = chars.as_str();
        }
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain() {
            Some(plain) => f.write_str(plain),
            None => self.chars().try_for_each(|char| f.write_char(char)),
        }
    }
}

/// Memory for a short string with escapes, see [`Str::short`].
pub(crate) type Short = Buffer<64>;

/// Memory for a string of at most `SIZE` bytes with escapes.
pub(crate) struct Buffer<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Buffer<SIZE> {
    pub(crate) fn new() -> Self {
        Buffer([0; SIZE])
    }

    /// Returns the value of `raw`, unless it is too long.
    #[cold]
    pub(super) fn unescape(&mut self, raw: &str) -> Option<&str> {
        let mut len = 0;
        for char in Chars(raw.chars()) {
            let place = self.0.get_mut(len..len + char.len_utf8())?;
            char.encode_utf8(place);
            len += place.len();
        }
        str::from_utf8(self.0.get(..len)?).ok()
    }
}

/// The characters of a string whose escapes are known to be valid.
#[derive(Clone)]
struct Chars<'d>(str::Chars<'d>);

impl Iterator for Chars<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self.0.next()? {
            '\\' => Some(escape(&mut self.0)),
            char => Some(char),
        }
    }
}

/// Returns the character of the escape whose backslash precedes `rest`, and moves past it.
fn escape(rest: &mut str::Chars<'_>) -> char {
    match rest.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{C}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => {
            let high = unit(rest);
            if let 0xD800..=0xDBFF = high {
                let mut ahead = rest.clone();
                if ahead.next() == Some('\\')
                    && ahead.next() == Some('u')
                    && let low @ 0xDC00..=0xDFFF = unit(&mut ahead)
                {
                    *rest = ahead;
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                }
            }
            char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        Some(other) => other,
        None => char::REPLACEMENT_CHARACTER,
    }
}

/// Returns the number that four hexadecimal digits stand for, and moves past them.
fn unit(rest: &mut str::Chars<'_>) -> u32 {
    let digits = rest.by_ref().take(4);
    digits.fold(0, |unit, digit| unit << 4 | digit.to_digit(16).unwrap_or(0))
}

/// Returns the offset of the quote that closes the string whose text has no end before `pos`, with
/// [`ESCAPES`].
#[inline(never)]
pub(super) fn closing_quote(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    let mut stop = string_stop(bytes, pos);
    let mut escapes = 0;
    loop {
        match at(bytes, stop) {
            b'"' => return Ok(stop | escapes),
            b'\\' => escapes = ESCAPES,
            _ => return Err(Malformed::syntax(stop)),
        }
        stop = escape_end(bytes, stop)?;
        // Many escapes come in a row.
        if at(bytes, stop) != b'\\' {
            stop = match window(bytes, stop).and_then(stop_in) {
                Some(found) => stop + found as u32,
                None => string_stop(bytes, stop),
            };
        }
    }
}

/// Returns where the escape ends whose backslash is at `pos`.
#[inline(always)]
fn escape_end(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match at(bytes, pos + 1) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(pos + 2),
        b'u' => {
            let digits = bytes.get(pos as usize + 2..pos as usize + 6);
            match digits {
                Some(&[a, b, c, d]) if (hex(a) | hex(b) | hex(c) | hex(d)) < 16 => Ok(pos + 6),
                _ => Err(first_not_hex(bytes, pos + 2)),
            }
        }
        _ => Err(Malformed::syntax(pos + 1)),
    }
}

/// Returns the value of a hexadecimal digit, or 255.
#[inline(always)]
fn hex(digit: u8) -> u8 {
    const VALUES: [u8; 256] = {
        let mut values = [255; 256];
        let mut digit = 0;
        while digit < 16 {
            values[b"0123456789abcdef"[digit] as usize] = digit as u8;
            values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
            digit += 1;
        }
        values
    };
    VALUES[digit as usize]
}

#[cold]
fn first_not_hex(bytes: &[u8], mut pos: u32) -> Malformed {
    while at(bytes, pos).is_ascii_hexdigit() {
        pos += 1;
    }
    Malformed::syntax(pos)
}

/// Returns a short string for a `match`.
pub(crate) fn with_short<R>(text: Str<'_>, f: impl FnOnce(&str) -> R) -> R {
    match text.plain() {
        Some(plain) => f(plain),
        None => f(text.short(&mut Short::new())),
    }
}
