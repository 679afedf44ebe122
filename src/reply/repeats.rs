//! What deltas already brought of a response whose later events repeat it.

use alloc::vec::Vec;

use super::limits::MAX_KNOWN;
use super::queue::Queue;
use crate::delta::TextKind;
use crate::fallible::{self, OutOfMemory};

/// The kinds of text in a Responses item. A reasoning item may have both a text and a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextPart {
    Text,
    Reasoning,
    Summary,
    Refusal,
}

impl TextPart {
    /// Returns the kind of its deltas.
    pub(crate) fn text_kind(self) -> TextKind {
        match self {
            TextPart::Text => TextKind::Text,
            TextPart::Reasoning | TextPart::Summary => TextKind::Reasoning,
            TextPart::Refusal => TextKind::Refusal,
        }
    }
}

/// A part: the item's index, the part's index in it, and its kind.
type Part = (i32, i32, TextPart);

/// The texts and arguments that deltas brought.
#[derive(Default)]
pub(crate) struct Repeats {
    parts: Vec<Part>,
    /// A checksum of each call's arguments, by the item's index.
    arguments: Vec<(i32, crc32fast::Hasher)>,
    /// An error was reported.
    pub(crate) has_error: bool,
}

impl Repeats {
    pub(crate) fn reset(&mut self) {
        self.parts.clear();
        self.arguments.clear();
        self.has_error = false;
    }

    /// Returns true if no delta brought text or arguments.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.arguments.is_empty()
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn contains(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Remembers a part.
    pub(crate) fn add(&mut self, part: Part, queue: &mut Queue) {
        if !self.contains(part) && push(&mut self.parts, part).is_err() {
            queue.set_out_of_memory();
        }
    }

    /// Returns the checksum of a call's arguments, or `None` if out of memory.
    pub(crate) fn sum_of(
        &mut self,
        item: i32,
        queue: &mut Queue,
    ) -> Option<&mut crc32fast::Hasher> {
        let known = self.arguments.iter().position(|(known, _)| *known == item);
        if known.is_none() && push(&mut self.arguments, (item, crc32fast::Hasher::new())).is_err() {
            queue.set_out_of_memory();
            return None;
        }
        let at = known.unwrap_or(self.arguments.len() - 1);
        self.arguments.get_mut(at).map(|(_, sum)| sum)
    }
}

/// Appends an item, after removing the oldest one of a full list.
fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), OutOfMemory> {
    if list.len() == MAX_KNOWN {
        list.remove(0);
    }
    fallible::push(list, item)
}
