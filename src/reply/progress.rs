//! The state of a response: who answers, its parts and tool calls, how far it is.

use alloc::string::String;

use super::details::Details;
use super::finish::{finish_reason, is_not_finished};
use super::limits::MAX_KNOWN;
use super::parts::{PartKey, Parts};
use super::pool::Pool;
use super::queue::Queue;
use super::queued::CallRef;
use super::repeats::Repeats;
use super::tool_calls::{Call, ToolCalls};
use crate::delta::{FinishReason, TextKind, Usage};
use crate::fallible;
use crate::json::{Str, with_short};

/// The kind of the parts that are runs of one kind of text.
const RUN: u8 = 0x80;

/// Numbers that change with the state of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// Who answers, which choices there are and which of them ended.
    pub(crate) response: u32,
    /// Which tools were called.
    pub(crate) tools: u32,
    /// Which details were reported.
    pub(crate) details: u32,
}

impl Version {
    /// Returns true if only the details differ.
    pub(crate) fn is_same_reply(self, other: Version) -> bool {
        (self.response, self.tools) == (other.response, other.tools)
    }
}

/// How far a response has come.
#[derive(Default)]
pub(crate) struct Progress {
    id: String,
    model: String,
    role: String,
    pub(crate) tools: ToolCalls,
    pub(crate) parts: Parts,
    pub(crate) details: Details,
    choices: Pool<Choice>,
    /// There were more choices than are remembered.
    has_more: bool,
    /// All counts that were reported.
    pub(crate) usage: Usage,
    /// What deltas already brought of a response that repeats it.
    pub(crate) repeats: Repeats,
    /// The time of creation was reported.
    pub(crate) has_time: bool,
    /// The choice whose latest text the sender marked as a thought.
    thought: Option<u32>,
    /// Bytes of the stream were lost, so the response is not complete.
    pub(crate) is_damaged: bool,
    /// Everything came that the dialect demands of a complete stream.
    pub(crate) complete: bool,
    /// The sender is known to send no terminator: finish reasons are enough.
    pub(crate) no_terminator: bool,
    /// The terminator was queued.
    done: bool,
    /// Changes with everything on which the deltas of an ordinary event may depend.
    version: u32,
}

#[derive(Default)]
struct Choice {
    index: u32,
    /// The last finish reason.
    raw: String,
    /// The current run of one kind of text, if the dialect has runs: its kind and part.
    run: Option<(u8, u32)>,
}

impl Progress {
    pub(crate) fn reset(&mut self) {
        self.id.clear();
        self.model.clear();
        self.role.clear();
        self.tools.reset();
        self.parts.reset();
        self.details.reset();
        self.choices.clear();
        self.has_more = false;
        self.usage = Usage::default();
        self.repeats.reset();
        self.has_time = false;
        self.thought = None;
        self.is_damaged = false;
        self.complete = false;
        self.no_terminator = false;
        self.done = false;
        self.version += 1;
    }

    /// Returns a version that changes with everything on which the deltas of an event of text,
    /// arguments and counts may depend.
    pub(crate) fn version(&self) -> Version {
        Version {
            response: self.version,
            tools: self.tools.version(),
            details: self.details.version(),
        }
    }

    /// Queues a start if one of these strings changed. An empty string changes nothing.
    #[inline]
    pub(crate) fn start(&mut self, id: Str<'_>, model: Str<'_>, role: Str<'_>, queue: &mut Queue) {
        let is_new = |known: &str, new: Str<'_>| !new.is_empty() && !new.is(known);
        if is_new(&self.id, id) || is_new(&self.model, model) || is_new(&self.role, role) {
            self.restart(id, model, role, queue);
        }
    }

    /// Sets the role that a dialect implies and queues a start if it is new.
    pub(crate) fn start_assistant(&mut self, id: Str<'_>, model: Str<'_>, queue: &mut Queue) {
        if self.role != "assistant" {
            self.role.clear();
            let kept = fallible::push_str(&mut self.role, "assistant");
            queue.check(kept);
            self.restart(id, model, Str::default(), queue);
        } else {
            self.start(id, model, Str::default(), queue);
        }
    }

    /// Queues a changed start: once or twice in a stream.
    #[cold]
    fn restart(&mut self, id: Str<'_>, model: Str<'_>, role: Str<'_>, queue: &mut Queue) {
        replace(&mut self.id, id, queue);
        replace(&mut self.model, model, queue);
        replace(&mut self.role, role, queue);
        self.version += 1;
        queue.start(&self.id, &self.model, &self.role);
    }

    /// Records that a choice exists, and queues its finish reason unless it is empty or known.
    pub(crate) fn choice(&mut self, index: u32, finish: Str<'_>, queue: &mut Queue) {
        if finish.is_empty() {
            self.known(index, queue);
        } else {
            let reason = with_short(finish, finish_reason);
            self.finish(index, reason, finish, queue);
        }
    }

    /// Queues a finish reason, unless it is empty or known. A stop after tool calls means that they wait
    /// for their results.
    pub(crate) fn finish(
        &mut self,
        index: u32,
        reason: FinishReason,
        raw: Str<'_>,
        queue: &mut Queue,
    ) {
        let reason = if reason == FinishReason::Stop && self.tools.any(index) {
            FinishReason::ToolCalls
        } else {
            reason
        };
        let known = self.known(index, queue);
        if raw.is_empty() || with_short(raw, is_not_finished) {
            return;
        }
        match known {
            Some(known) => {
                if replace(&mut self.choices[known].raw, raw, queue) {
                    self.version += 1;
                    queue.finish(index, reason, &self.choices[known].raw);
                }
            }
            None => {
                self.version += 1;
                let mut text = String::new();
                if raw.unescape_into(&mut text).is_err() {
                    queue.set_out_of_memory();
                }
                queue.finish(index, reason, &text);
            }
        }
    }

    /// Finds the call that a fragment belongs to, or opens one. Queues a start if the fragment tells
    /// something new of the call.
    pub(crate) fn call(&mut self, call: &Call<'_>, queue: &mut Queue) -> CallRef {
        self.tools.call(call, &mut self.parts, queue)
    }

    /// Queues a finish reason in the dialect's own word.
    pub(crate) fn finish_named(
        &mut self,
        index: u32,
        reason: FinishReason,
        raw: &str,
        queue: &mut Queue,
    ) {
        self.finish(index, reason, Str::from_plain(raw), queue);
    }

    /// Returns true if a delta brought a part of the choice.
    pub(crate) fn has_parts(&self, choice: u32) -> bool {
        self.parts.any(choice)
    }

    /// Returns the position of a choice, which is added if it is new; `None` if there are too many, or
    /// out of memory.
    #[inline(never)]
    fn known(&mut self, index: u32, queue: &mut Queue) -> Option<usize> {
        // Most streams go on with the choice of the event before.
        match self.choices.iter().rposition(|known| known.index == index) {
            Some(at) => Some(at),
            None => self.add(index, queue),
        }
    }

    #[cold]
    fn add(&mut self, index: u32, queue: &mut Queue) -> Option<usize> {
        self.version += 1;
        if self.choices.len() == MAX_KNOWN {
            self.has_more = true;
            return None;
        }
        let choice = self.choices.push();
        let choice = queue.check(choice)?;
        choice.index = index;
        choice.raw.clear();
        choice.run = None;
        Some(self.choices.len() - 1)
    }

    /// Returns the part of a piece in a dialect whose parts are runs of one kind: that of the current
    /// run, or a new one.
    pub(crate) fn run(&mut self, choice: u32, kind: TextKind, queue: &mut Queue) -> u32 {
        let Some(at) = self.known(choice, queue) else {
            return 0;
        };
        if let Some((of, part)) = self.choices[at].run
            && of == kind as u8
        {
            return part;
        }
        let part = self.new_part(choice, kind as u8, queue);
        self.choices[at].run = Some((kind as u8, part));
        part
    }

    /// Returns true if the sender marked the latest text of a choice as a thought.
    #[inline]
    pub(crate) fn is_thought(&self, choice: u32) -> bool {
        self.thought == Some(choice)
    }

    /// Records whether the text of a choice is a thought.
    pub(crate) fn set_thought(&mut self, choice: u32, is_thought: bool) {
        let thought = is_thought.then_some(choice);
        if self.thought != thought {
            self.thought = thought;
            self.version += 1;
        }
    }

    /// Ends the current run of a choice.
    pub(crate) fn end_run(&mut self, choice: u32) {
        let mut choices = self.choices.iter_mut();
        if let Some(known) = choices.find(|known| known.index == choice)
            && known.run.take().is_some()
        {
            self.version += 1;
        }
    }

    /// Returns the number of a new part.
    pub(crate) fn new_part(&mut self, choice: u32, kind: u8, queue: &mut Queue) -> u32 {
        self.version += 1;
        let key = PartKey {
            kind: RUN | kind,
            index: 0,
            inner: 0,
        };
        let number = self.parts.add(choice, key);
        queue.check(number).unwrap_or_default()
    }

    /// Queues token counts.
    pub(crate) fn usage(&mut self, usage: Usage, queue: &mut Queue) {
        if !usage.is_empty() {
            self.usage.merge(&usage);
            queue.usage(usage);
        }
    }

    /// Records the terminator, which is queued once.
    pub(crate) fn done(&mut self, queue: &mut Queue) {
        self.complete = true;
        if !core::mem::replace(&mut self.done, true) {
            queue.done();
        }
    }

    /// Queues a terminator that only the end of the stream shows.
    pub(crate) fn at_end(&mut self, queue: &mut Queue) {
        if self.complete {
            self.done(queue);
        }
    }

    /// Returns true if the stream is complete, should it end here.
    pub(crate) fn is_complete(&self) -> bool {
        let is_finished = !self.choices.is_empty()
            && !self.has_more
            && self.choices.iter().all(|choice| !choice.raw.is_empty());
        !self.is_damaged && (self.complete || (self.no_terminator && is_finished))
    }
}

/// Replaces a string by one that is neither empty nor the same. Returns true if it did. If out of
/// memory, the string counts as new the next time too.
fn replace(slot: &mut String, new: Str<'_>, queue: &mut Queue) -> bool {
    if new.is_empty() || new.is(slot) {
        return false;
    }
    slot.clear();
    if new.unescape_into(slot).is_err() {
        queue.set_out_of_memory();
    }
    true
}
