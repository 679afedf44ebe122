//! The event source: HTML, sections 9.2.2 and 9.2.3.

use std::time::Duration;

use deltawire::client::{Error, Event, EventSource, Kind, Reconnect};

use super::client;
use super::server::{Script, Server, answer, header, script, sized};

const SSE: &str = "Content-Type: text/event-stream\r\nConnection: close\r\n";

fn body(body: &str) -> Script {
    answer(sized("200 OK", SSE, body))
}

/// The server wants no more of it.
fn enough() -> Script {
    answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}

/// Reconnects at once.
fn source(server: &Server) -> EventSource {
    let mut reconnect = Reconnect::default();
    reconnect.retry = Duration::ZERO;
    EventSource::new(&client(server), "/updates", reconnect)
}

fn text(event: &Event) -> String {
    event.text().unwrap().to_owned()
}

/// All that comes, and what ended it.
fn all(mut source: EventSource) -> (Vec<String>, Option<Error>) {
    let mut texts = Vec::new();
    loop {
        match source.next() {
            Ok(Some(event)) => texts.push(text(&event)),
            Ok(None) => return (texts, None),
            Err(error) => return (texts, Some(error)),
        }
    }
}

fn last_event_ids(server: &Server) -> Vec<Option<String>> {
    let requests = server.requests();
    requests
        .iter()
        .map(|request| header(request, "last-event-id").map(str::to_owned))
        .collect()
}

#[test]
fn it_comes_back_and_names_the_last_event_id() {
    let server = Server::new([
        body("id: 1\ndata: a\n\n"),
        body("data: b\n\nid: 3\ndata: c\n\n"),
        body("data: d\n\n"),
        enough(),
    ]);
    let (texts, error) = all(source(&server));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(texts, ["a", "b", "c", "d"]);
    let ids = last_event_ids(&server);
    let expected = [None, Some("1"), Some("3"), Some("3")];
    assert_eq!(ids, expected.map(|id| id.map(str::to_owned)));
    let first = &server.requests()[0];
    assert!(first.starts_with("GET /v1/updates HTTP/1.1\r\n"), "{first}");
    assert_eq!(header(first, "accept"), Some("text/event-stream"));
    assert_eq!(header(first, "cache-control"), Some("no-store"));
}

#[test]
fn a_success_that_is_not_200_is_an_error() {
    for status in [
        "201 Created",
        "203 Non-Authoritative Information",
        "206 Partial Content",
    ] {
        let server = Server::new([
            answer(sized(status, SSE, "data: a\n\n")),
            body("data: b\n\n"),
        ]);
        let (texts, error) = all(source(&server));
        assert!(texts.is_empty(), "{status}: {texts:?}");
        assert_eq!(
            error.map(|error| error.kind()),
            Some(Kind::Status),
            "{status}"
        );
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn an_event_without_an_id_keeps_the_one_before_the_reconnect() {
    let server = Server::new([body("id: 7\ndata: a\n\n"), body("data: b\n\n"), enough()]);
    let mut source = source(&server);
    assert_eq!(&source.next().unwrap().unwrap().id[..], b"7");
    assert_eq!(&source.next().unwrap().unwrap().id[..], b"7");
    assert_eq!(source.last_event_id(), b"7");
}

#[test]
fn an_id_that_is_emptied_is_not_named() {
    let server = Server::new([body("id: 7\ndata: a\n\nid\ndata: b\n\n"), enough()]);
    all(source(&server));
    assert_eq!(last_event_ids(&server), [None, None]);
}

#[test]
fn an_id_beyond_ascii_is_sent_as_utf_8() {
    let server = Server::new([body("id: grüß\ndata: a\n\n"), enough()]);
    all(source(&server));
    assert_eq!(last_event_ids(&server)[1].as_deref(), Some("grüß"));
}

#[test]
fn a_cut_event_is_dropped_with_its_id_and_comes_again() {
    let server = Server::new([
        body("id: 1\ndata: a\n\nid: 2\ndata: b\n"),
        body("id: 2\ndata: b\n\n"),
        enough(),
    ]);
    let (texts, _) = all(source(&server));
    assert_eq!(texts, ["a", "b"]);
    assert_eq!(last_event_ids(&server)[1].as_deref(), Some("1"));
}

#[test]
fn it_comes_back_after_every_loss() {
    let server = Server::new([
        script(|connection| connection.close()),
        script(|connection| connection.reset()),
        answer(format!(
            "HTTP/1.1 200 OK\r\n{SSE}Content-Length: 1000\r\n\r\nid: 1\ndata: a\n\n"
        )),
        body("data: b\n\n"),
        enough(),
    ]);
    let (texts, error) = all(source(&server));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(texts, ["a", "b"]);
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn no_event_is_lost_or_given_twice_wherever_it_is_cut() {
    // The server goes on behind the ID that it is told, and every connection breaks a byte later.
    let events: Vec<_> = (1..=4)
        .map(|n| format!("id: {n}\ndata: e{n}\n\n"))
        .collect();
    let len: usize = events.iter().map(String::len).sum();
    for is_reset in [false, true] {
        for cut in (1..len).step_by(if is_reset { 7 } else { 3 }) {
            let events = events.clone();
            let scripts: Vec<Script> = (0..40)
                .map(|_| {
                    let events = events.clone();
                    script(move |connection| {
                        let seen = header(connection.last_request(), "last-event-id");
                        let seen: usize = seen.map_or(0, |id| id.parse().unwrap());
                        if seen == events.len() {
                            connection.send("HTTP/1.1 204 No Content\r\n\r\n");
                            return;
                        }
                        let rest = events[seen..].concat();
                        let end = cut.max(events[seen].len()).min(rest.len());
                        let head = format!("HTTP/1.1 200 OK\r\n{SSE}\r\n");
                        connection.send(head + &rest[..end]);
                        if is_reset {
                            std::thread::sleep(Duration::from_millis(20));
                            connection.reset();
                        }
                    })
                })
                .collect();
            let server = Server::new(scripts);
            let (texts, error) = all(source(&server));
            assert!(error.is_none(), "cut {cut}: {error:?}");
            assert_eq!(texts, ["e1", "e2", "e3", "e4"], "cut {cut}");
        }
    }
}

#[test]
fn a_status_ends_it() {
    for status in ["404 Not Found", "500 Oops", "201 Created"] {
        let server = Server::new([
            answer(sized(status, "Content-Type: text/plain\r\n", "no")),
            enough(),
        ]);
        let (texts, error) = all(source(&server));
        assert!(texts.is_empty());
        let error = error.unwrap();
        assert!(
            matches!(error.kind(), Kind::Status | Kind::ContentType),
            "{status}: {error:?}"
        );
        assert_eq!(error.status().unwrap().body, "no");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_content_type_that_is_none_of_an_event_stream_ends_it() {
    for head in [
        "Content-Type: application/json\r\n",
        "",
        "Content-Type: text/event-streams\r\n",
    ] {
        let server = Server::new([answer(sized("200 OK", head, "{}")), enough()]);
        let (_, error) = all(source(&server));
        assert_eq!(error.unwrap().kind(), Kind::ContentType, "{head}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn the_content_type_may_have_parameters_and_any_case() {
    let head = "Content-Type: Text/Event-Stream;charset=UTF-8\r\nConnection: close\r\n";
    let server = Server::new([answer(sized("200 OK", head, "data: a\n\n")), enough()]);
    assert_eq!(all(source(&server)).0, ["a"]);
}

#[test]
fn the_server_sets_the_reconnection_time() {
    let server = Server::new([body("retry: 300\ndata: a\n\n"), enough()]);
    let mut source = source(&server);
    let began = std::time::Instant::now();
    assert!(source.next().unwrap().is_some());
    assert_eq!(source.retry(), Some(Duration::from_millis(300)));
    assert!(source.next().unwrap().is_none());
    assert!(
        began.elapsed() >= Duration::from_millis(300),
        "it came back too soon"
    );
}

#[test]
fn a_time_of_zero_does_not_spin() {
    let scripts = (0..6).map(|_| body("retry: 0\n\n"));
    let server = Server::new(scripts);
    let mut reconnect = Reconnect::default();
    reconnect.max_attempts = Some(4);
    let source = EventSource::new(&client(&server), "/updates", reconnect);
    let began = std::time::Instant::now();
    let (texts, error) = all(source);
    assert!(texts.is_empty() && error.is_none(), "{error:?}");
    assert_eq!(server.requests().len(), 4);
    // 100, 200 and 400 ms between them.
    assert!(began.elapsed() >= Duration::from_millis(700));
}

#[test]
fn attempts_are_counted() {
    let server = Server::new((0..5).map(|_| body("data: a\n\n")));
    let mut reconnect = Reconnect::default();
    reconnect.retry = Duration::ZERO;
    reconnect.max_attempts = Some(3);
    let source = EventSource::new(&client(&server), "/updates", reconnect);
    let (texts, error) = all(source);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(texts, ["a", "a", "a"]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn what_the_last_attempt_failed_with_is_told() {
    let server = Server::new((0..2).map(|_| script(|connection| connection.close())));
    let mut reconnect = Reconnect::default();
    reconnect.retry = Duration::ZERO;
    reconnect.max_attempts = Some(2);
    let source = EventSource::new(&client(&server), "/updates", reconnect);
    let (_, error) = all(source);
    assert_eq!(error.unwrap().kind(), Kind::Closed);
}

#[test]
fn it_begins_with_the_id_that_it_is_given() {
    let server = Server::new([body("data: a\n\n"), enough()]);
    let mut reconnect = Reconnect::default();
    reconnect.retry = Duration::ZERO;
    reconnect.last_event_id = b"42".to_vec();
    let mut source = EventSource::new(&client(&server), "/updates", reconnect);
    assert_eq!(&source.next().unwrap().unwrap().id[..], b"42");
    assert_eq!(last_event_ids(&server)[0].as_deref(), Some("42"));
}

#[test]
fn an_id_that_no_header_may_have_is_refused() {
    for id in ["a\r\nX-Injected: 1", "nul\0"] {
        let server = Server::new([body("data: a\n\n")]);
        let mut reconnect = Reconnect::default();
        reconnect.last_event_id = id.into();
        let mut source = EventSource::new(&client(&server), "/updates", reconnect);
        assert_eq!(source.next().unwrap_err().kind(), Kind::Request);
        assert!(server.requests().is_empty());
    }
}

#[test]
fn an_event_over_the_limit_is_told_and_the_rest_comes() {
    let long = format!("data: {}\n\n", "x".repeat(10_000));
    let server = Server::new([body(&format!("data: a\n\n{long}data: b\n\n")), enough()]);
    let mut options = super::options(&server.url);
    options.decoder.max_event_bytes = 1000;
    let client = deltawire::client::Client::new(options).unwrap();
    let mut reconnect = Reconnect::default();
    reconnect.retry = Duration::ZERO;
    let mut source = EventSource::new(&client, "/updates", reconnect);
    assert_eq!(text(&source.next().unwrap().unwrap()), "a");
    assert_eq!(source.next().unwrap_err().kind(), Kind::Limit);
    assert_eq!(text(&source.next().unwrap().unwrap()), "b");
    assert!(source.next().unwrap().is_none());
}
