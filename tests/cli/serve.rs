//! The command `serve`, asked over HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use deltawire::Message;
use deltawire::client::{Client, Options, Request};

use crate::served::{CHAT, FOREVER, Served, deltawire, json, run};

const OTHER: &str = "tests/data/serve-chat-other.sse";
const LEGACY: &str = "tests/data/serve-legacy.sse";

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
    let body = concat!(env!("CARGO_TARGET_TMPDIR"), "/non-streaming.json");
    let response =
        r#"{"object":"chat.completion","choices":[{"index":0,"message":{"content":"Hi"}}]}"#;
    std::fs::write(body, response).unwrap();
    for (file, complaint) in [
        ("tests/data/missing.sse", "No such file"),
        ("rustfmt.toml", "not an OpenAI stream but text"),
        (body, "not an OpenAI stream but a JSON document"),
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

/// A connection to the server that stays open.
fn connect(server: &Served) -> TcpStream {
    let address = server.base_url.strip_prefix("http://").unwrap();
    let connection = TcpStream::connect(address.strip_suffix("/v1").unwrap()).unwrap();
    connection.set_read_timeout(Some(FOREVER)).unwrap();
    connection
}

/// The next answer with a Content-Length on a connection: its status and its body.
fn answer(connection: &mut TcpStream) -> (u16, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let len = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; len.map_or(0, |len| len.parse().unwrap())];
    connection.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[test]
fn serve_answers_every_client_while_all_keep_their_connections() {
    let server = Served::start(&[CHAT]);
    // Who is not answered waits behind a connection that does not end.
    let mut connections: Vec<TcpStream> = (0..24).map(|_| connect(&server)).collect();
    for round in 0..2 {
        for connection in &mut connections {
            let request = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n";
            write!(connection, "{request}\r\n{{}}").unwrap();
        }
        for (at, connection) in connections.iter_mut().enumerate() {
            let (status, body) = answer(connection);
            assert_eq!(status, 200, "connection {at}, round {round}: {body}");
        }
    }
}

#[test]
fn serve_reads_a_body_however_it_is_sent() {
    let server = Served::start(&[CHAT]);
    let start = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n";
    let legacy = "POST /v1/chat/completions HTTP/1.0\r\n";
    let mut connection = connect(&server);
    // A body that only chunks tell the length of, with headers behind it, in one piece and byte by byte.
    let chunked = format!(
        "{start}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{{\"\r\n9\r\nn\": null}}\r\n0\r\nX: y\r\n\r\n"
    );
    connection.write_all(chunked.as_bytes()).unwrap();
    assert_eq!(answer(&mut connection).0, 200);
    for byte in chunked.bytes() {
        connection.write_all(&[byte]).unwrap();
    }
    assert_eq!(answer(&mut connection).0, 200);
    // Several requests before the first answer.
    let two = format!("{start}Content-Length: 2\r\n\r\n{{}}{start}content-length:1\r\n\r\n[");
    connection.write_all(two.as_bytes()).unwrap();
    assert_eq!(answer(&mut connection).0, 200);
    assert_eq!(answer(&mut connection).0, 400);
    // A client that asks first whether it may send.
    write!(
        connection,
        "{start}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    .unwrap();
    assert_eq!(answer(&mut connection), (100, String::new()));
    write!(connection, "{{}}").unwrap();
    assert_eq!(answer(&mut connection).0, 200);
    // HTTP/1.0 knows no chunks: the stream ends with its connection.
    let body = r#"{"stream":true}"#;
    let mut connection = connect(&server);
    write!(
        connection,
        "{legacy}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\n\ndata: [DONE]\n\n"), "{answer}");
    assert!(!answer.contains("chunked"), "{answer}");
}

#[test]
fn serve_says_what_is_wrong_with_a_request_that_it_cannot_read_and_hangs_up() {
    let server = Served::start(&[CHAT]);
    let start = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n";
    let many: String = (0..200).map(|at| format!("X-{at}: y\r\n")).collect();
    let long = "x".repeat(100_000);
    for (status, request) in [
        (400, "nonsense\r\n\r\n".into()),
        (400, format!("{start}Content-Length: +2\r\n\r\n{{}}")),
        (
            400,
            format!("{start}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
        ),
        (
            400,
            format!("{start}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            400,
            format!("{start}Transfer-Encoding: chunked\r\n\r\nhello\r\n\r\n"),
        ),
        (
            400,
            format!("{start}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}0\r\n\r\n"),
        ),
        (413, format!("{start}Content-Length: 16777217\r\n\r\n")),
        (
            413,
            format!("{start}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
        ),
        (431, format!("{start}{many}\r\n")),
        (431, format!("{start}X: {long}")),
        (
            501,
            format!("{start}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
        ),
        (505, "GET / HTTP/2.0\r\n\r\n".into()),
    ] {
        let mut connection = connect(&server);
        connection.write_all(request.as_bytes()).unwrap();
        let shown: String = request.chars().skip(start.len()).take(60).collect();
        let (told, body) = answer(&mut connection);
        assert_eq!(told, status, "{shown}: {body}");
        assert!(json(&body)["error"]["message"].is_string(), "{shown}");
        let mut rest = Vec::new();
        connection.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "{shown}");
    }
}
