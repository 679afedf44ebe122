//! Framing parser
//!
//! From bytes to events, without a look at what is in them. It gives events by the letter of HTML
//! section 9.2.6, and besides them comments, `retry` and the lines that the standard ignores, each
//! with its bytes as they came.
//!
//! ```c
//! /** The defaults: an event stream, events of up to 16 MiB, a cut event at the end is dropped. */
//! #define DW_PARSER_OPTIONS_INIT { sizeof(dw_parser_options), 0, 0, 0, 0 }
//! ```

use core::ops::Range;

use super::boundary::{Handle, ask, enter, give, run, show, show_error, take};
use super::names;
use super::options::{self, Options};
use super::slice::{bytes, dw_input, dw_slice};
use super::status::{Failure, dw_error, dw_status};
use super::window::Window;
use crate::frame::{self, Carry, Eof, Fixed, Framing, Item, MAX_EVENT_BYTES};

/// Reads one stream of events.
pub struct dw_parser {
    is_poisoned: bool,
    is_on_heap: bool,
    parser: frame::Parser<Memory>,
    eof: Eof,
    window: Window,
    failure: Failure,
}

/// The carry: on the heap, or in memory of the caller's.
enum Memory {
    Heap(Vec<u8>),
    Caller(Fixed<'static>),
}

impl Carry for Memory {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Memory::Heap(carry) => carry.as_slice(),
            Memory::Caller(carry) => carry.bytes(),
        }
    }

    #[inline]
    fn limit(&self) -> usize {
        match self {
            Memory::Heap(carry) => carry.limit(),
            Memory::Caller(carry) => carry.limit(),
        }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) -> bool {
        match self {
            Memory::Heap(carry) => Carry::push(carry, bytes),
            Memory::Caller(carry) => carry.push(bytes),
        }
    }

    fn push_within(&mut self, range: Range<usize>) -> bool {
        match self {
            Memory::Heap(carry) => carry.push_within(range),
            Memory::Caller(carry) => carry.push_within(range),
        }
    }

    fn copy_down(&mut self, range: Range<usize>, dest: usize) {
        match self {
            Memory::Heap(carry) => carry.copy_down(range, dest),
            Memory::Caller(carry) => carry.copy_down(range, dest),
        }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        match self {
            Memory::Heap(carry) => Carry::truncate(carry, len),
            Memory::Caller(carry) => carry.truncate(len),
        }
    }
}

impl Handle for dw_parser {
    #[inline]
    fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    fn poison(&mut self) {
        self.is_poisoned = true;
    }

    fn failure(&self) -> &Failure {
        &self.failure
    }
}

/// What a parser is told before it begins. Zeros are the defaults; `DW_PARSER_OPTIONS_INIT` sets
/// them and `struct_size`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_parser_options {
    /// `sizeof(dw_parser_options)`.
    pub struct_size: u32,
    /// A `dw_framing`.
    pub framing: u32,
    /// A `dw_eof`.
    pub eof: u32,
    /// Zero.
    pub reserved0: u32,
    /// The largest event that is accepted, in bytes; 0 stands for 16 MiB.
    pub max_event_bytes: usize,
}

// SAFETY: the struct has numbers alone, `struct_size` first.
unsafe impl Options for dw_parser_options {
    const DEFAULT: Self = dw_parser_options {
        struct_size: 0,
        framing: 0,
        eof: 0,
        reserved0: 0,
        max_event_bytes: 0,
    };
}

/// What an item is.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_item_kind {
    /// An event was dispatched: `event`, `data`, `id`.
    DW_ITEM_EVENT = 1,
    /// A comment line, as servers send to keep a connection alive: `data` is what follows the colon.
    DW_ITEM_COMMENT = 2,
    /// The server set the reconnection time: `retry_ms`.
    DW_ITEM_RETRY = 3,
    /// A line that an event stream ignores: `name` and `data`, what precedes and follows the colon.
    DW_ITEM_FIELD = 4,
    /// A blank line that ended a block without data: `event`.
    DW_ITEM_BLANK = 5,
    /// An AWS frame that reports an error: `name` and `data`, its type and its payload.
    DW_ITEM_EXCEPTION = 6,
}

/// One thing that a parser found. Fields that its kind does not name are empty or zero.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_item {
    /// A `dw_item_kind`.
    pub kind: u32,
    /// Zero.
    pub reserved0: u32,
    /// Where it begins, in bytes from the start of the stream.
    pub offset: u64,
    /// The reconnection time in milliseconds.
    pub retry_ms: u64,
    /// The event's type; "message" where the stream names none.
    pub event: dw_slice,
    /// The data, its lines joined by LF. Bytes as they came: they may not be UTF-8.
    pub data: dw_slice,
    /// The last event ID when the event was dispatched, which may be an earlier event's.
    pub id: dw_slice,
    /// The name of a field, or the type of an exception.
    pub name: dw_slice,
    /// The item's own bytes as they came, line ends included.
    pub raw: dw_slice,
    /// Zero.
    pub reserved: [u64; 4],
}

impl dw_item {
    fn of(item: &Item<'_>) -> Self {
        let mut shown = dw_item {
            kind: 0,
            reserved0: 0,
            offset: 0,
            retry_ms: 0,
            event: dw_slice::EMPTY,
            data: dw_slice::EMPTY,
            id: dw_slice::EMPTY,
            name: dw_slice::EMPTY,
            raw: dw_slice::of(item.raw()),
            reserved: [0; 4],
        };
        let (kind, offset) = match item {
            Item::Event(event) => {
                shown.event = dw_slice::of(&event.event);
                shown.data = dw_slice::of(&event.data);
                shown.id = dw_slice::of(&event.id);
                (dw_item_kind::DW_ITEM_EVENT, event.offset)
            }
            Item::Comment(comment) => {
                shown.data = dw_slice::of(&comment.text);
                (dw_item_kind::DW_ITEM_COMMENT, comment.offset)
            }
            Item::Retry(retry) => {
                shown.retry_ms = retry.millis;
                (dw_item_kind::DW_ITEM_RETRY, retry.offset)
            }
            Item::Field(field) => {
                shown.name = dw_slice::of(&field.name);
                shown.data = dw_slice::of(&field.value);
                (dw_item_kind::DW_ITEM_FIELD, field.offset)
            }
            Item::Blank(blank) => {
                shown.event = dw_slice::of(&blank.event);
                (dw_item_kind::DW_ITEM_BLANK, blank.offset)
            }
            Item::Exception(exception) => {
                shown.name = dw_slice::of(&exception.name);
                shown.data = dw_slice::of(&exception.data);
                (dw_item_kind::DW_ITEM_EXCEPTION, exception.offset)
            }
        };
        (shown.kind, shown.offset) = (kind as u32, offset);
        shown
    }
}

impl dw_parser {
    fn new(options: &dw_parser_options, memory: Memory) -> Result<Self, dw_status> {
        let framing = names::framing(options.framing).ok_or(dw_status::DW_ERR_ARGUMENT)?;
        let eof = names::eof(options.eof, Eof::Discard).ok_or(dw_status::DW_ERR_ARGUMENT)?;
        let is_on_heap = matches!(memory, Memory::Heap(_));
        let mut parser = frame::Parser::with_carry(framing.unwrap_or(Framing::Sse), memory);
        parser.set_max_event_bytes(match options.max_event_bytes {
            0 => MAX_EVENT_BYTES,
            max => max,
        });
        Ok(dw_parser {
            is_poisoned: false,
            is_on_heap,
            parser,
            eof,
            window: Window::default(),
            failure: Failure::NONE,
        })
    }
}

/// Makes a parser on the heap.
///
/// @param options  NULL for the defaults.
/// @param parser   Receives the parser, to be given to `dw_parser_free`. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_new(
    options: *const dw_parser_options,
    parser: *mut *mut dw_parser,
) -> dw_status {
    run(|| {
        if parser.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        // SAFETY: NULL, or options with their size, as the header demands.
        let options = unsafe { options::read(options) };
        let made = options.and_then(|options| dw_parser::new(&options, Memory::Heap(Vec::new())));
        let made = match made {
            Ok(made) => give(made),
            Err(status) => return status,
        };
        if made.is_null() {
            return dw_status::DW_ERR_OUT_OF_MEMORY;
        }
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { parser.write(made) };
        dw_status::DW_OK
    })
}

/// How much memory a parser itself takes, for `dw_parser_init`.
///
/// @return Bytes.
#[unsafe(no_mangle)]
pub extern "C" fn dw_parser_size() -> usize {
    size_of::<dw_parser>()
}

/// How the memory for `dw_parser_init` has to be aligned. Memory of `malloc` and of `max_align_t`
/// always is.
///
/// @return Bytes, a power of two.
#[unsafe(no_mangle)]
pub extern "C" fn dw_parser_align() -> usize {
    align_of::<dw_parser>()
}

/// Makes a parser in the caller's memory. It never allocates. What lies behind its own
/// `dw_parser_size()` bytes holds what the end of an input cuts off, so it is the limit of an event:
/// its lines and, where it has several `data` lines, their joined data, and the last event ID.
///
/// @param memory   Memory that the parser has to itself until `dw_parser_free`, or until it is used
///                 no more.
/// @param size     Size of `memory` in bytes, `dw_parser_size()` or more.
/// @param options  NULL for the defaults.
/// @param parser   Receives the parser, which lies in `memory`. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, also for memory that is too small or not aligned;
///         DW_ERR_UNSUPPORTED.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_init(
    memory: *mut core::ffi::c_void,
    size: usize,
    options: *const dw_parser_options,
    parser: *mut *mut dw_parser,
) -> dw_status {
    run(|| {
        let place = memory.cast::<dw_parser>();
        let Some(room) = size.checked_sub(dw_parser_size()) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        if parser.is_null()
            || place.is_null()
            || !place.is_aligned()
            || isize::try_from(size).is_err()
        {
            return dw_status::DW_ERR_ARGUMENT;
        }
        // SAFETY: NULL, or options with their size, as the header demands.
        let options = match unsafe { options::read(options) } {
            Ok(options) => options,
            Err(status) => return status,
        };
        // SAFETY: `memory` has `size` bytes, of which those of the parser are the first.
        let carry = unsafe { memory.cast::<u8>().add(dw_parser_size()) };
        // SAFETY: `room` bytes follow, and may be written.
        unsafe { carry.write_bytes(0, room) };
        // SAFETY: they were just written, they belong to the parser alone as long as it is used, and
        // are not part of the parser itself.
        let carry = unsafe { core::slice::from_raw_parts_mut(carry, room) };
        let made = match dw_parser::new(&options, Memory::Caller(Fixed::new(carry))) {
            Ok(made) => made,
            Err(status) => return status,
        };
        // SAFETY: aligned, large enough, and the parser's own.
        unsafe { place.write(made) };
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { parser.write(place) };
        dw_status::DW_OK
    })
}

/// Ends a parser and frees what it holds. Memory given to `dw_parser_init` is the caller's again.
///
/// @param parser  NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_parser_free(parser: *mut dw_parser) {
    // SAFETY: NULL, or a parser that was not freed.
    let is_on_heap = unsafe { parser.as_ref() }.is_some_and(|parser| parser.is_on_heap);
    if is_on_heap {
        // SAFETY: one on the heap came from `give`. One in the caller's memory holds nothing that
        // would have to be freed.
        unsafe { take(parser) };
    }
}

/// Reads the next item.
///
/// Valid until the next call on `parser` other than const ones, and while the bytes in `input` are
/// unchanged: the slices in `item`.
///
/// @param input  The caller's bytes; `pos` is advanced. NULL: what was committed to the window.
/// @param item   Written only on DW_ITEM.
/// @return DW_ITEM, or DW_OK where the input is used up; DW_ERR_EVENT_TOO_LARGE,
///         DW_ERR_OUT_OF_MEMORY, DW_ERR_BAD_FRAME for one event, after which to call on;
///         DW_ERR_ORDER for an input while the window is not used up; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_next(
    parser: *mut dw_parser,
    input: *mut dw_input,
    item: *mut dw_item,
) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |handle| {
        if item.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        let dw_parser {
            parser,
            window,
            failure,
            ..
        } = handle;
        let read = |rest: &mut &[u8]| match parser.next(rest) {
            Ok(Some(next)) => {
                // SAFETY: not NULL, so it points to an item that may be written.
                unsafe { item.write(dw_item::of(&next)) };
                dw_status::DW_ITEM
            }
            Ok(None) => dw_status::DW_OK,
            Err(error) => failure.note(&error.into()),
        };
        // SAFETY: NULL, or an input whose bytes stay as they are during the call.
        unsafe { window.feed(input, read) }
    })
}

/// Ends the stream: the items of what it left unfinished, one a call, then DW_OK. Without
/// DW_EOF_FLUSH there are none. Call `dw_parser_reset` or `dw_parser_reconnect` before the next
/// stream.
///
/// Valid until the next call on `parser` other than const ones: the slices in `item`.
///
/// @param item  Written only on DW_ITEM.
/// @return DW_ITEM, or DW_OK where there is nothing more; DW_ERR_OUT_OF_MEMORY for one event, after
///         which to call on; DW_ERR_ORDER while the window is not used up; DW_ERR_ARGUMENT,
///         DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_finish(parser: *mut dw_parser, item: *mut dw_item) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |parser| {
        if item.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        if !parser.window.is_empty() {
            return dw_status::DW_ERR_ORDER;
        }
        match parser.parser.finish(parser.eof) {
            Ok(Some(found)) => {
                // SAFETY: not NULL, so it points to an item that may be written.
                unsafe { item.write(dw_item::of(&found)) };
                dw_status::DW_ITEM
            }
            Ok(None) => dw_status::DW_OK,
            Err(error) => parser.failure.note(&error.into()),
        }
    })
}

/// Lends memory of the parser's to be filled, for runtimes whose own buffers move. Then call
/// `dw_parser_commit`, and `dw_parser_next` with NULL as input. What was committed and is not used
/// yet stays.
///
/// Valid until the next call on `parser` other than const ones: the memory.
///
/// @param want  How many bytes at least; 0 stands for 16 KiB.
/// @param data  Receives where to write to. Written only on DW_OK.
/// @param size  Receives how many bytes may be written there. Written only on DW_OK.
/// @return DW_OK; DW_ERR_OUT_OF_MEMORY; DW_ERR_UNSUPPORTED for a parser in the caller's memory;
///         DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_window(
    parser: *mut dw_parser,
    want: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |parser| {
        if !parser.is_on_heap {
            return dw_status::DW_ERR_UNSUPPORTED;
        }
        // SAFETY: NULL, or places that may be written.
        unsafe { parser.window.lend_to(want, data, size) }
    })
}

/// Takes over what was written to the window.
///
/// @param len  How many bytes, no more than `dw_parser_window` lent.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_commit(parser: *mut dw_parser, len: usize) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |parser| {
        parser.window.commit(len)
    })
}

/// Starts a new stream with nothing known. Options and memory are kept.
///
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_parser_reset(parser: *mut dw_parser) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |parser| {
        parser.parser.reset();
        parser.window.clear();
        parser.failure = Failure::NONE;
        dw_status::DW_OK
    })
}

/// Starts a new stream that goes on with the last event ID of the one before, as after a lost
/// connection. An unfinished event is dropped.
///
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_parser_reconnect(parser: *mut dw_parser) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |parser| {
        parser.parser.reconnect();
        parser.window.clear();
        parser.failure = Failure::NONE;
        dw_status::DW_OK
    })
}

/// Seeds the last event ID, as after a reconnect in another process.
///
/// @param id   `len` bytes, not NUL-terminated.
/// @param len  Length of `id` in bytes.
/// @return DW_OK; DW_ERR_ARGUMENT, also for an ID with a NUL, CR or LF, which no stream can set;
///         DW_ERR_ORDER in the middle of an event; DW_ERR_UNSUPPORTED for framings without IDs;
///         DW_ERR_OUT_OF_MEMORY; DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_set_last_event_id(
    parser: *mut dw_parser,
    id: *const u8,
    len: usize,
) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread uses meanwhile.
    enter(unsafe { parser.as_mut() }, |parser| {
        // SAFETY: `len` bytes are at `id`, and nobody writes to them during the call.
        match unsafe { bytes(id, len) } {
            None => dw_status::DW_ERR_ARGUMENT,
            Some(id) if memchr::memchr3(0, b'\r', b'\n', id).is_some() => {
                dw_status::DW_ERR_ARGUMENT
            }
            Some(_) if parser.parser.framing() != Framing::Sse => dw_status::DW_ERR_UNSUPPORTED,
            Some(_) if parser.parser.is_mid_event() => dw_status::DW_ERR_ORDER,
            Some(id) if parser.parser.set_last_event_id(id) => dw_status::DW_OK,
            Some(_) => dw_status::DW_ERR_OUT_OF_MEMORY,
        }
    })
}

/// The last event ID, as a client sends it when it reconnects; empty where none was set.
///
/// Valid until the next call on `parser` other than const ones: the slice in `id`.
///
/// @param id  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_last_event_id(
    parser: *const dw_parser,
    id: *mut dw_slice,
) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread changes meanwhile.
    let parser = unsafe { parser.as_ref() };
    let last = |parser: &dw_parser| Ok(dw_slice::of(&parser.parser.last_event_id()));
    // SAFETY: NULL, or a slice that may be written.
    unsafe { show(parser, id, last) }
}

/// How many bytes of the stream were used, those of an unfinished event among them.
///
/// @return Bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_parser_offset(parser: *const dw_parser) -> u64 {
    // SAFETY: NULL, or a parser that was not freed and that no other thread changes meanwhile.
    ask(unsafe { parser.as_ref() }, 0, |parser| {
        parser.parser.offset()
    })
}

/// Whether the bytes so far end inside an event.
///
/// @return 1 if so, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_parser_is_mid_event(parser: *const dw_parser) -> i32 {
    // SAFETY: NULL, or a parser that was not freed and that no other thread changes meanwhile.
    ask(unsafe { parser.as_ref() }, 0, |parser| {
        i32::from(parser.parser.is_mid_event())
    })
}

/// What failed last.
///
/// Valid until the next call on `parser` other than const ones: the message in `error`.
///
/// @param error  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_parser_error(
    parser: *const dw_parser,
    error: *mut dw_error,
) -> dw_status {
    // SAFETY: NULL, or a parser that was not freed and that no other thread changes meanwhile.
    let parser = unsafe { parser.as_ref() };
    // SAFETY: NULL, or an error that may be written.
    unsafe { show_error(parser, error) }
}
