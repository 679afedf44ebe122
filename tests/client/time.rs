//! What is waited for, and how long. A test here would hang where a limit does not hold.

use std::time::{Duration, Instant};

use deltawire::End;
use deltawire::client::{Client, Error, Kind, Options, Phase, Stream};

use super::server::{Connection, DONE, SSE, Server, chunk, chunked, event};
use super::{Outcome, options, read, request};

const SHORT: Duration = Duration::from_millis(100);
/// How late a wait may end, which is what `SECURITY.md` says.
const LATE: Duration = Duration::from_millis(500);

fn stream(server: &Server, adjust: impl FnOnce(&mut Options)) -> Result<Stream, Error> {
    let mut options = options(&server.url);
    adjust(&mut options);
    Client::new(options).unwrap().stream(&request())
}

fn assert_timeout(error: &Error, phase: Phase) {
    assert_eq!(error.kind(), Kind::Timeout(phase), "{error:?}");
    assert!(error.to_string().contains("after 0.1 s"), "{error}");
    assert!(error.is_transient());
}

/// Sends a head and the first event and does as it is told then.
fn begun(act: impl FnOnce(&mut Connection) + Send + 'static) -> Server {
    Server::script(move |connection| {
        connection.send(format!("{SSE}Transfer-Encoding: chunked\r\n\r\n"));
        connection.send(chunk(event("a").as_bytes()));
        act(connection);
    })
}

/// Says nothing.
fn silent() -> Server {
    Server::script(|connection| connection.stall())
}

/// Stops within its head.
fn within_its_head() -> Server {
    Server::script(|connection| {
        connection.send("HTTP/1.1 200 OK\r\nContent-");
        connection.stall();
    })
}

/// Its head goes on and on.
fn dripping() -> Server {
    Server::script(|connection| {
        connection.send("HTTP/1.1 200 OK\r\n");
        while !connection.is_gone() {
            connection.send("X: y\r\n");
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}

/// Has a head and no body.
fn headed() -> Server {
    Server::script(|connection| {
        connection.send(format!("{SSE}Transfer-Encoding: chunked\r\n\r\n"));
        connection.stall();
    })
}

/// Sends the first event and then nothing but this.
fn pinging(sign: &'static str) -> Server {
    begun(move |connection| {
        while !connection.is_gone() {
            connection.send(chunk(sign.as_bytes()));
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}

/// Stops within the second event.
fn within_an_event() -> Server {
    begun(|connection| {
        connection.send(chunk(&event("b").as_bytes()[..20]));
        connection.stall();
    })
}

fn assert_cut(outcome: &Outcome, phase: Phase) {
    assert_timeout(outcome.error.as_ref().unwrap(), phase);
    assert_eq!(outcome.text, "a");
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn an_address_that_does_not_answer_is_not_waited_for() {
    let (address, _full) = super::server::unanswering();
    let mut options = options(&format!("http://{address}"));
    options.timeout_connect = Some(SHORT);
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_timeout(&error, Phase::Connect);
}

#[test]
fn tls_that_does_not_come_about_is_not_waited_for() {
    let server = Server::new([super::server::rude(|connection| connection.stall())]);
    let mut options = options(&server.url.replace("http:", "https:"));
    options.timeout_connect = Some(SHORT);
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_timeout(&error, Phase::Connect);
}

#[test]
fn silence_before_the_head_is_not_waited_for() {
    let error = stream(&silent(), |options| {
        options.timeout_first_byte = Some(SHORT);
    })
    .unwrap_err();
    assert_timeout(&error, Phase::FirstByte);
}

#[test]
fn silence_within_the_head_is_not_waited_for() {
    let error = stream(&within_its_head(), |options| {
        options.timeout_first_byte = Some(SHORT);
    })
    .unwrap_err();
    assert_timeout(&error, Phase::FirstByte);
}

#[test]
fn a_head_that_drips_does_not_renew_the_wait() {
    let error = stream(&dripping(), |options| {
        options.timeout_first_byte = Some(SHORT);
    })
    .unwrap_err();
    assert_timeout(&error, Phase::FirstByte);
}

#[test]
fn silence_between_the_head_and_the_body_is_that_before_the_first_byte() {
    let server = headed();
    let stream = stream(&server, |options| {
        options.timeout_first_byte = Some(SHORT);
    });
    let outcome = read(stream.unwrap());
    assert_timeout(outcome.error.as_ref().unwrap(), Phase::FirstByte);
}

#[test]
fn silence_between_events_is_not_waited_for() {
    let server = begun(|connection| connection.stall());
    let stream = stream(&server, |options| options.timeout_idle = Some(SHORT));
    assert_cut(&read(stream.unwrap()), Phase::Idle);
}

#[test]
fn silence_within_an_event_is_not_waited_for() {
    let server = within_an_event();
    let stream = stream(&server, |options| options.timeout_idle = Some(SHORT));
    assert_cut(&read(stream.unwrap()), Phase::Idle);
}

#[test]
fn keep_alives_are_no_content() {
    for sign in [
        ": keep-alive\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    ] {
        let server = pinging(sign);
        let stream = stream(&server, |options| options.timeout_content = Some(SHORT));
        assert_cut(&read(stream.unwrap()), Phase::Content);
    }
}

#[test]
fn content_renews_the_wait_for_it() {
    let server = begun(|connection| {
        for _ in 0..15 {
            std::thread::sleep(SHORT);
            connection.send(chunk(event("b").as_bytes()));
        }
        connection.send(chunk(DONE.as_bytes()));
    });
    let stream = stream(&server, |options| {
        options.timeout_content = Some(SHORT * 10);
    });
    let outcome = read(stream.unwrap());
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.text, format!("a{}", "b".repeat(15)));
}

#[test]
fn what_the_reader_takes_its_time_for_does_not_count() {
    let server = Server::bytes(chunked([
        event("a").as_bytes(),
        event("b").as_bytes(),
        DONE.as_bytes(),
    ]));
    let mut stream = stream(&server, |options| {
        options.timeout_first_byte = Some(SHORT);
        options.timeout_idle = Some(SHORT);
        options.timeout_content = Some(SHORT);
    })
    .unwrap();
    while let Some(_delta) = stream.next().unwrap() {
        std::thread::sleep(SHORT * 2);
    }
    assert_eq!(stream.end(), End::Complete);
}

#[test]
fn a_client_that_is_not_read_from_is_not_waited_for_either() {
    // The request is larger than what the connection holds, and nobody reads it.
    let server = Server::new([super::server::rude(|connection| connection.stall())]);
    let json = format!("{{\"prompt\":\"{}\"}}", "x".repeat(64 << 20));
    let mut options = options(&server.url);
    options.timeout_idle = Some(SHORT);
    let client = Client::new(options).unwrap();
    let error = client.post("/completions", &json).stream().unwrap_err();
    assert_timeout(&error, Phase::Idle);
}

/// How long the call took that failed: the first one, or one for a delta.
fn failing(options: Options, phase: Phase) -> Duration {
    let client = Client::new(options).unwrap();
    let mut began = Instant::now();
    let error = match client.stream(&request()) {
        Err(error) => error,
        Ok(mut stream) => loop {
            began = Instant::now();
            match stream.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended"),
                Err(error) => break error,
            }
        },
    };
    let took = began.elapsed();
    assert_timeout(&error, phase);
    took
}

/// The machine may have other things to do: once of three times will do.
fn assert_in_time(name: &str, phase: Phase, options: impl Fn(Phase) -> (Options, Server)) {
    let is_in_time = (0..3).any(|_| {
        let (options, _server) = options(phase);
        let took = failing(options, phase);
        println!("{name}: {took:?}");
        took < SHORT + LATE
    });
    assert!(is_in_time, "{name}: more than {LATE:?} late");
}

#[test]
fn no_limit_is_kept_more_than_half_a_second_late() {
    type Case = (&'static str, Phase, fn() -> Server);
    let stalls = || Server::new([super::server::rude(|connection| connection.stall())]);
    let cases: [Case; 7] = [
        ("TLS", Phase::Connect, stalls),
        ("before the head", Phase::FirstByte, silent),
        ("within the head", Phase::FirstByte, within_its_head),
        ("a head that drips", Phase::FirstByte, dripping),
        ("before the body", Phase::FirstByte, headed),
        ("within an event", Phase::Idle, within_an_event),
        ("pings", Phase::Content, || pinging(": ping\n\n")),
    ];
    for (name, phase, server) in cases {
        assert_in_time(name, phase, |phase| {
            let server = server();
            let url = match phase {
                Phase::Connect => server.url.replace("http:", "https:"),
                _ => server.url.clone(),
            };
            let mut options = options(&url);
            match phase {
                Phase::Connect => options.timeout_connect = Some(SHORT),
                Phase::FirstByte => options.timeout_first_byte = Some(SHORT),
                Phase::Idle => options.timeout_idle = Some(SHORT),
                _ => options.timeout_content = Some(SHORT),
            }
            (options, server)
        });
    }
    let (address, _full) = super::server::unanswering();
    assert_in_time("an address", Phase::Connect, |_| {
        let mut options = options(&format!("http://{address}"));
        options.timeout_connect = Some(SHORT);
        (options, Server::new([]))
    });
}
