//! The command at its edges: pipes, bad input, exit statuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const CHUNK: &str = r#"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}

"#;
const FINISH: &str = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

"#;
const DONE: &str = "data: [DONE]\n\n";

/// How long a line may take that is due. Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_deltawire"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts")
}

fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = start(args);
    let mut stdin = child.stdin.take().expect("a pipe");
    // The command may be gone before it has read all.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("the command ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on standard output")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Writes the chunks one at a time, each only when all lines due before have come.
fn each_line_is_there_before_the_next_chunk(command: &str, steps: &[(&str, &[&str])]) {
    let mut child = start(&[command]);
    let mut stdin = child.stdin.take().expect("a pipe");
    let stdout = child.stdout.take().expect("a pipe");
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            if sender.send(line.expect("UTF-8")).is_err() {
                return;
            }
        }
    });
    for (chunk, due) in steps {
        stdin.write_all(chunk.as_bytes()).expect("a reader");
        stdin.flush().expect("a reader");
        for line in *due {
            let got = lines.recv_timeout(PATIENCE);
            assert_eq!(got.as_deref(), Ok(*line), "{command}, behind {chunk:?}");
        }
        assert_eq!(lines.try_recv().ok(), None, "{command}, behind {chunk:?}");
    }
    drop(stdin);
    let last: Vec<String> = lines.iter().collect();
    assert_eq!(last.len(), 1, "{command}: {last:?}");
    reader.join().expect("no panic");
    assert!(child.wait().expect("an end").success());
}

#[test]
fn deltas_are_printed_before_the_next_chunk_is_read() {
    let (head, tail) = FINISH.split_at(30);
    each_line_is_there_before_the_next_chunk(
        "deltas",
        &[
            (
                CHUNK,
                &[
                    r#"{"type":"start","id":"c","model":"m","role":"assistant"}"#,
                    r#"{"type":"text","choice":0,"part":0,"text":"Hi"}"#,
                ],
            ),
            (head, &[]),
            (
                tail,
                &[r#"{"type":"finish","choice":0,"reason":"stop","raw":"stop"}"#],
            ),
            // A lone CR ends a line, and so the event, though its LF may still come.
            ("data: [DONE]\r\r", &[r#"{"type":"done"}"#]),
            ("\n: bye\n\n", &[]),
        ],
    );
}

#[test]
fn events_are_printed_before_the_next_chunk_is_read() {
    each_line_is_there_before_the_next_chunk(
        "events",
        &[
            (
                "id: 7\ndata: a\n\nda",
                &[r#"{"event":"message","data":"a","id":"7"}"#],
            ),
            (
                "ta: b\nevent: x\r\r",
                &[r#"{"event":"x","data":"b","id":"7"}"#],
            ),
            (": comment\n\nretry: 5\n\n", &[]),
        ],
    );
}

#[test]
fn a_truncated_stream_is_said_to_be_with_the_byte_where_it_ends() {
    let input = format!("{CHUNK}{}", &FINISH[..20]);
    for command in ["deltas", "collect"] {
        let output = run(&[command], input.as_bytes());
        assert_eq!(output.status.code(), Some(1), "{command}");
        let told = stderr(&output);
        assert!(told.contains("truncated"), "{command}: {told}");
        let byte = format!("byte {}", input.len());
        assert!(told.contains(&byte), "{command}: {told}");
    }
    let output = run(&["deltas"], input.as_bytes());
    let lines = stdout(&output);
    assert!(lines.ends_with("{\"type\":\"end\",\"complete\":false,\"invalid\":0}\n"));
    let collected = stdout(&run(&["collect"], input.as_bytes()));
    let collected: serde_json::Value = serde_json::from_str(&collected).expect("JSON");
    assert_eq!(collected["text"]["0"], "Hi");
    assert_eq!(collected["complete"], false);
    assert_eq!(collected["done"], false);
}

#[test]
fn what_is_no_stream_is_named() {
    let page = b"<!DOCTYPE html>\n<html><body style=\"x: y\">502 Bad Gateway</body></html>\n";
    let error = br#"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#;
    let garbage: Vec<u8> = (0u16..4096).map(|n| (n % 255) as u8 ^ 0x5A).collect();
    let zeros = [0; 64];
    let cases: &[(&str, &[u8], &str)] = &[
        ("an HTML page", page, "an HTML page"),
        ("a JSON error", error, "a JSON document"),
        ("an empty file", b"", "no events found"),
        ("garbage", &garbage, "not a stream"),
        ("zeros", &zeros, "byte 0"),
        (
            "text",
            b"upstream connect error\n",
            "upstream connect error",
        ),
        ("comments", b": ping\n\n: ping\n\n", "no events found"),
        ("unknown events", b"data: {\"a\":1}\n\n", "unknown format"),
    ];
    for (what, input, words) in cases {
        for command in ["deltas", "collect"] {
            let output = run(&[command], input);
            let told = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{command}, {what}: {told}");
            assert!(told.contains(words), "{command}, {what}: {told}");
            assert!(!told.contains("panicked"), "{command}, {what}: {told}");
        }
    }
    let output = run(&["deltas"], error);
    assert!(stdout(&output).starts_with(r#"{"type":"error","kind":"authentication""#));
    let collected = stdout(&run(&["collect"], error));
    let collected: serde_json::Value = serde_json::from_str(&collected).expect("JSON");
    assert_eq!(collected["error"], "Incorrect API key");
}

#[test]
fn wrong_usage_is_named_and_exits_with_2() {
    for command in ["events", "deltas", "collect"] {
        let output = run(&[command, "no/such/file.sse"], b"");
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(stderr(&output).contains("no/such/file.sse"), "{command}");
        assert!(output.stdout.is_empty(), "{command}");
        let output = run(&[command, "--chunk-size", "0"], b"");
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
    let output = run(&["deltas", "--dialect", "esperanto"], b"");
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    for name in deltawire::Dialect::ALL {
        assert!(told.contains(name.as_str()), "{name}: {told}");
    }
    assert_eq!(run(&["no-such-command"], b"").status.code(), Some(2));
}

#[test]
fn an_event_over_the_limit_is_reported_and_the_stream_goes_on() {
    let large = format!("data: {}\n\n", "x".repeat(1000));
    let input = format!("{CHUNK}{large}{FINISH}{DONE}");
    for size in ["1", "100", "65536"] {
        let args = ["deltas", "--max-event-bytes", "300", "--chunk-size", size];
        let output = run(&args, input.as_bytes());
        assert_eq!(output.status.code(), Some(1), "in chunks of {size}");
        let told = stderr(&output);
        let byte = format!("byte {}", CHUNK.len());
        assert!(told.contains(&byte) && told.contains("300"), "{told}");
        let lines = stdout(&output);
        assert!(lines.contains(r#"{"type":"finish""#), "{lines}");
        assert!(lines.contains(r#"{"type":"invalid","offset":"#), "{lines}");
        assert!(lines.ends_with("{\"type\":\"end\",\"complete\":true,\"invalid\":1}\n"));
    }
    let args = ["events", "--max-event-bytes", "300"];
    let output = run(&args, input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("byte {}", CHUNK.len())));
    assert_eq!(stdout(&output).lines().count(), 4);
}

#[test]
fn a_payload_that_is_not_json_is_reported_with_its_byte() {
    let input = format!("{CHUNK}data: oops\n\n{FINISH}{DONE}");
    let output = run(&["collect"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains(&format!("event at byte {}", CHUNK.len())),
        "{told}"
    );
    let collected: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(collected["done"], true);
    assert_eq!(collected["invalid"], 1);
}

#[test]
fn standard_output_that_is_closed_is_no_panic() {
    for command in ["events", "deltas"] {
        let mut child = start(&[command]);
        let mut stdin = child.stdin.take().expect("a pipe");
        let mut stdout = child.stdout.take().expect("a pipe");
        let writer = thread::spawn(move || {
            // Far more than all buffers hold; the command is gone before it is written.
            for _ in 0..10_000 {
                if stdin.write_all(CHUNK.as_bytes()).is_err() {
                    break;
                }
            }
        });
        let mut first = [0];
        stdout.read_exact(&mut first).expect("a line");
        drop(stdout);
        writer.join().expect("no panic");
        let output = child.wait_with_output().expect("an end");
        let told = stderr(&output);
        assert!(!told.contains("panicked"), "{command}: {told}");
        assert_eq!(output.status.code(), Some(1), "{command}: {told}");
    }
}

#[test]
fn a_whole_response_is_collected_like_a_stream() {
    let body = br#"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let whole = run(&["collect"], body);
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    assert!(stderr(&whole).contains("non-streaming response"));
    let deltas = run(&["deltas"], body);
    assert_eq!(deltas.status.code(), Some(0), "{}", stderr(&deltas));
    assert!(stderr(&deltas).contains("non-streaming response"));
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let stream = format!("{CHUNK}{FINISH}{usage}\n\n{DONE}");
    let stream = run(&["collect"], stream.as_bytes());
    assert_eq!(stream.status.code(), Some(0), "{}", stderr(&stream));
    let json = |output: &Output| -> serde_json::Value {
        serde_json::from_str(&stdout(output)).expect("JSON")
    };
    let (whole, stream) = (json(&whole), json(&stream));
    for key in [
        "text",
        "reasoning",
        "refusal",
        "tool_calls",
        "finish",
        "usage",
        "error",
        "done",
        "id",
        "model",
        "complete",
    ] {
        assert_eq!(whole[key], stream[key], "{key}");
    }
}

#[test]
fn a_finished_stream_exits_with_0_and_says_nothing() {
    let input = format!("{CHUNK}{FINISH}{DONE}");
    for command in ["events", "deltas", "collect"] {
        for size in ["1", "7", "4096"] {
            let output = run(&[command, "--chunk-size", size, "-"], input.as_bytes());
            assert_eq!(output.status.code(), Some(0), "{command}");
            assert_eq!(stderr(&output), "", "{command}");
        }
    }
}
