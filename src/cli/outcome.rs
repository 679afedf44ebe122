//! How commands end.

/// How a command ended; the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All went well.
    Done = 0,
    /// The stream carried an error, was truncated or not understood, or lost an event.
    Faulty = 1,
    /// Ctrl-C ended it.
    Interrupted = INTERRUPTED as isize,
}

/// The exit status of what Ctrl-C ended, as shells have it.
pub(crate) const INTERRUPTED: i32 = 130;

/// Why a command could not do its work: a message for a person, and the exit status.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage, a file that cannot be read among it.
    Usage(String),
    /// A connection failed, or the server refused.
    Transport(String),
    /// Standard output is gone; there is nobody to tell.
    OutputClosed,
}

impl Failure {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Transport(_) => 3,
            Failure::OutputClosed => 1,
        }
    }
}

impl From<deltawire::client::Error> for Failure {
    fn from(error: deltawire::client::Error) -> Self {
        Failure::Transport(error.to_string())
    }
}
