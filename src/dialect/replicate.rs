//! `replicate`: Replicate's prediction streams.
//!
//! Wire: `event: output` with the text as it is, no JSON, over as many `data` lines as it has;
//! `event: done` with `{}` or a reason; `event: error` with a message.

use super::Wire;
use super::error::Said;
use super::progress::Progress;
use super::sink::{Kind, Sink};
use crate::delta::FinishReason;

/// What is known of the prediction so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads an event whose data is text. Returns false for one whose data is JSON.
    pub(crate) fn text(&mut self, event: &str, text: &str, sink: &mut Sink) -> bool {
        // Text, of which every space counts.
        sink.unique();
        let is_json = text.trim_start().starts_with('{');
        match event {
            "output" => sink.piece(Kind::Text, 0, text),
            "done" => return false,
            _ if is_json => return false,
            "error" => Said {
                message: text,
                ..Said::default()
            }
            .report_as(text.as_bytes(), sink),
            // The prediction's log, and what is newer than this.
            event => sink.other(event, text.as_bytes()),
        }
        true
    }

    /// Reads one event. Returns false where the dialect has no such event.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        if wire.event != "done" {
            return false;
        }
        let raw = wire.doc.root.text_of("reason");
        let reason = match raw {
            "error" => FinishReason::Error,
            _ => FinishReason::Other,
        };
        self.progress.finish(0, reason, raw, sink);
        self.progress.done(sink);
        true
    }
}
