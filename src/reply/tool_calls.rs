//! Which fragment belongs to which tool call.
//!
//! Senders number their calls, or name them, or neither; some repeat the ID or the name in every
//! fragment, some use an index twice. The rules:
//!
//! - A new ID with a name at an index in use opens a new call. Without a name it belongs to the call
//!   there, because some senders make up an ID for each fragment, unless the arguments of that call are
//!   complete.
//! - Another name at an index in use, without the call's ID, opens a new call if the call has arguments, or
//!   if both have an empty ID. Otherwise it is the next piece of the name.
//! - A fragment without an index belongs to the call of its ID, or else to the latest call.
//! - An ID or a name that comes again changes nothing.
//!
//! The latest [`MAX_KNOWN`] calls are remembered. A call before them counts as new if the stream
//! returns to it.

use alloc::string::String;

use super::limits::MAX_KNOWN;
use super::parts::{PartKey, Parts};
use super::pool::Pool;
use super::queue::Queue;
use super::queued::CallRef;
use crate::fallible::OutOfMemory;
use crate::json::Str;

/// The kind of a part that is a tool call of a dialect that numbers no parts.
const CALL_PART: u8 = 0xFF;

/// The tool calls of a response.
#[derive(Default)]
pub(crate) struct ToolCalls {
    /// Of the calls with one index, the latest is the last one here.
    calls: Pool<Known>,
    version: u32,
}

#[derive(Default)]
struct Known {
    call: CallRef,
    /// The number of the call among those of its choice, from 0.
    number: usize,
    id: String,
    name: String,
    has_arguments: bool,
    /// One fragment brought all arguments.
    is_complete: bool,
}

/// What a fragment says of the call that it belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Call<'d> {
    pub(crate) choice: u32,
    /// The part that the call is, in a dialect that numbers its parts.
    pub(crate) part: Option<u32>,
    pub(crate) index: Option<i32>,
    pub(crate) id: Str<'d>,
    pub(crate) name: Str<'d>,
    pub(crate) has_arguments: bool,
    /// The fragment's arguments are complete JSON.
    pub(crate) is_complete: bool,
    /// The call is complete, so it is a new one whatever came before.
    pub(crate) is_new: bool,
    /// The provider runs the tool itself.
    pub(crate) is_server: bool,
}

impl Known {
    /// Returns true if a fragment at the index of this call, with no other ID, belongs to another call.
    fn is_followed_by(&self, call: &Call<'_>) -> bool {
        if call.name.is_empty() || self.name.is_empty() {
            return false;
        }
        let is_same_id = !call.id.is_empty() && call.id.is(&self.id);
        let has_empty_id = call.id.is_empty() && call.id.start() > 0;
        if call.name.is(&self.name) {
            // The same tool once more, or a name that each fragment repeats.
            return has_empty_id && self.id.is_empty() && self.is_complete && call.has_arguments;
        }
        !is_same_id && (self.has_arguments || (has_empty_id && self.id.is_empty()))
    }
}

impl ToolCalls {
    pub(crate) fn reset(&mut self) {
        self.calls.clear();
        self.version += 1;
    }

    /// Changes with everything on which the call of a fragment may depend.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// Returns true if the choice has called a tool of the caller's.
    pub(crate) fn any(&self, choice: u32) -> bool {
        let mut calls = self.calls.iter().map(|known| known.call);
        calls.any(|call| call.choice == choice && !call.is_server)
    }

    /// Returns the latest call at an index. A fragment with that index and nothing else belongs to it
    /// and changes nothing here.
    pub(crate) fn latest(&self, choice: u32, index: i32) -> Option<CallRef> {
        let mut calls = self.calls.iter().rev().map(|known| known.call);
        calls.find(|call| call.choice == choice && call.index == index)
    }

    /// Returns the latest call of a choice.
    pub(crate) fn last(&self, choice: u32) -> Option<CallRef> {
        let mut calls = self.calls.iter().rev().map(|known| known.call);
        calls.find(|call| call.choice == choice)
    }

    /// Returns the position of the call that a fragment belongs to.
    fn find(&self, call: &Call<'_>) -> Option<usize> {
        if call.is_new {
            return None;
        }
        let last = |matches: &dyn Fn(&Known) -> bool| {
            self.calls
                .iter()
                .rposition(|known| known.call.choice == call.choice && matches(known))
        };
        match call.index {
            Some(index) => {
                let same = |known: &Known| known.call.index == index;
                let at = last(&same)?;
                let latest = &self.calls[at];
                if call.id.is_empty() || latest.id.is_empty() || call.id.is(&latest.id) {
                    return (!latest.is_followed_by(call)).then_some(at);
                }
                let known = last(&|known| same(known) && call.id.is(&known.id));
                let is_piece = call.name.is_empty() && !latest.is_complete;
                known.or_else(|| is_piece.then_some(at))
            }
            None if !call.id.is_empty() => last(&|known| call.id.is(&known.id)),
            None => {
                let at = last(&|_| true)?;
                // A complete call with neither index nor ID: its name shows that it is another one.
                let known = &self.calls[at];
                let has_names = !call.name.is_empty() && !known.name.is_empty();
                let is_new = has_names && known.has_arguments;
                (!is_new).then_some(at)
            }
        }
    }

    /// Finds the call that a fragment belongs to, or opens one. Queues a start if the fragment tells
    /// something new of the call.
    pub(crate) fn call(
        &mut self,
        call: &Call<'_>,
        parts: &mut Parts,
        queue: &mut Queue,
    ) -> CallRef {
        queue.use_tools();
        let found = self.find(call).map(|at| {
            let last = self.calls.len() - 1;
            // Back to an earlier call at an index used twice: it is the latest there again.
            let index = self.calls[at].call.index;
            let is_latest = !self.calls[at + 1..]
                .iter()
                .any(|later| later.call.choice == call.choice && later.call.index == index);
            if !is_latest {
                self.calls[at..].rotate_left(1);
            }
            (if is_latest { at } else { last }, !is_latest)
        });
        let (at, mut is_changed) = match found {
            Some(found) => found,
            None => match self.open(call, parts) {
                Ok(at) => (at, true),
                Err(OutOfMemory) => {
                    queue.set_out_of_memory();
                    return CallRef::default();
                }
            },
        };
        let known = &mut self.calls[at];
        let before = (known.has_arguments, known.is_complete);
        if known.id.is_empty() && !call.id.is_empty() {
            if call.id.unescape_into(&mut known.id).is_err() {
                queue.set_out_of_memory();
            }
            is_changed = true;
        }
        let len = known.name.len();
        if !call.name.is_empty() && !call.name.is(&known.name) {
            if call.name.unescape_into(&mut known.name).is_err() {
                queue.set_out_of_memory();
            }
            // Some repeat the pieces that came before.
            let (before, added) = known.name.split_at_checked(len).unwrap_or_default();
            if added.starts_with(before) {
                known.name.drain(..len);
            }
        }
        let piece = known.name.get(len..).unwrap_or_default();
        is_changed |= !piece.is_empty();
        if is_changed {
            queue.call_start(known.call, &known.id, piece);
        }
        if call.has_arguments {
            known.is_complete = call.is_complete && !known.has_arguments;
            known.has_arguments = true;
        }
        if is_changed || before != (known.has_arguments, known.is_complete) {
            self.version += 1;
        }
        known.call
    }

    /// Appends a call and returns its position.
    fn open(&mut self, call: &Call<'_>, parts: &mut Parts) -> Result<usize, OutOfMemory> {
        let calls = &mut self.calls;
        let of_choice = calls.iter();
        let of_choice = of_choice.filter(|known| known.call.choice == call.choice);
        let number = of_choice.map(|known| known.number + 1).max().unwrap_or(0);
        let index = call
            .index
            .unwrap_or(i32::try_from(number).unwrap_or(i32::MAX));
        let part = match call.part {
            Some(part) => part,
            None => {
                let key = PartKey {
                    kind: CALL_PART,
                    index,
                    inner: 0,
                };
                parts.add(call.choice, key)?
            }
        };
        let new = if calls.len() < MAX_KNOWN {
            calls.push()?
        } else {
            calls.recycle().ok_or(OutOfMemory)?
        };
        new.call = CallRef {
            choice: call.choice,
            part,
            index,
            is_server: call.is_server,
        };
        new.number = number;
        new.id.clear();
        new.name.clear();
        new.has_arguments = false;
        new.is_complete = false;
        Ok(calls.len() - 1)
    }
}
