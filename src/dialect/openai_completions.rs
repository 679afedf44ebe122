//! `openai-completions`: OpenAI legacy completions.
//!
//! Wire: as chat completions, but a choice has its piece of the reply in `text`.

use super::Wire;
use super::openai_chat::Chunk;
use super::progress::Progress;
use super::sink::{Kind, Sink};

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) progress: Progress,
}

impl State {
    /// Reads one chunk. Returns false where it is none.
    pub(crate) fn event(&mut self, wire: &Wire<'_>, sink: &mut Sink) -> bool {
        let doc = &wire.doc;
        let mut chunk = Chunk::default();
        if !chunk.read(doc, &mut self.progress, sink) {
            return false;
        }
        let mut has_logprobs = false;
        for choice in chunk.choices() {
            let mut index = 0;
            let mut text = "";
            let mut finish = "";
            for (key, value) in choice.members() {
                match key {
                    "index" => index = value.choice().unwrap_or(0),
                    "text" => text = value.text(),
                    "finish_reason" => finish = value.text(),
                    "logprobs" => has_logprobs |= !value.is_empty(),
                    _ => sink.ignored(key),
                }
            }
            sink.piece(Kind::Text, index, text);
            self.progress.choice(index, finish, sink);
        }
        chunk.finish(doc, &mut self.progress, sink);
        if has_logprobs {
            sink.other("logprobs", doc.text);
        }
        true
    }
}
