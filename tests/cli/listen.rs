//! The command `listen`, and what of `chat` is about its connection, run as a user runs them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};

use deltawire_test_support::server::{
    self, FOREVER, Server, answer, chunk, chunked, event, header, reply, script, sized,
};

const HEAD: &str = "Content-Type: text/event-stream\r\nConnection: close\r\n";

fn deltawire(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deltawire"));
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        let name = name.to_ascii_uppercase();
        if name.ends_with("_API_KEY") || name.ends_with("_PROXY") || name.ends_with("_BASE_URL") {
            command.env_remove(name);
        }
    }
    command
}

/// Exit status, the lines of standard output, standard error.
fn run(args: &[&str]) -> (Option<i32>, Vec<Value>, String) {
    let output = deltawire(args).output().unwrap();
    read(&output)
}

fn read(output: &Output) -> (Option<i32>, Vec<Value>, String) {
    let stdout = std::str::from_utf8(&output.stdout).unwrap();
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code(), lines.collect(), stderr)
}

fn body(body: &str) -> server::Script {
    answer(sized("200 OK", HEAD, body))
}

#[test]
fn events_are_printed_as_events_does_and_the_end_last() {
    let server = Server::new([
        body("id: 1\nretry: 10\ndata: a\ndata: b\n\n"),
        body("event: x\nid: 2\ndata: grüß\n\n"),
        answer("HTTP/1.1 204 No Content\r\n\r\n"),
    ]);
    let (status, lines, stderr) = run(&["listen", &server.url]);
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(
        lines,
        [
            json!({"event": "message", "data": "a\nb", "id": "1"}),
            json!({"event": "x", "data": "grüß", "id": "2"}),
            json!({"last_event_id": "2", "retry": 10, "error": null}),
        ]
    );
    assert_eq!(header(&server.requests()[1], "last-event-id"), Some("1"));
}

#[test]
fn an_event_is_printed_before_the_next_is_sent() {
    let (seen, go_on) = mpsc::channel::<()>();
    let server = Server::script(move |connection| {
        connection.send(format!("{}Transfer-Encoding: chunked\r\n\r\n", server::SSE));
        connection.send(chunk(b"data: a\n\n"));
        go_on.recv_timeout(FOREVER).unwrap();
        connection.send(chunk(b"data: b\n\n"));
        connection.send("0\r\n\r\n");
    });
    let mut child = deltawire(&["listen", &server.url, "--reconnect", "never"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"a\""));
    seen.send(()).unwrap();
    assert!(lines.next().unwrap().unwrap().contains("\"b\""));
    assert!(lines.next().unwrap().unwrap().contains("\"error\":null"));
    assert!(child.wait().unwrap().success());
}

#[test]
fn one_response_is_read_where_it_does_not_reconnect() {
    let server = Server::new([body("data: a\n\ndata: cut\n"), body("data: b\n\n")]);
    let (status, lines, _) = run(&["listen", &server.url, "--reconnect", "never"]);
    assert_eq!(status, Some(0));
    assert_eq!(lines.len(), 2);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_post_is_sent_once_with_what_it_is_given() {
    let server = Server::new([body("data: a\n\n"), body("data: b\n\n")]);
    let args = [
        "listen",
        &server.url,
        "--data",
        "{\"q\":1}",
        "--header",
        "X-One: 1",
        "--header",
        "X-Two:  two ",
        "--last-event-id",
        "7",
    ];
    let (status, lines, stderr) = run(&args);
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(lines[0]["data"], "a");
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].starts_with("POST / HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(
        requests[0].ends_with("\r\n\r\n{\"q\":1}"),
        "{}",
        requests[0]
    );
    assert_eq!(header(&requests[0], "x-one"), Some("1"));
    assert_eq!(header(&requests[0], "x-two"), Some("two"));
    assert_eq!(header(&requests[0], "last-event-id"), Some("7"));
}

#[test]
fn a_refusal_is_told_with_all_that_is_known_of_it() {
    let head = "Retry-After: 120\r\nContent-Type: text/plain\r\n";
    let server = Server::bytes(sized("429 Too Many Requests", head, "slow \"down\""));
    let (status, lines, stderr) = run(&["listen", &server.url]);
    assert_eq!(status, Some(3));
    let error = json!({
        "kind": "status",
        "status": 429,
        "retry_after_ms": 120_000,
        "body": "slow \"down\"",
    });
    assert_eq!(
        lines,
        [json!({"last_event_id": "", "retry": null, "error": error})]
    );
    assert!(stderr.contains("429"), "{stderr}");
}

#[test]
fn what_came_before_a_failure_stays_printed() {
    let mut cut = chunked([b"id: 5\ndata: a\n\n".as_slice()]);
    cut.truncate(cut.len() - 5);
    let server = Server::bytes(cut);
    let (status, lines, _) = run(&["listen", &server.url, "--reconnect", "never"]);
    assert_eq!(status, Some(3));
    assert_eq!(lines[0]["data"], "a");
    assert_eq!(lines[1]["last_event_id"], "5");
    assert_eq!(lines[1]["error"]["kind"], "truncated");
    assert_eq!(lines[1]["error"]["status"], Value::Null);
}

#[test]
fn it_ends_after_so_many_events_and_so_many_attempts() {
    let many = "data: a\n\n".repeat(10);
    let server = Server::new([body(&many)]);
    let (status, lines, _) = run(&["listen", &server.url, "--max-events", "3"]);
    assert_eq!((status, lines.len()), (Some(0), 4));

    let server = Server::new((0..5).map(|_| body("data: a\n\n")));
    let args = [
        "listen",
        &server.url,
        "--max-attempts",
        "3",
        "--retry-ms",
        "0",
    ];
    let (status, lines, _) = run(&args);
    assert_eq!((status, lines.len()), (Some(0), 4));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn limits_of_time_and_size_are_those_that_were_given() {
    let stall = || script(|connection| connection.stall());
    let server = Server::new([stall()]);
    let never = ["listen", &server.url, "--reconnect", "never"];
    let first = [&never[..], &["--first-byte-timeout", "50"]].concat();
    assert_eq!(run(&first).1[0]["error"]["kind"], "timeout");

    let server = Server::script(|connection| {
        connection.send(format!("{}\r\ndata: a\n\n", server::SSE));
        connection.stall();
    });
    let args = [
        "listen",
        &server.url,
        "--reconnect",
        "never",
        "--idle-timeout",
        "50",
    ];
    let (status, lines, stderr) = run(&args);
    assert_eq!(status, Some(3));
    assert_eq!(lines[0]["data"], "a");
    assert_eq!(lines[1]["error"]["kind"], "timeout");
    assert!(stderr.contains("after 0.05 s"), "{stderr}");

    let long = format!("data: {}\n\ndata: b\n\n", "x".repeat(2000));
    let server = Server::new([body(&long)]);
    let args = [
        "listen",
        &server.url,
        "--reconnect",
        "never",
        "--max-event-bytes",
        "1000",
    ];
    let (status, lines, stderr) = run(&args);
    assert_eq!(status, Some(0));
    assert_eq!(lines[0]["data"], "b");
    assert!(stderr.contains("1000 bytes"), "{stderr}");
}

#[test]
fn it_is_cancelled_after_so_many_milliseconds() {
    let server = Server::script(|connection| {
        connection.send(format!("{}\r\nid: 1\ndata: a\n\n", server::SSE));
        connection.stall();
    });
    let (status, lines, _) = run(&["listen", &server.url, "--cancel-after", "300"]);
    assert_eq!(status, Some(0), "it ended as asked");
    assert_eq!(lines[0]["data"], "a");
    assert_eq!(lines[1]["last_event_id"], "1");
    assert_eq!(lines[1]["error"]["kind"], "cancelled");
}

/// Presses Ctrl-C once a first line was printed.
#[cfg(unix)]
fn interrupt(mut child: Child, first: &str) -> (Option<i32>, String) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains(first) {
        let mut byte = [0];
        std::io::Read::read_exact(&mut stdout, &mut byte).unwrap();
        text.push(byte[0].into());
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    std::io::Read::read_to_string(&mut stdout, &mut text).unwrap();
    (child.wait().unwrap().code(), text)
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_has_come_and_exits_with_130() {
    let stalling = |first: String| {
        Server::script(move |connection| {
            connection.send(format!("{}\r\n{first}", server::SSE));
            connection.stall();
        })
    };
    let server = stalling("id: 1\ndata: a\n\n".into());
    let child = deltawire(&["listen", &server.url])
        .stdout(Stdio::piped())
        .spawn();
    let (status, text) = interrupt(child.unwrap(), "}\n");
    assert_eq!(status, Some(130));
    assert!(text.contains("{\"last_event_id\":\"1\""), "{text}");

    let server = stalling(event("Hello"));
    let child = deltawire(&["chat", "--base-url", &server.url, "Hi"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let (status, text) = interrupt(child.unwrap(), "Hello");
    assert_eq!((status, &*text), (Some(130), "Hello\n"));
}

#[test]
fn data_that_cannot_be_read_is_not_sent() {
    let server = Server::new([body("data: a\n\n")]);
    let mut child = deltawire(&["listen", &server.url, "--data", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"{\"a\":\"\xff\"}").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("standard input: "), "{stderr}");
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[test]
fn what_cannot_be_asked_for_is_wrong_usage() {
    for args in [
        &["listen"][..],
        &["listen", "http://x", "--method", "GET", "--data", "{}"],
        &["listen", "http://x", "--data", "{}", "--reconnect", "auto"],
        &["listen", "http://x", "--method", "BREW"],
        &["listen", "http://x", "--header", "no colon"],
        &["listen", "http://x", "--reconnect", "sometimes"],
        &["listen", "http://x", "--ca-file", "/does/not/exist"],
        &["listen", "http://x", "--proxy", "::"],
        &["chat", "--provider", "nobody", "Hi"],
        &["chat", "--dialect", "nonsense", "Hi"],
        &["chat", "--provider", "azure", "Hi"],
    ] {
        let output = deltawire(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{args:?}"
        );
    }
}

#[test]
fn a_header_that_injects_another_is_refused_by_its_name() {
    let server = Server::new([body("")]);
    let args = [
        "listen",
        &server.url,
        "--header",
        "X-One: a\r\nX-Injected: 1",
    ];
    let (status, lines, stderr) = run(&args);
    assert_eq!(status, Some(3));
    assert_eq!(lines[0]["error"]["kind"], "request");
    assert!(stderr.contains("x-one"), "{stderr}");
    assert!(server.requests().is_empty());
}

#[test]
fn chat_takes_a_provider_and_what_the_guide_sets() {
    let server = Server::new([
        answer(chunked([reply(&["a"]).as_bytes()])),
        answer(chunked([reply(&["b"]).as_bytes()])),
    ]);
    let base_url = ["chat", "--base-url", &server.url];
    let openai = [
        "-n",
        "2",
        "--max-tokens",
        "9",
        "--temperature",
        "0.5",
        "--include-usage",
        "Hi",
    ];
    let output = deltawire(&[&base_url[..], &openai].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let request = &server.requests()[0];
    let (_, sent) = request.split_once("\r\n\r\n").unwrap();
    let sent: Value = serde_json::from_str(sent).unwrap();
    assert_eq!(sent["n"], 2);
    assert_eq!(sent["max_tokens"], 9);
    assert_eq!(sent["temperature"], 0.5);
    assert_eq!(sent["stream_options"]["include_usage"], true);

    let anthropic = ["--provider", "anthropic", "--model", "m", "-"];
    let mut child = deltawire(&[&base_url[..], &anthropic].concat())
        .env("ANTHROPIC_API_KEY", "canary-key-77")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"from the pipe")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"b\n");
    let request = &server.requests()[1];
    assert!(request.starts_with("POST /v1/messages "), "{request}");
    assert_eq!(header(request, "x-api-key"), Some("canary-key-77"));
    assert!(request.contains("from the pipe"), "{request}");
}

#[test]
fn chat_retries_as_often_as_it_is_told() {
    let busy = || {
        answer(sized(
            "503 Busy",
            "Retry-After: 0\r\nConnection: close\r\n",
            "",
        ))
    };
    let server = Server::new([busy(), answer(chunked([reply(&["a"]).as_bytes()]))]);
    let args = ["chat", "--base-url", &server.url, "Hi"];
    let output = deltawire(&args).output().unwrap();
    assert_eq!(output.stdout, b"a\n");

    let server = Server::new([busy()]);
    let args = ["chat", "--base-url", &server.url, "--retries", "0", "Hi"];
    let output = deltawire(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("Try again in"), "{stderr}");
}
