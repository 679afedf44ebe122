//! What each provider sends: events to begin from.

use deltawire::Dialect;

/// A provider, and events of its in the order in which they may come.
pub(super) struct Provider {
    pub(super) dialect: Dialect,
    /// Event name, empty for none, and payload.
    pub(super) events: &'static [(&'static str, &'static str)],
}

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        dialect: Dialect::OpenAiChat,
        events: &[
            (
                "",
                r#"{"id":"c","object":"chat.completion.chunk","created":17,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"obfuscation":"ab"}"#,
            ),
            (
                "",
                r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"completion_tokens_details":{"reasoning_tokens":2}}}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"reasoning_content":"th","reasoning":"th","content":""}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":""}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"x"}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"t","function":{"arguments":"y"}}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"text":"old"},{"index":1,"delta":{"content":"two"}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"p"},{"type":"thinking","thinking":"q"}]}}]}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"message":{"content":"whole"},"delta":{"content":"w"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":1},"cached_tokens":1}}"#,
            ),
            (
                "",
                r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
            ),
            (
                "",
                r#"{"choices":[{"index":0,"delta":{"reasoning":"r","reasoning_details":[{"type":"t","text":"r","format":"u","index":0}]}}]}"#,
            ),
            ("", "[DONE]"),
        ],
    },
    Provider {
        dialect: Dialect::OpenAiCompletions,
        events: &[
            (
                "",
                r#"{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":null}]}"#,
            ),
            (
                "",
                r#"{"id":"c","choices":[{"text":"","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
            ),
            ("", "[DONE]"),
        ],
    },
    Provider {
        dialect: Dialect::OpenAiResponses,
        events: &[
            (
                "response.created",
                r#"{"type":"response.created","sequence_number":0,"response":{"id":"r","model":"m"}}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","sequence_number":4,"item_id":"i","output_index":0,"content_index":0,"delta":"ab","logprobs":[],"obfuscation":"xx"}"#,
            ),
            (
                "response.output_text.done",
                r#"{"type":"response.output_text.done","sequence_number":5,"output_index":0,"content_index":0,"text":"ab"}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"t","name":"f","arguments":""}}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","sequence_number":7,"output_index":1,"delta":"{}"}"#,
            ),
            (
                "response.function_call_arguments.done",
                r#"{"type":"response.function_call_arguments.done","output_index":1,"arguments":"{}"}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"message","content":[{"type":"output_text","text":"late"}]}}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"t","name":"f","arguments":"{}"}}"#,
            ),
            (
                "response.reasoning_summary_text.delta",
                r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"why"}"#,
            ),
            (
                "response.content_part.done",
                r#"{"type":"response.content_part.done","sequence_number":9,"part":{"text":"ab"}}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","status":"completed","usage":{"input_tokens":1}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Anthropic,
        events: &[
            (
                "message_start",
                r#"{"type":"message_start","message":{"id":"m","model":"c","role":"assistant","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}   }"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"},"p":"abc"}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"g","input":{}}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_stop",
                r#"{"type":"content_block_stop","index":0}"#,
            ),
            ("ping", r#"{"type":"ping"}"#),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}"#,
            ),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
    },
    Provider {
        dialect: Dialect::Gemini,
        events: &[
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":4}]},"modelVersion":"g","responseId":"r"}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"th","thought":true}],"role":"model"}}],"usageMetadata":{"promptTokenCount":4,"thoughtsTokenCount":9}}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP"}]}"#,
            ),
            (
                "",
                r#"{"response":{"candidates":[{"content":{"parts":[{"text":"in"}]},"finishReason":"STOP","groundingMetadata":{"a":""}}]},"traceId":"t"}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::GeminiInteractions,
        events: &[
            (
                "content.delta",
                r#"{"event_type":"content.delta","index":0,"delta":{"type":"text","text":"Hi"}}"#,
            ),
            (
                "content.delta",
                r#"{"event_type":"content.delta","index":1,"delta":{"type":"function_call","id":"t","name":"f","arguments":"x"}}"#,
            ),
            (
                "interaction.complete",
                r#"{"event_type":"interaction.complete","interaction":{"id":"i","status":"completed","usage":{"total_tokens":5}}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Ollama,
        events: &[
            (
                "",
                r#"{"model":"l","created_at":"2024","message":{"role":"assistant","content":"Hi"},"done":false}"#,
            ),
            (
                "",
                r#"{"model":"l","created_at":"2024","response":"Hi","thinking":"","done":false}"#,
            ),
            (
                "",
                r#"{"model":"l","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":9,"total_duration":55}"#,
            ),
            (
                "",
                r#"{"model":"l","response":"","done":true,"done_reason":"","eval_count":9}"#,
            ),
            (
                "",
                r#"{"model":"l","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Tgi,
        events: &[
            (
                "",
                r#"{"index":1,"token":{"id":5,"text":"Hi","logprob":-0.5,"special":false},"generated_text":null,"details":null}"#,
            ),
            (
                "",
                r#"{"index":9,"token":{"id":2,"text":"x","logprob":-1.5,"special":false},"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":20,"seed":null}}"#,
            ),
            (
                "",
                r#"{"index":9,"token":{"id":2,"text":"","special":true},"details":{"finish_reason":"","generated_tokens":20}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::Cohere,
        events: &[
            (
                "message-start",
                r#"{"type":"message-start","id":"i","delta":{"message":{"role":"assistant"}}}"#,
            ),
            (
                "content-delta",
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}"#,
            ),
            (
                "tool-call-start",
                r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t","type":"function","function":{"name":"f","arguments":""}}}}}"#,
            ),
            (
                "tool-call-delta",
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#,
            ),
            (
                "tool-call-delta",
                r#"{"type":"tool-call-delta","delta":{"message":{"tool_calls":{"function":{"name":"f","arguments":"{}"}}}}}"#,
            ),
            (
                "message-end",
                r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1},"tokens":{"input_tokens":2,"output_tokens":3}}}}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::OpenAiAssistants,
        events: &[
            (
                "thread.run.created",
                r#"{"id":"r","object":"thread.run","model":"m"}"#,
            ),
            (
                "thread.message.delta",
                r#"{"id":"x","object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"Hi"}}]}}"#,
            ),
            (
                "thread.run.step.delta",
                r#"{"delta":{"step_details":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"x"}}]}}}"#,
            ),
            (
                "thread.run.step.delta",
                r#"{"delta":{"step_details":{"tool_calls":[{"function":{"name":"f","arguments":"x"}}]}}}"#,
            ),
            ("done", "[DONE]"),
        ],
    },
    Provider {
        dialect: Dialect::Replicate,
        events: &[
            ("output", "Hi"),
            ("output", ""),
            ("output", " "),
            ("output", "   "),
            ("output", "{\"a\":1}"),
            ("done", "{}"),
        ],
    },
    Provider {
        dialect: Dialect::AnthropicComplete,
        events: &[
            (
                "completion",
                r#"{"type":"completion","id":"i","completion":"Hi","stop_reason":null,"model":"c","log_id":"i"}"#,
            ),
            (
                "completion",
                r#"{"type":"completion","id":"i","completion":"","stop_reason":"stop_sequence","model":"c"}"#,
            ),
            ("ping", r#"{"type":"ping"}"#),
        ],
    },
    Provider {
        dialect: Dialect::Watsonx,
        events: &[
            (
                "message",
                r#"{"model_id":"w","created_at":"2024","results":[{"generated_text":"Hi","generated_token_count":1,"input_token_count":0,"stop_reason":"not_finished"}]}"#,
            ),
            (
                "message",
                r#"{"model_id":"w","results":[{"generated_text":"","generated_token_count":9,"stop_reason":"eos_token"}]}"#,
            ),
        ],
    },
    Provider {
        dialect: Dialect::LlamaCpp,
        events: &[
            (
                "",
                r#"{"index":0,"content":"Hi","tokens":[1],"stop":false,"id_slot":-1,"tokens_predicted":3,"tokens_evaluated":9}"#,
            ),
            (
                "",
                r#"{"index":0,"content":"x","stop":true,"model":"l","stop_type":"eos","tokens_predicted":3,"tokens_evaluated":9}"#,
            ),
            (
                "",
                r#"{"index":0,"content":"x","stop":true,"stop_type":"","stopped_limit":false,"tokens_predicted":3}"#,
            ),
        ],
    },
    // Frames of another framing, as lines.
    Provider {
        dialect: Dialect::Bedrock,
        events: &[
            ("chunk", r#"{"bytes":"eyAidGV4dCI6ImEifQ=="}"#),
            (
                "chunk",
                r#"{"choices":[{"index":0,"delta":{"content":"Hi"}}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":6}}"#,
            ),
            (
                "chunk",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#,
            ),
            ("messageStop", r#"{"stopReason":"end_turn"}"#),
        ],
    },
];
