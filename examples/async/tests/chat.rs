//! The program against a server of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread;

const CHAT: &str = include_str!("../../../tests/data/serve-chat.sse");

/// Runs it against a server that answers with this body, in HTTP chunks of `size` bytes.
fn run(body: &'static str, size: usize) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/v1/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
        let (mut head, mut len) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).expect("a line") > 0 {}
        let name = "content-length: ";
        let head = head.to_lowercase();
        for line in head.lines().filter_map(|line| line.strip_prefix(name)) {
            len = line.parse().expect("a length");
        }
        let mut asked = vec![0; len];
        reader.read_exact(&mut asked).expect("a body");
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        for piece in body.as_bytes().chunks(size) {
            let _ = write!(stream, "{:x}\r\n", piece.len());
            let _ = stream.write_all(&[piece, b"\r\n"].concat());
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        (head, String::from_utf8(asked).expect("UTF-8"))
    });
    let output = Command::new(env!("CARGO_BIN_EXE_async_chat"))
        .arg("Say hello")
        .env("OPENAI_BASE_URL", base)
        .env("OPENAI_API_KEY", "sk-test")
        .env("OPENAI_MODEL", "tiny-chat-1")
        .output()
        .expect("it starts");
    let (head, asked) = server.join().expect("no panic");
    assert!(
        head.starts_with("post /v1/chat/completions http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("authorization: bearer sk-test"), "{head}");
    assert!(
        asked.contains(r#""stream":true"#) && asked.contains("Say hello"),
        "{asked}"
    );
    output
}

#[test]
fn the_reply_is_printed_however_it_is_cut() {
    for size in [1, 50, 100_000] {
        let output = run(CHAT, size);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "Grüß dich\n",
            "pieces of {size}"
        );
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn a_reply_that_is_cut_is_told() {
    let output = run(include_str!("../../../tests/data/serve-cut.sse"), 100);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "half a\n");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "async_chat: the reply is cut\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_malformed_event_is_skipped_and_the_rest_is_printed() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]}\n\n\
        data: {oops\n\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"}}]}\n\n\
        data: [DONE]\n\n";
    let output = run(body, 10);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one two\n");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("async_chat: skipped: "), "{told}");
    assert_eq!(output.status.code(), Some(0));
}
