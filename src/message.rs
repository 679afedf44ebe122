//! Deltas put together into an owned message.
//!
//! [`Message::push`] takes in a delta, [`Message::finish`] how the stream ended. A whole response, one
//! that was not streamed, is read by [`Message::from_response`] into the same type.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::collections::HashMap;

use crate::decoder::{self, End, Error};
use crate::delta::{Delta, ErrorKind, FinishReason, Scope, Usage};
use crate::fallible::{self, OutOfMemory};

/// A reply, put together from the deltas of a stream or read from a whole response.
///
/// ```
/// use deltawire::{Delta, Message};
///
/// let mut message = Message::new();
/// message.push(&Delta::Text { choice: 0, part: 0, text: "Hel" });
/// message.push(&Delta::Text { choice: 0, part: 0, text: "lo" });
/// assert_eq!(message.text(), "Hello");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Message {
    /// The provider's name for the response; the first that came.
    pub id: Option<String>,
    /// The model that answered; the first that came.
    pub model: Option<String>,
    /// Whose message it is.
    pub role: Option<String>,
    /// The choices, by index. Requests for one choice have one.
    pub choices: Vec<Choice>,
    /// Token counts: of each number the last that came.
    pub usage: Usage,
    /// The first error that the provider reported in the stream.
    pub error: Option<ReportedError>,
    /// The values that have no field of their own, in the order in which they came. Values that have to be
    /// sent back with the next request are found here by the names that the provider documents.
    pub details: Vec<Detail>,
    /// The number of events that could not be decoded. If it is not 0, the reply may lack a piece.
    pub invalid: u64,
    /// The dialect's own terminator was seen; of a [whole response](Message::from_response): it has
    /// no error.
    pub done: bool,
    /// How the stream ended; `None` until [`Message::finish`]. A whole response without an error is
    /// complete.
    pub end: Option<End>,
    /// When things arrived, where the caller said so.
    pub timing: Timing,
    /// How many deltas were taken in: the order of tool calls of several choices.
    pushed: Private<usize>,
}

/// One of the replies to a prompt.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Choice {
    /// Its index on the wire, from 0.
    pub index: u32,
    /// The reply.
    pub text: String,
    /// The model's reasoning or its summary.
    pub reasoning: String,
    /// The model's refusal.
    pub refusal: String,
    /// The tool calls, in the order in which they began.
    pub tool_calls: Vec<ToolCall>,
    /// The calls of tools that the provider runs itself, in the order in which they began.
    pub server_tool_calls: Vec<ToolCall>,
    /// Why it ended; the last reason that came.
    pub finish: Option<Finish>,
    /// The parts of the texts, in order.
    segments: Vec<Segment>,
    /// Which call each index means at present, as a position in the calls of its kind.
    current: Private<HashMap<Meaning, usize>>,
}

/// A value that has no field of its own, see [`Delta::Detail`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// The object that the value belongs to.
    pub scope: Scope,
    /// The path of the value below that object.
    pub name: String,
    /// The value as JSON text.
    pub value: String,
}

/// The kinds of text in a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartKind {
    /// A piece of the reply.
    Text,
    /// A piece of the reasoning.
    Reasoning,
    /// A piece of the refusal.
    Refusal,
}

/// The text of a part, see [`Choice::parts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'m> {
    /// The part's number in its choice.
    pub number: u32,
    /// The kind of the text.
    pub kind: PartKind,
    /// The text.
    pub text: &'m str,
}

/// Consecutive text of one part: it ends at this byte of the choice's text of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    number: u32,
    kind: PartKind,
    start: usize,
    end: usize,
}

/// What putting a message together takes and its reader does not see: no difference between two
/// messages.
#[derive(Clone, Copy, Default)]
struct Private<T>(T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl<T> PartialEq for Private<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// What stands for a call on the wire: its index, and whether the provider runs its tool.
type Meaning = (i32, bool);

/// An ID that comes again at an index which has meant another call since is looked for among so many of
/// the latest calls: without a bound the work would grow with their square.
const MAX_LOOKED_BACK: usize = 1024;

/// A call of one of the caller's tools.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ToolCall {
    /// The index of the call in the stream, or else a running count.
    pub index: i32,
    /// The number of the part that the call is, among the parts of its choice.
    pub part: u32,
    /// The provider's name for this call; empty where it gave none.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: JSON text, if the model wrote it right.
    pub arguments: String,
    /// Which of the message's deltas it began with.
    order: Private<usize>,
}

/// Why a choice ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finish {
    /// In the common vocabulary.
    pub reason: FinishReason,
    /// In the provider's words.
    pub raw: String,
}

/// An error that the provider reported, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedError {
    /// What went wrong, in the common vocabulary.
    pub kind: ErrorKind,
    /// The provider's code, else its type; empty where there is neither.
    pub code: String,
    /// The provider's message.
    pub message: String,
    /// Whether the same request may succeed later.
    pub transient: bool,
}

/// When the pieces of a message arrived, in time since the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Timing {
    /// The arrival of each piece of text, reasoning, refusal or arguments: often a token, sometimes
    /// several.
    pub pieces: Vec<Duration>,
    /// The arrival of the last delta.
    pub whole: Option<Duration>,
}

impl Message {
    /// A message of which nothing has come.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a delta. Ends the process where there is no memory for it, as a `String` that grows
    /// does; [`try_push`](Self::try_push) does not.
    pub fn push(&mut self, delta: &Delta<'_>) {
        if self.try_push(delta).is_err() {
            fallible::give_up(size_of::<Choice>());
        }
    }

    /// Appends a delta.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]: nothing of the delta is kept, except that its choice or its call exists.
    pub fn try_push(&mut self, delta: &Delta<'_>) -> Result<(), OutOfMemory> {
        self.put(delta)?;
        self.pushed.0 += 1;
        Ok(())
    }

    fn put(&mut self, delta: &Delta<'_>) -> Result<(), OutOfMemory> {
        let order = self.pushed;
        match *delta {
            Delta::Start { id, model, role } => {
                let news = |known: &Option<String>, said: &str| {
                    if known.is_none() && !said.is_empty() {
                        fallible::copy(said).map(Some)
                    } else {
                        Ok(None)
                    }
                };
                let id = news(&self.id, id)?;
                let model = news(&self.model, model)?;
                let role = news(&self.role, role)?;
                self.id = self.id.take().or(id);
                self.model = self.model.take().or(model);
                self.role = self.role.take().or(role);
            }
            Delta::Text { choice, part, text } => {
                return self.choice_mut(choice)?.piece(PartKind::Text, part, text);
            }
            Delta::Reasoning { choice, part, text } => {
                return self
                    .choice_mut(choice)?
                    .piece(PartKind::Reasoning, part, text);
            }
            Delta::Refusal { choice, part, text } => {
                return self
                    .choice_mut(choice)?
                    .piece(PartKind::Refusal, part, text);
            }
            Delta::ToolCallStart {
                choice,
                part,
                index,
                id,
                name,
            }
            | Delta::ServerToolCallStart {
                choice,
                part,
                index,
                id,
                name,
            } => {
                let start = ToolCall {
                    index,
                    part,
                    order,
                    ..ToolCall::new(id, name)?
                };
                let is_server = matches!(delta, Delta::ServerToolCallStart { .. });
                self.choice_mut(choice)?.start_tool_call(start, is_server)?;
            }
            Delta::ToolCallArguments {
                choice,
                part,
                index,
                fragment,
                whole,
            }
            | Delta::ServerToolCallArguments {
                choice,
                part,
                index,
                fragment,
                whole,
            } => {
                let start = ToolCall {
                    index,
                    part,
                    order,
                    ..ToolCall::default()
                };
                let is_server = matches!(delta, Delta::ServerToolCallArguments { .. });
                self.choice_mut(choice)?
                    .arguments(start, is_server, fragment, whole)?;
            }
            Delta::Finish {
                choice,
                reason,
                raw,
            } => {
                let raw = fallible::copy(raw)?;
                self.choice_mut(choice)?.finish = Some(Finish { reason, raw });
            }
            Delta::Usage(usage) => self.usage.merge(&usage),
            Delta::Error(error) if self.error.is_none() => {
                self.error = Some(ReportedError {
                    kind: error.kind,
                    code: fallible::copy(error.code)?,
                    message: fallible::copy(error.message)?,
                    transient: error.transient,
                });
            }
            Delta::Detail { scope, name, value } => {
                let detail = Detail {
                    scope,
                    name: fallible::copy(name)?,
                    value: fallible::copy(value)?,
                };
                fallible::push(&mut self.details, detail)?;
            }
            Delta::Invalid { .. } => self.invalid += 1,
            Delta::Error(_) | Delta::Other { .. } => {}
            Delta::Done => self.done = true,
        }
        Ok(())
    }

    /// Takes in a delta that arrived so long after the request, and notes that in `timing`.
    ///
    /// The moments are the caller's: the core has no clock.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use deltawire::{Delta, Message};
    ///
    /// let mut message = Message::new();
    /// for (text, arrived) in [("One", 300), (" two", 320), (" three", 350)] {
    ///     let delta = Delta::Text { choice: 0, part: 0, text };
    ///     message.push_at(&delta, Duration::from_millis(arrived));
    /// }
    /// assert_eq!(message.text(), "One two three");
    /// assert_eq!(message.timing.first_token(), Some(Duration::from_millis(300)));
    /// assert_eq!(message.timing.whole, Some(Duration::from_millis(350)));
    /// ```
    pub fn push_at(&mut self, delta: &Delta<'_>, arrived: Duration) {
        self.push(delta);
        self.timing.whole = Some(arrived);
        if matches!(
            delta,
            Delta::Text { .. }
                | Delta::Reasoning { .. }
                | Delta::Refusal { .. }
                | Delta::ToolCallArguments { .. }
                | Delta::ServerToolCallArguments { .. }
        ) {
            self.timing.pieces.push(arrived);
        }
    }

    /// Notes how the stream ended.
    pub fn finish(&mut self, end: End) {
        self.end = Some(end);
    }

    /// Reads a whole response, as a server sends it where no stream was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::NotJson`], whose `offset` is 0, [`Error::NotAResponse`] for JSON that is no response
    /// of a known dialect, and [`frame::Error::OutOfMemory`](crate::frame::Error::OutOfMemory). An error that the provider reports is no
    /// error here but the message's.
    pub fn from_response(body: &[u8]) -> Result<Message, Error> {
        let mut message = Message::new();
        decoder::read_complete_body(body, |delta| message.try_push(&delta))?;
        message.done = message.error.is_none();
        message.end = message.done.then_some(End::Complete);
        Ok(message)
    }

    /// The first choice's reply; empty where there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.choices.first().map_or("", |choice| &choice.text)
    }

    /// The tool calls of all choices with the choice's index, in the order in which they began.
    #[must_use]
    pub fn tool_calls(&self) -> Vec<(u32, &ToolCall)> {
        self.calls(|choice| &choice.tool_calls)
    }

    /// The same for the calls of tools that the provider runs itself.
    #[must_use]
    pub fn server_tool_calls(&self) -> Vec<(u32, &ToolCall)> {
        self.calls(|choice| &choice.server_tool_calls)
    }

    fn calls(&self, of: fn(&Choice) -> &[ToolCall]) -> Vec<(u32, &ToolCall)> {
        let give_up = || fallible::give_up(size_of::<ToolCall>());
        self.try_calls(of).unwrap_or_else(|OutOfMemory| give_up())
    }

    /// Returns the calls of one kind in the order in which they began.
    pub(crate) fn try_calls(
        &self,
        of: fn(&Choice) -> &[ToolCall],
    ) -> Result<Vec<(u32, &ToolCall)>, OutOfMemory> {
        let mut calls = Vec::new();
        for choice in &self.choices {
            let room = calls.try_reserve(of(choice).len());
            room.map_err(|_| OutOfMemory)?;
            calls.extend(of(choice).iter().map(|call| (choice.index, call)));
        }
        // No two began with the same delta.
        calls.sort_unstable_by_key(|(_, call)| call.order.0);
        Ok(calls)
    }

    /// The choice of that index.
    #[must_use]
    pub fn choice(&self, index: u32) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.index == index)
    }

    /// Whether the stream came to its end and reported no error; false until
    /// [`finish`](Self::finish) was told so. A complete stream may have lost events, see
    /// [`invalid`](Self::invalid).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == Some(End::Complete) && self.error.is_none()
    }

    fn choice_mut(&mut self, index: u32) -> Result<&mut Choice, OutOfMemory> {
        let at = match self
            .choices
            .binary_search_by_key(&index, |choice| choice.index)
        {
            Ok(at) => at,
            Err(at) => {
                self.choices.try_reserve(1).map_err(|_| OutOfMemory)?;
                self.choices.insert(
                    at,
                    Choice {
                        index,
                        ..Choice::default()
                    },
                );
                at
            }
        };
        self.choices.get_mut(at).ok_or(OutOfMemory)
    }
}

impl Choice {
    /// The texts of the parts, in the order in which they came. A part that the stream returned to comes
    /// again.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.segments.iter().map(|segment| Part {
            number: segment.number,
            kind: segment.kind,
            text: self
                .text_of(segment.kind)
                .get(segment.start..segment.end)
                .unwrap_or_default(),
        })
    }

    fn text_of(&self, kind: PartKind) -> &str {
        match kind {
            PartKind::Text => &self.text,
            PartKind::Reasoning => &self.reasoning,
            PartKind::Refusal => &self.refusal,
        }
    }

    /// Appends a piece of text.
    fn piece(&mut self, kind: PartKind, number: u32, text: &str) -> Result<(), OutOfMemory> {
        let to = match kind {
            PartKind::Text => &mut self.text,
            PartKind::Reasoning => &mut self.reasoning,
            PartKind::Refusal => &mut self.refusal,
        };
        let start = to.len();
        fallible::push_str(to, text)?;
        let end = to.len();
        match self.segments.last_mut() {
            Some(last) if (last.number, last.kind) == (number, kind) => last.end = end,
            _ => {
                let segment = Segment {
                    number,
                    kind,
                    start,
                    end,
                };
                if fallible::push(&mut self.segments, segment).is_err() {
                    to.truncate(start);
                    return Err(OutOfMemory);
                }
            }
        }
        Ok(())
    }

    fn calls_mut(&mut self, is_server: bool) -> &mut Vec<ToolCall> {
        if is_server {
            &mut self.server_tool_calls
        } else {
            &mut self.tool_calls
        }
    }

    /// Opens a call, or finds the one that is meant, and returns its position.
    fn start_tool_call(&mut self, start: ToolCall, is_server: bool) -> Result<usize, OutOfMemory> {
        let meaning = (start.index, is_server);
        self.current.0.try_reserve(1).map_err(|_| OutOfMemory)?;
        let current = self.current.0.get(&meaning).copied();
        let calls = self.calls_mut(is_server);
        let is_same = |call: &ToolCall| {
            let has_same_id = start.id.is_empty() || call.id.is_empty() || call.id == start.id;
            has_same_id && call.part == start.part
        };
        let known = current.filter(|at| is_same(&calls[*at])).or_else(|| {
            // An index that means nothing yet has had no call.
            current?;
            let mut latest = calls.iter().enumerate().rev().take(MAX_LOOKED_BACK);
            let found = latest.find(|(_, call)| {
                (call.index, call.part) == (start.index, start.part) && call.id == start.id
            });
            found.map(|(at, _)| at)
        });
        let at = match known {
            Some(at) => {
                let call = &mut calls[at];
                if call.id.is_empty() {
                    call.id = start.id;
                }
                fallible::push_str(&mut call.name, &start.name)?;
                at
            }
            None => {
                fallible::push(calls, start)?;
                calls.len() - 1
            }
        };
        self.current.0.insert(meaning, at);
        Ok(at)
    }

    /// Adds to the arguments of the call that `start` would begin if it were not known.
    fn arguments(
        &mut self,
        start: ToolCall,
        is_server: bool,
        fragment: &str,
        whole: bool,
    ) -> Result<(), OutOfMemory> {
        let current = self.current.0.get(&(start.index, is_server)).copied();
        let at = match current {
            Some(at) => at,
            None => self.start_tool_call(start, is_server)?,
        };
        let arguments = &mut self.calls_mut(is_server)[at].arguments;
        let room = arguments.try_reserve(fragment.len());
        room.map_err(|_| OutOfMemory)?;
        if whole {
            arguments.clear();
        }
        arguments.push_str(fragment);
        Ok(())
    }
}

impl ToolCall {
    fn new(id: &str, name: &str) -> Result<Self, OutOfMemory> {
        Ok(ToolCall {
            id: fallible::copy(id)?,
            name: fallible::copy(name)?,
            ..ToolCall::default()
        })
    }
}

impl Timing {
    /// When the first piece came, in time since the request; `None` where none did.
    #[must_use]
    pub fn first_token(&self) -> Option<Duration> {
        self.pieces.first().copied()
    }

    /// The median time from one piece to the next; `None` where fewer than two came. Pieces that came
    /// in one read have next to no time between them.
    #[must_use]
    pub fn median_gap(&self) -> Option<Duration> {
        self.gap(50)
    }

    /// The time from one piece to the next that 95 in 100 gaps do not exceed; `None` where fewer than
    /// two pieces came.
    #[must_use]
    pub fn p95_gap(&self) -> Option<Duration> {
        self.gap(95)
    }

    /// The gap of that percentile, by nearest rank.
    fn gap(&self, percent: usize) -> Option<Duration> {
        let mut gaps: Vec<Duration> = self
            .pieces
            .windows(2)
            .map(|pair| pair[1].saturating_sub(pair[0]))
            .collect();
        gaps.sort_unstable();
        let rank = (gaps.len() * percent).div_ceil(100);
        gaps.get(rank.checked_sub(1)?).copied()
    }
}
