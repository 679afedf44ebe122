//! The streams of OpenAI's guide "How to stream completions", rebuilt from its figures.
//!
//! The guide prints every delta of two streams with its arrival, which `guide-timeline.tsv` has,
//! and of its other responses the times, counts and texts that are below. It prints no IDs and no
//! usage of the legacy completion: that is counted from the pieces here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::recording::{Pace, Recording};

pub(crate) const CHAT_MODEL: &str = "gpt-3.5-turbo";
pub(crate) const COUNT_TO_100: &str = "Count to 100, with a comma between each number and no \
                                       newlines. E.g., 1, 2, 3, ...";
pub(crate) const ONE_PLUS_ONE: &str = "What's 1+1? Answer in one word.";
pub(crate) const LEGACY_MODEL: &str = "text-davinci-002";
pub(crate) const ONE_TWO_THREE: &str = "1,2,3,";
pub(crate) const LEGACY_MAX_TOKENS: u32 = 193;

/// The guide's times of a request, since it was sent.
pub(crate) struct Times {
    pub(crate) whole: Duration,
    pub(crate) first: Duration,
    pub(crate) last: Duration,
}

pub(crate) const COUNT_TIMES: Times = Times {
    whole: Duration::from_millis(3030),
    first: Duration::from_millis(100),
    last: Duration::from_millis(2970),
};
pub(crate) const LEGACY_TIMES: Times = Times {
    whole: Duration::from_millis(3430),
    first: Duration::from_millis(180),
    last: Duration::from_millis(2730),
};

const TIMELINE: &str = include_str!("guide-timeline.tsv");
/// A moment at which the models of the guide were in use.
const CREATED: u64 = 1_677_825_464;

/// One delta of the timeline.
struct Row {
    arrived: Duration,
    kind: &'static str,
    value: String,
}

/// The deltas of a scenario.
fn rows(scenario: &str) -> Vec<Row> {
    let row = |line: &'static str| {
        let mut fields = line.split('\t');
        let is_mine = fields.next() == Some(scenario);
        let seconds = fields.next()?.parse().ok()?;
        let kind = fields.next()?;
        let value = serde_json::from_str(&format!("\"{}\"", fields.next()?)).ok()?;
        is_mine.then_some(Row {
            arrived: Duration::from_secs_f64(seconds),
            kind,
            value,
        })
    };
    TIMELINE.lines().filter_map(row).collect()
}

/// When the guide had each piece of the count to 100.
pub(crate) fn count_arrivals() -> Vec<Duration> {
    let rows = rows("chat");
    let pieces = rows.iter().filter(|row| row.kind == "content");
    pieces.map(|row| row.arrived).collect()
}

/// The three streams. Without `at_pace` nothing is waited for.
pub(crate) fn recordings(at_pace: bool) -> Result<Vec<Recording>, String> {
    let chat = rows("chat");
    let count: Vec<Value> = chat.iter().map(chat_delta).collect();
    let answer = [
        json!({"role": "assistant"}),
        json!({"content": "\n\n"}),
        json!({"content": "2"}),
        json!({}),
    ];
    let legacy = rows("completion");
    let arrivals = |rows: &[Row]| -> Vec<Duration> { rows.iter().map(|row| row.arrived).collect() };
    let mut recordings = [
        (
            COUNT_TO_100,
            chat_stream("count-to-100", &count, &[usage_chunk(36, 301)]),
            arrivals(&chat),
            COUNT_TIMES.whole,
        ),
        (
            ONE_PLUS_ONE,
            chat_stream("one-plus-one", &answer, &[]),
            // The guide does not time these four: they come as the first four of the other do.
            arrivals(&chat[..answer.len().min(chat.len())]),
            COUNT_TIMES.first,
        ),
        (
            ONE_TWO_THREE,
            legacy_stream(&legacy),
            arrivals(&legacy),
            LEGACY_TIMES.whole,
        ),
    ]
    .into_iter()
    .map(|(prompt, stream, events, whole)| {
        let mut recording = Recording::read(prompt, stream.as_bytes())?;
        recording.prompt = Some(prompt.into());
        recording.pace = Pace::Schedule { events, whole };
        Ok(recording)
    })
    .collect::<Result<Vec<Recording>, String>>()?;
    if !at_pace {
        for recording in &mut recordings {
            recording.pace = Pace::Interval(Duration::ZERO);
        }
    }
    Ok(recordings)
}

fn chat_delta(row: &Row) -> Value {
    match row.kind {
        "finish" => json!({}),
        kind => json!({kind: row.value}),
    }
}

fn usage(prompt: usize, completion: usize) -> Value {
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    })
}

fn usage_chunk(prompt: usize, completion: usize) -> Value {
    json!({"choices": [], "usage": usage(prompt, completion)})
}

/// A chat stream of these deltas, of which the last carries the finish reason.
fn chat_stream(id: &str, deltas: &[Value], more: &[Value]) -> String {
    let chunks = deltas.iter().enumerate().map(|(at, delta)| {
        let finish = (at + 1 == deltas.len()).then_some("stop");
        json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    });
    let head = json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "gpt-3.5-turbo-0301",
    });
    event_stream(&head, chunks.chain(more.iter().cloned()))
}

fn legacy_stream(rows: &[Row]) -> String {
    let chunks = rows.iter().enumerate().map(|(at, row)| {
        // The request's limit is what ends it.
        let finish = (at + 1 == rows.len()).then_some("length");
        json!({"choices": [
            {"text": row.value, "index": 0, "logprobs": null, "finish_reason": finish},
        ]})
    });
    let head = json!({
        "id": "cmpl-one-two-three",
        "object": "text_completion",
        "created": CREATED,
        "model": LEGACY_MODEL,
    });
    // Digits and commas are a token each.
    let usage = usage_chunk(ONE_TWO_THREE.len(), rows.len());
    event_stream(&head, chunks.chain([usage]))
}

/// Chunks as a provider sends them: each with the head's members first.
fn event_stream(head: &Value, chunks: impl Iterator<Item = Value>) -> String {
    let mut stream = String::new();
    for chunk in chunks {
        let mut whole = head.clone();
        if let (Value::Object(whole), Value::Object(chunk)) = (&mut whole, chunk) {
            whole.extend(chunk);
        }
        stream.push_str(&format!("data: {whole}\n\n"));
    }
    stream.push_str("data: [DONE]\n\n");
    stream
}
