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
//! [`Sink::ignored`]: crate::dialect::sink::Sink::ignored
//! [`Progress::version`]: crate::dialect::progress::Progress

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::Range;

use memchr::memchr_iter;

use crate::delta::{Delta, Usage};
use crate::dialect::json::{string_end, value_end};
use crate::dialect::progress::Version;
use crate::dialect::sink::{Mark, Note, Sink};
use crate::dialect::usage::Count;
use crate::frame::Event;

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
const FIRST_PURSE: i64 = 14_000;
const MAX_PURSE: i64 = 32_000;
const SAVED_BY_HIT: i64 = 1_000;
const SAVED_BY_BYTE: i64 = 3;
/// Once it is empty: what learning an event and trying it takes.
const ENOUGH_AGAIN: i64 = 3_000;
/// What it takes to see whether an event can be learnt at all.
const COST_OF_A_LOOK: i64 = 300;
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
    usage: Option<Box<Usage>>,
    /// Where what does not vary behind the last hole begins.
    from: usize,
    /// What of `wire` lies behind the last line that counts against the event limit.
    tail: usize,
    /// What was known of the response, see `Progress::version`.
    version: Version,
    /// Whether the tools' part of it counts.
    uses_tools: bool,
    /// Which template hit after this one the last time.
    next: usize,
    /// The event has one note, and that is text.
    is_single: bool,
}

/// A place that varies: a whole scalar, a string without its quotes.
#[derive(Debug, Clone, Copy, Default)]
struct Hole {
    /// What does not vary before it, from the hole before on: a range of the template's own bytes,
    /// at whose end the hole begins.
    from: u32,
    until: u32,
    what: What,
}

impl Hole {
    #[inline]
    fn literal(self) -> Range<usize> {
        self.from as usize..self.until as usize
    }
}

/// What varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum What {
    /// The text of a note.
    Text(u8),
    /// A token count.
    Count(Count),
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
struct Filling {
    start: usize,
    end: usize,
    has_escapes: bool,
}

/// Where the holes of a template are in other bytes.
type Found = [Filling; MAX_HOLES];

impl Templates {
    pub(crate) fn new(is_enabled: bool) -> Self {
        Templates {
            list: Vec::new(),
            len: 0,
            last: 0,
            expected: 0,
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
        self.len > 0 && !self.is_resting
    }

    /// Holds the expected template against the event that `bytes` begin with. Gives the length of
    /// the event and its only delta, where it matches and its text can be read where it stands.
    /// Everything else is for [`replay`](Self::replay).
    #[inline]
    pub(crate) fn single<'b>(
        &mut self,
        bytes: &'b [u8],
        version: Version,
        max: usize,
    ) -> Option<(usize, Delta<'b>)> {
        let template = self.list.get(self.expected)?;
        if !template.is_single || !template.is_good_for(version) {
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
        rest = strip(rest, wire.get(template.from..)?)?;
        let len = bytes.len() - rest.len();
        if text.is_empty() || len - template.tail > max {
            return None;
        }
        let delta = template
            .notes
            .first()?
            .with(core::str::from_utf8(text).ok()?)?;
        self.took(self.expected, len);
        Some((len, delta))
    }

    /// Holds all templates against the event that `bytes` begin with, if they do begin with a whole
    /// one, and notes its deltas. Gives its length. `version` is that of what is known of the
    /// response, `max` the event limit.
    pub(crate) fn replay(
        &mut self,
        bytes: &[u8],
        version: Version,
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
                .filter(|template| template.is_good_for(version));
            let Some(template) = good else { continue };
            match template.matches(bytes, &mut found) {
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
        let (at, len) = hit?;
        let template = self.list.get(at)?;
        if len - template.tail > max || !template.fill(bytes, &found, sink) {
            return None;
        }
        self.took(at, len);
        Some(len)
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
        version: Version,
        is_repeatable: bool,
    ) {
        if !self.is_enabled {
            return;
        }
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
            self.learn(&seen, version);
            self.purse = seen.purse.get();
        }
    }

    fn learn(&mut self, seen: &Seen<'_>, version: Version) -> Option<()> {
        for at in 0..self.len {
            let template = self.list.get_mut(at)?;
            if let Some(holes) = template.align(seen) {
                template.take(seen, &holes, version);
                self.follow(at);
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
        let at = if self.len < MAX_TEMPLATES {
            self.len += 1;
            if self.list.len() < self.len {
                self.list.reserve_exact(1);
                self.list.push(Template::default());
            }
            self.len - 1
        } else {
            // One that is neither the last nor expected after it.
            (0..self.len).find(|at| *at != self.last && *at != self.expected)?
        };
        let template = self.list.get_mut(at)?;
        template.take(seen, &holes, version);
        template.next = at;
        self.follow(at);
        Some(())
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
        self.version.response == version.response
            && (!self.uses_tools || self.version.tools == version.tools)
    }

    /// How long the event is that `bytes` begin with, if that is this one; else what it took to see
    /// that it is not.
    fn matches(&self, bytes: &[u8], found: &mut Found) -> Result<usize, i64> {
        let mut pos = 0;
        let mut cost = 40;
        for (hole, filling) in self.holes.iter().zip(found) {
            let literal = self.wire.get(hole.literal()).unwrap_or_default();
            cost += 30 + literal.len() as i64 / 8;
            if !bytes
                .get(pos..)
                .is_some_and(|rest| rest.starts_with(literal))
            {
                return Err(cost);
            }
            let start = pos + literal.len();
            let scanned = hole.what.scan(bytes, start);
            cost += scan_cost(start, scanned.map_or_else(|end| end, |filling| filling.end));
            *filling = scanned.map_err(|_| cost)?;
            pos = filling.end;
        }
        let literal = self.wire.get(self.from..).unwrap_or_default();
        cost += 30 + literal.len() as i64 / 8;
        let is_match = bytes
            .get(pos..)
            .is_some_and(|rest| rest.starts_with(literal));
        if is_match {
            Ok(pos + literal.len())
        } else {
            Err(cost)
        }
    }

    /// Notes the deltas of an event that matched. Returns false, and notes nothing, where a text is
    /// no UTF-8.
    fn fill(&self, bytes: &[u8], found: &Found, sink: &mut Sink) -> bool {
        sink.clear();
        let mut usage = self.usage.as_deref().copied().unwrap_or_default();
        for (hole, filling) in self.holes.iter().zip(found) {
            if let What::Count(count) = hole.what {
                *count.of(&mut usage) = filling.of(bytes).and_then(number);
            }
        }
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
            if filling.has_escapes {
                sink.repeat_with(*note, |out| unescape(text, out));
            } else {
                sink.repeat_with(*note, |out| out.push_str(text));
            }
        }
        true
    }

    /// Holds the template against an event that did not match. Where they differ in nothing but
    /// scalars that may differ, returns the holes of both together, in the event's bytes.
    fn align(&self, seen: &Seen<'_>) -> Option<Holes> {
        if self.notes.len() != seen.sink.notes().len()
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
        self.is_single = false;
    }

    fn take(&mut self, seen: &Seen<'_>, holes: &Holes, version: Version) {
        // No more memory than it takes: a decoder at rest is little else.
        keep(&mut self.wire, seen.raw);
        keep(&mut self.holes, holes.as_slice());
        keep(&mut self.notes, seen.sink.notes());
        if let Some(usage) = seen.sink.counts() {
            **self.usage.get_or_insert_default() = usage;
        }
        self.from = holes.end;
        self.tail = seen.tail;
        self.version = version;
        self.uses_tools = seen.sink.uses_tools();
        self.is_single = matches!(self.notes.as_slice(), [note] if note.with("").is_some());
    }
}

fn keep<T: Copy>(list: &mut Vec<T>, items: &[T]) {
    list.clear();
    list.reserve_exact(items.len());
    list.extend_from_slice(items);
}

impl Filling {
    fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(self.start..self.end)
    }
}

/// An event that went the full path and may become a template.
struct Seen<'e> {
    raw: &'e [u8],
    /// Where its payload begins in `raw`.
    payload: usize,
    tail: usize,
    sink: &'e Sink,
    /// What learning from it may still cost.
    purse: Cell<i64>,
}

impl<'e> Seen<'e> {
    /// `None` for an event whose deltas or lines make it none.
    fn of(event: &Event<'e>, sink: &'e Sink, purse: i64) -> Option<Self> {
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
    fn spend(&self, cost: i64) -> Option<()> {
        // The estimates are of what is done; finding out what to do is half as much again.
        let left = self.purse.get() - cost - cost / 2;
        self.purse.set(left);
        (left > 0).then_some(())
    }

    /// Where what fills such a hole in `bytes` ends.
    fn scan(&self, what: What, bytes: &[u8], start: usize) -> Option<usize> {
        let scanned = what.scan(bytes, start);
        let end = scanned.map_or_else(|end| end, |filling| filling.end);
        self.spend(scan_cost(start, end))?;
        scanned.ok().map(|filling| filling.end)
    }

    /// The part that a byte of `raw` belongs to, if it is one that may vary: where it begins, and
    /// what it is. `is_space`: the other event has a space here.
    fn part_at(&self, pos: usize, is_space: bool) -> Option<(usize, What)> {
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
    fn is_between_tokens(&self, pos: usize) -> Option<bool> {
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
    fn value_of(&self, mark: &Mark) -> Option<Range<usize>> {
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

/// Holes in the making.
#[derive(Default)]
struct Holes {
    list: [Hole; MAX_HOLES],
    len: usize,
    /// Where the last one ends.
    end: usize,
}

impl Holes {
    /// Adds one that lies behind the others; `None` where it does not, or there are too many.
    fn push(&mut self, start: usize, end: usize, what: What) -> Option<()> {
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

    fn as_slice(&self) -> &[Hole] {
        self.list.get(..self.len).unwrap_or_default()
    }
}

/// What is left of `bytes` behind `prefix`, if they begin with it.
#[inline(always)]
fn strip<'b>(bytes: &'b [u8], prefix: &[u8]) -> Option<&'b [u8]> {
    let (start, rest) = bytes.split_at_checked(prefix.len())?;
    (start == prefix).then_some(rest)
}

/// The content of the string that `bytes` are in, if it has no escapes and no control characters
/// and does not end too close to the end of `bytes`: the fast way of [`scan_string`], which is for
/// all that this is not.
#[inline(always)]
fn plain(bytes: &[u8]) -> Option<&[u8]> {
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
    fn scan(self, bytes: &[u8], pos: usize) -> Result<Filling, usize> {
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
            What::Count(_) => number_of(|digits| number(digits).is_some()),
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
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
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
fn scan_cost(start: usize, end: usize) -> i64 {
    30 + 5 * end.saturating_sub(start) as i64
}

/// Scans a string's content up to its closing quote. Control characters and escapes that `escape`
/// gives no length for are left to the full path, and the place of the first is the error.
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

fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of each byte that is a quote, a backslash or a control character; only the lowest
/// that is set is certain.
#[inline]
fn stops(word: u64) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (LOW * b'"' as u64);
    let backslash = word ^ (LOW * b'\\' as u64);
    let is_quote = quote.wrapping_sub(LOW) & !quote;
    let is_backslash = backslash.wrapping_sub(LOW) & !backslash;
    let is_control = word.wrapping_sub(LOW * 0x20) & !word;
    (is_quote | is_backslash | is_control) & HIGH
}

/// The length of an escape that is undone here.
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

/// The length of any escape.
fn is_escape(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\\', b'u', a, b, c, d, ..] => [a, b, c, d]
            .iter()
            .all(|digit| digit.is_ascii_hexdigit())
            .then_some(6),
        _ => is_simple_escape(bytes),
    }
}

/// Undoes simple escapes.
fn unescape(text: &str, out: &mut String) {
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
}

/// A count: digits, as JSON has them.
fn number(bytes: &[u8]) -> Option<u64> {
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

/// Where a number ends that begins at `start`.
fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let rest = bytes.get(start..)?;
    let len = rest.iter().take_while(|byte| is_part(byte)).count();
    (len > 0).then_some(start + len)
}
