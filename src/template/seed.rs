//! Templates that need not be learnt.

use super::scan::What;
use super::shape::{Hole, Shape};
use crate::dialect::note::Note;

/// No seed has more holes.
const MAX_HOLES: usize = 4;
/// What of it does not count against the event limit: its line end and its blank line.
pub(super) const TAIL: usize = b"\n\n".len();

/// An event that its senders always write alike: what it gives depends on nothing that is known of
/// the response, but for the call that its only note belongs to.
pub(crate) struct Seed {
    wire: &'static [u8],
    holes: [Hole; MAX_HOLES],
    len: usize,
    from: usize,
    note: Option<Note>,
}

impl Seed {
    /// `wire` is the event as it comes, its blank line included, with a mark for each hole: `$` for
    /// the text of the note, which is not empty, `@` for the index of its call, which has to be the
    /// first, `#` for a number that the dialect does not look at, `~` for spaces between tokens or
    /// none.
    pub(crate) const fn new(wire: &'static str, note: Option<Note>) -> Self {
        let mut seed = Seed {
            wire: wire.as_bytes(),
            holes: [Hole::NONE; MAX_HOLES],
            len: 0,
            from: 0,
            note,
        };
        let mut at = 0;
        while at < seed.wire.len() {
            let what = match seed.wire[at] {
                b'$' => Some(What::Text(0)),
                b'@' => Some(What::Call),
                b'#' => Some(What::Number),
                b'~' => Some(What::Space),
                _ => None,
            };
            if let Some(what) = what {
                seed.holes[seed.len] = Hole {
                    from: seed.from as u32,
                    until: at as u32,
                    what,
                };
                seed.len += 1;
                seed.from = at + 1;
            }
            at += 1;
        }
        seed
    }

    pub(super) fn shape(&self) -> Shape<'_> {
        Shape {
            wire: self.wire,
            holes: self.holes.get(..self.len).unwrap_or_default(),
            from: self.from,
        }
    }

    pub(super) fn notes(&self) -> &[Note] {
        self.note.as_slice()
    }
}
