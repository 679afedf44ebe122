//! The framing in use, one of them all.

use alloc::vec::Vec;

use crate::frame::{self, Eof, Framing, Item, eventstream, ndjson, sse};

/// The framing in use.
pub(super) enum Parser {
    /// Nothing has come, and the first byte decides.
    Unknown,
    Sse(sse::Parser<Vec<u8>>),
    Ndjson(ndjson::Parser<Vec<u8>>),
    EventStream(eventstream::Parser<Vec<u8>>),
}

impl Parser {
    pub(super) fn new(framing: Framing, max_event_bytes: usize) -> Self {
        match framing {
            Framing::Sse => {
                let mut parser = sse::Parser::new();
                parser.set_max_event_bytes(max_event_bytes);
                Parser::Sse(parser)
            }
            Framing::Ndjson => {
                let mut parser = ndjson::Parser::new();
                parser.set_max_event_bytes(max_event_bytes);
                Parser::Ndjson(parser)
            }
            Framing::EventStream => {
                let mut parser = eventstream::Parser::new();
                parser.set_max_event_bytes(max_event_bytes);
                Parser::EventStream(parser)
            }
        }
    }

    /// Nothing is pending: the next byte begins an event. AWS frames have checksums, so no two are
    /// alike.
    #[inline]
    pub(super) fn is_between_events(&mut self) -> bool {
        match self {
            Parser::Sse(parser) => parser.is_between_events(),
            Parser::Ndjson(parser) => parser.is_between_events(),
            Parser::Unknown | Parser::EventStream(_) => false,
        }
    }

    /// Moves past an event that was read without the parser.
    #[inline]
    pub(super) fn skip_event(&mut self, input: &mut &[u8], len: usize) {
        // One comparison for the framing of nearly all streams.
        if let Parser::Sse(parser) = self {
            parser.skip_event(input, len);
        } else if let Parser::Ndjson(parser) = self {
            parser.skip_event(input, len);
        }
    }

    #[inline]
    pub(super) fn next<'p, 'i: 'p>(
        &'p mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Item<'p>>, frame::Error> {
        match self {
            Parser::Unknown => Ok(None),
            Parser::Sse(parser) => parser.next(input),
            Parser::Ndjson(parser) => parser.next(input),
            Parser::EventStream(parser) => parser.next(input),
        }
    }

    pub(super) fn finish(&mut self, eof: Eof) -> Result<Option<Item<'_>>, frame::Error> {
        match self {
            Parser::Unknown => Ok(None),
            Parser::Sse(parser) => parser.finish(eof),
            Parser::Ndjson(parser) => parser.finish(eof),
            Parser::EventStream(parser) => parser.finish(eof),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        match self {
            Parser::Unknown => 0,
            Parser::Sse(parser) => parser.offset(),
            Parser::Ndjson(parser) => parser.offset(),
            Parser::EventStream(parser) => parser.offset(),
        }
    }

    pub(super) fn framing(&self) -> Option<Framing> {
        match self {
            Parser::Unknown => None,
            Parser::Sse(_) => Some(Framing::Sse),
            Parser::Ndjson(_) => Some(Framing::Ndjson),
            Parser::EventStream(_) => Some(Framing::EventStream),
        }
    }

    pub(super) fn reset(&mut self) {
        match self {
            Parser::Unknown => {}
            Parser::Sse(parser) => parser.reset(),
            Parser::Ndjson(parser) => parser.reset(),
            Parser::EventStream(parser) => parser.reset(),
        }
    }
}
