//! Ending a request from elsewhere. A test here would hang where it does not end.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use deltawire::client::{Cancel, Client, EventSource, Kind, Reconnect};
use deltawire::{Delta, End, Message};

use super::server::{Connection, FOREVER, SSE, Server, chunk, event, sized};
use super::{client, options, request};

/// Cancels once a server has come as far as its test wants.
fn cancel_when(reached: mpsc::Receiver<()>, cancel: &Cancel) {
    let cancel = cancel.clone();
    thread::spawn(move || {
        reached.recv_timeout(FOREVER).unwrap();
        // So that the client is blocked, and not only about to be.
        thread::sleep(Duration::from_millis(20));
        cancel.cancel();
    });
}

/// A server that says when it has come so far, and then tells whether the client hung up.
fn stalling(
    act: impl FnOnce(&mut Connection) + Send + 'static,
) -> (Server, mpsc::Receiver<()>, mpsc::Receiver<bool>) {
    let (reach, reached) = mpsc::channel();
    let (close, closed) = mpsc::channel();
    let server = Server::new([super::server::rude(move |connection| {
        act(connection);
        reach.send(()).unwrap();
        let _ = close.send(connection.is_closed_by_client());
    })]);
    (server, reached, closed)
}

/// Cancelling a call that does not get as far as a stream.
fn assert_call_ends(server: &Server, reached: mpsc::Receiver<()>, closed: &mpsc::Receiver<bool>) {
    let cancel = Cancel::new();
    cancel_when(reached, &cancel);
    let client = client(server);
    let error = client.ask(&request()).cancel(&cancel).stream().unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(closed.recv_timeout(FOREVER).unwrap(), "still connected");
}

/// Cancelling a stream after its first delta.
fn assert_stream_ends(server: &Server, reached: mpsc::Receiver<()>, closed: &mpsc::Receiver<bool>) {
    let mut stream = client(server).stream(&request()).unwrap();
    cancel_when(reached, &stream.cancel());
    let mut message = Message::new();
    let error = stream.read_to_end(&mut message).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert_eq!(message.text(), "a", "what came is lost");
    assert!(stream.next().unwrap().is_none());
    assert_eq!(stream.end(), End::Truncated);
    assert!(closed.recv_timeout(FOREVER).unwrap(), "still connected");
}

fn begin(connection: &mut Connection, framing: &str) {
    connection.request();
    connection.send(format!("{SSE}{framing}\r\n"));
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

#[test]
fn before_the_request_is_read() {
    let (server, reached, closed) = stalling(|_| {});
    assert_call_ends(&server, reached, &closed);
}

#[test]
fn before_the_head() {
    let (server, reached, closed) = stalling(|connection| {
        connection.request();
    });
    assert_call_ends(&server, reached, &closed);
}

#[test]
fn within_the_head() {
    let (server, reached, closed) = stalling(|connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\nContent-");
    });
    assert_call_ends(&server, reached, &closed);
}

#[test]
fn within_the_body_of_a_refusal() {
    let (server, reached, closed) = stalling(|connection| {
        connection.request();
        connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nno");
    });
    let cancel = Cancel::new();
    cancel_when(reached, &cancel);
    let client = client(&server);
    let error = client.ask(&request()).cancel(&cancel).stream().unwrap_err();
    // What came of it says more than that it was cancelled.
    assert_eq!(error.kind(), Kind::Status);
    assert!(closed.recv_timeout(FOREVER).unwrap(), "still connected");
}

#[test]
fn between_events() {
    let (server, reached, closed) = stalling(|connection| {
        begin(connection, CHUNKED);
        connection.send(chunk(event("a").as_bytes()));
    });
    assert_stream_ends(&server, reached, &closed);
}

#[test]
fn within_an_event() {
    let (server, reached, closed) = stalling(|connection| {
        begin(connection, CHUNKED);
        connection.send(chunk(event("a").as_bytes()));
        connection.send(chunk(&event("b").as_bytes()[..20]));
    });
    assert_stream_ends(&server, reached, &closed);
}

#[test]
fn a_body_that_ends_with_its_connection_is_not_taken_for_whole() {
    let (server, reached, closed) = stalling(|connection| {
        begin(connection, "");
        connection.send(event("a"));
    });
    assert_stream_ends(&server, reached, &closed);
}

#[test]
fn while_a_connection_does_not_come_about() {
    let (address, _full) = super::server::unanswering();
    let cancel = Cancel::new();
    let (reach, reached) = mpsc::channel();
    cancel_when(reached, &cancel);
    reach.send(()).unwrap();
    let client = Client::new(options(&format!("http://{address}"))).unwrap();
    let error = client.ask(&request()).cancel(&cancel).stream().unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
}

#[test]
fn while_another_attempt_is_waited_for() {
    let (reach, reached) = mpsc::channel();
    let server = Server::script(move |connection| {
        connection.send(sized("503 Busy", "Retry-After: 50\r\n", ""));
        reach.send(()).unwrap();
    });
    let mut options = options(&server.url);
    options.retries = 2;
    let cancel = Cancel::new();
    cancel_when(reached, &cancel);
    let client = Client::new(options).unwrap();
    let error = client.ask(&request()).cancel(&cancel).stream().unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn while_an_event_source_waits_to_come_back() {
    let (reach, reached) = mpsc::channel();
    let server = Server::script(move |connection| {
        let body = "retry: 50000\n\ndata: a\n\n";
        connection.send(sized("200 OK", "Content-Type: text/event-stream\r\n", body));
        reach.send(()).unwrap();
    });
    let client = client(&server);
    let mut source = EventSource::new(&client, "/x", Reconnect::default());
    cancel_when(reached, &source.cancel());
    assert!(source.next().unwrap().is_some());
    assert_eq!(source.next().unwrap_err().kind(), Kind::Cancelled);
    assert!(source.next().unwrap().is_none());
}

#[test]
fn within_half_a_second() {
    let head: fn(&mut Connection) = |connection| drop(connection.request());
    let body: fn(&mut Connection) = |connection| {
        begin(connection, CHUNKED);
        connection.send(chunk(event("a").as_bytes()));
    };
    let pause: fn(&mut Connection) = |connection| {
        connection.request();
        connection.send(sized("503 Busy", "Retry-After: 50\r\n", ""));
    };
    for (name, act) in [("head", head), ("body", body), ("pause", pause)] {
        // The machine may have other things to do: once of three times will do.
        let is_at_once = (0..3).any(|_| {
            let (server, reached, _closed) = stalling(act);
            let cancel = Cancel::new();
            let elsewhere = cancel.clone();
            let cancelled = thread::spawn(move || {
                reached.recv_timeout(FOREVER).unwrap();
                thread::sleep(Duration::from_millis(20));
                let began = Instant::now();
                elsewhere.cancel();
                began
            });
            let mut options = options(&server.url);
            options.retries = 2;
            let client = Client::new(options).unwrap();
            let kind = match client.ask(&request()).cancel(&cancel).stream() {
                Ok(stream) => super::read(stream).kind(),
                Err(error) => Some(error.kind()),
            };
            let ended = Instant::now();
            assert_eq!(kind, Some(Kind::Cancelled), "{name}");
            let took = ended.saturating_duration_since(cancelled.join().unwrap());
            println!("{name}: {took:?}");
            took < Duration::from_millis(500)
        });
        assert!(is_at_once, "{name}: more than half a second");
    }
}

#[test]
fn before_it_began() {
    let server = Server::bytes("");
    let cancel = Cancel::new();
    cancel.cancel();
    let client = client(&server);
    let error = client.ask(&request()).cancel(&cancel).stream().unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(server.requests().is_empty());
}

#[test]
fn all_that_was_given_it() {
    let (seen, all_seen) = mpsc::channel();
    let scripts: Vec<_> = (0..8)
        .map(|_| {
            let seen = seen.clone();
            super::server::script(move |connection| {
                connection.send(format!("{SSE}{CHUNKED}\r\n"));
                connection.send(chunk(event("a").as_bytes()));
                seen.send(()).unwrap();
                connection.is_closed_by_client();
            })
        })
        .collect();
    let server = Server::new(scripts);
    let client = client(&server);
    let cancel = Cancel::new();
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (client, cancel) = (client.clone(), cancel.clone());
            thread::spawn(
                move || match client.ask(&request()).cancel(&cancel).stream() {
                    Ok(stream) => super::read(stream).kind(),
                    Err(error) => Some(error.kind()),
                },
            )
        })
        .collect();
    for _ in 0..8 {
        all_seen.recv_timeout(FOREVER).unwrap();
    }
    cancel.cancel();
    for reader in readers {
        assert_eq!(reader.join().unwrap(), Some(Kind::Cancelled));
    }
}

#[test]
fn a_thousand_times_without_a_connection_left() {
    let (close, closed) = mpsc::channel();
    let scripts: Vec<_> = (0..1000)
        .map(|_| {
            let close = close.clone();
            super::server::script(move |connection| {
                connection.send(format!("{SSE}{CHUNKED}\r\n"));
                connection.send(chunk(event("a").as_bytes()));
                close.send(connection.is_closed_by_client()).unwrap();
            })
        })
        .collect();
    let server = Server::new(scripts);
    let client = client(&server);
    for round in 0..1000 {
        let mut stream = client.stream(&request()).unwrap();
        let cancel = stream.cancel();
        let elsewhere = thread::spawn(move || cancel.cancel());
        loop {
            match stream.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("round {round} ended"),
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Cancelled, "round {round}");
                    break;
                }
            }
        }
        elsewhere.join().unwrap();
    }
    for _ in 0..1000 {
        assert!(closed.recv_timeout(FOREVER).unwrap());
    }
}

#[test]
fn behind_the_end_it_does_no_harm() {
    let body = super::server::reply(&["a"]);
    let server = Server::script(move |connection| {
        connection.send(super::server::chunked([body.as_bytes()]));
        connection.request();
        connection.send(super::server::chunked([body.as_bytes()]));
    });
    let client = client(&server);
    let mut stream = client.stream(&request()).unwrap();
    let cancel = stream.cancel();
    while stream.next().unwrap().is_some() {}
    cancel.cancel();
    assert_eq!(stream.end(), End::Complete);
    // The connection went back before, and serves the next request.
    assert_eq!(super::read(client.stream(&request()).unwrap()).text, "a");
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_cancels_leave_no_descriptor_open() {
    super::load::alone("cancel::a_thousand_cancels");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "counts the descriptors of its whole process: a_thousand_cancels_leave_no_descriptor_open runs it in one of its own"]
fn a_thousand_cancels() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    a_thousand_times_without_a_connection_left();
    // The server's threads close their ends a moment later.
    let begun = std::time::Instant::now();
    while open() > before && begun.elapsed() < FOREVER {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(open() <= before, "{before} before, {} now", open());
}

#[test]
fn ten_thousand_times_from_four_threads_while_it_is_read() {
    const STREAMS: usize = 20;
    let scripts: Vec<_> = (0..STREAMS)
        .map(|_| {
            super::server::rude(|connection| {
                begin(connection, "");
                let block = event("a").repeat(100);
                while std::io::Write::write_all(&mut connection.stream, block.as_bytes()).is_ok() {}
            })
        })
        .collect();
    let server = Server::new(scripts);
    let client = client(&server);
    for round in 0..STREAMS {
        let mut stream = client.stream(&request()).unwrap();
        assert!(stream.next().unwrap().is_some());
        let cancels: Vec<_> = (0..4)
            .map(|_| {
                let cancel = stream.cancel();
                thread::spawn(move || (0..125).for_each(|_| cancel.cancel()))
            })
            .collect();
        let error = loop {
            match stream.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("round {round} ended"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), Kind::Cancelled, "round {round}");
        for cancel in cancels {
            cancel.join().unwrap();
        }
        // If the connection was cut just before the blank line of an event, that event is left.
        while let Some(delta) = stream.next().unwrap() {
            assert!(matches!(delta, Delta::Text { text: "a", .. }), "{delta:?}");
        }
        assert_eq!(stream.end(), End::Truncated);
    }
}
