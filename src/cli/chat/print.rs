//! How a reply is shown.

use std::io::{self, IsTerminal, Write};

use anstyle::Style;
use deltawire::{Delta, FinishReason};

use super::spinner::Spinner;
use crate::cli::outcome::Failure;
use crate::cli::output::{self, Output};
use crate::cli::screen::{FAINT, harmless, say};

/// What becomes of a reply.
pub(super) trait Print {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure>;

    /// Says something beside the reply, on a line of its own on standard error.
    fn note(&mut self, text: &str) -> Result<(), Failure>;

    /// Takes away what is shown until there is something to print.
    fn stop_waiting(&mut self);

    /// Shows what was given so far.
    fn flush(&mut self) -> Result<(), Failure>;

    /// Ends the reply. `invalid` counts the events that could not be decoded.
    fn end(&mut self, is_complete: bool, invalid: u64) -> Result<(), Failure>;
}

/// The lines of `deltawire deltas`.
pub(super) struct Lines {
    pub(super) output: Output,
    pub(super) spinner: Spinner,
}

impl Print for Lines {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure> {
        self.spinner.clear();
        self.output.line(output::delta(delta))
    }

    fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.spinner.clear();
        self.output.flush()?;
        say(text);
        Ok(())
    }

    fn stop_waiting(&mut self) {
        self.spinner.clear();
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.output.flush()
    }

    fn end(&mut self, is_complete: bool, invalid: u64) -> Result<(), Failure> {
        self.spinner.clear();
        self.output.line(output::end(is_complete, invalid))?;
        self.output.flush()
    }
}

/// The reply for a person, or a pipe.
pub(super) struct Text {
    out: io::BufWriter<io::StdoutLock<'static>>,
    spinner: Spinner,
    is_terminal: bool,
    /// Standard error goes to the same place.
    is_shared: bool,
    /// Something was printed, and its last line has no end.
    is_mid_line: bool,
    /// The same on standard error.
    aside: Option<Aside>,
}

/// What is no part of the reply, and is shown as it comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aside {
    Reasoning,
    /// Those of a tool call that was named before.
    Arguments,
}

impl Text {
    pub(super) fn new(spinner: Spinner) -> Self {
        let out = io::stdout().lock();
        let is_terminal = out.is_terminal();
        Text {
            is_terminal,
            is_shared: is_shared(),
            out: io::BufWriter::new(out),
            spinner,
            is_mid_line: false,
            aside: None,
        }
    }

    fn piece(&mut self, text: &str) -> Result<(), Failure> {
        self.spinner.clear();
        self.end_aside();
        self.is_mid_line = !text.ends_with('\n');
        let written = if self.is_terminal {
            self.out.write_all(harmless(text).as_bytes())
        } else {
            self.out.write_all(text.as_bytes())
        };
        written.map_err(|_| Failure::OutputClosed)
    }

    /// A piece of what is not the reply.
    fn beside(&mut self, what: Aside, text: &str) -> Result<(), Failure> {
        if self.aside != Some(what) {
            self.begin_aside()?;
            self.aside = Some(what);
            // Where there are no colours it would look like the reply.
            if what == Aside::Reasoning {
                aside("reasoning: ", FAINT);
            }
        }
        aside(text, FAINT);
        Ok(())
    }

    /// Has what comes next on standard error begin a line, also where the reply goes to the same place.
    fn begin_aside(&mut self) -> Result<(), Failure> {
        self.spinner.clear();
        self.flush()?;
        self.end_aside();
        if self.is_shared && std::mem::take(&mut self.is_mid_line) {
            aside("\n", Style::new());
        }
        Ok(())
    }

    fn end_aside(&mut self) {
        if self.aside.take().is_some() {
            aside("\n", Style::new());
        }
    }
}

impl Print for Text {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure> {
        match *delta {
            Delta::Text {
                choice: 0, text, ..
            }
            | Delta::Refusal {
                choice: 0, text, ..
            } => {
                self.piece(text)?;
            }
            Delta::Reasoning {
                choice: 0, text, ..
            } => self.beside(Aside::Reasoning, text)?,
            // What follows are its arguments. A chat has no tools to give.
            Delta::ToolCallStart {
                choice: 0, name, ..
            } if !name.is_empty() => {
                self.note(&format!("tool call: {name}"))?;
            }
            Delta::ServerToolCallStart {
                choice: 0, name, ..
            } if !name.is_empty() => {
                self.note(&format!("tool call run by the provider: {name}"))?;
            }
            Delta::ToolCallArguments {
                choice: 0,
                fragment,
                ..
            }
            | Delta::ServerToolCallArguments {
                choice: 0,
                fragment,
                ..
            } => {
                self.beside(Aside::Arguments, fragment)?;
            }
            Delta::Finish {
                choice: 0,
                reason,
                raw,
            } => match reason {
                FinishReason::Length => self.note("the reply was cut off at the token limit")?,
                FinishReason::ContentFilter => {
                    self.note("the provider's content filter stopped the reply")?;
                }
                FinishReason::Error => self.note(&format!("the provider failed: {raw}"))?,
                _ => {}
            },
            Delta::Error(error) => {
                self.note(&format!(
                    "provider error: {} ({})",
                    error.message, error.kind
                ))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.begin_aside()?;
        say(text);
        Ok(())
    }

    fn stop_waiting(&mut self) {
        self.spinner.clear();
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|_| Failure::OutputClosed)
    }

    fn end(&mut self, _is_complete: bool, _invalid: u64) -> Result<(), Failure> {
        self.spinner.clear();
        self.end_aside();
        if self.is_mid_line {
            self.piece("\n")?;
        }
        self.flush()
    }
}

/// Writes to standard error, which may be gone without anybody minding.
pub(super) fn aside(text: &str, style: Style) {
    let mut err = anstream::stderr();
    let _ = write!(err, "{style}{}{style:#}", harmless(text)).and_then(|()| err.flush());
}

/// Whether standard output and standard error are one terminal, one pipe or one file.
#[cfg(unix)]
fn is_shared() -> bool {
    use std::fs::File;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::fs::MetadataExt;

    let place = |stream: BorrowedFd<'_>| {
        let file = File::from(stream.try_clone_to_owned().ok()?);
        let data = file.metadata().ok()?;
        Some((data.dev(), data.ino()))
    };
    let out = place(io::stdout().as_fd());
    out.is_some() && out == place(io::stderr().as_fd())
}

#[cfg(not(unix))]
fn is_shared() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}
