//! Where a dialect puts the deltas of an event.
//!
//! A tape borrows the payload it was made from, so nothing of it can be kept. A dialect therefore
//! walks it once and notes the event's deltas as positions in a text of their own, from which they
//! are handed out one by one.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::delta::{Delta, ErrorKind, FinishReason, StreamError, Usage};

/// The deltas of one event, not yet handed out.
#[derive(Default)]
pub(crate) struct Sink {
    notes: Vec<Note>,
    next: usize,
    text: String,
    /// The event's payload, kept only where a delta shows it.
    raw: Vec<u8>,
}

/// A piece of the sink's text.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
}

/// What kind of text a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Reasoning,
    Refusal,
}

#[derive(Debug)]
enum Note {
    Start {
        id: Span,
        model: Span,
        role: Span,
    },
    Piece {
        kind: Kind,
        choice: u32,
        text: Span,
    },
    ToolCallStart {
        choice: u32,
        index: i32,
        id: Span,
        name: Span,
        is_server: bool,
    },
    ToolCallArguments {
        choice: u32,
        index: i32,
        fragment: Span,
        whole: bool,
        is_server: bool,
    },
    Finish {
        choice: u32,
        reason: FinishReason,
        raw: Span,
    },
    Usage(Usage),
    Error {
        kind: ErrorKind,
        transient: bool,
        code: Span,
        message: Span,
    },
    Other {
        event: Span,
    },
    Done,
}

impl Sink {
    /// Forgets the event before.
    pub(crate) fn clear(&mut self) {
        self.notes.clear();
        self.next = 0;
        self.text.clear();
        self.raw.clear();
    }

    /// Whether a delta waits to be handed out.
    #[inline]
    pub(crate) fn has_next(&self) -> bool {
        self.next < self.notes.len()
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span {
            start,
            end: self.text.len(),
        }
    }

    /// Keeps a number without the detour over a string of its own.
    fn keep_shown(&mut self, what: &dyn fmt::Display) -> Span {
        let start = self.text.len();
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "{what}");
        Span {
            start,
            end: self.text.len(),
        }
    }

    pub(crate) fn start(&mut self, id: &str, model: &str, role: &str) {
        let (id, model, role) = (self.keep(id), self.keep(model), self.keep(role));
        self.notes.push(Note::Start { id, model, role });
    }

    /// Adds the role to the event's own start. Returns false where it has none.
    pub(crate) fn set_role(&mut self, text: &str) -> bool {
        let kept = self.keep(text);
        for note in self.notes.iter_mut().rev() {
            if let Note::Start { role, .. } = note {
                *role = kept;
                return true;
            }
        }
        false
    }

    /// A piece of text; an empty one is none.
    pub(crate) fn piece(&mut self, kind: Kind, choice: u32, text: &str) {
        if !text.is_empty() {
            let text = self.keep(text);
            self.notes.push(Note::Piece { kind, choice, text });
        }
    }

    /// The start of a call: choice, index, ID and name.
    pub(crate) fn tool_call_start(&mut self, start: (u32, i32, &str, &str), is_server: bool) {
        let (choice, index, id, name) = start;
        let (id, name) = (self.keep(id), self.keep(name));
        self.notes.push(Note::ToolCallStart {
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

    /// The same for a call that the provider runs.
    pub(crate) fn server_tool_call_arguments(
        &mut self,
        choice: u32,
        index: i32,
        fragment: &str,
        whole: bool,
    ) {
        self.arguments(choice, index, fragment, whole, true);
    }

    fn arguments(&mut self, choice: u32, index: i32, fragment: &str, whole: bool, is_server: bool) {
        if !fragment.is_empty() {
            let fragment = self.keep(fragment);
            let note = Note::ToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                is_server,
            };
            self.notes.push(note);
        }
    }

    pub(crate) fn finish(&mut self, choice: u32, reason: FinishReason, raw: &str) {
        let raw = self.keep(raw);
        self.notes.push(Note::Finish {
            choice,
            reason,
            raw,
        });
    }

    /// Token counts; none where nothing is known.
    pub(crate) fn usage(&mut self, usage: Usage) {
        if !usage.is_empty() {
            self.notes.push(Note::Usage(usage));
        }
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
        self.notes.push(Note::Error {
            kind,
            transient,
            code,
            message,
        });
    }

    pub(crate) fn other(&mut self, event: &str, payload: &[u8]) {
        let event = self.keep(event);
        self.keep_raw(payload);
        self.notes.push(Note::Other { event });
    }

    pub(crate) fn done(&mut self) {
        self.notes.push(Note::Done);
    }

    fn keep_raw(&mut self, payload: &[u8]) {
        if self.raw.is_empty() {
            self.raw.extend_from_slice(payload);
        }
    }

    /// The next delta.
    pub(crate) fn next(&mut self) -> Option<Delta<'_>> {
        let note = self.notes.get(self.next)?;
        self.next += 1;
        let text = |span: Span| self.text.get(span.start..span.end).unwrap_or_default();
        Some(match *note {
            Note::Start { id, model, role } => Delta::Start {
                id: text(id),
                model: text(model),
                role: text(role),
            },
            Note::Piece {
                kind: Kind::Text,
                choice,
                text: piece,
            } => Delta::Text {
                choice,
                text: text(piece),
            },
            Note::Piece {
                kind: Kind::Reasoning,
                choice,
                text: piece,
            } => Delta::Reasoning {
                choice,
                text: text(piece),
            },
            Note::Piece {
                kind: Kind::Refusal,
                choice,
                text: piece,
            } => Delta::Refusal {
                choice,
                text: text(piece),
            },
            Note::ToolCallStart {
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
            Note::ToolCallStart {
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
            Note::ToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                is_server: false,
            } => Delta::ToolCallArguments {
                choice,
                index,
                fragment: text(fragment),
                whole,
            },
            Note::ToolCallArguments {
                choice,
                index,
                fragment,
                whole,
                is_server: true,
            } => Delta::ServerToolCallArguments {
                choice,
                index,
                fragment: text(fragment),
                whole,
            },
            Note::Finish {
                choice,
                reason,
                raw,
            } => Delta::Finish {
                choice,
                reason,
                raw: text(raw),
            },
            Note::Usage(usage) => Delta::Usage(usage),
            Note::Error {
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
            Note::Other { event } => Delta::Other {
                event: text(event),
                raw: &self.raw,
            },
            Note::Done => Delta::Done,
        })
    }
}
