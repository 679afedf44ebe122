//! Finish reasons in the common vocabulary.

use crate::delta::FinishReason;

/// Returns the meaning of a provider's finish reason, if the word alone tells it.
pub(crate) fn finish_reason(raw: &str) -> FinishReason {
    match raw {
        // OpenAI and its like; Anthropic; Cohere; TGI and watsonx; Titan.
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "pause_turn" | "COMPLETE"
        | "STOP_SEQUENCE" | "FINISH" | "FINISHED" => FinishReason::Stop,
        "length"
        | "model_length"
        | "max_tokens"
        | "model_context_window_exceeded"
        | "MAX_TOKENS"
        | "LENGTH" => FinishReason::Length,
        "tool_calls" | "function_call" | "tool_use" | "TOOL_CALL" => FinishReason::ToolCalls,
        "content_filter" | "refusal" | "CONTENT_FILTERED" => FinishReason::ContentFilter,
        "error" | "insufficient_system_resource" | "ERROR" | "TIMEOUT" => FinishReason::Error,
        _ => FinishReason::Other,
    }
}
