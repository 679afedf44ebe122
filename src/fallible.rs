//! Allocations that can fail: helpers that return [`OutOfMemory`] if `Box`, `Vec` and `String` would
//! abort the process.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::fmt;
use core::ops::{Deref, DerefMut};

/// The allocator has no memory for a value that must be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory")
    }
}

impl core::error::Error for OutOfMemory {}

/// A `Box` that is made by a fallible allocation.
pub(crate) struct TryBox<T>(Box<[T; 1]>);

impl<T> TryBox<T> {
    /// Moves a value to the heap.
    pub(crate) fn new(value: T) -> Result<Self, OutOfMemory> {
        let mut one = Vec::new();
        // The capacity is exactly one, so the conversion below does not reallocate.
        one.try_reserve_exact(1).map_err(|_| OutOfMemory)?;
        one.push(value);
        Box::try_from(one).map(TryBox).map_err(|_| OutOfMemory)
    }
}

impl<T> Deref for TryBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        let [value] = &*self.0;
        value
    }
}

impl<T> DerefMut for TryBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        let [value] = &mut *self.0;
        value
    }
}

/// Appends an item.
#[inline]
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), OutOfMemory> {
    if list.len() == list.capacity() {
        list.try_reserve(1).map_err(|_| OutOfMemory)?;
    }
    list.push(item);
    Ok(())
}

/// Appends items, or nothing at all.
#[inline]
pub(crate) fn extend<T: Copy>(list: &mut Vec<T>, items: &[T]) -> Result<(), OutOfMemory> {
    if list.capacity() - list.len() < items.len() {
        list.try_reserve(items.len()).map_err(|_| OutOfMemory)?;
    }
    list.extend_from_slice(items);
    Ok(())
}

/// Appends text, or nothing at all.
#[inline]
pub(crate) fn push_str(text: &mut String, piece: &str) -> Result<(), OutOfMemory> {
    // `try_reserve` makes the same check, but calling it costs as much as the append itself.
    if text.capacity() - text.len() < piece.len() {
        text.try_reserve(piece.len()).map_err(|_| OutOfMemory)?;
    }
    text.push_str(piece);
    Ok(())
}

/// Returns a copy of text.
pub(crate) fn copy(text: &str) -> Result<String, OutOfMemory> {
    let mut copy = String::new();
    push_str(&mut copy, text)?;
    Ok(copy)
}

/// Decodes bytes as UTF-8 and replaces each invalid sequence by U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> Result<Cow<'_, str>, OutOfMemory> {
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::new();
    for piece in bytes.utf8_chunks() {
        push_str(&mut text, piece.valid())?;
        if !piece.invalid().is_empty() {
            push_str(&mut text, "\u{FFFD}")?;
        }
    }
    Ok(Cow::Owned(text))
}

/// A writer that appends to a string and reports a failed allocation as an error.
pub(crate) struct TryWriter<'t>(pub(crate) &'t mut String);

impl fmt::Write for TryWriter<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        push_str(self.0, piece).map_err(|OutOfMemory| fmt::Error)
    }
}

/// Aborts as `Vec` and `String` do if an allocation of this many bytes fails.
#[cold]
pub(crate) fn give_up(bytes: usize) -> ! {
    let layout = Layout::array::<u8>(bytes).unwrap_or(Layout::new::<u8>());
    alloc::alloc::handle_alloc_error(layout)
}
