//! Which fragment belongs to which tool call.
//!
//! Senders number their calls, or name them, or neither; some repeat the ID or the name in every
//! fragment, some use an index twice. The rules: a new ID at an index in use opens a new call; a
//! fragment without an index goes to the call of its ID, else to the latest; an ID or a name that
//! comes again is not news. Of very many calls the latest are remembered, and one before them is a new
//! one if it is returned to.

use alloc::string::String;

use super::limits::MAX_KNOWN;
use super::pool::Pool;
use super::queue::Queue;
use crate::fallible::{self, OutOfMemory};

/// The tool calls of a response so far.
#[derive(Default)]
pub(crate) struct Tools {
    /// The latest at an index is the last one here that has it.
    calls: Pool<Known>,
    version: u32,
}

#[derive(Default)]
struct Known {
    choice: u32,
    index: i32,
    /// Which of the calls of its choice it is, from 0.
    number: usize,
    id: String,
    has_name: bool,
    has_arguments: bool,
    is_server: bool,
}

/// What a fragment says of the call that it belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Call<'d> {
    pub(crate) choice: u32,
    pub(crate) index: Option<i32>,
    pub(crate) id: &'d str,
    pub(crate) name: &'d str,
    pub(crate) has_arguments: bool,
    /// It is whole, and so a call of its own whatever came before.
    pub(crate) is_new: bool,
    /// The provider runs the tool itself.
    pub(crate) is_server: bool,
}

impl Tools {
    pub(crate) fn reset(&mut self) {
        self.calls.clear();
        self.version += 1;
    }

    /// A number that changes with everything here that a fragment's place may depend on.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// Whether the choice has called a tool of the caller's.
    pub(crate) fn any(&self, choice: u32) -> bool {
        self.calls
            .iter()
            .any(|known| known.choice == choice && !known.is_server)
    }

    /// Whether the latest call at the index is one that the provider runs; `None` where no call has
    /// it. A fragment with that index and nothing else belongs to it and changes nothing here.
    pub(crate) fn is_server(&self, choice: u32, index: i32) -> Option<bool> {
        let mut calls = self.calls.iter().rev();
        calls
            .find(|known| known.choice == choice && known.index == index)
            .map(|known| known.is_server)
    }

    /// Finds the call that a fragment belongs to, or opens one, and returns its index. What is new
    /// about the call is noted as its start.
    pub(crate) fn call(&mut self, call: &Call<'_>, queue: &mut Queue) -> i32 {
        queue.use_tools();
        let found = self.find(call).map(|at| {
            let last = self.calls.len() - 1;
            // Back to an earlier call at an index used twice: it is the latest there again.
            let is_latest = !self.calls[at + 1..]
                .iter()
                .any(|later| later.choice == call.choice && later.index == self.calls[at].index);
            if !is_latest {
                self.calls[at..].rotate_left(1);
            }
            (if is_latest { at } else { last }, !is_latest)
        });
        let Some((at, mut news)) = found.or_else(|| Some((self.open(call).ok()?, true))) else {
            queue.set_out_of_memory();
            return call.index.unwrap_or_default();
        };
        let known = &mut self.calls[at];
        let before = (known.has_name, known.has_arguments);
        if known.id.is_empty() && !call.id.is_empty() {
            if fallible::push_str(&mut known.id, call.id).is_err() {
                queue.set_out_of_memory();
            }
            news = true;
        }
        let name = if known.has_name { "" } else { call.name };
        if news || !name.is_empty() {
            let start = (known.choice, known.index, known.id.as_str(), name);
            queue.tool_call_start(start, known.is_server);
        }
        known.has_name |= !name.is_empty();
        known.has_arguments |= call.has_arguments;
        if news || before != (known.has_name, known.has_arguments) {
            self.version += 1;
        }
        known.index
    }

    /// Appends a call and returns its position.
    fn open(&mut self, call: &Call<'_>) -> Result<usize, OutOfMemory> {
        let of_choice = self.calls.iter();
        let of_choice = of_choice.filter(|known| known.choice == call.choice);
        let number = of_choice.map(|known| known.number + 1).max().unwrap_or(0);
        let new = if self.calls.len() < MAX_KNOWN {
            self.calls.push()?
        } else {
            self.calls.recycle().ok_or(OutOfMemory)?
        };
        new.choice = call.choice;
        new.number = number;
        new.index = call
            .index
            .unwrap_or(i32::try_from(number).unwrap_or(i32::MAX));
        new.id.clear();
        new.has_name = false;
        new.has_arguments = false;
        new.is_server = call.is_server;
        Ok(self.calls.len() - 1)
    }

    fn find(&self, call: &Call<'_>) -> Option<usize> {
        if call.is_new {
            return None;
        }
        let last = |matches: &dyn Fn(&Known) -> bool| {
            self.calls
                .iter()
                .rposition(|known| known.choice == call.choice && matches(known))
        };
        match call.index {
            Some(index) => {
                let same = |known: &Known| known.index == index;
                let at = last(&same)?;
                let id = &self.calls[at].id;
                if call.id.is_empty() || id.is_empty() || id == call.id {
                    return Some(at);
                }
                last(&|known| same(known) && known.id == call.id)
            }
            None if !call.id.is_empty() => last(&|known| known.id == call.id),
            None => {
                let at = last(&|_| true)?;
                // A whole call with neither index nor ID: its name tells that it is another one.
                let known = &self.calls[at];
                let is_new = !call.name.is_empty() && known.has_name && known.has_arguments;
                (!is_new).then_some(at)
            }
        }
    }
}
