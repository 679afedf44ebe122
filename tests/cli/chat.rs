//! The command `chat`, run as a user runs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

use crate::served::{CHAT, FOREVER, Served, deltawire, json, run};

const KEY: &str = "canary-key-93d0";

#[test]
fn chat_prints_the_reply_and_nothing_else_on_standard_output() {
    let server = Served::start(&[CHAT]);
    for how in [&["Hi"][..], &["--no-stream", "Hi"]] {
        let (status, stdout, stderr) = run(&mut server.chat(how));
        assert_eq!(
            (status, &*stdout),
            (Some(0), "Grüß dich\n"),
            "{how:?} {stderr}"
        );
        let (reasoning, cost) = stderr.split_once('\n').unwrap();
        assert_eq!(reasoning, "reasoning: Greet.", "{how:?}");
        // It tells its waiting in one line; the server tells usage where the request asks for it.
        assert!(
            cost.contains("whole ") && cost.trim_end().lines().count() == 1,
            "{how:?} {cost}"
        );
    }
}

#[test]
#[cfg(unix)]
fn notes_have_lines_of_their_own_where_both_outputs_go_to_one_place() {
    let server = Served::start(&["tests/data/serve-error.sse"]);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut chat = server.chat(&["Hi"]);
    chat.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = chat.spawn().unwrap();
    // It holds the writer.
    drop(chat);
    let text = std::io::read_to_string(reader).unwrap();
    child.wait().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let complaint = "deltawire: provider error: The engine is overloaded (overloaded)";
    assert_eq!(lines[..2], ["but", complaint]);
    assert!(lines[2].starts_with("first token "), "{text}");
    assert_eq!(lines.len(), 3, "{text}");
}

#[test]
fn chat_reads_its_prompt_from_standard_input() {
    let server = Served::start(&[CHAT]);
    let mut child = server
        .chat(&[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"Hi\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Grüß dich\n");
    let (status, stdout, stderr) = run(&mut server.chat(&[]));
    assert_eq!((status, &*stdout), (Some(2), ""));
    assert!(stderr.contains("prompt is empty"), "{stderr}");
}

#[test]
fn chat_json_prints_the_lines_of_deltas() {
    let server = Served::start(&[CHAT]);
    let (status, stdout, _) = run(&mut server.chat(&["--json", "Hi"]));
    assert_eq!(status, Some(0));
    let (_, deltas, _) = run(&mut deltawire(&["deltas", CHAT]));
    let asked_for_none = |line: &&str| !line.contains(r#""type":"usage""#);
    let expected: Vec<&str> = deltas.lines().filter(asked_for_none).collect();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
    let end = r#"{"type":"end","complete":true,"invalid":0}"#;
    assert_eq!(expected.last(), Some(&end));
    assert!(expected.len() < deltas.lines().count());

    let (_, whole, _) = run(&mut server.chat(&["--json", "--no-stream", "Hi"]));
    assert!(
        whole.contains(r#"{"type":"text","choice":0,"part":1,"text":"Grüß dich"}"#),
        "{whole}"
    );
    assert!(whole.contains(r#""total_tokens":13"#), "{whole}");
    assert!(whole.contains(r#""name":"created""#), "{whole}");
    assert_eq!(whole.lines().last(), Some(end));
}

/// Answers one request with this body. Returns the base URL and the thread that answers.
fn answer_once(content_type: &'static str, body: String) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        let len = body.len();
        write!(
            connection,
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len}\r\n\
             Connection: close\r\n\r\n{body}"
        )
        .unwrap();
    });
    (base_url, server)
}

#[test]
fn an_event_that_cannot_be_decoded_does_not_end_a_chat() {
    let body = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]}\n\n",
        "data: {oops\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n"
    );
    let chat = |args: &[&str]| {
        let (base_url, server) = answer_once("text/event-stream", body.into());
        let output = run(deltawire(&["chat", "Hi", "--base-url", &base_url]).args(args));
        server.join().unwrap();
        output
    };
    let (status, stdout, stderr) = chat(&[]);
    assert_eq!((status, &*stdout), (Some(1), "one two\n"), "{stderr}");
    assert!(stderr.contains("is not JSON"), "{stderr}");
    assert!(!stderr.contains("truncated"), "{stderr}");
    let (status, stdout, stderr) = chat(&["--json"]);
    assert_eq!(status, Some(1), "{stderr}");
    let types: Vec<_> = stdout
        .lines()
        .map(|line| json(line)["type"].clone())
        .collect();
    let expected = ["text", "invalid", "other", "text", "finish", "done", "end"];
    assert_eq!(types, expected, "{stdout}");
    assert!(
        stdout.ends_with("\"complete\":true,\"invalid\":1}\n"),
        "{stdout}"
    );
}

#[test]
fn a_whole_reply_has_the_calls_of_the_providers_own_tools_and_nothing_empty() {
    let body = concat!(
        r#"{"id":"m","type":"message","role":"assistant","model":"tiny","content":["#,
        r#"{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"x"}},"#,
        r#"{"type":"tool_use","id":"t1","name":"now","input":{}},"#,
        r#"{"type":"text","text":"Found."}],"stop_reason":"end_turn"}"#
    );
    let (base_url, server) = answer_once("application/json", body.into());
    let args = [
        "chat",
        "--provider",
        "anthropic",
        "--no-stream",
        "--json",
        "Hi",
        "--base-url",
    ];
    let (status, stdout, stderr) = run(deltawire(&args).arg(&base_url));
    server.join().unwrap();
    assert_eq!(status, Some(0), "{stderr}");
    let has = |part: &str| stdout.lines().any(|line| line.contains(part));
    assert!(
        has(r#""type":"server_tool_call_start","choice":0,"part":0,"index":0,"id":"s1""#),
        "{stdout}"
    );
    assert!(has(r#""type":"server_tool_call_arguments""#), "{stdout}");
    assert!(
        has(r#""type":"tool_call_start","choice":0,"part":1,"index":1,"id":"t1""#),
        "{stdout}"
    );
    assert!(!has(r#""fragment":"""#), "{stdout}");
    // The parts in the order of the reply.
    let parts = stdout
        .lines()
        .filter_map(|line| json(line)["part"].as_u64());
    assert_eq!(parts.collect::<Vec<_>>(), [0, 0, 1, 2], "{stdout}");
}

#[test]
fn chat_prints_each_piece_before_the_next_comes() {
    let (go_on, wait) = mpsc::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        write!(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        for text in ["one", "two"] {
            let chunk = format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#);
            write!(connection, "data: {chunk}\n\n").unwrap();
            wait.recv_timeout(FOREVER).unwrap();
        }
        write!(connection, "data: [DONE]\n\n").unwrap();
    });
    let mut child = deltawire(&["chat", "--base-url", &base_url, "Hi"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    for text in ["one", "two"] {
        let mut piece = [0; 3];
        stdout.read_exact(&mut piece).unwrap();
        assert_eq!(piece, text.as_bytes());
        go_on.send(()).unwrap();
    }
    server.join().unwrap();
    child.wait().unwrap();
}

#[test]
fn chat_says_where_nobody_answers_and_exits_with_3() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let (status, stdout, stderr) =
        run(deltawire(&["chat", "Hi"]).env("OPENAI_BASE_URL", &base_url));
    assert_eq!((status, &*stdout), (Some(3), ""));
    assert!(stderr.contains(&base_url), "{stderr}");
    assert!(
        stderr.contains("Is the server running at this address?"),
        "{stderr}"
    );
}

#[test]
fn chat_exits_with_1_where_the_stream_is_cut_or_carries_an_error() {
    for (file, text, complaint) in [
        ("tests/data/serve-cut.sse", "half a\n", "truncated"),
        (
            "tests/data/serve-error.sse",
            "but\n",
            "The engine is overloaded",
        ),
    ] {
        let server = Served::start(&[file]);
        let (status, stdout, stderr) = run(&mut server.chat(&["Hi"]));
        assert_eq!((status, &*stdout), (Some(1), text), "{file}");
        assert!(stderr.contains(complaint), "{file}: {stderr}");
    }
}

#[test]
fn a_key_is_asked_for_and_never_shown() {
    let server = Served::start(&["--key", KEY, CHAT]);
    let with_key = |key: &str| {
        let mut command = server.chat(&["Hi"]);
        command.env("OPENAI_API_KEY", key);
        run(&mut command)
    };
    assert_eq!(with_key(KEY).0, Some(0));
    let wrong = format!("{KEY}-wrong");
    for (key, advice) in [
        (&*wrong, "Check that OPENAI_API_KEY"),
        ("", "Set OPENAI_API_KEY"),
    ] {
        let (status, stdout, stderr) = with_key(key);
        assert_eq!((status, &*stdout), (Some(3), ""), "{key}");
        assert!(
            stderr.contains("401") && stderr.contains(advice),
            "{stderr}"
        );
        assert!(!stderr.contains(KEY), "{stderr}");
    }
    let (status, body) = server.post("/v1/chat/completions", "{}");
    assert_eq!(status, 401);
    assert_eq!(json(&body)["error"]["type"], "invalid_request_error");
}

#[test]
fn a_key_that_the_server_repeats_is_not_printed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).unwrap();
        let body = format!(r#"{{"error":"no such key: {KEY}"}}"#);
        write!(
            connection,
            "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    });
    let mut command = deltawire(&["chat", "--base-url", &base_url, "Hi"]);
    let (status, stdout, stderr) = run(command.env("OPENAI_API_KEY", KEY));
    assert_eq!((status, &*stdout), (Some(3), ""));
    assert!(stderr.contains("no such key"), "{stderr}");
    assert!(!stderr.contains(KEY), "{stderr}");
}

/// A stream of that text, a word an event, in a file of its own.
fn stream_of(name: &str, text: &str) -> String {
    let mut stream = String::new();
    let mut chunk = |delta: Value, finish: Option<&str>| {
        let choice = serde_json::json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = serde_json::json!({"model": "tiny-chat-2", "choices": [choice]});
        stream.push_str(&format!("data: {chunk}\n\n"));
    };
    for word in text.split_inclusive(' ') {
        chunk(serde_json::json!({"content": word}), None);
    }
    chunk(serde_json::json!({}), Some("stop"));
    stream.push_str("data: [DONE]\n\n");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, stream).unwrap();
    path.to_str().unwrap().to_owned()
}

const SENTENCES: &str = "All is well. The password is 1234. Good bye.";

#[test]
#[cfg(unix)]
fn chat_shows_nothing_that_the_check_refuses_nor_what_is_behind_it() {
    let server = Served::start(&[&stream_of("refused.sse", SENTENCES)]);
    for how in [&["Hi"][..], &["--no-stream", "Hi"]] {
        let check = ["--moderate", "! grep -q password"];
        let (status, stdout, stderr) = run(server.chat(&check).args(how));
        assert_eq!((status, &*stdout), (Some(1), "All is well. \n"), "{stderr}");
        assert!(stderr.contains("`! grep -q password` refused"), "{stderr}");
    }
    // The check sees each piece whole; one that lets all pass changes nothing of the reply.
    let seen = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("seen");
    let _ = std::fs::remove_file(&seen);
    let command = format!("cat >>'{0}'; echo '|' >>'{0}'", seen.display());
    let mut chat = server.chat(&["--moderate", &command, "--timing", "Hi"]);
    let (status, stdout, stderr) = run(&mut chat);
    assert_eq!((status, &*stdout), (Some(0), &*format!("{SENTENCES}\n")));
    assert!(
        stderr.contains("3 checks, ") && stderr.contains("first released"),
        "{stderr}"
    );
    let seen = std::fs::read_to_string(seen).unwrap();
    assert_eq!(
        seen,
        "All is well. |\nThe password is 1234. |\nGood bye.|\n"
    );
    let check = ["--moderate", "exit 1", "--moderate-by", "3", "--json", "Hi"];
    let (status, stdout, _) = run(&mut server.chat(&check));
    let lines: Vec<Value> = stdout.lines().map(json).collect();
    assert_eq!((status, lines.len()), (Some(1), 2), "{stdout}");
    assert_eq!(lines[1]["complete"], false);
}

#[test]
fn chat_says_what_the_reply_cost_and_counts_tokens_where_none_are_told() {
    let server = Served::start(&[&stream_of("counted.sse", SENTENCES)]);
    let (_, _, stderr) = run(&mut server.chat(&["Hi"]));
    assert!(
        stderr.contains("first token ") && !stderr.contains("tokens"),
        "{stderr}"
    );
    let (_, _, stderr) = run(&mut server.chat(&["--tokens", "--model", "gpt-4o", "Hi"]));
    let counted = "8 prompt + 15 completion = 23 tokens, counted here";
    assert!(stderr.contains(counted), "{stderr}");
    let (status, stdout, stderr) = run(&mut server.chat(&["--tokens", "--model", "own", "Hi"]));
    assert_eq!((status, &*stdout), (Some(2), ""));
    assert!(stderr.contains("no known encoding for own"), "{stderr}");
    // What the provider tells goes before what could be counted.
    let server = Served::start(&[CHAT]);
    let told = ["--tokens", "--include-usage", "--model", "gpt-4o", "Hi"];
    let (_, _, stderr) = run(&mut server.chat(&told));
    assert!(
        stderr.contains("9 prompt + 4 completion = 13 tokens\n"),
        "{stderr}"
    );
}

#[test]
fn chat_draws_the_arrival_of_every_piece() {
    let server = Served::start(&[&stream_of("drawn.sse", SENTENCES)]);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("chat.svg");
    let (status, ..) = run(&mut server.chat(&["--svg", path.to_str().unwrap(), "Hi"]));
    let svg = std::fs::read_to_string(&path).unwrap();
    // One mark for each of the words, one for all at once.
    assert_eq!((status, svg.matches("v24").count()), (Some(0), 10));
    assert!(svg.contains("A reply of tiny-chat-2 over time") && svg.contains("9 pieces"));
    let (status, _, stderr) = run(&mut server.chat(&["--svg", "/nowhere/x.svg", "Hi"]));
    assert_eq!(status, Some(2));
    assert!(stderr.contains("/nowhere/x.svg"), "{stderr}");
}
