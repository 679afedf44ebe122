//! A parser, on the heap and in memory of the caller's.

use core::ptr::{null, null_mut};
use std::alloc::{Layout, alloc, dealloc};

use super::flat::{Came, FlatItem, bytes, framing_number, no_error};
use super::program::{Lent, Program};
use crate::oracles::streams::bodies;
use crate::twin::Case;
use deltawire::Dialect;
use deltawire::capi::parser::*;
use deltawire::capi::slice::dw_slice;
use deltawire::capi::status::dw_status::{DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ITEM, DW_OK};
use deltawire::frame::{self, Eof, Framing, Item};

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

pub(super) fn check(case: &Case, flags: u8, mut program: Program<'_>, memory: Option<usize>) {
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
