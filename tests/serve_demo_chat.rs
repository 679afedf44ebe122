//! The commands `serve`, `demo` and `chat`, run as a user runs them.
#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use deltawire::Message;
use deltawire::client::{Client, Options, Request};
use serde_json::Value;

const KEY: &str = "canary-key-93d0";
const CHAT: &str = "tests/data/serve-chat.sse";
const OTHER: &str = "tests/data/serve-chat-other.sse";
const LEGACY: &str = "tests/data/serve-legacy.sse";
/// Longer than anything here takes: only a test that would hang meets it.
const FOREVER: Duration = Duration::from_secs(30);

fn deltawire(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deltawire"));
    command.args(args).stdin(Stdio::null());
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// `deltawire serve`, until it is dropped.
struct Served {
    child: Child,
    base_url: String,
}

impl Served {
    fn start(args: &[&str]) -> Served {
        let mut child = deltawire(&["serve"])
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let base_url = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| Some(line.split_once("listening on ")?.1.to_owned()))
            .expect("the server tells its address");
        // Whoever writes into a pipe that nobody reads waits for ever.
        thread::spawn(move || lines.for_each(drop));
        Served { child, base_url }
    }

    fn chat(&self, args: &[&str]) -> Command {
        let mut command = deltawire(&["chat", "--base-url", &self.base_url]);
        command.args(args);
        command
    }

    /// A raw request: its status line's number and its body, HTTP chunks not undone.
    fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let address = self.base_url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address.strip_suffix("/v1").unwrap()).unwrap();
        connection.set_read_timeout(Some(FOREVER)).unwrap();
        write!(
            connection,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.http("POST", path, "", body)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

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
        assert_eq!(reasoning, "Greet.", "{how:?}");
        // It tells its waiting in one line; the server tells usage where the request asks for it.
        assert!(
            cost.contains("whole ") && cost.trim_end().lines().count() == 1,
            "{how:?} {cost}"
        );
    }
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
    assert_eq!(expected.last(), Some(&r#"{"type":"end","complete":true}"#));
    assert!(expected.len() < deltas.lines().count());

    let (_, whole, _) = run(&mut server.chat(&["--json", "--no-stream", "Hi"]));
    assert!(
        whole.contains(r#"{"type":"text","choice":0,"text":"Grüß dich"}"#),
        "{whole}"
    );
    assert!(whole.contains(r#""total_tokens":13"#), "{whole}");
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
    assert!(stderr.contains("Is the server running?"), "{stderr}");
}

#[test]
fn chat_exits_with_1_where_the_stream_is_cut_or_carries_an_error() {
    for (file, text, complaint) in [
        ("tests/data/serve-cut.sse", "half a\n", "cut"),
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
    for (key, advice) in [(&*wrong, "Is OPENAI_API_KEY"), ("", "Set OPENAI_API_KEY")] {
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

#[test]
fn serve_streams_the_recording_byte_for_byte() {
    let server = Served::start(&[CHAT]);
    let body = r#"{"stream":true,"stream_options":{"include_usage":true}}"#;
    let (status, chunked) = server.post("/v1/chat/completions", body);
    assert_eq!(status, 200);
    let mut rest = &*chunked;
    let mut stream = String::new();
    loop {
        let (len, more) = rest.split_once("\r\n").unwrap();
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            break;
        }
        // One event a chunk.
        assert!(more[..len].ends_with("\n\n"));
        stream.push_str(&more[..len]);
        rest = more[len..].strip_prefix("\r\n").unwrap();
    }
    assert_eq!(stream, std::fs::read_to_string(CHAT).unwrap());
}

#[test]
fn serve_sends_usage_in_a_stream_only_where_it_is_asked_for() {
    let server = Served::start(&[CHAT, LEGACY]);
    let client = Client::compatible(&server.base_url, None).unwrap();
    let ask = |request: &Request| {
        let mut stream = client.stream(request).unwrap();
        let mut message = Message::new();
        stream.read_to_end(&mut message).unwrap();
        (message.usage.total_tokens, stream.decoder().events())
    };
    let mut chat = Request::chat("any");
    chat.push("user", "Hi");
    assert_eq!(ask(&chat), (None, 6));
    chat.include_usage = true;
    assert_eq!(ask(&chat), (Some(13), 7));
    // This one was recorded with its usage in the last chunk of text, and gets a chunk of its own.
    let mut legacy = Request::completion("any", "1,2,3,");
    assert_eq!(ask(&legacy), (Some(9), 4));
    legacy.include_usage = true;
    assert_eq!(ask(&legacy), (Some(9), 5));
}

#[test]
fn serve_puts_a_whole_response_together() {
    let server = Served::start(&[CHAT, LEGACY]);
    let (status, body) = server.post("/v1/chat/completions", "{}");
    let expected = r#"{"id":"chatcmpl-t1","object":"chat.completion","created":1700000001,"model":"tiny-chat-1","choices":[{"index":0,"message":{"role":"assistant","content":"Grüß dich","reasoning_content":"Greet."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":2}}}"#;
    assert_eq!((status, &*body), (200, expected));
    let (status, body) = server.post("/completions", "{}");
    let expected = r#"{"id":"cmpl-t1","object":"text_completion","created":1700000002,"model":"tiny-legacy-1","choices":[{"text":"4,5","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":6,"completion_tokens":3,"total_tokens":9}}"#;
    assert_eq!((status, &*body), (200, expected));
}

#[test]
fn serve_answers_an_error_with_its_status_where_no_stream_is_asked_for() {
    let server = Served::start(&["tests/data/serve-error.sse"]);
    let (status, body) = server.post("/v1/chat/completions", "{}");
    assert_eq!(status, 503);
    assert_eq!(json(&body)["error"]["message"], "The engine is overloaded");
}

#[test]
fn serve_chooses_by_name_then_by_model_then_in_turn() {
    let server = Served::start(&[CHAT, OTHER]);
    let ids = |model: &str| {
        let body = format!(r#"{{"model":"{model}"}}"#);
        let answer = |_| {
            let (_, body) = server.post("/v1/chat/completions", &body);
            json(&body)["model"].as_str().unwrap().to_owned()
        };
        (0..4).map(answer).collect::<Vec<_>>()
    };
    assert_eq!(
        ids("unknown"),
        ["tiny-chat-1", "tiny-chat-2", "tiny-chat-1", "tiny-chat-2"]
    );
    assert_eq!(ids("serve-chat-other"), ["tiny-chat-2"; 4]);
    assert_eq!(ids("tiny-chat-1"), ["tiny-chat-1"; 4]);
}

#[test]
fn serve_refuses_as_openai_does() {
    let server = Served::start(&[CHAT]);
    for (method, path, body, status, code) in [
        ("POST", "/v1/nothing", "{}", 404, "unknown_url"),
        ("POST", "/v1/completions", "{}", 404, "model_not_found"),
        (
            "GET",
            "/v1/chat/completions",
            "",
            405,
            "method_not_supported",
        ),
        ("POST", "/v1/chat/completions", "{", 400, ""),
        ("POST", "/v1/chat/completions", "[]", 400, ""),
        (
            "POST",
            "/v1/chat/completions",
            r#"{"stream_options":{}}"#,
            400,
            "",
        ),
    ] {
        let (got, answer) = server.http(method, path, "", body);
        assert_eq!(got, status, "{method} {path} {body}");
        let error = &json(&answer)["error"];
        assert_eq!(
            error["code"].as_str().unwrap_or_default(),
            code,
            "{method} {path} {body}"
        );
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn serve_answers_while_another_stream_is_open() {
    // The first stream would last for hours.
    let server = Served::start(&[
        "--interval-ms",
        "3600000",
        CHAT,
        "tests/data/serve-single.sse",
    ]);
    let mut options = Options::default();
    options.base_url.clone_from(&server.base_url);
    options.timeout_idle = Some(FOREVER);
    let client = Client::new(options).unwrap();
    let mut slow = Request::chat("serve-chat");
    slow.push("user", "Hi");
    let mut slow = client.stream(&slow).unwrap();
    assert!(slow.next().unwrap().is_some());
    let mut quick = Request::chat("serve-single");
    quick.push("user", "Hi");
    assert_eq!(client.fetch(&quick).unwrap().text(), "At once");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let coloured = |name: &str| {
        let (_, stdout, _) = run(deltawire(&["demo", "--fast"]).env(name, "1"));
        stdout.contains('\x1b')
    };
    assert!(coloured("CLICOLOR_FORCE"));
    assert!(!coloured("NO_COLOR"));
}

#[test]
fn help_says_which_file_answers_and_where_the_key_comes_from() {
    for (command, needed) in [
        ("serve", "The request's \"model\" chooses"),
        ("chat", "OPENAI_API_KEY"),
        ("demo", "15 seconds"),
    ] {
        let (status, stdout, _) = run(&mut deltawire(&[command, "--help"]));
        assert_eq!(status, Some(0));
        assert!(stdout.contains(needed), "{stdout}");
    }
}

#[test]
fn serve_listens_on_this_machine_alone() {
    let server = Served::start(&[CHAT]);
    assert!(
        server.base_url.starts_with("http://127.0.0.1:"),
        "{}",
        server.base_url
    );
}

#[test]
fn serve_says_which_file_is_no_stream() {
    for (file, complaint) in [
        ("tests/data/missing.sse", "No such file"),
        ("rustfmt.toml", "no stream of OpenAI's kind but text"),
    ] {
        let (status, stdout, stderr) = run(&mut deltawire(&["serve", file]));
        assert_eq!((status, &*stdout), (Some(2), ""), "{file}");
        assert!(
            stderr.contains(file) && stderr.contains(complaint),
            "{stderr}"
        );
    }
}

#[test]
fn serve_says_which_port_it_cannot_have() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (status, _, stderr) = run(&mut deltawire(&["serve", "--port", &port, CHAT]));
    assert_eq!(status, Some(3));
    assert!(stderr.contains(&format!("127.0.0.1:{port}")), "{stderr}");
}

#[test]
fn demo_shows_the_guides_figures() {
    let mut command = deltawire(&["demo", "--fast"]);
    // The demo needs neither; nor must it go looking for them.
    command
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", "http://192.0.2.1/v1")
        .env("ALL_PROXY", "http://192.0.2.1:1");
    let (status, stdout, stderr) = run(&mut command);
    assert_eq!((status, &*stderr), (Some(0), ""));
    for figure in [
        "Count to 100, with a comma between each number and no newlines.",
        "36 prompt + 301 completion = 337 tokens",
        "gpt-3.5-turbo-0301",
        "measured, 3.03 s in the guide",
        "What's 1+1? Answer in one word.",
        "text    \"\\n\\n\"",
        "text    \"2\"",
        "4 chunks and [DONE]",
        "302 and [DONE]",
        "measured, 0.10 s in the guide",
        "measured, 2.97 s in the guide",
        "2.93 s sooner, as the guide recorded it",
        "98, 99, 100.",
        "text-davinci-002",
        "193 and [DONE]",
        "measured, 3.43 s in the guide",
        "measured, 0.18 s in the guide",
        "measured, 2.73 s in the guide",
        "194 and [DONE]",
        "6 prompt + 193 completion = 199 tokens",
    ] {
        assert!(stdout.contains(figure), "{figure} is missing in:\n{stdout}");
    }
    assert_eq!(
        stdout.matches("the same text as the whole reply").count(),
        2
    );
    assert!(!stdout.contains(KEY));
    assert!(!stdout.contains('\x1b'), "colours in a pipe");
    let widest = stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}");
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
        assert!(stderr.contains("grep -q password refused"), "{stderr}");
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
    assert!(
        stderr.contains("the encoding of own is not known"),
        "{stderr}"
    );
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

#[test]
fn serve_answers_a_client_that_offers_another_protocol() {
    let server = Served::start(&[CHAT]);
    let offer = "Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n";
    let address = server.base_url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix("/v1").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(FOREVER)).unwrap();
    write!(
        connection,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\
         {offer}Content-Length: 2\r\n\r\n{{}}"
    )
    .unwrap();
    let mut first = [0; 15];
    connection.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
}
