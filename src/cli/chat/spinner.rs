//! What is shown while a reply is waited for.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::cli::screen::{harmless, stderr_width};

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// Between two frames, and before the first: what comes at once needs none.
const PERIOD: Duration = Duration::from_millis(100);
/// Columns beside the text: the frame and a space before it, behind it the `^C` that a terminal echoes,
/// and one more, since a line that is full goes on below itself. What is below would not be taken away.
const MARGIN: usize = 5;

/// A line on standard error that moves until it is taken away. There is none but on a terminal.
pub(super) struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    pub(super) fn start(text: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Spinner(None);
        }
        let room = stderr_width().map_or(usize::MAX, |width| width.saturating_sub(MARGIN));
        let text: String = harmless(text).chars().take(room).collect();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut err = io::stderr();
            let mut shown = 0;
            for frame in FRAMES.iter().cycle() {
                match stopped.recv_timeout(PERIOD) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => break,
                }
                shown = text.chars().count() + MARGIN - 1;
                let _ = write!(err, "\r{frame} {text}").and_then(|()| err.flush());
            }
            // Spaces take it away on every terminal, those without escape sequences among them.
            if shown > 0 {
                let _ = write!(err, "\r{:shown$}\r", "").and_then(|()| err.flush());
            }
        });
        Spinner(Some((stop, thread)))
    }

    /// Takes it away; what is written then stands where it was.
    pub(super) fn clear(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.clear();
    }
}
