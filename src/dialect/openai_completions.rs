//! `openai-completions`: OpenAI legacy completions.
//!
//! Wire: as chat completions, but a choice has its piece of the reply in `text`.

use super::json::Doc;
use super::openai_chat::{Choices, Chunk};
use super::sink::{Kind, Sink};

/// What is known of the message so far.
#[derive(Default)]
pub(crate) struct State {
    pub(super) choices: Choices,
}

impl State {
    pub(crate) fn reset(&mut self) {
        self.choices.reset();
    }

    /// Reads one chunk. Returns false where it is none.
    pub(crate) fn event(&mut self, doc: &Doc<'_>, sink: &mut Sink) -> bool {
        let Some(chunk) = Chunk::read(doc, &mut self.choices, sink) else {
            return false;
        };
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
                    "logprobs" => has_logprobs |= value.is_object(),
                    _ => {}
                }
            }
            sink.piece(Kind::Text, index, text);
            self.choices.seen(index, finish, sink);
        }
        chunk.finish(doc, sink);
        if has_logprobs {
            sink.other("logprobs", doc.text);
        }
        true
    }
}
