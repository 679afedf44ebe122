//! What has to match of an event, and matching it.

use core::ops::Range;

use super::MAX_HOLES;
use super::scan::{Filling, What, scan_cost};

/// A place that varies: a whole scalar, a string without its quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hole {
    /// What does not vary before it, from the hole before on: a range of the template's own bytes,
    /// at whose end the hole begins.
    pub(super) from: u32,
    pub(super) until: u32,
    pub(super) what: What,
}

impl Hole {
    pub(super) const NONE: Hole = Hole {
        from: 0,
        until: 0,
        what: What::Space,
    };

    #[inline]
    pub(super) fn literal(self) -> Range<usize> {
        self.from as usize..self.until as usize
    }
}

/// What has to match of a template or a seed.
#[derive(Clone, Copy)]
pub(super) struct Shape<'t> {
    pub(super) wire: &'t [u8],
    pub(super) holes: &'t [Hole],
    pub(super) from: usize,
}

/// Where the holes of a template are in other bytes.
pub(super) type Found = [Filling; MAX_HOLES];

impl Shape<'_> {
    /// How long the event is that `bytes` begin with, if that is this one; else what it took to see
    /// that it is not.
    pub(super) fn matches(self, bytes: &[u8], found: &mut Found) -> Result<usize, i64> {
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
}
