//! A command that sees each piece of a reply before anybody else does.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use deltawire::Delta;
use deltawire::moderation::{Moderator, Unit};

use super::print::Print;
use crate::cli::outcome::Failure;
use crate::cli::screen::seconds;

/// Text held back, and the command that is asked about it.
pub(super) struct Checks {
    command: String,
    moderator: Moderator,
    /// Since when something is held back.
    held_since: Option<Duration>,
    /// How long each released piece was held back, checking it included.
    held: Vec<Duration>,
    first_released: Option<Duration>,
    /// How long each check took.
    took: Vec<Duration>,
}

/// What became of a delta.
pub(super) enum Verdict {
    /// The pieces that it made whole were released, or there are none yet.
    Fine,
    /// A piece was refused.
    Refused,
}

/// The unit of `--moderate-by`.
pub(super) fn unit(text: &str) -> Result<Unit, String> {
    match text {
        "sentence" => Ok(Unit::Sentence),
        "paragraph" => Ok(Unit::Paragraph),
        _ => match text.parse() {
            Ok(count) if count > 0 => Ok(Unit::Characters(count)),
            _ => Err("expected sentence, paragraph or a number of characters".into()),
        },
    }
}

impl Checks {
    pub(super) fn new(command: &str, unit: Unit) -> Self {
        Checks {
            command: command.into(),
            moderator: Moderator::new(unit),
            held_since: None,
            held: Vec::new(),
            first_released: None,
            took: Vec::new(),
        }
    }

    /// Takes in a delta that arrived so long after `sent`, and releases what it makes whole and the
    /// command lets pass; the delta itself too, where it is no text.
    pub(super) fn push(
        &mut self,
        delta: &Delta<'_>,
        sent: Instant,
        printer: &mut dyn Print,
    ) -> Result<Verdict, Failure> {
        let is_held = self.moderator.push(delta);
        if is_held {
            self.held_since.get_or_insert_with(|| sent.elapsed());
        }
        if matches!(self.release(sent, printer)?, Verdict::Refused) {
            return Ok(Verdict::Refused);
        }
        if !is_held {
            printer.delta(delta)?;
        }
        Ok(Verdict::Fine)
    }

    /// The stream is at its end: what is held is checked as it is.
    pub(super) fn finish(
        &mut self,
        sent: Instant,
        printer: &mut dyn Print,
    ) -> Result<Verdict, Failure> {
        self.moderator.finish();
        self.release(sent, printer)
    }

    fn release(&mut self, sent: Instant, printer: &mut dyn Print) -> Result<Verdict, Failure> {
        while let Some(piece) = self.moderator.next() {
            let (Delta::Text { text, .. }
            | Delta::Reasoning { text, .. }
            | Delta::Refusal { text, .. }) = piece
            else {
                continue;
            };
            // The command takes its time, and may have something to say on standard error.
            printer.flush()?;
            printer.stop_waiting();
            let started = Instant::now();
            let is_fine = passes(&self.command, text)?;
            self.took.push(started.elapsed());
            if !is_fine {
                self.moderator.stop();
                return Ok(Verdict::Refused);
            }
            printer.delta(&piece)?;
            let now = sent.elapsed();
            self.first_released.get_or_insert(now);
            // What is left of the text came last.
            let since = self.held_since.replace(now).unwrap_or(now);
            self.held.push(now.saturating_sub(since));
        }
        if self.moderator.held_bytes() == 0 {
            self.held_since = None;
        }
        Ok(Verdict::Fine)
    }

    pub(super) fn command(&self) -> &str {
        &self.command
    }

    pub(super) fn first_released(&self) -> Option<Duration> {
        self.first_released
    }

    pub(super) fn held_back(&self) -> String {
        summary(&self.held, "piece")
    }

    pub(super) fn took(&self) -> String {
        summary(&self.took, "check")
    }
}

fn summary(times: &[Duration], what: &str) -> String {
    let sum: Duration = times.iter().sum();
    let count = times.len() as u32;
    if count == 0 {
        return format!("no {what}");
    }
    if count == 1 {
        return format!("1 {what}, {}", seconds(sum));
    }
    let longest = times.iter().max().copied().unwrap_or_default();
    format!(
        "{count} {what}s, {} each on average, {} at most",
        seconds(sum / count),
        seconds(longest)
    )
}

/// Whether the command ends with 0, given the text on its standard input.
fn passes(command: &str, text: &str) -> Result<bool, Failure> {
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let fail = |error| Failure::Usage(format!("--moderate: {command}: {error}"));
    let mut child = Command::new(shell)
        .args([option, command])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(fail)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that decides without reading all of it closes its end, and that is no error.
        let _ = stdin.write_all(text.as_bytes());
    }
    Ok(child.wait().map_err(fail)?.success())
}
