//! Non-streaming responses: one JSON body in place of a stream.

use super::{Error, Fields};
use crate::delta::Delta;
use crate::dialect;
use crate::fallible::OutOfMemory;
use crate::frame;
use crate::reply::Payload;
use crate::reply::progress::Progress;
use crate::reply::queue::Queue;
use crate::tape::{self, Unread};

/// Reads the body of a non-streaming response and hands its deltas to `f`.
pub(crate) fn read_complete_body(
    body: &[u8],
    mut f: impl FnMut(Delta<'_>) -> Result<(), OutOfMemory>,
) -> Result<(), Error> {
    let mut queue = Queue::default();
    let mut progress = Progress::default();
    let read = tape::read(body, |doc| {
        let payload = Payload {
            event: "",
            doc,
            fields: Fields::NONE,
        };
        dialect::read_complete_body(&mut progress, &payload, &mut queue)
    });
    let is_response = read.map_err(|unread| match unread {
        Unread::NotJson { at } => Error::NotJson { offset: 0, at },
        Unread::OutOfMemory => out_of_memory(OutOfMemory),
    })?;
    if queue.is_out_of_memory() {
        return Err(out_of_memory(OutOfMemory));
    }
    if !is_response {
        return Err(Error::NotAResponse);
    }
    while let Some(delta) = queue.next() {
        f(delta).map_err(out_of_memory)?;
    }
    Ok(())
}

fn out_of_memory(OutOfMemory: OutOfMemory) -> Error {
    frame::Error::OutOfMemory { offset: 0 }.into()
}
