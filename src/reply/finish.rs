//! Finish reasons in the common vocabulary.

use super::vocabulary::{FINISH, FINISH_PREFIX, NOT_FINISHED};
use crate::delta::FinishReason;

/// Returns the meaning of a provider's finish reason, whatever its case.
pub(crate) fn finish_reason(raw: &str) -> FinishReason {
    // Gemini's OpenAI endpoint joins two words: `content_filter: RECITATION`.
    let joined = raw.split_once(": ");
    joined
        .and_then(|(_, own)| known(own))
        .or_else(|| known(joined.map_or(raw, |(word, _)| word)))
        .or_else(|| by_prefix(raw))
        .unwrap_or(FinishReason::Other)
}

/// Returns true if the word says that the reply goes on.
pub(crate) fn is_not_finished(raw: &str) -> bool {
    NOT_FINISHED
        .iter()
        .any(|word| word.eq_ignore_ascii_case(raw))
}

fn known(raw: &str) -> Option<FinishReason> {
    FINISH.find(|word| word.eq_ignore_ascii_case(raw.as_bytes()))
}

fn by_prefix(raw: &str) -> Option<FinishReason> {
    FINISH_PREFIX.find(|prefix| {
        let start = raw.as_bytes().get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}
