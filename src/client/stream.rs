//! A response that is read while it comes.

use std::ops::Range;
use std::time::Instant;

use super::body::Body;
use super::cancel::Cancel;
use super::error::{Error, Kind};
use crate::decoder::{self, Decoder, End};
use crate::delta::Delta;
use crate::message::Message;

/// Read at once, at most: what a connection delivers in one go, and seldom less than it has.
const BUFFER_BYTES: usize = 16 * 1024;

/// A response's deltas, pulled one by one. Dropping it early closes the connection.
///
/// One buffer is read into again and again, and the connection is asked for bytes only when those
/// that came are used up: each delta is there as soon as its bytes are.
pub struct Stream {
    body: Body,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// The part of the buffer that is not yet decoded.
    unread: Range<usize>,
    sent: Instant,
    /// No more bytes come.
    at_end: bool,
    /// The body was cut short.
    is_cut: bool,
    /// A delta came, or why there is none was said.
    is_answered: bool,
    /// What `is_ready` met in place of a delta.
    met: Option<Error>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("url", &self.body.context().url)
            .field("decoder", &self.decoder)
            .finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(body: Body, sent: Instant, options: decoder::Options) -> Self {
        Stream {
            body,
            decoder: Decoder::with_options(options),
            buffer: vec![0; BUFFER_BYTES],
            unread: 0..0,
            sent,
            at_end: false,
            is_cut: false,
            is_answered: false,
            met: None,
        }
    }

    /// Whether [`next`](Self::next) returns without waiting for the network: who collects output
    /// before it is written does so until this is false.
    pub fn is_ready(&mut self) -> bool {
        if self.met.is_none() {
            return self.advance() || self.at_end;
        }
        true
    }

    /// Returns the next delta, as soon as its bytes have come. `None` is the end of the response, and
    /// [`end`](Self::end) says which.
    ///
    /// The strings of the delta live until the next call on the stream. An event that cannot be decoded is
    /// a [`Delta::Invalid`], and the stream continues.
    ///
    /// # Errors
    ///
    /// [`Kind::Timeout`], [`Kind::Reset`], [`Kind::Truncated`],
    /// [`Kind::Encoding`], [`Kind::Protocol`], [`Kind::Tls`] and [`Kind::Cancelled`], once, where the
    /// connection gives no more: what is left of the bytes before still comes, then `None`.
    /// [`Kind::ContentType`], once, for a body of which nothing was a delta, such as a web page that
    /// calls itself a stream.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend its items"
    )]
    pub fn next(&mut self) -> Result<Option<Delta<'_>>, Error> {
        if let Some(error) = self.met.take() {
            return Err(error);
        }
        while !self.advance() {
            if self.at_end {
                return self.finish();
            }
            match self.body.read(&mut self.buffer) {
                Ok(0) => self.at_end = true,
                Ok(len) => self.unread = 0..len,
                Err(error) => {
                    self.at_end = true;
                    self.is_cut = true;
                    self.is_answered = true;
                    return Err(error);
                }
            }
        }
        self.is_answered = true;
        let delta = self.decoder.next(&mut &[][..]);
        match delta {
            Some(Delta::Done) => self.body.complete(),
            Some(Delta::Other { .. } | Delta::Detail { .. } | Delta::Invalid { .. }) => {}
            _ => self.body.content_came(),
        }
        Ok(delta)
    }

    /// Decodes what was read until a delta waits.
    fn advance(&mut self) -> bool {
        let mut input = &self.buffer[self.unread.clone()];
        let is_queued = self.decoder.advance(&mut input);
        self.unread.start = self.unread.end - input.len();
        is_queued
    }

    fn finish(&mut self) -> Result<Option<Delta<'_>>, Error> {
        let is_answered = std::mem::replace(&mut self.is_answered, true);
        // A web page with status 200 has no delta; that it is no reply must be said once.
        if !self.decoder.advance_to_end() && !is_answered {
            let secrets = &self.body.context().secrets;
            let what = format!(
                "expected a reply but got {}",
                secrets.describe(self.decoder.unrecognised_body())
            );
            return Err(self.body.context().error(Kind::ContentType, what));
        }
        Ok(self.decoder.finish())
    }

    /// Reads on to the end and puts the deltas together in `message`, with their arrival.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next). `message` keeps what came before, and its end stays open. Call again to
    /// read what is left of the bytes that came. Events that could not be decoded are counted in
    /// [`Message::invalid`].
    pub fn read_to_end(&mut self, message: &mut Message) -> Result<(), Error> {
        loop {
            // Taken after the delta, whose arrival it is; the delta borrows the stream.
            let (sent, delta) = (self.sent, self.next()?);
            match delta {
                Some(delta) => message.push_at(&delta, sent.elapsed()),
                None => break,
            }
        }
        message.finish(self.end());
        Ok(())
    }

    /// How the stream ended, or would have if it ended here. One whose body was cut short before its
    /// terminator is truncated, whatever else came.
    #[must_use]
    pub fn end(&self) -> End {
        match self.decoder.end() {
            End::Complete if self.is_cut => End::Truncated,
            end => end,
        }
    }

    /// When the request was sent: what the arrival of a delta is counted from.
    #[must_use]
    pub fn sent(&self) -> Instant {
        self.sent
    }

    /// What decodes the stream: its dialect, offset and count of events.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Ends it from another thread: a blocked [`next`](Self::next) returns with an error of the kind
    /// [`Kind::Cancelled`], and the connection is closed.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.body.cancel().clone()
    }
}
