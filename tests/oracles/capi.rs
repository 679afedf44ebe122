//! The C ABI against the Rust API: a program of calls, drawn from the input, on the same bytes.
//!
//! The input is one byte that says what is called, one for its options, one that counts the calls, as
//! many bytes for these, and then what `twin::arbitrary` takes. The program is repeated until the
//! bytes are used up. Under AddressSanitizer it shows every slice that is longer or lives shorter
//! than the header says: inputs are copied to memory of exactly their size, which is overwritten and
//! freed as soon as the header allows it, and each slice is read again right before the call that
//! ends its life.
#![allow(unsafe_code, reason = "C's side of the border")]

use core::ptr::{null, null_mut};
use std::alloc::{Layout, alloc, dealloc};
use std::ffi::CStr;

use super::streams::bodies;
use crate::twin::{self, Case, Dice};
use deltawire::capi::decoder::*;
use deltawire::capi::delta::{dw_delta, dw_usage};
use deltawire::capi::message::*;
use deltawire::capi::names::dw_dialect_name;
use deltawire::capi::parser::*;
use deltawire::capi::slice::{dw_input, dw_slice};
use deltawire::capi::status::{dw_error, dw_status};
use deltawire::frame::{self, Eof, Framing, Item};
use deltawire::{Decoder, Delta, Dialect, End, Error, ErrorKind, FinishReason, Message, Usage};
use dw_status::{DW_DELTA, DW_ERR_ARGUMENT, DW_ERR_ORDER, DW_ERR_UNSUPPORTED, DW_ITEM, DW_OK};

/// A call as the header allows it: objects that were made and not freed, pointers to values of their
/// type or NULL where the case is about NULL, lengths that are those of what they belong to.
macro_rules! c {
    ($call:expr) => {{
        // SAFETY: see the macro.
        unsafe { $call }
    }};
}

pub fn check(input: &[u8]) {
    let [what, options, count, rest @ ..] = input else {
        return;
    };
    let (program, rest) = rest.split_at(usize::from(*count & 63).min(rest.len()));
    let case = twin::arbitrary(rest);
    let program = Program {
        bytes: program,
        at: 0,
    };
    match what & 3 {
        0 => decoder(&case, *options, program),
        1 => parser(&case, *options, program, None),
        2 => parser(&case, *options, program, Some(usize::from(*what >> 2) * 8)),
        _ => whole(&case),
    }
}

/// The calls, over and over.
struct Program<'p> {
    bytes: &'p [u8],
    at: usize,
}

impl Program<'_> {
    fn below(&mut self, n: usize) -> usize {
        let byte = self
            .bytes
            .get(self.at % self.bytes.len().max(1))
            .copied()
            .unwrap_or(0);
        self.at += 1;
        usize::from(byte) % n
    }

    /// How many of the bytes that are left come next.
    fn piece(&mut self, left: usize) -> usize {
        let len = match self.below(8) {
            0 => left,
            1 => self.below(3),
            2 => 256 * self.below(8),
            _ => self.below(64),
        };
        len.clamp(left.min(1), left)
    }
}

/// The caller's bytes, in memory of their own.
struct Lent {
    bytes: Box<[u8]>,
    input: dw_input,
}

impl Lent {
    fn new(bytes: &[u8]) -> Box<Lent> {
        let mut lent = Box::new(Lent {
            bytes: bytes.into(),
            input: dw_input {
                data: null(),
                len: bytes.len(),
                pos: 0,
            },
        });
        lent.input.data = lent.bytes.as_ptr();
        lent
    }

    /// What a caller may do once all is used.
    fn overwrite(mut self: Box<Self>) {
        assert_eq!(
            self.input.pos, self.input.len,
            "`DW_OK` means that all is used"
        );
        self.bytes.fill(0xAA);
    }
}

fn bytes(slice: &dw_slice) -> Vec<u8> {
    assert!(
        !slice.ptr.is_null(),
        "a slice that is handed out is never NULL"
    );
    // SAFETY: it is read before the next call, as long as the header says that it lives.
    unsafe { core::slice::from_raw_parts(slice.ptr, slice.len) }.to_vec()
}

fn named(name: *const core::ffi::c_char) -> String {
    // SAFETY: the library's names are static text.
    unsafe { CStr::from_ptr(name) }
        .to_string_lossy()
        .into_owned()
}

/// A delta with its slices read, as C has it.
#[derive(Debug, Clone, PartialEq, Default)]
struct Flat {
    kind: u32,
    choice: u32,
    index: i32,
    flags: u32,
    finish_reason: u32,
    error_kind: u32,
    /// Text, ID, name, model, role, code, raw.
    texts: [Vec<u8>; 7],
    usage: [Option<u64>; 6],
}

impl Flat {
    fn of_c(delta: &dw_delta) -> Flat {
        let it = delta;
        let texts = [
            &it.text, &it.id, &it.name, &it.model, &it.role, &it.code, &it.raw,
        ];
        assert_eq!(it.reserved, [0; 4]);
        Flat {
            kind: it.kind,
            choice: it.choice,
            index: it.index,
            flags: it.flags,
            finish_reason: it.finish_reason,
            error_kind: it.error_kind,
            texts: texts.map(bytes),
            usage: counts_of_c(&it.usage),
        }
    }

    /// The numbers are those of the header.
    fn of(delta: &Delta<'_>) -> Flat {
        let mut flat = Flat::default();
        let own = |text: &str| text.as_bytes().to_vec();
        flat.kind = match *delta {
            Delta::Start { id, model, role } => {
                (flat.texts[1], flat.texts[3], flat.texts[4]) = (own(id), own(model), own(role));
                1
            }
            Delta::Text { choice, text }
            | Delta::Reasoning { choice, text }
            | Delta::Refusal { choice, text } => {
                (flat.choice, flat.texts[0]) = (choice, own(text));
                match delta {
                    Delta::Text { .. } => 2,
                    Delta::Reasoning { .. } => 3,
                    _ => 4,
                }
            }
            Delta::ToolCallStart {
                choice,
                index,
                id,
                name,
            }
            | Delta::ServerToolCallStart {
                choice,
                index,
                id,
                name,
            } => {
                (flat.choice, flat.index) = (choice, index);
                (flat.texts[1], flat.texts[2]) = (own(id), own(name));
                if matches!(delta, Delta::ToolCallStart { .. }) {
                    5
                } else {
                    7
                }
            }
            Delta::ToolCallArguments {
                choice,
                index,
                fragment,
                whole,
            }
            | Delta::ServerToolCallArguments {
                choice,
                index,
                fragment,
                whole,
            } => {
                (flat.choice, flat.index, flat.flags) = (choice, index, u32::from(whole));
                flat.texts[0] = own(fragment);
                if matches!(delta, Delta::ToolCallArguments { .. }) {
                    6
                } else {
                    8
                }
            }
            Delta::Finish {
                choice,
                reason,
                raw,
            } => {
                (flat.choice, flat.texts[6]) = (choice, own(raw));
                flat.finish_reason = reason_number(reason);
                9
            }
            Delta::Usage(usage) => {
                flat.usage = counts(&usage);
                10
            }
            Delta::Error(error) => {
                flat.flags = if error.transient { 2 } else { 0 };
                flat.error_kind = kind_number(error.kind);
                (flat.texts[0], flat.texts[5]) = (own(error.message), own(error.code));
                flat.texts[6] = error.raw.to_vec();
                11
            }
            Delta::Other { event, raw } => {
                (flat.texts[2], flat.texts[6]) = (own(event), raw.to_vec());
                12
            }
            Delta::Done => 13,
            ref newer => panic!("a delta that the header does not have: {newer:?}"),
        };
        flat
    }
}

fn counts(usage: &Usage) -> [Option<u64>; 6] {
    usage.counts().map(|(_, count)| count)
}

fn counts_of_c(usage: &dw_usage) -> [Option<u64>; 6] {
    let it = usage;
    let counts = [
        it.input_tokens,
        it.output_tokens,
        it.total_tokens,
        it.cached_tokens,
        it.cache_creation_tokens,
        it.reasoning_tokens,
    ];
    let mut bit = 0;
    counts.map(|count| {
        bit += 1;
        let is_known = it.known >> (bit - 1) & 1 == 1;
        assert!(is_known || count == 0, "a count that is not known is zero");
        is_known.then_some(count)
    })
}

fn reason_number(reason: FinishReason) -> u32 {
    match reason {
        FinishReason::Stop => 1,
        FinishReason::Length => 2,
        FinishReason::ToolCalls => 3,
        FinishReason::ContentFilter => 4,
        FinishReason::Error => 5,
        _ => 6,
    }
}

fn kind_number(kind: ErrorKind) -> u32 {
    match kind {
        ErrorKind::Authentication => 1,
        ErrorKind::Permission => 2,
        ErrorKind::NotFound => 3,
        ErrorKind::RateLimit => 4,
        ErrorKind::Overloaded => 5,
        ErrorKind::ContextLength => 6,
        ErrorKind::InvalidRequest => 7,
        ErrorKind::ContentFilter => 8,
        ErrorKind::Timeout => 9,
        ErrorKind::Server => 10,
        _ => 11,
    }
}

fn end_number(end: Option<End>) -> u32 {
    match end {
        None => 0,
        Some(End::Complete) => 1,
        Some(End::Truncated) => 2,
        Some(_) => 3,
    }
}

fn framing_number(framing: Option<Framing>) -> u32 {
    match framing {
        None => 0,
        Some(Framing::Sse) => 1,
        Some(Framing::Ndjson) => 2,
        Some(_) => 3,
    }
}

/// What came of one event: a delta or an item, or an error's status, offset, place and words.
#[derive(Debug, Clone, PartialEq)]
enum Came<T> {
    One(T),
    Failed(i32, u64, u64, String),
}

impl<T> Came<T> {
    fn failed(error: &Error) -> Self {
        let (status, offset, at) = match *error {
            Error::Frame(frame::Error::OutOfMemory { offset }) => (-10, offset, 0),
            Error::Frame(frame::Error::EventTooLarge { offset, .. }) => (-11, offset, 0),
            Error::Frame(frame::Error::BadFrame { offset, .. }) => (-12, offset, 0),
            Error::NotJson { offset, at } => (-13, offset, at as u64),
            ref other => panic!("{other:?} of a stream"),
        };
        Came::Failed(status, offset, at, error.to_string())
    }

    fn of_c(status: dw_status, error: &dw_error) -> Self {
        assert_eq!(error.status, status as i32);
        let words = String::from_utf8(bytes(&error.message)).expect("words are text");
        Came::Failed(error.status, error.offset, error.at, words)
    }
}

fn no_error() -> dw_error {
    dw_error {
        status: 0,
        reserved0: 0,
        offset: 0,
        at: 0,
        message: dw_slice {
            ptr: null(),
            len: 0,
        },
        reserved: [0; 4],
    }
}

/// Room for a delta, with nothing in it that could pass for one.
fn no_delta() -> dw_delta {
    // SAFETY: numbers and raw pointers alone.
    unsafe { core::mem::zeroed() }
}

/// The decoder in C's hands, and what is expected of it.
struct Twins {
    c: *mut dw_decoder,
    rust: Decoder,
    c_message: *mut dw_message,
    message: Message,
    /// What was committed to the window and is not used yet.
    window: Vec<u8>,
}

impl Drop for Twins {
    fn drop(&mut self) {
        c!(dw_decoder_free(self.c));
        c!(dw_message_free(self.c_message));
    }
}

fn decoder(case: &Case, flags: u8, mut program: Program<'_>) {
    let mut options = super::streams::options(case);
    options.templates = flags & 1 == 0;
    let text_field = (flags & 2 != 0).then_some("content2");
    options.fields.text = text_field.map(String::from);
    let slice = |text: Option<&str>| dw_slice {
        ptr: text.map_or(null(), str::as_ptr),
        len: text.map_or(0, str::len),
    };
    let dialect = options.dialect.map_or(0, |dialect| {
        let name = dialect.as_str();
        (1..=15)
            .find(|number| named(dw_dialect_name(*number)) == name)
            .expect("a number")
    });
    let given = dw_decoder_options {
        struct_size: size_of::<dw_decoder_options>() as u32,
        dialect,
        framing: framing_number(options.framing),
        eof: if options.eof == Eof::Flush { 2 } else { 1 },
        flags: u32::from(flags & 1),
        reserved0: 0,
        // In C zero is the default.
        max_event_bytes: case.max_event_bytes.map_or(0, |max| max.max(1)),
        text_field: slice(text_field),
        reasoning_field: slice(None),
    };
    if let Some(max) = case.max_event_bytes {
        options.max_event_bytes = max.max(1);
    }
    let (mut c, mut c_message) = (null_mut(), null_mut());
    assert_eq!(c!(dw_decoder_new(&raw const given, &raw mut c)), DW_OK);
    assert_eq!(c!(dw_message_new(&raw mut c_message)), DW_OK);
    let mut twins = Twins {
        c,
        rust: Decoder::with_options(options),
        c_message,
        message: Message::new(),
        window: Vec::new(),
    };
    for body in bodies(case) {
        twins.stream(&body, &mut program);
    }
}

impl Twins {
    fn stream(&mut self, body: &[u8], program: &mut Program<'_>) {
        let mut rest = body;
        while !rest.is_empty() || !self.window.is_empty() {
            match program.below(16) {
                0..=7 if self.window.is_empty() => {
                    let (piece, behind) = rest.split_at(program.piece(rest.len()));
                    rest = behind;
                    let mut lent = Lent::new(piece);
                    self.pull(&mut lent.input, piece.to_vec(), program, usize::MAX);
                    lent.overwrite();
                }
                8..=11 => {
                    let (piece, behind) = rest.split_at(program.piece(rest.len()));
                    rest = behind;
                    self.fill(piece, program);
                }
                12 => self.misuse(),
                13 if program.below(64) == 1 => {
                    assert_eq!(c!(dw_decoder_reset(self.c)), DW_OK);
                    self.rust.reset();
                    self.window.clear();
                }
                _ => {
                    let window = std::mem::take(&mut self.window);
                    let most = 1 + program.below(40);
                    self.window = self.pull(null_mut(), window, program, most);
                }
            }
            self.ask();
        }
        self.finish();
    }

    /// Writes to the window, perhaps in two goes, perhaps less than it lends.
    fn fill(&mut self, piece: &[u8], program: &mut Program<'_>) {
        for part in piece.chunks(piece.len().div_ceil(1 + program.below(2)).max(1)) {
            let (mut data, mut size) = (null_mut(), 0);
            let want = program.below(3) * part.len();
            assert_eq!(
                c!(dw_decoder_window(
                    self.c,
                    want,
                    &raw mut data,
                    &raw mut size
                )),
                DW_OK
            );
            assert!(size >= want, "as much as was wanted");
            assert_eq!(c!(dw_decoder_commit(self.c, size + 1)), DW_ERR_ARGUMENT);
            let mut part = part;
            while !part.is_empty() {
                let (now, later) = part.split_at(part.len().min(size));
                c!(data.copy_from_nonoverlapping(now.as_ptr(), now.len()));
                assert_eq!(c!(dw_decoder_commit(self.c, now.len())), DW_OK);
                self.window.extend_from_slice(now);
                part = later;
                let (data, size) = (&raw mut data, &raw mut size);
                assert_eq!(c!(dw_decoder_window(self.c, part.len(), data, size)), DW_OK);
            }
        }
    }

    /// Reads from an input, or from the window, until it is used up or `most` calls were made. Gives
    /// what is left.
    fn pull(
        &mut self,
        input: *mut dw_input,
        bytes: Vec<u8>,
        program: &mut Program<'_>,
        most: usize,
    ) -> Vec<u8> {
        let mut rest = &bytes[..];
        for _ in 0..most {
            let capacity = program.below(5);
            let mut came = Vec::new();
            let status = match capacity {
                0 => {
                    let mut delta = no_delta();
                    let status = c!(dw_decoder_next(self.c, input, &raw mut delta));
                    if status == DW_DELTA {
                        came.push(self.take(&delta));
                    }
                    status
                }
                capacity => {
                    let mut deltas = vec![no_delta(); capacity];
                    let mut count = usize::MAX;
                    let status = c!(dw_decoder_next_batch(
                        self.c,
                        input,
                        deltas.as_mut_ptr(),
                        capacity,
                        &raw mut count
                    ));
                    assert_eq!(count > 0, status == DW_DELTA, "{count} deltas, {status:?}");
                    for delta in &deltas[..count] {
                        came.push(self.take(delta));
                    }
                    status
                }
            };
            if (status as i32) < 0 {
                let mut error = no_error();
                assert_eq!(c!(dw_decoder_error(self.c, &raw mut error)), DW_OK);
                came.push(Came::of_c(status, &error));
            }
            for came in came {
                // An error behind deltas is met with them and told by the next call.
                assert_eq!(Some(came), self.expect(&mut rest));
            }
            if status == DW_OK {
                assert_eq!(self.expect(&mut rest), None);
                return Vec::new();
            }
        }
        rest.to_vec()
    }

    /// What the next delta of C's has to be.
    fn expect(&mut self, rest: &mut &[u8]) -> Option<Came<Flat>> {
        match self.rust.next(rest) {
            Ok(Some(delta)) => {
                self.message.push(&delta);
                Some(Came::One(Flat::of(&delta)))
            }
            Ok(None) => None,
            Err(error) => Some(Came::failed(&error)),
        }
    }

    /// Reads a delta, hands it on, and reads it again.
    fn take(&mut self, delta: &dw_delta) -> Came<Flat> {
        let flat = Flat::of_c(delta);
        assert_eq!(c!(dw_message_push(self.c_message, delta)), DW_OK);
        c!(dw_decoder_offset(self.c));
        let mut error = no_error();
        assert_eq!(c!(dw_decoder_error(self.c, &raw mut error)), DW_OK);
        assert_eq!(
            Flat::of_c(delta),
            flat,
            "const calls end the life of no slice"
        );
        Came::One(flat)
    }

    /// Calls that do nothing.
    fn misuse(&mut self) {
        let mut delta = no_delta();
        let mut lent = Lent::new(b"data: x\n\n");
        let (c, input, out) = (self.c, &raw mut lent.input, &raw mut delta);
        assert_eq!(c!(dw_decoder_next(null_mut(), input, out)), DW_ERR_ARGUMENT);
        assert_eq!(c!(dw_decoder_next(c, input, null_mut())), DW_ERR_ARGUMENT);
        let mut count = 0;
        let none = c!(dw_decoder_next_batch(c, input, out, 0, &raw mut count));
        assert_eq!(none, DW_ERR_ARGUMENT);
        let large = usize::MAX / 2;
        let none = c!(dw_decoder_next_batch(c, input, out, large, &raw mut count));
        assert_eq!(none, DW_ERR_ARGUMENT);
        lent.input.pos = 100;
        if self.window.is_empty() {
            assert_eq!(c!(dw_decoder_next(c, input, out)), DW_ERR_ARGUMENT);
        } else {
            assert_eq!(c!(dw_decoder_next(c, input, out)), DW_ERR_ORDER);
            assert_eq!(c!(dw_decoder_finish(c, out)), DW_ERR_ORDER);
        }
        c!(dw_decoder_free(null_mut()));
    }

    /// What is known at any time.
    fn ask(&self) {
        let (c, rust) = (self.c, &self.rust);
        // A batch has read on to an error that it has not told yet.
        assert_eq!(c!(dw_decoder_end(c)), end_number(Some(rust.end())));
        let dialect = named(dw_dialect_name(c!(dw_decoder_dialect(c))));
        assert_eq!(dialect, rust.dialect().map_or("unknown", Dialect::as_str));
        assert_eq!(c!(dw_decoder_offset(c)), rust.offset());
        assert_eq!(c!(dw_decoder_events(c)), rust.events());
        let mut seen = dw_slice {
            ptr: null(),
            len: 0,
        };
        assert_eq!(c!(dw_decoder_seen(c, &raw mut seen)), DW_OK);
        assert_eq!(bytes(&seen), rust.seen());
    }

    fn finish(&mut self) {
        loop {
            let mut delta = no_delta();
            let status = c!(dw_decoder_finish(self.c, &raw mut delta));
            let came = match status {
                DW_DELTA => Some(self.take(&delta)),
                DW_OK => None,
                status => {
                    let mut error = no_error();
                    assert_eq!(c!(dw_decoder_error(self.c, &raw mut error)), DW_OK);
                    Some(Came::of_c(status, &error))
                }
            };
            let expected = match self.rust.finish() {
                Ok(Some(delta)) => {
                    self.message.push(&delta);
                    Some(Came::One(Flat::of(&delta)))
                }
                Ok(None) => None,
                Err(error) => Some(Came::failed(&error)),
            };
            assert_eq!(came, expected, "at the end");
            if came.is_none() {
                break;
            }
        }
        self.ask();
        let end = c!(dw_decoder_end(self.c));
        assert_eq!(c!(dw_message_finish(self.c_message, end)), DW_OK);
        self.message.finish(self.rust.end());
        same_message(self.c_message, &self.message);
        assert_eq!(c!(dw_decoder_reset(self.c)), DW_OK);
        self.rust.reset();
    }
}

fn same_message(c: *const dw_message, message: &Message) {
    // SAFETY: numbers and raw pointers alone.
    let mut info: dw_message_info = unsafe { core::mem::zeroed() };
    assert_eq!(c!(dw_message_get(c, &raw mut info)), DW_OK);
    let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
    assert_eq!(bytes(&info.id), text(&message.id));
    assert_eq!(bytes(&info.model), text(&message.model));
    assert_eq!(bytes(&info.role), text(&message.role));
    assert_eq!(counts_of_c(&info.usage), counts(&message.usage));
    assert_eq!(info.end, end_number(message.end));
    assert_eq!(info.is_complete, u32::from(message.is_complete()));
    let error = message.error.as_ref();
    assert_eq!(
        info.error_kind,
        error.map_or(0, |error| kind_number(error.kind))
    );
    assert_eq!(
        bytes(&info.error_message),
        error.map_or(&b""[..], |error| error.message.as_bytes())
    );
    assert_eq!(
        bytes(&info.error_code),
        error.map_or(&b""[..], |error| error.code.as_bytes())
    );
    assert_eq!(info.choices, message.choices.len());
    for (at, choice) in message.choices.iter().enumerate() {
        // SAFETY: numbers and raw pointers alone.
        let mut shown: dw_choice = unsafe { core::mem::zeroed() };
        assert_eq!(c!(dw_message_choice(c, at, &raw mut shown)), DW_OK);
        assert_eq!(shown.index, choice.index);
        assert_eq!(bytes(&shown.text), choice.text.as_bytes());
        assert_eq!(bytes(&shown.reasoning), choice.reasoning.as_bytes());
        assert_eq!(bytes(&shown.refusal), choice.refusal.as_bytes());
        let finish = choice.finish.as_ref();
        assert_eq!(
            shown.finish_reason,
            finish.map_or(0, |it| reason_number(it.reason))
        );
        assert_eq!(
            bytes(&shown.finish_raw),
            finish.map_or(&b""[..], |it| it.raw.as_bytes())
        );
    }
    let server = message.server_tool_calls();
    let calls = message.tool_calls();
    assert_eq!(
        (info.tool_calls, info.server_tool_calls),
        (calls.len(), server.len())
    );
    for (is_server, calls) in [(false, calls), (true, server)] {
        for (at, (choice, call)) in calls.into_iter().enumerate() {
            // SAFETY: numbers and raw pointers alone.
            let mut shown: dw_tool_call = unsafe { core::mem::zeroed() };
            let status = match is_server {
                false => c!(dw_message_tool_call(c, at, &raw mut shown)),
                true => c!(dw_message_server_tool_call(c, at, &raw mut shown)),
            };
            assert_eq!(status, DW_OK);
            assert_eq!((shown.choice, shown.index), (choice, call.index));
            assert_eq!(bytes(&shown.id), call.id.as_bytes());
            assert_eq!(bytes(&shown.name), call.name.as_bytes());
            assert_eq!(bytes(&shown.arguments), call.arguments.as_bytes());
        }
        let mut shown = core::mem::MaybeUninit::<dw_tool_call>::uninit();
        let none = c!(dw_message_tool_call(c, usize::MAX, shown.as_mut_ptr()));
        assert_eq!(none, DW_ERR_ARGUMENT);
    }
}

/// An item with its slices read.
#[derive(Debug, Clone, PartialEq)]
struct FlatItem {
    kind: u32,
    offset: u64,
    retry_ms: u64,
    /// Event, data, ID, name, raw.
    texts: [Vec<u8>; 5],
}

impl FlatItem {
    fn of_c(item: &dw_item) -> FlatItem {
        assert_eq!(item.reserved, [0; 4]);
        FlatItem {
            kind: item.kind,
            offset: item.offset,
            retry_ms: item.retry_ms,
            texts: [&item.event, &item.data, &item.id, &item.name, &item.raw].map(bytes),
        }
    }

    fn of(item: &Item<'_>) -> FlatItem {
        let mut flat = FlatItem {
            kind: 0,
            offset: 0,
            retry_ms: 0,
            texts: Default::default(),
        };
        flat.texts[4] = item.raw().to_vec();
        (flat.kind, flat.offset) = match item {
            Item::Event(it) => {
                flat.texts[0] = it.event.to_vec();
                flat.texts[1] = it.data.to_vec();
                flat.texts[2] = it.id.to_vec();
                (1, it.offset)
            }
            Item::Comment(it) => {
                flat.texts[1] = it.text.to_vec();
                (2, it.offset)
            }
            Item::Retry(it) => {
                flat.retry_ms = it.millis;
                (3, it.offset)
            }
            Item::Field(it) => {
                flat.texts[3] = it.name.to_vec();
                flat.texts[1] = it.value.to_vec();
                (4, it.offset)
            }
            Item::Blank(it) => {
                flat.texts[0] = it.event.to_vec();
                (5, it.offset)
            }
            Item::Exception(it) => {
                flat.texts[3] = it.name.to_vec();
                flat.texts[1] = it.data.to_vec();
                (6, it.offset)
            }
            other => panic!("an item that the header does not have: {other:?}"),
        };
        flat
    }
}

/// Memory of exactly this size for a parser that never allocates.
struct Place(*mut u8, Layout);

impl Place {
    fn new(room: usize) -> Place {
        let layout = Layout::from_size_align(dw_parser_size() + room, dw_parser_align());
        let layout = layout.expect("a layout");
        // SAFETY: it has a size that is not zero.
        let memory = unsafe { alloc(layout) };
        assert!(!memory.is_null());
        Place(memory, layout)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // SAFETY: from `alloc`, with this layout.
        unsafe { dealloc(self.0, self.1) };
    }
}

fn parser(case: &Case, flags: u8, mut program: Program<'_>, memory: Option<usize>) {
    let framing = match flags & 3 {
        1 => Framing::Ndjson,
        2 => Framing::EventStream,
        _ => Framing::Sse,
    };
    let options = dw_parser_options {
        struct_size: size_of::<dw_parser_options>() as u32,
        framing: framing_number(Some(framing)),
        eof: if case.eof == Eof::Flush { 2 } else { 1 },
        reserved0: 0,
        max_event_bytes: case.max_event_bytes.map_or(0, |max| max.max(1)),
    };
    let mut c = null_mut();
    let place = memory.map(Place::new);
    let mut carry = vec![0; memory.unwrap_or(0)];
    let max = case
        .max_event_bytes
        .map_or(frame::MAX_EVENT_BYTES, |max| max.max(1));
    let mut bodies = bodies(case);
    if let Some(at) = case
        .dialect
        .filter(|it| *it == Dialect::Bedrock)
        .and(Some(flags))
    {
        damage(&mut bodies, at);
    }
    match &place {
        None => {
            assert_eq!(c!(dw_parser_new(&raw const options, &raw mut c)), DW_OK);
            let mut rust = frame::Parser::new(framing);
            rust.set_max_event_bytes(max);
            parse(c, &mut rust, case.eof, &bodies, &mut program, true);
        }
        Some(Place(memory, layout)) => {
            let (memory, size) = (memory.cast(), layout.size());
            let small = dw_parser_size() - 1;
            let status = c!(dw_parser_init(
                memory,
                small,
                &raw const options,
                &raw mut c
            ));
            assert_eq!(status, DW_ERR_ARGUMENT);
            let status = c!(dw_parser_init(memory, size, &raw const options, &raw mut c));
            assert_eq!(status, DW_OK);
            let mut rust = frame::Parser::in_memory(framing, &mut carry);
            rust.set_max_event_bytes(max);
            parse(c, &mut rust, case.eof, &bodies, &mut program, false);
        }
    }
    c!(dw_parser_free(c));
}

fn damage(bodies: &mut [Vec<u8>], at: u8) {
    for body in bodies
        .iter_mut()
        .filter(|body| !body.is_empty() && at & 16 != 0)
    {
        let at = usize::from(at) % body.len();
        body[at] ^= 4;
    }
}

fn parse<C: frame::Carry>(
    c: *mut dw_parser,
    rust: &mut frame::Parser<C>,
    eof: Eof,
    bodies: &[Vec<u8>],
    program: &mut Program<'_>,
    has_window: bool,
) {
    let error_of = |status| {
        let mut error = no_error();
        assert_eq!(c!(dw_parser_error(c, &raw mut error)), DW_OK);
        Came::of_c(status, &error)
    };
    let read = |status, item: &dw_item| match status {
        DW_ITEM => {
            let flat = FlatItem::of_c(item);
            c!(dw_parser_is_mid_event(c));
            assert_eq!(
                FlatItem::of_c(item),
                flat,
                "const calls end the life of no slice"
            );
            Some(Came::One(flat))
        }
        DW_OK => None,
        status => Some(error_of(status)),
    };
    let expected = |result: Result<Option<Item<'_>>, frame::Error>| match result {
        Ok(item) => item.as_ref().map(|item| Came::One(FlatItem::of(item))),
        Err(error) => Some(Came::failed(&error.into())),
    };
    // SAFETY: numbers and raw pointers alone.
    let mut item: dw_item = unsafe { core::mem::zeroed() };
    for body in bodies {
        let mut rest = &body[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(program.piece(rest.len()));
            rest = behind;
            let mut input = piece;
            let is_window = has_window && program.below(3) == 1;
            let mut lent = Lent::new(if is_window { b"" } else { piece });
            let place = match is_window {
                true => {
                    let (mut data, mut size) = (null_mut(), 0);
                    let (data_at, size_at) = (&raw mut data, &raw mut size);
                    let status = c!(dw_parser_window(c, piece.len(), data_at, size_at));
                    assert_eq!(status, DW_OK);
                    c!(data.copy_from_nonoverlapping(piece.as_ptr(), piece.len()));
                    assert_eq!(c!(dw_parser_commit(c, piece.len())), DW_OK);
                    null_mut()
                }
                false => &raw mut lent.input,
            };
            loop {
                let status = c!(dw_parser_next(c, place, &raw mut item));
                let came = read(status, &item);
                assert_eq!(came, expected(rust.next(&mut input)));
                if came.is_none() {
                    break;
                }
            }
            lent.overwrite();
            if !has_window {
                let (mut data, mut size) = (null_mut(), 0);
                let status = c!(dw_parser_window(c, 1, &raw mut data, &raw mut size));
                assert_eq!(status, DW_ERR_UNSUPPORTED);
            }
            assert_eq!(c!(dw_parser_offset(c)), rust.offset());
            assert_eq!(
                c!(dw_parser_is_mid_event(c)),
                i32::from(rust.is_mid_event())
            );
            let mut id = dw_slice {
                ptr: null(),
                len: 0,
            };
            assert_eq!(c!(dw_parser_last_event_id(c, &raw mut id)), DW_OK);
            assert_eq!(bytes(&id), rust.last_event_id().to_vec());
        }
        loop {
            let status = c!(dw_parser_finish(c, &raw mut item));
            let came = read(status, &item);
            assert_eq!(came, expected(rust.finish(eof)), "at the end");
            if came.is_none() {
                break;
            }
        }
        match program.below(3) {
            0 => {
                assert_eq!(c!(dw_parser_reconnect(c)), DW_OK);
                rust.reconnect();
            }
            1 => {
                assert_eq!(c!(dw_parser_reset(c)), DW_OK);
                rust.reset();
            }
            _ => {
                assert_eq!(c!(dw_parser_reset(c)), DW_OK);
                rust.reset();
                let id = &body[..body.len().min(program.below(40))];
                let status = c!(dw_parser_set_last_event_id(c, id.as_ptr(), id.len()));
                assert_eq!(status == DW_OK, rust.set_last_event_id(id), "{status:?}");
            }
        }
    }
}

/// A whole response.
fn whole(case: &Case) {
    let mut c = null_mut();
    assert_eq!(c!(dw_message_new(&raw mut c)), DW_OK);
    for body in &case.streams {
        let mut dice = Dice::new(body);
        let body = match body.first() {
            Some(b'{' | b'[') => body.clone(),
            _ => super::whole::body(&mut dice),
        };
        let lent = Lent::new(&body);
        let mut error = no_error();
        let (data, len) = (lent.input.data, lent.input.len);
        let status = c!(dw_message_read(c, data, len, &raw mut error));
        drop(lent);
        match Message::from_response(&body) {
            Ok(message) => {
                assert_eq!(status, DW_OK);
                same_message(c, &message);
            }
            Err(Error::NotJson { at, .. }) => {
                assert_eq!((error.status, error.at), (-13, at as u64));
            }
            Err(what) => {
                assert_eq!(error.status, -5);
                assert_eq!(bytes(&error.message), what.to_string().into_bytes());
            }
        }
    }
    c!(dw_message_free(c));
}
