//! Patterns and matching: the bytes that must be equal in an event, and the holes that may vary.

use core::ops::Range;

use super::MAX_HOLES;
use super::slot::{Filling, Slot, scan_cost};

/// A place that varies: a whole scalar, without the quotes of a string.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hole {
    /// The literal bytes before the hole, from the hole before on: a range of the pattern's bytes, at
    /// whose end the hole begins.
    pub(super) from: u32,
    pub(super) until: u32,
    pub(super) slot: Slot,
}

impl Hole {
    pub(super) const NONE: Hole = Hole {
        from: 0,
        until: 0,
        slot: Slot::Space,
    };

    #[inline]
    pub(super) fn literal(self) -> Range<usize> {
        self.from as usize..self.until as usize
    }
}

/// An event's bytes with holes in them.
#[derive(Clone, Copy)]
pub(super) struct Pattern<'t> {
    pub(super) event: &'t [u8],
    pub(super) holes: &'t [Hole],
    /// Where the literal bytes after the last hole begin.
    pub(super) from: usize,
}

/// The fillings of a pattern's holes in other bytes.
pub(super) type Found = [Filling; MAX_HOLES];

impl Pattern<'_> {
    /// Matches the event at the start of `bytes`. Returns its length, or the cost of seeing that it does
    /// not match.
    #[inline(always)]
    pub(super) fn matches(self, bytes: &[u8], found: &mut Found) -> Result<usize, i64> {
        let mut rest = bytes;
        let mut filled = 0;
        for (hole, filling) in self.holes.iter().zip(found.iter_mut()) {
            let literal = self.event.get(hole.literal()).unwrap_or_default();
            let Some(after) = rest.strip_prefix(literal) else {
                return Err(cost(bytes.len() - rest.len(), filled));
            };
            let start = bytes.len() - after.len();
            if let Some(skipped) = hole.slot.skip_plain(bytes, after) {
                filling.start = start as u32;
                filling.end = (bytes.len() - skipped.len()) as u32;
                filling.has_escapes = false;
                rest = skipped;
            } else {
                match hole.slot.scan(bytes, start) {
                    Ok(scanned) => *filling = scanned,
                    Err(end) => return Err(cost(start, filled) + scan_cost(start, end)),
                }
                rest = bytes.get(filling.end as usize..).unwrap_or_default();
            }
            filled += 1;
        }
        let pos = bytes.len() - rest.len();
        let len = self.event.len().saturating_sub(self.from);
        let end = pos + len;
        // Positions beyond 4 GiB do not fit into a `Filling`.
        let is_match = u32::try_from(end).is_ok()
            && bytes
                .get(..end)
                .is_some_and(|bytes| ends_with(bytes, self.event, len));
        if is_match {
            Ok(end)
        } else {
            Err(cost(pos, filled))
        }
    }
}

/// The cost of comparing bytes up to `pos` and of filling some holes.
#[cold]
fn cost(pos: usize, filled: i64) -> i64 {
    100 + pos as i64 + 60 * filled
}

/// Returns true if the last `len` bytes of both are equal. One word is enough for most events.
#[inline(always)]
fn ends_with(a: &[u8], b: &[u8], len: usize) -> bool {
    if len.wrapping_sub(1) < 8
        && let (Some((_, a)), Some((_, b))) = (a.split_last_chunk::<8>(), b.split_last_chunk::<8>())
    {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        return differing >> (64 - 8 * len) == 0;
    }
    let start = b.len().checked_sub(len);
    let end = start.and_then(|start| b.get(start..));
    end.is_some_and(|end| a.ends_with(end))
}
