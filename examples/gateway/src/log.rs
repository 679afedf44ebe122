//! The line about a request, written when all about it is known.

use std::fmt;
use std::io::Write;
use std::time::Instant;

use hyper::{Method, StatusCode};

use crate::watch::{Kind, Seen};

/// How the body ended, as far as its connection goes.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It did not: the client went away first.
    Cancelled,
    /// Nothing more comes.
    Ended,
    /// The provider's connection broke, or what came on it was no HTTP.
    Broken(String),
}

/// What is told about a request. Dropping it tells.
pub(crate) struct Log {
    asked: String,
    started: Instant,
    refused: Option<String>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) ending: Ending,
    pub(crate) seen: Option<Seen>,
}

impl Log {
    pub(crate) fn new(method: &Method, path: &str) -> Log {
        Log {
            asked: format!("{method} {path}"),
            started: Instant::now(),
            refused: None,
            status: None,
            ending: Ending::Cancelled,
            seen: None,
        }
    }

    pub(crate) fn refuse(&mut self, why: &str) {
        self.refused = Some(why.to_owned());
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.asked)?;
        if let Some(why) = &self.refused {
            return write!(f, "no answer: {why}");
        }
        let Some(status) = self.status else {
            return f.write_str("cancelled before an answer");
        };
        write!(f, "{} ", status.as_u16())?;
        if let Some(seen) = &self.seen {
            match (&self.ending, seen.kind) {
                (Ending::Cancelled, _) => f.write_str("cancelled")?,
                // Its reply may have come all the same, if only the end of the body is missing.
                (Ending::Broken(why), kind) => write!(f, "{kind}, broken ({why})")?,
                (Ending::Ended, kind) => write!(f, "{kind}")?,
            }
            write!(f, "{seen}")?;
        }
        write!(f, ", {} ms", self.started.elapsed().as_millis())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Standard error may be gone; the gateway need not go with it.
        let _ = writeln!(std::io::stderr(), "{self}");
        if let Some(text) = self.seen.as_ref().and_then(|seen| seen.text.as_ref()) {
            let mut out = std::io::stdout().lock();
            let _ = text.iter().try_for_each(|(_, piece)| out.write_all(piece));
            let _ = out.write_all(b"\n").and_then(|()| out.flush());
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::NotRead => "not read",
            Kind::Complete => "complete",
            Kind::Truncated => "truncated",
            Kind::Unrecognised => "unrecognised",
        })
    }
}
