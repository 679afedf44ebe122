//! What every dialect keeps of a response: who answers, which tools were called, how far it is.

use alloc::string::String;

use super::finish::finish_reason;
use super::limits::MAX_KNOWN;
use super::pool::Pool;
use super::queue::Queue;
use super::repeats::Repeats;
use super::tool_calls::Tools;
use crate::delta::{FinishReason, Usage};
use crate::fallible;
use crate::tape::Value;

/// So many parts beside the model: those that come every time.
const MAX_EXTRA: usize = 64;

/// Numbers that change with what is known of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// Who answers, which choices there are and which of them ended.
    pub(crate) response: u32,
    /// Which tools were called.
    pub(crate) tools: u32,
}

/// How far a response has come.
#[derive(Default)]
pub(crate) struct Progress {
    id: String,
    model: String,
    role: String,
    pub(crate) tools: Tools,
    /// Index and last finish reason of each choice seen.
    choices: Pool<(u32, String)>,
    /// There were more choices than are remembered.
    has_more: bool,
    /// Every count that was noted.
    pub(crate) usage: Usage,
    /// What deltas already brought of a response that repeats it.
    pub(crate) repeats: Repeats,
    /// Bytes of the stream were lost, so the response is not complete.
    pub(crate) is_damaged: bool,
    /// All that the dialect demands of a complete stream was seen.
    pub(crate) complete: bool,
    /// The sender is known to send no terminator: finish reasons will do.
    pub(crate) no_terminator: bool,
    /// The parts beside the model that were shown.
    extra: Pool<String>,
    /// The terminator was noted.
    done: bool,
    /// Changes with everything that the deltas of an ordinary event may depend on.
    version: u32,
}

impl Progress {
    pub(crate) fn reset(&mut self) {
        self.id.clear();
        self.model.clear();
        self.role.clear();
        self.tools.reset();
        self.choices.clear();
        self.has_more = false;
        self.extra.clear();
        self.usage = Usage::default();
        self.repeats.reset();
        self.is_damaged = false;
        self.complete = false;
        self.no_terminator = false;
        self.done = false;
        self.version += 1;
    }

    /// Changes with everything known of the response that the deltas of an event of text, arguments
    /// and counts may depend on.
    pub(crate) fn version(&self) -> Version {
        Version {
            response: self.version,
            tools: self.tools.version(),
        }
    }

    /// Takes over what is new about who answers and notes it as a start. Empty strings say nothing.
    #[inline]
    pub(crate) fn start(&mut self, id: &str, model: &str, role: &str, queue: &mut Queue) {
        if is_new(&self.id, id) || is_new(&self.model, model) || is_new(&self.role, role) {
            self.restart(id, model, role, queue);
        }
    }

    /// [`start`](Self::start), where there is news: once or twice in a stream.
    #[cold]
    fn restart(&mut self, id: &str, model: &str, role: &str, queue: &mut Queue) {
        replace(&mut self.id, id, queue);
        replace(&mut self.model, model, queue);
        replace(&mut self.role, role, queue);
        self.version += 1;
        queue.start(&self.id, &self.model, &self.role);
    }

    /// Returns whether the provider runs the latest tool call at this index of the first choice; `None`
    /// if there is no such call.
    pub(crate) fn is_server_call(&self, index: i32) -> Option<bool> {
        self.tools.is_server(0, index)
    }

    /// The same for a role that stands elsewhere in the event than the rest.
    pub(crate) fn role(&mut self, role: &str, queue: &mut Queue) {
        if replace(&mut self.role, role, queue) {
            self.version += 1;
            if !queue.set_role(role) {
                queue.start(&self.id, &self.model, &self.role);
            }
        }
    }

    /// A piece of the arguments of a call that is known, of whoever's tool it is.
    pub(crate) fn arguments(
        &self,
        choice: u32,
        index: i32,
        fragment: &str,
        whole: bool,
        queue: &mut Queue,
    ) {
        let is_server = self.tools.is_server(choice, index) == Some(true);
        queue.arguments(choice, index, fragment, whole, is_server);
    }

    /// Notes that the choice exists, and its finish reason unless that is empty or was noted before.
    pub(crate) fn choice(&mut self, index: u32, finish: &str, queue: &mut Queue) {
        if finish.is_empty() {
            self.known(index, queue);
        } else {
            self.finish(index, finish_reason(finish), finish, queue);
        }
    }

    /// [`choice`](Self::choice), where the dialect knows better what the raw reason means.
    pub(crate) fn finish(
        &mut self,
        index: u32,
        reason: FinishReason,
        raw: &str,
        queue: &mut Queue,
    ) {
        let Some(known) = self.known(index, queue) else {
            self.version += 1;
            queue.finish(index, reason, raw);
            return;
        };
        if replace(&mut self.choices[known].1, raw, queue) {
            self.version += 1;
            queue.finish(index, reason, raw);
        }
    }

    /// Where among the choices it is, from now on if it is a new one; `None` where it is one too many,
    /// or there is no memory for it.
    #[inline(never)]
    fn known(&mut self, index: u32, queue: &mut Queue) -> Option<usize> {
        match self.choices.iter().position(|(known, _)| *known == index) {
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
        let Ok((new, raw)) = self.choices.push() else {
            queue.set_out_of_memory();
            return None;
        };
        *new = index;
        raw.clear();
        Some(self.choices.len() - 1)
    }

    /// A reason that means an ordinary end: with tool calls it is that they wait for their results.
    pub(crate) fn stop_or_tool_calls(&self, index: u32) -> FinishReason {
        if self.tools.any(index) {
            FinishReason::ToolCalls
        } else {
            FinishReason::Stop
        }
    }

    /// Names a part that the model has no place for, such as citations or the verdict of a filter,
    /// where it is shown for the first time: most who send one repeat it with every chunk.
    #[inline]
    pub(crate) fn extra<'d>(
        &mut self,
        key: &'d str,
        value: Value<'d>,
        other: &mut Option<&'d str>,
        queue: &mut Queue,
    ) {
        if (value.is_object() || value.is_array()) && self.is_first_sight(key, value, queue) {
            *other = Some(key);
        }
    }

    fn is_first_sight(&mut self, key: &str, value: Value<'_>, queue: &mut Queue) -> bool {
        if value.is_empty() || self.extra.iter().any(|known| known == key) {
            return false;
        }
        self.version += 1;
        if self.extra.len() == MAX_EXTRA {
            return true;
        }
        let remembered = self.extra.push().and_then(|name| {
            name.clear();
            fallible::push_str(name, key)
        });
        if remembered.is_err() {
            queue.set_out_of_memory();
        }
        true
    }

    /// Notes token counts.
    pub(crate) fn usage(&mut self, usage: Usage, queue: &mut Queue) {
        if !usage.is_empty() {
            self.usage.merge(&usage);
            queue.usage(usage);
        }
    }

    /// The terminator came. It is noted once.
    pub(crate) fn done(&mut self, queue: &mut Queue) {
        self.complete = true;
        if !core::mem::replace(&mut self.done, true) {
            queue.done();
        }
    }

    /// The stream ends: notes a terminator that only the end of the stream could show.
    pub(crate) fn at_end(&mut self, queue: &mut Queue) {
        if self.complete {
            self.done(queue);
        }
    }

    /// Whether the stream is complete, if it ends here.
    pub(crate) fn is_complete(&self) -> bool {
        let is_finished = !self.choices.is_empty()
            && !self.has_more
            && self.choices.iter().all(|(_, raw)| !raw.is_empty());
        !self.is_damaged && (self.complete || (self.no_terminator && is_finished))
    }
}

/// Whether a string is neither empty nor the same.
#[inline]
fn is_new(known: &str, new: &str) -> bool {
    !new.is_empty() && known != new
}

/// Takes over a string that is news; says whether it is. Where there is no memory for it, it is news
/// the next time too.
fn replace(slot: &mut String, new: &str, queue: &mut Queue) -> bool {
    let is_new = is_new(slot, new);
    if is_new {
        slot.clear();
        if fallible::push_str(slot, new).is_err() {
            queue.set_out_of_memory();
        }
    }
    is_new
}
