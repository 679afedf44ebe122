//! Status
//!
//! Every call that can fail returns a `dw_status`. Above zero: the call produced something. Zero: the
//! call did all it could. Below zero: the call failed. From DW_ERR_OUT_OF_MEMORY down to -19, only one
//! event failed and the stream continues: call `next` again if DW_IS_EVENT_ERROR(status). Get the
//! details from the object with `dw_parser_error`, `dw_decoder_error` or `dw_stream_failure`; no error
//! is kept per thread.
//!
//! ```c
//! /** Whether only one event failed, so that the stream continues. */
//! #define DW_IS_EVENT_ERROR(status) ((status) <= -10 && (status) > -20)
//! ```

use core::ffi::{CStr, c_char};
use core::fmt::{self, Write};

use super::slice::dw_slice;
use crate::{Error, frame};

/// The result of a call. The numbers never change their meaning.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_status {
    /// Success. `next`: all input was read, pass more. `finish`: nothing is left.
    DW_OK = 0,
    /// A delta was written.
    DW_DELTA = 1,
    /// An item was written.
    DW_ITEM = 2,

    /// An argument is NULL, out of range or an unknown enumerator. The call had no effect.
    DW_ERR_ARGUMENT = -1,
    /// The function was called in the wrong order; see its description. The call had no effect.
    DW_ERR_ORDER = -2,
    /// This build of the library lacks the function or does not know the option.
    DW_ERR_UNSUPPORTED = -3,
    /// Internal error in the library. The handle can only be freed.
    DW_ERR_PANIC = -4,
    /// A non-streaming response is JSON, but not of a known provider.
    DW_ERR_NOT_A_RESPONSE = -5,

    /// Out of memory. `next` and `finish` skip the event and go on.
    DW_ERR_OUT_OF_MEMORY = -10,
    /// An event is larger than the limit and is skipped.
    DW_ERR_EVENT_TOO_LARGE = -11,
    /// A binary frame is damaged and is skipped. If its length is damaged, the rest of the stream is
    /// unreadable.
    DW_ERR_BAD_FRAME = -12,
    /// The payload of an event is not JSON. The next delta is the payload, as `DW_DELTA_OTHER`.
    DW_ERR_NOT_JSON = -13,

    /// The request is malformed: its URL, a header, certificates or a proxy.
    DW_ERR_REQUEST = -20,
    /// Could not connect to the server or its proxy. The server has not seen the request.
    DW_ERR_CONNECT = -21,
    /// TLS handshake failed: the certificate is untrusted, expired or for another host.
    DW_ERR_TLS = -22,
    /// Timed out waiting for data.
    DW_ERR_TIMEOUT = -23,
    /// The server returned an HTTP status other than 2xx.
    DW_ERR_STATUS = -24,
    /// The response is not an event stream (for example an HTML page).
    DW_ERR_CONTENT_TYPE = -25,
    /// The content encoding is unsupported, or the body is damaged.
    DW_ERR_ENCODING = -26,
    /// The redirect was not followed.
    DW_ERR_REDIRECT = -27,
    /// The response is not valid HTTP.
    DW_ERR_PROTOCOL = -28,
    /// The server closed the connection without a response.
    DW_ERR_CLOSED = -29,
    /// The connection was reset by the server or a host on the way.
    DW_ERR_RESET = -30,
    /// The body was truncated: it ended before its length, its last chunk or the end of TLS.
    DW_ERR_TRUNCATED = -31,
    /// A non-streaming response or the response headers are larger than the limit.
    DW_ERR_LIMIT = -32,
    /// `dw_stream_cancel` was called.
    DW_ERR_CANCELLED = -33,
    /// Another transport error.
    DW_ERR_TRANSPORT = -34,
}

/// Every status with its name and what it says. `dw_status` itself cannot be made of this table,
/// since the generator of the header does not see what macros make.
const STATUSES: &[(dw_status, &CStr, &CStr)] = &[
    (dw_status::DW_OK, c"DW_OK", c"done"),
    (dw_status::DW_DELTA, c"DW_DELTA", c"a delta was written"),
    (dw_status::DW_ITEM, c"DW_ITEM", c"an item was written"),
    (
        dw_status::DW_ERR_ARGUMENT,
        c"DW_ERR_ARGUMENT",
        c"an argument is NULL, out of range or an unknown value",
    ),
    (
        dw_status::DW_ERR_ORDER,
        c"DW_ERR_ORDER",
        c"the function was called in the wrong order",
    ),
    (
        dw_status::DW_ERR_UNSUPPORTED,
        c"DW_ERR_UNSUPPORTED",
        c"this build of the library does not support the call",
    ),
    (
        dw_status::DW_ERR_OUT_OF_MEMORY,
        c"DW_ERR_OUT_OF_MEMORY",
        c"out of memory",
    ),
    (
        dw_status::DW_ERR_PANIC,
        c"DW_ERR_PANIC",
        c"internal error; free the handle",
    ),
    (
        dw_status::DW_ERR_EVENT_TOO_LARGE,
        c"DW_ERR_EVENT_TOO_LARGE",
        c"an event was larger than the limit and was skipped",
    ),
    (
        dw_status::DW_ERR_BAD_FRAME,
        c"DW_ERR_BAD_FRAME",
        c"a binary frame was damaged",
    ),
    (
        dw_status::DW_ERR_NOT_JSON,
        c"DW_ERR_NOT_JSON",
        c"the payload of an event was not JSON",
    ),
    (
        dw_status::DW_ERR_NOT_A_RESPONSE,
        c"DW_ERR_NOT_A_RESPONSE",
        c"the body is JSON but not the response of a known provider",
    ),
    (
        dw_status::DW_ERR_REQUEST,
        c"DW_ERR_REQUEST",
        c"the request is malformed",
    ),
    (
        dw_status::DW_ERR_CONNECT,
        c"DW_ERR_CONNECT",
        c"could not connect to the server",
    ),
    (
        dw_status::DW_ERR_TLS,
        c"DW_ERR_TLS",
        c"TLS handshake failed",
    ),
    (
        dw_status::DW_ERR_TIMEOUT,
        c"DW_ERR_TIMEOUT",
        c"timed out waiting for data",
    ),
    (
        dw_status::DW_ERR_STATUS,
        c"DW_ERR_STATUS",
        c"the server returned an error status",
    ),
    (
        dw_status::DW_ERR_CONTENT_TYPE,
        c"DW_ERR_CONTENT_TYPE",
        c"the response is not an event stream",
    ),
    (
        dw_status::DW_ERR_ENCODING,
        c"DW_ERR_ENCODING",
        c"the content encoding is unsupported or the body is damaged",
    ),
    (
        dw_status::DW_ERR_REDIRECT,
        c"DW_ERR_REDIRECT",
        c"the redirect was not followed",
    ),
    (
        dw_status::DW_ERR_PROTOCOL,
        c"DW_ERR_PROTOCOL",
        c"the response is not valid HTTP",
    ),
    (
        dw_status::DW_ERR_CLOSED,
        c"DW_ERR_CLOSED",
        c"the server closed the connection without a response",
    ),
    (
        dw_status::DW_ERR_RESET,
        c"DW_ERR_RESET",
        c"the connection was reset",
    ),
    (
        dw_status::DW_ERR_TRUNCATED,
        c"DW_ERR_TRUNCATED",
        c"the response body was truncated",
    ),
    (
        dw_status::DW_ERR_LIMIT,
        c"DW_ERR_LIMIT",
        c"the response is larger than the limit",
    ),
    (
        dw_status::DW_ERR_CANCELLED,
        c"DW_ERR_CANCELLED",
        c"cancelled",
    ),
    (
        dw_status::DW_ERR_TRANSPORT,
        c"DW_ERR_TRANSPORT",
        c"the transport failed",
    ),
];

fn known(status: i32) -> Option<&'static (dw_status, &'static CStr, &'static CStr)> {
    STATUSES.iter().find(|(known, ..)| *known as i32 == status)
}

/// Returns the name of a status, such as "DW_ERR_NOT_JSON".
///
/// @param status  Any number; the name of an unknown status is "unknown".
/// @return Static text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn dw_status_name(status: i32) -> *const c_char {
    known(status)
        .map_or(c"unknown", |(_, name, _)| name)
        .as_ptr()
}

/// Returns a message for a status, to show to a person. It has no details of the case.
///
/// @param status  Any number.
/// @return Static text, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn dw_status_message(status: i32) -> *const c_char {
    known(status)
        .map_or(c"unknown status", |(.., message)| message)
        .as_ptr()
}

/// The details of the last call of `next` or `finish` that failed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_error {
    /// What failed, as that call returned it; `DW_OK` where none has failed.
    pub status: i32,
    /// Zero.
    pub reserved0: u32,
    /// Where the event begins, in bytes from the start of the stream.
    pub offset: u64,
    /// `DW_ERR_NOT_JSON`: how far into the payload it is JSON, in bytes. Else zero.
    pub at: u64,
    /// What to tell a person: the place and the limit are named.
    pub message: dw_slice,
    /// Zero.
    pub reserved: [u64; 4],
}

impl dw_error {
    const NONE: dw_error = dw_error {
        status: dw_status::DW_OK as i32,
        reserved0: 0,
        offset: 0,
        at: 0,
        message: dw_slice::EMPTY,
        reserved: [0; 4],
    };

    /// That of a handle which panicked.
    pub(super) const PANIC: dw_error = dw_error {
        status: dw_status::DW_ERR_PANIC as i32,
        message: dw_slice::of(b"internal error; free the handle"),
        ..dw_error::NONE
    };
}

/// What failed last, kept by a handle. It has room for the text of its own, since a parser in the
/// caller's memory may not allocate.
pub(super) struct Failure {
    status: dw_status,
    offset: u64,
    at: u64,
    text: Text,
}

/// The longest message has 84 bytes and two numbers of up to 20.
struct Text {
    bytes: [u8; 128],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.len.saturating_add(piece.len());
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(piece.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl dw_status {
    /// What an event or a whole response that could not be decoded is to C.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Frame(frame::Error::EventTooLarge { .. }) => dw_status::DW_ERR_EVENT_TOO_LARGE,
            Error::Frame(frame::Error::OutOfMemory { .. }) => dw_status::DW_ERR_OUT_OF_MEMORY,
            Error::Frame(frame::Error::BadFrame { .. }) => dw_status::DW_ERR_BAD_FRAME,
            Error::NotJson { .. } => dw_status::DW_ERR_NOT_JSON,
            Error::NotAResponse => dw_status::DW_ERR_NOT_A_RESPONSE,
        }
    }
}

impl Failure {
    pub(super) const NONE: Failure = Failure {
        status: dw_status::DW_OK,
        offset: 0,
        at: 0,
        text: Text {
            bytes: [0; 128],
            len: 0,
        },
    };

    /// Notes what failed, and gives its status.
    #[cold]
    pub(super) fn note(&mut self, error: &Error) -> dw_status {
        let (offset, at) = match *error {
            Error::Frame(
                frame::Error::EventTooLarge { offset, .. }
                | frame::Error::OutOfMemory { offset }
                | frame::Error::BadFrame { offset, .. },
            ) => (offset, 0),
            Error::NotJson { offset, at } => (offset, at as u64),
            Error::NotAResponse => (0, 0),
        };
        let status = dw_status::of(error);
        (self.status, self.offset, self.at) = (status, offset, at);
        self.text.len = 0;
        // What does not fit is cut; a test has the longest.
        let _ = write!(self.text, "{error}");
        status
    }

    /// What C is shown. The message borrows from here.
    pub(super) fn details(&self) -> dw_error {
        dw_error {
            status: self.status as i32,
            offset: self.offset,
            at: self.at,
            message: dw_slice::of(self.text.bytes.get(..self.text.len).unwrap_or_default()),
            ..dw_error::NONE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_own_name() {
        for (status, name, message) in STATUSES {
            assert_eq!(name.to_str().ok(), Some(&*format!("{status:?}")));
            assert!(!message.is_empty());
        }
    }

    #[test]
    fn the_longest_message_fits() {
        let longest = [
            Error::Frame(frame::Error::EventTooLarge {
                offset: u64::MAX,
                limit: usize::MAX,
            }),
            Error::Frame(frame::Error::BadFrame {
                offset: u64::MAX,
                what: frame::BadFrame::Length,
            }),
            Error::Frame(frame::Error::BadFrame {
                offset: u64::MAX,
                what: frame::BadFrame::Prelude,
            }),
            Error::NotJson {
                offset: u64::MAX,
                at: usize::MAX,
            },
            Error::NotAResponse,
        ];
        for error in longest {
            let mut failure = Failure::NONE;
            failure.note(&error);
            let text = failure.text.bytes.get(..failure.text.len);
            assert_eq!(text, Some(error.to_string().as_bytes()));
        }
    }
}
