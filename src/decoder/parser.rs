//! The framing in use, which may not be known yet.

use alloc::vec::Vec;

use crate::frame::{self, Eof, Framing, Item};

/// The framing in use; none where nothing has come and the first byte decides.
pub(super) struct Parser(Option<frame::Parser<Vec<u8>>>);

impl Parser {
    pub(super) const UNKNOWN: Parser = Parser(None);

    pub(super) fn new(framing: Framing, max_event_bytes: usize) -> Self {
        let mut parser = frame::Parser::new(framing);
        parser.set_max_event_bytes(max_event_bytes);
        Parser(Some(parser))
    }

    pub(super) fn known(&self) -> Option<&frame::Parser<Vec<u8>>> {
        self.0.as_ref()
    }

    pub(super) fn known_mut(&mut self) -> Option<&mut frame::Parser<Vec<u8>>> {
        self.0.as_mut()
    }

    /// Nothing is pending: the next byte begins an event.
    #[inline]
    pub(super) fn is_between_events(&mut self) -> bool {
        match &mut self.0 {
            Some(parser) => parser.is_between_events(),
            None => false,
        }
    }

    /// Moves past an event that was read without the parser.
    #[inline]
    pub(super) fn skip_event(&mut self, input: &mut &[u8], len: usize) {
        if let Some(parser) = &mut self.0 {
            parser.skip_event(input, len);
        }
    }

    #[inline]
    pub(super) fn next<'p, 'i: 'p>(
        &'p mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Item<'p>>, frame::Error> {
        match &mut self.0 {
            Some(parser) => parser.next(input),
            None => Ok(None),
        }
    }

    pub(super) fn finish(&mut self, eof: Eof) -> Result<Option<Item<'_>>, frame::Error> {
        match &mut self.0 {
            Some(parser) => parser.finish(eof),
            None => Ok(None),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.known().map_or(0, frame::Parser::offset)
    }

    pub(super) fn framing(&self) -> Option<Framing> {
        self.known().map(frame::Parser::framing)
    }

    pub(super) fn reset(&mut self) {
        if let Some(parser) = &mut self.0 {
            parser.reset();
        }
    }
}
