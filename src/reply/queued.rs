//! A delta in the queue: its strings are positions, because the payload may be gone when it is returned.

use crate::delta::{Delta, ErrorKind, FinishReason, Scope, TextKind};

/// A piece of the queue's text. Four bytes a position are enough: no payload is larger.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextSpan {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The offset of the string in the payload; `NOWHERE` if it is not a plain string there.
    pub(crate) at: u32,
}

pub(crate) const NOWHERE: u32 = u32::MAX;

impl TextSpan {
    /// The text of a template's delta, which is not known before a hit.
    pub(crate) const NONE: TextSpan = TextSpan {
        start: 0,
        end: 0,
        at: NOWHERE,
    };

    pub(crate) fn place(self) -> Option<usize> {
        (self.at != NOWHERE).then_some(self.at as usize)
    }
}

/// A tool call: its choice, part and index, and whether the provider runs the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CallRef {
    pub(crate) choice: u32,
    pub(crate) part: u32,
    pub(crate) index: i32,
    pub(crate) is_server: bool,
}

impl CallRef {
    /// The scope of details of the call.
    pub(crate) fn scope(self) -> Scope {
        Scope::ToolCall {
            choice: self.choice,
            part: self.part,
            index: self.index,
        }
    }
}

/// The hash of a detail's place, in halves so that a delta needs no wider alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place([u32; 2]);

impl Place {
    pub(crate) fn new(hash: u64) -> Self {
        Place([hash as u32, (hash >> 32) as u32])
    }

    pub(crate) fn hash(self) -> u64 {
        let Place([low, high]) = self;
        u64::from(low) | u64::from(high) << 32
    }
}

/// A delta whose strings are positions in the queue's text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Queued {
    Start {
        id: TextSpan,
        model: TextSpan,
        role: TextSpan,
    },
    Piece {
        kind: TextKind,
        choice: u32,
        part: u32,
        text: TextSpan,
    },
    CallStart {
        call: CallRef,
        id: TextSpan,
        name: TextSpan,
    },
    Arguments {
        call: CallRef,
        fragment: TextSpan,
        whole: bool,
    },
    Finish {
        choice: u32,
        reason: FinishReason,
        raw: TextSpan,
    },
    /// The queue's token counts.
    Usage,
    Error {
        kind: ErrorKind,
        transient: bool,
        code: TextSpan,
        message: TextSpan,
    },
    Detail {
        scope: Scope,
        name: TextSpan,
        value: TextSpan,
        place: Place,
        /// The value belongs to a piece, and comes even if it is the latest one.
        is_piece: bool,
    },
    Other {
        event: TextSpan,
    },
    Done,
}

impl Queued {
    /// Returns the text of a piece or of arguments, which varies from event to event.
    pub(crate) fn text(&self) -> Option<TextSpan> {
        match *self {
            Queued::Piece { text, .. } => Some(text),
            Queued::Arguments {
                fragment,
                whole: false,
                ..
            } => Some(fragment),
            _ => None,
        }
    }

    /// Returns true if the deltas differ only in their text or counts.
    pub(crate) fn is_like(&self, other: &Queued) -> bool {
        match (self, other) {
            (
                Queued::Piece {
                    kind, choice, part, ..
                },
                Queued::Piece {
                    kind: other_kind,
                    choice: other_choice,
                    part: other_part,
                    ..
                },
            ) => (kind, choice, part) == (other_kind, other_choice, other_part),
            (Queued::Arguments { call, .. }, Queued::Arguments { call: other, .. }) => {
                call == other
            }
            (
                Queued::Detail {
                    place, is_piece, ..
                },
                Queued::Detail {
                    place: other_place,
                    is_piece: other_is_piece,
                    ..
                },
            ) => (place, is_piece) == (other_place, other_is_piece),
            (Queued::Usage, Queued::Usage) => true,
            _ => false,
        }
    }

    /// Returns the same piece of another part.
    #[inline]
    pub(crate) fn with_part(mut self, number: u32) -> Queued {
        if let Queued::Piece { part, .. } = &mut self {
            *part = number;
        }
        self
    }

    /// Returns the same delta of another call.
    pub(crate) fn of_call(mut self, other: CallRef) -> Queued {
        if let Queued::Arguments { call, .. } = &mut self {
            *call = other;
        }
        self
    }

    /// Returns the delta with this text, if it is a piece or arguments.
    #[inline]
    pub(crate) fn with<'a>(&self, text: &'a str) -> Option<Delta<'a>> {
        Some(match *self {
            Queued::Piece {
                kind, choice, part, ..
            } => kind.delta(choice, part, text),
            Queued::Arguments { call, whole, .. } => {
                let CallRef {
                    choice,
                    part,
                    index,
                    is_server,
                } = call;
                let fragment = text;
                if is_server {
                    Delta::ServerToolCallArguments {
                        choice,
                        part,
                        index,
                        fragment,
                        whole,
                    }
                } else {
                    Delta::ToolCallArguments {
                        choice,
                        part,
                        index,
                        fragment,
                        whole,
                    }
                }
            }
            _ => return None,
        })
    }
}
