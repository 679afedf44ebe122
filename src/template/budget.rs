//! What templates may cost.
//!
//! Costs and savings are estimated in instructions. Hits refill the budget; failed matches and
//! learning drain it. Matching pauses when it is empty. So templates pay for themselves on every
//! stream, or are given up.

use core::cell::Cell;

/// The budget of a new stream.
const INITIAL: i64 = 14_800;
/// Hits do not refill the budget beyond this.
const MAX: i64 = 32_000;
const SAVED_BY_HIT: i64 = 1_000;
const SAVED_BY_BYTE: i64 = 3;
/// Matching resumes at this budget, which pays for learning an event and trying it: a part for each event
/// and one for each of its bytes.
const RESUME_AT: i64 = 3_000;
const RESUME_AT_BYTE: i64 = 6;
/// The share of a full interpretation that may go into templates. Interpreting an event takes some
/// 3,000 instructions and one or two a byte.
const SHARE_OF_MISS: i64 = 30;
const BYTES_PER_SHARE: i64 = 20;

/// The cost of an attempt, beside that of comparing bytes.
pub(super) const ATTEMPT: i64 = 150;
/// The cost of a match that cannot be used, beside that of its bytes.
pub(super) const UNUSABLE_MATCH: i64 = 800;
/// The cost of finding out whether an event can be learnt.
pub(super) const LOOK: i64 = 300;
/// The cost of storing a template, its memory included.
pub(super) const STORE: i64 = 700;

/// Estimated instruction budget.
pub(super) struct Budget {
    left: Cell<i64>,
    is_paused: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Budget {
            left: Cell::new(INITIAL),
            is_paused: false,
        }
    }

    /// Returns true while matching is not worth its cost.
    #[inline]
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Subtracts a cost.
    pub(super) fn charge(&self, cost: i64) {
        self.left.set(self.left.get() - cost);
    }

    /// Subtracts the cost of a learning step; `None` if the budget is empty now.
    pub(super) fn charge_step(&self, cost: i64) -> Option<()> {
        // Finding out what to do costs half as much as doing it.
        self.charge(cost + cost / 2);
        (self.left.get() > 0).then_some(())
    }

    /// Pauses matching if the budget is empty.
    pub(super) fn settle(&mut self) {
        self.is_paused = self.left.get() <= 0;
    }

    /// Adds what a hit saved.
    #[inline(always)]
    pub(super) fn on_hit(&mut self, len: usize) {
        let left = self.left.get();
        if left < MAX {
            self.left
                .set(left + SAVED_BY_HIT + SAVED_BY_BYTE * len as i64);
        }
    }

    /// Adds the share of a full interpretation. Pauses matching, or resumes it.
    pub(super) fn on_miss(&mut self, len: usize) {
        self.charge(-(SHARE_OF_MISS + len as i64 / BYTES_PER_SHARE));
        let enough = if self.is_paused {
            RESUME_AT + RESUME_AT_BYTE * len as i64
        } else {
            0
        };
        self.is_paused = self.left.get() <= enough;
    }
}
