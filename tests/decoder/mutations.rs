//! What a stream says does not depend on how its JSON is written, nor on what stands between its
//! events; and one that is cut never looks whole.
//!
//! Over the streams of `tests/streams`, and over the recorded ones where they are.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use deltawire::frame::{Framing, Item, eventstream, sse};
use deltawire::{Decoder, Delta, Dialect, End};
use deltawire_test_support::decoding::{aws_frame, decoder, line, quoted, recordings, streams};
use deltawire_test_support::json::{Json, Style};
use serde_json::Value;

/// A stream to be changed or cut.
struct Subject {
    name: String,
    /// What it is, as its name or its document says or as it is recognised.
    dialect: Option<Dialect>,
    /// How its events are framed; it may not be what its dialect's name promises.
    framing: Framing,
    body: Vec<u8>,
    is_recorded: bool,
}

fn subjects() -> Vec<Subject> {
    let recorded = recordings().unwrap_or_default().into_iter().map(|it| {
        let mut recognising = decoder(None);
        read(&mut recognising, &it.body);
        Subject {
            framing: framing(&it.body, recognising.dialect().or(Some(it.dialect))),
            name: it.name,
            // One Anthropic stream is filed under the path of chat completions.
            dialect: recognising.dialect().or(Some(it.dialect)),
            body: it.body,
            is_recorded: true,
        }
    });
    let own = streams()
        .into_iter()
        .filter(|it| it.max_event_bytes.is_none());
    let own = own.map(|it| {
        let mut told = it.decoder();
        read(&mut told, &it.input);
        Subject {
            framing: framing(&it.input, told.dialect()),
            name: it.name,
            dialect: told.dialect(),
            body: it.input,
            is_recorded: false,
        }
    });
    let subjects: Vec<Subject> = own.chain(recorded).collect();
    assert!(subjects.len() > 100);
    subjects
}

fn framing(body: &[u8], dialect: Option<Dialect>) -> Framing {
    if body.first() == Some(&0) {
        Framing::EventStream
    } else {
        dialect.map_or(Framing::Sse, Dialect::framing)
    }
}

/// The deltas of a stream, but for what has no place in the model: that is there to show the wire's
/// own bytes, and these differ.
fn read(decoder: &mut Decoder, body: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut input = body;
    let mut bad_events = 0;
    loop {
        match decoder.next(&mut input) {
            Some(Delta::Invalid { .. }) => bad_events += 1,
            Some(delta) => lines.extend(meaning(&delta)),
            None => break,
        }
    }
    loop {
        match decoder.finish() {
            Some(Delta::Invalid { .. }) => bad_events += 1,
            Some(delta) => lines.extend(meaning(&delta)),
            None => break,
        }
    }
    lines.push(format!("{:?}, {bad_events} bad events", decoder.end()));
    lines
}

/// What a delta says, however its JSON was written.
fn meaning(delta: &Delta<'_>) -> Option<String> {
    match *delta {
        Delta::Other { .. } | Delta::Detail { .. } => None,
        Delta::ToolCallArguments {
            fragment,
            whole: true,
            choice,
            index,
            ..
        }
        | Delta::ServerToolCallArguments {
            fragment,
            whole: true,
            choice,
            index,
            ..
        } => {
            let sorted = Json::read(fragment.as_bytes()).map(|json| json.write(Style::Sorted));
            let sorted = sorted.unwrap_or_else(|| fragment.into());
            let sorted = String::from_utf8(sorted).expect("text");
            Some(format!("{choice} {index} {}", quoted(&sorted)))
        }
        // An error without words is shown as it came.
        Delta::Error(error) if error.message.starts_with('{') => {
            Some(format!("error {} {}", error.kind, error.code))
        }
        ref delta => Some(line(delta)),
    }
}

/// Where the events of the stream end, the first 0 and the last where the body does: what is behind
/// the last event, or is cut in the middle of one, is the last piece.
fn ends(subject: &Subject) -> Vec<usize> {
    let body = &subject.body[..];
    let mut ends = vec![0];
    let mut input = body;
    match subject.framing {
        Framing::Sse => {
            let mut parser = sse::Parser::new();
            while let Some(item) = parser.next(&mut input).expect("small events") {
                if let Item::Event(_) = item {
                    ends.push(body.len() - input.len());
                }
            }
        }
        Framing::Ndjson => {
            let lines = body.iter().enumerate();
            let lines = lines.filter(|(_, byte)| **byte == b'\n');
            ends.extend(lines.map(|(at, _)| at + 1));
        }
        _ => {
            let mut parser = eventstream::Parser::new();
            while let Ok(Some(_)) = parser.next(&mut input) {
                ends.push(body.len() - input.len());
            }
        }
    }
    if *ends.last().expect("the first") < body.len() {
        ends.push(body.len());
    }
    ends
}

/// Writes the JSON of every event anew.
fn rewrite(subject: &Subject, style: Style) -> Vec<u8> {
    let mut out = Vec::new();
    let ends = ends(subject);
    for pair in ends.windows(2) {
        let piece = &subject.body[pair[0]..pair[1]];
        match subject.framing {
            Framing::Sse => rewrite_sse(piece, style, &mut out),
            Framing::Ndjson => match rewrite_json(piece, style) {
                Some(json) => {
                    out.extend_from_slice(&json);
                    out.push(b'\n');
                }
                None => out.extend_from_slice(piece),
            },
            _ => rewrite_frame(piece, style, &mut out),
        }
    }
    out
}

/// Writes an object anew; `None` for what is none, or where the order of its members counts.
fn rewrite_json(text: &[u8], style: Style) -> Option<Vec<u8>> {
    let json = Json::read(text).filter(Json::is_object)?;
    (style != Style::Reversed || !json.has_twins()).then(|| json.write(style))
}

fn rewrite_sse(piece: &[u8], style: Style, out: &mut Vec<u8>) {
    let mut parser = sse::Parser::new();
    let mut input = piece;
    let mut json = None;
    while let Some(item) = parser.next(&mut input).expect("small events") {
        if let Item::Event(event) = item
            // The data of this event is text, whatever it looks like.
            && *event.event != *b"output"
        {
            json = rewrite_json(&event.data, style);
        }
    }
    let Some(json) = json else {
        out.extend_from_slice(piece);
        return;
    };
    let mut json = Some(json);
    let mut rest = piece;
    while !rest.is_empty() {
        let len = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let len = len.map_or(rest.len(), |at| {
            at + if rest[at..].starts_with(b"\r\n") {
                2
            } else {
                1
            }
        });
        let (line, behind) = rest.split_at(len);
        rest = behind;
        let text = line.trim_ascii_end();
        let field = text.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(text);
        if field == b"data" || field.starts_with(b"data:") {
            if let Some(json) = json.take() {
                let end = &line[text.len().min(line.len())..];
                let end: Vec<u8> = end
                    .iter()
                    .copied()
                    .filter(|byte| matches!(byte, b'\n' | b'\r'))
                    .collect();
                match style {
                    // White space may be a line end, which makes it several lines.
                    Style::Spaced => {
                        for (at, part) in json.split_inclusive(|byte| *byte == b'\t').enumerate() {
                            out.extend_from_slice(if at % 2 == 0 { b"data:" } else { b"data:  " });
                            out.extend_from_slice(part);
                            out.extend_from_slice(&end);
                        }
                    }
                    _ => {
                        out.extend_from_slice(b"data: ");
                        out.extend_from_slice(&json);
                        out.extend_from_slice(&end);
                    }
                }
            }
        } else {
            out.extend_from_slice(line);
        }
    }
}

fn rewrite_frame(piece: &[u8], style: Style, out: &mut Vec<u8>) {
    let mut parser = eventstream::Parser::new();
    let mut input = piece;
    if let Ok(Some(Item::Event(event))) = parser.next(&mut input)
        && input.is_empty()
        && let Some(mut json) = rewrite_json(&event.data, style)
    {
        if let Some(inner) = inner(&event.data)
            && let Some(inner) = rewrite_json(&inner, style)
        {
            json = format!(r#"{{"bytes":"{}"}}"#, BASE64.encode(inner)).into_bytes();
        }
        let headers = [
            (":message-type", "event"),
            (":event-type", &event.event.to_str()),
        ];
        let json = String::from_utf8(json).expect("text");
        out.extend_from_slice(&aws_frame(&headers, &json));
    } else {
        out.extend_from_slice(piece);
    }
}

/// A model's own JSON inside the payload of a frame.
fn inner(payload: &[u8]) -> Option<Vec<u8>> {
    let payload: Value = serde_json::from_slice(payload).ok()?;
    BASE64.decode(payload["bytes"].as_str()?).ok()
}

/// Puts what means nothing between the events.
fn crowd(subject: &Subject) -> Vec<u8> {
    let unknown = r#"{"type":"x.unknown","x":{"choices":[],"text":"no"}}"#;
    let between = match subject.framing {
        Framing::Sse => [
            ": a comment\n\n:\n\n: {\"error\":\"no\"}\n",
            "event: x.empty\ndata:\n\n",
            &format!("event: x.unknown\nid: 1\nretry: 5\ndata: {unknown}\n\n"),
        ]
        .concat()
        .into_bytes(),
        Framing::Ndjson => format!("\n\r\n{unknown}\n").into_bytes(),
        _ => {
            let headers = [(":event-type", "x.unknown"), (":message-type", "event")];
            aws_frame(&headers, unknown)
        }
    };
    let mut out = Vec::new();
    let ends = ends(subject);
    for pair in ends.windows(2) {
        let piece = &subject.body[pair[0]..pair[1]];
        // Lines are known for what they are by the first of them.
        let before = &subject.body[..pair[0]];
        let is_first_line = subject.framing == Framing::Ndjson && before.trim_ascii().is_empty();
        // A byte order mark counts at the very start alone.
        let has_mark = pair[0] == 0 && piece.starts_with("\u{FEFF}".as_bytes());
        if !is_first_line && !has_mark {
            out.extend_from_slice(&between);
        }
        out.extend_from_slice(piece);
    }
    out
}

/// Holds the stream changed against the stream as it was, told its dialect and recognising it.
fn compare(how: &str, change: impl Fn(&Subject) -> Vec<u8>) {
    compare_of(&subjects(), how, change);
}

fn compare_of(subjects: &[Subject], how: &str, change: impl Fn(&Subject) -> Vec<u8>) {
    let mut changed_streams = 0;
    for subject in subjects {
        let changed = change(subject);
        changed_streams += usize::from(changed != subject.body);
        for told in [subject.dialect, None] {
            let before = read(&mut decoder(told), &subject.body);
            let after = read(&mut decoder(told), &changed);
            assert_eq!(after, before, "{} {how}, told {told:?}", subject.name);
        }
    }
    println!(
        "{} streams, {changed_streams} of them {how}",
        subjects.len()
    );
    assert!(changed_streams * 10 > subjects.len() * 8);
}

#[test]
fn the_order_of_members_changes_nothing() {
    compare("with their members reversed", |it| {
        rewrite(it, Style::Reversed)
    });
}

#[test]
fn white_space_changes_nothing() {
    compare("with white space", |it| rewrite(it, Style::Spaced));
}

#[test]
fn unknown_members_change_nothing() {
    compare("with unknown members", |it| rewrite(it, Style::Grown));
}

#[test]
fn unknown_events_and_comments_change_nothing() {
    // `[DONE]` behind nothing but unknown events is no end, and without them it is one.
    let is_recognised = |it: &Subject| {
        let lines = read(&mut decoder(None), &it.body);
        let is_unspecific =
            |line: &String| line.starts_with(r#"{"type":"error""#) || line == r#"{"type":"done"}"#;
        let (_, deltas) = lines.split_last().expect("an end");
        deltas.is_empty() || !deltas.iter().all(is_unspecific)
    };
    let subjects: Vec<Subject> = subjects().into_iter().filter(is_recognised).collect();
    compare_of(&subjects, "with more between their events", crowd);
}

/// Says of the events so far whether the stream may end here, by the letter of each dialect.
///
/// A terminator of its own ends it: `[DONE]`, `response.completed` and its like, `message_stop`,
/// `interaction.completed`, `message-end`, `"done":true`, `generated_text`, a `stop_reason`, the
/// event `done`. Without one (Gemini; Perplexity and Writer, who send a whole message beside each
/// delta; Cerebras, who tells its timing; Bedrock; llama.cpp) it may end once a candidate, or every
/// choice seen, has its reason: what such a sender loses behind that, no reader can know.
#[derive(Default)]
struct Oracle {
    /// A terminator came.
    ended: bool,
    /// The sender is one of those who send none.
    no_terminator: bool,
    /// Whether each choice has a reason.
    choices: BTreeMap<u64, bool>,
}

impl Oracle {
    fn may_end(&self) -> bool {
        let all = !self.choices.is_empty() && self.choices.values().all(|has| *has);
        self.ended || (self.no_terminator && all)
    }

    fn hear(&mut self, dialect: Dialect, event: &str, data: &[u8]) {
        let is_done = data.trim_ascii() == b"[DONE]";
        let json: Value = serde_json::from_slice(data).unwrap_or_default();
        let kind = json["type"].as_str().unwrap_or_default();
        self.ended |= match dialect {
            Dialect::OpenAiChat | Dialect::OpenAiCompletions => {
                self.hear_choices(&json);
                is_done
            }
            Dialect::OpenAiAssistants => is_done,
            Dialect::OpenAiResponses => {
                let end = kind.strip_prefix("response.").unwrap_or_default();
                matches!(end, "completed" | "incomplete" | "failed" | "cancelled")
            }
            Dialect::Anthropic => kind == "message_stop",
            Dialect::AnthropicComplete => json["stop_reason"].is_string(),
            Dialect::Gemini => {
                let root = json.get("response").unwrap_or(&json);
                let candidates = root["candidates"].as_array();
                let mut candidates = candidates.into_iter().flatten();
                candidates.any(|it| it["finishReason"].is_string())
                    || root["promptFeedback"]["blockReason"].is_string()
            }
            Dialect::GeminiInteractions => {
                let kind = json["event_type"].as_str().unwrap_or_default();
                matches!(kind, "interaction.complete" | "interaction.completed")
            }
            Dialect::Cohere => kind == "message-end",
            Dialect::Ollama => json["done"] == true,
            Dialect::Tgi => json["generated_text"].is_string(),
            Dialect::Watsonx => {
                let reason = json["results"][0]["stop_reason"].as_str();
                reason.is_some_and(|reason| reason != "not_finished")
            }
            Dialect::Replicate => event == "done",
            Dialect::LlamaCpp => {
                if let Some(stop) = json["stop"].as_bool() {
                    self.no_terminator = true;
                    let index = json["index"].as_u64().unwrap_or_default();
                    *self.choices.entry(index).or_default() |= stop;
                }
                false
            }
            Dialect::Bedrock if event == "chunk" => self.hear_chunk(data),
            Dialect::Bedrock => event == "messageStop",
            other => panic!("a dialect without a rule: {other}"),
        };
    }

    fn hear_choices(&mut self, json: &Value) {
        self.no_terminator |= json.get("time_info").is_some();
        for choice in json["choices"].as_array().into_iter().flatten() {
            self.no_terminator |= choice.get("message").is_some();
            let index = choice["index"].as_u64().unwrap_or_default();
            let reason = choice["finish_reason"].as_str();
            *self.choices.entry(index).or_default() |= reason.is_some_and(|it| !it.is_empty());
        }
    }

    fn hear_chunk(&mut self, data: &[u8]) -> bool {
        let json = inner(data).and_then(|json| serde_json::from_slice(&json).ok());
        let json: Value = json.unwrap_or_default();
        if json.get("choices").is_some() {
            self.hear_choices(&json);
            self.no_terminator = true;
        }
        let of = |json: &Value| {
            let mut keys = ["completionReason", "stop_reason", "finish_reason"].iter();
            keys.any(|key| json[*key].is_string())
        };
        let mut lists = ["outputs", "generations"].iter();
        json["type"] == "message_stop"
            || json.get("messageStop").is_some()
            || json["is_finished"] == true
            || (json.get("type").is_none() && of(&json))
            || lists.any(|key| json[*key].as_array().into_iter().flatten().any(of))
    }
}

/// The type and the data of the event at the end of a piece, if one ends there.
fn event_of(framing: Framing, piece: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut input = piece;
    let mut found = None;
    let mut note = |item: Item<'_>| {
        if let Item::Event(event) = item {
            found = Some((event.event.to_str().into_owned(), event.data.to_vec()));
        }
    };
    match framing {
        Framing::Sse => {
            let mut parser = sse::Parser::new();
            while let Some(item) = parser.next(&mut input).expect("small events") {
                note(item);
            }
        }
        Framing::Ndjson if !piece.ends_with(b"\n") => {}
        Framing::Ndjson => return Some((String::new(), piece.to_vec())),
        _ => {
            let mut parser = eventstream::Parser::new();
            while let Ok(Some(item)) = parser.next(&mut input) {
                note(item);
            }
        }
    }
    found
}

#[test]
fn a_stream_cut_between_two_events_is_whole_only_behind_its_end() {
    let (mut cuts, mut whole) = (0, 0);
    for subject in &subjects() {
        let Some(dialect) = subject.dialect else {
            continue;
        };
        let name = &subject.name;
        let mut oracle = Oracle::default();
        let mut going = decoder(Some(dialect));
        let ends = ends(subject);
        let mut damaged = false;
        for (at, pair) in ends.windows(2).enumerate() {
            let piece = &subject.body[pair[0]..pair[1]];
            let is_last = at + 2 == ends.len();
            match event_of(subject.framing, piece) {
                Some((event, data)) => oracle.hear(dialect, &event, &data),
                // What the end of the body cuts, or what is no event at all.
                None if is_last => break,
                None => {}
            }
            let mut input = piece;
            loop {
                match going.next(&mut input) {
                    Some(Delta::Invalid {
                        error: deltawire::Error::Frame(_),
                        ..
                    }) => damaged = true,
                    Some(_) => {}
                    None => break,
                }
            }
            let expected = oracle.may_end() && !damaged;
            let at = pair[1];
            assert_eq!(
                going.end() == End::Complete,
                expected,
                "{name} at byte {at}"
            );
            // The same for one that is told to end there; not everywhere, as it takes its time.
            if cuts % 16 == 0 || is_last {
                for told in [Some(dialect), None] {
                    let mut decoder = decoder(told);
                    read(&mut decoder, &subject.body[..at]);
                    if told.is_some() || decoder.dialect() == subject.dialect {
                        let is_whole = decoder.end() == End::Complete;
                        assert_eq!(is_whole, expected, "{name} ended at byte {at}");
                    }
                }
            }
            cuts += 1;
            whole += usize::from(expected);
        }
    }
    println!("{cuts} cuts, {whole} of them behind the end");
    assert!(whole * 4 < cuts);
}

#[test]
fn a_stream_of_frames_cut_inside_one_is_never_whole() {
    let mut cuts = 0;
    for subject in &subjects() {
        if subject.framing != Framing::EventStream {
            continue;
        }
        for pair in ends(subject).windows(2) {
            for at in [pair[0] + 1, pair[0] + 11, pair[0] + 12, pair[1] - 1] {
                let Some(body) = subject.body.get(..at) else {
                    continue;
                };
                let mut decoder = decoder(None);
                read(&mut decoder, body);
                assert_ne!(decoder.end(), End::Complete, "{} at {at}", subject.name);
                cuts += 1;
            }
        }
    }
    println!("{cuts} cuts");
}

/// Cut inside an event, a stream may give that event's deltas, if its payload is whole, but it is
/// not whole unless that payload is the terminator.
#[test]
fn a_stream_cut_inside_an_event_before_its_end_is_never_whole() {
    let mut cuts = 0;
    for subject in &subjects() {
        let Some(dialect) = subject.dialect else {
            continue;
        };
        if subject.framing == Framing::EventStream || subject.is_recorded {
            continue;
        }
        let mut oracle = Oracle::default();
        for pair in ends(subject).windows(2) {
            let piece = &subject.body[pair[0]..pair[1]];
            match event_of(subject.framing, piece) {
                Some((event, data)) => oracle.hear(dialect, &event, &data),
                None => break,
            }
            if oracle.may_end() {
                break;
            }
            for at in pair[0]..pair[1] {
                let mut decoder = decoder(Some(dialect));
                read(&mut decoder, &subject.body[..at]);
                assert_ne!(decoder.end(), End::Complete, "{} at {at}", subject.name);
                cuts += 1;
            }
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 1000);
}
