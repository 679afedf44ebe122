//! A decoder with templates gives exactly what one without gives: deltas, errors, positions, and how
//! the stream ended, whatever the stream and however it is cut.
//!
//! `PROPTEST_CASES` sets how many random streams are tried.

use deltawire::Dialect;
use deltawire_test_support::seeds::seeds;
use deltawire_test_support::twin::{
    self, Case, Cut, Dice, Stats, compare, generated, mutated, shrink,
};
use proptest::prelude::*;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
const STREAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/streams");

fn cuts() -> [Cut; 7] {
    [
        Cut::Whole,
        Cut::Size(16 * 1024),
        Cut::Size(1024),
        Cut::Events,
        Cut::Size(64),
        Cut::Size(7),
        Cut::Size(1),
    ]
}

/// Holds the two decoders against each other; a difference is shown in as few bytes as it takes.
fn check(case: &Case) -> Stats {
    match compare(case) {
        Ok(stats) => stats,
        Err(_) => {
            let small = shrink(case.clone());
            panic!("{}", compare(&small).expect_err("a smaller case fails too"));
        }
    }
}

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(default);
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    }
}

/// The recorded streams with their names, those of one dialect side by side.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let Ok(folder) = std::fs::read_dir(RECORDINGS) else {
        println!("SKIPPED: no recordings in {RECORDINGS}");
        return Vec::new();
    };
    let mut all: Vec<(String, Vec<u8>)> = folder
        .filter_map(Result::ok)
        .map(|file| file.path())
        .filter(|path| {
            let kind = path.extension().and_then(|kind| kind.to_str());
            matches!(kind, Some("sse" | "ndjson" | "eventstream"))
        })
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.into_owned(), std::fs::read(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_recording_decodes_alike_in_every_cutting() {
    let recordings = recordings();
    let mut stats = Stats::default();
    let mut most = 0;
    for (name, body) in &recordings {
        for cut in cuts() {
            // A large one cut finely says nothing that a part of it does not.
            let len = match cut {
                Cut::Size(1..=64) => body.len().min(24 * 1024),
                _ => body.len(),
            };
            println!("{name} {cut:?}");
            let one = check(&Case::of(&body[..len], cut));
            stats.events += one.events;
            stats.templated += one.templated;
            most = most.max(one.templated);
        }
    }
    println!("{} recordings, {stats:?}", recordings.len());
    assert!(recordings.is_empty() || most > 100, "templates took part");
}

/// The blocks of the streams written by hand, as they stand.
#[test]
fn every_stream_written_by_hand_decodes_alike_in_every_cutting() {
    let Ok(folder) = std::fs::read_dir(STREAMS) else {
        println!("SKIPPED: no streams in {STREAMS}");
        return;
    };
    for file in folder.filter_map(Result::ok) {
        let text = std::fs::read_to_string(file.path()).unwrap();
        for block in text.split("```sse").skip(1) {
            let body = block.split_once('\n').map_or("", |(_, body)| body);
            let body = body.split("```").next().unwrap_or_default();
            for cut in cuts() {
                let mut case = Case::of(body.as_bytes(), cut);
                // Once more, so that there is something to repeat.
                case.streams.push([body, body].concat().into_bytes());
                check(&case);
            }
        }
    }
}

#[test]
fn the_corpus_of_the_fuzz_target_decodes_alike() {
    let mut stats = Stats::default();
    for (_, input) in seeds("templates") {
        let one = check(&twin::arbitrary(&input));
        stats.events += one.events;
        stats.templated += one.templated;
    }
    println!("{stats:?}");
}

#[test]
fn generated_streams_of_every_dialect_are_taken_by_templates_often_enough_to_test_them() {
    let mut state = 1u64;
    let mut byte = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    for (n, dialect) in twin::dialects().enumerate() {
        let mut stats = Stats::default();
        for _ in 0..30 {
            let mut bytes: Vec<u8> = core::iter::repeat_with(&mut byte).take(400).collect();
            // The first decision is whose stream it is.
            bytes[0] = n as u8;
            let one = check(&generated(&mut Dice::new(&bytes)));
            stats.events += one.events;
            stats.templated += one.templated;
        }
        println!("{dialect}: {stats:?}");
        // Text as it stands and models in frames are none of the templates' business.
        let is_left_out = matches!(dialect, Dialect::Replicate | Dialect::Bedrock);
        assert!(
            is_left_out || stats.templated * 10 > stats.events,
            "{dialect}: {stats:?}"
        );
    }
}

/// Anthropic's frames and deltas as they are written on the wire, with what may vary in all ways.
#[test]
fn what_need_not_be_learnt_is_read_as_the_full_path_reads_it() {
    let event =
        |name: &str, rest: &str| format!("event: {name}\ndata: {{\"type\":\"{name}\",{rest}}}\n\n");
    let indices = [
        "0",
        "1",
        "2",
        "7",
        "01",
        "-1",
        "1.0",
        "1e0",
        "2147483648",
        "4294967297",
        "null",
        "\"1\"",
        "",
    ];
    let texts = [
        "a",
        "caf\u{e9}",
        "",
        r"\n",
        r"\u00e9",
        r"\ud800",
        r"\x",
        "\t",
        "<FF>",
        " ",
        "a\"",
        "eight by",
        "nine bytes",
    ];
    let ends = ["", " ", "      ", "\t", ",\"p\":1", ",\"index\":2", "  \n"];
    let mut bodies = Vec::new();
    for index in indices {
        for end in ends {
            for text in texts {
                let mut delta = |kind: &str, key: &str| {
                    let rest = format!(
                        r#""index":{index},"delta":{{"type":"{kind}","{key}":"{text}"}}{end}"#
                    );
                    bodies.push(event("content_block_delta", &rest));
                };
                delta("text_delta", "text");
                delta("thinking_delta", "thinking");
                delta("input_json_delta", "partial_json");
            }
            let mut block = |block: &str| {
                let rest = format!(r#""index":{index},"content_block":{{{block}}}{end}"#);
                bodies.push(event("content_block_start", &rest));
            };
            block(r#""type":"text","text":"""#);
            block(r#""type":"text","text":" ""#);
            block(r#""type":"thinking","thinking":"","signature":"""#);
            let rest = format!("\"index\":{index}{end}");
            bodies.push(event("content_block_stop", &rest));
        }
    }
    let call = |index: u32, kind: &str, id: &str| {
        let rest = format!(
            r#""index":{index},"content_block":{{"type":"{kind}","id":"{id}","name":"f","input":{{}}}}"#
        );
        event("content_block_start", &rest)
    };
    let message = event(
        "message_start",
        r#""message":{"id":"m","model":"c","role":"assistant","content":[]}"#,
    );
    let calls = [
        String::new(),
        call(1, "tool_use", "a"),
        call(1, "tool_use", "a") + &call(2, "server_tool_use", "b"),
        // An index used twice: the latest there counts.
        call(1, "tool_use", "a") + &call(1, "server_tool_use", "b"),
    ];
    let another = call(7, "tool_use", "z");
    let mut stats = Stats::default();
    for calls in &calls {
        for cut in [Cut::Whole, Cut::Events, Cut::Size(13)] {
            for body in &bodies {
                let stream = [&message, calls, body, body, &another, body].map(String::as_bytes);
                let stream = replace(&stream.concat(), b"<FF>", b"\xFF");
                let mut case = Case::of(&stream, cut.clone());
                case.streams.push(stream);
                let one = check(&case);
                stats.events += one.events;
                stats.templated += one.templated;
            }
        }
    }
    println!("{stats:?}");
    // A hit looks the block up, and four of the thirteen indices are a block's.
    assert!(stats.templated * 12 > stats.events, "{stats:?}");
}

/// Each is a trap: what the last events say depends on more than their shape.
const TRAPS: &[(&str, &[&str])] = &[
    (
        "a call without index and ID that has arguments: the next one with a name is another call",
        &[
            r#"data: {"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f"}}]}}]}"#,
            r#"data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"x"}}]}}]}"#,
            r#"data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"x"}}]}}]}"#,
        ],
    ),
    (
        "a text that is said once, however often it is repeated as done",
        &[
            r#"data: {"type":"response.output_text.done","output_index":0,"text":"hi"}"#,
            r#"data: {"type":"response.output_text.done","output_index":0,"text":"hi"}"#,
        ],
    ),
    (
        "an item that is done twice",
        &[
            r#"data: {"type":"response.output_item.done","item":{"type":"message","content":[{"text":"hi"}]}}"#,
            r#"data: {"type":"response.output_item.done","item":{"type":"message","content":[{"text":"hi"}]}}"#,
        ],
    ),
    (
        "arguments that are no longer what the deltas brought",
        &[
            r#"data: {"type":"response.function_call_arguments.delta","delta":"x"}"#,
            r#"data: {"type":"response.function_call_arguments.done","arguments":"x"}"#,
            r#"data: {"type":"response.function_call_arguments.done","arguments":"x"}"#,
            r#"data: {"type":"response.function_call_arguments.done","arguments":"x"}"#,
            r#"data: {"type":"response.function_call_arguments.delta","delta":"y"}"#,
            r#"data: {"type":"response.function_call_arguments.done","arguments":"x"}"#,
        ],
    ),
    (
        "the end of a response without its object, whose status is a member of the event",
        &[
            r#"data: {"type":"response.completed","status":"completed","usage":{"input_tokens":1}}"#,
            r#"data: {"type":"response.completed","status":"completed","usage":{"input_tokens":1}}"#,
            r#"data: {"type":"response.completed","status":"","usage":{"input_tokens":1}}"#,
            r#"data: {"type":"response.completed","status":"failed","usage":{"input_tokens":1}}"#,
        ],
    ),
    (
        "a byte that is no UTF-8 moves what stands behind it",
        &[
            "data: {\"a\":\"<FF>\",\"choices\":[{\"delta\":{\"content\":\"x\",\"y\":\"\"}}]}",
            "data: {\"a\":\"<FF>\",\"choices\":[{\"delta\":{\"content\":\"x\",\"y\":\"\"}}]}",
        ],
    ),
    (
        "the finish reason of TGI stands among its counts",
        &[
            r#"data: {"token":{"text":"a"},"details":{"finish_reason":"length","generated_tokens":1}}"#,
            r#"data: {"token":{"text":"a"},"details":{"finish_reason":"length","generated_tokens":1}}"#,
            r#"data: {"token":{"text":"a"},"details":{"finish_reason":"","generated_tokens":1}}"#,
            r#"data: {"token":{"text":"a"},"details":{"finish_reason":"stop","generated_tokens":1}}"#,
        ],
    ),
    (
        "the last event of llama.cpp is not all counts",
        &[
            r#"data: {"index":0,"content":"x","stop":true,"stop_type":"eos","tokens_predicted":3}"#,
            r#"data: {"index":0,"content":"x","stop":true,"stop_type":"eos","tokens_predicted":3}"#,
            r#"data: {"index":0,"content":"x","stop":true,"stop_type":"eo\u0073","tokens_predicted":3}"#,
            r#"data: {"index":0,"content":"x","stop":true,"stop_type":"limit","tokens_predicted":3}"#,
        ],
    ),
    (
        "blocks of text and of arguments, numbered",
        &[
            r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f"}}"#,
            r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#,
            r#"data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"a"}}"#,
            r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"a"}}"#,
            r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"b"}}"#,
            r#"data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"b"}}"#,
            r#"data: {"type":"content_block_delta","index":"1","delta":{"type":"text_delta","text":"a"}}"#,
        ],
    ),
    (
        "a finish reason of spaces is not padding",
        &[
            r#"data: {"choices":[{"delta":{"content":"a"},"finish_reason":" "}]}"#,
            r#"data: {"choices":[{"delta":{"content":"a"},"finish_reason":" "}]}"#,
            r#"data: {"choices":[{"delta":{"content":"a"},"finish_reason":""}]}"#,
            r#"data: {"choices":[{"delta":{"content":"a"},"finish_reason":"  "}]}"#,
        ],
    ),
    (
        "a count that is said twice, of which the details win though they stand first",
        &[
            r#"data: {"choices":[],"usage":{"prompt_tokens_details":{"cached_tokens":5},"cached_tokens":5}}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens_details":{"cached_tokens":6},"cached_tokens":6}}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens_details":{"cached_tokens":7},"cached_tokens":7}}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens_details":{"cached_tokens":8},"cached_tokens":9}}"#,
        ],
    ),
    (
        "an escape in what is ignored that is none",
        &[
            r#"data: {"x":"a","choices":[{"delta":{"content":"a"}}]}"#,
            r#"data: {"x":"b","choices":[{"delta":{"content":"a"}}]}"#,
            r#"data: {"x":"\u00e9","choices":[{"delta":{"content":"a"}}]}"#,
            r#"data: {"x":"\u00g9","choices":[{"delta":{"content":"a"}}]}"#,
        ],
    ),
    (
        "a number out of range is nothing, and one in range is something",
        &[
            r#"data: {"candidates":[{"groundingMetadata":{"a":1e400}}]}"#,
            r#"data: {"candidates":[{"groundingMetadata":{"a":1e400}}]}"#,
            r#"data: {"candidates":[{"groundingMetadata":{"a":1e500}}]}"#,
            r#"data: {"candidates":[{"groundingMetadata":{"a":0}}]}"#,
        ],
    ),
    (
        "an empty event before the dialect is known says nothing, and behind it something",
        &["data:", "event:output\ndata", "data:"],
    ),
    (
        "the stop reason of watsonx",
        &[
            r#"data: {"results":[{"generated_text":"a","stop_reason":"eos_token"}]}"#,
            r#"data: {"results":[{"generated_text":"a","stop_reason":""}]}"#,
            r#"data: {"results":[{"generated_text":"a","stop_reason":"max_tokens"}]}"#,
        ],
    ),
    (
        "an output of Replicate is text as it stands, spaces too",
        &[
            "event: output\ndata: ",
            "event: output\ndata: ",
            "event: output\ndata:",
            "event: output\ndata:",
            "event: output\ndata:    ",
        ],
    ),
    (
        "a name of an event behind its data, with one space more",
        &[
            "data: {\"delta\":{\"content\":[{\"text\":{\"value\":\"a\"}}]}}\nevent: thread.message.delta",
            "data: {\"delta\":{\"content\":[{\"text\":{\"value\":\"a\"}}]}}\nevent:thread.message.delta",
            "data: {\"delta\":{\"content\":[{\"text\":{\"value\":\"a\"}}]}}\nevent:  thread.message.delta",
        ],
    ),
];

#[test]
fn what_depends_on_more_than_its_shape_is_left_to_the_full_path() {
    let mut wrong = Vec::new();
    for (why, events) in TRAPS {
        let mut body = Vec::new();
        for event in *events {
            body.extend_from_slice(event.as_bytes());
            body.extend_from_slice(b"\n\n");
        }
        let body = replace(&body, b"<FF>", b"\xFF");
        wrong.extend(
            compare(&Case::of(&body, Cut::Whole))
                .err()
                .map(|what| (why, what)),
        );
    }
    for (why, what) in &wrong {
        println!("{why}: {what}");
    }
    assert!(wrong.is_empty(), "{}", wrong.len());
}

#[test]
fn the_done_line_of_ollama_is_not_all_counts() {
    let lines = [
        r#"{"model":"a","response":"x","done":true,"done_reason":"stop","eval_count":1}"#,
        r#"{"model":"a","response":"x","done":true,"done_reason":"stop","eval_count":1}"#,
        r#"{"model":"","response":"x","done":true,"done_reason":"","eval_count":1}"#,
        r#"{"model":"b","response":"x","done":true,"done_reason":"length","eval_count":1}"#,
        "",
    ];
    check(&Case::of(lines.join("\n").as_bytes(), Cut::Whole));
}

/// The limit counts the lines of an event without the last line end; a line of NDJSON without its LF.
#[test]
fn an_event_at_the_limit_is_accepted_by_both_or_by_neither() {
    let payload = r#"{"choices":[{"index":0,"delta":{"content":"TEXT"}}]}"#;
    let line = r#"{"model":"m","response":"TEXT","done":false}"#;
    let wires = [
        format!("data: {payload}\n\n"),
        format!("data: {payload}   \n\n"),
        format!("data: {payload}\r\n\r\n"),
        format!("data: {payload}\nid: 1\n\n"),
        format!("event: x\ndata: {payload}\n\n"),
        format!("{line}\n"),
        format!("{line}\r\n"),
        format!("{line}  \n"),
    ];
    for wire in wires {
        for more in 0..12 {
            for cut in [Cut::Whole, Cut::Events, Cut::Size(7)] {
                let short = wire.replace("TEXT", "a");
                let long = wire.replace("TEXT", &"a".repeat(1 + more));
                let stream = [&short[..], &short, &long, &short].concat();
                let mut case = Case::of(stream.as_bytes(), cut);
                case.max_event_bytes = Some(short.len());
                check(&case);
            }
        }
    }
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn generated_streams_decode_alike(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        check(&generated(&mut Dice::new(&bytes)));
    }

    #[test]
    fn any_bytes_decode_alike(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&twin::arbitrary(&bytes));
    }
}

#[test]
fn changed_recordings_decode_alike() {
    let recordings = recordings();
    if recordings.is_empty() {
        return;
    }
    let dialect = |name: &str| name.split("-0").next().unwrap_or_default().to_string();
    let strategy = (
        any::<prop::sample::Index>(),
        0usize..3,
        prop::collection::vec(any::<u8>(), 0..120),
    );
    proptest!(cases(1000), |((at, next, bytes) in strategy)| {
        let at = at.index(recordings.len());
        let (name, body) = &recordings[at];
        let donor = recordings.get(at + next).filter(|(other, _)| dialect(other) == dialect(name));
        let donor = donor.map_or(&body[..], |(_, donor)| donor);
        check(&mutated(body, donor, &mut Dice::new(&bytes)));
    });
}
