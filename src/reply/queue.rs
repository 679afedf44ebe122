//! The queue of an event's deltas.
//!
//! A tape borrows the payload that it was made from and cannot outlive it. A dialect therefore walks the
//! tape once and queues each delta as positions in a text that the queue owns.
//!
//! Dialects don't check for memory after each delta. The queue remembers a failed allocation
//! ([`Queue::is_out_of_memory`]), and then the whole event is an error.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::count::Count;
pub(crate) use super::queued::Queued;
use super::queued::{NOWHERE, Span};
use crate::delta::{Delta, ErrorKind, FinishReason, StreamError, TextKind, Usage};
use crate::fallible::{self, OutOfMemory, TryWriter};
use crate::tape::Doc;

/// The deltas of one event, not yet handed out.
#[derive(Default)]
pub(crate) struct Queue {
    queued: Vec<Queued>,
    next: usize,
    text: String,
    /// The token counts of the event, if `queued` has a `Queued::Usage`.
    usage: Usage,
    /// The event's payload, kept only if a delta shows it.
    raw: Vec<u8>,
    /// Where in memory the payload was parsed, and how long it is.
    parsed: (usize, usize),
    /// Members of the payload that another event of the same shape may have otherwise.
    marks: Vec<Mark>,
    /// Reading the event changed what is known of the response in a way of its own.
    is_unique: bool,
    /// Reading the event took knowing which tools were called.
    uses_tools: bool,
    /// There was no memory for all that the event gives.
    is_out_of_memory: bool,
}

/// A member that may vary from event to event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// Where its key stands in the payload.
    pub(crate) at: u32,
    /// Which count it is; `None`: the dialect does not look at it.
    pub(crate) count: Option<Count>,
}

impl Queue {
    pub(crate) const fn new() -> Self {
        Queue {
            queued: Vec::new(),
            next: 0,
            text: String::new(),
            usage: Usage::NONE,
            raw: Vec::new(),
            parsed: (0, 0),
            marks: Vec::new(),
            is_unique: false,
            uses_tools: false,
            is_out_of_memory: false,
        }
    }

    /// Forgets the event before.
    pub(crate) fn clear(&mut self) {
        self.queued.clear();
        self.next = 0;
        self.text.clear();
        self.raw.clear();
        self.parsed = (0, 0);
        self.marks.clear();
        self.is_unique = false;
        self.uses_tools = false;
        self.is_out_of_memory = false;
    }

    /// Says that there is no memory for what the event gives.
    #[cold]
    pub(crate) fn set_out_of_memory(&mut self) {
        self.is_out_of_memory = true;
    }

    /// Whether there was no memory for something that the event gives.
    #[inline]
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.is_out_of_memory
    }

    #[inline]
    fn push(&mut self, queued: Queued) {
        if fallible::push(&mut self.queued, queued).is_err() {
            self.set_out_of_memory();
        }
    }

    /// Says which payload the deltas that follow are from.
    pub(crate) fn begin(&mut self, doc: &Doc<'_>) {
        // The parser takes no larger payload, so no place in one is `NOWHERE`.
        self.parsed = (doc.base, doc.text.len().min(NOWHERE as usize));
    }

    /// Where in the payload a string of its stands, `NOWHERE` if it does not.
    #[inline]
    fn position(&self, text: &str) -> u32 {
        let (base, len) = self.parsed;
        // Elsewhere in memory is before or behind it, so one comparison does.
        let at = (text.as_ptr() as usize).wrapping_sub(base);
        if at < len { at as u32 } else { NOWHERE }
    }

    /// Declares that the dialect does not look at the member that this key of the payload has, nor
    /// at anything in it: any other value would give the same deltas.
    #[inline]
    pub(crate) fn ignored(&mut self, key: &str) {
        self.mark(key, None);
    }

    /// Declares that the member that this key of the payload has is a token count, and that nothing
    /// depends on it but that count.
    pub(crate) fn count(&mut self, key: &str, count: Count) {
        self.mark(key, Some(count));
    }

    #[inline]
    fn mark(&mut self, key: &str, count: Option<Count>) {
        let at = self.position(key);
        if at != NOWHERE && fallible::push(&mut self.marks, Mark { at, count }).is_err() {
            self.set_out_of_memory();
        }
    }

    /// Declares that what the event does to what is known of the response depends on its text.
    pub(crate) fn unique(&mut self) {
        self.is_unique = true;
    }

    /// Declares that what the event gives depends on which tools were called.
    pub(crate) fn use_tools(&mut self) {
        self.uses_tools = true;
    }

    pub(crate) fn uses_tools(&self) -> bool {
        self.uses_tools
    }

    pub(crate) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(crate) fn queued(&self) -> &[Queued] {
        &self.queued
    }

    /// Returns the positions of the queued texts, each with its offset in the payload.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (u8, usize)> {
        (0..)
            .zip(&self.queued)
            .filter_map(|(n, queued)| Some((n, queued.text()?.place()?)))
    }

    /// Whether another event like this one would give the same deltas but for their texts and
    /// counts.
    pub(crate) fn is_repeatable(&self) -> bool {
        let has_place = |queued: &Queued| queued.text().is_some_and(|text| text.place().is_some());
        let is_usage = |queued: &&Queued| matches!(queued, Queued::Usage);
        !self.is_unique
            && self.queued.len() <= usize::from(u8::MAX)
            && self
                .queued
                .iter()
                .all(|queued| has_place(queued) || is_usage(&queued))
            && self.queued.iter().filter(is_usage).count() <= 1
    }

    /// Whether the event's usage has this count from one member alone.
    pub(crate) fn is_count(&self, count: Count, value: u64) -> bool {
        let of = self
            .marks
            .iter()
            .filter(|mark| mark.count == Some(count))
            .count();
        let mut usage = self.usage;
        of == 1 && *count.of(&mut usage) == Some(value)
    }

    /// The token counts of the event.
    pub(crate) fn counts(&self) -> Option<Usage> {
        let is_usage = |queued: &Queued| matches!(queued, Queued::Usage);
        self.queued.iter().any(is_usage).then_some(self.usage)
    }

    /// Queues the token counts of another event.
    pub(crate) fn repeat_usage(&mut self, usage: Usage) {
        self.usage = usage;
        self.push(Queued::Usage);
    }

    /// Queues the delta of another event with the text that `write` appends.
    pub(crate) fn repeat_with(
        &mut self,
        mut queued: Queued,
        write: impl FnOnce(&mut String) -> Result<(), OutOfMemory>,
    ) {
        let start = self.text.len();
        if write(&mut self.text).is_err() {
            self.set_out_of_memory();
        }
        if let Queued::Piece { text, .. } | Queued::ToolCallArguments { fragment: text, .. } =
            &mut queued
        {
            *text = self.span(start, NOWHERE);
        }
        if self.text.len() > start {
            self.push(queued);
        }
    }

    /// Returns the capacity that the queue keeps: bytes, and deltas of some 50 bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.raw.capacity() + self.queued.capacity()
    }

    /// Whether a delta waits to be handed out.
    #[inline]
    pub(crate) fn has_next(&self) -> bool {
        self.next < self.queued.len()
    }

    /// Whether the delta that waits is the event's last.
    #[inline]
    pub(crate) fn is_last(&self) -> bool {
        self.next + 1 == self.queued.len()
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len();
        if fallible::push_str(&mut self.text, text).is_err() {
            self.set_out_of_memory();
        }
        let at = self.position(text);
        self.span(start, at)
    }

    /// The span from `start` to the end of the text.
    fn span(&self, start: usize, at: u32) -> Span {
        let narrow = |pos| u32::try_from(pos).unwrap_or(u32::MAX);
        Span {
            start: narrow(start),
            end: narrow(self.text.len()),
            at,
        }
    }

    /// Keeps a number without the detour over a string of its own.
    fn keep_shown(&mut self, what: &dyn fmt::Display) -> Span {
        let start = self.text.len();
        let shown = write!(TryWriter(&mut self.text), "{what}");
        self.is_out_of_memory |= shown.is_err();
        self.span(start, NOWHERE)
    }

    pub(crate) fn start(&mut self, id: &str, model: &str, role: &str) {
        let (id, model, role) = (self.keep(id), self.keep(model), self.keep(role));
        self.push(Queued::Start { id, model, role });
    }

    /// Adds the role to the event's own start. Returns false where it has none.
    pub(crate) fn set_role(&mut self, text: &str) -> bool {
        let kept = self.keep(text);
        // Not far back, where it is the event's own: without a bound the work would grow with the square
        // of the queued.
        for queued in self.queued.iter_mut().rev().take(64) {
            if let Queued::Start { role, .. } = queued {
                *role = kept;
                return true;
            }
        }
        false
    }

    /// A piece of text; an empty one is none.
    // What most events are; to call it costs as much as it does.
    #[inline(always)]
    pub(crate) fn piece(&mut self, kind: TextKind, choice: u32, text: &str) {
        if !text.is_empty() {
            let text = self.keep(text);
            self.push(Queued::Piece { kind, choice, text });
        }
    }

    /// The start of a call: choice, index, ID and name.
    pub(crate) fn tool_call_start(&mut self, start: (u32, i32, &str, &str), is_server: bool) {
        let (choice, index, id, name) = start;
        let (id, name) = (self.keep(id), self.keep(name));
        self.push(Queued::ToolCallStart {
            choice,
            index,
            id,
            name,
            is_server,
        });
    }

    /// A piece of arguments; an empty one is none.
    pub(crate) fn tool_call_arguments(
        &mut self,
        choice: u32,
        index: i32,
        fragment: &str,
        whole: bool,
    ) {
        self.arguments(choice, index, fragment, whole, false);
    }

    /// The same, where the provider may run the call.
    pub(crate) fn arguments(
        &mut self,
        choice: u32,
        index: i32,
        fragment: &str,
        whole: bool,
        is_server: bool,
    ) {
        if !fragment.is_empty() {
            let fragment = self.keep(fragment);
            let queued = Queued::ToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                is_server,
            };
            self.push(queued);
        }
    }

    pub(crate) fn finish(&mut self, choice: u32, reason: FinishReason, raw: &str) {
        let raw = self.keep(raw);
        self.push(Queued::Finish {
            choice,
            reason,
            raw,
        });
    }

    /// Token counts; none where nothing is known.
    pub(crate) fn usage(&mut self, usage: Usage) {
        if usage.is_empty() {
            return;
        }
        if !self
            .queued
            .iter()
            .any(|queued| matches!(queued, Queued::Usage))
        {
            self.usage = Usage::default();
            self.push(Queued::Usage);
        }
        self.usage.merge(&usage);
    }

    pub(crate) fn error(
        &mut self,
        kind: ErrorKind,
        transient: bool,
        code: &dyn fmt::Display,
        message: &str,
        payload: &[u8],
    ) {
        let (code, message) = (self.keep_shown(code), self.keep(message));
        self.keep_raw(payload);
        self.push(Queued::Error {
            kind,
            transient,
            code,
            message,
        });
    }

    pub(crate) fn other(&mut self, event: &str, payload: &[u8]) {
        let event = self.keep(event);
        self.keep_raw(payload);
        self.push(Queued::Other { event });
    }

    pub(crate) fn done(&mut self) {
        self.push(Queued::Done);
    }

    fn keep_raw(&mut self, payload: &[u8]) {
        if self.raw.is_empty() && fallible::extend(&mut self.raw, payload).is_err() {
            self.set_out_of_memory();
        }
    }

    /// The next delta.
    pub(crate) fn next(&mut self) -> Option<Delta<'_>> {
        let queued = self.queued.get(self.next)?;
        self.next += 1;
        let text = |span: Span| {
            self.text
                .get(span.start as usize..span.end as usize)
                .unwrap_or_default()
        };
        Some(match *queued {
            Queued::Start { id, model, role } => Delta::Start {
                id: text(id),
                model: text(model),
                role: text(role),
            },
            Queued::Piece { text: piece, .. }
            | Queued::ToolCallArguments {
                fragment: piece, ..
            } => return queued.with(text(piece)),
            Queued::ToolCallStart {
                choice,
                index,
                id,
                name,
                is_server: false,
            } => Delta::ToolCallStart {
                choice,
                index,
                id: text(id),
                name: text(name),
            },
            Queued::ToolCallStart {
                choice,
                index,
                id,
                name,
                is_server: true,
            } => Delta::ServerToolCallStart {
                choice,
                index,
                id: text(id),
                name: text(name),
            },
            Queued::Finish {
                choice,
                reason,
                raw,
            } => Delta::Finish {
                choice,
                reason,
                raw: text(raw),
            },
            Queued::Usage => Delta::Usage(self.usage),
            Queued::Error {
                kind,
                transient,
                code,
                message,
            } => Delta::Error(StreamError {
                kind,
                code: text(code),
                message: text(message),
                transient,
                raw: &self.raw,
            }),
            Queued::Other { event } => Delta::Other {
                event: text(event),
                raw: &self.raw,
            },
            Queued::Done => Delta::Done,
        })
    }
}
