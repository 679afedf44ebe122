//! Streams of every dialect, as a provider sends them and as none should: what says the same on the
//! wire is decoded to the same.
//!
//! The input is two characters and then what `twin::arbitrary` takes, mostly `!` and decisions. Streams
//! of Bedrock are put into AWS's frames, of which the first character may have one damaged. Held
//! against the stream as it came are
//!
//! - the stream again, by the same decoder after a reset;
//! - its JSON with white space wherever JSON allows it, and with every character escaped;
//! - its line ends as LF, CR and CRLF, and comments between its events;
//! - and a few things that hold for every stream: no piece is empty, `Done` comes once, `Complete` is
//!   not said without a reason, all bytes are used, and a message has the text of the deltas.

use crate::decoding::{aws_frame, line};
use crate::framing::cut;
use crate::json::{Json, Style};
use crate::twin::{self, Case};
use deltawire::frame::{Framing, Item, sse};
use deltawire::{Decoder, Delta, Dialect, End, Message, Options};

/// All that a stream gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    pub lines: Vec<String>,
    pub errors: Vec<String>,
    pub message: Message,
    pub end: End,
    pub dialect: Option<Dialect>,
    pub counts: [u64; 3],
    pub seen: Vec<u8>,
}

/// Reads a stream with a decoder that was reset, and holds it to what holds for every stream.
pub fn read<'c>(decoder: &mut Decoder, chunks: impl IntoIterator<Item = &'c [u8]>) -> Read {
    let mut read = Read {
        lines: Vec::new(),
        errors: Vec::new(),
        message: Message::new(),
        end: End::Unrecognised,
        dialect: None,
        counts: [0; 3],
        seen: Vec::new(),
    };
    let mut fed = 0;
    let mut text = String::new();
    let mut is_finished = false;
    let mut note = |read: &mut Read, delta: &Delta<'_>| {
        read.lines.push(line(delta));
        read.message.push(delta);
        match *delta {
            Delta::Text { text: piece, .. }
            | Delta::Reasoning { text: piece, .. }
            | Delta::Refusal { text: piece, .. }
            | Delta::ToolCallArguments {
                fragment: piece, ..
            }
            | Delta::ServerToolCallArguments {
                fragment: piece, ..
            } => assert!(!piece.is_empty(), "an empty piece: {delta:?}"),
            Delta::Finish { .. } => is_finished = true,
            Delta::Invalid { error, .. } => read.errors.push(error.to_string()),
            _ => {}
        }
        if let Delta::Text {
            choice: 0,
            text: piece,
            ..
        } = delta
        {
            text.push_str(piece);
        }
    };
    for chunk in chunks {
        let mut input = chunk;
        while let Some(delta) = decoder.next(&mut input) {
            note(&mut read, &delta);
        }
        assert!(input.is_empty(), "`None` leaves nothing of the chunk");
        fed += chunk.len() as u64;
        assert_eq!(decoder.offset(), fed, "bytes used");
    }
    while let Some(delta) = decoder.finish() {
        note(&mut read, &delta);
    }
    read.end = decoder.end();
    read.dialect = decoder.dialect();
    read.counts = [decoder.offset(), decoder.events(), decoder.comments()];
    read.seen = decoder.unrecognised_body().to_vec();
    read.message.finish(read.end);

    let done = r#"{"type":"done"}"#;
    let done = read.lines.iter().filter(|line| *line == done).count();
    assert!(done <= 1, "`Done` came {done} times");
    assert_eq!(read.message.done, done == 1);
    if read.end == End::Complete {
        assert!(done == 1 || is_finished, "complete, of which nothing tells");
    }
    assert_eq!(read.end == End::Unrecognised, read.dialect.is_none());
    let first = read.message.choice(0).map_or("", |choice| &choice.text);
    assert_eq!(first, text, "the message's text");
    read
}

/// What a decoder is told of a case.
pub fn options(case: &Case) -> Options {
    let mut options = Options::default();
    options.dialect = case.dialect;
    options.framing = case.framing;
    options.eof = case.eof;
    if case.dialect == Some(Dialect::Bedrock) {
        options.framing = None;
    }
    if let Some(max) = case.max_event_bytes {
        options.max_event_bytes = max;
    }
    options
}

/// The case's streams as they are on the wire.
pub fn bodies(case: &Case) -> Vec<Vec<u8>> {
    let bodies = case.streams.iter();
    match case.dialect {
        Some(Dialect::Bedrock) => bodies.map(|body| frames(body)).collect(),
        _ => bodies.cloned().collect(),
    }
}

/// The events of an event stream as AWS's frames.
fn frames(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut parser = sse::Parser::new();
    let mut input = body;
    while let Ok(Some(item)) = parser.next(&mut input) {
        let Item::Event(event) = item else { continue };
        // What `aws_frame` has room for.
        let name: String = event.event.to_str().chars().take(60).collect();
        let kind = match &*name {
            "error" => "exception",
            _ => "event",
        };
        let named = match kind {
            "event" => ":event-type",
            _ => ":exception-type",
        };
        let headers = [(":message-type", kind), (named, &*name)];
        out.extend(aws_frame(&headers, &event.data.to_str()));
    }
    out
}

pub fn check(input: &[u8]) {
    let [how, other, rest @ ..] = input else {
        return;
    };
    let mut case = twin::arbitrary(rest);
    // White space and comments count.
    case.max_event_bytes = None;
    let mut decoder = Decoder::with_options(options(&case));
    for mut body in bodies(&case) {
        // A first byte of 0 shows frames to a decoder that is told nothing.
        let is_frames = case.dialect == Some(Dialect::Bedrock) || body.first() == Some(&0);
        if is_frames && how & 64 == 0 && !body.is_empty() {
            let at = usize::from(*other) * 7 % body.len();
            body[at] ^= 1 << (how & 7);
        }
        decoder.reset();
        let before = read(&mut decoder, [&body[..]]);
        let same = |decoder: &mut Decoder, what: &str, changed: &[u8]| {
            decoder.reset();
            let after = read(decoder, [changed]);
            assert_eq!(
                meaning(after),
                meaning(before.clone()),
                "{what}: {}\nof {}",
                changed.escape_ascii(),
                body.escape_ascii()
            );
        };
        same(&mut decoder, "once more", &body);
        if is_frames {
            continue;
        }
        let is_lines = case.framing == Some(Framing::Ndjson)
            || before
                .dialect
                .is_some_and(|it| it.framing() == Framing::Ndjson);
        let replicate = before.dialect == Some(Dialect::Replicate);
        if !replicate {
            for style in [Style::Blank, Style::Escaped] {
                same(
                    &mut decoder,
                    "written anew",
                    &rewrite(&body, style, is_lines),
                );
            }
        }
        if !is_lines {
            for end in ["\n", "\r", "\r\n"] {
                same(
                    &mut decoder,
                    "with other line ends",
                    &with_line_ends(&body, end),
                );
            }
            let crowded = crowd(&body);
            decoder.reset();
            let mut after = read(&mut decoder, cut(&crowded, &[]));
            after.counts = before.counts;
            let but_comments = |mut read: Read| {
                read.counts[0] = 0;
                read.counts[2] = 0;
                read
            };
            assert_eq!(
                meaning(but_comments(after)),
                meaning(but_comments(before.clone())),
                "with comments: {}",
                crowded.escape_ascii()
            );
        }
    }
}

/// What a stream says, without where it says it and without the wire's own bytes.
fn meaning(mut read: Read) -> (Vec<String>, usize, Message, End, Option<Dialect>, u64) {
    let other = r#"{"type":"other","#;
    let error = r#"{"type":"error","#;
    let invalid = r#"{"type":"invalid","#;
    // Their values are the wire's JSON text. Two values that differ in white space alone are two details.
    read.lines
        .retain(|line| !line.starts_with(r#"{"type":"detail","#));
    read.message.details.clear();
    for line in &mut read.lines {
        let is_whole = line.ends_with(r#","whole":true}"#);
        if [other, error, invalid].iter().any(|it| line.starts_with(it)) || is_whole {
            *line = line.chars().take(14).collect();
        }
    }
    // Their text is the wire's.
    read.message.error = None;
    for choice in &mut read.message.choices {
        for call in choice
            .tool_calls
            .iter_mut()
            .chain(&mut choice.server_tool_calls)
        {
            call.arguments.clear();
        }
    }
    (
        read.lines,
        read.errors.len(),
        read.message,
        read.end,
        read.dialect,
        read.counts[1],
    )
}

/// The lines of a stream, each with its end.
fn lines(body: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut lines = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let len = rest
            .iter()
            .take_while(|byte| !b"\r\n".contains(byte))
            .count();
        let end = match &rest[len..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        lines.push((&rest[..len], &rest[len..len + end]));
        rest = &rest[len + end..];
    }
    lines
}

/// Writes the JSON of each line anew where it is JSON.
fn rewrite(body: &[u8], style: Style, is_lines: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (text, end) in lines(body) {
        let field = if is_lines {
            Some(text)
        } else {
            text.strip_prefix(b"data:")
        };
        let json = field
            .filter(|_| text.starts_with(b"{") || text.starts_with(b"data:"))
            // Escapes are of characters.
            .filter(|text| std::str::from_utf8(text).is_ok())
            .and_then(Json::read)
            .filter(Json::is_object);
        match json {
            Some(json) => {
                out.extend_from_slice(if is_lines { b"" } else { b"data: " });
                out.extend(json.write(style));
            }
            None => out.extend_from_slice(text),
        }
        out.extend_from_slice(end);
    }
    out
}

fn with_line_ends(body: &[u8], new: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (text, end) in lines(body) {
        out.extend_from_slice(text);
        if !end.is_empty() {
            out.extend_from_slice(new.as_bytes());
        }
    }
    out
}

/// Puts a comment before each event but the first, whose start may be a byte order mark.
fn crowd(body: &[u8]) -> Vec<u8> {
    twin::events(body).join(&b": \xFF{\"error\":\"no\"}\n"[..])
}
