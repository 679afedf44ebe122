//! A delta as it is noted: its text as positions, since nothing of a tape can be kept.

use crate::delta::{Delta, ErrorKind, FinishReason};

/// A piece of the sink's text. Four bytes a position will do: the parser takes no larger payload.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Where in the payload it stands; `NOWHERE` if it does not.
    pub(super) at: u32,
}

pub(super) const NOWHERE: u32 = u32::MAX;

/// Of a note whose text is not known before it comes.
pub(super) const NO_TEXT: Span = Span {
    start: 0,
    end: 0,
    at: NOWHERE,
};

/// What kind of text a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Reasoning,
    Refusal,
}

impl Kind {
    /// The delta of a piece.
    #[inline]
    pub(crate) fn delta(self, choice: u32, text: &str) -> Delta<'_> {
        match self {
            Kind::Text => Delta::Text { choice, text },
            Kind::Reasoning => Delta::Reasoning { choice, text },
            Kind::Refusal => Delta::Refusal { choice, text },
        }
    }
}

/// A delta, its text as positions in the sink's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Note {
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
    /// The sink's token counts.
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

impl Note {
    /// The text that makes the note.
    pub(super) fn text(&self) -> Option<Span> {
        match *self {
            Note::Piece { text, .. } => Some(text),
            Note::ToolCallArguments {
                fragment,
                whole: false,
                ..
            } => Some(fragment),
            _ => None,
        }
    }

    /// Whether the notes differ in nothing but their text or counts.
    pub(crate) fn is_like(&self, other: &Note) -> bool {
        match (self, other) {
            (
                Note::Piece {
                    kind: a, choice: b, ..
                },
                Note::Piece {
                    kind: x, choice: y, ..
                },
            ) => (a, b) == (x, y),
            (
                Note::ToolCallArguments {
                    choice: a,
                    index: b,
                    is_server: c,
                    ..
                },
                Note::ToolCallArguments {
                    choice: x,
                    index: y,
                    is_server: z,
                    ..
                },
            ) => (a, b, c) == (x, y, z),
            (Note::Usage, Note::Usage) => true,
            _ => false,
        }
    }

    /// The same of another call: its index, and whether the provider runs it.
    pub(crate) fn of_call(mut self, call: (i32, bool)) -> Note {
        if let Note::ToolCallArguments {
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
            Note::Piece { kind, choice, .. } => kind.delta(choice, text),
            Note::ToolCallArguments {
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
            Note::ToolCallArguments {
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
    pub(super) fn place(self) -> Option<usize> {
        (self.at != NOWHERE).then_some(self.at as usize)
    }
}
