//! One line of an event stream: "process the field" of HTML section 9.2.6.

use memchr::{memchr, memchr2};

use super::super::Span;

/// What the block's lines said so far. Spans count from the block's first byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block {
    pub(super) has_lines: bool,
    pub(super) event: Span,
    pub(super) data: Span,
    pub(super) data_lines: usize,
    pub(super) id: Option<Span>,
    /// Where the last of the lines ends, its line end apart.
    pub(super) end: usize,
}

/// What a line is. Spans count from the line's first byte.
pub(super) enum Line {
    Blank,
    Comment {
        text: Span,
    },
    Retry {
        millis: u64,
    },
    Unknown {
        name: Span,
        value: Span,
    },
    /// `data`, `event` or `id`: part of the block.
    Absorbed,
}

impl Block {
    /// Takes in a line ("process the field"), which begins at `at` in the block.
    #[inline]
    pub(super) fn read(&mut self, line: &[u8], at: usize) -> Line {
        let (name, start) = Name::of(line);
        let value = Span {
            start,
            end: line.len(),
        };
        match name {
            Name::None => return Line::Blank,
            Name::Comment => {
                return Line::Comment {
                    text: Span {
                        start: 1,
                        end: line.len(),
                    },
                };
            }
            Name::Data => {
                if self.data_lines == 0 {
                    self.data = value.shifted(at);
                }
                self.data_lines += 1;
            }
            Name::Event => self.event = value.shifted(at),
            Name::Id => {
                if memchr(0, value.of(line)).is_none() {
                    self.id = Some(value.shifted(at));
                }
            }
            Name::Retry | Name::Unknown => {
                if name == Name::Retry
                    && let Some(millis) = millis(value.of(line))
                {
                    return Line::Retry { millis };
                }
                let name = Span {
                    start: 0,
                    end: memchr(b':', line).unwrap_or(line.len()),
                };
                return Line::Unknown { name, value };
            }
        }
        self.has_lines = true;
        self.end = at + line.len();
        Line::Absorbed
    }
}

/// What a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// Nothing: the line is blank.
    None,
    Comment,
    Data,
    Event,
    Id,
    Retry,
    Unknown,
}

impl Name {
    /// The line's field, and where in the line its value begins.
    #[inline]
    pub(super) fn of(line: &[u8]) -> (Name, usize) {
        let known = match line.first() {
            None => return (Name::None, 0),
            Some(b':') => return (Name::Comment, 1),
            Some(b'd') => (Name::Data, &b"data"[..]),
            Some(b'e') => (Name::Event, &b"event"[..]),
            Some(b'i') => (Name::Id, &b"id"[..]),
            Some(b'r') => (Name::Retry, &b"retry"[..]),
            Some(_) => (Name::Unknown, &b""[..]),
        };
        let is_name = |rest: &[u8]| rest.is_empty() || rest.starts_with(b":");
        let (name, colon) = match line.strip_prefix(known.1) {
            Some(rest) if known.0 != Name::Unknown && is_name(rest) => (known.0, known.1.len()),
            _ => (Name::Unknown, memchr(b':', line).unwrap_or(line.len())),
        };
        let space = usize::from(line.get(colon + 1) == Some(&b' '));
        (name, line.len().min(colon + 1 + space))
    }
}

/// The value of a `data` line; that of another one is none.
#[inline]
pub(super) fn data(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"data:").map(value)
}

/// What behind a field's colon is its value: all but one space.
#[inline]
pub(super) fn value(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b" ").unwrap_or(rest)
}

/// Whether a line that begins so may still be an `id` or `retry` field.
pub(super) fn may_count(line: &[u8]) -> bool {
    [&b"id"[..], b"retry"]
        .iter()
        .any(|name| match line.strip_prefix(*name) {
            Some(rest) => rest.is_empty() || rest.starts_with(b":"),
            None => name.starts_with(line),
        })
}

/// A reconnection time: ASCII digits and nothing else.
pub(super) fn millis(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Up to so many bytes are looked through here first.
const SHORT: usize = 128;
const BLOCK: usize = 32;

/// Where the first line end is.
#[inline]
pub(super) fn find_line_end(bytes: &[u8]) -> Option<usize> {
    // A piece of a line that has none is what most short ones are, and to see that takes half of
    // what it takes to call `memchr2`.
    if bytes.len() <= SHORT
        && let Some(last) = bytes.last_chunk()
    {
        let (blocks, rest) = bytes.as_chunks();
        let is_clear = |block| !may_have_line_end(block);
        if blocks.iter().all(is_clear) && (rest.is_empty() || is_clear(last)) {
            return None;
        }
    }
    memchr2(b'\n', b'\r', bytes)
}

/// Whether there is a line end or another control character of those up to CR.
#[inline]
fn may_have_line_end(block: &[u8; BLOCK]) -> bool {
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    const BEHIND_CR: u64 = LOW * (b'\r' as u64 + 1);
    let (words, _) = block.as_chunks();
    // What is less than what is taken off it comes out with the high bit set.
    let less = words.iter().fold(0, |less, word| {
        let word = u64::from_ne_bytes(*word);
        less | (word.wrapping_sub(BEHIND_CR) & !word)
    });
    less & (LOW << 7) != 0
}
