//! Token counts where a stream tells none, by the byte pair encodings of OpenAI's models.
//!
//! A stream has usage only where it is asked for, and some servers never send it. A [`Counter`] counts
//! what was asked and what came. It is exact for text. Of what a provider adds that nobody
//! sees (reasoning that is kept back, the wording of tools and of images) it knows nothing, and whether
//! the token that ends a reply counts differs from model to model. So a count is to be shown as one, and
//! the provider's own usage, where there is some, goes before it.
//!
//! ```
//! use deltawire::tokens::Counter;
//!
//! let counter = Counter::for_model("gpt-4o-mini").expect("a model whose encoding is known");
//! assert_eq!(counter.text("Hello, world!"), 4);
//! assert_eq!(counter.prompt([("user", "Hello, world!")]), 11);
//! assert!(Counter::for_model("claude-sonnet-4").is_none());
//! ```

use tiktoken_rs::CoreBPE;

use crate::delta::FinishReason;
use crate::message::{Choice, Message, ToolCall};

/// What a chat prompt has beside its text, by OpenAI's account of it: what precedes each message, and
/// what precedes the reply.
const PER_MESSAGE: u64 = 3;
const PER_PROMPT: u64 = 3;

/// The token by which a model ends its reply, which mostly counts.
const END: u64 = 1;

/// Counts the tokens of one model.
#[derive(Clone, Copy)]
pub struct Counter {
    encoding: &'static CoreBPE,
}

impl Counter {
    /// A counter for a model, by its name; `None` where its encoding is not known, as for all that are
    /// not OpenAI's. The first one of an encoding loads it, which takes some tens of milliseconds and
    /// megabytes; it is kept.
    #[must_use]
    pub fn for_model(model: &str) -> Option<Self> {
        Some(Counter {
            encoding: tiktoken_rs::bpe_for_model(model).ok()?,
        })
    }

    /// Whether the encoding of a model is known, without loading it.
    #[must_use]
    pub fn is_known(model: &str) -> bool {
        tiktoken_rs::tokenizer::get_tokenizer(model).is_some()
    }

    /// How many tokens a text has. What looks like a special token is text.
    #[must_use]
    pub fn text(&self, text: &str) -> u64 {
        self.encoding.count_ordinary(text) as u64
    }

    /// How many tokens a conversation has as a prompt: its messages are roles and contents.
    pub fn prompt<'t>(&self, messages: impl IntoIterator<Item = (&'t str, &'t str)>) -> u64 {
        let messages = messages.into_iter();
        let of = |(role, content)| PER_MESSAGE + self.text(role) + self.text(content);
        messages.map(of).sum::<u64>() + PER_PROMPT
    }

    /// How many tokens a choice has: text, reasoning, refusal, names and arguments of tool calls, and the
    /// one that ends a reply which the model ended itself.
    #[must_use]
    pub fn choice(&self, choice: &Choice) -> u64 {
        let call = |call: &ToolCall| self.text(&call.name) + self.text(&call.arguments);
        let calls = choice.tool_calls.iter().chain(&choice.server_tool_calls);
        let texts = [&choice.text, &choice.reasoning, &choice.refusal];
        let finish = choice.finish.as_ref().map(|finish| finish.reason);
        let end = if finish == Some(FinishReason::Stop) {
            END
        } else {
            0
        };
        texts.iter().map(|text| self.text(text)).sum::<u64>() + calls.map(call).sum::<u64>() + end
    }

    /// The same of all choices of a message.
    #[must_use]
    pub fn completion(&self, message: &Message) -> u64 {
        message.choices.iter().map(|it| self.choice(it)).sum()
    }
}

impl core::fmt::Debug for Counter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}
