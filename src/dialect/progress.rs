//! What every dialect keeps of a response: who answers, which tools were called, how far it is.

use alloc::string::String;

use super::finish_reason;
use super::json::Value;
use super::pool::Pool;
use super::sink::Sink;
use super::tools::Tools;
use crate::delta::{FinishReason, Usage};
use crate::memory;

/// So many choices, tools and parts of a response are remembered: each is looked for among them, so
/// that without a bound the work would grow with their square.
pub(super) const MAX_KNOWN: usize = 1024;
/// So many parts beside the model: those that come every time.
const MAX_BESIDE: usize = 64;

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
    pub(super) tools: Tools,
    /// Index and last finish reason of each choice seen.
    choices: Pool<(u32, String)>,
    /// There were more choices than are remembered.
    has_more: bool,
    /// Every count that was noted.
    pub(super) usage: Usage,
    /// All that the dialect demands of a complete stream was seen.
    pub(super) complete: bool,
    /// The sender is known to send no terminator: finish reasons will do.
    pub(super) no_terminator: bool,
    /// The parts beside the model that were shown.
    beside: Pool<String>,
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
        self.beside.clear();
        self.usage = Usage::default();
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
    pub(super) fn start(&mut self, id: &str, model: &str, role: &str, sink: &mut Sink) {
        if is_news(&self.id, id) || is_news(&self.model, model) || is_news(&self.role, role) {
            self.restart(id, model, role, sink);
        }
    }

    /// [`start`](Self::start), where there is news: once or twice in a stream.
    #[cold]
    fn restart(&mut self, id: &str, model: &str, role: &str, sink: &mut Sink) {
        replace(&mut self.id, id, sink);
        replace(&mut self.model, model, sink);
        replace(&mut self.role, role, sink);
        self.version += 1;
        sink.start(&self.id, &self.model, &self.role);
    }

    /// The same for a role that stands elsewhere in the event than the rest.
    pub(super) fn role(&mut self, role: &str, sink: &mut Sink) {
        if replace(&mut self.role, role, sink) {
            self.version += 1;
            if !sink.set_role(role) {
                sink.start(&self.id, &self.model, &self.role);
            }
        }
    }

    /// A piece of the arguments of a call that is known, of whoever's tool it is.
    pub(super) fn arguments(
        &self,
        choice: u32,
        index: i32,
        fragment: &str,
        whole: bool,
        sink: &mut Sink,
    ) {
        let is_server = self.tools.is_server(choice, index) == Some(true);
        sink.arguments(choice, index, fragment, whole, is_server);
    }

    /// Notes that the choice exists, and its finish reason unless that is empty or was noted before.
    pub(super) fn choice(&mut self, index: u32, finish: &str, sink: &mut Sink) {
        if finish.is_empty() {
            self.known(index, sink);
        } else {
            self.finish(index, finish_reason(finish), finish, sink);
        }
    }

    /// [`choice`](Self::choice), where the dialect knows better what the raw reason means.
    pub(super) fn finish(&mut self, index: u32, reason: FinishReason, raw: &str, sink: &mut Sink) {
        let Some(known) = self.known(index, sink) else {
            self.version += 1;
            sink.finish(index, reason, raw);
            return;
        };
        if replace(&mut self.choices[known].1, raw, sink) {
            self.version += 1;
            sink.finish(index, reason, raw);
        }
    }

    /// Where among the choices it is, from now on if it is a new one; `None` where it is one too many,
    /// or there is no memory for it.
    #[inline(never)]
    fn known(&mut self, index: u32, sink: &mut Sink) -> Option<usize> {
        match self.choices.iter().position(|(known, _)| *known == index) {
            Some(at) => Some(at),
            None => self.add(index, sink),
        }
    }

    #[cold]
    fn add(&mut self, index: u32, sink: &mut Sink) -> Option<usize> {
        self.version += 1;
        if self.choices.len() == MAX_KNOWN {
            self.has_more = true;
            return None;
        }
        let Some((new, raw)) = self.choices.push() else {
            sink.set_short();
            return None;
        };
        *new = index;
        raw.clear();
        Some(self.choices.len() - 1)
    }

    /// A reason that means an ordinary end: with tool calls it is that they wait for their results.
    pub(super) fn stop_or_tool_calls(&self, index: u32) -> FinishReason {
        if self.tools.any(index) {
            FinishReason::ToolCalls
        } else {
            FinishReason::Stop
        }
    }

    /// Names a part that the model has no place for, such as citations or the verdict of a filter,
    /// where it is shown for the first time: most who send one repeat it with every chunk.
    #[inline]
    pub(super) fn beside<'d>(
        &mut self,
        key: &'d str,
        value: Value<'d>,
        other: &mut Option<&'d str>,
        sink: &mut Sink,
    ) {
        if (value.is_object() || value.is_array()) && self.is_first_sight(key, value, sink) {
            *other = Some(key);
        }
    }

    fn is_first_sight(&mut self, key: &str, value: Value<'_>, sink: &mut Sink) -> bool {
        if value.is_empty() || self.beside.iter().any(|known| known == key) {
            return false;
        }
        self.version += 1;
        if self.beside.len() == MAX_BESIDE {
            return true;
        }
        let is_had = self.beside.push().is_some_and(|name| {
            name.clear();
            memory::push_str(name, key)
        });
        if !is_had {
            sink.set_short();
        }
        true
    }

    /// Notes token counts.
    pub(super) fn usage(&mut self, usage: Usage, sink: &mut Sink) {
        if !usage.is_empty() {
            self.usage.merge(&usage);
            sink.usage(usage);
        }
    }

    /// The terminator came. It is noted once.
    pub(super) fn done(&mut self, sink: &mut Sink) {
        self.complete = true;
        if !core::mem::replace(&mut self.done, true) {
            sink.done();
        }
    }

    /// The stream ends: notes a terminator that only the end of the stream could show.
    pub(crate) fn at_end(&mut self, sink: &mut Sink) {
        if self.complete {
            self.done(sink);
        }
    }

    /// Whether the stream is complete, if it ends here.
    pub(crate) fn is_complete(&self) -> bool {
        let is_finished = !self.choices.is_empty()
            && !self.has_more
            && self.choices.iter().all(|(_, raw)| !raw.is_empty());
        self.complete || (self.no_terminator && is_finished)
    }
}

/// Whether a string is neither empty nor the same.
#[inline]
fn is_news(known: &str, new: &str) -> bool {
    !new.is_empty() && known != new
}

/// Takes over a string that is news; says whether it is. Where there is no memory for it, it is news
/// the next time too.
fn replace(slot: &mut String, new: &str, sink: &mut Sink) -> bool {
    let is_news = is_news(slot, new);
    if is_news {
        slot.clear();
        if !memory::push_str(slot, new) {
            sink.set_short();
        }
    }
    is_news
}
