//! A global allocator that counts calls and bytes for each thread, so that tests of one binary can run
//! beside each other. It sees nothing of what other threads do for the counting one.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what each thread holds, by way of the system's allocator.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn call() {
    // A thread that ends may allocate or free after its counters are gone.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

fn add(size: usize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + size as isize);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

fn sub(size: usize) {
    let _ = HELD.try_with(|held| held.set(held.get() - size as isize));
}

// SAFETY: every call is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        call();
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        call();
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        call();
        // The old and the new one may both be there for a moment.
        add(size);
        sub(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        call();
        sub(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Runs `work` and returns how often it called the allocator, frees included, and its result. Fails
/// if nothing is counted, since then every count would be 0.
pub fn count<T>(work: impl FnOnce() -> T) -> (usize, T) {
    assert_counts();
    let before = CALLS.get();
    let value = work();
    (CALLS.get() - before, value)
}

/// Runs `work` and returns how many bytes more are held after it than before, and its result.
pub fn held<T>(work: impl FnOnce() -> T) -> (usize, T) {
    assert_counts();
    let before = HELD.get();
    let value = work();
    ((HELD.get() - before).unsigned_abs(), value)
}

/// What `work` holds at most, in bytes more than there were before, and what it gives.
pub fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.get();
    PEAK.set(before);
    let value = work();
    ((PEAK.get() - before).unsigned_abs(), value)
}

/// Fails where nothing is counted, since then no limit would ever be exceeded.
pub fn assert_counts() {
    let (peak, _) = peak(|| std::hint::black_box(vec![1_u8; 100]));
    assert!(peak >= 100, "the counting allocator is not the global one");
}
