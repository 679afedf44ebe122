//! What C is handed and what Rust gives, in values of one kind, so that they can be held against each
//! other.

use core::ptr::null;
use std::ffi::CStr;

use deltawire::capi::delta::{dw_delta, dw_usage};
use deltawire::capi::parser::dw_item;
use deltawire::capi::slice::dw_slice;
use deltawire::capi::status::{dw_error, dw_status};
use deltawire::frame::{self, Framing, Item};
use deltawire::{Delta, End, Error, ErrorKind, FinishReason, Usage};

pub(super) fn bytes(slice: &dw_slice) -> Vec<u8> {
    assert!(
        !slice.ptr.is_null(),
        "a slice that is handed out is never NULL"
    );
    // SAFETY: it is read before the next call, as long as the header says that it lives.
    unsafe { core::slice::from_raw_parts(slice.ptr, slice.len) }.to_vec()
}

pub(super) fn named(name: *const core::ffi::c_char) -> String {
    // SAFETY: the library's names are static text.
    unsafe { CStr::from_ptr(name) }
        .to_string_lossy()
        .into_owned()
}

/// A delta with its slices read, as C has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Flat {
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
    pub(super) fn of_c(delta: &dw_delta) -> Flat {
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
    pub(super) fn of(delta: &Delta<'_>) -> Flat {
        let mut flat = Flat::default();
        let own = |text: &str| text.as_bytes().to_vec();
        flat.kind = match *delta {
            Delta::Start { id, model, role } => {
                (flat.texts[1], flat.texts[3], flat.texts[4]) = (own(id), own(model), own(role));
                1
            }
            Delta::Text { choice, text, .. }
            | Delta::Reasoning { choice, text, .. }
            | Delta::Refusal { choice, text, .. } => {
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
                ..
            }
            | Delta::ServerToolCallStart {
                choice,
                index,
                id,
                name,
                ..
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
                ..
            }
            | Delta::ServerToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                ..
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
            // C has no kind for details yet: the value under its name.
            Delta::Detail { name, value, .. } => {
                (flat.texts[2], flat.texts[6]) = (own(name), own(value));
                12
            }
            Delta::Done => 13,
            ref newer => panic!("a delta that the header does not have: {newer:?}"),
        };
        flat
    }
}

/// An item with its slices read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FlatItem {
    kind: u32,
    offset: u64,
    retry_ms: u64,
    /// Event, data, ID, name, raw.
    texts: [Vec<u8>; 5],
}

impl FlatItem {
    pub(super) fn of_c(item: &dw_item) -> FlatItem {
        assert_eq!(item.reserved, [0; 4]);
        FlatItem {
            kind: item.kind,
            offset: item.offset,
            retry_ms: item.retry_ms,
            texts: [&item.event, &item.data, &item.id, &item.name, &item.raw].map(bytes),
        }
    }

    pub(super) fn of(item: &Item<'_>) -> FlatItem {
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

pub(super) fn counts(usage: &Usage) -> [Option<u64>; 6] {
    usage.counts().map(|(_, count)| count)
}

pub(super) fn counts_of_c(usage: &dw_usage) -> [Option<u64>; 6] {
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

pub(super) fn reason_number(reason: FinishReason) -> u32 {
    match reason {
        FinishReason::Stop => 1,
        FinishReason::Length => 2,
        FinishReason::ToolCalls => 3,
        FinishReason::ContentFilter => 4,
        FinishReason::Error => 5,
        _ => 6,
    }
}

pub(super) fn kind_number(kind: ErrorKind) -> u32 {
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

pub(super) fn end_number(end: Option<End>) -> u32 {
    match end {
        None => 0,
        Some(End::Complete) => 1,
        Some(End::Truncated) => 2,
        Some(_) => 3,
    }
}

pub(super) fn framing_number(framing: Option<Framing>) -> u32 {
    match framing {
        None => 0,
        Some(Framing::Sse) => 1,
        Some(Framing::Ndjson) => 2,
        Some(_) => 3,
    }
}

/// What came of one event: a delta or an item, or an error's status, offset, place and words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Came<T> {
    One(T),
    Failed(i32, u64, u64, String),
}

impl<T> Came<T> {
    pub(super) fn failed(error: &Error) -> Self {
        let (status, offset, at) = match *error {
            Error::Frame(frame::Error::OutOfMemory { offset }) => (-10, offset, 0),
            Error::Frame(frame::Error::EventTooLarge { offset, .. }) => (-11, offset, 0),
            Error::Frame(frame::Error::BadFrame { offset, .. }) => (-12, offset, 0),
            Error::NotJson { offset, at } => (-13, offset, at as u64),
            ref other => panic!("{other:?} of a stream"),
        };
        Came::Failed(status, offset, at, error.to_string())
    }

    pub(super) fn of_c(status: dw_status, error: &dw_error) -> Self {
        assert_eq!(error.status, status as i32);
        let words = String::from_utf8(bytes(&error.message)).expect("words are text");
        Came::Failed(error.status, error.offset, error.at, words)
    }
}

pub(super) fn no_error() -> dw_error {
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
pub(super) fn no_delta() -> dw_delta {
    // SAFETY: numbers and raw pointers alone.
    unsafe { core::mem::zeroed() }
}
