//! A body on its way through.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::log::{Ending, Log};
use crate::proxy::chain;
use crate::watch::Watch;

/// The provider's body, frame by frame as it came.
///
/// It is polled when there is room in the client's connection, and so polls the provider's no sooner:
/// a client that does not read stops its provider. Dropped before its end, it closes the connection
/// to the provider, which is how a client that went away is told there.
pub(crate) struct Passing {
    body: Incoming,
    watch: Watch,
    log: Log,
}

impl Passing {
    pub(crate) fn new(body: Incoming, watch: Watch, log: Log) -> Passing {
        Passing { body, watch, log }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    self.watch.look(bytes);
                }
            }
            // Passed on as well, so that the client's body does not end as if it were whole.
            Some(Err(error)) => self.log.ending = Ending::Broken(chain(error)),
            None => self.log.ending = Ending::Ended,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // A body of known length is not asked again once it has come.
        if matches!(self.log.ending, Ending::Cancelled) && self.body.is_end_stream() {
            self.log.ending = Ending::Ended;
        }
        self.log.seen = Some(self.watch.finish());
    }
}
