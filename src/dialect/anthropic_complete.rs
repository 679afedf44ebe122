//! `anthropic-complete`: Anthropic's legacy text completions.
//!
//! Wire: `event: completion` and `data: {"completion":…,"stop_reason":…}`, with `ping` between. The
//! last piece has a stop reason.

use super::Wire;
use super::progress::Progress;
use super::sink::{Kind, Sink};

/// What is known of the reply so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let root = wire.doc.root;
        let Some(text) = root.get("completion") else {
            return false;
        };
        // `log_id` is the only name that the response has.
        let id = Some(root.text_of("id")).filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| root.text_of("log_id"));
        self.progress
            .start(id, root.text_of("model"), "assistant", sink);
        sink.piece(Kind::Text, 0, text.text());
        let finish = root.text_of("stop_reason");
        self.progress.choice(0, finish, sink);
        if !finish.is_empty() {
            self.progress.done(sink);
        }
        true
    }
}
