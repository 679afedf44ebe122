//! A list that gives its memory to the next stream.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::fallible::{self, OutOfMemory};

/// A list whose items stay behind when it is cleared, so that the strings in them serve again.
#[derive(Default)]
pub(crate) struct Pool<T> {
    items: Vec<T>,
    len: usize,
}

impl<T: Default> Pool<T> {
    /// Appends an item, which holds whatever an earlier stream left in it.
    pub(crate) fn push(&mut self) -> Result<&mut T, OutOfMemory> {
        if self.len == self.items.len() {
            // Most streams need one item.
            if self.items.is_empty() {
                let room = self.items.try_reserve_exact(1);
                room.map_err(|_| OutOfMemory)?;
            }
            fallible::push(&mut self.items, T::default())?;
        }
        self.len += 1;
        self.items.get_mut(self.len - 1).ok_or(OutOfMemory)
    }

    /// Moves the first item behind the others, to be written over.
    pub(crate) fn recycle(&mut self) -> Option<&mut T> {
        if self.len > 0 {
            self.rotate_left(1);
        }
        self.last_mut()
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

impl<T> Deref for Pool<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.items[..self.len]
    }
}

impl<T> DerefMut for Pool<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items[..self.len]
    }
}
