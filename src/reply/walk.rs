//! Walking a payload: what dialects use to read objects, so that no member is lost.
//!
//! An event changes nothing unless its whole payload is JSON. So a dialect first reads the payload to
//! its end, and keeps the places of the values that it wants; then it decides. Values are read again
//! where they stand.
//!
//! The closures that read objects return true for each member that they used. The other members
//! become details.

use super::Payload;
use super::details::Path;
use super::parts::PartKey;
use super::progress::Progress;
use super::queue::{DetailValue, Level, Members, Queue};
use crate::delta::{Scope, TextKind};
use crate::json::{Key, Malformed, Reader, Span, Str, Value};

/// A value of the payload and its place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Member<'d> {
    pub(crate) value: Value<'d>,
    pub(crate) span: Span,
}

impl<'d> Member<'d> {
    /// Reads the next value.
    #[inline]
    pub(crate) fn read(reader: &mut Reader<'d>) -> Result<Self, Malformed> {
        let (value, span) = reader.value_and_place()?;
        Ok(Member { value, span })
    }

    /// Stores a string. Returns false for other values, except null.
    #[inline]
    pub(crate) fn text(self, to: &mut Str<'d>) -> bool {
        match self.value {
            Value::String(text) => *to = text,
            Value::Null => *to = Str::default(),
            _ => return false,
        }
        true
    }

    /// Stores the index of a choice. Returns false for other values, except null.
    pub(crate) fn choice(self, to: &mut u32) -> bool {
        match self.value.u32() {
            Some(index) => *to = index,
            None => return self.value.is_null(),
        }
        true
    }

    /// Stores the index of a call or a block. Returns false for other values, except null.
    pub(crate) fn index(self, to: &mut Option<i32>) -> bool {
        match self.value.i32() {
            Some(index) => *to = Some(index),
            None => return self.value.is_null(),
        }
        true
    }

    /// Stores true or false. Returns false for other values, except null.
    pub(crate) fn flag(self, to: &mut bool) -> bool {
        match self.value.bool() {
            Some(flag) => *to = flag,
            None => return self.value.is_null(),
        }
        true
    }

    /// Stores an object. Returns false for other values, except null.
    pub(crate) fn object(self, to: &mut Option<Span>) -> bool {
        match self.value {
            Value::Object(span) => *to = Some(span),
            Value::Null => *to = None,
            _ => return false,
        }
        true
    }

    /// Stores an array. Returns false for other values, except null.
    pub(crate) fn array(self, to: &mut Option<Span>) -> bool {
        match self.value {
            Value::Array(span) => *to = Some(span),
            Value::Null => *to = None,
            _ => return false,
        }
        true
    }

    /// Returns the string, or an empty one.
    pub(crate) fn str(self) -> Str<'d> {
        self.value.str().unwrap_or_default()
    }

    /// Returns the object's place.
    pub(crate) fn as_object(self) -> Option<Span> {
        match self.value {
            Value::Object(span) => Some(span),
            _ => None,
        }
    }

    /// Returns the array's place.
    pub(crate) fn as_array(self) -> Option<Span> {
        match self.value {
            Value::Array(span) => Some(span),
            _ => None,
        }
    }

    /// Returns true for null, false, an empty string, and an empty array or object.
    pub(crate) fn is_empty(self, text: &str) -> bool {
        match self.value {
            Value::Null | Value::Bool(false) => true,
            Value::String(string) => string.is_empty(),
            Value::Object(span) | Value::Array(span) => is_empty_container(span.of(text)),
            Value::Bool(true) | Value::Number(_) => false,
        }
    }
}

/// An event that is being interpreted, and the response that it belongs to.
pub(crate) struct Walk<'w, 'd> {
    pub(crate) payload: Payload<'d>,
    pub(crate) progress: &'w mut Progress,
    pub(crate) queue: &'w mut Queue,
}

/// What a dialect does with each member of an object. Returns true if it used the member.
type EachMember<'f, 'w, 'd> = dyn FnMut(&mut Walk<'w, 'd>, &str, Member<'d>) -> bool + 'f;

/// What a dialect does with each element of an array.
type EachElement<'f, 'w, 'd> = dyn FnMut(&mut Walk<'w, 'd>, usize, Member<'d>) + 'f;

impl<'w, 'd> Walk<'w, 'd> {
    /// The payload.
    #[inline]
    pub(crate) fn text(&self) -> &'d str {
        self.payload.text
    }

    /// Checks the whole payload and returns its root.
    pub(crate) fn root(&self) -> Result<Member<'d>, Malformed> {
        let mut reader = Reader::new(self.payload.text);
        let (value, span) = reader.check(self.payload.places)?;
        reader.end()?;
        Ok(Member { value, span })
    }

    /// Calls `f` for each member of an object of the checked payload. Members for which it returns false
    /// are collected as unknown.
    #[inline]
    pub(crate) fn members(
        &mut self,
        object: Span,
        mut f: impl FnMut(&mut Self, &str, Member<'d>) -> bool,
    ) {
        self.each_member(object, &mut f);
    }

    /// Does what [`members`](Self::members) does. The loop is large, so all dialects share one.
    #[inline(never)]
    fn each_member(&mut self, object: Span, f: &mut EachMember<'_, 'w, 'd>) {
        let mut reader = self.payload.reader(object);
        // The payload was checked, so this does not fail.
        let _ = reader.members(|reader, key| {
            let member = Member::read(reader)?;
            if !f(self, key.name(), member) {
                self.queue.unknown(key.span(), member.span);
            }
            Ok(())
        });
    }

    /// Reads an object like [`members`](Self::members) and reports its unknown members as details.
    pub(crate) fn object(
        &mut self,
        object: Span,
        scope: Scope,
        path: &Path<'_>,
        f: impl FnMut(&mut Self, &str, Member<'d>) -> bool,
    ) {
        let members = self.queue.begin_object();
        self.members(object, f);
        self.end_object(members, scope, path, object);
    }

    /// Reports the unknown members that were collected since `members`.
    #[inline]
    pub(crate) fn end_object(
        &mut self,
        members: Members,
        scope: Scope,
        path: &Path<'_>,
        object: Span,
    ) {
        self.queue.end_object(
            members,
            &mut self.progress.details,
            scope,
            path,
            self.payload.text,
            object,
        );
    }

    /// Reports all members of an object as details, except discriminators.
    pub(crate) fn rest(&mut self, object: Span, scope: Scope, path: &Path<'_>) {
        self.object(object, scope, path, |_, key, _| is_exempt(key));
    }

    /// Calls `f` for each element of an array of the checked payload.
    #[inline]
    pub(crate) fn elements(
        &mut self,
        array: Span,
        mut f: impl FnMut(&mut Self, usize, Member<'d>),
    ) {
        self.each_element(array, &mut f);
    }

    #[inline(never)]
    fn each_element(&mut self, array: Span, f: &mut EachElement<'_, 'w, 'd>) {
        let mut reader = self.payload.reader(array);
        let mut index = 0;
        // The payload was checked, so this does not fail.
        let _ = reader.elements(|reader| {
            let element = Member::read(reader)?;
            f(self, index, element);
            index += 1;
            Ok(())
        });
    }

    /// Returns the member of that name, the last one if there are several; null if there is none.
    pub(crate) fn get(&self, object: Span, name: &str) -> Member<'d> {
        get(self.payload, object, name)
    }

    /// Reports a value as a detail unless it is the latest one of its place.
    pub(crate) fn detail(&mut self, scope: Scope, path: &Path<'_>, member: Member<'d>) {
        let value = DetailValue {
            text: self.payload.text,
            span: member.span,
            may_vary: false,
        };
        self.queue
            .detail(&mut self.progress.details, scope, path, value);
    }

    /// Reports a value that belongs to a piece as a detail, whatever the latest one was. Returns true,
    /// as for a member that was used.
    pub(crate) fn piece_detail(
        &mut self,
        scope: Scope,
        path: &Path<'_>,
        member: Member<'d>,
    ) -> bool {
        if !member.is_empty(self.payload.text) && self.progress.details.is_enabled() {
            let text = self.payload.text;
            self.queue.piece_detail(scope, path, text, member.span);
        }
        true
    }

    /// Declares that a value only refers, counts or pads, so that it is not a detail. Returns true, as for a
    /// member that was used.
    #[inline]
    pub(crate) fn exempt(&mut self, member: Member<'_>) -> bool {
        self.queue.ignored(member.span);
        true
    }

    /// Declares the same of a value that differs from event to event.
    pub(crate) fn varies(&mut self, member: Member<'_>) -> bool {
        self.queue.varies(member.span);
        true
    }

    /// Reports the time at which the response was created, once.
    pub(crate) fn time(&mut self, created: Member<'d>, name: &str) {
        if created.value.is_null() {
            return;
        }
        let is_time = matches!(created.value, Value::Number(_) | Value::String(_));
        if is_time {
            self.queue.ignored(created.span);
        }
        if !(is_time && self.progress.has_time) {
            self.progress.has_time |= is_time;
            self.detail(Scope::Response, &Path::ROOT.key(name), created);
        }
    }

    /// Returns the number of a part.
    #[inline]
    pub(crate) fn part(&mut self, choice: u32, kind: u8, index: i32, inner: i32) -> u32 {
        let key = PartKey { kind, index, inner };
        let number = self.progress.parts.number(choice, key);
        self.queue.check(number).unwrap_or_default()
    }

    /// Queues a piece of a choice of which each kind of text is one part.
    #[inline]
    pub(crate) fn piece(&mut self, kind: TextKind, choice: u32, text: Str<'d>) {
        if !text.is_empty() {
            let part = self.part(choice, kind as u8, 0, 0);
            self.queue.piece(kind, choice, part, text);
        }
    }
}

/// Returns the member of that name, the last one if there are several; null if there is none.
pub(crate) fn get<'d>(payload: Payload<'d>, object: Span, name: &str) -> Member<'d> {
    find(payload.reader(object), name)
}

/// Returns the member of that name of the object at the reader, as [`get`] does.
pub(crate) fn find<'d>(mut reader: Reader<'d>, name: &str) -> Member<'d> {
    let mut found = Member::default();
    // The payload was checked, so this does not fail.
    let _ = reader.members(|reader, key| {
        if key.name() == name {
            found = Member::read(reader)?;
        } else {
            reader.skip()?;
        }
        Ok(())
    });
    found
}

/// Returns true for an array or object without elements or members.
pub(crate) fn is_empty_container(json: &str) -> bool {
    let inside = json.get(1..json.len().saturating_sub(1));
    inside.unwrap_or_default().trim_ascii().is_empty()
}

/// Returns true for members that only tell the kind of an object.
pub(crate) fn is_exempt(key: &str) -> bool {
    matches!(key, "type" | "object" | "event_type")
}

// Reading a payload for the first time, while it is not known to be JSON.

/// Reads a string. Another value is added to the root's or the inner unknown members.
#[inline]
pub(crate) fn string<'d>(
    reader: &mut Reader<'d>,
    key: Key<'_>,
    queue: &mut Queue,
    level: Level,
) -> Result<Str<'d>, Malformed> {
    if reader.is_at(b'"') {
        return reader.string();
    }
    let member = Member::read(reader)?;
    if !member.value.is_null() {
        queue.unknown_at(level, key.span(), member.span);
    }
    Ok(Str::default())
}

/// Adds a value to the unknown members.
#[inline]
pub(crate) fn unknown(
    reader: &mut Reader<'_>,
    key: Key<'_>,
    queue: &mut Queue,
    level: Level,
) -> Result<(), Malformed> {
    let value = reader.skip()?;
    queue.unknown_at(level, key.span(), value);
    Ok(())
}
