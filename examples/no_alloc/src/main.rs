//! Reads an event stream with no `std`, no allocator and 64 bytes of memory on the stack.
//!
//! Prints each event's data as a line; its exit status is 0 where the right ones came.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};
use core::panic::PanicInfo;

use deltawire::frame::{Error, Item, sse};

/// What a connection might have brought, cut where it hurts.
const CHUNKS: &[&[u8]] = &[
    b"\xEF\xBB",
    b"\xBFdata: hel",
    b"lo\r",
    b"\n\r\ndata: two\nda",
    b"ta: lines\n\n: ping\n\ndata: an event that is too large for the sixty-four bytes it is given",
    b"\n\ndata: bye\n\n",
];

const EXPECTED: [&[u8]; 3] = [b"hello", b"two\nlines", b"bye"];

unsafe extern "C" {
    safe fn abort() -> !;
    fn write(file: c_int, bytes: *const u8, len: usize) -> isize;
}

fn print(bytes: &[u8]) {
    for part in [bytes, b"\n"] {
        // SAFETY: the pointer and the length are those of a slice.
        unsafe { write(1, part.as_ptr(), part.len()) };
    }
}

#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    let mut memory = [0; 64];
    let mut parser = sse::Parser::in_memory(&mut memory);
    let (mut events, mut errors) = (0, 0);
    for chunk in CHUNKS {
        let mut input = *chunk;
        loop {
            match parser.next(&mut input) {
                Ok(Some(Item::Event(event))) => {
                    print(&event.data);
                    if EXPECTED.get(events) != Some(&&*event.data) {
                        return 1;
                    }
                    events += 1;
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(Error::EventTooLarge { limit: 64, .. }) => errors += 1,
                Err(_) => return 2,
            }
        }
    }
    c_int::from(events != EXPECTED.len() || errors != 1)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    abort()
}

/// What the prebuilt `core` refers to. Nothing unwinds here, so nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
