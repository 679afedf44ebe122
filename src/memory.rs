//! Memory that may not be had: what grows with the input says so, where `Box`, `Vec` and `String` end
//! the process.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::fmt;
use core::ops::{Deref, DerefMut};

/// A value on the heap: a `Box` whose making can fail.
pub(crate) struct Held<T>(Box<[T; 1]>);

impl<T> Held<T> {
    /// `None` where there is no memory for it.
    pub(crate) fn new(value: T) -> Option<Self> {
        let mut one = Vec::new();
        // Of exactly one, so the list becomes a box as it is.
        one.try_reserve_exact(1).ok()?;
        one.push(value);
        Box::try_from(one).ok().map(Held)
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        let [value] = &*self.0;
        value
    }
}

impl<T> DerefMut for Held<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        let [value] = &mut *self.0;
        value
    }
}

/// Adds an item. Returns false, and adds nothing, where there is no memory.
#[inline]
#[must_use = "false means that it was not added"]
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) -> bool {
    let is_had = list.len() < list.capacity() || list.try_reserve(1).is_ok();
    if is_had {
        list.push(item);
    }
    is_had
}

/// Adds items. Returns false, and adds nothing, where there is no memory.
#[inline]
#[must_use = "false means that they were not added"]
pub(crate) fn extend<T: Copy>(list: &mut Vec<T>, items: &[T]) -> bool {
    let has_room = list.capacity() - list.len() >= items.len();
    let is_had = has_room || list.try_reserve(items.len()).is_ok();
    if is_had {
        list.extend_from_slice(items);
    }
    is_had
}

/// Adds text. Returns false, and adds nothing, where there is no memory.
#[inline]
#[must_use = "false means that it was not added"]
pub(crate) fn push_str(text: &mut String, piece: &str) -> bool {
    // Asked here, since the call costs as much as the rest.
    let has_room = text.capacity() - text.len() >= piece.len();
    let is_had = has_room || text.try_reserve(piece.len()).is_ok();
    if is_had {
        text.push_str(piece);
    }
    is_had
}

/// A copy of text; `None` where there is no memory for it.
pub(crate) fn copy(text: &str) -> Option<String> {
    let mut copy = String::new();
    push_str(&mut copy, text).then_some(copy)
}

/// Bytes as text, with U+FFFD in the places that are no UTF-8; `None` where there is no memory for
/// that.
pub(crate) fn lossy(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let mut text = String::new();
    for piece in bytes.utf8_chunks() {
        let end = if piece.invalid().is_empty() {
            ""
        } else {
            "\u{FFFD}"
        };
        if !push_str(&mut text, piece.valid()) || !push_str(&mut text, end) {
            return None;
        }
    }
    Some(Cow::Owned(text))
}

/// Writes to text; where there is no memory writing fails.
pub(crate) struct Growing<'t>(pub(crate) &'t mut String);

impl fmt::Write for Growing<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if push_str(self.0, piece) {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// What `Vec` and `String` do where there is no memory for so many bytes.
#[cold]
pub(crate) fn give_up(bytes: usize) -> ! {
    let layout = Layout::array::<u8>(bytes).unwrap_or(Layout::new::<u8>());
    alloc::alloc::handle_alloc_error(layout)
}
