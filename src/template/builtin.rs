//! Templates that a dialect brings along.

use super::matching::{Hole, Pattern};
use super::slot::Slot;
use crate::reply::queued::Queued;

/// The most holes of a built-in template.
const MAX_HOLES: usize = 4;
/// The bytes at the end that do not count against the event limit: a line end and a blank line.
pub(super) const UNCOUNTED: usize = b"\n\n".len();

/// An event that all senders write alike. Its deltas do not depend on the state of the response, except
/// for the call that its only delta belongs to.
pub(crate) struct Builtin {
    event: &'static [u8],
    holes: [Hole; MAX_HOLES],
    len: usize,
    from: usize,
    delta: Option<Queued>,
}

impl Builtin {
    /// Makes a template of an event, its blank line included, with a mark for each hole: `$` for the
    /// text of the delta, which must not be empty; `@` for the index of its call, which must be the
    /// first hole; `%` for the index of its block, which must be the first hole; `#` for a number that the
    /// dialect ignores; `~` for any number of spaces between
    /// tokens.
    pub(crate) const fn new(event: &'static str, delta: Option<Queued>) -> Self {
        let mut builtin = Builtin {
            event: event.as_bytes(),
            holes: [Hole::NONE; MAX_HOLES],
            len: 0,
            from: 0,
            delta,
        };
        let mut at = 0;
        while at < builtin.event.len() {
            let slot = match builtin.event[at] {
                b'$' => Some(Slot::Text(0)),
                b'@' => Some(Slot::Call),
                b'%' => Some(Slot::Block),
                b'#' => Some(Slot::Number),
                b'~' => Some(Slot::Space),
                _ => None,
            };
            if let Some(slot) = slot {
                builtin.holes[builtin.len] = Hole {
                    from: builtin.from as u32,
                    until: at as u32,
                    slot,
                };
                builtin.len += 1;
                builtin.from = at + 1;
            }
            at += 1;
        }
        builtin
    }

    pub(super) fn pattern(&self) -> Pattern<'_> {
        Pattern {
            event: self.event,
            holes: self.holes.get(..self.len).unwrap_or_default(),
            from: self.from,
        }
    }

    pub(super) fn queued(&self) -> &[Queued] {
        self.delta.as_slice()
    }
}
