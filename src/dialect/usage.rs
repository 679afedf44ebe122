//! Token counts under the names that the providers give them.

use super::json::Value;
use crate::delta::Usage;

/// Reads a usage object; what is none of them, or no number, is left out.
pub(crate) fn read(value: Value<'_>) -> Usage {
    let mut usage = Usage::default();
    // Details are more precise than a flat member of the same meaning, wherever they stand.
    let mut details = Usage::default();
    for (key, value) in value.members() {
        match key {
            "prompt_tokens" | "input_tokens" => usage.input_tokens = value.u64(),
            "completion_tokens" | "output_tokens" => usage.output_tokens = value.u64(),
            "total_tokens" => usage.total_tokens = value.u64(),
            "cached_tokens" | "prompt_cache_hit_tokens" | "cache_read_input_tokens" => {
                usage.cached_tokens = value.u64().or(usage.cached_tokens);
            }
            "cache_creation_input_tokens" => usage.cache_creation_tokens = value.u64(),
            "reasoning_tokens" => usage.reasoning_tokens = value.u64(),
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                for (key, value) in value.members() {
                    match key {
                        "cached_tokens" => details.cached_tokens = value.u64(),
                        "cache_write_tokens" => details.cache_creation_tokens = value.u64(),
                        "reasoning_tokens" => details.reasoning_tokens = value.u64(),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    usage.merge(&details);
    usage
}

/// [`read`], of a member that may be missing.
pub(crate) fn of(value: Option<Value<'_>>) -> Usage {
    value.map(read).unwrap_or_default()
}
