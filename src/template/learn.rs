//! Learning: what of an event may vary.

use core::cell::Cell;
use core::ops::Range;

use memchr::memchr_iter;

use super::MAX_HOLES;
use super::scan::{What, number, number_end, scan_cost};
use super::shape::Hole;
use crate::dialect::json::{string_end, value_end};
use crate::dialect::sink::{Mark, Sink};
use crate::frame::Event;

/// An event that went the full path and may become a template.
pub(super) struct Seen<'e> {
    pub(super) raw: &'e [u8],
    /// Where its payload begins in `raw`.
    pub(super) payload: usize,
    pub(super) tail: usize,
    pub(super) sink: &'e Sink,
    /// What learning from it may still cost.
    pub(super) purse: Cell<i64>,
}

impl<'e> Seen<'e> {
    /// `None` for an event whose deltas or lines make it none.
    pub(super) fn of(event: &Event<'e>, sink: &'e Sink, purse: i64) -> Option<Self> {
        let raw = event.raw;
        let data = event.data.as_bytes().trim_ascii();
        // Data that was joined from several lines lies elsewhere.
        let payload = (data.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
        let head = raw.get(..payload)?;
        let behind = raw.get(payload + data.len()..)?;
        let spaces = behind.iter().take_while(|byte| **byte == b' ').count();
        let ends = behind.get(spaces..)?;
        // An ID or a comment among the lines does more than the payload tells.
        let is_plain = match head.strip_prefix(b"event:") {
            Some(rest) => {
                let mut lines = memchr_iter(b'\n', rest);
                let line = lines.next().and_then(|end| rest.get(end + 1..));
                lines.next().is_none() && line.is_some_and(|line| line.starts_with(b"data:"))
            }
            None => head.is_empty() || (head.starts_with(b"data:") && !head.contains(&b'\n')),
        };
        // So does a line behind the data. A CR at the very end leaves it open whether a LF belongs to
        // it. Bytes that are no UTF-8 were replaced, and nothing stands where the sink says.
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let is_plain = is_plain
            && ends.ends_with(b"\n")
            && ends.iter().all(is_end)
            && !head.contains(&b'\r')
            && core::str::from_utf8(data).is_ok();
        // Of a line without a field's name, which is one of NDJSON, all but the LF counts.
        let tail = if payload == 0 { 1 } else { ends.len() };
        is_plain.then_some(Seen {
            raw,
            payload,
            tail,
            sink,
            purse: Cell::new(purse),
        })
    }

    /// Takes what a step costs out of the purse; `None` where that is empty now.
    pub(super) fn spend(&self, cost: i64) -> Option<()> {
        // The estimates are of what is done; finding out what to do is half as much again.
        let left = self.purse.get() - cost - cost / 2;
        self.purse.set(left);
        (left > 0).then_some(())
    }

    /// Where what fills such a hole in `bytes` ends.
    pub(super) fn scan(&self, what: What, bytes: &[u8], start: usize) -> Option<usize> {
        let scanned = what.scan(bytes, start);
        let end = scanned.map_or_else(|end| end, |filling| filling.end);
        self.spend(scan_cost(start, end))?;
        scanned.ok().map(|filling| filling.end)
    }

    /// The part that a byte of `raw` belongs to, if it is one that may vary: where it begins, and
    /// what it is. `is_space`: the other event has a space here.
    pub(super) fn part_at(&self, pos: usize, is_space: bool) -> Option<(usize, What)> {
        let is_space = is_space || self.raw.get(pos) == Some(&b' ');
        if is_space && self.is_between_tokens(pos)? {
            let before = self.raw.get(self.payload..pos)?;
            let spaces = before
                .iter()
                .rev()
                .take_while(|byte| **byte == b' ')
                .count();
            return Some((pos - spaces, What::Space));
        }
        // Marks do not lie in one another, so it is the nearest one or none.
        self.spend(4 * self.sink.marks().len() as i64)?;
        let is_before = |mark: &&Mark| self.payload + (mark.at as usize) < pos;
        let mark = self
            .sink
            .marks()
            .iter()
            .filter(is_before)
            .max_by_key(|mark| mark.at)?;
        let value = self.value_of(mark)?;
        self.spend(100 + (value.end - value.start) as i64)?;
        // The byte behind it counts too: that is where a longer one differs.
        let inside = value.start <= pos && pos <= value.end;
        let start = inside.then(|| self.scalar_in(value.clone(), pos))??;
        let is_string = *self.raw.get(start)? == b'"';
        match mark.count {
            None if is_string => Some((start + 1, What::String)),
            None => Some((start, What::Number)),
            Some(slot) => {
                let count = number(self.raw.get(value)?)?;
                self.sink
                    .is_count(slot, count)
                    .then_some((start, What::Count(slot)))
            }
        }
    }

    /// Whether a byte of the payload is outside of all strings.
    pub(super) fn is_between_tokens(&self, pos: usize) -> Option<bool> {
        let mut at = self.payload;
        while at < pos {
            let start = at;
            at = match self.raw.get(at) {
                Some(b'"') => string_end(self.raw, at + 1)?,
                _ => at + 1,
            };
            self.spend(if at == start + 1 {
                8
            } else {
                40 + (at - start) as i64 / 8
            })?;
        }
        Some(at == pos)
    }

    /// Where the value lies that belongs to a marked key.
    pub(super) fn value_of(&self, mark: &Mark) -> Option<Range<usize>> {
        let key_end = string_end(self.raw, self.payload + mark.at as usize)?;
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b':');
        let start = key_end
            + self
                .raw
                .get(key_end..)?
                .iter()
                .position(|b| !is_between(b))?;
        Some(start..value_end(self.raw, start)?)
    }

    /// The scalar within a value, itself or part of it, that `pos` lies in or right behind.
    pub(super) fn scalar_in(&self, value: Range<usize>, pos: usize) -> Option<usize> {
        let mut at = value.start;
        while at <= pos && at < value.end {
            let end = match self.raw.get(at)? {
                b'"' => string_end(self.raw, at + 1)?,
                b'-' | b'0'..=b'9' => number_end(self.raw, at)?,
                _ => {
                    at += 1;
                    continue;
                }
            };
            if pos <= end {
                return Some(at);
            }
            at = end;
        }
        None
    }
}

/// Holes in the making.
#[derive(Default)]
pub(super) struct Holes {
    list: [Hole; MAX_HOLES],
    len: usize,
    /// Where the last one ends.
    pub(super) end: usize,
}

impl Holes {
    /// Adds one that lies behind the others; `None` where it does not, or there are too many.
    pub(super) fn push(&mut self, start: usize, end: usize, what: What) -> Option<()> {
        // A template is no larger than `MAX_WIRE_BYTES`.
        let (from, until) = (u32::try_from(self.end).ok()?, u32::try_from(start).ok()?);
        if from > until || start > end {
            return None;
        }
        *self.list.get_mut(self.len)? = Hole { from, until, what };
        self.len += 1;
        self.end = end;
        Some(())
    }

    pub(super) fn as_slice(&self) -> &[Hole] {
        self.list.get(..self.len).unwrap_or_default()
    }
}
