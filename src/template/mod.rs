//! The fast path: events that repeat an earlier event except for their text.
//!
//! Most bytes of a stream repeat: of a chunk of 300 bytes a handful are new. A *template* keeps the
//! bytes of an event together with its *holes*, the places that vary. The next bytes of the stream are
//! matched against the templates before they are framed or parsed. If everything matches, the blank
//! line included, the event's deltas are those of the template with new text.
//!
//! ```text
//! data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n     an event
//! data: {"id":"c1","choices":[{"index":0,"delta":{"content":"_____"}}]}\n\n     its template
//! data: {"id":"c1","choices":[{"index":0,"delta":{"content":" world"}}]}\n\n    a hit: Text " world"
//! ```
//!
//! Why this is exact: the deltas of an event depend on its bytes and on the state of the response.
//! The bytes between holes are equal. A hole is a whole JSON scalar and is filled by a whole scalar of
//! the same type, so the structure of the payload is equal too. The dialect tells which scalar it is:
//! the text of a delta, a token count, or a value that the dialect ignores ([`Queue::ignored`]). The
//! state of the response has a version ([`Progress::version`]) that changes with everything on which
//! an event's deltas may depend; a template is valid for the version for which it was made. Whatever
//! is uncertain goes the full path: `\u` escapes, control characters, invalid UTF-8.
//!
//! Some dialects are written alike by all senders. Their [`Builtin`] templates work from the first
//! event on and for every version: a dialect has them only for events that neither depend on the state
//! of the response nor change it. Two holes are exceptions: arguments belong to the call that has the
//! index in the hole, and a piece to the block with that index. Both are looked up at each hit.
//!
//! [`Queue::ignored`]: crate::reply::queue::Queue::ignored
//! [`Progress::version`]: crate::reply::progress::Progress

mod budget;
mod builtin;
mod learn;
mod matching;
mod pattern;
mod slot;

use alloc::vec::Vec;

use self::budget::Budget;
pub(crate) use self::builtin::Builtin;
use self::learn::Candidate;
use self::matching::Found;
use self::pattern::Template;
use crate::delta::{Delta, TextKind};
use crate::frame::Event;
use crate::reply::progress::{Progress, Version};
use crate::reply::queue::Queue;
use crate::utf8::short_to_str;

/// The most templates of a stream.
const MAX_TEMPLATES: usize = 6;
/// Events with more varying places are not learnt.
const MAX_HOLES: usize = 12;
/// Events larger than this many bytes are not learnt: their text is most of them.
const MAX_EVENT_BYTES: usize = 16 * 1024;
/// Events without deltas that are larger than this many bytes are not learnt: they come once.
const MAX_SILENT_BYTES: usize = 256;
/// Built-in templates are given up after this many events in a row that match none of them.
const BUILTIN_MISS_LIMIT: u8 = 6;

/// The templates of one stream.
pub(crate) struct Cache {
    /// The first `len` are in use. The others keep their memory for the next stream.
    list: Vec<Template>,
    len: usize,
    /// The template that hit or was learnt last.
    last: usize,
    /// The template that will match next, if the stream repeats itself.
    predicted: usize,
    builtin: &'static [Builtin],
    /// How many more events may match no built-in template.
    builtin_misses_left: u8,
    budget: Budget,
    hits: u64,
    is_enabled: bool,
    /// The holes of the latest match.
    found: Found,
}

/// The state on which a hit depends, beside the bytes.
#[derive(Clone, Copy)]
pub(crate) struct Context<'s> {
    pub(crate) version: Version,
    pub(crate) progress: &'s Progress,
    /// The event limit in bytes.
    pub(crate) limit: usize,
}

/// The result of matching the predicted template against the event at the start of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Nothing was tried.
    Untried,
    /// The predicted template does not match.
    Failed,
    /// The predicted template matches an event of this length, whose deltas must be queued.
    Matched(usize),
}

/// The delta of an event that the predicted template matches. Most are text, and are not built before
/// they are returned.
pub(crate) enum Predicted<'b> {
    Piece {
        kind: TextKind,
        choice: u32,
        part: u32,
        text: &'b str,
    },
    Other(Delta<'b>),
}

impl Cache {
    pub(crate) fn new(is_enabled: bool) -> Self {
        Cache {
            list: Vec::new(),
            len: 0,
            last: 0,
            predicted: 0,
            builtin: &[],
            builtin_misses_left: BUILTIN_MISS_LIMIT,
            budget: Budget::new(),
            hits: 0,
            is_enabled,
            found: Found::default(),
        }
    }

    /// Forgets the stream and keeps the memory.
    pub(crate) fn reset(&mut self) {
        for template in &mut self.list {
            template.forget();
        }
        *self = Cache {
            list: core::mem::take(&mut self.list),
            ..Cache::new(self.is_enabled)
        };
    }

    /// Returns how many events were hits.
    pub(crate) fn hits(&self) -> u64 {
        self.hits
    }

    /// Returns true if an attempt is worth its cost at present.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        let has_builtin = !self.builtin.is_empty() && self.builtin_misses_left > 0;
        (self.len > 0 || has_builtin) && !self.budget.is_paused()
    }

    /// Matches the event at the start of `bytes` against the predicted template. Returns the event's
    /// length and its delta if it has only one, whose text can be borrowed from `bytes`. Otherwise
    /// returns what [`replay`](Self::replay) needs.
    #[inline]
    pub(crate) fn predict<'b>(
        &mut self,
        bytes: &'b [u8],
        context: Context<'_>,
    ) -> Result<(usize, Predicted<'b>), Attempt> {
        let template = self.list.get(self.predicted).ok_or(Attempt::Untried)?;
        let Some(hole) = template.only_text else {
            return Err(Attempt::Untried);
        };
        if !template.is_valid_for(context.version) {
            return Err(Attempt::Failed);
        }
        let len = match template.pattern().matches(bytes, &mut self.found) {
            Ok(len) => len,
            Err(cost) => {
                self.budget.charge(2 * cost);
                return Err(Attempt::Failed);
            }
        };
        let filling = self.found.get(usize::from(hole));
        let filling = filling.ok_or(Attempt::Failed)?;
        if filling.has_escapes
            || len - template.uncounted > context.limit
            || !template.is_repeated(bytes, &self.found)
        {
            return Err(Attempt::Matched(len));
        }
        let text = filling.of(bytes).unwrap_or_default();
        let text = short_to_str(text).ok_or(Attempt::Matched(len))?;
        let predicted = match template.piece {
            Some((kind, choice, part)) => Predicted::Piece {
                kind,
                choice,
                part,
                text,
            },
            None => {
                let delta = template.delta(bytes, context.progress, text);
                Predicted::Other(delta.ok_or(Attempt::Matched(len))?)
            }
        };
        self.on_hit(self.predicted, len);
        Ok((len, predicted))
    }

    /// Matches the event at the start of `bytes` against all templates, queues its deltas and returns
    /// its length.
    pub(crate) fn replay(
        &mut self,
        bytes: &[u8],
        attempt: Attempt,
        version: Version,
        limit: usize,
        progress: &mut Progress,
        queue: &mut Queue,
    ) -> Option<usize> {
        self.budget.charge(budget::ATTEMPT);
        let len = self.try_all(bytes, attempt, version, limit, progress, queue);
        // A miss may not be JSON, and then nothing is learnt that settles the budget.
        self.budget.settle();
        len
    }

    fn try_all(
        &mut self,
        bytes: &[u8],
        attempt: Attempt,
        version: Version,
        limit: usize,
        progress: &mut Progress,
        queue: &mut Queue,
    ) -> Option<usize> {
        let (at, len) = match attempt {
            Attempt::Matched(len) => (self.predicted, len),
            Attempt::Failed => match self.find(bytes, false, version) {
                Some(found) => found,
                None => self.try_builtin(bytes)?,
            },
            Attempt::Untried => match self.find(bytes, true, version) {
                Some(found) => found,
                None => self.try_builtin(bytes)?,
            },
        };
        let template = self.list.get(at)?;
        let is_usable =
            len - template.uncounted <= limit && template.is_repeated(bytes, &self.found);
        if !is_usable || !template.fill(bytes, &self.found, progress, queue) {
            self.budget.charge(budget::UNUSABLE_MATCH + len as i64);
            return None;
        }
        self.on_hit(at, len);
        Some(len)
    }

    /// Returns the first template that matches, the predicted one first, and the event's length.
    fn find(
        &mut self,
        bytes: &[u8],
        with_predicted: bool,
        version: Version,
    ) -> Option<(usize, usize)> {
        let predicted = self.predicted;
        let first = with_predicted.then_some(predicted);
        let others = (0..self.len).filter(|at| *at != predicted);
        for at in first.into_iter().chain(others) {
            let Some(template) = self.list.get(at) else {
                continue;
            };
            if at >= self.len || !template.is_valid_for(version) {
                continue;
            }
            match template.pattern().matches(bytes, &mut self.found) {
                Ok(len) => return Some((at, len)),
                Err(cost) => self.budget.charge(cost + cost / 2),
            }
        }
        None
    }

    /// Matches the built-in templates that are not installed yet, and installs the one that matches.
    /// Returns its position and the event's length.
    fn try_builtin(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        self.builtin_misses_left = self.builtin_misses_left.checked_sub(1)?;
        let list = self.list.get(..self.len)?;
        let installed = list
            .iter()
            .fold(0, |bits, template| bits | template.builtin);
        for (bit, builtin) in (0..u8::BITS).map(|n| 1 << n).zip(self.builtin) {
            if installed & bit != 0 {
                continue;
            }
            match builtin.pattern().matches(bytes, &mut self.found) {
                Ok(len) => {
                    self.builtin_misses_left = BUILTIN_MISS_LIMIT;
                    self.budget.charge(budget::STORE);
                    let at = self.place()?;
                    if self.list.get_mut(at)?.install(builtin, bit).is_err() {
                        self.vacate(at);
                        return None;
                    }
                    self.begin_at(at);
                    return Some((at, len));
                }
                Err(cost) => self.budget.charge(cost + cost / 2),
            }
        }
        None
    }

    /// Records a hit and updates the prediction for the next event.
    #[inline(always)]
    fn on_hit(&mut self, at: usize, len: usize) {
        if at != self.last || at != self.predicted {
            self.predict_after(at);
        }
        self.hits += 1;
        self.budget.on_hit(len);
    }

    /// Learns from an event that went the full path and whose deltas are in `queue`. An event that
    /// changed the state of the response is not learnt (`is_repeatable`).
    pub(crate) fn on_miss(
        &mut self,
        event: &Event<'_>,
        queue: &Queue,
        progress: &mut Progress,
        builtin: &'static [Builtin],
        is_repeatable: bool,
    ) {
        if !self.is_enabled {
            return;
        }
        self.builtin = builtin;
        self.budget.on_miss(event.raw.len());
        if self.budget.is_paused() || !is_repeatable {
            return;
        }
        let comes_once = queue.queued().is_empty() && event.raw.len() > MAX_SILENT_BYTES;
        if comes_once || event.raw.len() > MAX_EVENT_BYTES || !queue.is_repeatable() {
            return;
        }
        self.budget
            .charge(budget::LOOK + event.raw.len() as i64 / 3);
        if let Some(candidate) = Candidate::new(event, queue) {
            self.learn(&candidate, progress);
        }
    }

    /// Widens the template that differs from the candidate only in scalars, or adds a new one.
    fn learn(&mut self, candidate: &Candidate<'_>, progress: &mut Progress) -> Option<()> {
        for at in 0..self.len {
            let template = self.list.get_mut(at)?;
            if let Some(holes) = template.align(candidate, &self.budget) {
                if template.store(candidate, &holes, progress).is_ok() {
                    self.predict_after(at);
                }
                return Some(());
            }
        }
        let holes = candidate.first_holes(&self.budget)?;
        let at = self.place()?;
        self.budget.charge(budget::STORE);
        let template = self.list.get_mut(at)?;
        if template.store(candidate, &holes, progress).is_ok() {
            self.begin_at(at);
        } else {
            self.vacate(at);
        }
        Some(())
    }

    /// Returns a place for one more template.
    fn place(&mut self) -> Option<usize> {
        if self.len == MAX_TEMPLATES {
            return (0..self.len).find(|at| *at != self.last && *at != self.predicted);
        }
        if self.list.len() == self.len {
            self.list.try_reserve_exact(1).ok()?;
            self.list.push(Template::default());
        }
        self.len += 1;
        Some(self.len - 1)
    }

    /// Gives a new place back after its template ran out of memory. A place that holds another template
    /// keeps it.
    #[cold]
    fn vacate(&mut self, at: usize) {
        let is_new = self.list.get(at).is_some_and(Template::is_empty);
        if is_new && at + 1 == self.len {
            self.len = at;
        }
    }

    /// Makes a new template predict itself.
    fn begin_at(&mut self, at: usize) {
        if let Some(template) = self.list.get_mut(at) {
            template.next = at;
        }
        self.predict_after(at);
    }

    /// Records that the template's event came, and predicts the next one.
    #[inline(never)]
    fn predict_after(&mut self, at: usize) {
        if let Some(last) = self
            .list
            .get_mut(self.last)
            .filter(|_| self.last < self.len)
        {
            last.next = at;
        }
        self.last = at;
        self.predicted = self.list.get(at).map_or(0, |template| template.next);
    }
}
