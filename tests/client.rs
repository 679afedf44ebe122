//! The transport, against servers that are written out here byte for byte.
#![cfg(feature = "client")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use deltawire::client::{Client, Error, Options, Phase, Request, Stream};
use deltawire::{Delta, End, ErrorKind, Message};

const KEY: &str = "canary-key-5b1f";
const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                           Transfer-Encoding: chunked\r\n\r\n";
/// Longer than anything here takes: only a test that would hang meets it.
const FOREVER: Duration = Duration::from_secs(30);

/// A server for one connection; gives its base URL. What it got is the thread's result.
fn serve(
    answer: impl FnOnce(&mut TcpStream) + Send + 'static,
) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let request = read_request(&mut connection);
        answer(&mut connection);
        request
    });
    (base_url, server)
}

/// Reads a request with its body, of which Content-Length gives the length.
fn read_request(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap().to_ascii_lowercase();
    let len = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; len];
    connection.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn serve_bytes(response: impl Into<String>) -> (String, thread::JoinHandle<String>) {
    let response = response.into();
    serve(move |connection| connection.write_all(response.as_bytes()).unwrap())
}

fn with_length(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn chunk(bytes: &str) -> String {
    format!("{:x}\r\n{bytes}\r\n", bytes.len())
}

fn event(text: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn request() -> Request {
    let mut request = Request::chat("tiny");
    request.push("user", "Hi");
    request
}

fn stream_from(base_url: &str) -> Result<Stream, Error> {
    Client::new(base_url, Some(KEY.into())).stream(&request())
}

#[test]
fn a_delta_is_handed_out_before_the_next_bytes_are_sent() {
    let (seen, go_on) = mpsc::channel::<()>();
    let (base_url, server) = serve(move |connection| {
        connection.write_all(STREAM_HEAD.as_bytes()).unwrap();
        for text in ["a", "b", "c"] {
            // The event is complete, its HTTP chunk is not: the second is no reason to wait.
            let event = event(text);
            write!(connection, "{:x}\r\n{event}", event.len()).unwrap();
            connection.flush().unwrap();
            go_on.recv_timeout(FOREVER).unwrap();
            connection.write_all(b"\r\n").unwrap();
        }
        write!(connection, "{}0\r\n\r\n", chunk("data: [DONE]\n\n")).unwrap();
    });
    let mut stream = stream_from(&base_url).unwrap();
    let mut texts = Vec::new();
    while let Some(delta) = stream.next().unwrap() {
        if let Delta::Text { text, .. } = delta {
            texts.push(text.to_owned());
            seen.send(()).unwrap();
        }
    }
    assert_eq!(texts, ["a", "b", "c"]);
    assert_eq!(stream.end(), End::Complete);
    let asked = server.join().unwrap();
    assert!(
        asked.starts_with("post /v1/chat/completions http/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains(&format!("\r\nauthorization: bearer {KEY}\r\n")),
        "{asked}"
    );
    assert!(
        asked.contains("\r\naccept-encoding: identity\r\n"),
        "{asked}"
    );
    assert!(asked.ends_with(r#""stream":true}"#), "{asked}");
}

#[test]
fn a_message_is_put_together_with_its_arrivals() {
    let body = chunk(&event("Hel")) + &chunk(&event("lo")) + &chunk("data: [DONE]\n\n");
    let (base_url, _server) = serve_bytes(format!("{STREAM_HEAD}{body}0\r\n\r\n"));
    let mut message = Message::new();
    stream_from(&base_url)
        .unwrap()
        .read_to_end(&mut message)
        .unwrap();
    assert_eq!(message.text(), "Hello");
    assert!(message.is_complete());
    assert_eq!(message.timing.tokens.len(), 2);
    assert!(message.timing.first_token() <= message.timing.whole);
}

#[test]
fn a_connection_that_breaks_is_told_and_the_stream_is_truncated() {
    let (base_url, _server) = serve_bytes(STREAM_HEAD.to_owned() + &chunk(&event("half")));
    let mut stream = stream_from(&base_url).unwrap();
    let mut message = Message::new();
    let error = stream.read_to_end(&mut message).unwrap_err();
    assert!(
        matches!(error, Error::Lost { .. } | Error::Protocol { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains(&base_url), "{error}");
    assert_eq!(message.text(), "half");
    assert!(stream.next().unwrap().is_none());
    assert_eq!(stream.end(), End::Truncated);
}

#[test]
fn a_stream_without_its_terminator_is_truncated() {
    let body = chunk(&event("half"));
    let (base_url, _server) = serve_bytes(format!("{STREAM_HEAD}{body}0\r\n\r\n"));
    let mut message = Message::new();
    stream_from(&base_url)
        .unwrap()
        .read_to_end(&mut message)
        .unwrap();
    assert_eq!(message.end, Some(End::Truncated));
}

#[test]
fn an_event_that_is_no_json_is_told_and_the_rest_comes() {
    let body = chunk(&event("a")) + &chunk("data: {oops\n\n") + &chunk(&event("b"));
    let (base_url, _server) = serve_bytes(format!("{STREAM_HEAD}{body}0\r\n\r\n"));
    let mut stream = stream_from(&base_url).unwrap();
    let mut message = Message::new();
    let error = stream.read_to_end(&mut message).unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error:?}");
    assert_eq!(message.text(), "a");
    stream.read_to_end(&mut message).unwrap();
    assert_eq!(message.text(), "ab");
}

#[test]
fn a_refusal_is_taken_apart_and_its_key_is_hidden() {
    let body = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {KEY}","type":"invalid_request_error","code":"invalid_api_key"}}}}"#
    );
    let response = with_length("401 Unauthorized", "application/json", &body);
    let (base_url, _server) = serve_bytes(response);
    let error = stream_from(&base_url).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    let Error::Status(status) = error else {
        panic!("{error:?}");
    };
    assert_eq!(status.status, 401);
    assert_eq!(status.kind, ErrorKind::Authentication);
    assert_eq!(status.code, "invalid_api_key");
    assert_eq!(status.message, "Incorrect API key provided: (hidden)");
    assert!(!status.transient);
    assert!(status.body.starts_with(r#"{"error":"#));
}

#[test]
fn a_refusal_without_json_is_judged_by_its_status() {
    let page = "<html><body>Bad gateway</body></html>";
    let (base_url, _server) = serve_bytes(with_length("502 Bad Gateway", "text/html", page));
    let error = stream_from(&base_url).unwrap_err();
    assert!(error.is_transient());
    assert!(
        error.to_string().contains("502 and an HTML page"),
        "{error}"
    );
    let Error::Status(status) = error else {
        panic!("{error:?}");
    };
    assert_eq!(status.kind, ErrorKind::Server);
    assert_eq!(status.body, page);
}

#[test]
fn the_body_of_a_refusal_is_kept_up_to_64_kib() {
    let long = "x".repeat(100_000);
    let (base_url, _server) = serve(move |connection| {
        let response = with_length("500 Internal Server Error", "text/plain", &long);
        // The client may hang up before all is sent.
        let _ = connection.write_all(response.as_bytes());
    });
    let Err(Error::Status(status)) = stream_from(&base_url) else {
        panic!("no refusal");
    };
    assert_eq!(status.body.len(), 64 * 1024);
}

#[test]
fn a_redirect_is_not_followed() {
    let (base_url, _server) = serve_bytes(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    );
    let error = stream_from(&base_url).unwrap_err();
    assert!(
        matches!(&error, Error::Status(status) if status.status == 307),
        "{error:?}"
    );
}

#[test]
fn a_page_in_place_of_a_reply_is_named() {
    let page = "<!DOCTYPE html><title>Log in</title>";
    for stream in [true, false] {
        let (base_url, _server) = serve_bytes(with_length("200 OK", "text/html", page));
        let client = Client::new(&base_url, None);
        let error = if stream {
            let mut stream = client.stream(&request()).unwrap();
            let error = stream.next().unwrap_err();
            assert!(stream.next().unwrap().is_none(), "told twice");
            error
        } else {
            client.fetch(&request()).unwrap_err()
        };
        assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
        assert!(error.to_string().contains("an HTML page"), "{error}");
    }
}

#[test]
fn an_error_in_place_of_a_stream_is_the_providers() {
    let body = r#"{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}"#;
    let (base_url, _server) = serve_bytes(with_length("200 OK", "application/json", body));
    let mut stream = stream_from(&base_url).unwrap();
    let Some(Delta::Error(error)) = stream.next().unwrap() else {
        panic!("no error");
    };
    assert_eq!(error.message, "No such model");
    assert!(stream.next().unwrap().is_none());
}

#[test]
fn a_whole_response_is_a_message() {
    let body = r#"{"id":"c1","object":"chat.completion","model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let (base_url, server) = serve_bytes(with_length("200 OK", "application/json", body));
    let message = Client::new(&format!("{base_url}/"), None)
        .fetch(&request())
        .unwrap();
    assert_eq!(message.text(), "Hello");
    assert_eq!(message.usage.total_tokens, Some(3));
    assert!(message.is_complete());
    assert!(message.timing.whole.is_some());
    let asked = server.join().unwrap();
    assert!(asked.starts_with("post /v1/chat/completions "), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
    assert!(asked.ends_with(r#""stream":false}"#), "{asked}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let error = stream_from(&base_url).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(error.to_string().contains(&base_url), "{error}");
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let mut options = Options::default();
    options.timeout_idle = Some(Duration::from_millis(50));
    let (gone, go_on) = mpsc::channel::<()>();
    let (base_url, _server) = serve(move |connection| {
        let response = STREAM_HEAD.to_owned() + &chunk(&event("a"));
        connection.write_all(response.as_bytes()).unwrap();
        // Until the test is over.
        let _ = go_on.recv_timeout(FOREVER);
    });
    let client = Client::with_options(&base_url, None, options);
    let mut message = Message::new();
    let error = client
        .stream(&request())
        .and_then(|mut stream| stream.read_to_end(&mut message))
        .unwrap_err();
    drop(gone);
    assert!(
        matches!(
            error,
            Error::Timeout {
                phase: Phase::Response,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_stream_that_is_dropped_hangs_up() {
    let (base_url, server) = serve(move |connection| {
        connection.set_write_timeout(Some(FOREVER)).unwrap();
        connection.write_all(STREAM_HEAD.as_bytes()).unwrap();
        let events = chunk(&event(&"a".repeat(60_000)));
        let error = loop {
            if let Err(error) = connection.write_all(events.as_bytes()) {
                break error;
            }
        };
        // Not the time-out of a client that keeps the connection and reads no more.
        let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error:?}");
    });
    let mut stream = stream_from(&base_url).unwrap();
    assert!(stream.next().unwrap().is_some());
    drop(stream);
    server.join().unwrap();
}

#[test]
fn a_url_that_is_none_is_the_requests_fault() {
    for base_url in ["not a url", "ftp//x", "/v1", ""] {
        let error = stream_from(base_url).unwrap_err();
        assert!(matches!(error, Error::Request { .. }), "{error:?}");
    }
}

#[test]
fn a_client_does_not_show_its_key() {
    let client = Client::new("http://127.0.0.1:1", Some(KEY.into()));
    assert!(!format!("{client:?}").contains(KEY));
    let with_line_end = Client::new("http://127.0.0.1:1", Some(format!("{KEY}\n")));
    let error = with_line_end.stream(&request()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
}
