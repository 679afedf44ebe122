//! What is sent to each provider, and what comes of its answer.

use std::sync::mpsc;

use deltawire::client::{Client, Options, Provider, Request};
use deltawire::{Delta, End};

use super::server::{DONE, FOREVER, SSE, Server, chunk, chunked, event, header, reply, sized};
use super::{KEY, client, options, read, request, stream, whole_message};

#[test]
fn a_delta_is_handed_out_before_the_next_bytes_are_sent() {
    let (seen, go_on) = mpsc::channel::<()>();
    let server = Server::script(move |connection| {
        connection.send(format!("{SSE}Transfer-Encoding: chunked\r\n\r\n"));
        for text in ["a", "b", "c"] {
            // The event is complete, its HTTP chunk is not: the second is no reason to wait.
            let event = event(text);
            connection.send(format!("{:x}\r\n{event}", event.len()));
            go_on.recv_timeout(FOREVER).unwrap();
            connection.send("\r\n");
        }
        connection.send(chunk(DONE.as_bytes()));
        connection.send("0\r\n\r\n");
    });
    let mut stream = stream(&server).unwrap();
    let mut texts = Vec::new();
    while let Some(delta) = stream.next().unwrap() {
        if let Delta::Text { text, .. } = delta {
            texts.push(text.to_owned());
            seen.send(()).unwrap();
        }
    }
    assert_eq!(texts, ["a", "b", "c"]);
    assert_eq!(stream.end(), End::Complete);
    let asked = &server.requests()[0];
    assert!(
        asked.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{asked}"
    );
    assert_eq!(
        header(asked, "authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    assert_eq!(header(asked, "accept-encoding"), Some("identity"));
    assert_eq!(header(asked, "content-type"), Some("application/json"));
    assert!(asked.ends_with(r#""stream":true}"#), "{asked}");
}

#[test]
fn a_message_is_put_together_with_its_arrivals() {
    let server = Server::bytes(chunked([reply(&["Hel", "lo"]).as_bytes()]));
    let message = whole_message(stream(&server).unwrap());
    assert_eq!(message.text(), "Hello");
    assert!(message.is_complete());
    assert_eq!(message.timing.pieces.len(), 2);
    assert!(message.timing.first_token() <= message.timing.whole);
}

#[test]
fn a_whole_response_is_a_message() {
    let body = r#"{"id":"c1","object":"chat.completion","model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let server = Server::bytes(sized("200 OK", "Content-Type: application/json\r\n", body));
    let base_url = format!("{}/v1/", server.url);
    let client = Client::compatible(&base_url, None).unwrap();
    let message = client.fetch(&request()).unwrap();
    assert_eq!(message.text(), "Hello");
    assert_eq!(message.usage.total_tokens, Some(3));
    assert!(message.is_complete());
    assert!(message.timing.whole.is_some());
    let asked = &server.requests()[0];
    assert!(asked.starts_with("POST /v1/chat/completions "), "{asked}");
    assert_eq!(header(asked, "authorization"), None);
    assert_eq!(header(asked, "accept-encoding"), Some("gzip"));
    assert!(asked.ends_with(r#""stream":false}"#), "{asked}");
}

#[test]
fn an_error_in_place_of_a_stream_is_the_providers() {
    let body = r#"{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}"#;
    let server = Server::bytes(sized("200 OK", "Content-Type: application/json\r\n", body));
    let mut stream = stream(&server).unwrap();
    let Some(Delta::Error(error)) = stream.next().unwrap() else {
        panic!("no error");
    };
    assert_eq!(error.message, "No such model");
    assert!(stream.next().unwrap().is_none());
}

#[test]
fn json_made_elsewhere_goes_to_any_path() {
    let server = Server::bytes(chunked([reply(&["a"]).as_bytes()]));
    let client = client(&server);
    let call = client.post("/responses", r#"{"input":"Hi"}"#);
    let stream = call.header("OpenAI-Beta", "x=1").stream().unwrap();
    assert_eq!(read(stream).text, "a");
    let asked = &server.requests()[0];
    assert!(
        asked.starts_with("POST /v1/responses HTTP/1.1\r\n"),
        "{asked}"
    );
    assert_eq!(header(asked, "openai-beta"), Some("x=1"));
    assert!(asked.ends_with(r#"{"input":"Hi"}"#), "{asked}");
}

/// What a provider is sent for the same request.
fn asked(provider: Provider, adjust: impl FnOnce(&mut Options)) -> String {
    let server = Server::bytes(chunked([reply(&["a"]).as_bytes()]));
    let mut options = options(&server.url);
    options.provider = provider;
    options.base_url = server.url.clone();
    adjust(&mut options);
    let client = Client::new(options).unwrap();
    assert_eq!(read(client.stream(&request()).unwrap()).text, "a");
    server.requests().remove(0)
}

#[test]
fn anthropic_has_headers_of_its_own() {
    let asked = asked(Provider::Anthropic, |_| {});
    assert!(
        asked.starts_with("POST /v1/messages HTTP/1.1\r\n"),
        "{asked}"
    );
    assert_eq!(header(&asked, "x-api-key"), Some(KEY));
    assert_eq!(header(&asked, "anthropic-version"), Some("2023-06-01"));
    assert_eq!(header(&asked, "authorization"), None);
}

#[test]
fn gemini_has_its_key_in_a_header_and_not_in_the_url() {
    let asked = asked(Provider::Gemini, |_| {});
    assert!(
        asked.starts_with("POST /models/tiny:streamGenerateContent?alt=sse HTTP/1.1\r\n"),
        "{asked}"
    );
    assert_eq!(header(&asked, "x-goog-api-key"), Some(KEY));
}

#[test]
fn azure_has_its_key_in_a_header_of_its_own() {
    let asked = asked(Provider::Azure, |options| {
        options.api_version = Some("2024-10-21".into());
    });
    assert!(
        asked.starts_with(
            "POST /openai/deployments/tiny/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
        ),
        "{asked}"
    );
    assert_eq!(header(&asked, "api-key"), Some(KEY));
}

#[test]
fn a_header_of_the_callers_takes_the_place_of_the_clients() {
    let asked = asked(Provider::Anthropic, |options| {
        options.headers = vec![("Anthropic-Version".into(), "2099-01-01".into())];
    });
    assert_eq!(header(&asked, "anthropic-version"), Some("2099-01-01"));
}

#[test]
fn ollama_streams_lines() {
    let body = concat!(
        r#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
        "\n"
    );
    let server = Server::bytes(sized(
        "200 OK",
        "Content-Type: application/x-ndjson\r\n",
        body,
    ));
    let mut options = Options::new(Provider::Ollama);
    options.base_url.clone_from(&server.url);
    let outcome = read(Client::new(options).unwrap().stream(&request()).unwrap());
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.end, End::Complete);
    assert!(server.requests()[0].starts_with("POST /api/chat "));
}

#[test]
fn a_client_without_a_place_to_ask_is_not_made() {
    let error = Client::new(Options::new(Provider::Azure)).unwrap_err();
    assert!(error.to_string().contains("azure"), "{error}");
}

#[test]
fn a_request_that_a_provider_has_no_word_for_is_refused() {
    let mut request = Request::chat("m");
    request.n = Some(2);
    let error = Client::anthropic(KEY)
        .unwrap()
        .stream(&request)
        .unwrap_err();
    assert!(error.to_string().contains("one choice only"), "{error}");
}

#[test]
fn chunks_joined_are_the_body() {
    let body = reply(&["Grüß", " dich"]);
    let server = Server::bytes(chunked(body.as_bytes().chunks(5)));
    let mut chunks = client(&server).ask(&request()).chunks().unwrap();
    let (mut joined, mut kept) = (Vec::new(), Vec::new());
    while let Some(chunk) = chunks.next().unwrap() {
        joined.extend_from_slice(&chunk);
        // Kept, so that no buffer can be used again.
        kept.push(chunk);
    }
    assert_eq!(joined, body.as_bytes());
    assert_eq!(kept.concat(), body.as_bytes());
}

#[test]
fn events_own_their_bytes_and_their_wire_bytes_are_the_body() {
    let body = reply(&["a", "b"]);
    for size in [7, 1000] {
        let server = Server::bytes(chunked(body.as_bytes().chunks(size)));
        let mut events = client(&server).ask(&request()).events().unwrap();
        let mut all = Vec::new();
        while let Some(event) = events.next().unwrap() {
            all.push(event);
        }
        assert_eq!(all.len(), 3);
        let raw: Vec<_> = all.iter().flat_map(|event| event.raw.clone()).collect();
        assert_eq!(raw, body.as_bytes());
        assert_eq!(all[2].text(), Some("[DONE]"));
        assert_eq!(all[1].offset, event("a").len() as u64);
    }
}

#[test]
fn an_event_is_cut_out_of_what_was_read_without_a_copy() {
    let server = Server::bytes(sized(
        "200 OK",
        "Content-Type: text/event-stream\r\n",
        reply(&["a", "b"]),
    ));
    let mut events = client(&server).ask(&request()).events().unwrap();
    let first = events.next().unwrap().unwrap();
    let second = events.next().unwrap().unwrap();
    // One piece of memory, one behind the other.
    assert_eq!(
        first.raw.as_ptr_range().end,
        second.raw.as_ptr_range().start
    );
    assert_eq!(first.data.as_ptr(), first.raw[6..].as_ptr());
}

#[test]
fn a_stream_that_is_dropped_hangs_up() {
    let (closed, is_closed) = mpsc::channel();
    let server = Server::script(move |connection| {
        connection.send(format!("{SSE}Transfer-Encoding: chunked\r\n\r\n"));
        connection.send(chunk(event("a").as_bytes()));
        closed.send(connection.is_closed_by_client()).unwrap();
    });
    let mut stream = stream(&server).unwrap();
    assert!(stream.next().unwrap().is_some());
    drop(stream);
    assert!(is_closed.recv_timeout(FOREVER).unwrap());
}
