//! The framing of a stream, which may not be known before its first byte.

use alloc::vec::Vec;

use crate::fallible;
use crate::frame::{self, Eof, Framing, Item};

/// The parser of the stream's framing, and parsers of other framings that earlier streams had.
pub(super) struct FrameParser {
    /// `None` until the framing is known.
    current: Option<frame::Parser<Vec<u8>>>,
    /// Kept for their memory, at most one a framing.
    spare: Vec<frame::Parser<Vec<u8>>>,
    max_event_bytes: usize,
}

impl FrameParser {
    pub(super) fn new(framing: Option<Framing>, max_event_bytes: usize) -> Self {
        let mut parser = FrameParser {
            current: None,
            spare: Vec::new(),
            max_event_bytes,
        };
        if let Some(framing) = framing {
            parser.current = Some(parser.make(framing));
        }
        parser
    }

    fn make(&self, framing: Framing) -> frame::Parser<Vec<u8>> {
        let mut parser = frame::Parser::new(framing);
        parser.set_max_event_bytes(self.max_event_bytes);
        parser
    }

    /// Switches to a framing and keeps the old parser's memory. The stream's position stays.
    pub(super) fn switch_to(&mut self, framing: Framing) {
        if self.framing() == Some(framing) {
            return;
        }
        let offset = self.offset();
        let mut spare = self.spare.iter();
        let known = spare.position(|parser| parser.framing() == framing);
        let mut parser = match known {
            Some(at) => self.spare.swap_remove(at),
            None => self.make(framing),
        };
        parser.reset();
        if let frame::Parser::Ndjson(lines) = &mut parser {
            lines.set_offset(offset);
        }
        if let Some(old) = self.current.replace(parser) {
            // A parser that cannot be kept is made anew for the next stream.
            let _ = fallible::push(&mut self.spare, old);
        }
    }

    /// The event limit in bytes.
    #[inline]
    pub(super) fn max_event_bytes(&self) -> usize {
        self.max_event_bytes
    }

    /// Returns true if the next byte begins an event.
    #[inline]
    pub(super) fn is_between_events(&mut self) -> bool {
        match &mut self.current {
            Some(parser) => parser.is_between_events(),
            None => false,
        }
    }

    /// Returns true if the stream ends inside a binary frame.
    pub(super) fn is_mid_frame(&self) -> bool {
        match &self.current {
            Some(frame::Parser::EventStream(parser)) => parser.is_mid_event(),
            _ => false,
        }
    }

    /// Moves past an event that was read without the parser.
    #[inline]
    pub(super) fn skip_event(&mut self, input: &mut &[u8], len: usize) {
        if let Some(parser) = &mut self.current {
            parser.skip_event(input, len);
        }
    }

    #[inline]
    pub(super) fn next<'p, 'i: 'p>(
        &'p mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Item<'p>>, frame::Error> {
        match &mut self.current {
            Some(parser) => parser.next(input),
            None => Ok(None),
        }
    }

    pub(super) fn finish(&mut self, eof: Eof) -> Result<Option<Item<'_>>, frame::Error> {
        match &mut self.current {
            Some(parser) => parser.finish(eof),
            None => Ok(None),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.current.as_ref().map_or(0, frame::Parser::offset)
    }

    pub(super) fn framing(&self) -> Option<Framing> {
        self.current.as_ref().map(frame::Parser::framing)
    }

    pub(super) fn reset(&mut self) {
        if let Some(parser) = &mut self.current {
            parser.reset();
        }
    }
}
