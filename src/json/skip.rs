//! Values that are checked and not looked at.
//!
//! Each kind of token has a fast function and a slow one. The fast one handles what most payloads
//! have: no escapes, no white space, not at the end of the text. For everything else, valid or not, it
//! fails, and the slow one is called. A fast function for strings fails with the offset up to which it
//! has searched, so that the slow one need not start again.

use super::number::{number_end, word_end};
use super::places::Note;
use super::scan::{BLOCK, Window, at, digits_in, pair_at, stop_in, token, window};
use super::string::{ESCAPES, closing_quote};
use super::{MAX_DEPTH, Malformed};

/// Strings of more blocks than this are searched by the slow function, which is better at it.
const FAST_BLOCKS: usize = 4;

/// Returns the two bytes of the window at `pos`.
#[inline(always)]
fn pair_in(window: &Window, pos: usize) -> u16 {
    u16::from_le_bytes([window[pos], window[pos + 1]])
}

/// Returns the end of the string whose text begins at `pos`, and the two bytes there.
#[inline(always)]
fn fast_string(bytes: &[u8], mut pos: u32) -> Result<(u32, u16), u32> {
    for _ in 0..FAST_BLOCKS {
        let Some(window) = window(bytes, pos) else {
            return Err(pos);
        };
        if let Some(stop) = stop_in(window) {
            pos += stop as u32;
            if window[stop] != b'"' {
                return Err(pos);
            }
            return Ok((pos + 1, pair_in(window, stop + 1)));
        }
        pos += BLOCK;
    }
    Err(pos)
}

/// Returns the offset of the quote that closes the name whose text begins at `pos`, and the first byte
/// of the value. A colon follows the quote.
#[inline(always)]
pub(super) fn fast_name(bytes: &[u8], mut pos: u32) -> Result<(u32, u8), u32> {
    loop {
        let Some(window) = window(bytes, pos) else {
            return Err(pos);
        };
        if let Some(stop) = stop_in(window) {
            pos += stop as u32;
            if pair_in(window, stop) != u16::from_le_bytes(*b"\":") {
                return Err(pos);
            }
            return Ok((pos, window[stop + 2]));
        }
        pos += BLOCK;
    }
}

/// Where a member's name ends.
pub(super) struct Name {
    /// The offset of the closing quote, with [`ESCAPES`].
    pub(super) end: u32,
    /// The offset of the byte after the colon.
    pub(super) colon_end: u32,
}

/// Returns where the name ends whose text has no end before `pos`.
#[cold]
#[inline(never)]
pub(super) fn slow_name(bytes: &[u8], pos: u32) -> Result<Name, Malformed> {
    let end = closing_quote(bytes, pos)?;
    match token(bytes, (end & !ESCAPES) + 1) {
        (colon, b':') => Ok(Name {
            end,
            colon_end: colon + 1,
        }),
        (pos, _) => Err(Malformed::syntax(pos)),
    }
}

/// Returns the end of the value that begins at `pos` with `next`, and the two bytes there, unless it is
/// a string, an array or an object.
#[inline(always)]
fn fast_scalar(bytes: &[u8], pos: u32, next: u8) -> Option<(u32, u16)> {
    let window = window(bytes, pos)?;
    let word = u32::from_le_bytes(*window.first_chunk()?);
    let len = if next.is_ascii_digit() {
        if matches!(window[1], b',' | b'}' | b']') {
            1
        } else {
            let len = digits_in(window)?;
            if next == b'0' || !matches!(window[len], b',' | b'}' | b']') {
                return None;
            }
            len
        }
    } else if word == u32::from_le_bytes(*b"null") || word == u32::from_le_bytes(*b"true") {
        4
    } else if word == u32::from_le_bytes(*b"fals") && window[4] == b'e' {
        5
    } else {
        return None;
    };
    Some((pos + len as u32, pair_in(window, len)))
}

/// Returns the end of the value that begins at `pos` and is not a string, an array or an object.
#[cold]
#[inline(never)]
fn scalar_end(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match at(bytes, pos) {
        b'-' | b'0'..=b'9' | b'N' | b'I' => number_end(bytes, pos),
        b'n' => word_end(bytes, pos, b"null"),
        b't' => word_end(bytes, pos, b"true"),
        b'f' => word_end(bytes, pos, b"false"),
        _ => Err(Malformed::syntax(pos)),
    }
}

/// Returns the end of the string whose opening quote is at `pos`. Adds [`ESCAPES`] if there are any.
#[inline(never)]
pub(super) fn string_end(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match fast_string(bytes, pos + 1) {
        Ok((end, _)) => Ok(end),
        Err(stop) => Ok(closing_quote(bytes, stop)? + 1),
    }
}

/// Returns the end of the value that begins at `pos` with `next`, inside `depth` arrays and objects.
/// Adds [`ESCAPES`] to that of a string with escapes.
#[inline(never)]
pub(super) fn value_end(bytes: &[u8], pos: u32, next: u8, depth: u32) -> Result<u32, Malformed> {
    match next {
        b'"' => string_end(bytes, pos),
        b'{' | b'[' => container_end(bytes, pos, depth, &()),
        _ => match fast_scalar(bytes, pos, next) {
            Some((end, _)) => Ok(end),
            None => scalar_end(bytes, pos),
        },
    }
}

/// Returns the end of the array or object that begins at `pos`, inside `depth` others. Notes where it and
/// those in it begin and end.
#[inline(never)]
pub(super) fn container_end(
    bytes: &[u8],
    mut pos: u32,
    depth: u32,
    notes: &impl Note,
) -> Result<u32, Malformed> {
    // One bit per open level, the innermost lowest: 1 for an object.
    let mut levels: u128 = 0;
    let mut level = depth;
    let mut next = at(bytes, pos);
    loop {
        // A value begins at `pos` with `next`, or there is white space before it.
        let mut ahead;
        if next == b'"' {
            (pos, ahead) = match fast_string(bytes, pos + 1) {
                Ok(found) => found,
                Err(stop) => {
                    let end = (closing_quote(bytes, stop)? & !ESCAPES) + 1;
                    (end, pair_at(bytes, end))
                }
            };
        } else if let Some(found) = fast_scalar(bytes, pos, next) {
            (pos, ahead) = found;
        } else if let b'{' | b'[' = next {
            if level >= MAX_DEPTH {
                return Err(Malformed::too_deep(pos));
            }
            let is_object = next == b'{';
            notes.open(pos);
            level += 1;
            levels = levels << 1 | u128::from(is_object);
            (pos, next) = token(bytes, pos + 1);
            if is_object {
                if next == b'"' {
                    (pos, next) = match fast_name(bytes, pos + 1) {
                        Ok((end, next)) => (end + 2, next),
                        Err(stop) => token(bytes, slow_name(bytes, stop)?.colon_end),
                    };
                    continue;
                }
                if next != b'}' {
                    return Err(Malformed::syntax(pos));
                }
            } else if next != b']' {
                continue;
            }
            ahead = u16::from(next);
        } else if let b' ' | b'\n' | b'\r' | b'\t' = next {
            (pos, next) = token(bytes, pos);
            continue;
        } else {
            pos = scalar_end(bytes, pos)?;
            ahead = pair_at(bytes, pos);
        }
        // A value has ended, or an empty array or object is about to: `ahead` is at `pos`.
        loop {
            let is_object = levels & 1 == 1;
            if ahead == u16::from_le_bytes(*b",\"") && is_object {
                pos += 2;
            } else {
                next = ahead as u8;
                if next <= b' ' {
                    (pos, next) = token(bytes, pos);
                }
                if next == if is_object { b'}' } else { b']' } {
                    pos += 1;
                    notes.close(pos);
                    level -= 1;
                    if level == depth {
                        return Ok(pos);
                    }
                    levels >>= 1;
                    ahead = pair_at(bytes, pos);
                    continue;
                }
                if next != b',' {
                    return Err(Malformed::syntax(pos));
                }
                (pos, next) = token(bytes, pos + 1);
                if !is_object {
                    break;
                }
                if next != b'"' {
                    return Err(Malformed::syntax(pos));
                }
                pos += 1;
            }
            (pos, next) = match fast_name(bytes, pos) {
                Ok((end, next)) => (end + 2, next),
                Err(stop) => token(bytes, slow_name(bytes, stop)?.colon_end),
            };
            break;
        }
    }
}
