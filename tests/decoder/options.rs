//! What a caller may tell a decoder, and what it makes of bodies that are no stream of events.

use deltawire::frame::Framing;
use deltawire::{Decoder, Dialect, Options};
use deltawire_test_support::decoding::decode;

fn lines(options: Options, body: &str) -> Vec<String> {
    decode(&mut Decoder::with_options(options), [body.as_bytes()]).lines
}

#[test]
fn a_caller_may_name_fields_that_a_new_sender_invented() {
    let body = concat!(
        r#"data: {"choices":[{"index":0,"delta":{"musing":"hm","utterance":"Hi"}}]}"#,
        "\n\ndata: [DONE]\n\n",
    );
    let mut options = Options::default();
    options.fields.text = Some("utterance".into());
    options.fields.reasoning = Some("musing".into());
    assert_eq!(
        lines(options, body),
        [
            r#"{"type":"reasoning","choice":0,"part":0,"text":"hm"}"#,
            r#"{"type":"text","choice":0,"part":1,"text":"Hi"}"#,
            r#"{"type":"done"}"#,
            r#"{"type":"end","complete":true,"invalid":0}"#,
        ]
    );
    // Without the names they are details.
    let untold = lines(Options::default(), body);
    assert_eq!(
        untold[..2],
        [
            r#"{"type":"detail","scope":"choice","choice":0,"name":"musing","value":"hm"}"#,
            r#"{"type":"detail","scope":"choice","choice":0,"name":"utterance","value":"Hi"}"#,
        ]
    );
}

#[test]
fn a_content_type_tells_the_framing() {
    let mut options = Options::default();
    options.framing = Framing::of_content_type("application/x-ndjson; charset=utf-8");
    assert_eq!(options.framing, Some(Framing::Ndjson));
    let body = "{\"model\":\"m\",\"response\":\"Hi\",\"done\":false}\n";
    assert_eq!(
        lines(options, body)[1],
        r#"{"type":"text","choice":0,"part":0,"text":"Hi"}"#
    );
    assert_eq!(
        Framing::of_content_type("Text/Event-Stream"),
        Some(Framing::Sse)
    );
    assert_eq!(Framing::of_content_type("application/json"), None);
}

#[test]
fn an_error_spilled_behind_unknown_lines_is_found() {
    let body = "x-request: 7\n{\n  \"error\": {\"code\": 499, \"message\": \"gone\"}\n}\n";
    assert_eq!(
        lines(Options::default(), body),
        [
            r#"{"type":"error","kind":"other","code":"499","message":"gone","transient":false}"#,
            r#"{"type":"end","complete":false,"invalid":0}"#,
        ]
    );
}

#[test]
fn a_model_on_replicate_may_say_done() {
    let mut options = Options::default();
    options.dialect = Some(Dialect::Replicate);
    let body = "event: output\ndata: [DONE]\n\nevent: done\ndata: {}\n\n";
    assert_eq!(
        lines(options, body)[0],
        r#"{"type":"text","choice":0,"part":0,"text":"[DONE]"}"#
    );
}

#[test]
fn names_of_dialects_are_read_and_printed_alike() {
    for dialect in Dialect::ALL {
        assert_eq!(dialect.as_str().parse(), Ok(*dialect));
    }
    let error = "openai".parse::<Dialect>().unwrap_err();
    assert!(error.to_string().contains("openai-chat"), "{error}");
}
