//! What a decoder is told before it begins.

use crate::dialect::Dialect;
use crate::frame::{Eof, Framing, MAX_EVENT_BYTES};
pub use crate::reply::details::DetailLevel;
pub use crate::reply::fields::Fields;

/// What a decoder is told before it begins.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The dialect; `None` has it recognised by the first events.
    pub dialect: Option<Dialect>,
    /// The framing, as a content type tells it; `None` has it follow from the dialect, or
    /// recognised by the first bytes.
    pub framing: Option<Framing>,
    /// The largest event that is accepted, in bytes of the wire; 16 MiB unless set.
    pub max_event_bytes: usize,
    /// Members of a delta that carry text or reasoning besides those that are known: for a new
    /// sender of OpenAI's chat format that invented names of its own.
    ///
    /// ```
    /// use deltawire::{Decoder, Delta, Options};
    ///
    /// let mut options = Options::default();
    /// options.fields.reasoning = Some("musings".to_owned());
    /// let mut decoder = Decoder::with_options(options);
    /// let mut input =
    ///     &b"data: {\"choices\":[{\"index\":0,\"delta\":{\"musings\":\"Well\"}}]}\n\n"[..];
    /// # let mut malformed = &b"data: {oops\n\n"[..];
    /// # while decoder.next(&mut malformed).is_some() {}
    /// let delta = Delta::Reasoning { choice: 0, part: 0, text: "Well" };
    /// assert_eq!(decoder.next(&mut input), Some(delta));
    /// ```
    pub fields: Fields,
    /// Which [details](crate::Delta::Detail) are reported; all unless set.
    pub details: DetailLevel,
    /// What becomes of an event that lacks its blank line at the end. Flushing, the default,
    /// delivers it where its payload is whole, since some servers forget the last line end.
    pub eof: Eof,
    /// Whether events are held against those before them first, which is many times as fast and
    /// gives the same deltas. Off is for comparing the two.
    pub templates: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            dialect: None,
            framing: None,
            max_event_bytes: MAX_EVENT_BYTES,
            fields: Fields::default(),
            details: DetailLevel::All,
            eof: Eof::Flush,
            templates: true,
        }
    }
}
