//! A recorded stream, ready to be served again: event by event, or put together as a whole.

use std::borrow::Cow;
use std::time::Duration;

use deltawire::decoder::describe_body;
use deltawire::frame::{Eof, Item, sse};
use deltawire::{Decoder, Dialect, ErrorKind, Message};
use serde_json::{Value, json};

/// One recorded response.
pub struct Recording {
    /// What it is asked for by, beside its model.
    pub name: String,
    pub dialect: Dialect,
    /// What was asked when it was recorded, where that is known.
    pub prompt: Option<String>,
    pub pace: Pace,
    message: Message,
    pieces: Vec<Piece>,
    /// When the provider says that it was made, in seconds since 1970.
    created: u64,
    usage: Option<Value>,
}

/// When the events of a recording are sent, in time since the request.
pub enum Pace {
    /// At once, then one each interval; the whole response when the last event would come.
    Interval(Duration),
    /// As recorded; what is missing comes with the last.
    Schedule {
        events: Vec<Duration>,
        whole: Duration,
    },
}

/// An item of the stream as it came.
struct Piece {
    bytes: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An event with a part of the reply, or anything else that is passed on as it is.
    Event,
    /// The chunk without choices that `include_usage` asks for.
    Usage,
    /// `[DONE]`.
    Done,
    /// A comment, or a line that an event stream ignores; it belongs to the event behind it.
    Line,
}

impl Recording {
    /// Reads a recorded stream. The error is a sentence's end: what it is instead.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Recording, String> {
        let (message, dialect) = put_together(bytes)?;
        let mut recording = Recording {
            name: name.into(),
            dialect,
            prompt: None,
            pace: Pace::Interval(Duration::ZERO),
            message,
            pieces: Vec::new(),
            created: 0,
            usage: None,
        };
        let mut parser = sse::Parser::new();
        let mut input = bytes;
        // An event that is too large has been left out of the message just the same.
        while let Some(item) = parser.next(&mut input).transpose() {
            if let Ok(item) = item {
                recording.note(&item);
            }
        }
        while let Some(item) = parser.finish(Eof::Flush).transpose() {
            if let Ok(item) = item {
                recording.note(&item);
            }
        }
        Ok(recording)
    }

    fn note(&mut self, item: &Item<'_>) {
        let kind = match item {
            Item::Event(event) if event.data.trim_ascii() == b"[DONE]" => Kind::Done,
            Item::Event(event) => self.note_chunk(&event.data),
            _ => Kind::Line,
        };
        let mut bytes = item.raw().to_vec();
        // The stream's last line may lack its end, and comes before the event it stands in.
        if kind == Kind::Line && !matches!(bytes.last(), None | Some(b'\n' | b'\r')) {
            bytes.push(b'\n');
        }
        // Other lines stood between a line that ends with CR and the LF of the blank line. Side by side
        // the two would be one line end.
        if kind != Kind::Line
            && let Some(line) = bytes.strip_suffix(b"\r\n")
            && !matches!(line.last(), None | Some(b'\n' | b'\r'))
        {
            bytes.push(b'\n');
        }
        self.pieces.push(Piece { bytes, kind });
    }

    /// Takes from a chunk what a message does not keep.
    fn note_chunk(&mut self, data: &[u8]) -> Kind {
        let Ok(mut chunk) = serde_json::from_slice::<Value>(data) else {
            return Kind::Event;
        };
        if self.created == 0 {
            self.created = chunk["created"].as_u64().unwrap_or_default();
        }
        if !chunk["usage"].is_object() {
            return Kind::Event;
        }
        self.usage = Some(chunk["usage"].take());
        match chunk["choices"].as_array() {
            Some(choices) if choices.is_empty() => Kind::Usage,
            _ => Kind::Event,
        }
    }

    /// The model that answered.
    pub fn model(&self) -> &str {
        self.message.model.as_deref().unwrap_or_default()
    }

    /// Whether the recording is cut or carries an error.
    pub fn is_complete(&self) -> bool {
        self.message.is_complete()
    }

    /// The stream's bytes, one piece an event, and when each is due. A chunk with the usage is
    /// among them only where it is asked for; a recording that has none but knows the usage gets
    /// one.
    pub fn events(&self, include_usage: bool) -> Vec<(Cow<'_, [u8]>, Duration)> {
        let has_usage = self.pieces.iter().any(|piece| piece.kind == Kind::Usage);
        let mut events = Vec::new();
        let mut due = Duration::ZERO;
        let mut number = 0;
        for piece in &self.pieces {
            if piece.kind == Kind::Usage && !include_usage {
                continue;
            }
            if piece.kind == Kind::Done && include_usage && !has_usage {
                events.extend(self.usage_chunk().map(|chunk| (Cow::Owned(chunk), due)));
            }
            due = self.pace.due(number);
            number += usize::from(piece.kind != Kind::Line);
            events.push((Cow::Borrowed(&*piece.bytes), due));
        }
        events
    }

    /// The chunk that a provider sends on `include_usage`.
    fn usage_chunk(&self) -> Option<Vec<u8>> {
        let object = match self.dialect {
            Dialect::OpenAiCompletions => "text_completion",
            _ => "chat.completion.chunk",
        };
        let chunk = json!({
            "id": self.message.id,
            "object": object,
            "created": self.created,
            "model": self.message.model,
            "choices": [],
            "usage": self.usage.as_ref()?,
        });
        Some(format!("data: {chunk}\n\n").into_bytes())
    }

    /// The response to a request that asks for no stream: its HTTP status, its body, and when it is
    /// due.
    pub fn whole(&self) -> (u16, Value, Duration) {
        let due = match self.pace {
            Pace::Interval(_) => {
                let events = self.pieces.iter().filter(|piece| piece.kind != Kind::Line);
                self.pace.due(events.count().saturating_sub(1))
            }
            Pace::Schedule { whole, .. } => whole,
        };
        if let Some(error) = &self.message.error {
            let body = json!({"error": {
                "message": error.message,
                "type": error.kind.as_str(),
                "param": null,
                "code": error.code,
            }});
            return (status_of(error.kind), body, due);
        }
        let (object, choice): (_, fn(&deltawire::Choice) -> Value) = match self.dialect {
            Dialect::OpenAiCompletions => ("text_completion", legacy_choice),
            _ => ("chat.completion", chat_choice),
        };
        let choices: Vec<Value> = self.message.choices.iter().map(choice).collect();
        let mut body = json!({
            "id": self.message.id,
            "object": object,
            "created": self.created,
            "model": self.message.model,
            "choices": choices,
        });
        if let Some(usage) = &self.usage {
            body["usage"] = usage.clone();
        }
        (200, body, due)
    }
}

impl Pace {
    /// When the event of that number is due.
    fn due(&self, number: usize) -> Duration {
        match self {
            Pace::Interval(interval) => {
                interval.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))
            }
            Pace::Schedule { events, .. } => {
                let last = events.last().copied().unwrap_or_default();
                events.get(number).copied().unwrap_or(last)
            }
        }
    }
}

/// Decodes a whole recording.
fn put_together(bytes: &[u8]) -> Result<(Message, Dialect), String> {
    let mut decoder = Decoder::new();
    let mut message = Message::new();
    let mut input = bytes;
    // What cannot be decoded is replayed as it is, and is missing in the whole response.
    while let Some(delta) = decoder.next(&mut input) {
        message.push(&delta);
    }
    while let Some(delta) = decoder.finish() {
        message.push(&delta);
    }
    message.finish(decoder.end());
    if decoder.events() == 0 {
        return Err(describe_body(bytes));
    }
    match decoder.dialect() {
        Some(dialect @ (Dialect::OpenAiChat | Dialect::OpenAiCompletions)) => {
            Ok((message, dialect))
        }
        Some(dialect) => Err(format!("a stream of the dialect {dialect}")),
        None => Err("an event stream in an unknown format".into()),
    }
}

fn finish_reason(choice: &deltawire::Choice) -> Option<&str> {
    choice.finish.as_ref().map(|finish| &*finish.raw)
}

fn chat_choice(choice: &deltawire::Choice) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let calls: Vec<Value> = choice
        .tool_calls
        .iter()
        .map(|call| {
            json!({
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            })
        })
        .collect();
    let content = some(&choice.text).or_else(|| calls.is_empty().then(String::new));
    let mut message = json!({"role": "assistant", "content": content});
    for (key, text) in [
        ("reasoning_content", &choice.reasoning),
        ("refusal", &choice.refusal),
    ] {
        if let Some(text) = some(text) {
            message[key] = text.into();
        }
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    json!({"index": choice.index, "message": message, "finish_reason": finish_reason(choice)})
}

fn legacy_choice(choice: &deltawire::Choice) -> Value {
    json!({
        "text": choice.text,
        "index": choice.index,
        "logprobs": null,
        "finish_reason": finish_reason(choice),
    })
}

/// The HTTP status with which a provider reports such an error before a stream begins.
fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Authentication => 401,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::RateLimit => 429,
        ErrorKind::Overloaded => 503,
        ErrorKind::ContextLength | ErrorKind::InvalidRequest | ErrorKind::ContentFilter => 400,
        ErrorKind::Timeout => 504,
        _ => 500,
    }
}
