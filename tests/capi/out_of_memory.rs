//! An allocator that fails at the k-th call, once or from there on, k = 1, 2, 3 …: through the C ABI a
//! call succeeds or says that there is no memory. Nothing crashes, leaks or changes what comes later.
//!
//! What ends the process where it finds no memory is documented to do so, and runs in processes of its
//! own here: simd-json, whose memory a thread has when it has read payloads as large; and all of the
//! transport.
#![allow(unsafe_code, reason = "a global allocator, and calls of what C calls")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::{null, null_mut};

use deltawire::capi::decoder::*;
use deltawire::capi::delta::{dw_delta, dw_delta_kind};
use deltawire::capi::message::*;
use deltawire::capi::parser::*;
use deltawire::capi::slice::{dw_input, dw_slice};
use deltawire::capi::status::dw_status;
use deltawire_test_support::decoding::streams;

/// When allocations fail, of one thread and while it is in a call of the library.
#[derive(Clone, Copy, PartialEq)]
enum Plan {
    Never,
    /// At the call of this number, from 1.
    Once(u64),
    /// From that call on.
    From(u64),
    /// Whatever would make it more than so many bytes.
    Above(isize),
}

thread_local! {
    static PLAN: Cell<Plan> = const { Cell::new(Plan::Never) };
    static IS_CALLED: Cell<bool> = const { Cell::new(false) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static REFUSED: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Failing;

/// Whether an allocation of so many bytes is granted. At the very end of a thread all are.
fn grant(size: usize) -> bool {
    if !IS_CALLED.try_with(Cell::get).unwrap_or(false) {
        return true;
    }
    let call = CALLS.get() + 1;
    CALLS.set(call);
    let is_granted = match PLAN.get() {
        Plan::Never => true,
        Plan::Once(k) => call != k,
        Plan::From(k) => call < k,
        Plan::Above(limit) => HELD.get() + size as isize <= limit,
    };
    REFUSED.set(REFUSED.get() + u64::from(!is_granted));
    is_granted
}

fn hold(bytes: isize) {
    if IS_CALLED.try_with(Cell::get).unwrap_or(false) {
        HELD.set(HELD.get() + bytes);
    }
}

// SAFETY: what is granted goes to the system's allocator as it came; null is an answer it may give.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !grant(layout.size()) {
            return null_mut();
        }
        hold(layout.size() as isize);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        // Both are there for a moment.
        if !grant(len) {
            return null_mut();
        }
        hold(len as isize - layout.size() as isize);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(ptr, layout, len) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        hold(-(layout.size() as isize));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// A call of the library, during which the plan holds.
fn call<R>(body: impl FnOnce() -> R) -> R {
    IS_CALLED.set(true);
    let result = body();
    IS_CALLED.set(false);
    result
}

/// Runs under a plan, and says whether any allocation was refused.
fn under<R>(plan: Plan, body: impl FnOnce() -> R) -> (R, bool) {
    PLAN.set(plan);
    CALLS.set(0);
    REFUSED.set(0);
    let result = body();
    PLAN.set(Plan::Never);
    (result, REFUSED.get() > 0)
}

fn bytes(slice: dw_slice) -> Vec<u8> {
    assert!(!slice.ptr.is_null());
    // SAFETY: the slice is read before the next call.
    unsafe { std::slice::from_raw_parts(slice.ptr, slice.len) }.to_vec()
}

/// How bytes are brought.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Input,
    Window,
    Batch,
}

/// What came of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
struct Outcome {
    /// Every delta or item, and every error of an event but those of memory.
    said: Vec<String>,
    /// The text, reasoning and arguments among them, as pieces.
    pieces: Vec<Vec<u8>>,
    /// What the message has.
    message: Vec<Vec<u8>>,
    end: u32,
    /// How often there was no memory.
    refusals: usize,
}

const OK: dw_status = dw_status::DW_OK;
const OUT_OF_MEMORY: dw_status = dw_status::DW_ERR_OUT_OF_MEMORY;

/// Notes a status that is no delta. Returns false where the input is used up.
fn note(outcome: &mut Outcome, status: dw_status) -> bool {
    if status == OUT_OF_MEMORY {
        outcome.refusals += 1;
    } else if status != OK {
        assert!((-19..=-10).contains(&(status as i32)), "{status:?}");
        outcome.said.push(format!("{status:?}"));
    }
    assert!(outcome.refusals < 10_000, "it does not get on");
    status != OK
}

fn note_delta(outcome: &mut Outcome, message: *mut dw_message, delta: &dw_delta) {
    let text = |slice| String::from_utf8_lossy(&bytes(slice)).into_owned();
    outcome.said.push(format!(
        "{} {} {} {} {} {:?} {:?}",
        delta.kind,
        delta.choice,
        delta.index,
        delta.flags,
        delta.finish_reason,
        [delta.id, delta.name, delta.model, delta.role, delta.code].map(text),
        [delta.text, delta.raw].map(text),
    ));
    let kinds = [
        dw_delta_kind::DW_DELTA_TEXT,
        dw_delta_kind::DW_DELTA_REASONING,
        dw_delta_kind::DW_DELTA_REFUSAL,
        dw_delta_kind::DW_DELTA_TOOL_CALL_ARGUMENTS,
    ];
    if kinds.iter().any(|kind| *kind as u32 == delta.kind) {
        outcome.pieces.push(bytes(delta.text));
    }
    // SAFETY: a message that was made, and a delta that is valid until the next call.
    let status = call(|| unsafe { dw_message_push(message, delta) });
    assert!(matches!(status, OK | OUT_OF_MEMORY), "{status:?}");
    outcome.refusals += usize::from(status == OUT_OF_MEMORY);
}

/// Reads a stream from C, puts a message together, asks it everything, and frees all.
fn read(stream: &[u8], size: usize, how: How) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut decoder, mut message) = (null_mut(), null_mut());
    // SAFETY: places for pointers.
    let status = call(|| unsafe { dw_decoder_new(null(), &mut decoder) });
    note(&mut outcome, status);
    // SAFETY: a place for a pointer.
    let status = call(|| unsafe { dw_message_new(&mut message) });
    note(&mut outcome, status);
    if outcome.refusals == 0 {
        read_with(decoder, message, stream, size, how, &mut outcome);
    }
    // SAFETY: null, or made above.
    call(|| unsafe { dw_decoder_free(decoder) });
    // SAFETY: the same.
    call(|| unsafe { dw_message_free(message) });
    outcome
}

fn read_with(
    decoder: *mut dw_decoder,
    message: *mut dw_message,
    stream: &[u8],
    size: usize,
    how: How,
    outcome: &mut Outcome,
) {
    // SAFETY: zeros are a delta of no kind.
    let mut deltas: [dw_delta; 4] = unsafe { std::mem::zeroed() };
    for chunk in stream.chunks(size) {
        let mut input = dw_input {
            data: chunk.as_ptr(),
            len: chunk.len(),
            pos: 0,
        };
        let mut given: *mut dw_input = &mut input;
        if how == How::Window {
            let (mut data, mut room) = (null_mut(), 0);
            // SAFETY: a decoder that was made, and places for what it gives.
            let lent = call(|| unsafe { dw_decoder_window(decoder, size, &mut data, &mut room) });
            if note(outcome, lent) {
                continue;
            }
            // SAFETY: so much was lent, or more.
            unsafe { data.copy_from(chunk.as_ptr(), chunk.len()) };
            // SAFETY: a decoder that was made.
            let status = call(|| unsafe { dw_decoder_commit(decoder, chunk.len()) });
            assert_eq!(status, OK);
            given = null_mut();
        }
        loop {
            let mut count = 0;
            let status = call(|| {
                if how == How::Batch {
                    // SAFETY: there is room for so many deltas.
                    unsafe {
                        let room = deltas.len();
                        dw_decoder_next_batch(decoder, given, deltas.as_mut_ptr(), room, &mut count)
                    }
                } else {
                    count = 1;
                    // SAFETY: there is room for a delta.
                    unsafe { dw_decoder_next(decoder, given, deltas.as_mut_ptr()) }
                }
            });
            if status == dw_status::DW_DELTA {
                for delta in &deltas[..count] {
                    note_delta(outcome, message, delta);
                }
            } else if !note(outcome, status) {
                break;
            }
        }
        assert!(given.is_null() || input.pos == input.len);
    }
    loop {
        // SAFETY: a decoder that was made, and room for a delta.
        let status = call(|| unsafe { dw_decoder_finish(decoder, deltas.as_mut_ptr()) });
        if status == dw_status::DW_DELTA {
            note_delta(outcome, message, &deltas[0]);
        } else if !note(outcome, status) {
            break;
        }
    }
    // SAFETY: both were made.
    outcome.end = call(|| unsafe { dw_decoder_end(decoder) });
    ask(message, outcome);
}

/// All that a message tells.
fn ask(message: *mut dw_message, outcome: &mut Outcome) {
    // SAFETY: zeros are an info, a choice and a call of which nothing is known.
    let (mut info, mut choice, mut tool): (dw_message_info, dw_choice, dw_tool_call) =
        unsafe { std::mem::zeroed() };
    // SAFETY: a message that was made, and a place for what it tells.
    assert_eq!(call(|| unsafe { dw_message_get(message, &mut info) }), OK);
    for slice in [
        info.id,
        info.model,
        info.role,
        info.error_code,
        info.error_message,
    ] {
        outcome.message.push(bytes(slice));
    }
    for at in 0..info.choices {
        // SAFETY: the same.
        let status = call(|| unsafe { dw_message_choice(message, at, &mut choice) });
        assert_eq!(status, OK);
        for slice in [
            choice.text,
            choice.reasoning,
            choice.refusal,
            choice.finish_raw,
        ] {
            outcome.message.push(bytes(slice));
        }
    }
    for at in 0..info.tool_calls {
        // SAFETY: the same.
        let status = call(|| unsafe { dw_message_tool_call(message, at, &mut tool) });
        if note(outcome, status) {
            continue;
        }
        for slice in [tool.id, tool.name, tool.arguments] {
            outcome.message.push(bytes(slice));
        }
    }
}

/// The framing alone, which is told to deliver what the end cuts off.
fn frame(stream: &[u8], size: usize) -> Outcome {
    let mut outcome = Outcome::default();
    // SAFETY: zeros are the options' defaults, but for what is set.
    let mut options: dw_parser_options = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<dw_parser_options>() as u32;
    options.eof = 2;
    let mut parser = null_mut();
    // SAFETY: options with their size, and a place for a pointer.
    let made = call(|| unsafe { dw_parser_new(&options, &mut parser) });
    if note(&mut outcome, made) {
        return outcome;
    }
    // SAFETY: zeros are an item of no kind.
    let mut item: dw_item = unsafe { std::mem::zeroed() };
    let mut chunks = stream.chunks(size);
    let mut at_end = false;
    while !at_end {
        let chunk = chunks.next();
        at_end = chunk.is_none();
        let chunk = chunk.unwrap_or_default();
        let mut input = dw_input {
            data: chunk.as_ptr(),
            len: chunk.len(),
            pos: 0,
        };
        loop {
            let status = call(|| {
                if at_end {
                    // SAFETY: a parser that was made, and a place for an item.
                    unsafe { dw_parser_finish(parser, &mut item) }
                } else {
                    // SAFETY: the same, and an input whose bytes stay.
                    unsafe { dw_parser_next(parser, &mut input, &mut item) }
                }
            });
            if status == dw_status::DW_ITEM {
                let text = |slice| String::from_utf8_lossy(&bytes(slice)).into_owned();
                let fields = [item.event, item.data, item.name].map(text);
                outcome.said.push(format!("{} {fields:?}", item.kind));
                if item.kind == dw_item_kind::DW_ITEM_EVENT as u32 {
                    outcome.pieces.push(bytes(item.data));
                }
            } else if !note(&mut outcome, status) {
                break;
            }
        }
    }
    // SAFETY: a parser that was made.
    call(|| unsafe { dw_parser_free(parser) });
    outcome
}

/// Whether the items come in that order in `all`.
fn is_part_of<T: PartialEq>(some: &[T], all: &[T]) -> bool {
    let mut all = all.iter();
    some.iter().all(|one| all.any(|other| one == other))
}

/// Has every allocation of `run` fail, alone and with all behind it. Returns how many there were.
fn every_failure(name: &str, run: &dyn Fn() -> Outcome) -> u64 {
    // OpenAI's Responses repeat at the end what their deltas brought: what was lost comes then.
    let repeats = name.starts_with("responses");
    // Twice, so that what a thread keeps for its decoders is there.
    run();
    let free = run();
    assert_eq!(free.refusals, 0);
    let mut failures = 0;
    for plan in [Plan::Once, Plan::From] {
        for k in 1.. {
            let at = format!("{name}, allocation {k}");
            let held = HELD.get();
            let (outcome, is_refused) = under(plan(k), run);
            if !is_refused {
                assert_eq!(outcome, free, "{at}");
                break;
            }
            failures += 1;
            assert!(
                repeats || is_part_of(&outcome.pieces, &free.pieces),
                "{at}: {outcome:?}"
            );
            // What needs no memory may be had without: a template, or room that is only usual.
            if outcome.refusals == 0 {
                assert_eq!(outcome, free, "{at}");
            }
            assert_eq!(run(), free, "{at}: what comes later is another");
            // What is kept for the next decoder may have to be made again, and is no more than before.
            assert!(
                HELD.get() <= held.max(0) + 4096,
                "{at}: {held} {}",
                HELD.get()
            );
        }
    }
    failures
}

/// Makes simd-json's memory large enough for what follows, on this thread.
fn warm() {
    let events = "{\"a\":[1,\"\\n\"]},".repeat(2000);
    let stream = format!("data: {{\"choices\":[],\"x\":[{events}0]}}\n\n");
    assert!(stream.len() < 64 * 1024, "not asked for first");
    read(stream.as_bytes(), usize::MAX, How::Input);
}

#[test]
fn every_failed_allocation_of_a_decoder_is_an_error_or_no_matter() {
    warm();
    let (mut failures, mut runs) = (0, 0);
    for (n, stream) in streams().iter().enumerate() {
        if stream.input.len() > 1500 {
            continue;
        }
        for (size, how) in [
            (usize::MAX, How::Input),
            (7, How::Input),
            (64, How::Batch),
            (1, How::Window),
        ] {
            // All ways for some, one way for each.
            if !n.is_multiple_of(8) && !(n + how as usize).is_multiple_of(3) {
                continue;
            }
            let name = format!("{} in pieces of {size} by {how:?}", stream.name);
            let size = size.min(stream.input.len().max(1));
            failures += every_failure(&name, &|| read(&stream.input, size, how));
            runs += 1;
        }
    }
    println!("{failures} failures in {runs} readings");
    assert!(failures > 1000, "{failures}");
}

#[test]
fn every_failed_allocation_of_the_framing_is_an_error() {
    let stream = b"\xEF\xBB\xBFid: 1\ndata: first\r\n: comment\ndata: second\r\nevent: x\r\n\r\n\
        retry: 5\ndata: third\n\nid: a longer one\ndata\n\nfield: x\n\ndata: cut";
    let mut failures = 0;
    for size in [usize::MAX, 1, 2, 3, 7, 16] {
        let size = size.min(stream.len());
        let name = format!("in pieces of {size}");
        failures += every_failure(&name, &|| frame(stream, size));
    }
    assert!(failures > 20, "{failures}");
}

/// Reads a whole response into a message that has had another one.
fn read_whole(body: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut message = null_mut();
    // SAFETY: a place for a pointer.
    let made = call(|| unsafe { dw_message_new(&mut message) });
    if note(&mut outcome, made) {
        return outcome;
    }
    // SAFETY: a message that was made, and bytes that stay.
    let status =
        call(|| unsafe { dw_message_read(message, body.as_ptr(), body.len(), null_mut()) });
    if status == dw_status::DW_ERR_NOT_A_RESPONSE {
        outcome.said.push(format!("{status:?}"));
    } else {
        note(&mut outcome, status);
    }
    ask(message, &mut outcome);
    // SAFETY: a message that was made.
    call(|| unsafe { dw_message_free(message) });
    outcome
}

#[test]
fn every_failed_allocation_of_a_whole_response_is_an_error() {
    warm();
    let bodies = [
        r#"{"id":"1","model":"m","choices":[{"message":{"role":"assistant","content":"Hi","reasoning":"so",
            "tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        r#"{"type":"message","id":"1","model":"m","role":"assistant","content":[{"type":"text","text":"Hi"},
            {"type":"tool_use","id":"t","name":"f","input":{"a":[1]}}],"stop_reason":"end_turn"}"#,
        r#"{"error":{"message":"no such model","code":404}}"#,
        r#"{"neither":"this","nor":"that"}"#,
    ];
    let mut failures = 0;
    for body in bodies {
        failures += every_failure(body, &|| read_whole(body.as_bytes()));
    }
    assert!(failures > 20, "{failures}");
}

/// An event of a megabyte under every limit on memory: simd-json, which would end the process, is
/// not given one for which there is too little.
#[test]
fn a_large_event_for_which_there_is_no_memory_is_an_error() {
    let piece = "{\"index\":0,\"delta\":{\"content\":\"a\"}},";
    let chunk = |pieces: usize| format!("data: {{\"choices\":[{}0]}}\n\n", piece.repeat(pieces));
    let dense = format!("data: [{}0]\n\n", "[],".repeat(300_000));
    for large in [chunk(30_000), dense] {
        let stream = format!("{}{large}{}", chunk(1), chunk(2));
        let (mut refused, mut read_all) = (0, 0);
        for limit in (1..400).map(|n| n * 256 * 1024) {
            // A thread of its own, which has no memory from before.
            let outcome = std::thread::scope(|scope| {
                let run = || {
                    under(Plan::Above(limit), || {
                        read(stream.as_bytes(), 65_536, How::Input)
                    })
                    .0
                };
                scope.spawn(run).join().expect("no panic")
            });
            if outcome.refusals == 0 {
                read_all += 1;
                // What the header says: 44 times the event.
                assert!(limit <= 44 * stream.len() as isize, "{limit}");
                if read_all == 3 {
                    println!("{} bytes are read in {limit}", stream.len());
                    break;
                }
            } else {
                refused += 1;
                // The events before and behind it are read, where there is memory for them.
                assert!(outcome.pieces.len() <= 30_003);
            }
        }
        assert!(refused > 5 && read_all == 3, "{refused} {read_all}");
    }
}
