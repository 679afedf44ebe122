//! Whole responses: against a plain reading with serde_json, and however their JSON is written.
//!
//! The input is a body, or `!` and decisions that change one of [`BODIES`].

use super::heard::Reply;
use super::plain;
use crate::json::{Json, Style};
use crate::twin::{Dice, changed};
use deltawire::{End, Error, Message};

/// Responses as providers send them.
const BODIES: &[&str] = &[
    r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"th","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":2}}}"#,
    r#"{"object":"chat.completion","choices":[{"index":0,"message":{"content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"u","function":{"name":"g","arguments":{"b":2}}}]},"finish_reason":"tool_calls"},{"index":1,"message":{"content":"x"},"finish_reason":"length"}]}"#,
    r#"{"id":"c","object":"text_completion","model":"m","choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
    r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"thinking","thinking":"Hm"},{"type":"text","text":"Hi"},{"type":"tool_use","id":"t","name":"f","input":{"a":[1,2]}},{"type":"server_tool_use","id":"s","name":"g","input":{"q":"x"}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":9}}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"th","thought":true},{"text":"Hi"},{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":9},"modelVersion":"g","responseId":"r"}"#,
    r#"{"model":"l","message":{"role":"assistant","content":"Hi","thinking":"th","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":9}"#,
    r#"{"model":"l","response":"Hi","done":true,"done_reason":"length","eval_count":9}"#,
    r#"{"id":"r","object":"response","status":"completed","model":"m","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"why"}]},{"type":"message","content":[{"type":"output_text","text":"Hi"}]},{"type":"function_call","call_id":"t","name":"f","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":2}}"#,
    r#"{"id":"i","message":{"role":"assistant","content":[{"type":"text","text":"Hi"}],"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":2,"output_tokens":3}}}"#,
    r#"{"completion":"Hi","stop_reason":"stop_sequence","model":"c"}"#,
    r#"{"results":[{"generated_text":"Hi","generated_token_count":1,"stop_reason":"eos_token"}],"model_id":"w"}"#,
    r#"{"content":"Hi","stop":true,"model":"l","tokens_predicted":3,"tokens_evaluated":9}"#,
    r#"{"error":{"message":"no","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
    r#"[{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}]"#,
    r#"{"choices":[],"error":{"message":"m"}}"#,
];

pub fn check(input: &[u8]) {
    compare(input);
}

/// A response, changed.
pub fn body(dice: &mut Dice<'_>) -> Vec<u8> {
    let body = BODIES[dice.below(BODIES.len())];
    changed(body.as_bytes(), dice)
}

/// Whether the body was held against the plain reading.
pub fn compare(input: &[u8]) -> bool {
    let body = match input {
        [b'!', rest @ ..] => body(&mut Dice::new(rest)),
        body => body.to_vec(),
    };
    let read = Message::from_response(&body);
    if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok() {
        let is_json = !matches!(read, Err(Error::NotJson { .. }));
        assert!(is_json, "serde_json reads {}", body.escape_ascii());
    }
    if let Ok(message) = &read {
        assert_eq!(message.done, message.error.is_none());
        assert_eq!(message.end, message.done.then_some(End::Complete));
        assert_eq!(message.is_complete(), message.error.is_none());
    }
    let text = std::str::from_utf8(&body).is_ok();
    if let Some(json) = Json::read(&body).filter(|json| text && json.is_object()) {
        for style in [Style::Blank, Style::Escaped] {
            let again = Message::from_response(&json.write(style));
            let what = |read: &Result<Message, Error>| match read {
                Ok(message) => Some(Reply::of_message(message).but_for_malformed()),
                Err(_) => None,
            };
            assert_eq!(
                what(&again),
                what(&read),
                "{style:?}: {}",
                body.escape_ascii()
            );
        }
    }
    let Some(heard) = plain::whole(&body) else {
        return false;
    };
    let expected = Reply::of_heard(&heard);
    if expected.has_index_twice() {
        return false;
    }
    let message = read.unwrap_or_else(|error| panic!("{error}: {}", body.escape_ascii()));
    assert_eq!(
        Reply::of_message(&message),
        expected,
        "{}",
        body.escape_ascii()
    );
    true
}
