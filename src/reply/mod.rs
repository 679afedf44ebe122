//! What all dialects share: the state of a response, its vocabulary, and the queue of its deltas.

pub(crate) mod count;
pub(crate) mod details;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod finish;
pub(crate) mod limits;
mod packed;
pub(crate) mod parts;
pub(crate) mod pool;
pub(crate) mod pooled;
pub(crate) mod progress;
pub(crate) mod queue;
pub(crate) mod queued;
pub(crate) mod repeats;
pub(crate) mod tool_calls;
pub(crate) mod usage;
mod vocabulary;
pub(crate) mod walk;

use self::fields::Fields;
use crate::json::{Places, Reader, Span};

/// An event's payload as a dialect reads it.
#[derive(Clone, Copy)]
pub(crate) struct Payload<'d> {
    /// The event type that the framing gave it.
    pub(crate) event: &'d str,
    /// The payload's text, without white space around it.
    pub(crate) text: &'d str,
    /// Names of members that the caller added.
    pub(crate) fields: &'d Fields,
    /// Where its arrays and objects end, once it was checked.
    pub(crate) places: &'d Places,
}

impl<'d> Payload<'d> {
    /// Returns a reader of the array or object at this place.
    #[inline]
    pub(crate) fn reader(&self, place: Span) -> Reader<'d> {
        Reader::with_places(self.text, place.start as usize, self.places)
    }
}
