//! What is asked for again, and what never is.

use std::time::{Duration, SystemTime};

use deltawire::client::{Client, Error, Kind, Stream};

use super::server::{Script, Server, answer, chunked, event, reply, script, sized};
use super::{options, read, request};

/// Two other attempts, as by default.
fn stream(server: &Server) -> Result<Stream, Error> {
    let mut options = options(&server.url);
    options.retries = 2;
    Client::new(options).unwrap().stream(&request())
}

/// A refusal that asks to come back at once.
fn refusal(status: &str) -> Script {
    answer(sized(status, "Retry-After: 0\r\nConnection: close\r\n", ""))
}

fn success() -> Script {
    answer(chunked([reply(&["a"]).as_bytes()]))
}

#[test]
fn refusals_that_may_pass_are_asked_again() {
    for status in [
        "408 Request Timeout",
        "409 Conflict",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "529 Overloaded",
    ] {
        let server = Server::new([refusal(status), refusal(status), success()]);
        assert_eq!(read(stream(&server).unwrap()).text, "a", "{status}");
        assert_eq!(server.requests().len(), 3, "{status}");
    }
}

#[test]
fn other_refusals_are_not() {
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "422 No",
    ] {
        let server = Server::new([refusal(status), success()]);
        assert_eq!(
            stream(&server).unwrap_err().kind(),
            Kind::Status,
            "{status}"
        );
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn there_are_two_other_attempts() {
    let server = Server::new((0..5).map(|_| refusal("503 Service Unavailable")));
    let error = stream(&server).unwrap_err();
    assert_eq!(error.status().unwrap().status, 503);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn an_account_without_credit_is_not_asked_again() {
    let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let server = Server::new([answer(sized("429 Too Many Requests", "", body)), success()]);
    let error = stream(&server).unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_wait_in_seconds_is_told_and_kept() {
    let head = "Retry-After: 1\r\nConnection: close\r\n";
    let server = Server::new([answer(sized("429 Too Many Requests", head, "")), success()]);
    let began = std::time::Instant::now();
    assert_eq!(read(stream(&server).unwrap()).text, "a");
    // A wait can be too short only if it was not kept.
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn both_forms_of_retry_after_are_read_and_the_finer_one() {
    let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    let cases = [
        ("Retry-After: 3600\r\n".to_owned(), 3600.0),
        (format!("Retry-After: {in_an_hour}\r\n"), 3600.0),
        ("retry-after-ms: 1500\r\n".to_owned(), 1.5),
        ("Retry-After: 2.5\r\n".to_owned(), 2.5),
        (
            "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n".to_owned(),
            0.0,
        ),
    ];
    for (head, expected) in cases {
        let server = Server::bytes(sized("400 Bad Request", &head, ""));
        let error = stream(&server).unwrap_err();
        let told = error.status().unwrap().retry_after.unwrap().as_secs_f64();
        // Dates have whole seconds.
        assert!((told - expected).abs() <= 2.0, "{head}: {told}");
    }
    for nonsense in [
        "Retry-After: soon\r\n",
        "Retry-After: -1\r\n",
        "Retry-After: inf\r\n",
        "",
    ] {
        let server = Server::bytes(sized("400 Bad Request", nonsense, ""));
        assert_eq!(
            stream(&server).unwrap_err().status().unwrap().retry_after,
            None
        );
    }
}

#[test]
fn a_longer_wait_than_the_bound_is_not_kept_but_told() {
    let head = "Retry-After: 61\r\n";
    let server = Server::new([answer(sized("429 Too Many Requests", head, "")), success()]);
    let error = stream(&server).unwrap_err();
    let wait = error.status().unwrap().retry_after;
    assert_eq!(wait, Some(Duration::from_secs(61)));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_connection_that_does_not_come_about_is_tried_again() {
    // Nobody listens at first; somebody does before the second attempt, half a second later.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        let listener = std::net::TcpListener::bind(address).unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        super::server::read_request(&mut connection).unwrap();
        let body = chunked([reply(&["a"]).as_bytes()]);
        std::io::Write::write_all(&mut connection, &body).unwrap();
    });
    let mut options = options(&format!("http://{address}"));
    options.retries = 2;
    let stream = Client::new(options).unwrap().stream(&request()).unwrap();
    assert_eq!(read(stream).text, "a");
    server.join().unwrap();
}

#[test]
fn a_completion_that_may_have_begun_is_never_asked_for_again() {
    let begun: [fn() -> Script; 4] = [
        // It came, and nothing more is known.
        || script(|connection| connection.close()),
        || script(|connection| connection.reset()),
        || answer("HTTP/1.1 200 OK\r\nContent-"),
        || answer("garbage\r\n\r\n"),
    ];
    for first in begun {
        let server = Server::new([first(), success()]);
        stream(&server).unwrap_err();
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_stream_that_began_is_never_asked_for_again() {
    let mut cut = chunked([event("a").as_bytes()]);
    cut.truncate(cut.len() - 5);
    let server = Server::new([answer(cut), success()]);
    let outcome = read(stream(&server).unwrap());
    assert_eq!(outcome.kind(), Some(Kind::Truncated));
    assert_eq!(outcome.text, "a");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn no_attempts_means_one() {
    let server = Server::new([refusal("503 Service Unavailable"), success()]);
    let mut options = options(&server.url);
    options.retries = 0;
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Status);
    assert_eq!(server.requests().len(), 1);
}
