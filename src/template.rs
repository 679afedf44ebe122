//! The fast path: an event that is an earlier one again but for its text.
//!
//! A stream repeats itself: of a chunk of 300 bytes a handful are new. So the wire bytes of an event
//! are kept together with the places in them that vary, the *holes*, and the next bytes of the
//! stream are held against them before they are framed or parsed. If all of it matches, blank line
//! included, the event's deltas are those of the earlier one with new text.
//!
//! Why this is exact. What the full path makes of an event depends on its bytes and on what is known
//! of the response so far. The bytes between holes are equal. A hole is a whole JSON scalar, and what
//! fills it is a whole scalar of the same type, so the structure of the payload is equal too. Which
//! scalar it is, is known from the dialect: the text of a delta, a token count, or a value that the
//! dialect has declared that it does not look at ([`Sink::ignored`]). And what is known of the
//! response has a version ([`Progress::version`]), which changes with whatever an event's deltas may
//! depend on: a template is good for the version that it was made under. Whatever is not certain is
//! left to the full path: escapes other than the simple ones, control characters, invalid UTF-8.
//!
//! Some dialects are written alike by all who send them. Their [`Seed`]s are templates from the first
//! event on, whatever the version: a dialect has them only for events that neither depend on what is
//! known of the response nor change it. The one exception is said by a hole of its own: arguments go
//! to the call that has the index there, and that there is such a call is looked up each time.
//!
//! What is looked for is in `shape` and `scan`, what is learnt in `learn`. The rest is one long file
//! because trying, keeping and dropping templates pay out of one purse.
//!
//! [`Sink::ignored`]: crate::dialect::sink::Sink::ignored
//! [`Progress::version`]: crate::dialect::progress::Progress

mod learn;
mod scan;
mod seed;
mod shape;

use alloc::vec::Vec;

use self::learn::{Holes, Seen};
use self::scan::{What, common_prefix, ends_with, number, number_end, plain, strip, unescape};
pub(crate) use self::seed::Seed;
use self::shape::{Found, Hole, Shape};
use crate::delta::{Delta, Usage};
use crate::dialect::State;
use crate::dialect::progress::Version;
use crate::dialect::sink::{Note, Sink};
use crate::frame::Event;
use crate::memory::{self, Held};

/// So many shapes of events are known side by side.
const MAX_TEMPLATES: usize = 6;
/// An event with more varying places is not worth it.
const MAX_HOLES: usize = 12;
/// Nor is a larger one: its text is most of it.
const MAX_WIRE_BYTES: usize = 16 * 1024;
/// An event without text is worth it if it is no larger: larger ones are said once.
const MAX_SILENT_BYTES: usize = 256;
/// What attempts and learning may cost, in instructions as estimated where they are spent: what hits
/// have saved, a small part of what full paths take, and something to begin with. So templates pay
/// for themselves on every stream, or are given up.
const FIRST_PURSE: i64 = 14_800;
const MAX_PURSE: i64 = 32_000;
const SAVED_BY_HIT: i64 = 1_000;
const SAVED_BY_BYTE: i64 = 3;
/// Once it is empty: what learning an event and trying it takes.
const ENOUGH_AGAIN: i64 = 3_000;
/// So many events in a row that no seed matches: the sender writes in another way.
const PATIENCE_WITH_SEEDS: u8 = 6;
/// What an attempt takes beside what is held against the event, and what one takes that matched in
/// vain: its text is no UTF-8, or there is too much of it.
const COST_OF_AN_ATTEMPT: i64 = 150;
const COST_OF_A_VAIN_MATCH: i64 = 800;
/// What it takes to see whether an event can be learnt at all.
const COST_OF_A_LOOK: i64 = 300;
/// What it takes to keep one, its memory included.
const COST_OF_A_TEMPLATE: i64 = 700;
/// Of a full path, which takes some 3,000 instructions and one or two for each byte.
const SHARE_OF_FULL_PATH: i64 = 30;
const BYTES_OF_ONE_MORE: i64 = 20;

/// The templates of one stream.
pub(crate) struct Templates {
    /// The first `len` are in use; the others keep their memory for the next stream.
    list: Vec<Template>,
    len: usize,
    /// Which one hit or was made last, and which is expected now.
    last: usize,
    expected: usize,
    /// What the dialect has that need not be learnt.
    seeds: &'static [Seed],
    /// How many more events are held against the seeds if none matches.
    patience: u8,
    purse: i64,
    taken: u64,
    is_enabled: bool,
    /// The purse was emptied, and nothing is tried until it is worth it again.
    is_resting: bool,
}

/// An event to hold the next ones against.
#[derive(Default)]
struct Template {
    /// The event as it came, its blank line included.
    wire: Vec<u8>,
    holes: Vec<Hole>,
    notes: Vec<Note>,
    usage: Option<Held<Usage>>,
    /// Where what does not vary behind the last hole begins.
    from: usize,
    /// What of `wire` lies behind the last line that counts against the event limit.
    tail: usize,
    /// What was known of the response, see `Progress::version`.
    version: Version,
    /// Whether the tools' part of it counts.
    uses_tools: bool,
    /// Which of the seeds it is, as a bit; 0: it was learnt. A seed is good for every version.
    seed: u8,
    /// The first hole is the index of the note's call.
    has_call: bool,
    /// Which template hit after this one the last time.
    next: usize,
    /// The event has one note, and that is text.
    is_single: bool,
}

/// What is known of the response that an event belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Known<'s> {
    pub(crate) version: Version,
    pub(crate) state: Option<&'s State>,
}

impl Templates {
    pub(crate) fn new(is_enabled: bool) -> Self {
        Templates {
            list: Vec::new(),
            len: 0,
            last: 0,
            expected: 0,
            seeds: &[],
            patience: PATIENCE_WITH_SEEDS,
            purse: FIRST_PURSE,
            taken: 0,
            is_enabled,
            is_resting: false,
        }
    }

    /// Forgets the stream; memory is kept.
    pub(crate) fn reset(&mut self) {
        for template in &mut self.list {
            template.forget();
        }
        self.len = 0;
        self.last = 0;
        self.expected = 0;
        self.seeds = &[];
        self.patience = PATIENCE_WITH_SEEDS;
        self.purse = FIRST_PURSE;
        self.is_resting = false;
        self.taken = 0;
    }

    /// How many events were hits that were used.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether an attempt is worth its cost at present.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        let has_seeds = !self.seeds.is_empty() && self.patience > 0;
        (self.len > 0 || has_seeds) && !self.is_resting
    }

    /// Holds the expected template against the event that `bytes` begin with. Gives the length of
    /// the event and its only delta, where it matches and its text can be read where it stands.
    /// Everything else is for [`replay`](Self::replay).
    #[inline]
    pub(crate) fn single<'b>(
        &mut self,
        bytes: &'b [u8],
        known: Known<'_>,
        max: usize,
    ) -> Option<(usize, Delta<'b>)> {
        let template = self.list.get(self.expected)?;
        if !template.is_single || !template.is_good_for(known.version) {
            return None;
        }
        let wire = template.wire.as_slice();
        let mut text: &[u8] = &[];
        let mut rest = bytes;
        for hole in &template.holes {
            rest = strip(rest, wire.get(hole.literal())?)?;
            let len = match hole.what {
                What::Text(_) => {
                    text = plain(rest)?;
                    text.len()
                }
                What::String => match plain(rest) {
                    Some(ignored) => ignored.len(),
                    None => hole.what.scan(rest, 0).ok()?.end,
                },
                what => what.scan(rest, 0).ok()?.end,
            };
            rest = rest.get(len..)?;
        }
        let tail = wire.len().checked_sub(template.from)?;
        let len = bytes.len() - rest.len() + tail;
        let is_match = ends_with(bytes.get(..len)?, wire, tail);
        if !is_match || text.is_empty() || len - template.tail > max {
            return None;
        }
        let text = core::str::from_utf8(text).ok()?;
        let note = template.notes.first()?;
        let delta = if template.has_call {
            note.of_call(template.call(bytes, known)?).with(text)?
        } else {
            note.with(text)?
        };
        self.took(self.expected, len);
        Some((len, delta))
    }

    /// Holds all templates against the event that `bytes` begin with, if they do begin with a whole
    /// one, and notes its deltas. Gives its length. `max` is the event limit.
    pub(crate) fn replay(
        &mut self,
        bytes: &[u8],
        known: Known<'_>,
        max: usize,
        sink: &mut Sink,
    ) -> Option<usize> {
        self.purse -= COST_OF_AN_ATTEMPT;
        let len = self.attempt(bytes, known, max, sink);
        // What goes the full path now may be no JSON, and so nothing to learn from.
        self.is_resting = self.purse <= 0;
        len
    }

    fn attempt(
        &mut self,
        bytes: &[u8],
        known: Known<'_>,
        max: usize,
        sink: &mut Sink,
    ) -> Option<usize> {
        let mut found = Found::default();
        let expected = self.expected;
        let others = (0..self.len).filter(|at| *at != expected);
        let mut hit = None;
        for at in core::iter::once(expected).chain(others) {
            let good = self
                .list
                .get(at)
                .filter(|template| template.is_good_for(known.version));
            let Some(template) = good else { continue };
            match template.shape().matches(bytes, &mut found) {
                Ok(len) => {
                    hit = Some((at, len));
                    break;
                }
                // The expected one was tried before, by `single`.
                Err(cost) => {
                    self.purse -= if at == expected {
                        3 * cost
                    } else {
                        cost + cost / 2
                    }
                }
            }
        }
        let (at, len) = match hit {
            Some(hit) => hit,
            None => self.sow(bytes, &mut found)?,
        };
        let template = self.list.get(at)?;
        if len - template.tail > max || !template.fill(bytes, &found, known, sink) {
            self.purse -= COST_OF_A_VAIN_MATCH + len as i64;
            return None;
        }
        self.took(at, len);
        Some(len)
    }

    /// Holds the seeds that are no templates yet against the event that `bytes` begin with. The one
    /// that matches becomes one.
    fn sow(&mut self, bytes: &[u8], found: &mut Found) -> Option<(usize, usize)> {
        self.patience = self.patience.checked_sub(1)?;
        let list = self.list.get(..self.len)?;
        let sown = list.iter().fold(0, |sown, template| sown | template.seed);
        for (bit, seed) in (0..u8::BITS).map(|n| 1 << n).zip(self.seeds) {
            if sown & bit != 0 {
                continue;
            }
            match seed.shape().matches(bytes, found) {
                Ok(len) => {
                    self.patience = PATIENCE_WITH_SEEDS;
                    self.purse -= COST_OF_A_TEMPLATE;
                    let at = self.slot()?;
                    if !self.list.get_mut(at)?.plant(seed, bit) {
                        self.give_back(at);
                        return None;
                    }
                    self.begin_at(at);
                    return Some((at, len));
                }
                Err(cost) => self.purse -= cost + cost / 2,
            }
        }
        None
    }

    /// A template was used: what follows it will be expected after it the next time.
    #[inline(always)]
    fn took(&mut self, at: usize, len: usize) {
        if at != self.last || at != self.expected {
            self.follow(at);
        }
        self.taken += 1;
        if self.purse < MAX_PURSE {
            self.purse += SAVED_BY_HIT + SAVED_BY_BYTE * len as i64;
        }
    }

    /// An event went the full path, whose deltas are in `sink`: learns from it, unless reading it
    /// changed what its like depends on (`is_repeatable`).
    pub(crate) fn missed(
        &mut self,
        event: &Event<'_>,
        sink: &Sink,
        known: Known<'_>,
        is_repeatable: bool,
    ) {
        if !self.is_enabled {
            return;
        }
        self.seeds = known.state.map_or(&[], |state| state.dialect().seeds());
        self.purse += SHARE_OF_FULL_PATH + event.raw.len() as i64 / BYTES_OF_ONE_MORE;
        let enough = if self.is_resting { ENOUGH_AGAIN } else { 0 };
        self.is_resting = self.purse <= enough;
        if self.is_resting || !is_repeatable {
            return;
        }
        // What gives no text is mostly said once, if it is not short.
        let is_once = sink.notes().is_empty() && event.raw.len() > MAX_SILENT_BYTES;
        if is_once || event.raw.len() > MAX_WIRE_BYTES || !sink.is_repeatable() {
            return;
        }
        self.purse -= COST_OF_A_LOOK + event.raw.len() as i64 / 3;
        if let Some(seen) = Seen::of(event, sink, self.purse) {
            self.learn(&seen, known.version);
            self.purse = seen.purse.get();
        }
    }

    fn learn(&mut self, seen: &Seen<'_>, version: Version) -> Option<()> {
        for at in 0..self.len {
            let template = self.list.get_mut(at)?;
            if let Some(holes) = template.align(seen) {
                if template.take(seen, &holes, version) {
                    self.follow(at);
                }
                return Some(());
            }
        }
        let mut holes = Holes::default();
        for (n, at) in seen.sink.texts() {
            let start = seen.payload + at;
            // What could not be scanned here could not be replayed either.
            let end = seen.scan(What::Text(n), seen.raw, start)?;
            if seen.raw.get(start.checked_sub(1)?) != Some(&b'"') {
                return None;
            }
            holes.push(start, end, What::Text(n))?;
        }
        let at = self.slot()?;
        seen.purse.update(|purse| purse - COST_OF_A_TEMPLATE);
        if self.list.get_mut(at)?.take(seen, &holes, version) {
            self.begin_at(at);
        } else {
            self.give_back(at);
        }
        Some(())
    }

    /// A place for one more template.
    fn slot(&mut self) -> Option<usize> {
        if self.len == MAX_TEMPLATES {
            // One that is neither the last nor expected after it.
            return (0..self.len).find(|at| *at != self.last && *at != self.expected);
        }
        if self.list.len() == self.len {
            self.list.try_reserve_exact(1).ok()?;
            self.list.push(Template::default());
        }
        self.len += 1;
        Some(self.len - 1)
    }

    /// The place is not needed: there was no memory for what should go there. Another template that
    /// has it stays.
    #[cold]
    fn give_back(&mut self, at: usize) {
        let is_new = self.list.get(at).is_some_and(|it| it.wire.is_empty());
        if is_new && at + 1 == self.len {
            self.len = at;
        }
    }

    /// The template is new: nothing is known of what follows it.
    fn begin_at(&mut self, at: usize) {
        if let Some(template) = self.list.get_mut(at) {
            template.next = at;
        }
        self.follow(at);
    }

    /// The template is that of the event that came last.
    #[inline(never)]
    fn follow(&mut self, at: usize) {
        if let Some(last) = self
            .list
            .get_mut(self.last)
            .filter(|_| self.last < self.len)
        {
            last.next = at;
        }
        self.last = at;
        self.expected = self.list.get(at).map_or(0, |template| template.next);
    }
}

impl Template {
    #[inline]
    fn is_good_for(&self, version: Version) -> bool {
        let is_same = self.version.response == version.response
            && (!self.uses_tools || self.version.tools == version.tools);
        is_same || self.seed != 0
    }

    fn shape(&self) -> Shape<'_> {
        Shape {
            wire: &self.wire,
            holes: &self.holes,
            from: self.from,
        }
    }

    /// The call that an event which matched belongs to: its index, and whether the provider runs it.
    #[inline(never)]
    fn call(&self, bytes: &[u8], known: Known<'_>) -> Option<(i32, bool)> {
        let start = self.holes.first()?.until as usize;
        let digits = bytes.get(start..number_end(bytes, start)?)?;
        let index = i32::try_from(number(digits)?).ok()?;
        Some((index, known.state?.is_server_call(index)?))
    }

    /// Notes the deltas of an event that matched. Returns false, and notes nothing, where a text is
    /// no UTF-8, a call is not known, or there is no memory for them.
    fn fill(&self, bytes: &[u8], found: &Found, known: Known<'_>, sink: &mut Sink) -> bool {
        sink.clear();
        let mut usage = self.usage.as_deref().copied().unwrap_or_default();
        for (hole, filling) in self.holes.iter().zip(found) {
            if let What::Count(count) = hole.what {
                *count.of(&mut usage) = filling.of(bytes).and_then(number);
            }
        }
        let call = if self.has_call {
            match self.call(bytes, known) {
                Some(call) => Some(call),
                None => return false,
            }
        } else {
            None
        };
        for (n, note) in self.notes.iter().enumerate() {
            let is_its = |hole: &Hole| matches!(hole.what, What::Text(of) if usize::from(of) == n);
            let Some(at) = self.holes.iter().position(is_its) else {
                sink.repeat_usage(usage);
                continue;
            };
            let filling = found.get(at).copied().unwrap_or_default();
            let text = filling
                .of(bytes)
                .and_then(|text| core::str::from_utf8(text).ok());
            let Some(text) = text else {
                sink.clear();
                return false;
            };
            let note = call.map_or(*note, |call| note.of_call(call));
            if filling.has_escapes {
                sink.repeat_with(note, |out| unescape(text, out));
            } else {
                sink.repeat_with(note, |out| memory::push_str(out, text));
            }
        }
        if sink.is_short() {
            sink.clear();
            return false;
        }
        true
    }

    /// Holds the template against an event that did not match. Where they differ in nothing but
    /// scalars that may differ, returns the holes of both together, in the event's bytes.
    fn align(&self, seen: &Seen<'_>) -> Option<Holes> {
        // What a seed declares of its holes is not known of the event.
        if self.seed != 0
            || self.notes.len() != seen.sink.notes().len()
            || !self
                .notes
                .iter()
                .zip(seen.sink.notes())
                .all(|(a, b)| a.is_like(b))
        {
            return None;
        }
        let mut holes = Holes::default();
        let (mut from, mut pos) = (0, 0);
        let mut known = self.holes.iter();
        let mut next = known.next();
        loop {
            // Up to the next known hole.
            let until = next.map_or(self.wire.len(), |hole| hole.until as usize);
            let literal = self.wire.get(from..until)?;
            let rest = seen.raw.get(pos..)?;
            let same = common_prefix(literal, rest);
            seen.spend(150 + same as i64 / 2)?;
            if same == literal.len() {
                let Some(hole) = next else {
                    return (same == rest.len()).then_some(holes);
                };
                let start = pos + same;
                let end = seen.scan(hole.what, seen.raw, start)?;
                holes.push(start, end, hole.what)?;
                next = known.next();
                (from, pos) = (next.map_or(self.from, |hole| hole.from as usize), end);
                continue;
            }
            // What they differ in begins in both after the same bytes.
            let (start, what) = seen.part_at(pos + same, literal.get(same) == Some(&b' '))?;
            let known_start = from + start.checked_sub(pos)?;
            let end = seen.scan(what, seen.raw, start)?;
            let known_end = seen.scan(what, &self.wire, known_start)?;
            if known_end > until {
                return None;
            }
            holes.push(start, end, what)?;
            (from, pos) = (known_end, end);
        }
    }

    /// Matches nothing any more; memory is kept.
    fn forget(&mut self) {
        self.wire.clear();
        self.holes.clear();
        self.seed = 0;
        self.is_single = false;
    }

    /// Becomes that of an event. Returns false, and stays what it was, where there is no memory.
    fn take(&mut self, seen: &Seen<'_>, holes: &Holes, version: Version) -> bool {
        let counts = seen.sink.counts();
        if counts.is_some() && self.usage.is_none() {
            self.usage = Held::new(Usage::default());
        }
        let has_room = counts.is_none() || self.usage.is_some();
        if !has_room || !self.keep(seen.raw, holes.as_slice(), seen.sink.notes()) {
            return false;
        }
        if let (Some(usage), Some(counts)) = (&mut self.usage, counts) {
            **usage = counts;
        }
        self.from = holes.end;
        self.tail = seen.tail;
        self.version = version;
        self.uses_tools = seen.sink.uses_tools();
        self.seed = 0;
        self.has_call = false;
        self.is_single = matches!(self.notes.as_slice(), [note] if note.with("").is_some());
        true
    }

    /// The same for a seed, of which it is the one with this bit.
    fn plant(&mut self, seed: &Seed, bit: u8) -> bool {
        let shape = seed.shape();
        if !self.keep(shape.wire, shape.holes, seed.notes()) {
            return false;
        }
        self.from = shape.from;
        self.tail = seed::TAIL;
        self.seed = bit;
        self.has_call = matches!(
            shape.holes,
            [
                Hole {
                    what: What::Call,
                    ..
                },
                ..
            ]
        );
        self.is_single = matches!(self.notes.as_slice(), [note] if note.with("").is_some());
        true
    }

    /// Has these in place of what it had, where there is memory for all of them.
    fn keep(&mut self, wire: &[u8], holes: &[Hole], notes: &[Note]) -> bool {
        let has_room = make_room(&mut self.wire, wire)
            && make_room(&mut self.holes, holes)
            && make_room(&mut self.notes, notes);
        if has_room {
            replace(&mut self.wire, wire);
            replace(&mut self.holes, holes);
            replace(&mut self.notes, notes);
        }
        has_room
    }
}

/// Room for so many items in all, and for no more: a decoder at rest is little else.
fn make_room<T>(list: &mut Vec<T>, items: &[T]) -> bool {
    let more = items.len().saturating_sub(list.len());
    list.try_reserve_exact(more).is_ok()
}

fn replace<T: Copy>(list: &mut Vec<T>, items: &[T]) {
    list.clear();
    list.extend_from_slice(items);
}
