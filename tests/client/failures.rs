//! What is told where a response does not come, or not to its end.

use deltawire::client::{Client, Kind};
use deltawire::{End, ErrorKind};

use super::server::{FOREVER, SSE, Server, answer, chunk, chunked, event, reply, rude, sized};
use super::{KEY, client, options, outcome, refused, request};

#[test]
fn a_connection_that_is_refused_is_named() {
    let server = Server::new([]);
    let url = server.url.clone();
    // The listener goes with the thread that has nothing to do.
    while std::net::TcpStream::connect(url.trim_start_matches("http://")).is_ok() {}
    let error = refused(&server);
    assert_eq!(error.kind(), Kind::Connect);
    assert!(error.to_string().contains(&url), "{error}");
    assert!(error.is_transient());
}

#[test]
fn a_name_that_does_not_exist_is_named() {
    let error = Client::new(options("http://name.invalid"))
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Connect, "{error:?}");
    assert!(error.to_string().contains("name.invalid"), "{error}");
}

#[test]
fn a_close_before_the_head_is_closed() {
    let server = Server::script(|connection| connection.close());
    assert_eq!(refused(&server).kind(), Kind::Closed);
}

#[test]
fn a_close_within_the_head_is_closed() {
    let server = Server::bytes("HTTP/1.1 200 OK\r\nContent-");
    assert_eq!(refused(&server).kind(), Kind::Closed);
}

#[test]
fn a_reset_before_the_head_is_a_reset() {
    let server = Server::script(|connection| connection.reset());
    assert_eq!(refused(&server).kind(), Kind::Reset);
}

#[test]
fn a_reset_within_the_head_is_a_reset() {
    let server = Server::script(|connection| {
        connection.send("HTTP/1.1 200 OK\r\nContent-");
        connection.reset();
    });
    assert_eq!(refused(&server).kind(), Kind::Reset);
}

/// A body that ends before it should, however it is delimited, and what is told.
fn cut(head: &str, body: &str, is_reset: bool) -> super::Outcome {
    let response = format!("{head}\r\n{body}");
    outcome(&Server::script(move |connection| {
        connection.send(response);
        if is_reset {
            // The reset overtakes what was sent, unless that was read.
            std::thread::sleep(std::time::Duration::from_millis(200));
            connection.reset();
        }
    }))
}

#[test]
fn a_body_that_is_cut_is_truncated_between_events_and_within_them() {
    let whole = event("a");
    let half = event("a") + &event("b")[..20];
    let length = format!("{SSE}Content-Length: 1000\r\n");
    let chunked = format!("{SSE}Transfer-Encoding: chunked\r\n");
    for body in [&whole, &half] {
        let as_chunk = String::from_utf8(chunk(body.as_bytes())).unwrap();
        for (head, body) in [
            (&length, body.clone()),
            (&chunked, as_chunk.clone()),
            (&chunked, as_chunk.trim_end().to_owned()),
            (&chunked, as_chunk + "5"),
        ] {
            let outcome = cut(head, &body, false);
            assert_eq!(outcome.kind(), Some(Kind::Truncated), "{head}{body}");
            assert_eq!(outcome.text, "a", "{head}{body}");
            assert_eq!(outcome.end, End::Truncated, "{head}{body}");
        }
    }
}

#[test]
fn a_body_that_is_reset_is_a_reset_however_it_is_delimited() {
    let body = event("a");
    let as_chunk = String::from_utf8(chunk(body.as_bytes())).unwrap();
    for (head, body) in [
        (format!("{SSE}Content-Length: 1000\r\n"), &body),
        (format!("{SSE}Transfer-Encoding: chunked\r\n"), &as_chunk),
        // Its end is that of its connection, so only the reset tells.
        (SSE.to_owned(), &body),
    ] {
        let outcome = cut(&head, body, true);
        assert_eq!(outcome.kind(), Some(Kind::Reset), "{head}");
        assert_eq!(outcome.text, "a", "{head}");
        assert_eq!(outcome.end, End::Truncated, "{head}");
    }
}

#[test]
fn a_stream_without_its_terminator_is_truncated_though_its_body_is_whole() {
    let outcome = outcome(&Server::bytes(chunked([event("half").as_bytes()])));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.text, "half");
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn a_reply_that_needs_no_terminator_is_not_complete_when_it_is_cut() {
    let event = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}],\"role\":\"model\"},\"finishReason\":\"STOP\"}]}\n\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    let whole = format!("{head}Content-Length: {}\r\n\r\n{event}", event.len());
    assert_eq!(outcome(&Server::bytes(whole)).end, End::Complete);
    let cut = format!("{head}Content-Length: {}\r\n\r\n{event}", event.len() + 1);
    let outcome = outcome(&Server::bytes(cut));
    assert_eq!(outcome.kind(), Some(Kind::Truncated));
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn garbage_in_place_of_http_is_a_fault_of_the_protocol() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\0\x01\x02\x03\x04\x05\x06\x07\r\n\r\n",
        "<html>no head at all</html>\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ] {
        let error = refused(&Server::bytes(garbage));
        assert_eq!(error.kind(), Kind::Protocol, "{garbage:?}: {error:?}");
    }
}

#[test]
fn two_lengths_are_a_fault_of_the_protocol() {
    let body = reply(&["a"]);
    let response = format!(
        "{SSE}Content-Length: {}\r\nContent-Length: 7\r\n\r\n{body}",
        body.len()
    );
    let outcome = outcome(&Server::bytes(response));
    assert_eq!(outcome.kind(), Some(Kind::Protocol), "{:?}", outcome.error);
    assert_eq!(outcome.text, "");
}

#[test]
fn a_chunk_without_a_length_is_a_fault_of_the_protocol() {
    let first = String::from_utf8(chunk(event("a").as_bytes())).unwrap();
    let response = format!("{SSE}Transfer-Encoding: chunked\r\n\r\n{first}zz\r\nxx\r\n");
    let outcome = outcome(&Server::bytes(response));
    assert_eq!(outcome.kind(), Some(Kind::Protocol), "{:?}", outcome.error);
    assert_eq!(outcome.text, "a");
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn an_endless_head_is_over_the_limit() {
    for line in [
        "X-Header: value value value value value\r\n",
        "without an end ",
    ] {
        let server = Server::script(move |connection| {
            connection.send("HTTP/1.1 200 OK\r\nX-First: ");
            for _ in 0..10_000 {
                connection.send(line);
            }
        });
        let error = refused(&server);
        assert_eq!(error.kind(), Kind::Limit, "{line:?}: {error:?}");
    }
}

#[test]
fn a_head_of_interim_responses_without_end_runs_out_of_time() {
    let server = Server::script(|connection| {
        while connection
            .stream
            .peer_addr()
            .is_ok_and(|_| is_sent(connection, b"HTTP/1.1 102 Processing\r\n\r\n"))
        {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let mut options = options(&server.url);
    options.timeout_first_byte = Some(std::time::Duration::from_millis(100));
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert!(
        matches!(error.kind(), Kind::Timeout(_) | Kind::Protocol),
        "{error:?}"
    );
}

fn is_sent(connection: &mut super::server::Connection, bytes: &[u8]) -> bool {
    std::io::Write::write_all(&mut connection.stream, bytes).is_ok()
}

#[test]
fn an_endless_line_is_over_the_limit_and_the_stream_goes_on() {
    let long = format!("data: {}\n\n", "x".repeat(100_000));
    let body = event("a") + &long + &reply(&["b"]);
    let server = Server::bytes(chunked(body.as_bytes().chunks(1000)));
    let mut options = options(&server.url);
    options.decoder.max_event_bytes = 10_000;
    let stream = Client::new(options).unwrap().stream(&request()).unwrap();
    let outcome = super::read(stream);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let [error] = &outcome.invalid[..] else {
        panic!("not one invalid event: {:?}", outcome.invalid);
    };
    assert_eq!(error.offset(), event("a").len() as u64);
    assert!(error.to_string().contains("10000 bytes"), "{error}");
    assert_eq!(outcome.text, "ab");
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn an_event_that_is_no_json_is_told_and_the_rest_comes() {
    let body = event("a") + "data: {oops\n\n" + &reply(&["b"]);
    let outcome = outcome(&Server::bytes(chunked([body.as_bytes()])));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let offset = event("a").len() as u64;
    let error = deltawire::Error::NotJson { offset, at: 1 };
    assert_eq!(outcome.invalid, [error]);
    assert_eq!(outcome.text, "ab");
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn a_whole_response_over_the_limit_is_refused() {
    let body = format!("{{\"choices\":[{}]}}", " ".repeat(5000));
    let server = Server::bytes(sized("200 OK", "Content-Type: application/json\r\n", body));
    let mut options = options(&server.url);
    options.max_response_bytes = 1000;
    let error = Client::new(options).unwrap().fetch(&request()).unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("1000 bytes"), "{error}");
}

#[test]
fn a_refusal_is_taken_apart_and_its_key_is_hidden() {
    let body = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {KEY}","type":"invalid_request_error","code":"invalid_api_key"}}}}"#
    );
    let head = "Content-Type: application/json\r\nX-Request-Id: req_42\r\n";
    let error = refused(&Server::bytes(sized("401 Unauthorized", head, body)));
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    assert_eq!(error.kind(), Kind::Status);
    let status = error.status().unwrap();
    assert_eq!(status.status, 401);
    assert_eq!(status.kind, ErrorKind::Authentication);
    assert_eq!(status.code, "invalid_api_key");
    assert_eq!(status.message, "Incorrect API key provided: (hidden)");
    assert_eq!(status.request_id.as_deref(), Some("req_42"));
    assert!(!status.transient);
    assert!(status.body.starts_with(r#"{"error":"#));
}

#[test]
fn a_refusal_without_json_is_judged_by_its_status() {
    let page = "<html><body>Bad gateway</body></html>";
    let head = "Content-Type: text/html\r\n";
    let error = refused(&Server::bytes(sized("502 Bad Gateway", head, page)));
    assert!(error.is_transient());
    assert!(
        error.to_string().contains("502 with an HTML page"),
        "{error}"
    );
    let status = error.status().unwrap();
    assert_eq!(status.kind, ErrorKind::Server);
    assert_eq!(status.body, page);
}

#[test]
fn each_status_has_its_kind() {
    let cases = [
        ("400 Bad Request", ErrorKind::InvalidRequest),
        ("403 Forbidden", ErrorKind::Permission),
        ("404 Not Found", ErrorKind::NotFound),
        ("408 Request Timeout", ErrorKind::Timeout),
        ("413 Content Too Large", ErrorKind::ContextLength),
        ("429 Too Many Requests", ErrorKind::RateLimit),
        ("500 Internal Server Error", ErrorKind::Server),
        ("503 Service Unavailable", ErrorKind::Overloaded),
        ("529 Overloaded", ErrorKind::Overloaded),
    ];
    for (status, kind) in cases {
        let error = refused(&Server::bytes(sized(status, "", "")));
        let told = error.status().unwrap();
        assert_eq!(told.kind, kind, "{status}");
        assert!(status.starts_with(&told.status.to_string()));
    }
}

#[test]
fn the_body_of_a_refusal_is_kept_up_to_64_kib() {
    let long = "x".repeat(100_000);
    let error = refused(&Server::bytes(sized("500 Oops", "", long)));
    assert_eq!(error.status().unwrap().body.len(), 64 * 1024);
}

#[test]
fn a_refusal_whose_body_is_cut_is_still_a_refusal() {
    let response = "HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nno such mo";
    let error = refused(&Server::bytes(response));
    assert_eq!(error.kind(), Kind::Status);
    assert_eq!(error.status().unwrap().body, "no such mo");
}

#[test]
fn a_page_in_place_of_a_reply_is_named() {
    let page = "<!DOCTYPE html><title>Log in</title>";
    for content_type in ["text/html", "TEXT/HTML; charset=utf-8", "image/png"] {
        let head = format!("Content-Type: {content_type}\r\n");
        let error = refused(&Server::bytes(sized("200 OK", &head, page)));
        assert_eq!(error.kind(), Kind::ContentType);
        assert!(error.to_string().contains("an HTML page"), "{error}");
        assert_eq!(error.status().unwrap().body, page);
    }
}

#[test]
fn a_page_that_calls_itself_a_stream_is_told_once() {
    let page = "<!DOCTYPE html><title>Log in</title>";
    let head = "Content-Type: text/event-stream\r\n";
    let outcome = outcome(&Server::bytes(sized("200 OK", head, page)));
    assert_eq!(outcome.kind(), Some(Kind::ContentType));
    assert_eq!(outcome.end, End::Unrecognised);
}

#[test]
fn a_page_in_place_of_a_whole_response_is_named() {
    let page = "<!DOCTYPE html><title>Log in</title>";
    let server = Server::bytes(sized("200 OK", "Content-Type: text/html\r\n", page));
    let error = client(&server).fetch(&request()).unwrap_err();
    assert_eq!(error.kind(), Kind::Decode);
    assert!(error.to_string().contains("an HTML page"), "{error}");
}

#[test]
fn a_stream_may_have_any_content_type_that_could_be_one() {
    let body = reply(&["a"]);
    for head in [
        "",
        "Content-Type: text/event-stream; charset=utf-8\r\n",
        "Content-Type: Text/Event-Stream;x=\"y\"\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: application/json\r\n",
    ] {
        let outcome = outcome(&Server::bytes(sized("200 OK", head, &body)));
        assert_eq!(outcome.text, "a", "{head}");
        assert_eq!(outcome.end, End::Complete, "{head}");
    }
}

#[test]
fn a_server_that_speaks_first_and_closes_is_no_clean_end() {
    let server = Server::new([rude(|connection| {
        connection.send("220 mail.example ESMTP\r\n");
        connection.close();
    })]);
    let kind = refused(&server).kind();
    // Whichever of the two is seen first.
    assert!(
        matches!(kind, Kind::Protocol | Kind::Reset | Kind::Closed),
        "{kind:?}"
    );
}

#[test]
fn what_cannot_be_sent_is_the_requests_fault() {
    for base_url in ["not a url", "ftp//x", "/v1", "http://"] {
        let error = Client::compatible(base_url, None)
            .and_then(|client| client.stream(&request()))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Request, "{base_url}: {error:?}");
    }
}

#[test]
fn line_ends_inject_nothing() {
    let server = Server::new((0..4).map(|_| answer(chunked([]))));
    let client = client(&server);
    let injected = "x\r\nX-Injected: 1";
    for call in [
        client.get("/x").header("x-name", injected),
        client.get("/x").header(injected, "value"),
        client.get("/x").header("x-name", "nul\0"),
        client.get("/x HTTP/1.1\r\nX-Injected: 1\r\n\r\n"),
    ] {
        let error = call.stream().unwrap_err();
        assert_eq!(error.kind(), Kind::Request, "{error:?}");
    }
    let mut options = options(&server.url);
    options.key = Some(format!("{KEY}\r\nX-Injected: 1").into());
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Request, "{error:?}");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    let mut options = super::options(&server.url);
    options.key = Some("ключ-canary".into());
    let error = Client::new(options)
        .unwrap()
        .stream(&request())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Request, "{error:?}");
    assert!(!error.to_string().contains("canary"), "{error:?}");
    // Everything else of the options that goes into a request's head.
    for injected in ["x\r\nX-Injected: 1", "x\nX-Injected: 1", "x\rX", "x\0"] {
        let refuses = |change: fn(&mut deltawire::client::Options, &str)| {
            let mut options = super::options(&server.url);
            change(&mut options, injected);
            let made = Client::new(options).and_then(|client| client.stream(&request()));
            assert_eq!(made.unwrap_err().kind(), Kind::Request, "{injected:?}");
        };
        refuses(|options, it| options.headers = vec![("x-name".into(), it.into())]);
        refuses(|options, it| options.headers = vec![(it.into(), "value".into())]);
        refuses(|options, it| options.base_url.push_str(it));
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[test]
fn a_prompt_with_line_ends_is_one_request() {
    let server = Server::new([answer(chunked([reply(&["a"]).as_bytes()]))]);
    let mut request = super::request();
    request.push("user", "x\r\n\r\nPOST /other HTTP/1.1\r\n\0");
    let stream = client(&server).stream(&request).unwrap();
    assert_eq!(super::read(stream).text, "a");
    let seen = server.requests();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn no_secret_shows_that_a_server_repeats() {
    const TOKEN: &str = "canary-token-77e0";
    let said = format!("unknown key {KEY}, unknown token {TOKEN}");
    let json = format!("{{\"authorization\":\"{said}\"}}");
    let text = format!("{said}, and one that was cut: {}", &KEY[..10]);
    let html = format!("<html>{said}");
    let bodies = [
        ("200 OK", "application/json", &json),
        ("200 OK", "text/event-stream", &text),
        ("200 OK", "text/html", &html),
        ("200 OK", &*said, &html),
        ("401 Unauthorized", "application/json", &json),
        ("401 Unauthorized", "text/plain", &text),
        ("302 Found", "text/plain", &text),
    ];
    for (status, content_type, body) in bodies {
        let head = format!(
            "Content-Type: {content_type}\r\nX-Request-Id: {KEY}\r\n\
             Location: /{KEY}\r\nConnection: close\r\n"
        );
        let answer = || answer(super::server::sized(status, &head, body));
        let server = Server::new([answer(), answer(), answer()]);
        let client = client(&server);
        let asked = super::request();
        let call = || client.ask(&asked).header("X-Token", TOKEN);
        let fetched = call().fetch().map(|_| ());
        let streamed = call()
            .stream()
            .and_then(|mut stream| stream.next().map(|_| ()));
        let events = client.post("/x", "{}").header("X-Token", TOKEN).events();
        let events = events.map(|_| ());
        let errors = [fetched, streamed, events].map(Result::err);
        // An event stream may have any text, as far as its events are concerned.
        assert!(errors[0].is_some() && errors[1].is_some(), "{errors:?}");
        for error in errors.into_iter().flatten() {
            let shown = format!("{error} {error:?} {:?}", error.status());
            assert!(
                !shown.contains("canary"),
                "{status}, {content_type}: {shown}"
            );
        }
    }
}

#[test]
fn a_whole_response_that_is_none_says_why() {
    use deltawire::Error;
    for (body, is_json) in [("{\"a\":1}", true), ("{\"a\":", false)] {
        let head = "Content-Type: application/json\r\nConnection: close\r\n";
        let server = Server::new([answer(super::server::sized("200 OK", head, body))]);
        let error = client(&server).fetch(&super::request()).unwrap_err();
        assert_eq!(error.kind(), Kind::Decode, "{error:?}");
        assert!(error.is_final(), "{error:?}");
        match error.decode() {
            Some(Error::NotAResponse) => assert!(is_json, "{error:?}"),
            Some(Error::NotJson { .. }) => assert!(!is_json, "{error:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn no_secret_shows_itself() {
    let mut options = options("http://me:canary-password@127.0.0.1:1");
    options.base_url.push_str("?key=canary-query");
    options.headers = vec![("x-secret".into(), "canary-header".into())];
    options.timeout_connect = Some(FOREVER);
    let client = Client::new(options).unwrap();
    let error = client.stream(&request()).unwrap_err();
    let shown = format!("{client:?} {error} {error:?} {:?}", client.ask(&request()));
    assert!(!shown.contains("canary"), "{shown}");
}
