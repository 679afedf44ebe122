//! A decoder: inputs, window and batches, misuse in between, and a message of what comes.

use core::ptr::{null, null_mut};

use super::flat::{Came, Flat, bytes, end_number, framing_number, named, no_delta, no_error};
use super::message::same;
use super::program::{Lent, Program};
use crate::oracles::streams::{bodies, options};
use crate::twin::Case;
use deltawire::capi::decoder::*;
use deltawire::capi::delta::dw_delta;
use deltawire::capi::message::*;
use deltawire::capi::names::dw_dialect_name;
use deltawire::capi::slice::{dw_input, dw_slice};
use deltawire::capi::status::dw_status::{DW_DELTA, DW_ERR_ARGUMENT, DW_ERR_ORDER, DW_OK};
use deltawire::frame::Eof;
use deltawire::{Decoder, Dialect, Message};

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

pub(super) fn check(case: &Case, flags: u8, mut program: Program<'_>) {
    let mut options = options(case);
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
        let mut calls = 0;
        while !rest.is_empty() || !self.window.is_empty() {
            // A program that brings no bytes has to come to an end too.
            calls += 1;
            let call = program.below(16);
            match if calls < 256 { call } else { 0 } {
                0..=7 if self.window.is_empty() => {
                    let (piece, behind) = rest.split_at(program.piece(rest.len()));
                    rest = behind;
                    let mut lent = Lent::new(piece);
                    self.pull(&mut lent.input, piece, program, usize::MAX);
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
                    self.window = self.pull(null_mut(), &window, program, most);
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

    /// Reads from an input, or from the window, until it is used up or at least `most` calls were made. Gives
    /// what is left.
    fn pull(
        &mut self,
        input: *mut dw_input,
        bytes: &[u8],
        program: &mut Program<'_>,
        most: usize,
    ) -> Vec<u8> {
        let mut rest = bytes;
        for call in 1.. {
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
            // Behind a batch there may be an error that it has met and not told yet.
            if call >= most && capacity == 0 {
                break;
            }
        }
        rest.to_vec()
    }

    /// What the next delta of C's has to be.
    fn expect(&mut self, rest: &mut &[u8]) -> Option<Came<Flat>> {
        match or_error(self.rust.next(rest)) {
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
        assert_eq!(bytes(&seen), rust.unrecognised_body());
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
            let expected = match or_error(self.rust.finish()) {
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
        same(self.c_message, &self.message);
        assert_eq!(c!(dw_decoder_reset(self.c)), DW_OK);
        self.rust.reset();
    }
}

/// What C sees as a status is a delta in Rust.
fn or_error(delta: Option<deltawire::Delta<'_>>) -> Result<Option<deltawire::Delta<'_>>, deltawire::Error> {
    match delta {
        Some(deltawire::Delta::Invalid { error, .. }) => Err(error),
        delta => Ok(delta),
    }
}
