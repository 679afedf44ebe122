//! Messages: of deltas, and of whole responses.

use core::ptr::null_mut;

use super::flat::{bytes, counts, counts_of_c, end_number, kind_number, no_error, reason_number};
use super::program::Lent;
use crate::oracles::whole;
use crate::twin::{Case, Dice};
use deltawire::capi::message::*;
use deltawire::capi::status::dw_status::{DW_ERR_ARGUMENT, DW_OK};
use deltawire::{Error, Message};

/// A whole response.
pub(super) fn check(case: &Case) {
    let mut c = null_mut();
    assert_eq!(c!(dw_message_new(&raw mut c)), DW_OK);
    for body in &case.streams {
        let mut dice = Dice::new(body);
        let body = match body.first() {
            Some(b'{' | b'[') => body.clone(),
            _ => whole::body(&mut dice),
        };
        let lent = Lent::new(&body);
        let mut error = no_error();
        let (data, len) = (lent.input.data, lent.input.len);
        let status = c!(dw_message_read(c, data, len, &raw mut error));
        drop(lent);
        match Message::from_response(&body) {
            Ok(message) => {
                assert_eq!(status, DW_OK);
                same(c, &message);
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

/// Holds a message in C's hands against one in Rust's.
pub(super) fn same(c: *const dw_message, message: &Message) {
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
