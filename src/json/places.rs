//! Where the arrays and objects of a checked text end.
//!
//! A payload is checked once, from its first byte to its last. Dialects then read it object by object, and
//! the places that were noted save searching for the end of every array and object again.

use core::cell::Cell;

use super::span::Span;

/// The most places that are noted. The ends of others are searched for.
const MAX_PLACES: usize = 40;

/// The first arrays and objects of one text, in the order in which they begin.
#[derive(Debug)]
pub(crate) struct Places {
    spans: [Cell<Span>; MAX_PLACES],
    len: Cell<usize>,
    /// Arrays and objects that are open and not noted.
    unnoted: Cell<u32>,
}

/// Takes notes while a text is checked.
pub(super) trait Note {
    fn open(&self, start: u32);
    fn close(&self, end: u32);
}

impl Note for () {
    #[inline(always)]
    fn open(&self, _: u32) {}
    #[inline(always)]
    fn close(&self, _: u32) {}
}

impl Places {
    #[inline]
    pub(crate) fn new() -> Self {
        Places {
            spans: [const { Cell::new(Span { start: 0, end: 0 }) }; MAX_PLACES],
            len: Cell::new(0),
            unnoted: Cell::new(0),
        }
    }

    /// Forgets an attempt that failed.
    pub(super) fn clear(&self) {
        self.len.set(0);
        self.unnoted.set(0);
    }

    /// Returns the end of the array or object that begins at `start`, if it was noted.
    #[inline]
    pub(super) fn end_of(&self, start: u32) -> Option<u32> {
        let spans = self.spans.get(..self.len.get())?;
        let at = spans.binary_search_by_key(&start, |span| span.get().start);
        let span = spans.get(at.ok()?)?.get();
        (span.end != 0).then_some(span.end)
    }
}

impl Note for Places {
    #[inline(always)]
    fn open(&self, start: u32) {
        let len = self.len.get();
        match self.spans.get(len) {
            Some(span) => {
                span.set(Span { start, end: 0 });
                self.len.set(len + 1);
            }
            None => self.unnoted.set(self.unnoted.get() + 1),
        }
    }

    #[inline(always)]
    fn close(&self, end: u32) {
        // The latest that is open closes first, and those that are not noted are the latest.
        if let Some(unnoted) = self.unnoted.get().checked_sub(1) {
            self.unnoted.set(unnoted);
            return;
        }
        let spans = self.spans.get(..self.len.get()).unwrap_or_default();
        if let Some(span) = spans.iter().rev().find(|span| span.get().end == 0) {
            span.set(Span { end, ..span.get() });
        }
    }
}
