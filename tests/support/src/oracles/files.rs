//! What the command reads: `events`, `deltas` and `collect` with their arguments and a file, and the
//! recordings that `serve` replays.
//!
//! The input is one byte for what is run, one for the size of the reads, and then what `twin::arbitrary`
//! takes. The command runs in this process with its output captured. What it prints is compared with what
//! the library says, in JSON that `decoding` writes.

use std::path::PathBuf;

use super::streams::{Read, read};
use crate::decoding::quoted;
use crate::framing::Seen;
use crate::naive::{self, Setup};
use crate::twin::{self, Case};
use deltawire::cli::recording::Recording;
use deltawire::cli::{Captured, capture};
use deltawire::frame::{Eof, MAX_EVENT_BYTES};
use deltawire::{Decoder, Dialect, End, Message, Options};
use serde_json::{Value, json};

/// A file that is there as long as this.
struct File(PathBuf);

impl File {
    fn new(bytes: &[u8]) -> File {
        let thread = std::thread::current().id();
        let name = format!("deltawire-files-{}-{thread:?}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("a file that can be written");
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a command printed and how it ended.
struct Ran {
    /// The stream carried an error or was cut, as the exit status says.
    is_faulty: bool,
    out: String,
    told: Vec<String>,
    /// What the command calls its file.
    name: String,
}

fn run(what: &str, size: u8, case: &Case, body: &[u8]) -> Ran {
    let file = File::new(body);
    let name = file.0.display().to_string();
    let size = (usize::from(size) * 16 + 1).to_string();
    let mut args = vec!["deltawire", what, "--chunk-size", &size];
    let max = case.max_event_bytes.map(|max| max.to_string());
    if let Some(max) = &max {
        args.extend(["--max-event-bytes", max]);
    }
    if what != "events" {
        args.extend(["--dialect", case.dialect.map_or("auto", Dialect::as_str)]);
    }
    if what == "collect" && case.eof == Eof::Discard {
        args.extend(["--eof", "discard"]);
    }
    args.push(&name);
    let (status, Captured { stdout, messages }) = capture(args).expect("arguments that are right");
    assert!(status <= 1, "a file that can be read: {messages:?}");
    Ran {
        is_faulty: status == 1,
        out: String::from_utf8(stdout).expect("UTF-8"),
        told: messages,
        name,
    }
}

pub fn check(input: &[u8]) {
    let [what, size, rest @ ..] = input else {
        return;
    };
    let case = twin::arbitrary(rest);
    for body in &super::streams::bodies(&case) {
        match what & 3 {
            0 => check_events(*size, &case, body),
            1 => check_deltas(*size, &case, body),
            2 => check_collect(*size, &case, body),
            _ => check_recording(body),
        }
    }
}

fn check_events(size: u8, case: &Case, body: &[u8]) {
    let ran = run("events", size, case, body);
    let setup = Setup {
        max_event_bytes: case.max_event_bytes.unwrap_or(MAX_EVENT_BYTES),
        ..Setup::default()
    };
    let expected = naive::parse(body, &setup);
    let lossy = |bytes: &[u8]| quoted(&String::from_utf8_lossy(bytes));
    let (mut out, mut retry, mut errors) = (String::new(), "null".to_owned(), 0);
    for seen in &expected.seen {
        match seen {
            Seen::Event {
                event, data, id, ..
            } => {
                let [event, data, id] = [event, data, id].map(|bytes| lossy(bytes));
                out.push_str(&format!(
                    "{{\"event\":{event},\"data\":{data},\"id\":{id}}}\n"
                ));
            }
            Seen::Retry { millis, .. } => retry = millis.to_string(),
            seen => errors += usize::from(seen.is_error()),
        }
    }
    let id = lossy(&expected.last_event_id);
    out.push_str(&format!("{{\"last_event_id\":{id},\"retry\":{retry}}}\n"));
    assert_eq!(ran.out, out);
    assert_eq!(ran.told.len(), errors, "{:?}", ran.told);
    assert_eq!(ran.is_faulty, errors > 0);
}

/// What the library says of the stream, as a decoder of the command's is told.
fn decoded(case: &Case, body: &[u8], eof: Eof) -> Read {
    let mut options = Options::default();
    options.dialect = case.dialect;
    options.eof = eof;
    if let Some(max) = case.max_event_bytes {
        options.max_event_bytes = max;
    }
    read(&mut Decoder::with_options(options), [body])
}

/// Each error has been told, in the order in which they came.
fn has_told(ran: &Ran, errors: &[String]) {
    let expected = errors
        .iter()
        .map(|error| format!("deltawire: {}: {error}", ran.name));
    assert_eq!(ran.told[..errors.len()], expected.collect::<Vec<_>>());
}

fn check_deltas(size: u8, case: &Case, body: &[u8]) {
    let ran = run("deltas", size, case, body);
    let expected = decoded(case, body, Eof::Flush);
    let is_complete = expected.end == End::Complete;
    let mut lines = expected.lines.clone();
    let invalid = expected.errors.len();
    lines.push(format!(
        r#"{{"type":"end","complete":{is_complete},"invalid":{invalid}}}"#
    ));
    assert_eq!(ran.out, lines.join("\n") + "\n");
    has_told(&ran, &expected.errors);
    let more = usize::from(!is_complete);
    assert_eq!(
        ran.told.len(),
        expected.errors.len() + more,
        "{:?}",
        ran.told
    );
    let is_faulty = !is_complete || expected.message.error.is_some() || !expected.errors.is_empty();
    assert_eq!(ran.is_faulty, is_faulty);
}

fn check_collect(size: u8, case: &Case, body: &[u8]) {
    let ran = run("collect", size, case, body);
    let expected = decoded(case, body, case.eof);
    has_told(&ran, &expected.errors);
    let whole = Message::from_response(&expected.seen).ok();
    let whole = whole.filter(|it| it.error.is_none() && expected.end == End::Unrecognised);
    let message = whole.as_ref().unwrap_or(&expected.message);
    let collected: Value = serde_json::from_str(&ran.out).expect("one JSON object");
    let choices = message.choices.iter();
    let texts = |of: fn(&deltawire::Choice) -> &str| {
        let texts = choices.clone().filter(|choice| !of(choice).is_empty());
        texts
            .map(|it| (it.index.to_string(), Value::from(of(it))))
            .collect::<Value>()
    };
    let finish = |choice: &deltawire::Choice| choice.finish.clone().map(|finish| finish.raw);
    let finishes = choices
        .clone()
        .filter_map(|it| Some((it.index.to_string(), finish(it)?)));
    for (key, value) in [
        ("text", texts(|choice| &choice.text)),
        ("reasoning", texts(|choice| &choice.reasoning)),
        ("refusal", texts(|choice| &choice.refusal)),
        (
            "finish",
            finishes.filter(|(_, raw)| !raw.is_empty()).collect(),
        ),
        (
            "error",
            json!(message.error.as_ref().map(|error| &error.message)),
        ),
        ("done", json!(message.done)),
        ("complete", json!(message.end == Some(End::Complete))),
        ("dialect", json!(expected.dialect.map(Dialect::as_str))),
        ("events", json!(expected.counts[1])),
    ] {
        assert_eq!(collected[key], value, "{key} in {}", ran.out);
    }
    let calls = collected["tool_calls"].as_array().expect("a list");
    let arguments: Vec<&Value> = calls.iter().map(|call| &call["arguments"]).collect();
    let known = message.tool_calls();
    assert_eq!(
        arguments,
        known
            .iter()
            .map(|(_, call)| &*call.arguments)
            .collect::<Vec<_>>()
    );
    let is_done = message.is_complete() && expected.errors.is_empty();
    assert_eq!(!ran.is_faulty, is_done);
}

/// A recording has the reply of its stream: replayed, and put together.
fn check_recording(body: &[u8]) {
    let expected = read(&mut Decoder::new(), [body]);
    let dialect = expected.dialect;
    let is_openai = matches!(
        dialect,
        Some(Dialect::OpenAiChat | Dialect::OpenAiCompletions)
    );
    let recording = Recording::read("r", body);
    assert_eq!(recording.is_ok(), is_openai);
    let Ok(recording) = recording else { return };
    assert_eq!(recording.is_complete(), expected.message.is_complete());
    for include_usage in [true, false] {
        let pieces = recording.events(include_usage);
        let replayed: Vec<u8> = pieces
            .iter()
            .flat_map(|(bytes, _)| bytes.to_vec())
            .collect();
        let mut options = Options::default();
        options.dialect = dialect;
        let again = read(&mut Decoder::with_options(options), [&replayed[..]]);
        assert_eq!(
            again.message.choices,
            expected.message.choices,
            "{}",
            replayed.escape_ascii()
        );
    }
    let (status, body, _) = recording.whole();
    let whole = Message::from_response(body.to_string().as_bytes()).expect("a response");
    assert_eq!(
        whole.error.is_some(),
        expected.message.error.is_some(),
        "{body}"
    );
    assert_eq!(status == 200, whole.error.is_none());
    if whole.error.is_none() {
        for choice in &expected.message.choices {
            let text = whole.choice(choice.index).map_or("", |whole| &whole.text);
            assert_eq!(text, choice.text, "{body}");
        }
    }
}
