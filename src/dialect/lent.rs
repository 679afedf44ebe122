//! Sinks on loan.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::{Deref, DerefMut};

use super::sink::Sink;
use crate::memory::{self, Held};

/// So many sinks wait for the next decoder of a thread, each with memory for events of this size.
const MAX_IDLE: usize = 4;
const MAX_IDLE_BYTES: usize = 4 * 1024 * 1024;

std::thread_local! {
    static IDLE: RefCell<Vec<Held<Sink>>> = const { RefCell::new(Vec::new()) };
}

static EMPTY: Sink = Sink::new();

/// A sink for as long as it holds something: decoders at rest, of which a gateway has thousands,
/// share the few that their thread needs at a time.
pub(crate) struct Lent(Option<Held<Sink>>);

impl Lent {
    pub(crate) const fn new() -> Self {
        Lent(None)
    }

    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// The sink; `None` where there is no memory for one.
    #[inline]
    pub(crate) fn hold(&mut self) -> Option<&mut Sink> {
        if self.0.is_none() {
            self.0 = idle();
        }
        self.0.as_deref_mut()
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
                // One that cannot be kept is made anew the next time.
                let _ = memory::push(&mut idle, sink);
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
        self.0
            .get_or_insert_with(|| idle().unwrap_or_else(|| memory::give_up(size_of::<Sink>())))
    }
}

/// One that waits, or a new one.
#[cold]
#[inline(never)]
fn idle() -> Option<Held<Sink>> {
    let idle = IDLE.try_with(|idle| idle.borrow_mut().pop());
    idle.ok().flatten().or_else(|| Held::new(Sink::new()))
}
