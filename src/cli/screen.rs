//! Text for a person: wrapped to the terminal, in colours where it has some.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::cli::outcome::Failure;

pub(crate) const TITLE: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const REPLY: Style = AnsiColor::Green.on_default();
const WAITING: Style = AnsiColor::Red.on_default();

/// How far everything but a title is set in.
const INDENT: usize = 3;
/// The width where there is no terminal to ask.
const WIDTH: usize = 80;

/// Standard output as a screen of some width. `anstream` leaves colours out where there is no
/// terminal, and where `NO_COLOR` says so.
pub(crate) struct Screen {
    out: anstream::AutoStream<io::StdoutLock<'static>>,
    width: usize,
    /// Where the next piece of flowing text goes; 0 outside of it.
    column: usize,
    /// Spaces of flowing text that were not written yet.
    spaces: usize,
}

/// A bar: nothing to read until `first`, text until `last`.
pub(crate) struct Bar<'a> {
    pub(crate) name: &'a str,
    pub(crate) first: Duration,
    pub(crate) last: Duration,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let width = terminal_size::terminal_size()
            .filter(|_| stdout.is_terminal())
            .map_or(WIDTH, |(width, _)| width.0.into());
        Screen {
            out: anstream::AutoStream::auto(stdout.lock()),
            width: width.clamp(24, 100),
            column: 0,
            spaces: 0,
        }
    }

    fn write(&mut self, text: &str, style: Style) -> Result<(), Failure> {
        write!(self.out, "{style}{text}{style:#}").map_err(|_| Failure::OutputClosed)
    }

    fn indent(&mut self, by: usize) -> Result<(), Failure> {
        write!(self.out, "{:by$}", "").map_err(|_| Failure::OutputClosed)
    }

    fn end_line(&mut self) -> Result<(), Failure> {
        self.out
            .write_all(b"\n")
            .and_then(|()| self.out.flush())
            .map_err(|_| Failure::OutputClosed)
    }

    pub(crate) fn blank(&mut self) -> Result<(), Failure> {
        self.end_line()
    }

    /// A heading: at the left margin, a blank line before it.
    pub(crate) fn title(&mut self, text: &str) -> Result<(), Failure> {
        self.blank()?;
        self.text_at_margin(text, TITLE)
    }

    /// A paragraph at the left margin.
    pub(crate) fn text_at_margin(&mut self, text: &str, style: Style) -> Result<(), Failure> {
        self.wrapped(text, style, 0, INDENT)
    }

    /// A paragraph.
    pub(crate) fn text(&mut self, text: &str, style: Style) -> Result<(), Failure> {
        self.wrapped(text, style, INDENT, INDENT)
    }

    /// A row of a table: a few words, and what is said of them, which wraps below itself.
    pub(crate) fn row(&mut self, name: &str, width: usize, text: &str) -> Result<(), Failure> {
        self.write(&format!("{:INDENT$}{name:<width$}  ", ""), FAINT)?;
        let column = INDENT + width + 2;
        let lines = wrap(text, self.width.saturating_sub(column));
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                self.indent(column)?;
            }
            self.write(line, Style::new())?;
            self.end_line()?;
        }
        Ok(())
    }

    fn wrapped(
        &mut self,
        text: &str,
        style: Style,
        first: usize,
        others: usize,
    ) -> Result<(), Failure> {
        let lines = wrap(text, self.width.saturating_sub(others));
        for (at, line) in lines.iter().enumerate() {
            let indent = if at == 0 { first } else { others };
            self.indent(indent)?;
            self.write(line, style)?;
            self.end_line()?;
        }
        Ok(())
    }

    /// A piece of text that goes on where the one before ended, seen at once. A space waits for
    /// what follows it, and a comma may stand in the margin that is left for it.
    pub(crate) fn flow(&mut self, piece: &str) -> Result<(), Failure> {
        let mut piece = visible(piece);
        if piece.chars().all(|c| c == ' ') {
            self.spaces += piece.len();
            return Ok(());
        }
        let len = self.spaces + piece.chars().count();
        let margin = usize::from(piece != ",");
        if self.column + len + margin > self.width {
            self.end_flow()?;
        }
        if self.column == 0 {
            self.indent(INDENT)?;
            self.column = INDENT;
        } else {
            piece.insert_str(0, &" ".repeat(self.spaces));
        }
        self.spaces = 0;
        self.column += piece.chars().count();
        self.write(&piece, REPLY)?;
        self.out.flush().map_err(|_| Failure::OutputClosed)
    }

    pub(crate) fn end_flow(&mut self) -> Result<(), Failure> {
        if self.column > 0 {
            self.column = 0;
            self.spaces = 0;
            self.end_line()?;
        }
        Ok(())
    }

    /// A list on one line, without its middle where it is too long.
    pub(crate) fn excerpt(&mut self, list: &str) -> Result<(), Failure> {
        let list: Vec<char> = visible(list).chars().collect();
        let gap = " [...] ";
        let room = self.width - INDENT;
        let line: String = if list.len() <= room {
            list.into_iter().collect()
        } else {
            let tail = room / 4;
            let head: String = list[..room - gap.len() - tail].iter().collect();
            let tail: String = list[list.len() - tail..].iter().collect();
            // Not through the middle of a number.
            let head = head.rsplit_once(',').map_or(&*head, |(head, _)| head);
            let tail = tail.split_once(',').map_or(&*tail, |(_, tail)| tail);
            format!("{head},{gap}{}", tail.trim_start())
        };
        self.indent(INDENT)?;
        self.write(&line, REPLY)?;
        self.end_line()
    }

    /// Bars of one scale, one below the other: `.` where one waits, `#` where text arrives.
    pub(crate) fn bars(&mut self, bars: &[Bar<'_>]) -> Result<(), Failure> {
        let name_width = bars.iter().map(|bar| bar.name.len()).max().unwrap_or(0);
        let room = self.width.saturating_sub(INDENT + name_width + 2 + 8);
        let end = bars.iter().map(|bar| bar.last).max().unwrap_or_default();
        let cells = |time: Duration| {
            let share = time.as_secs_f64() / end.as_secs_f64().max(f64::MIN_POSITIVE);
            // Rounding to whole cells is what a bar is for.
            (share * room as f64).round() as usize
        };
        for bar in bars {
            // Even a short time is a time, and even an instant shows.
            let last = cells(bar.last).max(1);
            let first = cells(bar.first).max(1).min(last - 1);
            self.write(&format!("{:INDENT$}{:<name_width$}  ", "", bar.name), FAINT)?;
            self.write(&".".repeat(first), WAITING)?;
            self.write(&"#".repeat(last - first), REPLY)?;
            let padding = room - last + 1;
            self.write(
                &format!("{:padding$}{}", "", seconds(bar.last)),
                Style::new(),
            )?;
            self.end_line()?;
        }
        let legend = [". nothing to read yet", "# text arrives"];
        let line = legend.join("   ");
        if INDENT + line.len() <= self.width {
            return self.text(&line, FAINT);
        }
        legend.iter().try_for_each(|part| self.text(part, FAINT))
    }
}

/// A time as the guide prints it, but for one that is too short for that.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.01 {
        format!("{:.1} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Text with its line ends and other controls as escapes.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Text without the controls that would steer a terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// The columns of standard error, where it is a terminal.
pub(crate) fn stderr_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0.into())
}

/// Says what went wrong or what is to be known, on standard error, which may be gone without anybody
/// minding: wrapped to a terminal, and as it is in a pipe.
pub(crate) fn say(text: &str) {
    let text = format!("deltawire: {}", harmless(text));
    let mut lines = String::new();
    for (at, line) in text.lines().enumerate() {
        let indent = if at == 0 { "" } else { "  " };
        let line = line.trim_start();
        let wrapped = match stderr_width() {
            Some(width) => wrap(line, width.saturating_sub(2)),
            None => vec![line.to_owned()],
        };
        for (at, line) in wrapped.iter().enumerate() {
            lines += if at == 0 { indent } else { "  " };
            lines += line;
            lines.push('\n');
        }
    }
    let mut err = anstream::stderr();
    let _ = err.write_all(lines.as_bytes()).and_then(|()| err.flush());
}

/// Lines of at most `width` characters, broken at spaces. A word that has no line to itself anyway goes
/// on where it is.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let len = word.chars().count();
        if !line.is_empty() && len <= width && line.chars().count() + 1 + len > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
