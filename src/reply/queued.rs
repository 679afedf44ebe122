//! A delta as it is noted: its text as positions, since nothing of a tape can be kept.

use crate::delta::{Delta, ErrorKind, FinishReason, TextKind};

/// A piece of the queue's text. Four bytes a position will do: the parser takes no larger payload.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Where in the payload it stands; `NOWHERE` if it does not.
    pub(crate) at: u32,
}

pub(crate) const NOWHERE: u32 = u32::MAX;

/// Of a note whose text is not known before it comes.
pub(crate) const NO_TEXT: Span = Span {
    start: 0,
    end: 0,
    at: NOWHERE,
};

/// A delta, its text as positions in the queue's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Queued {
    Start {
        id: Span,
        model: Span,
        role: Span,
    },
    Piece {
        kind: TextKind,
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
    /// The queue's token counts.
    Usage,
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

impl Queued {
    /// The text that makes the note.
    pub(crate) fn text(&self) -> Option<Span> {
        match *self {
            Queued::Piece { text, .. } => Some(text),
            Queued::ToolCallArguments {
                fragment,
                whole: false,
                ..
            } => Some(fragment),
            _ => None,
        }
    }

    /// Whether the notes differ in nothing but their text or counts.
    pub(crate) fn is_like(&self, other: &Queued) -> bool {
        match (self, other) {
            (
                Queued::Piece {
                    kind: a, choice: b, ..
                },
                Queued::Piece {
                    kind: x, choice: y, ..
                },
            ) => (a, b) == (x, y),
            (
                Queued::ToolCallArguments {
                    choice: a,
                    index: b,
                    is_server: c,
                    ..
                },
                Queued::ToolCallArguments {
                    choice: x,
                    index: y,
                    is_server: z,
                    ..
                },
            ) => (a, b, c) == (x, y, z),
            (Queued::Usage, Queued::Usage) => true,
            _ => false,
        }
    }

    /// The same of another call: its index, and whether the provider runs it.
    pub(crate) fn of_call(mut self, call: (i32, bool)) -> Queued {
        if let Queued::ToolCallArguments {
            index, is_server, ..
        } = &mut self
        {
            (*index, *is_server) = call;
        }
        self
    }

    /// The delta that the note is with this text.
    #[inline]
    pub(crate) fn with<'a>(&self, text: &'a str) -> Option<Delta<'a>> {
        Some(match *self {
            Queued::Piece { kind, choice, .. } => kind.delta(choice, text),
            Queued::ToolCallArguments {
                choice,
                index,
                whole,
                is_server: false,
                ..
            } => Delta::ToolCallArguments {
                choice,
                index,
                fragment: text,
                whole,
            },
            Queued::ToolCallArguments {
                choice,
                index,
                whole,
                is_server: true,
                ..
            } => Delta::ServerToolCallArguments {
                choice,
                index,
                fragment: text,
                whole,
            },
            _ => return None,
        })
    }
}

impl Span {
    pub(crate) fn place(self) -> Option<usize> {
        (self.at != NOWHERE).then_some(self.at as usize)
    }
}
