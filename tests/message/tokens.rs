//! Counted tokens against what providers say they counted.

use std::fmt::Write as _;
use std::path::Path;

use deltawire::tokens::Counter;
use deltawire::{Decoder, Message};

/// The request and the reply of OpenAI's guide "How to stream completions", and its usage.
#[test]
fn the_guides_request_has_the_tokens_that_the_guide_prints() {
    let prompt =
        "Count to 100, with a comma between each number and no newlines. E.g., 1, 2, 3, ...";
    let mut reply = String::from("\n\n");
    for number in 1..100 {
        write!(reply, "{number}, ").expect("a string");
    }
    reply.push_str("100.");
    let counter = Counter::for_model("gpt-3.5-turbo-0301").expect("a known model");
    let body = serde_json::json!({
        "choices": [{"message": {"content": reply}, "finish_reason": "stop"}]
    });
    let message = Message::from_response(body.to_string().as_bytes()).expect("a response");
    let (prompt, completion) = (
        counter.prompt([("user", prompt)]),
        counter.completion(&message),
    );
    assert_eq!((prompt, completion, prompt + completion), (36, 301, 337));
}

#[test]
fn a_model_of_others_has_no_counter_and_a_special_token_is_text() {
    assert!(Counter::for_model("claude-sonnet-4").is_none());
    assert!(!Counter::is_known("claude-sonnet-4") && Counter::is_known("gpt-4o"));
    let counter = Counter::for_model("gpt-4o").expect("a known model");
    assert!(counter.text("<|endoftext|>") > 1);
    assert_eq!(counter.text(""), 0);
}

/// Recorded streams of OpenAI's models that carry usage and a reply of text alone. What agrees is
/// printed; a provider may count what nobody sees.
#[test]
fn recorded_usage_mostly_agrees_but_for_a_token() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(folder) = std::fs::read_dir(&corpus) else {
        return println!("SKIPPED: no recorded streams at {}", corpus.display());
    };
    let (mut agree, mut nearly, mut all, mut others) = (0, 0, 0, String::new());
    for entry in folder {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with("openai-chat-") || !name.ends_with(".sse") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a stream");
        let (mut decoder, mut message, mut input) = (Decoder::new(), Message::new(), &bytes[..]);
        while let Some(delta) = decoder.next(&mut input) {
            message.push(&delta);
        }
        while let Some(delta) = decoder.finish() {
            message.push(&delta);
        }
        message.finish(decoder.end());
        let is_text = |choice: &deltawire::Choice| {
            choice.tool_calls.is_empty()
                && choice.server_tool_calls.is_empty()
                && choice.reasoning.is_empty()
                && !choice.text.is_empty()
        };
        let usage = &message.usage;
        let (Some(said), Some(model)) = (usage.output_tokens, &message.model) else {
            continue;
        };
        // Names such as openai/gpt-4o are routers'.
        let model = model.rsplit('/').next().unwrap_or_default();
        let Some(counter) = Counter::for_model(model) else {
            continue;
        };
        if !message.is_complete() || !message.choices.iter().all(is_text) {
            continue;
        }
        let counted = counter.completion(&message) + usage.reasoning_tokens.unwrap_or_default();
        all += 1;
        nearly += u32::from(counted.abs_diff(said) <= 1);
        if counted == said {
            agree += 1;
        } else {
            writeln!(others, "  {name}: {model} said {said}, counted {counted}").expect("a string");
        }
    }
    print!(
        "{agree} of {all} replies have the tokens that their usage says, {nearly} but for one\n{others}"
    );
    // Models that reason count more than anybody sees; of the others most agree.
    assert!(all >= 10 && nearly * 2 > all, "{nearly} of {all}");
}
