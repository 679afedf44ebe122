//! One template: an event that later ones are matched against.

use alloc::string::String;
use alloc::vec::Vec;

use super::budget::Budget;
use super::builtin::{self, Builtin};
use super::learn::{Candidate, Holes};
use super::matching::{Found, Hole, Pattern};
use super::slot::{Slot, common_prefix, number, number_end, unescape};
use crate::delta::{Delta, TextKind, Usage};
use crate::fallible::{self, OutOfMemory, TryBox};
use crate::reply::parts::PartKey;
use crate::reply::progress::{Progress, Version};
use crate::reply::queue::Queue;
use crate::reply::queued::{CallRef, Queued};
use crate::reply::walk::is_empty_container;
use crate::utf8::short_to_str;

/// What an index in the first hole of a built-in template means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Indexed {
    #[default]
    Nothing,
    /// The call that the only delta belongs to.
    Call,
    /// The block that the only delta belongs to, or that starts.
    Block,
}

/// An event with holes, and the deltas it stands for.
#[derive(Default)]
pub(super) struct Template {
    /// The event as it came, its blank line included.
    event: Vec<u8>,
    holes: Vec<Hole>,
    queued: Vec<Queued>,
    /// The names of the queued details.
    names: Option<TryBox<String>>,
    usage: Option<TryBox<Usage>>,
    /// Where the literal bytes after the last hole begin.
    from: usize,
    /// The length of the suffix of `event` that does not count against the event limit.
    pub(super) uncounted: usize,
    version: Version,
    /// Whether the tools' part of the version counts.
    uses_tools: bool,
    /// The bit of a built-in template, which is valid for every version; 0 for one that was learnt.
    pub(super) builtin: u8,
    /// Whether the details' part of the version counts.
    uses_details: bool,
    /// A hole is a detail that is left out if it is the latest value of its place.
    has_varying: bool,
    /// A hole repeats the text of another one.
    has_repeated: bool,
    /// What the first hole is the index of.
    index: Indexed,
    /// The template that hit after this one the last time.
    pub(super) next: usize,
    /// The hole of the text, if the event has one delta and that is text.
    pub(super) only_text: Option<u8>,
    /// The kind, the choice and the part of the text, if the only delta is a piece whose part is known.
    pub(super) piece: Option<(TextKind, u32, u32)>,
}

impl Template {
    #[inline]
    pub(super) fn is_valid_for(&self, version: Version) -> bool {
        let is_same = self.version.response == version.response
            && (!self.uses_tools || self.version.tools == version.tools)
            && (!self.uses_details || self.version.details == version.details);
        is_same || self.builtin != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.event.is_empty()
    }

    #[inline]
    pub(super) fn pattern(&self) -> Pattern<'_> {
        Pattern {
            event: &self.event,
            holes: &self.holes,
            from: self.from,
        }
    }

    /// Returns true if all strings that repeat a text do so in an event that matched.
    #[inline]
    pub(super) fn is_repeated(&self, bytes: &[u8], found: &Found) -> bool {
        !self.has_repeated || self.check_repeated(bytes, found)
    }

    #[cold]
    fn check_repeated(&self, bytes: &[u8], found: &Found) -> bool {
        self.holes.iter().zip(found).all(|(hole, filling)| {
            let Slot::Repeated(n) = hole.slot else {
                return true;
            };
            let text = self.text_hole(usize::from(n)).and_then(|at| found.get(at));
            text.is_some_and(|text| text.of(bytes) == filling.of(bytes))
        })
    }

    /// Returns the only delta of an event that matched.
    #[inline(never)]
    pub(super) fn delta<'b>(
        &self,
        bytes: &[u8],
        progress: &Progress,
        text: &'b str,
    ) -> Option<Delta<'b>> {
        let queued = self.queued.first()?;
        match self.index {
            Indexed::Nothing => queued.with(text),
            Indexed::Call => queued.of_call(self.call(bytes, progress)?).with(text),
            Indexed::Block => {
                let block = PartKey::block(self.index_in(bytes)?);
                queued.with_part(progress.parts.find(0, block)?).with(text)
            }
        }
    }

    /// Returns the index in the first hole of an event that matched.
    #[inline]
    fn index_in(&self, bytes: &[u8]) -> Option<i32> {
        let start = self.holes.first()?.until as usize;
        let digits = bytes.get(start..number_end(bytes, start)?)?;
        i32::try_from(number(digits)?).ok()
    }

    /// Returns the call that an event which matched belongs to.
    #[inline(never)]
    fn call(&self, bytes: &[u8], progress: &Progress) -> Option<CallRef> {
        progress.tools.latest(0, self.index_in(bytes)?)
    }

    /// Queues the deltas of an event that matched. Returns false, and queues nothing, if a text is not
    /// UTF-8, a call is not known, or there is no memory.
    pub(super) fn fill(
        &self,
        bytes: &[u8],
        found: &Found,
        progress: &mut Progress,
        queue: &mut Queue,
    ) -> bool {
        queue.clear();
        let mut usage = self.usage.as_deref().copied().unwrap_or_default();
        for (hole, filling) in self.holes.iter().zip(found) {
            if let Slot::Count(count) = hole.slot {
                *count.of(&mut usage) = filling.of(bytes).and_then(number);
            }
        }
        let (mut call, mut part) = (None, None);
        match self.index {
            Indexed::Nothing => {}
            Indexed::Call => match self.call(bytes, progress) {
                Some(known) => call = Some(known),
                None => return false,
            },
            Indexed::Block => {
                let Some(index) = self.index_in(bytes) else {
                    return false;
                };
                match progress.parts.number(0, PartKey::block(index)) {
                    Ok(number) => part = Some(number),
                    Err(OutOfMemory) => return false,
                }
            }
        }
        for (n, queued) in self.queued.iter().enumerate() {
            let Some(at) = self.text_hole(n) else {
                queue.repeat_usage(usage);
                continue;
            };
            let filling = found.get(at).copied().unwrap_or_default();
            let text = filling.of(bytes).and_then(short_to_str);
            let Some(text) = text.filter(|text| may_fill(queued, text)) else {
                queue.clear();
                return false;
            };
            if let Queued::Detail { name, .. } = queued {
                let names = self.names.as_deref().map_or("", String::as_str);
                let name = names.get(name.start as usize..name.end as usize);
                queue.repeat_detail(*queued, name.unwrap_or_default(), text);
                continue;
            }
            let queued = call.map_or(*queued, |call| queued.of_call(call));
            let queued = part.map_or(queued, |part| queued.with_part(part));
            if filling.has_escapes {
                queue.repeat_with(queued, |out| unescape(text, out));
            } else {
                queue.repeat_with(queued, |out| fallible::push_str(out, text));
            }
        }
        if queue.is_out_of_memory() {
            queue.clear();
            return false;
        }
        // Nothing fails from here on.
        if self.has_varying {
            queue.drop_repeated(&mut progress.details);
        }
        true
    }

    /// Returns the hole with the text of a queued delta.
    fn text_hole(&self, n: usize) -> Option<usize> {
        let is_its_text = |hole: &Hole| match hole.slot {
            Slot::Text(of) | Slot::Value(of, _) => usize::from(of) == n,
            _ => false,
        };
        self.holes.iter().position(is_its_text)
    }

    /// Compares the template with an event that did not match. If they differ only in scalars that may
    /// vary, returns the holes of both together, in the event's bytes.
    pub(super) fn align(&self, candidate: &Candidate<'_>, budget: &Budget) -> Option<Holes> {
        let queued = candidate.queue.queued();
        // A candidate does not tell what a built-in template declares of its holes.
        if self.builtin != 0
            || self.queued.len() != queued.len()
            || !self.queued.iter().zip(queued).all(|(a, b)| a.is_like(b))
        {
            return None;
        }
        let mut holes = Holes::default();
        let (mut from, mut pos) = (0, 0);
        let mut known = self.holes.iter();
        let mut next = known.next();
        loop {
            // Up to the next known hole.
            let until = next.map_or(self.event.len(), |hole| hole.until as usize);
            let literal = self.event.get(from..until)?;
            let rest = candidate.raw.get(pos..)?;
            let same = common_prefix(literal, rest);
            budget.charge_step(150 + same as i64 / 2)?;
            if same == literal.len() {
                let Some(hole) = next else {
                    return (same == rest.len()).then_some(holes);
                };
                let start = pos + same;
                let end = candidate.scan(hole.slot, candidate.raw, start, budget)?;
                holes.push(start, end, hole.slot)?;
                next = known.next();
                (from, pos) = (next.map_or(self.from, |hole| hole.from as usize), end);
                continue;
            }
            // The differing scalars begin after the same bytes in both.
            let is_space = literal.get(same) == Some(&b' ');
            let (start, slot) = candidate.part_at(pos + same, is_space, budget)?;
            let known_start = from + start.checked_sub(pos)?;
            let end = candidate.scan(slot, candidate.raw, start, budget)?;
            let known_end = candidate.scan(slot, &self.event, known_start, budget)?;
            if known_end > until {
                return None;
            }
            holes.push(start, end, slot)?;
            (from, pos) = (known_end, end);
        }
    }

    /// Stops matching anything and keeps the memory.
    pub(super) fn forget(&mut self) {
        self.event.clear();
        self.holes.clear();
        self.builtin = 0;
        self.only_text = None;
    }

    /// Becomes the template of an event. Stays what it was if out of memory.
    pub(super) fn store(
        &mut self,
        candidate: &Candidate<'_>,
        holes: &Holes,
        progress: &mut Progress,
    ) -> Result<(), OutOfMemory> {
        let counts = candidate.queue.counts();
        if counts.is_some() && self.usage.is_none() {
            self.usage = Some(TryBox::new(Usage::default())?);
        }
        let names = candidate
            .queue
            .queued()
            .iter()
            .filter_map(|queued| match queued {
                Queued::Detail { name, .. } => Some(candidate.queue.text_of(*name).len()),
                _ => None,
            });
        let has_details = names.clone().next().is_some();
        if has_details && self.names.is_none() {
            self.names = Some(TryBox::new(String::new())?);
        }
        if let Some(kept) = &mut self.names {
            let more = names.sum::<usize>().saturating_sub(kept.len());
            kept.try_reserve(more).map_err(|_| OutOfMemory)?;
        }
        self.replace(candidate.raw, holes.as_slice(), candidate.queue.queued())?;
        if let Some(names) = &mut self.names {
            names.clear();
            for queued in &mut self.queued {
                if let Queued::Detail { name, .. } = queued {
                    let start = names.len() as u32;
                    names.push_str(candidate.queue.text_of(*name));
                    (name.start, name.end) = (start, names.len() as u32);
                }
            }
        }
        if let (Some(usage), Some(counts)) = (&mut self.usage, counts) {
            **usage = counts;
        }
        self.from = holes.end;
        self.uncounted = candidate.uncounted;
        self.has_varying = false;
        for queued in &self.queued {
            if let Queued::Detail {
                place,
                is_piece: false,
                ..
            } = queued
            {
                self.has_varying = true;
                progress.details.vary(place.hash());
            }
        }
        self.version = progress.version();
        self.uses_tools = candidate.queue.uses_tools();
        self.uses_details = candidate.queue.uses_details();
        let mut holes = self.holes.iter();
        self.has_repeated = holes.any(|hole| matches!(hole.slot, Slot::Repeated(_)));
        self.builtin = 0;
        self.index = Indexed::Nothing;
        self.set_only_text();
        Ok(())
    }

    /// Becomes the built-in template with this bit. Stays what it was if out of memory.
    pub(super) fn install(&mut self, builtin: &Builtin, bit: u8) -> Result<(), OutOfMemory> {
        let pattern = builtin.pattern();
        self.replace(pattern.event, pattern.holes, builtin.queued())?;
        self.from = pattern.from;
        self.uncounted = builtin::UNCOUNTED;
        self.builtin = bit;
        self.has_repeated = false;
        self.has_varying = false;
        let first = pattern.holes.first().map(|hole| hole.slot);
        self.index = match first {
            Some(Slot::Call) => Indexed::Call,
            Some(Slot::Block) => Indexed::Block,
            _ => Indexed::Nothing,
        };
        self.set_only_text();
        Ok(())
    }

    fn set_only_text(&mut self) {
        let is_text = matches!(self.queued.as_slice(), [queued] if queued.with("").is_some());
        let hole = self.text_hole(0).filter(|_| is_text);
        self.only_text = hole.and_then(|hole| u8::try_from(hole).ok());
        self.piece = match self.queued.as_slice() {
            [
                Queued::Piece {
                    kind, choice, part, ..
                },
            ] if self.index == Indexed::Nothing => Some((*kind, *choice, *part)),
            _ => None,
        };
    }

    /// Replaces the lists, or none of them if out of memory.
    fn replace(
        &mut self,
        event: &[u8],
        holes: &[Hole],
        queued: &[Queued],
    ) -> Result<(), OutOfMemory> {
        reserve(&mut self.event, event)?;
        reserve(&mut self.holes, holes)?;
        reserve(&mut self.queued, queued)?;
        replace(&mut self.event, event);
        replace(&mut self.holes, holes);
        replace(&mut self.queued, queued);
        Ok(())
    }
}

/// Reserves memory for exactly these items: a decoder at rest consists of little else.
fn reserve<T>(list: &mut Vec<T>, items: &[T]) -> Result<(), OutOfMemory> {
    let more = items.len().saturating_sub(list.len());
    list.try_reserve_exact(more).map_err(|_| OutOfMemory)
}

fn replace<T: Copy>(list: &mut Vec<T>, items: &[T]) {
    list.clear();
    list.extend_from_slice(items);
}

/// Returns true if a text makes this delta: an empty value of a piece makes none.
fn may_fill(queued: &Queued, text: &str) -> bool {
    match queued {
        Queued::Detail { is_piece: true, .. } => match text.as_bytes() {
            [b'{' | b'[', ..] => !is_empty_container(text),
            text => text != b"\"\"",
        },
        _ => true,
    }
}
