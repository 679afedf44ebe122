//! Holes: what may fill them, scanned in bytes that were neither framed nor parsed.
//!
//! Scanning accepts at most what JSON allows. It rejects what needs more than reading, such as
//! `\u` escapes in text; the full path interprets such an event.

use alloc::string::String;

use memchr::memchr2;

use crate::fallible::OutOfMemory;
use crate::json::{MAX_DEPTH, Reader, skip_plain_string};
use crate::reply::count::Count;

/// The kind of a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Slot {
    /// The text of a queued delta, by its position.
    Text(u8),
    /// A repetition of the text of a queued delta, by its position.
    Repeated(u8),
    /// A token count.
    Count(Count),
    /// The index of the tool call that the event's only delta belongs to. Always the first hole.
    Call,
    /// The index of the block that the event's only delta belongs to. Always the first hole.
    Block,
    /// The value of a queued detail, by its position.
    Value(u8, Like),
    /// A string that the dialect ignores.
    String,
    /// A number that the dialect ignores.
    Number,
    /// Spaces between two tokens: Anthropic pads its events with them.
    #[default]
    Space,
}

/// Which values may fill a detail's hole: those that a dialect reads like the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Like {
    String,
    Number,
    /// A number with a fraction, which is never an index or a count.
    Fraction,
    Array,
    Object,
}

/// A detail's container is at most this deep in its payload, and as deep itself.
pub(super) const MAX_VALUE_DEPTH: u32 = MAX_DEPTH / 2;

/// The filling of a hole in other bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filling {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) has_escapes: bool,
}

impl Filling {
    /// Fails for positions beyond 4 GiB.
    #[inline(always)]
    fn new(start: usize, end: usize, has_escapes: bool) -> Result<Self, usize> {
        let narrow = |pos: usize| u32::try_from(pos).map_err(|_| pos);
        Ok(Filling {
            start: narrow(start)?,
            end: narrow(end)?,
            has_escapes,
        })
    }

    pub(super) fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(self.start as usize..self.end as usize)
    }
}

impl Slot {
    /// Skips a string without escapes that fills such a hole at the start of `rest`, which is the end of
    /// `bytes`. Returns what follows.
    #[inline(always)]
    pub(super) fn skip_plain<'b>(self, bytes: &[u8], rest: &'b [u8]) -> Option<&'b [u8]> {
        let min = match self {
            Slot::Text(_) => 1,
            Slot::String => 0,
            _ => return None,
        };
        skip_plain_string(bytes, rest).filter(|after| rest.len() - after.len() >= min)
    }

    /// Scans what fills such a hole at `pos`. Returns how far it read if that is not certain to be
    /// interpreted as before.
    #[inline(never)]
    pub(super) fn scan(self, bytes: &[u8], pos: usize) -> Result<Filling, usize> {
        match self {
            // An empty text makes no delta, and the dialect may then look at another member.
            Slot::Text(_) | Slot::Repeated(_) => match scan_string(bytes, pos, is_simple_escape)? {
                text if text.end > text.start => Ok(text),
                _ => Err(pos),
            },
            Slot::String => scan_string(bytes, pos, is_escape),
            Slot::Value(_, like) => like.scan(bytes, pos),
            Slot::Count(_) | Slot::Call | Slot::Block | Slot::Number | Slot::Space => {
                self.scan_other(bytes, pos)
            }
        }
    }

    /// Scans a hole that is not a string.
    fn scan_other(self, bytes: &[u8], pos: usize) -> Result<Filling, usize> {
        let end = match self {
            Slot::Space => {
                let rest = bytes.get(pos..).ok_or(pos)?;
                pos + rest.iter().take_while(|byte| **byte == b' ').count()
            }
            _ => {
                let end = number_end(bytes, pos).ok_or(pos)?;
                let digits = bytes.get(pos..end).unwrap_or_default();
                let is_valid = match self {
                    Slot::Number => is_number(digits),
                    _ => number(digits).is_some(),
                };
                if !is_valid {
                    return Err(end);
                }
                end
            }
        };
        Filling::new(pos, end, false)
    }
}

impl Like {
    /// Returns the kind of a value that begins with `bytes`. `is_piece` says that the dialect reports the
    /// member whatever its value is. Otherwise the value must be one that the dialect would have read if it
    /// knew the member: then it does not know it, and reports other values too.
    pub(super) fn of(bytes: &[u8], is_piece: bool) -> Option<Like> {
        match bytes.first()? {
            b'"' => Some(Like::String),
            b'[' => Some(Like::Array),
            b'{' => Some(Like::Object),
            _ => {
                let digits = bytes.get(..number_end(bytes, 0)?)?;
                let is_index = number(digits).is_some_and(|it| i32::try_from(it).is_ok());
                if is_piece || is_index {
                    is_number(digits).then_some(Like::Number)
                } else {
                    is_fraction(digits).then_some(Like::Fraction)
                }
            }
        }
    }

    fn scan(self, bytes: &[u8], pos: usize) -> Result<Filling, usize> {
        let rest = bytes.get(pos..).ok_or(pos)?;
        let end = match self {
            Like::String if rest.first() == Some(&b'"') => {
                scan_string(bytes, pos + 1, is_escape)?.end as usize + 1
            }
            Like::Array if rest.first() == Some(&b'[') => container_end(rest, pos)?,
            Like::Object if rest.first() == Some(&b'{') => container_end(rest, pos)?,
            Like::Number | Like::Fraction => {
                let end = number_end(bytes, pos).ok_or(pos)?;
                let digits = bytes.get(pos..end).unwrap_or_default();
                let is_like = is_number(digits) && (self == Like::Number || is_fraction(digits));
                if !is_like {
                    return Err(end);
                }
                end
            }
            Like::String | Like::Array | Like::Object => return Err(pos),
        };
        Filling::new(pos, end, false)
    }
}

/// Returns where the array or object ends that begins with `rest`, which is at `pos`.
fn container_end(rest: &[u8], pos: usize) -> Result<usize, usize> {
    // A line end between two tokens ends the payload.
    let line = memchr2(b'\r', b'\n', rest).and_then(|end| rest.get(..end));
    let line = line.and_then(|line| core::str::from_utf8(line).ok());
    let mut reader = Reader::inside(line.ok_or(pos)?, MAX_VALUE_DEPTH);
    match reader.skip() {
        Ok(_) => Ok(pos + reader.offset()),
        Err(error) => Err(pos + error.at as usize),
    }
}

/// Returns true for a number with a fraction that is not zero, and without an exponent.
fn is_fraction(number: &[u8]) -> bool {
    let (_, fraction) = split_digits(number.strip_prefix(b"-").unwrap_or(number));
    fraction.strip_prefix(b".").is_some_and(|digits| {
        digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| *digit != b'0')
    })
}

/// Returns the length of the longest common prefix.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK));
    let same = BLOCK * blocks.take_while(|(a, b)| a == b).count();
    let (a, b) = (
        a.get(same..).unwrap_or_default(),
        b.get(same..).unwrap_or_default(),
    );
    same + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The cost of scanning from `start` to `end`.
pub(super) fn scan_cost(start: usize, end: usize) -> i64 {
    30 + 5 * end.saturating_sub(start) as i64
}

/// Scans a string up to its closing quote. Fails at the first control character, or the first escape
/// for which `escape` returns `None`.
#[inline]
fn scan_string(
    bytes: &[u8],
    start: usize,
    escape: impl Fn(&[u8]) -> Option<usize>,
) -> Result<Filling, usize> {
    let mut pos = start;
    let mut has_escapes = false;
    loop {
        // Eight bytes at a time; the lowest bit set in `stops` is the first byte to stop at.
        loop {
            let rest = bytes.get(pos..).ok_or(pos)?;
            let Some(word) = rest.first_chunk::<8>() else {
                pos += rest
                    .iter()
                    .position(|byte| is_stop(*byte))
                    .ok_or(bytes.len())?;
                break;
            };
            let stops = stops(u64::from_le_bytes(*word));
            if stops != 0 {
                pos += (stops.trailing_zeros() / 8) as usize;
                break;
            }
            pos += 8;
        }
        match bytes.get(pos) {
            Some(b'"') => {
                return Filling::new(start, pos, has_escapes);
            }
            Some(b'\\') => {
                pos += bytes.get(pos..).and_then(&escape).ok_or(pos)?;
                has_escapes = true;
            }
            _ => return Err(pos),
        }
    }
}

fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Returns a word whose lowest high bit marks the first quote, backslash or control character. The
/// higher ones may be wrong.
#[inline]
fn stops(word: u64) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // With its second bit flipped, a quote is 0x20, one more than the last control character.
    let low = (word ^ (LOW * 0x02)).wrapping_sub(LOW * 0x21);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    (low | backslash) & !word & HIGH
}

/// Returns the length of a two-character escape.
fn is_simple_escape(bytes: &[u8]) -> Option<usize> {
    matches!(
        bytes,
        [
            b'\\',
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
            ..
        ]
    )
    .then_some(2)
}

/// Returns the length of any escape.
fn is_escape(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\\', b'u', a, b, c, d, ..] => [a, b, c, d]
            .iter()
            .all(|digit| digit.is_ascii_hexdigit())
            .then_some(6),
        _ => is_simple_escape(bytes),
    }
}

/// Appends text with its simple escapes replaced, or nothing at all.
pub(super) fn unescape(text: &str, out: &mut String) -> Result<(), OutOfMemory> {
    // The result is shorter than the text.
    out.try_reserve(text.len()).map_err(|_| OutOfMemory)?;
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let mut after = escape.chars();
        out.push(match after.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other) => other,
            None => break,
        });
        rest = after.as_str();
    }
    out.push_str(rest);
    Ok(())
}

/// Parses a count: a JSON number of digits alone.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    match bytes {
        [] | [b'0', _, ..] => return None,
        // Nineteen digits always fit.
        digits if digits.len() > 19 => return None,
        _ => {}
    }
    bytes.iter().try_fold(0u64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// Returns true if this is a JSON number.
fn is_number(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (digits, rest) = split_digits(bytes);
    if digits.is_empty() || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => match split_digits(fraction) {
            ([], _) => return false,
            (_, rest) => rest,
        },
        None => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            let (digits, rest) = split_digits(exponent);
            !digits.is_empty() && rest.is_empty()
        }
        _ => false,
    }
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    bytes.split_at_checked(len).unwrap_or((bytes, &[]))
}

/// Returns where the number at `start` ends.
pub(super) fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    const IS_PART: [bool; 256] = {
        let mut parts = [false; 256];
        let chars = b"0123456789-+.eE";
        let mut n = 0;
        while n < chars.len() {
            parts[chars[n] as usize] = true;
            n += 1;
        }
        parts
    };
    let rest = bytes.get(start..)?;
    let is_part = |byte: &&u8| IS_PART.get(usize::from(**byte)).is_some_and(|part| *part);
    let len = rest.iter().take_while(is_part).count();
    (len > 0).then_some(start + len)
}
