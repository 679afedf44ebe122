//! How a reply is shown.

use std::io::{self, IsTerminal, Write};

use anstyle::Style;
use deltawire::{Delta, FinishReason};

use crate::Failure;
use crate::output::{self, Object, Output};
use crate::screen::FAINT;

/// What becomes of a reply.
pub(super) trait Print {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure>;

    /// Shows what was given so far.
    fn flush(&mut self) -> Result<(), Failure>;

    fn end(&mut self, is_complete: bool) -> Result<(), Failure>;
}

/// The lines of `deltawire deltas`.
pub(super) struct Lines(pub(super) Output);

impl Print for Lines {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure> {
        self.0.line(output::delta(delta))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush()
    }

    fn end(&mut self, is_complete: bool) -> Result<(), Failure> {
        let line = Object::of_type("end").value("complete", is_complete);
        self.0.line(line)?;
        self.0.flush()
    }
}

/// The reply for a person, or a pipe.
pub(super) struct Text {
    out: io::BufWriter<io::StdoutLock<'static>>,
    is_terminal: bool,
    /// Something was printed, and its last line has no end.
    is_mid_line: bool,
    /// The same of reasoning and of arguments, on standard error.
    is_mid_aside: bool,
}

impl Text {
    pub(super) fn new() -> Self {
        let out = io::stdout().lock();
        Text {
            is_terminal: out.is_terminal(),
            out: io::BufWriter::new(out),
            is_mid_line: false,
            is_mid_aside: false,
        }
    }

    fn piece(&mut self, text: &str) -> Result<(), Failure> {
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
    fn beside(&mut self, text: &str) -> Result<(), Failure> {
        // Both end up on one terminal, in the order in which they came.
        self.flush()?;
        self.is_mid_aside = true;
        aside(text, FAINT);
        Ok(())
    }

    fn end_aside(&mut self) {
        if std::mem::take(&mut self.is_mid_aside) {
            aside("\n", Style::new());
        }
    }

    /// A line on standard error, on a line of its own on a terminal too.
    fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.flush()?;
        self.end_aside();
        let gap = if self.is_terminal && self.is_mid_line {
            "\n"
        } else {
            ""
        };
        aside(&format!("{gap}deltawire: {text}\n"), Style::new());
        Ok(())
    }
}

impl Print for Text {
    fn delta(&mut self, delta: &Delta<'_>) -> Result<(), Failure> {
        match *delta {
            Delta::Text { choice: 0, text } | Delta::Refusal { choice: 0, text } => {
                self.piece(text)?;
            }
            Delta::Reasoning { choice: 0, text } => self.beside(text)?,
            // What follows are its arguments. A chat has no tools to give.
            Delta::ToolCallStart { name, .. } if !name.is_empty() => {
                self.note(&format!("the model calls a tool: {name}"))?;
            }
            Delta::ServerToolCallStart { name, .. } if !name.is_empty() => {
                self.note(&format!("the provider runs a tool: {name}"))?;
            }
            Delta::ToolCallArguments { fragment, .. }
            | Delta::ServerToolCallArguments { fragment, .. } => self.beside(fragment)?,
            Delta::Finish { reason, raw, .. } => match reason {
                FinishReason::Length => self.note("the reply is cut at the limit on tokens")?,
                FinishReason::ContentFilter => {
                    self.note("the provider's filter ended the reply")?;
                }
                FinishReason::Error => self.note(&format!("the provider failed: {raw}"))?,
                _ => {}
            },
            Delta::Error(error) => {
                self.note(&format!(
                    "the provider reports: {} ({})",
                    error.message, error.kind
                ))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|_| Failure::OutputClosed)
    }

    fn end(&mut self, _is_complete: bool) -> Result<(), Failure> {
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

/// Text without the controls that would steer a terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}
