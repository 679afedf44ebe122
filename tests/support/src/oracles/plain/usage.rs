//! Counts of tokens.

use super::value::{number, pairs};
use deltawire::Usage;
use serde_json::Value;

/// Counts by the names that providers give them; details are more precise than a flat member.
pub(super) fn read(value: &Value) -> Usage {
    fn note(usage: &mut Usage, key: &str, value: &Value) {
        let slot = match key {
            "prompt_tokens" | "input_tokens" | "promptTokenCount" | "total_input_tokens"
            | "prompt_eval_count" | "inputTokens" | "inputTokenCount" | "input_length"
            | "tokens_evaluated" => &mut usage.input_tokens,
            "completion_tokens"
            | "output_tokens"
            | "candidatesTokenCount"
            | "total_output_tokens"
            | "eval_count"
            | "outputTokens"
            | "outputTokenCount"
            | "generated_tokens"
            | "tokens_predicted" => &mut usage.output_tokens,
            "total_tokens" | "totalTokenCount" | "totalTokens" => &mut usage.total_tokens,
            "cached_tokens"
            | "prompt_cache_hit_tokens"
            | "cache_read_input_tokens"
            | "cachedContentTokenCount"
            | "total_cached_tokens"
            | "cacheReadInputTokens"
            | "cacheReadInputTokenCount" => &mut usage.cached_tokens,
            "cache_creation_input_tokens"
            | "cacheWriteInputTokens"
            | "cacheWriteInputTokenCount"
            | "cache_write_tokens" => &mut usage.cache_creation_tokens,
            "reasoning_tokens"
            | "thinking_tokens"
            | "thoughtsTokenCount"
            | "total_thought_tokens" => &mut usage.reasoning_tokens,
            _ => return,
        };
        *slot = number(value).or(*slot);
    }
    let (mut flat, mut details) = (Usage::default(), Usage::default());
    for (key, value) in pairs(value) {
        match key {
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                for (key, value) in pairs(value) {
                    let known = [
                        "cached_tokens",
                        "cache_write_tokens",
                        "reasoning_tokens",
                        "thinking_tokens",
                    ];
                    if known.contains(&key) {
                        note(&mut details, key, value);
                    }
                }
            }
            "tokens" => details.merge(&read(value)),
            _ => note(&mut flat, key, value),
        }
    }
    flat.merge(&details);
    flat
}
