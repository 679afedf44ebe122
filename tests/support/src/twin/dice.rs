//! Decisions.

/// Decisions out of a string of bytes. Once it is used up, all of them are the first choice.
#[derive(Debug, Clone)]
pub struct Dice<'b> {
    bytes: &'b [u8],
}

impl<'b> Dice<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Dice { bytes }
    }

    pub fn is_used_up(&self) -> bool {
        self.bytes.is_empty()
    }

    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        usize::from(*first)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        let mut value = self.byte();
        if n > 256 {
            value = value << 8 | self.byte();
        }
        value % n.max(1)
    }

    /// True in one of `n` cases.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 1
    }

    pub(super) fn of<'a>(&mut self, list: &[&'a [u8]]) -> &'a [u8] {
        list[self.below(list.len())]
    }
}
