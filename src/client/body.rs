//! The bytes of a response as they come.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ureq::BodyReader;

use super::Lease;
use super::cancel::{Cancel, Running};
use super::error::{Context, Error, Kind};

/// How long the end of a body is waited for behind the terminator of its stream. Most servers send
/// both at once, and the connection can be used again; some say nothing more.
const LINGER: Duration = Duration::from_millis(50);

/// What a buffer holds where nothing was written. No text has this byte.
///
/// ureq decodes as many HTTP chunks as it has, and decompresses as much; where something in them is
/// malformed it tells that alone, though what came before it is in the buffer by then. That was
/// received and is not to be lost.
const UNWRITTEN: u8 = 0xff;

/// A response's body. Dropped before its end it closes the connection; at its end the connection is
/// kept for another request.
pub(super) struct Body {
    /// What is read from, and whose it is, until the end.
    open: Option<Open>,
    context: Context,
    cancel: Cancel,
    is_complete: bool,
    /// What went wrong behind the bytes that were read last.
    delayed: Option<Error>,
}

struct Open {
    reader: BodyReader<'static>,
    running: Running,
    lease: Lease,
}

impl Body {
    pub(super) fn new(
        reader: BodyReader<'static>,
        lease: Lease,
        running: Running,
        context: Context,
    ) -> Self {
        Body {
            cancel: running.cancel().clone(),
            open: Some(Open {
                reader,
                running,
                lease,
            }),
            context,
            is_complete: false,
            delayed: None,
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Reads what has come, or waits for it; 0 at the end, and behind an error.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let Some(open) = &mut self.open else {
            return Ok(0);
        };
        if let Some(error) = self.delayed.take() {
            self.open = None;
            return if self.is_complete { Ok(0) } else { Err(error) };
        }
        buffer.fill(UNWRITTEN);
        let error = loop {
            match open.reader.read(buffer) {
                Ok(0) => break self.context.hidden(),
                Ok(len) => {
                    self.context.line.body_began();
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let error = self.context.read(error);
                    let written = buffer.iter().rposition(|byte| *byte != UNWRITTEN);
                    if let (Kind::Protocol | Kind::Encoding, Some(last)) = (error.kind(), written) {
                        self.delayed = Some(error);
                        return Ok(last + 1);
                    }
                    break Some(error);
                }
            }
        };
        let is_cancelled = self.cancel.is_cancelled();
        if let Some(Open {
            reader,
            running,
            lease,
        }) = self.open.take()
        {
            // In this order: the connection goes back to the agent, and the agent, which nobody may
            // shut down any more, to the client.
            drop(reader);
            if running.end() {
                lease.give_back();
            }
        }
        match error {
            // All that was asked for is there: whatever went wrong behind it is no matter.
            _ if self.is_complete => Ok(0),
            _ if is_cancelled => Err(Error::cancelled(&self.context.url)),
            Some(error) => Err(error),
            None => Ok(0),
        }
    }

    /// Reads to the end, or one byte over a limit.
    pub(super) fn read_up_to(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 16 * 1024];
        while bytes.len() <= limit {
            match self.read(&mut chunk)? {
                0 => break,
                len => bytes.extend_from_slice(&chunk[..len]),
            }
        }
        Ok(bytes)
    }

    /// What came was content.
    pub(super) fn content_came(&self) {
        self.context.line.content_came();
    }

    /// The stream is complete: no error counts any more, and little is waited for.
    pub(super) fn complete(&mut self) {
        if !self.is_complete {
            self.is_complete = true;
            self.context.line.linger(LINGER);
        }
    }

    /// Closes the connection, whatever may still come.
    pub(super) fn close(&mut self) {
        self.open = None;
    }
}

/// What is read at once, at most.
const CHUNK_BYTES: usize = 16 * 1024;
/// Less room than this is not worth a read.
const MIN_ROOM_BYTES: usize = 2 * 1024;
/// What is allocated at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A response's bytes, in the pieces in which they come: joined they are the body.
///
/// The pieces are reference-counted and cut from a receive buffer, so handing one on copies nothing.
/// Each keeps the 64 KiB that it was cut from.
///
/// ```
/// use deltawire::client::Client;
/// use deltawire::{Decoder, Delta};
///
/// let client = Client::openai("key")?;
/// # // A server whose reply has a malformed event.
/// # let server = deltawire_test_support::server::Server::malformed();
/// # let client = Client::compatible(&server.url, None)?;
/// let (mut decoder, mut len) = (Decoder::new(), 0);
/// let mut chunks = client.post("/chat/completions", r#"{"stream":true}"#).chunks()?;
/// while let Some(chunk) = chunks.next()? {
///     # let pass_on = |_: bytes::Bytes| {};
///     pass_on(chunk.clone());
///     let mut input = &chunk[..];
///     while let Some(delta) = decoder.next(&mut input) {
///         if let Delta::Text { text, .. } = delta {
///             len += text.len();
///         }
///     }
/// }
/// # assert_eq!((len, decoder.invalid()), ("before after".len(), 1));
/// # Ok::<(), deltawire::client::Error>(())
/// ```
pub struct Chunks {
    body: Body,
    /// Room that nothing was read into yet.
    room: BytesMut,
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks")
            .field("url", &self.body.context.url)
            .finish_non_exhaustive()
    }
}

impl Chunks {
    pub(super) fn new(body: Body) -> Self {
        Chunks {
            body,
            room: BytesMut::new(),
        }
    }

    /// The next piece, as soon as it is in, of at most 16 KiB. `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Kind::Timeout`](super::Kind::Timeout), [`Kind::Reset`](super::Kind::Reset),
    /// [`Kind::Truncated`](super::Kind::Truncated), [`Kind::Encoding`](super::Kind::Encoding),
    /// [`Kind::Protocol`](super::Kind::Protocol), [`Kind::Tls`](super::Kind::Tls) and
    /// [`Kind::Cancelled`](super::Kind::Cancelled), once; then `None`.
    #[expect(
        clippy::should_implement_trait,
        reason = "one shape with streams and events, which lend"
    )]
    pub fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.room.len() < MIN_ROOM_BYTES {
            // Takes back what nobody holds any more, if that is all of it.
            self.room.clear();
            self.room.reserve(BUFFER_BYTES);
            self.room.resize(BUFFER_BYTES, 0);
        }
        let end = self.room.len().min(CHUNK_BYTES);
        match self.body.read(&mut self.room[..end])? {
            0 => Ok(None),
            len => Ok(Some(self.room.split_to(len).freeze())),
        }
    }

    /// Ends it from another thread.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.body.cancel.clone()
    }

    pub(super) fn body(&mut self) -> &mut Body {
        &mut self.body
    }
}
