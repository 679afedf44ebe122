//! The queue: where a dialect puts the deltas of an event.
//!
//! The payload of an event may be gone when its second delta is returned. So the queue copies the
//! strings of its deltas into a text of its own.
//!
//! Dialects queue what they find and go on. If memory runs out the queue remembers that
//! ([`Queue::is_out_of_memory`]), and the event as a whole becomes invalid.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::count::Count;
use super::details::{Details, Latest, MAX_NAME_BYTES, Path, hash_bytes};
pub(crate) use super::queued::Queued;
use super::queued::{CallRef, NOWHERE, Place, TextSpan};
use crate::delta::{Delta, ErrorKind, FinishReason, Scope, StreamError, TextKind, Usage};
use crate::fallible::{self, OutOfMemory, TryWriter};
use crate::json::{Span, Str};

/// The deltas of one event that were not returned yet.
#[derive(Default)]
pub(crate) struct Queue {
    queued: Vec<Queued>,
    next: usize,
    /// Deltas that come after the pieces: errors, then details. Moved to `queued` at the end.
    errors: Vec<Queued>,
    details: Vec<Queued>,
    text: String,
    /// The token counts of the event, if it has any.
    usage: Option<Usage>,
    is_done: bool,
    /// The event's payload, kept only if a delta shows it.
    raw: Vec<u8>,
    /// Members that no dialect code used, of the objects that are being read.
    members: Vec<Member>,
    /// The same of the root, while a dialect reads the payload for the first time.
    root_members: Vec<Member>,
    /// Values of the payload that may vary in events of the same shape.
    marks: Vec<Mark>,
    /// Interpreting the event changed the state in a way that depends on its text.
    is_unique: bool,
    /// The deltas depend on which tools were called.
    uses_tools: bool,
    /// The event has members that are compared with the details table.
    uses_details: bool,
    out_of_memory: bool,
}

/// A member of an object in the payload.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// The name, between its quotes.
    key: Span,
    value: Span,
}

/// A value that may vary from event to event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) value: Span,
    pub(crate) meaning: Meaning,
}

/// What a value that may vary means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The dialect ignores it.
    Ignored,
    /// The dialect ignores it, and it differs from event to event.
    Varying,
    /// It repeats the text of a delta.
    Repeated,
    Count(Count),
}

/// A value of a payload that is reported as a detail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DetailValue<'d> {
    /// The payload.
    pub(crate) text: &'d str,
    pub(crate) span: Span,
    /// Other values of its kind are details too.
    pub(crate) may_vary: bool,
}

/// Which object an unknown member belongs to while the payload is read for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Root,
    /// The first inner object of interest: a choice, an item, a block.
    Inner,
}

/// Where the unknown members of an object begin, see [`Queue::begin_object`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members(usize);

impl Queue {
    pub(crate) const fn new() -> Self {
        Queue {
            queued: Vec::new(),
            next: 0,
            errors: Vec::new(),
            details: Vec::new(),
            text: String::new(),
            usage: None,
            is_done: false,
            raw: Vec::new(),
            members: Vec::new(),
            root_members: Vec::new(),
            marks: Vec::new(),
            is_unique: false,
            uses_tools: false,
            uses_details: false,
            out_of_memory: false,
        }
    }

    /// Forgets the event and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.queued.clear();
        self.next = 0;
        self.errors.clear();
        self.details.clear();
        self.text.clear();
        self.usage = None;
        self.is_done = false;
        self.raw.clear();
        self.members.clear();
        self.root_members.clear();
        self.marks.clear();
        self.is_unique = false;
        self.uses_tools = false;
        self.uses_details = false;
        self.out_of_memory = false;
    }

    /// Returns how much memory the queue keeps, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        let deltas = [&self.queued, &self.errors, &self.details];
        let deltas: usize = deltas.iter().map(|list| list.capacity()).sum();
        let members = self.members.capacity() + self.root_members.capacity();
        self.text.capacity()
            + self.raw.capacity()
            + deltas * size_of::<Queued>()
            + members * size_of::<Member>()
            + self.marks.capacity() * size_of::<Mark>()
    }

    #[cold]
    pub(crate) fn set_out_of_memory(&mut self) {
        self.out_of_memory = true;
    }

    #[inline]
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.out_of_memory
    }

    /// Records a failed allocation.
    #[inline]
    pub(crate) fn check<T>(&mut self, result: Result<T, OutOfMemory>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(OutOfMemory) => {
                self.set_out_of_memory();
                None
            }
        }
    }

    #[inline]
    fn push(&mut self, queued: Queued) {
        if fallible::push(&mut self.queued, queued).is_err() {
            self.set_out_of_memory();
        }
    }

    /// Puts the deltas of the event in order: usage, errors, details and the end come last.
    pub(crate) fn seal(&mut self) {
        if self.usage.is_some() {
            self.push(Queued::Usage);
        }
        for from in [&mut self.errors, &mut self.details] {
            if !from.is_empty() && fallible::extend(&mut self.queued, from).is_err() {
                self.out_of_memory = true;
            }
            from.clear();
        }
        if core::mem::take(&mut self.is_done) {
            self.push(Queued::Done);
        }
        self.members.clear();
        self.root_members.clear();
    }

    // What templates need.

    /// Declares that the dialect ignores a value: any other scalar would make the same deltas.
    #[inline]
    pub(crate) fn ignored(&mut self, value: Span) {
        self.mark(value, Meaning::Ignored);
    }

    /// Declares the same of a value that differs from event to event.
    #[inline]
    pub(crate) fn varies(&mut self, value: Span) {
        self.mark(value, Meaning::Varying);
    }

    /// Declares that a string repeats the text of a delta, so that it is not a detail.
    #[inline]
    pub(crate) fn repeated(&mut self, value: Span) {
        self.mark(value, Meaning::Repeated);
    }

    /// Declares that a value is a token count, and that nothing depends on it except that count.
    #[inline]
    pub(crate) fn count(&mut self, value: Span, count: Count) {
        self.mark(value, Meaning::Count(count));
    }

    #[inline]
    fn mark(&mut self, value: Span, meaning: Meaning) {
        if fallible::push(&mut self.marks, Mark { value, meaning }).is_err() {
            self.set_out_of_memory();
        }
    }

    /// Declares that the event changes the state of the response in a way that depends on its text.
    pub(crate) fn unique(&mut self) {
        self.is_unique = true;
    }

    /// Declares that the deltas depend on which tools were called.
    pub(crate) fn use_tools(&mut self) {
        self.uses_tools = true;
    }

    pub(crate) fn uses_tools(&self) -> bool {
        self.uses_tools
    }

    pub(crate) fn uses_details(&self) -> bool {
        self.uses_details
    }

    pub(crate) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(crate) fn queued(&self) -> &[Queued] {
        &self.queued
    }

    /// Returns the positions of the deltas that are text, and where it stands in the payload.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (u8, usize)> {
        (0..)
            .zip(&self.queued)
            .filter_map(|(n, queued)| Some((n, queued.text()?.place()?)))
    }

    /// Returns true if another event like this one would make the same deltas except for their texts
    /// and counts.
    pub(crate) fn is_repeatable(&self) -> bool {
        let has_place = |queued: &Queued| queued.text().is_some_and(|text| text.place().is_some());
        let is_other = |queued: &Queued| matches!(queued, Queued::Usage | Queued::Detail { .. });
        !self.is_unique
            && self.queued.len() <= usize::from(u8::MAX)
            && self
                .queued
                .iter()
                .all(|queued| has_place(queued) || is_other(queued))
    }

    /// Returns true if the event's usage has this count from one member alone.
    pub(crate) fn is_count(&self, count: Count, value: u64) -> bool {
        let marks = self.marks.iter();
        let of = marks
            .filter(|mark| mark.meaning == Meaning::Count(count))
            .count();
        let mut usage = self.usage.unwrap_or_default();
        of == 1 && *count.of(&mut usage) == Some(value)
    }

    /// Returns the token counts of the event.
    pub(crate) fn counts(&self) -> Option<Usage> {
        self.usage
    }

    /// Returns the positions of the details, and where their values stand in the payload if they may
    /// vary.
    pub(crate) fn varying(&self) -> impl Iterator<Item = (u8, Option<usize>, bool)> {
        (0..)
            .zip(&self.queued)
            .filter_map(|(n, queued)| match *queued {
                Queued::Detail {
                    value, is_piece, ..
                } => Some((n, value.place(), is_piece)),
                _ => None,
            })
    }

    /// Returns a name of a queued detail.
    pub(crate) fn text_of(&self, span: TextSpan) -> &str {
        let text = self.text.get(span.start as usize..span.end as usize);
        text.unwrap_or_default()
    }

    /// Queues a detail of a template's event.
    pub(crate) fn repeat_detail(&mut self, mut queued: Queued, new_name: &str, new_value: &str) {
        if let Queued::Detail { name, value, .. } = &mut queued {
            (*name, *value) = (self.keep(new_name), self.keep(new_value));
        }
        self.push(queued);
    }

    /// Drops the details whose value is the latest one of its place, and records the others. Their places
    /// are known.
    pub(crate) fn drop_repeated(&mut self, details: &mut Details) {
        let text = &self.text;
        self.queued.retain(|queued| match *queued {
            Queued::Detail {
                value,
                place,
                is_piece: false,
                ..
            } => {
                let value = text.get(value.start as usize..value.end as usize);
                let value = hash_value(value.unwrap_or_default());
                !matches!(details.record(place.hash(), value), Ok(Latest::Same { .. }))
            }
            _ => true,
        });
    }

    /// Queues the counts of a template's event at the current position.
    pub(crate) fn repeat_usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
        self.push(Queued::Usage);
    }

    /// Queues the delta of a template's event with the text that `write` appends.
    pub(crate) fn repeat_with(
        &mut self,
        mut queued: Queued,
        write: impl FnOnce(&mut String) -> Result<(), OutOfMemory>,
    ) {
        let start = self.text.len();
        if write(&mut self.text).is_err() {
            self.set_out_of_memory();
        }
        if let Queued::Piece { text, .. } | Queued::Arguments { fragment: text, .. } = &mut queued {
            *text = self.span_from(start, NOWHERE);
        }
        if self.text.len() > start {
            self.push(queued);
        }
    }

    // What dialects queue.

    /// Appends text to the queue's own.
    fn keep(&mut self, text: &str) -> TextSpan {
        let start = self.text.len();
        if fallible::push_str(&mut self.text, text).is_err() {
            self.set_out_of_memory();
        }
        self.span_from(start, NOWHERE)
    }

    /// Appends a string of the payload to the queue's own text.
    #[inline]
    fn keep_str(&mut self, text: Str<'_>) -> TextSpan {
        let start = self.text.len();
        match text.plain() {
            Some(plain) => {
                if fallible::push_str(&mut self.text, plain).is_err() {
                    self.set_out_of_memory();
                }
                self.span_from(start, text.start() as u32)
            }
            None => {
                if text.unescape_into(&mut self.text).is_err() {
                    self.set_out_of_memory();
                }
                self.span_from(start, text.start() as u32)
            }
        }
    }

    /// Returns the span from `start` to the end of the text.
    #[inline]
    fn span_from(&self, start: usize, at: u32) -> TextSpan {
        TextSpan {
            start: start as u32,
            end: self.text.len() as u32,
            at,
        }
    }

    /// Appends what `value` displays to the queue's own text.
    fn keep_shown(&mut self, value: &dyn fmt::Display) -> TextSpan {
        let start = self.text.len();
        let shown = write!(TryWriter(&mut self.text), "{value}");
        self.out_of_memory |= shown.is_err();
        self.span_from(start, NOWHERE)
    }

    /// Queues the start before all other deltas of the event. A later start of the same event replaces
    /// it.
    pub(crate) fn start(&mut self, id: &str, model: &str, role: &str) {
        let start = Queued::Start {
            id: self.keep(id),
            model: self.keep(model),
            role: self.keep(role),
        };
        match self.queued.first_mut() {
            Some(first @ Queued::Start { .. }) => *first = start,
            Some(_) => {
                if self.queued.try_reserve(1).is_ok() {
                    self.queued.insert(0, start);
                } else {
                    self.set_out_of_memory();
                }
            }
            None => self.push(start),
        }
    }

    /// Queues a piece of text unless it is empty.
    #[inline]
    pub(crate) fn piece(&mut self, kind: TextKind, choice: u32, part: u32, text: Str<'_>) {
        if !text.is_empty() {
            let text = self.keep_str(text);
            self.push(Queued::Piece {
                kind,
                choice,
                part,
                text,
            });
        }
    }

    /// Queues a piece of plain text unless it is empty.
    pub(crate) fn plain_piece(&mut self, kind: TextKind, choice: u32, part: u32, text: &str) {
        if !text.is_empty() {
            let text = self.keep(text);
            self.push(Queued::Piece {
                kind,
                choice,
                part,
                text,
            });
        }
    }

    /// Queues the start of a call.
    pub(crate) fn call_start(&mut self, call: CallRef, id: &str, name: &str) {
        let (id, name) = (self.keep(id), self.keep(name));
        self.push(Queued::CallStart { call, id, name });
    }

    /// Queues a piece of arguments unless it is empty.
    pub(crate) fn arguments(&mut self, call: CallRef, fragment: Str<'_>, whole: bool) {
        if !fragment.is_empty() {
            let fragment = self.keep_str(fragment);
            self.push(Queued::Arguments {
                call,
                fragment,
                whole,
            });
        }
    }

    /// Queues the JSON text of a call's arguments.
    pub(crate) fn json_arguments(&mut self, call: CallRef, json: &str) {
        if !json.is_empty() {
            let fragment = self.keep(json);
            self.push(Queued::Arguments {
                call,
                fragment,
                whole: true,
            });
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

    /// Merges token counts into those of the event.
    pub(crate) fn usage(&mut self, usage: Usage) {
        if !usage.is_empty() {
            self.usage.get_or_insert_default().merge(&usage);
        }
    }

    pub(crate) fn error(
        &mut self,
        kind: ErrorKind,
        code: &dyn fmt::Display,
        message: &dyn fmt::Display,
        payload: &[u8],
    ) {
        let error = Queued::Error {
            kind,
            transient: kind.is_transient(),
            code: self.keep_shown(code),
            message: self.keep_shown(message),
        };
        self.keep_raw(payload);
        if fallible::push(&mut self.errors, error).is_err() {
            self.set_out_of_memory();
        }
    }

    pub(crate) fn other(&mut self, event: &str, payload: &[u8]) {
        let event = self.keep(event);
        self.keep_raw(payload);
        self.push(Queued::Other { event });
    }

    /// Returns true if the event reports an error of the provider.
    pub(crate) fn has_error(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) fn done(&mut self) {
        self.is_done = true;
    }

    fn keep_raw(&mut self, payload: &[u8]) {
        if self.raw.is_empty() && fallible::extend(&mut self.raw, payload).is_err() {
            self.set_out_of_memory();
        }
    }

    // Details.

    /// Begins to collect the unknown members of an object. Objects nest.
    #[inline]
    pub(crate) fn begin_object(&self) -> Members {
        Members(self.members.len())
    }

    /// Adds a member that the dialect does not use.
    #[inline]
    pub(crate) fn unknown(&mut self, key: Span, value: Span) {
        if fallible::push(&mut self.members, Member { key, value }).is_err() {
            self.set_out_of_memory();
        }
    }

    /// Adds a member of the root or of an inner object.
    #[inline]
    pub(crate) fn unknown_at(&mut self, level: Level, key: Span, value: Span) {
        match level {
            Level::Inner => self.unknown(key, value),
            Level::Root => {
                let member = Member { key, value };
                if fallible::push(&mut self.root_members, member).is_err() {
                    self.set_out_of_memory();
                }
            }
        }
    }

    /// Reports the unknown members of the root as details of the response.
    pub(crate) fn end_root(&mut self, details: &mut Details, path: &Path<'_>, text: &str) {
        if self.root_members.is_empty() {
            return;
        }
        let from = self.members.len();
        let root = core::mem::take(&mut self.root_members);
        if fallible::extend(&mut self.members, &root).is_err() {
            self.set_out_of_memory();
        }
        self.root_members = root;
        self.root_members.clear();
        let whole = Span {
            start: 0,
            end: text.len() as u32,
        };
        self.end_object(Members(from), details, Scope::Response, path, text, whole);
    }

    /// Returns true if unknown members of inner objects were collected.
    #[inline]
    pub(crate) fn has_unknown(&self) -> bool {
        !self.members.is_empty()
    }

    /// Returns true if unknown members were collected since `members`.
    pub(crate) fn has_unknown_since(&self, members: Members) -> bool {
        self.members.len() > members.0
    }

    /// Forgets the unknown members that were collected since `members`.
    pub(crate) fn forget_members(&mut self, members: Members) {
        self.members.truncate(members.0);
    }

    /// Forgets the unknown members with this name.
    pub(crate) fn forget_named(&mut self, text: &str, name: &str) {
        self.members.retain(|member| member.key.of(text) != name);
    }

    /// Forgets the unknown members of the root.
    pub(crate) fn forget_root(&mut self) {
        self.root_members.clear();
    }

    /// Reports all collected members of inner objects.
    pub(crate) fn end_all(
        &mut self,
        details: &mut Details,
        scope: Scope,
        path: &Path<'_>,
        text: &str,
        object: Span,
    ) {
        self.end_object(Members(0), details, scope, path, text, object);
    }

    /// Returns true if the root has an unknown member of this name.
    #[inline]
    pub(crate) fn has_unknown_root(&self, text: &str, name: &str) -> bool {
        let mut members = self.root_members.iter();
        members.any(|member| member.key.of(text) == name)
    }

    /// Reports the unknown members since [`begin_object`](Self::begin_object) as details, unless they
    /// are the same as the last time. `object` is the text of the object they belong to.
    #[inline]
    pub(crate) fn end_object(
        &mut self,
        members: Members,
        details: &mut Details,
        scope: Scope,
        path: &Path<'_>,
        text: &str,
        object: Span,
    ) {
        if self.members.len() > members.0 {
            self.report_members(members.0, details, scope, path, text, object);
            self.members.truncate(members.0);
        }
    }

    fn report_members(
        &mut self,
        from: usize,
        details: &mut Details,
        scope: Scope,
        path: &Path<'_>,
        text: &str,
        object: Span,
    ) {
        if !details.is_enabled() {
            return;
        }
        self.uses_details = true;
        let place = path.place(scope);
        let members = self.members.get(from..).unwrap_or_default();
        let digest = members.iter().fold(0, |digest, member| {
            let both = Span {
                start: member.key.start,
                end: member.value.end,
            };
            hash_bytes(digest, both.of(text).as_bytes())
        });
        let known = details.repeats_object(place, digest);
        if self.check(known) == Some(true) {
            return;
        }
        let mut has_changed = false;
        for at in from..self.members.len() {
            let Some(Member { key, value }) = self.members.get(at).copied() else {
                continue;
            };
            let raw = key.of(text);
            let mut unescaped = String::new();
            let name = if raw.contains('\\') {
                // Names with escapes are rare, and shown as readers of JSON see them.
                let string = crate::json::Reader::at(text, key.start as usize - 1).string();
                let string = string.unwrap_or_default();
                if string.unescape_into(&mut unescaped).is_err() {
                    self.set_out_of_memory();
                }
                unescaped.as_str()
            } else {
                raw
            };
            if name.len() > MAX_NAME_BYTES {
                let value = DetailValue {
                    text,
                    span: object,
                    may_vary: false,
                };
                self.detail(details, scope, path, value);
                return;
            }
            let value = DetailValue {
                text,
                span: value,
                may_vary: true,
            };
            let latest = self.detail(details, scope, &path.key(name), value);
            has_changed |= latest == Some(Latest::Changed);
        }
        if has_changed {
            details.vary_object(place);
        }
    }

    /// Reports a value as a detail unless it is the latest one of its place.
    pub(crate) fn detail(
        &mut self,
        details: &mut Details,
        scope: Scope,
        path: &Path<'_>,
        value: DetailValue<'_>,
    ) -> Option<Latest> {
        if !details.is_enabled() {
            return None;
        }
        self.uses_details = true;
        let place = path.place(scope);
        let json = value.span.of(value.text);
        // A null that was never anything else says nothing.
        if json == "null" && details.is_new(place) {
            return None;
        }
        let latest = details.record(place, hash_value(json));
        let latest = self.check(latest)?;
        if let Latest::Same { is_varying } = latest {
            // An event that repeats a value is not like the ones that change it.
            self.is_unique |= is_varying;
        } else {
            // A value that came once may never change, so it needs no hole yet.
            self.is_unique |= latest == Latest::New;
            self.push_detail(scope, path, place, value, false);
        }
        Some(latest)
    }

    /// Reports a value as a detail, whatever the latest one was.
    pub(crate) fn piece_detail(&mut self, scope: Scope, path: &Path<'_>, text: &str, value: Span) {
        let value = DetailValue {
            text,
            span: value,
            may_vary: true,
        };
        self.push_detail(scope, path, path.place(scope), value, true);
    }

    fn push_detail(
        &mut self,
        scope: Scope,
        path: &Path<'_>,
        place: u64,
        value: DetailValue<'_>,
        is_piece: bool,
    ) {
        let start = self.text.len();
        let written = path.write(&mut self.text, start);
        self.check(written);
        let name = self.span_from(start, NOWHERE);
        let mut kept = self.keep(value.span.of(value.text));
        // Another type may be one that the dialect knows.
        if value.may_vary && !path.tells_type() {
            kept.at = value.span.start;
        }
        let detail = Queued::Detail {
            scope,
            name,
            value: kept,
            place: Place::new(place),
            is_piece,
        };
        if fallible::push(&mut self.details, detail).is_err() {
            self.set_out_of_memory();
        }
    }

    // What the decoder returns.

    /// Returns true if a delta waits to be returned.
    #[inline]
    pub(crate) fn has_next(&self) -> bool {
        self.next < self.queued.len()
    }

    /// Returns true if the next delta is the last one.
    #[inline]
    pub(crate) fn is_last(&self) -> bool {
        self.next + 1 == self.queued.len()
    }

    /// Returns the next delta.
    pub(crate) fn next(&mut self) -> Option<Delta<'_>> {
        let queued = self.queued.get(self.next)?;
        self.next += 1;
        let text = |span: TextSpan| {
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
            | Queued::Arguments {
                fragment: piece, ..
            } => return queued.with(text(piece)),
            Queued::CallStart { call, id, name } => {
                let CallRef {
                    choice,
                    part,
                    index,
                    is_server,
                } = call;
                let (id, name) = (text(id), text(name));
                if is_server {
                    Delta::ServerToolCallStart {
                        choice,
                        part,
                        index,
                        id,
                        name,
                    }
                } else {
                    Delta::ToolCallStart {
                        choice,
                        part,
                        index,
                        id,
                        name,
                    }
                }
            }
            Queued::Finish {
                choice,
                reason,
                raw,
            } => Delta::Finish {
                choice,
                reason,
                raw: text(raw),
            },
            Queued::Usage => Delta::Usage(self.usage.unwrap_or_default()),
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
            Queued::Detail {
                scope, name, value, ..
            } => Delta::Detail {
                scope,
                name: text(name),
                value: text(value),
            },
            Queued::Other { event } => Delta::Other {
                event: text(event),
                raw: &self.raw,
            },
            Queued::Done => Delta::Done,
        })
    }
}

/// Hashes the JSON text of a detail.
pub(crate) fn hash_value(json: &str) -> u64 {
    hash_bytes(1, json.as_bytes())
}
