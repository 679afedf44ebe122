//! A parser of whichever framing is chosen at run time.

use super::{Carry, Eof, Error, Fixed, Framing, Item, Value, eventstream, ndjson, sse};

/// A parser of a framing that is chosen at run time. It does what that framing's own parser does.
///
/// ```
/// use deltawire::frame::{Framing, Item, Parser};
///
/// let mut memory = [0; 256];
/// let mut parser = Parser::in_memory(Framing::Ndjson, &mut memory);
/// let mut input = &b"{\"n\":1}\n"[..];
/// let Some(Item::Event(event)) = parser.next(&mut input)? else {
///     panic!("a line is an event");
/// };
/// assert_eq!(event.data, "{\"n\":1}");
/// # Ok::<(), deltawire::frame::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Parser<C> {
    /// The WHATWG event stream.
    Sse(sse::Parser<C>),
    /// Newline-delimited JSON.
    Ndjson(ndjson::Parser<C>),
    /// AWS's binary event stream.
    EventStream(eventstream::Parser<C>),
}

#[cfg(feature = "alloc")]
impl Parser<alloc::vec::Vec<u8>> {
    /// A parser that keeps what a chunk's end cuts off in a `Vec`.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self::with_carry(framing, alloc::vec::Vec::new())
    }
}

impl<'m> Parser<Fixed<'m>> {
    /// A parser that keeps what a chunk's end cuts off in `memory` and never allocates. The length
    /// of `memory` limits the size of an event, see [`Fixed`].
    pub fn in_memory(framing: Framing, memory: &'m mut [u8]) -> Self {
        Self::with_carry(framing, Fixed::new(memory))
    }
}

impl<C: Carry> Parser<C> {
    /// A parser with this carry, which is emptied.
    pub fn with_carry(framing: Framing, carry: C) -> Self {
        match framing {
            Framing::Sse => Parser::Sse(sse::Parser::with_carry(carry)),
            Framing::Ndjson => Parser::Ndjson(ndjson::Parser::with_carry(carry)),
            Framing::EventStream => Parser::EventStream(eventstream::Parser::with_carry(carry)),
        }
    }

    /// The framing it reads.
    #[must_use]
    pub fn framing(&self) -> Framing {
        match self {
            Parser::Sse(_) => Framing::Sse,
            Parser::Ndjson(_) => Framing::Ndjson,
            Parser::EventStream(_) => Framing::EventStream,
        }
    }

    /// Sets the largest event that is accepted, in bytes. A larger one is an
    /// [`Error::EventTooLarge`].
    pub fn set_max_event_bytes(&mut self, max: usize) {
        match self {
            Parser::Sse(parser) => parser.set_max_event_bytes(max),
            Parser::Ndjson(parser) => parser.set_max_event_bytes(max),
            Parser::EventStream(parser) => parser.set_max_event_bytes(max),
        }
    }

    /// The last event ID; empty where none was set, and in the framings that have none.
    #[must_use]
    pub fn last_event_id(&self) -> Value<'_> {
        match self {
            Parser::Sse(parser) => parser.last_event_id(),
            Parser::Ndjson(_) | Parser::EventStream(_) => Value::default(),
        }
    }

    /// Seeds the last event ID, see [`sse::Parser::set_last_event_id`]. False in the framings that
    /// have none.
    #[must_use = "false means that the ID was not taken"]
    pub fn set_last_event_id(&mut self, id: &[u8]) -> bool {
        match self {
            Parser::Sse(parser) => parser.set_last_event_id(id),
            Parser::Ndjson(_) | Parser::EventStream(_) => false,
        }
    }

    /// How many bytes of the stream were consumed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Parser::Sse(parser) => parser.offset(),
            Parser::Ndjson(parser) => parser.offset(),
            Parser::EventStream(parser) => parser.offset(),
        }
    }

    /// Whether the bytes so far end inside an event.
    #[must_use]
    pub fn is_mid_event(&self) -> bool {
        match self {
            Parser::Sse(parser) => parser.is_mid_event(),
            Parser::Ndjson(parser) => parser.is_mid_event(),
            Parser::EventStream(parser) => parser.is_mid_event(),
        }
    }

    /// Nothing is pending: the next byte begins an event. AWS frames have checksums, so no two are
    /// alike, and nobody asks this of them.
    #[cfg(feature = "delta")]
    #[inline]
    pub(crate) fn is_between_events(&mut self) -> bool {
        match self {
            Parser::Sse(parser) => parser.is_between_events(),
            Parser::Ndjson(parser) => parser.is_between_events(),
            Parser::EventStream(_) => false,
        }
    }

    /// Moves past an event that was read without the parser.
    #[cfg(feature = "delta")]
    #[inline]
    pub(crate) fn skip_event(&mut self, input: &mut &[u8], len: usize) {
        // One comparison for the framing of nearly all streams.
        if let Parser::Sse(parser) = self {
            parser.skip_event(input, len);
        } else if let Parser::Ndjson(parser) = self {
            parser.skip_event(input, len);
        }
    }

    /// Starts a new stream with nothing known; memory is kept.
    pub fn reset(&mut self) {
        match self {
            Parser::Sse(parser) => parser.reset(),
            Parser::Ndjson(parser) => parser.reset(),
            Parser::EventStream(parser) => parser.reset(),
        }
    }

    /// Starts a new stream that goes on with the last event ID of the one before, where the framing
    /// has such a thing.
    pub fn reconnect(&mut self) {
        match self {
            Parser::Sse(parser) => parser.reconnect(),
            Parser::Ndjson(parser) => parser.reset(),
            Parser::EventStream(parser) => parser.reset(),
        }
    }

    /// The next item, and `input` moved past the bytes used for it. `None`: `input` is used up and
    /// more is needed.
    ///
    /// The item lives until the next call on the parser.
    ///
    /// # Errors
    ///
    /// [`Error`] for an event that cannot be delivered. Go on calling: the events behind it come,
    /// unless the error says that there is no telling where they begin.
    #[inline]
    pub fn next<'p, 'i: 'p>(&'p mut self, input: &mut &'i [u8]) -> Result<Option<Item<'p>>, Error> {
        match self {
            Parser::Sse(parser) => parser.next(input),
            Parser::Ndjson(parser) => parser.next(input),
            Parser::EventStream(parser) => parser.next(input),
        }
    }

    /// Ends the stream: the items of what it left unfinished, one a call, then `None`. Call
    /// [`reset`](Self::reset) or [`reconnect`](Self::reconnect) before the next stream.
    ///
    /// # Errors
    ///
    /// [`Error`] for an event that cannot be delivered.
    pub fn finish(&mut self, eof: Eof) -> Result<Option<Item<'_>>, Error> {
        match self {
            Parser::Sse(parser) => parser.finish(eof),
            Parser::Ndjson(parser) => parser.finish(eof),
            Parser::EventStream(parser) => parser.finish(eof),
        }
    }
}
