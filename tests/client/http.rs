//! Bodies however they are delimited, cut and compressed.

use std::io::Write;

use deltawire::End;
use deltawire::client::Kind;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::server::{DONE, SSE, Server, chunk, chunked, event, reply, script, sized};
use super::{client, outcome, read, request};

/// The whole of a response's text and a complete end.
fn assert_reads(server: &Server, text: &str) {
    let outcome = outcome(server);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.text, text);
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn a_response_comes_one_byte_at_a_time() {
    let response = chunked([reply(&["Grüß", " dich"]).as_bytes()]);
    let server = Server::script(move |connection| {
        connection.stream.set_nodelay(true).unwrap();
        for byte in response {
            connection.send([byte]);
        }
    });
    assert_reads(&server, "Grüß dich");
}

#[test]
fn http_chunks_may_end_anywhere() {
    // In the middle of a UTF-8 character, of a CRLF, of a field's name.
    let body = reply(&["Grüß", " dich 😀"]).replace('\n', "\r\n");
    for size in [1, 2, 3, 7, 64] {
        let server = Server::bytes(chunked(body.as_bytes().chunks(size)));
        assert_reads(&server, "Grüß dich 😀");
    }
}

#[test]
fn a_body_may_have_a_length() {
    let body = reply(&["a", "b"]);
    let head = "Content-Type: text/event-stream\r\n";
    assert_reads(&Server::bytes(sized("200 OK", head, body)), "ab");
}

#[test]
fn a_body_may_end_with_its_connection() {
    let response = format!("{SSE}Connection: close\r\n\r\n{}", reply(&["a", "b"]));
    assert_reads(&Server::bytes(response), "ab");
}

#[test]
fn http_1_0_has_neither_length_nor_chunks() {
    let head = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let response = format!("{head}{}", reply(&["a", "b"]));
    assert_reads(&Server::bytes(response), "ab");
}

#[test]
fn chunks_may_have_extensions_and_trailers() {
    let body = reply(&["a"]);
    let response = format!(
        "{SSE}Transfer-Encoding: chunked\r\n\r\n{:x};name=value\r\n{body}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        body.len()
    );
    assert_reads(&Server::bytes(response), "a");
}

#[test]
fn a_last_chunk_without_its_blank_line_is_an_end() {
    let mut response = chunked([reply(&["a"]).as_bytes()]);
    response.truncate(response.len() - 2);
    assert_reads(&Server::bytes(response), "a");
}

#[test]
fn interim_responses_are_passed_over() {
    let mut response = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec();
    response.extend(chunked([reply(&["a"]).as_bytes()]));
    assert_reads(&Server::bytes(response), "a");
}

#[test]
fn a_connection_that_was_read_to_its_end_is_used_again() {
    let body = reply(&["a"]);
    let server = Server::script(move |connection| {
        connection.send(chunked([body.as_bytes()]));
        while connection.request().is_some() {
            connection.send(chunked([body.as_bytes()]));
        }
    });
    let client = client(&server);
    // There is one connection only: another one would not be accepted.
    for _ in 0..3 {
        assert_eq!(read(client.stream(&request()).unwrap()).text, "a");
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_not_used_again() {
    let body = chunked([reply(&["a"]).as_bytes()]);
    let (first, second) = (body.clone(), body);
    let server = Server::new([
        script(move |connection| {
            connection.send(first);
            connection.close();
        }),
        script(move |connection| connection.send(second)),
    ]);
    let client = client(&server);
    assert_eq!(read(client.stream(&request()).unwrap()).text, "a");
    // The close is a packet of its own, which may be on its way.
    while !server_closed(&server) {
        std::thread::yield_now();
    }
    assert_eq!(read(client.stream(&request()).unwrap()).text, "a");
    assert_eq!(server.requests().len(), 2);
}

/// Loopback delivers at once; what is left is that the script's thread gets there.
fn server_closed(server: &Server) -> bool {
    std::thread::sleep(std::time::Duration::from_millis(50));
    !server.requests().is_empty()
}

fn gzip(body: &str, flush_each: bool) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for piece in body.split_inclusive("\n\n") {
        encoder.write_all(piece.as_bytes()).unwrap();
        if flush_each {
            encoder.flush().unwrap();
        }
    }
    encoder.finish().unwrap()
}

const GZIP: &str = "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";

#[test]
fn a_body_that_is_compressed_unasked_is_decompressed() {
    for flush_each in [true, false] {
        let body = gzip(&reply(&["a", "b"]), flush_each);
        let server = Server::bytes(sized("200 OK", GZIP, body));
        assert_reads(&server, "ab");
        let asked = &server.requests()[0];
        assert!(asked.contains("accept-encoding: identity\r\n"), "{asked}");
    }
}

#[test]
fn an_event_of_a_compressed_body_is_there_before_the_next_is_sent() {
    let body = gzip(&reply(&["a", "b"]), true);
    let first = gzip(&event("a"), true).len() - 12;
    let server = Server::script(move |connection| {
        connection.send(format!(
            "HTTP/1.1 200 OK\r\n{GZIP}Transfer-Encoding: chunked\r\n\r\n"
        ));
        connection.send(chunk(&body[..first]));
        connection.stall();
        connection.send(chunk(&body[first..]));
        connection.send("0\r\n\r\n");
    });
    let mut stream = client(&server).stream(&request()).unwrap();
    let is_text = |delta: Option<deltawire::Delta<'_>>| {
        matches!(delta, Some(deltawire::Delta::Text { text: "a", .. }))
    };
    while !is_text(stream.next().unwrap()) {}
    server.open_gate();
    assert_eq!(read(stream).text, "b");
}

#[test]
fn a_broken_gzip_is_told_and_what_came_before_stays() {
    // Its checksum, which is all that is wrong.
    let mut body = gzip(&event("a"), true);
    let end = body.len() - 8;
    body[end] ^= 1;
    let checksum = outcome(&Server::bytes(sized("200 OK", GZIP, &body)));
    // A block of a kind that does not exist.
    let mut body = gzip(&event("a"), true);
    body.truncate(body.len() - 10);
    body.extend([0xff; 20]);
    let block = outcome(&Server::bytes(sized("200 OK", GZIP, &body)));
    for outcome in [checksum, block] {
        assert_eq!(outcome.kind(), Some(Kind::Encoding), "{:?}", outcome.error);
        assert_eq!(outcome.text, "a");
        assert_eq!(outcome.end, End::Truncated);
    }
}

#[test]
fn a_gzip_that_ends_early_is_truncated() {
    let body = gzip(&reply(&["a", "b"]), true);
    let cut = &body[..body.len() - 30];
    let outcome = outcome(&Server::bytes(sized("200 OK", GZIP, cut)));
    assert_eq!(outcome.kind(), Some(Kind::Truncated));
    assert_eq!(outcome.end, End::Truncated);
}

#[test]
fn an_encoding_that_nobody_asked_for_is_named() {
    let head = "Content-Type: text/event-stream\r\nContent-Encoding: zstd\r\n";
    let error = super::refused(&Server::bytes(sized("200 OK", head, "abc")));
    assert_eq!(error.kind(), Kind::Encoding);
    assert!(error.to_string().contains("\"zstd\""), "{error}");
}

#[test]
fn a_burst_of_100_000_events_arrives_whole() {
    let mut body = event("x").repeat(100_000);
    body.push_str(DONE);
    let server = Server::bytes(sized("200 OK", "Content-Type: text/event-stream\r\n", body));
    assert_reads(&server, &"x".repeat(100_000));
}

#[test]
fn a_stream_of_comments_alone_has_no_deltas_and_no_end() {
    let body = ": keep-alive\n\n".repeat(1000);
    let outcome = outcome(&Server::bytes(sized(
        "200 OK",
        "Content-Type: text/event-stream\r\n",
        body,
    )));
    assert_eq!(outcome.text, "");
    assert_ne!(outcome.end, End::Complete);
    assert_eq!(
        outcome.kind(),
        Some(Kind::ContentType),
        "nothing was a reply"
    );
}

#[test]
fn silence_behind_the_terminator_is_not_waited_for() {
    let server = Server::script(|connection| {
        connection.send(format!("{SSE}Transfer-Encoding: chunked\r\n\r\n"));
        connection.send(chunk(reply(&["a"]).as_bytes()));
        connection.stall();
    });
    // The test would take as long as the limit on silence otherwise.
    assert_reads(&server, "a");
}

#[test]
fn what_goes_wrong_behind_the_terminator_is_no_matter() {
    let server = Server::script(|connection| {
        connection.send(format!("{SSE}Transfer-Encoding: chunked\r\n\r\n"));
        connection.send(chunk(reply(&["a"]).as_bytes()));
        connection.send("what is no chunk\r\n");
    });
    assert_reads(&server, "a");
}

#[test]
fn what_comes_behind_the_terminator_is_still_given() {
    let body = reply(&["a"]) + "event: ping\ndata: {\"cost\":\"0\"}\n\n";
    let server = Server::bytes(chunked([body.as_bytes()]));
    let mut stream = client(&server).stream(&request()).unwrap();
    let mut deltas = Vec::new();
    while let Some(delta) = stream.next().unwrap() {
        deltas.push(format!("{delta:?}"));
    }
    assert!(deltas.last().unwrap().starts_with("Other"), "{deltas:?}");
    assert_eq!(stream.end(), End::Complete);
}
