//! The events of a response, owned.

use std::str;
use std::time::Duration;

use bytes::Bytes;

use super::body::{Body, Chunks};
use super::cancel::Cancel;
use super::error::Error;
use crate::decoder;
use crate::frame::{self, Eof, Item, sse};

/// An event of an event stream, as [`frame::Event`], but owned and reference-counted.
///
/// What lies whole in the bytes of one read is cut out of them without a copy, and keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The event type; `message` where the stream named none. Invalid UTF-8 is left as it came.
    pub event: Bytes,
    /// The data buffer: the values of the `data` lines, joined by LF.
    pub data: Bytes,
    /// The last event ID at dispatch, which may come from an earlier event.
    pub id: Bytes,
    /// The event's own lines as they came, blank line included.
    pub raw: Bytes,
    /// Where the event begins, in bytes from the start of the response.
    pub offset: u64,
}

/// The events of one response, pulled one by one. Dropping it early closes the connection.
///
/// By the letter of HTML, section 9.2.6: an event that lacks its blank line at the end is none.
pub struct Events {
    chunks: Chunks,
    /// What was read last, and how much of it is parsed.
    chunk: Bytes,
    parsed: usize,
    parser: sse::Parser<Vec<u8>>,
    retry: Option<Duration>,
    at_end: bool,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events")
            .field("chunks", &self.chunks)
            .field("offset", &self.parser.offset())
            .finish_non_exhaustive()
    }
}

impl Events {
    pub(super) fn new(body: Body, max_event_bytes: usize) -> Self {
        let mut parser = sse::Parser::new();
        parser.set_max_event_bytes(max_event_bytes);
        Events {
            chunks: Chunks::new(body),
            chunk: Bytes::new(),
            parsed: 0,
            parser,
            retry: None,
            at_end: false,
        }
    }

    /// The next event, as soon as it is in. `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Kind::Limit`](super::Kind::Limit) for an event over the limit: go on calling, what is behind
    /// it comes. As [`Chunks::next`] where the connection gives no more.
    #[expect(
        clippy::should_implement_trait,
        reason = "one shape with streams, which lend"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.parse()? {
                self.chunks.body().content_came();
                return Ok(Some(event));
            }
            if self.at_end {
                return Ok(None);
            }
            match self.chunks.next() {
                Ok(Some(chunk)) => (self.chunk, self.parsed) = (chunk, 0),
                Ok(None) => {
                    self.at_end = true;
                    // An id without its blank line is dropped with its event.
                    while self
                        .parser
                        .finish(Eof::Discard)
                        .is_ok_and(|item| item.is_some())
                    {}
                }
                Err(error) => {
                    self.at_end = true;
                    return Err(error);
                }
            }
        }
    }

    /// Parses what was read until an event is whole.
    fn parse(&mut self) -> Result<Option<Event>, Error> {
        let mut input = &self.chunk[self.parsed..];
        let event = loop {
            match self.parser.next(&mut input) {
                Ok(Some(Item::Event(event))) => break Ok(Some(owned(&event, &self.chunk))),
                Ok(Some(Item::Retry(item))) => {
                    self.retry = Some(Duration::from_millis(item.millis));
                }
                Ok(Some(_)) => {}
                Ok(None) => break Ok(None),
                Err(error) => break Err(error),
            }
        };
        self.parsed = self.chunk.len() - input.len();
        event.map_err(|error| {
            let context = self.chunks.body().context();
            Error::decoding(&context.url, decoder::Error::Frame(error))
        })
    }

    /// The last event ID, which a request that goes on behind this response has to name; empty where
    /// the stream set none.
    #[must_use]
    pub fn last_event_id(&self) -> &[u8] {
        self.parser.last_event_id().as_bytes()
    }

    /// Begins with the last event ID of an earlier response.
    pub(super) fn set_last_event_id(&mut self, id: &[u8]) {
        // Refused is only what no stream could have set, and what was asked for with it.
        let _ = self.parser.set_last_event_id(id);
    }

    /// The reconnection time that the stream set.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Ends it from another thread.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.chunks.cancel()
    }
}

fn owned(event: &frame::Event<'_>, chunk: &Bytes) -> Event {
    let cut = |bytes: &[u8]| {
        let (whole, part) = (chunk.as_ptr_range(), bytes.as_ptr_range());
        if !bytes.is_empty() && whole.start <= part.start && part.end <= whole.end {
            chunk.slice_ref(bytes)
        } else {
            Bytes::copy_from_slice(bytes)
        }
    };
    Event {
        event: match event.event.as_bytes() {
            b"message" => Bytes::from_static(b"message"),
            name => cut(name),
        },
        data: cut(&event.data),
        id: cut(&event.id),
        raw: cut(event.raw),
        offset: event.offset,
    }
}

impl Event {
    /// The data as text: `None` where it is no UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        str::from_utf8(&self.data).ok()
    }
}
