//! The same by `eventsource-stream` and `serde_json`, to measure against: OpenAI's chat chunks, read
//! into structs that borrow what can be borrowed.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use deltawire::{FinishReason, Usage};
use eventsource_stream::EventStream;
use futures_core::Stream;
use serde::Deserialize;

use crate::watch::Seen;

/// Reads frames as they pass.
pub(crate) struct Peer {
    events: Pin<Box<EventStream<Frames>>>,
    frames: std::rc::Rc<std::cell::RefCell<VecDeque<Bytes>>>,
    is_done: bool,
}

/// The frames that wait. It is pending in between, as a body is.
struct Frames(std::rc::Rc<std::cell::RefCell<VecDeque<Bytes>>>);

impl Stream for Frames {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.borrow_mut().pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Poll::Pending,
        }
    }
}

impl Default for Peer {
    fn default() -> Self {
        let frames = std::rc::Rc::default();
        Peer {
            events: Box::pin(EventStream::new(Frames(std::rc::Rc::clone(&frames)))),
            frames,
            is_done: false,
        }
    }
}

impl Peer {
    pub(crate) fn look(&mut self, frame: &Bytes, seen: &mut Seen) {
        self.frames.borrow_mut().push_back(frame.clone());
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = self.events.as_mut().poll_next(&mut context) {
            seen.events += 1;
            let Ok(event) = event else {
                seen.unreadable += 1;
                continue;
            };
            if event.data == "[DONE]" {
                self.is_done = true;
                continue;
            }
            match serde_json::from_str::<Chunk<'_>>(&event.data) {
                Ok(chunk) => chunk.tell(seen),
                Err(_) => seen.unreadable += 1,
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: u32,
    #[serde(borrow)]
    delta: Message<'a>,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Counts {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

/// Serde borrows a `Cow` in a field, but not one in an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Chunk<'_> {
    fn tell(&self, seen: &mut Seen) {
        for choice in &self.choices {
            if let Some(Text(text)) = &choice.delta.content {
                seen.text_len += text.len() as u64;
                if let Some(pieces) = &mut seen.text {
                    pieces.push((choice.index, Bytes::copy_from_slice(text.as_bytes())));
                }
            }
            if let Some(Text(reason)) = &choice.finish_reason {
                seen.finishes.push((choice.index, named(reason)));
            }
        }
        if let Some(counts) = &self.usage {
            let mut usage = Usage::default();
            usage.input_tokens = Some(counts.prompt_tokens);
            usage.output_tokens = Some(counts.completion_tokens);
            usage.total_tokens = Some(counts.total_tokens);
            seen.usage.merge(&usage);
        }
    }
}

fn named(reason: &str) -> FinishReason {
    match reason {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}
