//! Token counts under the names that the providers give them.

use super::queue::Queue;
use crate::delta::Usage;
use crate::tape::Value;

/// One of the counts.
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
    /// Its place in a usage.
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

    /// The count that goes by this name.
    fn named(name: &str) -> Option<Count> {
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

/// Reads a usage object; what is none of them, or no number, is left out. Where the numbers stand is
/// marked, since in some streams they grow with every event.
pub(crate) fn read(value: Value<'_>, queue: &mut Queue) -> Usage {
    let mut usage = Usage::default();
    // Details are more precise than a flat member of the same meaning, wherever they stand.
    let mut details = Usage::default();
    for (key, value) in value.members() {
        match key {
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                for (key, value) in value.members() {
                    match key {
                        "cached_tokens" | "cache_write_tokens" | "reasoning_tokens"
                        | "thinking_tokens" => count(&mut details, key, value, queue),
                        _ => queue.ignored(key),
                    }
                }
            }
            // Cohere counts here what the model saw; `billed_units` is what is paid for.
            "tokens" => details.merge(&read(value, queue)),
            key => count(&mut usage, key, value, queue),
        }
    }
    usage.merge(&details);
    usage
}

/// [`read`], of a member that may be missing.
pub(crate) fn of(value: Option<Value<'_>>, queue: &mut Queue) -> Usage {
    value.map(|value| read(value, queue)).unwrap_or_default()
}

fn count(usage: &mut Usage, key: &str, value: Value<'_>, queue: &mut Queue) {
    match Count::named(key) {
        Some(count) => {
            let slot = count.of(usage);
            *slot = value.u64().or(*slot);
            queue.count(key, count);
        }
        None => queue.ignored(key),
    }
}
