//! Messages: a stream and the whole response of the same reply meet in one type, and how long the
//! pieces took.

use std::time::Duration;

use deltawire::message::{Finish, ReportedError};
use deltawire::{Choice, Delta, End, Error, ErrorKind, FinishReason, Message, Usage};
use deltawire_test_support::decoding::decoder;

/// Puts a stream together whose events have these payloads.
fn from_stream(payloads: &[&str]) -> Message {
    let mut decoder = decoder(None);
    let mut message = Message::new();
    for payload in payloads {
        let event = format!("data: {payload}\n\n");
        let mut input = event.as_bytes();
        while let Some(delta) = decoder.next(&mut input) {
            message.push(&delta);
        }
    }
    while let Some(delta) = decoder.finish() {
        message.push(&delta);
    }
    message.finish(decoder.end());
    message
}

fn from_response(body: &str) -> Message {
    Message::from_response(body.as_bytes()).expect("a response")
}

/// All that a reader of a choice can see.
#[derive(Debug, PartialEq)]
struct Seen<'m> {
    index: u32,
    text: &'m str,
    reasoning: &'m str,
    refusal: &'m str,
    /// Index, ID, name and arguments.
    tool_calls: Vec<(i32, &'m str, &'m str, &'m str)>,
    finish: Option<&'m Finish>,
}

fn seen(choice: &Choice) -> Seen<'_> {
    let calls = choice.tool_calls.iter();
    let calls = calls.map(|call| (call.index, &*call.id, &*call.name, &*call.arguments));
    Seen {
        index: choice.index,
        text: &choice.text,
        reasoning: &choice.reasoning,
        refusal: &choice.refusal,
        tool_calls: calls.collect(),
        finish: choice.finish.as_ref(),
    }
}

fn assert_same(stream: &Message, whole: &Message) {
    let choices = |message: &Message| -> Vec<String> {
        let choices = message.choices.iter();
        choices
            .map(|choice| format!("{:?}", seen(choice)))
            .collect()
    };
    assert_eq!(choices(stream), choices(whole));
    assert_eq!(stream.id, whole.id);
    assert_eq!(stream.model, whole.model);
    assert_eq!(stream.role, whole.role);
    assert_eq!(stream.usage, whole.usage);
    assert_eq!(stream.error, whole.error);
    assert_eq!(stream.done, whole.done);
    assert_eq!(stream.end, whole.end);
    assert_eq!(stream.is_complete(), whole.is_complete());
}

#[test]
fn a_chat_completion_reads_the_same_streamed_and_whole() {
    let stream = from_stream(&[
        r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Add."},"finish_reason":null}]}"#,
        r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"1+1 "},"finish_reason":null}]}"#,
        r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"= \"2\""},"finish_reason":null}]}"#,
        r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":36,"completion_tokens":301,"total_tokens":337,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":9}}}"#,
        "[DONE]",
    ]);
    let whole = from_response(
        r#"{"id":"c","object":"chat.completion","created":1,"model":"m",
            "choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"Add.",
            "content":"1+1 = \"2\"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],
            "usage":{"prompt_tokens":36,"completion_tokens":301,"total_tokens":337,
            "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":9}}}"#,
    );
    assert_same(&stream, &whole);
    assert_eq!(whole.text(), "1+1 = \"2\"");
    assert_eq!(whole.choices[0].reasoning, "Add.");
    assert_eq!(whole.role.as_deref(), Some("assistant"));
    assert_eq!(whole.usage.input_tokens, Some(36));
    assert_eq!(whole.usage.output_tokens, Some(301));
    assert_eq!(whole.usage.total_tokens, Some(337));
    assert_eq!(whole.usage.cached_tokens, Some(4));
    assert_eq!(whole.usage.reasoning_tokens, Some(9));
    assert!(whole.is_complete());
    let finish = whole.choices[0].finish.as_ref().expect("a finish");
    assert_eq!((finish.reason, &*finish.raw), (FinishReason::Stop, "stop"));
}

#[test]
fn a_legacy_completion_reads_the_same_streamed_and_whole() {
    let stream = from_stream(&[
        r#"{"id":"cmpl","object":"text_completion","model":"m","choices":[{"text":"one, ","index":0,"logprobs":null,"finish_reason":null}]}"#,
        r#"{"id":"cmpl","object":"text_completion","model":"m","choices":[{"text":"two","index":0,"logprobs":null,"finish_reason":"length"}]}"#,
        r#"{"id":"cmpl","object":"text_completion","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
        "[DONE]",
    ]);
    let whole = from_response(
        r#"{"id":"cmpl","object":"text_completion","model":"m",
            "choices":[{"text":"one, two","index":0,"logprobs":null,"finish_reason":"length"}],
            "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
    );
    assert_same(&stream, &whole);
    assert_eq!(whole.text(), "one, two");
    assert_eq!(whole.role, None);
}

#[test]
fn several_choices_read_the_same_streamed_and_whole() {
    let stream = from_stream(&[
        r#"{"id":"c","model":"m","choices":[{"index":1,"delta":{"role":"assistant","content":"x"}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":1,"delta":{"content":"y"},"finish_reason":"length"}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let whole = from_response(
        r#"{"id":"c","model":"m","choices":[
            {"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"},
            {"index":1,"message":{"role":"assistant","content":"xy"},"finish_reason":"length"}]}"#,
    );
    assert_same(&stream, &whole);
    assert_eq!(whole.text(), "a");
    assert_eq!(whole.choice(1).map(|choice| &*choice.text), Some("xy"));
    assert_eq!(whole.choice(2), None);
}

#[test]
fn tool_calls_read_the_same_streamed_and_whole() {
    let stream = from_stream(&[
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    let whole = from_response(
        r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,
            "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
            {"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},
            "finish_reason":"tool_calls"}]}"#,
    );
    assert_same(&stream, &whole);
    let calls = whole.tool_calls();
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[0].0, calls[0].1.index, &*calls[0].1.id), (0, 0, "a"));
    assert_eq!(calls[0].1.arguments, r#"{"x":1}"#);
    assert_eq!((calls[1].1.index, &*calls[1].1.name), (1, "g"));
}

#[test]
fn tool_calls_of_several_choices_come_in_the_order_in_which_they_began() {
    let message = from_stream(&[
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"y","function":{"name":"f","arguments":"[]"}}]}}]}"#,
    ]);
    let calls = message.tool_calls();
    let calls: Vec<_> = calls
        .iter()
        .map(|(choice, call)| (*choice, &*call.id, &*call.arguments))
        .collect();
    assert_eq!(calls, [(1, "x", "{}"), (0, "a", "{}"), (1, "y", "[]")]);
    assert_eq!(message.end, Some(End::Truncated));
    assert!(!message.is_complete());
}

#[test]
fn an_id_that_comes_again_at_its_index_means_the_same_call_among_the_latest_1024() {
    let start = |message: &mut Message, id: &str| {
        let (choice, index, name) = (0, 0, "f");
        message.push(&Delta::ToolCallStart {
            choice,
            index,
            id,
            name,
            part: 0,
        });
    };
    let argument = |message: &mut Message| {
        let (choice, index, fragment, whole) = (0, 0, "x", false);
        message.push(&Delta::ToolCallArguments {
            choice,
            index,
            fragment,
            whole,
            part: 0,
        });
    };
    for (others, calls) in [(1, 2), (1023, 1024), (1024, 1026)] {
        let mut message = Message::new();
        start(&mut message, "a");
        argument(&mut message);
        for n in 0..others {
            start(&mut message, &n.to_string());
        }
        start(&mut message, "a");
        argument(&mut message);
        let made = &message.choices[0].tool_calls;
        assert_eq!(made.len(), calls, "{others} calls between");
        let of_a = made.iter().filter(|call| call.id == "a");
        let arguments: String = of_a.map(|call| &*call.arguments).collect();
        assert_eq!(arguments, "xx", "{others} calls between");
    }
}

#[test]
fn function_call_reads_the_same_streamed_and_whole() {
    let stream = from_stream(&[
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","function_call":{"name":"f","arguments":"{"}}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"function_call":{"arguments":"}"}},"finish_reason":"function_call"}]}"#,
        "[DONE]",
    ]);
    let whole = from_response(
        r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,
            "function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]}"#,
    );
    assert_same(&stream, &whole);
    assert_eq!(whole.choices[0].tool_calls[0].arguments, "{}");
}

#[test]
fn a_refusal_reads_the_same_streamed_and_whole() {
    let stream = from_stream(&[
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","refusal":"I "}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"refusal":"won't."},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let whole = from_response(
        r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,
            "refusal":"I won't."},"finish_reason":"stop"}]}"#,
    );
    assert_same(&stream, &whole);
    assert_eq!(whole.choices[0].refusal, "I won't.");
    assert_eq!(whole.text(), "");
}

#[test]
fn an_error_body_is_a_message_with_an_error() {
    let body = r#"{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
    let whole = from_response(body);
    let error = whole.error.as_ref().expect("an error");
    let ReportedError {
        kind,
        code,
        message,
        transient,
        ..
    } = error;
    assert_eq!(*kind, ErrorKind::RateLimit);
    assert_eq!(code, "rate_limit_exceeded");
    assert_eq!(message, "Rate limit reached");
    assert!(*transient);
    assert!(!whole.done);
    assert!(!whole.is_complete());
    assert_eq!(from_stream(&[body]).error, whole.error);
    let named = from_response(r#"{"object":"error","message":"no","code":404}"#);
    assert_eq!(
        named.error.map(|error| error.kind),
        Some(ErrorKind::NotFound)
    );
}

#[test]
fn what_is_no_response_is_an_error() {
    let read = |body: &str| Message::from_response(body.as_bytes()).expect_err("no response");
    assert_eq!(read(r#"{"a":1}"#), Error::NotAResponse);
    assert_eq!(read("[]"), Error::NotAResponse);
    assert!(matches!(read(""), Error::NotJson { .. }));
    assert!(matches!(read("<html>"), Error::NotJson { .. }));
    assert!(matches!(read(r#"{"choices":["#), Error::NotJson { .. }));
}

#[test]
fn the_first_error_counts_and_the_text_before_it_is_kept() {
    let message = from_stream(&[
        r#"{"choices":[{"index":0,"delta":{"content":"so far"}}]}"#,
        r#"{"error":{"message":"first","code":"server_error"}}"#,
        r#"{"error":{"message":"second"}}"#,
        "[DONE]",
    ]);
    assert_eq!(message.text(), "so far");
    assert_eq!(
        message.error.as_ref().map(|error| &*error.message),
        Some("first")
    );
    assert_eq!(message.end, Some(End::Complete));
    assert!(!message.is_complete(), "an error is no complete reply");
}

#[test]
fn of_each_count_the_last_stands() {
    let message = from_stream(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#,
        r#"{"choices":[],"usage":{"completion_tokens":2,"total_tokens":7}}"#,
        "[DONE]",
    ]);
    let mut expected = Usage::default();
    expected.input_tokens = Some(5);
    expected.output_tokens = Some(2);
    expected.total_tokens = Some(7);
    assert_eq!(message.usage, expected);
}

#[test]
fn timing_tells_the_first_piece_the_gaps_and_the_whole() {
    let ms = Duration::from_millis;
    let mut message = Message::new();
    let start = Delta::Start {
        id: "c",
        model: "m",
        role: "assistant",
    };
    message.push_at(&start, ms(90));
    assert_eq!(message.timing.first_token(), None, "a start is no piece");
    // The gaps are 10, 20, 30, …, 200 ms, in another order: the longest first.
    let mut at = ms(100);
    let text = Delta::Text {
        choice: 0,
        text: "x",
        part: 0,
    };
    message.push_at(&text, at);
    assert_eq!(message.timing.median_gap(), None, "one piece has no gap");
    for gap in (1..=20).rev() {
        at += ms(gap * 10);
        message.push_at(&text, at);
    }
    let finish = Delta::Finish {
        choice: 0,
        reason: FinishReason::Stop,
        raw: "stop",
    };
    message.push_at(&finish, at + ms(5));
    message.push_at(&Delta::Done, at + ms(7));
    let timing = &message.timing;
    assert_eq!(timing.first_token(), Some(ms(100)));
    // 20 gaps by nearest rank: the 10th and the 19th.
    assert_eq!(timing.median_gap(), Some(ms(100)));
    assert_eq!(timing.p95_gap(), Some(ms(190)));
    // 100 + 10 * (1 + 2 + … + 20) + 7
    assert_eq!(timing.whole, Some(ms(2207)));
    assert_eq!(timing.pieces.len(), 21);
}

#[test]
fn timing_of_a_few_pieces() {
    let ms = Duration::from_millis;
    let pieces = |arrivals: &[u64]| {
        let mut message = Message::new();
        for at in arrivals {
            let piece = Delta::Reasoning {
                choice: 0,
                text: "x",
                part: 0,
            };
            message.push_at(&piece, ms(*at));
        }
        message.timing
    };
    let none = pieces(&[]);
    assert_eq!((none.first_token(), none.whole), (None, None));
    assert_eq!((none.median_gap(), none.p95_gap()), (None, None));
    let two = pieces(&[10, 14]);
    assert_eq!(
        (two.median_gap(), two.p95_gap()),
        (Some(ms(4)), Some(ms(4)))
    );
    let three = pieces(&[10, 14, 20]);
    assert_eq!(
        (three.median_gap(), three.p95_gap()),
        (Some(ms(4)), Some(ms(6)))
    );
    // Pieces of one read arrive together.
    assert_eq!(pieces(&[10, 10, 10, 40]).median_gap(), Some(ms(0)));
}
