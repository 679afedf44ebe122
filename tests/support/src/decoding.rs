//! What several tests need: the lines that the command prints, and the deltas of a cut stream.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use deltawire::{Decoder, Delta, Dialect, End, Options};

/// A decoder of that dialect, or one that recognises it.
pub fn decoder(dialect: Option<Dialect>) -> Decoder {
    let mut options = Options::default();
    options.dialect = dialect;
    Decoder::with_options(options)
}

/// What a stream gives: all that must not depend on how it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The lines of `deltawire deltas` or of C, the closing `end` among them.
    pub lines: Vec<String>,
    /// What the decoder could not decode, as it says it.
    pub errors: Vec<String>,
    pub end: End,
}

/// Decodes the chunks one after the other.
pub fn decode<'c>(decoder: &mut Decoder, chunks: impl IntoIterator<Item = &'c [u8]>) -> Outcome {
    let mut outcome = read(decoder, chunks, |delta| Some(line(delta)));
    outcome.lines.push(format!(
        r#"{{"type":"end","complete":{},"invalid":{}}}"#,
        outcome.end == End::Complete,
        outcome.errors.len()
    ));
    outcome
}

/// Decodes the chunks as the C ABI does, and every binding with it: the lines that a program in C prints,
/// see [`c_line`], and the errors that it gets as a status.
pub fn decode_in_c<'c>(
    decoder: &mut Decoder,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Outcome {
    let mut outcome = read(decoder, chunks, c_line);
    outcome.lines.push(format!(
        r#"{{"type":"end","complete":{}}}"#,
        outcome.end == End::Complete
    ));
    outcome
}

/// Decodes the chunks. The lines are those that `line` returns, without the closing one.
fn read<'c>(
    decoder: &mut Decoder,
    chunks: impl IntoIterator<Item = &'c [u8]>,
    line: fn(&Delta<'_>) -> Option<String>,
) -> Outcome {
    let mut lines = Vec::new();
    let mut errors = Vec::new();
    let mut note = |delta: &Delta<'_>| {
        if let Delta::Invalid { error, .. } = delta {
            errors.push(error.to_string());
        }
        lines.extend(line(delta));
    };
    for chunk in chunks {
        let mut input = chunk;
        while let Some(delta) = decoder.next(&mut input) {
            note(&delta);
        }
        assert!(input.is_empty(), "a decoder that wants more has used all");
    }
    while let Some(delta) = decoder.finish() {
        note(&delta);
    }
    let end = decoder.end();
    Outcome { lines, errors, end }
}

/// Returns the line of a delta as the C ABI hands it out: without its part. A detail is an `other` of its
/// name and value. An event that could not be decoded is an error and has no line.
fn c_line(delta: &Delta<'_>) -> Option<String> {
    const PART: &str = r#","part":"#;
    let line = match *delta {
        Delta::Invalid { .. } => return None,
        Delta::Detail { name, value, .. } => line(&Delta::Other {
            event: name,
            raw: value.as_bytes(),
        }),
        ref delta => line(delta),
    };
    // Quotes within strings are escaped, so this is the member.
    let Some((head, part)) = line.split_once(PART) else {
        return Some(line);
    };
    let tail = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
    Some(format!("{head}{tail}"))
}

/// The pieces of `bytes` that `lengths` tells, and one more with what is left.
pub fn pieces(
    mut bytes: &[u8],
    lengths: impl IntoIterator<Item = usize>,
) -> impl Iterator<Item = &[u8]> {
    let mut lengths = lengths.into_iter();
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let len = lengths.next().unwrap_or(bytes.len()).min(bytes.len());
        let (piece, rest) = bytes.split_at(len);
        bytes = rest;
        Some(piece)
    })
}

/// The line of `deltawire deltas` for a delta, without its line end. Written apart from the
/// command, so that the two hold each other to the contract: keys in this order, absent ones left
/// out, no spaces, non-ASCII as it is.
pub fn line(delta: &Delta<'_>) -> String {
    let mut members: Vec<(&str, String)> = Vec::new();
    let kind = match *delta {
        Delta::Start { id, model, role } => {
            for (key, text) in [("id", id), ("model", model), ("role", role)] {
                if !text.is_empty() {
                    members.push((key, quoted(text)));
                }
            }
            "start"
        }
        Delta::Text { choice, part, text } => {
            members.extend([
                ("choice", choice.to_string()),
                ("part", part.to_string()),
                ("text", quoted(text)),
            ]);
            "text"
        }
        Delta::Reasoning { choice, part, text } => {
            members.extend([
                ("choice", choice.to_string()),
                ("part", part.to_string()),
                ("text", quoted(text)),
            ]);
            "reasoning"
        }
        Delta::Refusal { choice, part, text } => {
            members.extend([
                ("choice", choice.to_string()),
                ("part", part.to_string()),
                ("text", quoted(text)),
            ]);
            "refusal"
        }
        Delta::ToolCallStart {
            choice,
            part,
            index,
            id,
            name,
        }
        | Delta::ServerToolCallStart {
            choice,
            part,
            index,
            id,
            name,
        } => {
            members.extend([
                ("choice", choice.to_string()),
                ("part", part.to_string()),
                ("index", index.to_string()),
            ]);
            for (key, text) in [("id", id), ("name", name)] {
                if !text.is_empty() {
                    members.push((key, quoted(text)));
                }
            }
            match delta {
                Delta::ToolCallStart { .. } => "tool_call_start",
                _ => "server_tool_call_start",
            }
        }
        Delta::ToolCallArguments {
            choice,
            part,
            index,
            fragment,
            whole,
        }
        | Delta::ServerToolCallArguments {
            choice,
            part,
            index,
            fragment,
            whole,
        } => {
            members.extend([
                ("choice", choice.to_string()),
                ("part", part.to_string()),
                ("index", index.to_string()),
                ("fragment", quoted(fragment)),
            ]);
            if whole {
                members.push(("whole", "true".into()));
            }
            match delta {
                Delta::ToolCallArguments { .. } => "tool_call_arguments",
                _ => "server_tool_call_arguments",
            }
        }
        Delta::Finish {
            choice,
            reason,
            raw,
        } => {
            members.extend([
                ("choice", choice.to_string()),
                ("reason", quoted(reason.as_str())),
                ("raw", quoted(raw)),
            ]);
            "finish"
        }
        Delta::Usage(usage) => {
            for (key, count) in usage.counts() {
                members.extend(count.map(|count| (key, count.to_string())));
            }
            "usage"
        }
        Delta::Error(error) => {
            members.push(("kind", quoted(error.kind.as_str())));
            if !error.code.is_empty() {
                members.push(("code", quoted(error.code)));
            }
            members.extend([
                ("message", quoted(error.message)),
                ("transient", error.transient.to_string()),
            ]);
            "error"
        }
        Delta::Other { event, raw } => {
            members.extend([
                ("event", quoted(event)),
                ("raw", quoted(&String::from_utf8_lossy(raw))),
            ]);
            "other"
        }
        Delta::Detail { scope, name, value } => {
            members.push(("scope", quoted(scope.as_str())));
            let numbers = [
                ("choice", scope.choice().map(|it| it.to_string())),
                ("part", scope.part().map(|it| it.to_string())),
                ("index", scope.index().map(|it| it.to_string())),
            ];
            for (key, number) in numbers {
                members.extend(number.map(|number| (key, number)));
            }
            let is_json = serde_json::from_str::<serde_json::Value>(value).is_ok();
            let value = if is_json {
                value.to_owned()
            } else {
                quoted(value)
            };
            members.extend([("name", quoted(name)), ("value", value)]);
            "detail"
        }
        Delta::Invalid { offset, error } => {
            members.extend([
                ("offset", offset.to_string()),
                ("error", quoted(&error.to_string())),
            ]);
            "invalid"
        }
        Delta::Done => "done",
        ref newer => panic!("a delta that the tests do not know: {newer:?}"),
    };
    let mut line = format!(r#"{{"type":"{kind}""#);
    for (key, value) in members {
        line.push_str(&format!(r#","{key}":{value}"#));
    }
    line.push('}');
    line
}

/// A string as JSON has it, non-ASCII as it is.
pub fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// The recorded streams of the dialects decoded so far, in order of their names; `None`, and a
/// line that says so, where the folder with the recordings is not there.
pub fn recordings() -> Option<Vec<Recording>> {
    let folder = crate::root("../shared/corpus");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED: no recorded streams at ../shared/corpus");
        return None;
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if !matches!(&*extension, "sse" | "ndjson" | "eventstream") {
            continue;
        }
        // The longest that fits: `anthropic` is not the dialect of `anthropic-complete-001-…`.
        let dialect = Dialect::ALL
            .iter()
            .filter(|dialect| name.starts_with(&format!("{dialect}-")))
            .max_by_key(|dialect| dialect.as_str().len());
        let Some(&dialect) = dialect else {
            continue;
        };
        let reads = std::fs::read_to_string(path.with_extension("chunks.json")).ok();
        found.push(Recording {
            name: name.into_owned(),
            dialect,
            body: std::fs::read(&path).expect("a readable recording"),
            reads: reads.map(|json| lengths(&json)),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "a folder of recordings has some");
    Some(found)
}

/// A response as it came over the wire.
pub struct Recording {
    pub name: String,
    pub dialect: Dialect,
    pub body: Vec<u8>,
    /// The sizes of the reads off the network, where the recorder kept them.
    pub reads: Option<Vec<usize>>,
}

fn lengths(json: &str) -> Vec<usize> {
    let json: serde_json::Value = serde_json::from_str(json).expect("the recorder's JSON");
    let lengths = json["lengths"].as_array().expect("lengths");
    lengths
        .iter()
        .map(|len| usize::try_from(len.as_u64().expect("a length")).expect("a small length"))
        .collect()
}

/// A stream written by hand, and what has to come of it: one section of a document.
pub struct Stream {
    /// The document and the heading.
    pub name: String,
    pub dialect: Option<Dialect>,
    /// The largest event that is accepted, where it is not the default.
    pub max_event_bytes: Option<usize>,
    pub input: Vec<u8>,
    pub lines: Vec<String>,
    pub errors: Vec<String>,
}

impl Stream {
    /// A decoder that is told what the document says.
    pub fn decoder(&self) -> Decoder {
        let mut options = Options::default();
        options.dialect = self.dialect;
        if let Some(max) = self.max_event_bytes {
            options.max_event_bytes = max;
        }
        Decoder::with_options(options)
    }
}

/// All streams of `tests/streams/*.md`; `README.md` there says how they are written.
pub fn streams() -> Vec<Stream> {
    let folder = crate::root("tests/streams");
    let mut streams = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("tests/streams")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| !path.ends_with("README.md"))
        .collect();
    paths.sort();
    for path in paths {
        let document = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a readable document");
        read_document(&document, &text, &mut streams);
    }
    assert!(!streams.is_empty());
    streams
}

fn read_document(document: &str, text: &str, streams: &mut Vec<Stream>) {
    let first = streams.len();
    let mut heading = "";
    // Not `lines`, which would take a CR for part of a line end.
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if let Some(rule) = line.strip_prefix("## ") {
            heading = rule;
        }
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut words = info.split(' ');
        match words.next().unwrap_or_default() {
            kind @ ("sse" | "ndjson" | "frames") => streams.push(Stream {
                name: format!("{document}: {heading}"),
                ..input(kind, &block, words)
            }),
            kind @ ("jsonl" | "errors") => {
                let stream = streams.last_mut().expect("an input before its outcome");
                assert_eq!(
                    stream.name,
                    format!("{document}: {heading}"),
                    "one a heading"
                );
                let lines = block.iter().map(|line| (*line).to_owned()).collect();
                match kind {
                    "jsonl" => stream.lines = lines,
                    _ => stream.errors = lines,
                }
            }
            other => panic!("{document}: {heading}: an unknown kind of block: {other}"),
        }
    }
    assert!(streams.len() > first, "{document} has streams");
    for stream in &streams[first..] {
        assert!(!stream.lines.is_empty(), "{}: no outcome", stream.name);
    }
}

/// The stream that a block stands for, still without a name and an outcome.
fn input<'w>(kind: &str, block: &[&str], words: impl Iterator<Item = &'w str>) -> Stream {
    let mut end = "\n";
    let mut start: &[u8] = b"";
    let mut unterminated = false;
    let mut hex = false;
    let mut dialect = None;
    let mut max_event_bytes = None;
    for word in words {
        match word {
            "crlf" => end = "\r\n",
            "cr" => end = "\r",
            "bom" => start = "\u{FEFF}".as_bytes(),
            "unterminated" => unterminated = true,
            "hex" => hex = true,
            word => match word.strip_prefix("max=") {
                Some(max) => max_event_bytes = Some(max.parse().expect("a number of bytes")),
                None => dialect = Some(word.parse().expect("a word of README.md or a dialect")),
            },
        }
    }
    let mut text = block.join(end);
    if !unterminated && !block.is_empty() {
        text.push_str(end);
    }
    let bytes = match kind {
        "frames" => block.iter().flat_map(|line| frame(line)).collect(),
        _ if hex => unhex(&text),
        _ => text.into_bytes(),
    };
    Stream {
        name: String::new(),
        dialect,
        max_event_bytes,
        input: [start, &bytes].concat(),
        lines: Vec::new(),
        errors: Vec::new(),
    }
}

/// The AWS frame that a line of a block `frames` stands for.
fn frame(line: &str) -> Vec<u8> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let json = (":content-type", "application/json");
    match word {
        "damaged" | "damaged-prelude" => {
            let mut frame = frame(rest);
            let at = match word {
                "damaged" => frame.len() - 5,
                _ => 3,
            };
            frame[at] ^= 1;
            frame
        }
        "exception" => {
            let (name, payload) = rest.split_once(' ').unwrap_or((rest, ""));
            let kind = (":message-type", "exception");
            aws_frame(&[(":exception-type", name), json, kind], payload)
        }
        "error" => {
            let (code, message) = rest.split_once(' ').expect("a code and a message");
            let kind = (":message-type", "error");
            let code = (":error-code", code);
            aws_frame(&[kind, code, (":error-message", message)], "")
        }
        name => {
            if let Some(len) = name.strip_prefix("cut-") {
                let mut frame = frame(rest);
                frame.truncate(len.parse().expect("a number of bytes"));
                return frame;
            }
            let payload = match name {
                "chunk" => format!(r#"{{"bytes":"{}"}}"#, BASE64.encode(rest)),
                _ => rest.into(),
            };
            let kind = (":message-type", "event");
            aws_frame(&[(":event-type", name), json, kind], &payload)
        }
    }
}

/// A frame with headers that are strings, as Bedrock sends them.
pub fn aws_frame(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).expect("a short name"));
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        let len = u16::try_from(value.len()).expect("a short value");
        head.extend_from_slice(&len.to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let length = |len: usize| u32::try_from(len).expect("a small frame").to_be_bytes();
    let mut frame = Vec::new();
    frame.extend_from_slice(&length(16 + head.len() + payload.len()));
    frame.extend_from_slice(&length(head.len()));
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload.as_bytes());
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame
}

/// The CRC-32 of zlib, a bit at a time, and so not by the crate that the parser uses.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let bit = crc & 1;
            crc = (crc >> 1) ^ (0xEDB8_8320 * bit);
        }
    }
    !crc
}

/// Replaces each `<XX>` by the byte with that number.
fn unhex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = rest
            .get(1..3)
            .filter(|_| byte == b'<' && rest.get(3) == Some(&b'>'));
        let number = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match number {
            Some(number) => {
                bytes.push(number);
                rest = &rest[4..];
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    bytes
}
