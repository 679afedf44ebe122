//! The token counts of a response.

use crate::delta::Usage;

/// A field of [`Usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Input,
    Output,
    Total,
    Cached,
    CacheCreation,
    Reasoning,
}

impl Count {
    /// Returns the field.
    pub(crate) fn of(self, usage: &mut Usage) -> &mut Option<u64> {
        match self {
            Count::Input => &mut usage.input_tokens,
            Count::Output => &mut usage.output_tokens,
            Count::Total => &mut usage.total_tokens,
            Count::Cached => &mut usage.cached_tokens,
            Count::CacheCreation => &mut usage.cache_creation_tokens,
            Count::Reasoning => &mut usage.reasoning_tokens,
        }
    }

    /// Returns the count with this name, or `None` if the name is unknown.
    pub(super) fn named(name: &str) -> Option<Count> {
        Some(match name {
            // OpenAI; Anthropic; Gemini; Gemini Interactions; Ollama; Bedrock; TGI.
            "prompt_tokens" | "input_tokens" | "promptTokenCount" | "total_input_tokens"
            | "prompt_eval_count" | "inputTokens" | "inputTokenCount" | "input_length"
            | "tokens_evaluated" => Count::Input,
            "completion_tokens"
            | "output_tokens"
            | "candidatesTokenCount"
            | "total_output_tokens"
            | "eval_count"
            | "outputTokens"
            | "outputTokenCount"
            | "generated_tokens"
            | "tokens_predicted" => Count::Output,
            "total_tokens" | "totalTokenCount" | "totalTokens" => Count::Total,
            "cached_tokens"
            | "prompt_cache_hit_tokens"
            | "cache_read_input_tokens"
            | "cachedContentTokenCount"
            | "total_cached_tokens"
            | "cacheReadInputTokens"
            | "cacheReadInputTokenCount" => Count::Cached,
            "cache_creation_input_tokens"
            | "cacheWriteInputTokens"
            | "cacheWriteInputTokenCount"
            | "cache_write_tokens" => Count::CacheCreation,
            "reasoning_tokens"
            | "thinking_tokens"
            | "thoughtsTokenCount"
            | "total_thought_tokens" => Count::Reasoning,
            _ => return None,
        })
    }
}
