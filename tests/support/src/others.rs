//! What two independent parsers make of an event stream, and this one, in the same words.

use deltawire::frame::{Eof, Item, sse};

#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Event(String, String, String),
    Retry(u64),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub said: Vec<Said>,
    pub last_event_id: String,
}

pub fn deltawire(chunks: &[&[u8]], seed: &str) -> Outcome {
    let mut parser = sse::Parser::new();
    assert!(parser.set_last_event_id(seed.as_bytes()));
    let mut said = Vec::new();
    for chunk in chunks {
        let mut input = *chunk;
        while let Some(item) = parser.next(&mut input).unwrap() {
            match item {
                Item::Event(x) => said.push(Said::Event(
                    x.event.to_string(),
                    x.data.to_string(),
                    x.id.to_string(),
                )),
                Item::Retry(x) => said.push(Said::Retry(x.millis)),
                _ => {}
            }
        }
    }
    assert!(parser.finish(Eof::Discard).unwrap().is_none());
    let last_event_id = parser.last_event_id().to_string();
    Outcome {
        said,
        last_event_id,
    }
}

pub fn sse_core(chunks: &[&[u8]], seed: &str) -> Outcome {
    let mut decoder = sse_core::SseDecoder::new();
    decoder.reconnect_with_id(Some(seed.into()));
    let mut said = Vec::new();
    for chunk in chunks {
        let mut input = *chunk;
        while let Some(event) = decoder.next(&mut input) {
            said.push(match event.unwrap() {
                sse_core::SseEvent::Message(x) => Said::Event(
                    x.event.into_owned(),
                    x.data,
                    x.last_event_id.as_deref().unwrap_or_default().to_string(),
                ),
                sse_core::SseEvent::Retry(millis) => Said::Retry(millis.into()),
            });
        }
    }
    Outcome {
        said,
        last_event_id: decoder
            .last_event_id()
            .map(|id| id.to_string())
            .unwrap_or_default(),
    }
}

pub fn sse_parse(chunks: &[&[u8]], seed: &str) -> (Outcome, Option<u64>) {
    let mut parser = sse_parse::SseParser::with_last_event_id(seed);
    let mut said = Vec::new();
    for chunk in chunks {
        parser.feed(chunk);
        while let Some(x) = parser.next_event() {
            said.push(Said::Event(x.event, x.data, x.id));
        }
    }
    parser.finish();
    let retry = parser.retry().map(|t| t.as_millis() as u64);
    let last_event_id = parser.last_event_id().to_string();
    let outcome = Outcome {
        said,
        last_event_id,
    };
    (outcome, retry)
}
