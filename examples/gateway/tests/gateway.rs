//! The gateway between a client and a provider that are both in the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const CHAT: &str = include_str!("../../../tests/data/serve-chat.sse");
/// How long anything may take. Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Gateway {
    process: Child,
    address: String,
    log: BufReader<ChildStderr>,
}

impl Gateway {
    fn before(upstream: SocketAddr, args: &[&str]) -> Gateway {
        let mut process = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--upstream",
                &format!("http://{upstream}"),
            ])
            .args(args)
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("a line");
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .expect("an address")
            .to_owned();
        Gateway {
            process,
            address,
            log,
        }
    }

    fn ask(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
            .write_all(
                b"POST /v1/chat/completions?key=secret HTTP/1.1\r\nHost: gateway\r\n\
                  Authorization: Bearer sk-test\r\nAccept-Encoding: gzip\r\n\
                  Connection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\n{}",
            )
            .expect("a request");
        stream
    }

    /// The body of the reply and whether it has its end.
    fn reply(&self) -> (Vec<u8>, bool) {
        let mut wire = Vec::new();
        // A connection that is reset has given what came before.
        let _ = self.ask().read_to_end(&mut wire);
        body_of(&wire)
    }

    /// The next line of the log, without its time.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).expect("a line");
        let line = line.trim_end();
        let end = line.rfind(", ").filter(|_| line.ends_with(" ms"));
        line[..end.unwrap_or(line.len())].to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A provider that answers each request by `answer`, which is given its head.
fn provider(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
            let mut body = [0; 2];
            let _ = reader.read_exact(&mut body);
            let mut stream = stream;
            answer(&head, &mut stream);
        }
    });
    address
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\
    X-Request-Id: 7\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The body in HTTP chunks of so many bytes, without the last one, which ends it.
fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    for piece in body.chunks(size) {
        let _ = write!(wire, "{:x}\r\n", piece.len());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire
}

/// Undoes chunks; true where the last one is there.
fn body_of(wire: &[u8]) -> (Vec<u8>, bool) {
    let end = wire
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    let (mut rest, mut body) = (&wire[end + 4..], Vec::new());
    loop {
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&rest[..line]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        rest = &rest[line + 2..];
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
}

const SEEN: &str = "POST /v1/chat/completions: 200 complete, openai-chat, 7 events, 11 bytes of text, \
    input_tokens 9, output_tokens 4, total_tokens 13, cached_tokens 2, finish 0 stop";

#[test]
fn bytes_out_are_bytes_in_and_what_they_say_is_known() {
    for size in [1, 100, 100_000] {
        let upstream = provider(move |_, stream| {
            let body = chunks(CHAT.as_bytes(), size);
            let _ = stream.write_all(&[HEAD, &body, b"0\r\n\r\n"].concat());
        });
        let mut gateway = Gateway::before(upstream, &[]);
        assert_eq!(
            gateway.reply(),
            (CHAT.as_bytes().to_vec(), true),
            "pieces of {size}"
        );
        assert_eq!(gateway.line(), SEEN, "pieces of {size}");
    }
}

#[test]
fn an_event_that_cannot_be_read_passes_like_all_others() {
    let body = CHAT
        .replacen("data: {", "data: {{{\n\ndata: \u{fffd}{", 1)
        .into_bytes();
    let sent = body.clone();
    let upstream = provider(move |_, stream| {
        let _ = stream.write_all(&[HEAD, &chunks(&sent, 50), b"0\r\n\r\n"].concat());
    });
    let mut gateway = Gateway::before(upstream, &[]);
    assert_eq!(gateway.reply(), (body, true));
    let line = gateway.line();
    assert!(
        line.contains("output_tokens 4") && line.ends_with(", 2 unreadable"),
        "{line}"
    );
}

#[test]
fn a_reply_without_its_terminator_is_truncated() {
    let cut = &CHAT.as_bytes()[..CHAT.find("data: [DONE]").expect("its end")];
    let upstream = provider(|_, stream| {
        let cut = &CHAT.as_bytes()[..CHAT.find("data: [DONE]").expect("its end")];
        let _ = stream.write_all(&[HEAD, &chunks(cut, 100), b"0\r\n\r\n"].concat());
    });
    let mut gateway = Gateway::before(upstream, &[]);
    assert_eq!(gateway.reply(), (cut.to_vec(), true));
    assert!(
        gateway
            .line()
            .contains(": 200 truncated, openai-chat, 6 events")
    );
}

#[test]
fn a_connection_that_breaks_is_told_to_the_client_and_in_the_log() {
    let upstream = provider(|_, stream| {
        let _ = stream.write_all(&[HEAD, &chunks(&CHAT.as_bytes()[..600], 100)].concat());
        let _ = stream.shutdown(Shutdown::Both);
    });
    let mut gateway = Gateway::before(upstream, &[]);
    let (body, has_end) = gateway.reply();
    assert_eq!((body, has_end), (CHAT.as_bytes()[..600].to_vec(), false));
    let line = gateway.line();
    assert!(
        line.contains(": 200 truncated, broken (") && line.contains(", 3 events"),
        "{line}"
    );
}

#[test]
fn a_client_that_goes_away_cancels_the_provider() {
    let (sender, gone) = mpsc::channel();
    let upstream = provider(move |_, stream| {
        let _ = stream.write_all(&[HEAD, &chunks(&CHAT.as_bytes()[..600], 600)].concat());
        // Nothing more is sent: only the gateway's closing ends this read.
        let mut memory = [0; 16];
        let _ = sender.send(matches!(stream.read(&mut memory), Ok(0)));
    });
    let mut gateway = Gateway::before(upstream, &[]);
    let mut client = gateway.ask();
    let mut memory = [0; 4096];
    assert!(client.read(&mut memory).expect("the beginning") > 0);
    drop(client);
    assert_eq!(
        gone.recv_timeout(PATIENCE),
        Ok(true),
        "the provider's connection is closed"
    );
    let line = gateway.line();
    assert!(
        line.contains(": 200 cancelled, openai-chat, 3 events"),
        "{line}"
    );
}

#[test]
fn a_client_that_does_not_read_stops_the_provider() {
    const MUCH: usize = 64 << 20;
    let (sender, sent) = mpsc::channel();
    let upstream = provider(move |_, stream| {
        let _ = stream.set_write_timeout(Some(Duration::from_millis(500)));
        let _ = stream.write_all(HEAD);
        let piece = chunks(
            ": a comment of some length\n".repeat(1000).as_bytes(),
            30_000,
        );
        let mut len = 0;
        while len < MUCH && stream.write_all(&piece).is_ok() {
            len += piece.len();
        }
        let _ = sender.send(len);
    });
    let gateway = Gateway::before(upstream, &[]);
    let client = gateway.ask();
    let len = sent.recv_timeout(PATIENCE).expect("it stops");
    assert!(len < MUCH, "{len} bytes were taken from the provider");
    drop(client);
}

#[test]
fn headers_go_on_but_for_those_between_neighbours() {
    let (sender, head) = mpsc::channel();
    let upstream = provider(move |head, stream| {
        let _ = sender.send(head.to_lowercase());
        let _ = stream
            .write_all(b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n");
        let _ = stream.write_all(b"Retry-After: 7\r\nContent-Length: 2\r\n\r\n{}");
    });
    let mut gateway = Gateway::before(upstream, &[]);
    let mut wire = String::new();
    let _ = gateway.ask().read_to_string(&mut wire);
    assert!(
        wire.starts_with("HTTP/1.1 429 ") && wire.ends_with("\r\n\r\n{}"),
        "{wire}"
    );
    assert!(wire.to_lowercase().contains("retry-after: 7"), "{wire}");
    let head = head.recv_timeout(PATIENCE).expect("a request");
    assert!(
        head.starts_with("post /v1/chat/completions?key=secret http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("authorization: bearer sk-test"), "{head}");
    for gone in ["x-hop", "accept-encoding", "host: gateway"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    // Neither the key in the query nor that in the header.
    assert_eq!(gateway.line(), "POST /v1/chat/completions: 429 not read");
}

#[test]
fn a_provider_that_is_not_there_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = listener.local_addr().expect("an address");
    drop(listener);
    let mut gateway = Gateway::before(nobody, &[]);
    let mut wire = String::new();
    let _ = gateway.ask().read_to_string(&mut wire);
    assert!(wire.starts_with("HTTP/1.1 502 "), "{wire}");
    assert!(gateway.line().contains(": no answer: "));
}

#[test]
fn text_that_is_kept_is_printed_when_the_reply_is_over() {
    let upstream = provider(|_, stream| {
        let _ = stream.write_all(&[HEAD, &chunks(CHAT.as_bytes(), 77), b"0\r\n\r\n"].concat());
    });
    let mut gateway = Gateway::before(upstream, &["--text"]);
    assert!(gateway.reply().1);
    let mut out = BufReader::new(gateway.process.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(line, "Grüß dich\n");
}
