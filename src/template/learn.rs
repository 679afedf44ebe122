//! Learning: finding out which parts of an event may vary.

use core::ops::Range;

use memchr::{memchr_iter, memchr2};

use super::MAX_HOLES;
use super::budget::Budget;
use super::matching::Hole;
use super::slot::{Like, MAX_VALUE_DEPTH, Slot, number, number_end, scan_cost};
use crate::frame::Event;
use crate::reply::queue::{Mark, Meaning, Queue};
use crate::utf8::to_str;

/// An event that went the full path and may become a template.
pub(super) struct Candidate<'e> {
    pub(super) raw: &'e [u8],
    /// Where its payload begins in `raw`.
    pub(super) payload: usize,
    /// The length of the suffix of `raw` that does not count against the event limit.
    pub(super) uncounted: usize,
    pub(super) queue: &'e Queue,
}

impl<'e> Candidate<'e> {
    /// Returns `None` if the event's lines or deltas do not allow a template.
    pub(super) fn new(event: &Event<'e>, queue: &'e Queue) -> Option<Self> {
        let raw = event.raw;
        let data = event.data.as_bytes().trim_ascii();
        // Data that was joined from several lines lies elsewhere.
        let payload = (data.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
        let head = raw.get(..payload)?;
        let rest = raw.get(payload + data.len()..)?;
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let ends = rest.get(spaces..)?;
        // An ID or a comment among the lines has effects that the payload does not show.
        let has_plain_head = match head.strip_prefix(b"event:") {
            Some(rest) => {
                let mut lines = memchr_iter(b'\n', rest);
                let line = lines.next().and_then(|end| rest.get(end + 1..));
                lines.next().is_none() && line.is_some_and(|line| line.starts_with(b"data:"))
            }
            None => head.is_empty() || (head.starts_with(b"data:") && !head.contains(&b'\n')),
        };
        // So has a line after the data. A CR at the very end may have a LF in the next chunk. Positions
        // in the queue are wrong if invalid UTF-8 was replaced.
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let is_plain = has_plain_head
            && ends.ends_with(b"\n")
            && ends.iter().all(is_end)
            && !head.contains(&b'\r')
            && to_str(data).is_some();
        is_plain.then_some(Candidate {
            raw,
            payload,
            uncounted: event.uncounted(),
            queue,
        })
    }

    /// Returns the holes that are known without another event to compare with: texts, the values of
    /// details, repetitions of texts, and what the dialect declares to vary.
    pub(super) fn first_holes(&self, budget: &Budget) -> Option<Holes> {
        let mut places = [(0, Slot::Space); MAX_HOLES];
        let mut len = 0;
        let texts = self.queue.texts().map(|(n, at)| Some((at, Slot::Text(n))));
        let marks = self.queue.marks().iter();
        let repeated = marks
            .filter(|mark| mark.meaning == Meaning::Repeated)
            .map(|mark| {
                let value = mark.value.start as usize..mark.value.end as usize;
                let value = self.payload + value.start..self.payload + value.end;
                let n = self.text_like(value)?;
                Some((mark.value.start as usize + 1, Slot::Repeated(n)))
            });
        let details = self
            .queue
            .varying()
            .map(|(n, at, is_piece)| Some((at?, self.value_slot(n, at?, is_piece)?)));
        for place in texts.chain(details).chain(repeated) {
            *places.get_mut(len)? = place?;
            len += 1;
        }
        // An event with too many of these is learnt without them, and comparing it finds which vary.
        for place in self
            .queue
            .marks()
            .iter()
            .filter_map(|mark| self.declared(mark))
        {
            if let Some(free) = places.get_mut(len) {
                *free = place;
                len += 1;
            }
        }
        let places = places.get_mut(..len)?;
        places.sort_unstable_by_key(|(at, _)| *at);
        let mut holes = Holes::default();
        for (at, slot) in places {
            let start = self.payload + *at;
            // What cannot be scanned here could not be scanned at a hit.
            let end = self.scan(*slot, self.raw, start, budget)?;
            let is_inside = matches!(slot, Slot::Text(_) | Slot::Repeated(_));
            if is_inside && self.raw.get(start.checked_sub(1)?) != Some(&b'"') {
                return None;
            }
            holes.push(start, end, *slot)?;
        }
        Some(holes)
    }

    /// Returns the place and the slot of a scalar that the dialect declares to vary.
    fn declared(&self, mark: &Mark) -> Option<(usize, Slot)> {
        let start = mark.value.start as usize;
        let value = self.payload + start..self.payload + mark.value.end as usize;
        let value = self.raw.get(value)?;
        match mark.meaning {
            Meaning::Repeated | Meaning::Ignored => None,
            Meaning::Varying => match value.first()? {
                b'"' => Some((start + 1, Slot::String)),
                b'-' | b'0'..=b'9' => Some((start, Slot::Number)),
                _ => None,
            },
            Meaning::Count(count) => {
                let is_count = self.queue.is_count(count, number(value)?);
                is_count.then_some((start, Slot::Count(count)))
            }
        }
    }

    /// Returns the slot of a detail's value.
    fn value_slot(&self, n: u8, at: usize, is_piece: bool) -> Option<Slot> {
        let start = self.payload + at;
        let like = Like::of(self.raw.get(start..)?, is_piece)?;
        let before = self.raw.get(self.payload..start)?;
        let is_open = |byte: &&u8| matches!(byte, b'{' | b'[');
        let depth = before.iter().filter(is_open).count();
        let is_container = matches!(like, Like::Array | Like::Object);
        let is_deep = is_container && depth > MAX_VALUE_DEPTH as usize;
        (!is_deep).then_some(Slot::Value(n, like))
    }

    /// Returns where a filling of this slot in `bytes` ends.
    pub(super) fn scan(
        &self,
        slot: Slot,
        bytes: &[u8],
        start: usize,
        budget: &Budget,
    ) -> Option<usize> {
        let scanned = slot.scan(bytes, start);
        let end = scanned.map_or_else(|end| end, |filling| filling.end as usize);
        budget.charge_step(scan_cost(start, end))?;
        scanned.ok().map(|filling| filling.end as usize)
    }

    /// Returns the varying part that the byte of `raw` at `pos` belongs to: its start and its slot.
    /// `is_space` says that the other event has a space here.
    pub(super) fn part_at(
        &self,
        pos: usize,
        is_space: bool,
        budget: &Budget,
    ) -> Option<(usize, Slot)> {
        let is_space = is_space || self.raw.get(pos) == Some(&b' ');
        if is_space && self.is_between_tokens(pos, budget)? {
            let before = self.raw.get(self.payload..pos)?;
            let spaces = before
                .iter()
                .rev()
                .take_while(|byte| **byte == b' ')
                .count();
            return Some((pos - spaces, Slot::Space));
        }
        // Marks do not contain each other, so only the nearest one can contain the byte.
        budget.charge_step(4 * self.queue.marks().len() as i64)?;
        let is_before = |mark: &&Mark| self.payload + (mark.value.start as usize) <= pos;
        let mark = self
            .queue
            .marks()
            .iter()
            .filter(is_before)
            .max_by_key(|mark| mark.value.start)?;
        let value =
            self.payload + mark.value.start as usize..self.payload + mark.value.end as usize;
        budget.charge_step(100 + (value.end - value.start) as i64)?;
        // The byte after it counts too: that is where a longer value differs.
        let inside = value.start <= pos && pos <= value.end;
        let start = inside.then(|| self.scalar_in(value.clone(), pos))??;
        let is_string = *self.raw.get(start)? == b'"';
        match mark.meaning {
            Meaning::Ignored | Meaning::Varying if is_string => Some((start + 1, Slot::String)),
            Meaning::Ignored | Meaning::Varying => Some((start, Slot::Number)),
            Meaning::Repeated => Some((start + 1, Slot::Repeated(self.text_like(value)?))),
            Meaning::Count(count) => {
                let number = number(self.raw.get(value)?)?;
                self.queue
                    .is_count(count, number)
                    .then_some((start, Slot::Count(count)))
            }
        }
    }

    /// Returns the only delta whose text a string repeats, by its position in the queue.
    fn text_like(&self, string: Range<usize>) -> Option<u8> {
        let string = self.raw.get(string)?.strip_prefix(b"\"")?;
        let mut texts = self.queue.texts().filter(|(_, at)| {
            let rest = self.raw.get(self.payload + at..);
            rest.is_some_and(|rest| rest.starts_with(string))
        });
        let (n, _) = texts.next()?;
        texts.next().is_none().then_some(n)
    }

    /// Returns true if a byte of the payload is outside of all strings.
    fn is_between_tokens(&self, pos: usize, budget: &Budget) -> Option<bool> {
        let mut at = self.payload;
        while at < pos {
            let start = at;
            at = match self.raw.get(at) {
                Some(b'"') => string_end(self.raw, at + 1)?,
                _ => at + 1,
            };
            let is_byte = at == start + 1;
            budget.charge_step(if is_byte {
                8
            } else {
                40 + (at - start) as i64 / 8
            })?;
        }
        Some(at == pos)
    }

    /// Returns the start of the scalar in a value that contains `pos`, or ends there.
    fn scalar_in(&self, value: Range<usize>, pos: usize) -> Option<usize> {
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

/// The holes of a template that is being made.
#[derive(Default)]
pub(super) struct Holes {
    list: [Hole; MAX_HOLES],
    len: usize,
    /// Where the last hole ends.
    pub(super) end: usize,
}

impl Holes {
    /// Appends a hole. Returns `None` if it does not lie after the others, or there are too many.
    pub(super) fn push(&mut self, start: usize, end: usize, slot: Slot) -> Option<()> {
        // A template has at most `MAX_EVENT_BYTES`.
        let (from, until) = (u32::try_from(self.end).ok()?, u32::try_from(start).ok()?);
        if from > until || start > end {
            return None;
        }
        *self.list.get_mut(self.len)? = Hole { from, until, slot };
        self.len += 1;
        self.end = end;
        Some(())
    }

    pub(super) fn as_slice(&self) -> &[Hole] {
        self.list.get(..self.len).unwrap_or_default()
    }
}

/// Returns where the string ends that contains `pos`: after its closing quote.
fn string_end(text: &[u8], mut pos: usize) -> Option<usize> {
    loop {
        pos += memchr2(b'"', b'\\', text.get(pos..)?)?;
        match text.get(pos)? {
            b'"' => return Some(pos + 1),
            _ => pos += 2,
        }
    }
}
