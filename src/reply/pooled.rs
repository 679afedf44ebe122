//! Queues in a pool: decoders at rest, of which a gateway has thousands, share the few that their
//! thread needs at a time.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Deref;

use super::queue::Queue;
use crate::fallible::{self, OutOfMemory, TryBox};

/// The most queues that a thread keeps for its decoders.
const MAX_POOLED: usize = 4;
/// Queues with more memory than this many bytes are not kept.
const MAX_POOLED_BYTES: usize = 4 * 1024 * 1024;

std::thread_local! {
    static POOL: RefCell<Vec<TryBox<Queue>>> = const { RefCell::new(Vec::new()) };
}

static EMPTY: Queue = Queue::new();

/// A queue that is taken from the pool when an event needs it and released when it is empty.
pub(crate) struct PooledQueue(Option<TryBox<Queue>>);

impl PooledQueue {
    pub(crate) const fn new() -> Self {
        PooledQueue(None)
    }

    /// Returns the queue, which is taken from the pool if necessary.
    #[inline]
    pub(crate) fn acquire(&mut self) -> Result<&mut Queue, OutOfMemory> {
        if self.0.is_none() {
            self.0 = Some(take()?);
        }
        self.0.as_deref_mut().ok_or(OutOfMemory)
    }

    /// Returns the queue if it was acquired.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut Queue> {
        self.0.as_deref_mut()
    }

    /// Returns the queue to the pool. Its contents are discarded.
    pub(crate) fn release(&mut self) {
        let Some(mut queue) = self.0.take() else {
            return;
        };
        queue.clear();
        if queue.capacity() > MAX_POOLED_BYTES {
            return;
        }
        // The pool is gone if the thread is about to end.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < MAX_POOLED {
                // A queue that does not fit in memory is freed instead.
                let _ = fallible::push(&mut pool, queue);
            }
        });
    }
}

impl Drop for PooledQueue {
    fn drop(&mut self) {
        self.release();
    }
}

impl Deref for PooledQueue {
    type Target = Queue;

    #[inline]
    fn deref(&self) -> &Queue {
        self.0.as_deref().unwrap_or(&EMPTY)
    }
}

/// Takes a queue from the pool, or makes one.
#[cold]
#[inline(never)]
fn take() -> Result<TryBox<Queue>, OutOfMemory> {
    let pooled = POOL.try_with(|pool| pool.borrow_mut().pop());
    match pooled.ok().flatten() {
        Some(queue) => Ok(queue),
        None => TryBox::new(Queue::new()),
    }
}
