//! `openai-completions`: OpenAI legacy completions.
//!
//! Format: as chat completions, but a choice has its piece of the reply in `text`.

use super::{Dialect, Spec, openai_chat};

/// The dialect's row in the table. Chat completions read the pieces in `text` too.
pub(super) static SPEC: Spec = Spec {
    dialect: Dialect::OpenAiCompletions,
    name: "openai-completions",
    ends_with_done: true,
    detect: |outline| outline.has_choices() && outline.has_legacy_choices(),
    event: openai_chat::event,
    ..Spec::DEFAULT
};
