//! Non-streaming responses: one JSON body in place of a stream.

use super::Error;
use super::interpret::Response;
use crate::delta::Delta;
use crate::fallible::{self, OutOfMemory};
use crate::frame;
#[cfg(feature = "client")]
use crate::json::Places;
#[cfg(feature = "client")]
use crate::reply::details::Path;
#[cfg(feature = "client")]
use crate::reply::error::ProviderError;
use crate::reply::queue::Queue;

/// Reads the body of a non-streaming response and hands its deltas to `f`.
pub(crate) fn read_complete_body(
    body: &[u8],
    mut f: impl FnMut(Delta<'_>) -> Result<(), OutOfMemory>,
) -> Result<(), Error> {
    let mut queue = Queue::new();
    let mut response = Response::new();
    let text = fallible::lossy(body.trim_ascii()).map_err(out_of_memory)?;
    let start = body.len() - body.trim_ascii_start().len();
    let is_response = response.complete_body(&text, &mut queue);
    let is_response = is_response.map_err(|malformed| Error::NotJson {
        offset: 0,
        at: start + malformed.at as usize,
    })?;
    queue.seal();
    if queue.is_out_of_memory() {
        return Err(out_of_memory(OutOfMemory));
    }
    if !is_response {
        return Err(Error::NotAResponse);
    }
    while let Some(delta) = queue.next() {
        f(delta)?;
    }
    Ok(())
}

/// Reads the body of an HTTP error. Calls `f` with the error, or with `None` if the body is not JSON.
#[cfg(feature = "client")]
pub(crate) fn read_error_body(body: &str, f: impl FnOnce(Option<ProviderError<'_>>)) {
    let mut queue = Queue::new();
    let mut response = Response::new();
    let places = Places::new();
    let mut walk = response.walk("", body, &places, &mut queue);
    let error = walk.root().ok();
    let error = error.map(|root| ProviderError::read(&mut walk, root, &Path::ROOT, &|_| false));
    f(error);
}

fn out_of_memory(OutOfMemory: OutOfMemory) -> Error {
    frame::Error::OutOfMemory { offset: 0 }.into()
}

impl From<OutOfMemory> for Error {
    fn from(error: OutOfMemory) -> Self {
        out_of_memory(error)
    }
}
