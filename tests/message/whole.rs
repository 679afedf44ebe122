//! A whole response gives the message that its stream gives, whatever the dialect.
//!
//! Chat completions and similar formats are in `chat.rs`.

use deltawire::{Choice, Dialect, End, FinishReason, Message, ToolCall};
use deltawire_test_support::decoding::decoder;

fn from_stream(dialect: Dialect, body: &str) -> Message {
    let mut decoder = decoder(None);
    let mut message = Message::new();
    let mut input = body.as_bytes();
    while let Some(delta) = decoder.next(&mut input) {
        message.push(&delta);
    }
    while let Some(delta) = decoder.finish() {
        message.push(&delta);
    }
    assert_eq!(decoder.dialect(), Some(dialect));
    message.finish(decoder.end());
    message
}

/// The message that a stream and a whole response both give.
fn same(dialect: Dialect, stream: &str, whole: &str) -> Message {
    let stream = from_stream(dialect, stream);
    let whole = Message::from_response(whole.as_bytes()).expect("a response");
    assert_eq!(stream.end, Some(End::Complete));
    assert_eq!(whole.end, stream.end);
    assert_eq!(whole.done, stream.done);
    assert_eq!(whole.error, stream.error);
    let who = |it: &Message| (it.id.clone(), it.model.clone(), it.role.clone());
    assert_eq!(who(&whole), who(&stream));
    assert_eq!(whole.usage, stream.usage);
    let choices = |it: &Message| it.choices.iter().map(seen).collect::<Vec<_>>();
    assert_eq!(choices(&whole), choices(&stream));
    whole
}

/// What a choice says, without when it was said.
fn seen(choice: &Choice) -> String {
    let calls = |calls: &[ToolCall]| {
        let call = |it: &ToolCall| {
            (
                it.index,
                it.id.clone(),
                it.name.clone(),
                it.arguments.clone(),
            )
        };
        calls.iter().map(call).collect::<Vec<_>>()
    };
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?}",
        choice.index,
        choice.text,
        choice.reasoning,
        choice.refusal,
        calls(&choice.tool_calls),
        calls(&choice.server_tool_calls),
        choice.finish,
    )
}

#[track_caller]
fn only(message: &Message) -> &Choice {
    let [choice] = &message.choices[..] else {
        panic!("{} choices", message.choices.len());
    };
    choice
}

fn reason(choice: &Choice) -> Option<FinishReason> {
    choice.finish.as_ref().map(|finish| finish.reason)
}

#[test]
fn responses_read_the_same_streamed_and_whole() {
    let item = r#"{"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}]}"#;
    let text = r#"{"id":"msg","type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]},{"type":"refusal","refusal":"No."}]}"#;
    let call = r#"{"id":"fc","type":"function_call","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}"#;
    let search = r#"{"id":"ws","type":"web_search_call","status":"completed"}"#;
    let whole = format!(
        r#"{{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"gpt-5","output":[{item},{text},{call},{search}],"usage":{{"input_tokens":9,"input_tokens_details":{{"cached_tokens":4}},"output_tokens":2,"output_tokens_details":{{"reasoning_tokens":1}},"total_tokens":11}}}}"#
    );
    let stream = format!(
        r#"data: {{"type":"response.created","response":{{"id":"resp_1","status":"in_progress","model":"gpt-5","output":[]}}}}

data: {{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"Hm."}}

data: {{"type":"response.output_item.done","output_index":0,"item":{item}}}

data: {{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"Hel"}}

data: {{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"lo"}}

data: {{"type":"response.refusal.delta","output_index":1,"content_index":1,"delta":"No."}}

data: {{"type":"response.output_item.done","output_index":1,"item":{text}}}

data: {{"type":"response.output_item.added","output_index":2,"item":{{"id":"fc","type":"function_call","call_id":"call_1","name":"f","arguments":""}}}}

data: {{"type":"response.function_call_arguments.delta","output_index":2,"delta":"{{\"a\":"}}

data: {{"type":"response.function_call_arguments.delta","output_index":2,"delta":"1}}"}}

data: {{"type":"response.output_item.done","output_index":2,"item":{call}}}

data: {{"type":"response.output_item.done","output_index":3,"item":{search}}}

data: {{"type":"response.completed","response":{whole}}}

"#
    );
    let message = same(Dialect::OpenAiResponses, &stream, &whole);
    let choice = only(&message);
    assert_eq!(choice.text, "Hello");
    assert_eq!(choice.reasoning, "Hm.");
    assert_eq!(choice.refusal, "No.");
    assert_eq!(choice.tool_calls[0].arguments, r#"{"a":1}"#);
    assert_eq!(reason(choice), Some(FinishReason::ToolCalls));
    assert_eq!(message.usage.reasoning_tokens, Some(1));
}

#[test]
fn a_response_that_is_incomplete_reads_the_same_streamed_and_whole() {
    let whole = r#"{"id":"resp_1","object":"response","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"model":"gpt-5","output":[{"type":"message","content":[{"type":"output_text","text":"Hel"}]}]}"#;
    let stream = format!(
        r#"data: {{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hel"}}

data: {{"type":"response.incomplete","response":{whole}}}

"#
    );
    let message = same(Dialect::OpenAiResponses, &stream, whole);
    assert_eq!(reason(only(&message)), Some(FinishReason::Length));
}

#[test]
fn a_response_that_failed_carries_its_error() {
    let whole = r#"{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error","message":"The model failed."},"model":"gpt-5","output":[]}"#;
    let message = Message::from_response(whole.as_bytes()).expect("a response");
    let error = message.error.as_ref().expect("an error");
    assert_eq!(error.message, "The model failed.");
    assert!(error.transient);
    assert!(!message.is_complete());
}

#[test]
fn an_anthropic_message_reads_the_same_streamed_and_whole() {
    let whole = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"Hm.","signature":"EqQB"},{"type":"text","text":"Hello"},{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"query": "q"}},{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[]},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":15}}"#;
    let stream = r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hel"}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo"}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{}}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"query\": \"q\"}"}}

data: {"type":"content_block_start","index":3,"content_block":{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[]}}

data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}

data: {"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1}"}}

data: {"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":15}}

data: {"type":"message_stop"}

"#;
    let message = same(Dialect::Anthropic, stream, whole);
    let choice = only(&message);
    assert_eq!(choice.text, "Hello");
    assert_eq!(choice.reasoning, "Hm.");
    assert_eq!(choice.tool_calls.len(), 2);
    assert_eq!(choice.server_tool_calls[0].name, "web_search");
    assert_eq!(message.usage.output_tokens, Some(15));
}

#[test]
fn a_gemini_response_reads_the_same_streamed_and_whole() {
    let whole = r#"{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Hello"},{"functionCall":{"name":"f","args":{"a": 1}}}],"role":"model"},"finishReason":"STOP","index":0},{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"MAX_TOKENS","index":1}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":9,"thoughtsTokenCount":3},"modelVersion":"gemini","responseId":"r1"}"#;
    let stream = r#"data: {"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Hel"}],"role":"model"}}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"gemini","responseId":"r1"}

data: {"candidates":[{"content":{"parts":[{"text":"lo"},{"functionCall":{"name":"f","args":{"a": 1}}}],"role":"model"},"finishReason":"STOP"},{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"MAX_TOKENS","index":1}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":9,"thoughtsTokenCount":3},"modelVersion":"gemini","responseId":"r1"}

"#;
    let message = same(Dialect::Gemini, stream, whole);
    assert_eq!(message.text(), "Hello");
    assert_eq!(message.choices.len(), 2);
    assert_eq!(reason(&message.choices[0]), Some(FinishReason::ToolCalls));
    assert_eq!(reason(&message.choices[1]), Some(FinishReason::Length));
}

#[test]
fn a_blocked_prompt_reads_the_same_streamed_and_whole() {
    let whole = r#"{"promptFeedback":{"blockReason":"SAFETY"},"modelVersion":"gemini"}"#;
    let message = same(Dialect::Gemini, &format!("data: {whole}\n\n"), whole);
    assert_eq!(reason(only(&message)), Some(FinishReason::ContentFilter));
}

#[test]
fn a_cohere_message_reads_the_same_streamed_and_whole() {
    let whole = r#"{"id":"m1","message":{"role":"assistant","content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"Hello"}],"tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":5,"output_tokens":2},"tokens":{"input_tokens":70,"output_tokens":4}}}"#;
    let stream = r#"event: message-start
data: {"id":"m1","type":"message-start","delta":{"message":{"role":"assistant","content":[]}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"Hm."}}}}

event: content-delta
data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"Hel"}}}}

event: content-delta
data: {"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"lo"}}}}

event: tool-call-start
data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}

event: tool-call-delta
data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":1}"}}}}}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":5,"output_tokens":2},"tokens":{"input_tokens":70,"output_tokens":4}}}}

"#;
    let message = same(Dialect::Cohere, stream, whole);
    assert_eq!(message.text(), "Hello");
    assert_eq!(only(&message).reasoning, "Hm.");
    assert_eq!(only(&message).tool_calls[0].id, "f_1");
}

/// Without text, such a response has no content at all.
#[test]
fn a_cohere_message_of_tool_calls_alone_reads_the_same_streamed_and_whole() {
    let whole = r#"{"id":"m1","message":{"role":"assistant","tool_plan":"I will.","tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"TOOL_CALL"}"#;
    let stream = r#"data: {"id":"m1","type":"message-start","delta":{"message":{"role":"assistant"}}}

data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":"{}"}}}}}

data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}

"#;
    let message = same(Dialect::Cohere, stream, whole);
    assert_eq!(reason(only(&message)), Some(FinishReason::ToolCalls));
}

#[test]
fn an_ollama_chat_reads_the_same_streamed_and_whole() {
    let whole = r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"Hello","thinking":"Hm.","tool_calls":[{"id":"call_1","function":{"index":0,"name":"f","arguments":{"a": 1}}}]},"done_reason":"stop","done":true,"total_duration":1,"prompt_eval_count":26,"eval_count":2}"#;
    let stream = r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"","thinking":"Hm."},"done":false}
{"model":"m","created_at":"t","message":{"role":"assistant","content":"Hel"},"done":false}
{"model":"m","created_at":"t","message":{"role":"assistant","content":"lo","tool_calls":[{"id":"call_1","function":{"index":0,"name":"f","arguments":{"a": 1}}}]},"done":false}
{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":2,"prompt_eval_count":26,"eval_count":2}
"#;
    let message = same(Dialect::Ollama, stream, whole);
    assert_eq!(message.text(), "Hello");
    assert_eq!(reason(only(&message)), Some(FinishReason::ToolCalls));
    assert_eq!(message.usage.input_tokens, Some(26));
}

#[test]
fn an_ollama_generation_reads_the_same_streamed_and_whole() {
    let whole = r#"{"model":"m","response":"Hello","done":true,"done_reason":"length","prompt_eval_count":26,"eval_count":2}"#;
    let stream = r#"{"model":"m","response":"Hel","done":false}
{"model":"m","response":"lo","done":false}
{"model":"m","response":"","done":true,"done_reason":"length","prompt_eval_count":26,"eval_count":2}
"#;
    let message = same(Dialect::Ollama, stream, whole);
    assert_eq!(reason(only(&message)), Some(FinishReason::Length));
}

#[test]
fn a_llama_cpp_completion_reads_the_same_streamed_and_whole() {
    let whole = r#"{"index":0,"content":"Hello","stop":true,"model":"m","stop_type":"limit","tokens_predicted":2,"tokens_evaluated":5}"#;
    let stream = r#"data: {"index":0,"content":"Hello","stop":false,"tokens_predicted":2,"tokens_evaluated":5}

data: {"index":0,"content":"","stop":true,"model":"m","stop_type":"limit","tokens_predicted":2,"tokens_evaluated":5}

"#;
    let message = same(Dialect::LlamaCpp, stream, whole);
    assert_eq!(reason(only(&message)), Some(FinishReason::Length));
}

/// The recorded last events of Responses hold the whole response that the stream was.
#[test]
fn recorded_responses_read_the_same_streamed_and_whole() {
    let recordings = deltawire_test_support::decoding::recordings().unwrap_or_default();
    let mut compared = 0;
    for it in &recordings {
        if it.dialect != Dialect::OpenAiResponses {
            continue;
        }
        let body = String::from_utf8_lossy(&it.body);
        let mut events = body.lines().filter_map(|line| line.strip_prefix("data: "));
        let last = events.find(|data| {
            let ends = ["completed", "incomplete"];
            let kind = |end: &&str| data.contains(&format!(r#""type":"response.{end}""#));
            ends.iter().any(kind)
        });
        let Some(last) = last else { continue };
        let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
        // Some senders leave the output out where it came before.
        if last["response"]["output"]
            .as_array()
            .is_none_or(Vec::is_empty)
            || last["response"]["object"] != "response"
        {
            continue;
        }
        let whole = last["response"].to_string();
        let whole = Message::from_response(whole.as_bytes()).expect("a response");
        let stream = from_stream(Dialect::OpenAiResponses, &body);
        let texts = |it: &Message| {
            let choice = it.choices.first().expect("a choice");
            let calls = choice.tool_calls.iter();
            let calls: Vec<String> = calls.map(|call| call.arguments.clone()).collect();
            (
                choice.text.clone(),
                choice.refusal.clone(),
                calls,
                choice.finish.clone(),
            )
        };
        assert_eq!(texts(&whole), texts(&stream), "{}", it.name);
        assert_eq!(whole.usage, stream.usage, "{}", it.name);
        compared += 1;
    }
    println!("{compared} recordings compared");
    assert!(recordings.is_empty() || compared > 20);
}
