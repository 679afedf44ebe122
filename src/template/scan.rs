//! What fills a hole: scanning it in bytes that were neither framed nor parsed.
//!
//! Everything here reads at most what JSON allows, and less where the full path would do more than
//! read: what is left out is left to the full path.

use alloc::string::String;

use crate::dialect::usage::Count;

/// What varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum What {
    /// The text of a note.
    Text(u8),
    /// A token count.
    Count(Count),
    /// The index of the tool call that the event's only note belongs to: the first hole, if any.
    Call,
    /// A string that the dialect does not look at.
    String,
    /// A number that the dialect does not look at.
    Number,
    /// White space between two tokens: Anthropic pads its events with it.
    #[default]
    Space,
}

/// What fills a hole in other bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filling {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

impl Filling {
    pub(super) fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(self.start..self.end)
    }
}

/// What is left of `bytes` behind `prefix`, if they begin with it.
#[inline(always)]
pub(super) fn strip<'b>(bytes: &'b [u8], prefix: &[u8]) -> Option<&'b [u8]> {
    let (start, rest) = bytes.split_at_checked(prefix.len())?;
    (start == prefix).then_some(rest)
}

/// Whether the last `len` bytes of the two are the same. A word does for what most events end with.
#[inline(always)]
pub(super) fn ends_with(a: &[u8], b: &[u8], len: usize) -> bool {
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a), Some(b)) if (1..=8).contains(&len) => {
            let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
            differing >> (64 - 8 * len) == 0
        }
        _ => {
            let start = b.len().checked_sub(len);
            let end = start.and_then(|start| b.get(start..));
            end.is_some_and(|end| a.ends_with(end))
        }
    }
}

/// The content of the string that `bytes` are in, if it has no escapes and no control characters
/// and does not end too close to the end of `bytes`: the fast way of [`scan_string`], which is for
/// all that this is not.
#[inline(always)]
pub(super) fn plain(bytes: &[u8]) -> Option<&[u8]> {
    let mut len = 0;
    for word in bytes.chunks_exact(8) {
        let stops = stops(u64::from_le_bytes(word.try_into().ok()?));
        if stops != 0 {
            len += (stops.trailing_zeros() / 8) as usize;
            return if bytes.get(len) == Some(&b'"') {
                bytes.get(..len)
            } else {
                None
            };
        }
        len += 8;
    }
    None
}

impl What {
    /// Scans what fills such a hole at `pos`; where nothing does that is certain to be read as
    /// before, gives how far that took.
    #[inline]
    pub(super) fn scan(self, bytes: &[u8], pos: usize) -> Result<Filling, usize> {
        let filling = |end| Filling {
            start: pos,
            end,
            has_escapes: false,
        };
        let number_of = |is_valid: fn(&[u8]) -> bool| {
            let end = number_end(bytes, pos).ok_or(pos)?;
            let digits = bytes.get(pos..end).unwrap_or_default();
            if is_valid(digits) {
                Ok(filling(end))
            } else {
                Err(end)
            }
        };
        match self {
            // An empty text is no delta, and what else the dialect would look for then is not known.
            What::Text(_) => match scan_string(bytes, pos, is_simple_escape)? {
                text if text.end > text.start => Ok(text),
                _ => Err(pos),
            },
            What::String => scan_string(bytes, pos, is_escape),
            What::Count(_) | What::Call => number_of(|digits| number(digits).is_some()),
            What::Number => number_of(is_number),
            What::Space => {
                let rest = bytes.get(pos..).ok_or(pos)?;
                let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
                Ok(filling(pos + spaces))
            }
        }
    }
}

/// How many bytes the two begin with alike.
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

/// What it takes to scan so far.
pub(super) fn scan_cost(start: usize, end: usize) -> i64 {
    30 + 5 * end.saturating_sub(start) as i64
}

/// Scans a string's content up to its closing quote. Control characters and escapes that `escape`
/// gives no length for are left to the full path, and the place of the first is the error.
#[inline]
pub(super) fn scan_string(
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
                return Ok(Filling {
                    start,
                    end: pos,
                    has_escapes,
                });
            }
            Some(b'\\') => {
                pos += bytes.get(pos..).and_then(&escape).ok_or(pos)?;
                has_escapes = true;
            }
            _ => return Err(pos),
        }
    }
}

pub(super) fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of each byte that is a quote, a backslash or a control character; only the lowest
/// that is set is certain.
#[inline]
pub(super) fn stops(word: u64) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // With its second bit turned over a quote is 0x20, and so one more than the control characters.
    let low = (word ^ (LOW * 0x02)).wrapping_sub(LOW * 0x21);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    (low | backslash) & !word & HIGH
}

/// The length of an escape that is undone here.
pub(super) fn is_simple_escape(bytes: &[u8]) -> Option<usize> {
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

/// The length of any escape.
pub(super) fn is_escape(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\\', b'u', a, b, c, d, ..] => [a, b, c, d]
            .iter()
            .all(|digit| digit.is_ascii_hexdigit())
            .then_some(6),
        _ => is_simple_escape(bytes),
    }
}

/// Undoes simple escapes. Returns false, and writes nothing, where there is no memory.
pub(super) fn unescape(text: &str, out: &mut String) -> bool {
    // What is undone is shorter.
    let has_room = out.capacity() - out.len() >= text.len();
    if !has_room && out.try_reserve(text.len()).is_err() {
        return false;
    }
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let mut behind = escape.chars();
        out.push(match behind.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other) => other,
            None => break,
        });
        rest = behind.as_str();
    }
    out.push_str(rest);
    true
}

/// A count: digits, as JSON has them.
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

/// Whether this is a number, as JSON has them.
pub(super) fn is_number(bytes: &[u8]) -> bool {
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

pub(super) fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    bytes.split_at_checked(len).unwrap_or((bytes, &[]))
}

/// Where a number ends that begins at `start`.
pub(super) fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let rest = bytes.get(start..)?;
    let len = rest.iter().take_while(|byte| is_part(byte)).count();
    (len > 0).then_some(start + len)
}
