//! Sinks on loan.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::{Deref, DerefMut};

use super::sink::Sink;

/// So many sinks wait for the next decoder of a thread, each with memory for events of this size.
const MAX_IDLE: usize = 4;
const MAX_IDLE_BYTES: usize = 4 * 1024 * 1024;

std::thread_local! {
    #[allow(clippy::vec_box, reason = "lent and given back as they are")]
    static IDLE: RefCell<Vec<Box<Sink>>> = const { RefCell::new(Vec::new()) };
}

static EMPTY: Sink = Sink::new();

/// A sink for as long as it holds something: decoders at rest, of which a gateway has thousands,
/// share the few that their thread needs at a time.
pub(crate) struct Lent(Option<Box<Sink>>);

impl Lent {
    pub(crate) const fn new() -> Self {
        Lent(None)
    }

    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// Gives the sink back. What it holds is lost.
    pub(crate) fn give_back(&mut self) {
        let Some(mut sink) = self.0.take() else {
            return;
        };
        sink.clear();
        if sink.capacity() > MAX_IDLE_BYTES {
            return;
        }
        // At the very end of a thread there is nobody left to lend it to.
        let _ = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            if idle.len() < MAX_IDLE {
                idle.push(sink);
            }
        });
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Deref for Lent {
    type Target = Sink;

    #[inline]
    fn deref(&self) -> &Sink {
        self.0.as_deref().unwrap_or(&EMPTY)
    }
}

impl DerefMut for Lent {
    #[inline]
    fn deref_mut(&mut self) -> &mut Sink {
        self.0.get_or_insert_with(idle)
    }
}

/// One that waits, or a new one.
#[cold]
#[inline(never)]
fn idle() -> Box<Sink> {
    let idle = IDLE.try_with(|idle| idle.borrow_mut().pop());
    idle.ok().flatten().unwrap_or_default()
}
