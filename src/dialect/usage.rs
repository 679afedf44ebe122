//! Token counts under the names that the providers give them.

use super::json::Value;
use crate::delta::Usage;

/// Reads a usage object; what is none of them, or no number, is left out.
pub(crate) fn read(value: Value<'_>) -> Usage {
    let mut usage = Usage::default();
    // Details are more precise than a flat member of the same meaning, wherever they stand.
    let mut details = Usage::default();
    for (key, value) in value.members() {
        let (of, slot) = (&mut usage, &mut details);
        match key {
            // OpenAI; Anthropic; Gemini; Gemini Interactions; Ollama; Bedrock; TGI.
            "prompt_tokens" | "input_tokens" | "promptTokenCount" | "total_input_tokens"
            | "prompt_eval_count" | "inputTokens" | "inputTokenCount" | "input_length"
            | "tokens_evaluated" => {
                of.input_tokens = value.u64();
            }
            "completion_tokens"
            | "output_tokens"
            | "candidatesTokenCount"
            | "total_output_tokens"
            | "eval_count"
            | "outputTokens"
            | "outputTokenCount"
            | "generated_tokens"
            | "tokens_predicted" => of.output_tokens = value.u64(),
            "total_tokens" | "totalTokenCount" | "totalTokens" => of.total_tokens = value.u64(),
            "cached_tokens"
            | "prompt_cache_hit_tokens"
            | "cache_read_input_tokens"
            | "cachedContentTokenCount"
            | "total_cached_tokens"
            | "cacheReadInputTokens"
            | "cacheReadInputTokenCount" => of.cached_tokens = value.u64().or(of.cached_tokens),
            "cache_creation_input_tokens"
            | "cacheWriteInputTokens"
            | "cacheWriteInputTokenCount" => {
                of.cache_creation_tokens = value.u64().or(of.cache_creation_tokens);
            }
            "reasoning_tokens" | "thoughtsTokenCount" | "total_thought_tokens" => {
                of.reasoning_tokens = value.u64();
            }
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                for (key, value) in value.members() {
                    match key {
                        "cached_tokens" => slot.cached_tokens = value.u64(),
                        "cache_write_tokens" => slot.cache_creation_tokens = value.u64(),
                        "reasoning_tokens" | "thinking_tokens" => {
                            slot.reasoning_tokens = value.u64();
                        }
                        _ => {}
                    }
                }
            }
            // Cohere counts here what the model saw; `billed_units` is what is paid for.
            "tokens" => slot.merge(&read(value)),
            _ => {}
        }
    }
    usage.merge(&details);
    usage
}
