//! What all dialects share: the state of a response, its vocabulary, and the queue of its deltas.

pub(crate) mod count;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod finish;
pub(crate) mod limits;
pub(crate) mod pool;
pub(crate) mod pooled;
pub(crate) mod progress;
pub(crate) mod queue;
pub(crate) mod queued;
pub(crate) mod repeats;
pub(crate) mod tool_calls;
pub(crate) mod usage;

use self::fields::Fields;
use crate::tape::Doc;

/// An event's payload as a dialect reads it.
pub(crate) struct Payload<'d> {
    /// The event type that the framing gave it.
    pub(crate) event: &'d str,
    pub(crate) doc: Doc<'d>,
    /// Names of members that the caller added.
    pub(crate) fields: &'d Fields,
}
