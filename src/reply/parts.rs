//! The numbers of a response's parts.

use alloc::vec::Vec;

use super::limits::MAX_KNOWN;
use crate::fallible::{self, OutOfMemory};

/// The kind of a part that is a content block, which templates look up by its index.
pub(crate) const BLOCK: u8 = 0x40;

/// What a dialect calls a part of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartKey {
    /// The kind of the part; each dialect has its own kinds.
    pub(crate) kind: u8,
    /// The index of the item, block or call.
    pub(crate) index: i32,
    /// The index within the item.
    pub(crate) inner: i32,
}

/// The parts of all choices, the latest last.
#[derive(Default)]
pub(crate) struct Parts {
    known: Vec<(u32, PartKey, u32)>,
}

impl PartKey {
    /// The key of a content block.
    pub(crate) fn block(index: i32) -> Self {
        PartKey {
            kind: BLOCK,
            index,
            inner: 0,
        }
    }
}

impl Parts {
    pub(crate) fn reset(&mut self) {
        self.known.clear();
    }

    /// Returns the number of a part that appeared before.
    #[inline]
    pub(crate) fn find(&self, choice: u32, key: PartKey) -> Option<u32> {
        let mut known = self.known.iter().rev();
        known
            .find(|(of, known, _)| *of == choice && *known == key)
            .map(|(_, _, number)| *number)
    }

    /// Returns true if a choice has parts.
    pub(crate) fn any(&self, choice: u32) -> bool {
        self.known.iter().any(|(of, _, _)| *of == choice)
    }

    /// Returns true if a choice has a part with this index whose kind is not `except`.
    pub(crate) fn any_of(&self, choice: u32, index: i32, except: u8) -> bool {
        let mut known = self.known.iter();
        known.any(|(of, key, _)| *of == choice && key.index == index && key.kind != except)
    }

    /// Returns the number of a part, which is the next one if the part is new.
    #[inline]
    pub(crate) fn number(&mut self, choice: u32, key: PartKey) -> Result<u32, OutOfMemory> {
        match self.find(choice, key) {
            Some(number) => Ok(number),
            None => self.add(choice, key),
        }
    }

    /// Appends a part, even if the key appeared before.
    #[cold]
    pub(crate) fn add(&mut self, choice: u32, key: PartKey) -> Result<u32, OutOfMemory> {
        let mut known = self.known.iter().rev();
        let last = known.find(|(of, _, _)| *of == choice);
        let number = last.map_or(0, |(_, _, number)| number + 1);
        self.make_room();
        fallible::push(&mut self.known, (choice, key, number))?;
        Ok(number)
    }

    /// Forgets the earliest part if there are too many. The latest are kept, and with them the highest
    /// number of each choice in use.
    fn make_room(&mut self) {
        if self.known.len() >= MAX_KNOWN {
            self.known.remove(0);
        }
    }

    /// Makes a second key mean the same part.
    pub(crate) fn alias(
        &mut self,
        choice: u32,
        key: PartKey,
        number: u32,
    ) -> Result<(), OutOfMemory> {
        self.make_room();
        // Before the latest part: a new part gets the number after that of the last entry.
        let at = self.known.len().saturating_sub(1);
        self.known.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.known.insert(at, (choice, key, number));
        Ok(())
    }
}
