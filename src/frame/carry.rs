//! Where a framing keeps what a chunk's end cut off.

use core::ops::Range;

/// Memory for the part of an event that arrived in an earlier chunk.
///
/// Implemented by `Vec<u8>` (feature `alloc`), which grows as needed, and by [`Fixed`], which is a
/// piece of the caller's memory and never allocates.
pub trait Carry {
    /// The bytes kept.
    fn bytes(&self) -> &[u8];

    /// How many bytes are kept.
    #[inline]
    fn kept(&self) -> usize {
        self.bytes().len()
    }

    /// How many bytes it can ever hold.
    fn limit(&self) -> usize;

    /// Appends `bytes`. Returns false, and keeps what it had, where there is no room.
    #[must_use = "false means that the bytes were not kept"]
    fn push(&mut self, bytes: &[u8]) -> bool;

    /// Appends a copy of its own `range`. Returns false where there is no room or no such range.
    #[must_use = "false means that the bytes were not kept"]
    fn push_within(&mut self, range: Range<usize>) -> bool;

    /// Copies `range` to `dest`, which lies before it. The length stays. A range that is not there is
    /// not copied.
    fn copy_down(&mut self, range: Range<usize>, dest: usize);

    /// Drops what lies behind the first `len` bytes.
    fn truncate(&mut self, len: usize);
}

#[cfg(feature = "alloc")]
impl Carry for alloc::vec::Vec<u8> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn limit(&self) -> usize {
        usize::MAX
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> bool {
        // Grown by hand so that a refused allocation is an error of the event and no abort.
        if self.try_reserve(bytes.len()).is_err() {
            return false;
        }
        self.extend_from_slice(bytes);
        true
    }

    fn push_within(&mut self, range: Range<usize>) -> bool {
        if range.start > range.end || range.end > self.len() {
            return false;
        }
        if self.try_reserve(range.end - range.start).is_err() {
            return false;
        }
        self.extend_from_within(range);
        true
    }

    fn copy_down(&mut self, range: Range<usize>, dest: usize) {
        copy_down(self, range, dest);
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        alloc::vec::Vec::truncate(self, len);
    }
}

/// A carry in memory that the caller gives: no allocation, and its length is the limit.
///
/// The last event ID lives in it too, and so does the joined data of an event with several `data`
/// lines: an event fits where its own bytes, its joined data and the last event ID do together.
#[derive(Debug)]
pub struct Fixed<'m> {
    memory: &'m mut [u8],
    len: usize,
}

impl<'m> Fixed<'m> {
    /// A carry of `memory.len()` bytes.
    pub fn new(memory: &'m mut [u8]) -> Self {
        Fixed { memory, len: 0 }
    }
}

impl Carry for Fixed<'_> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }

    #[inline]
    fn kept(&self) -> usize {
        self.len
    }

    #[inline]
    fn limit(&self) -> usize {
        self.memory.len()
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> bool {
        let room = self.memory.get_mut(self.len..);
        let Some(room) = room.and_then(|room| room.get_mut(..bytes.len())) else {
            return false;
        };
        room.copy_from_slice(bytes);
        self.len += bytes.len();
        true
    }

    fn push_within(&mut self, range: Range<usize>) -> bool {
        let end = self.len.saturating_add(range.len());
        if range.start > range.end || range.end > self.len || end > self.memory.len() {
            return false;
        }
        self.memory.copy_within(range, self.len);
        self.len = end;
        true
    }

    fn copy_down(&mut self, range: Range<usize>, dest: usize) {
        if let Some(kept) = self.memory.get_mut(..self.len) {
            copy_down(kept, range, dest);
        }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

fn copy_down(bytes: &mut [u8], range: Range<usize>, dest: usize) {
    if range.start <= range.end && range.end <= bytes.len() && dest <= range.start {
        bytes.copy_within(range, dest);
    }
}
