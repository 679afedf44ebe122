//! Other parsers, each in the best use that its documentation offers: the event's text is handed to
//! a closure, and nothing is kept or copied that the parser does not keep or copy itself.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use deltawire::frame::{Item, sse};
use deltawire::{Decoder, Delta, Options};
use futures_core::Stream;
use serde::Deserialize;
use simd_json::prelude::*;

use super::decode;

/// What splits the stream into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    Deltawire,
    /// Lines by memchr, and nothing else of the event stream format.
    Lines,
    SseStream,
    SseCore,
    EventsourceStream,
}

/// What reads an event's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Json {
    /// Nothing does: framing only.
    None,
    Deltawire,
    DeltawireWithoutTemplates,
    SonicGet,
    /// Every member that deltawire reads, by paths looked up in one pass.
    SonicMany,
    /// The same by a struct.
    SonicTyped,
    SimdTape,
    SerdeTyped,
    SerdeValue,
}

/// A way from bytes to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) frame: Frame,
    pub(crate) json: Json,
}

/// Every way that is compared: framing alone first, then all the way to text.
pub(crate) fn all() -> Vec<Peer> {
    use Frame::{Deltawire, EventsourceStream, Lines, SseCore, SseStream};
    let frames = [Deltawire, Lines, SseStream, SseCore, EventsourceStream];
    let own = [Json::Deltawire, Json::DeltawireWithoutTemplates];
    let others = [
        Json::SonicGet,
        Json::SimdTape,
        Json::SerdeTyped,
        Json::SerdeValue,
    ];
    let framing = frames.map(|frame| Peer {
        frame,
        json: Json::None,
    });
    let own = own.map(|json| Peer {
        frame: Deltawire,
        json,
    });
    let peers = frames[1..].iter().flat_map(|frame| {
        others.map(|json| Peer {
            frame: *frame,
            json,
        })
    });
    let all_fields = [Json::SonicMany, Json::SonicTyped].map(|json| Peer { frame: Lines, json });
    let own = framing.into_iter().chain(own);
    own.chain(all_fields).chain(peers).collect()
}

impl Peer {
    pub(crate) fn name(self) -> String {
        let frame = match self.frame {
            Frame::Deltawire => "deltawire",
            Frame::Lines => "memchr lines",
            Frame::SseStream => "sse-stream",
            Frame::SseCore => "sse-core",
            Frame::EventsourceStream => "eventsource-stream",
        };
        match self.json {
            Json::None => format!("{frame}, framing"),
            Json::Deltawire => "deltawire".to_owned(),
            Json::DeltawireWithoutTemplates => "deltawire, templates off".to_owned(),
            Json::SonicGet => format!("{frame} + sonic-rs get"),
            Json::SonicMany => format!("{frame} + sonic-rs get_many"),
            Json::SonicTyped => format!("{frame} + sonic-rs struct"),
            Json::SimdTape => format!("{frame} + simd-json tape"),
            Json::SerdeTyped => format!("{frame} + serde_json struct"),
            Json::SerdeValue => format!("{frame} + serde_json Value"),
        }
    }

    /// What its user gets for it.
    pub(crate) fn yields(self) -> String {
        let frame = match self.frame {
            Frame::Deltawire => "borrowed bytes, UTF-8 checked where asked for",
            Frame::Lines => "borrowed bytes of `data:` lines, no other rule of the format",
            Frame::SseStream | Frame::SseCore => "owned `String`, UTF-8 checked",
            Frame::EventsourceStream => "owned `String`s (data, event, id), UTF-8 checked",
        };
        match self.json {
            Json::None => frame.to_owned(),
            Json::Deltawire => {
                "every delta of every dialect; text borrowed; JSON checked as any before it"
                    .to_owned()
            }
            Json::DeltawireWithoutTemplates => {
                "the same, every payload parsed and checked whole".to_owned()
            }
            Json::SonicGet => format!("{frame}; one path, borrowed; JSON after it unchecked"),
            Json::SonicMany => format!("{frame}; all fields, borrowed; JSON checked whole"),
            Json::SonicTyped => format!("{frame}; a borrowing struct; JSON checked whole"),
            Json::SimdTape => format!("{frame}; any path, borrowed; JSON checked whole"),
            Json::SerdeTyped => format!("{frame}; a borrowing struct; JSON checked whole"),
            Json::SerdeValue => format!("{frame}; an owned tree; JSON checked whole"),
        }
    }

    pub(crate) fn is_framing(self) -> bool {
        self.json == Json::None
    }

    /// Reads a stream of OpenAI chat chunks, text piece by text piece; for framing, payload by
    /// payload.
    #[inline]
    pub(crate) fn run(self, pieces: &[&[u8]], mut text: impl FnMut(&[u8])) {
        match self.json {
            Json::None => self.frame.run(pieces, |data| text(data.bytes())),
            Json::Deltawire | Json::DeltawireWithoutTemplates => {
                let mut options = Options::default();
                options.templates = self.json == Json::Deltawire;
                let mut decoder = Decoder::with_options(options);
                decode(&mut decoder, pieces.iter().copied(), |delta| {
                    if let Delta::Text { text: piece, .. } = delta {
                        text(piece.as_bytes());
                    }
                });
            }
            Json::SonicGet => {
                // `get` checks what it passes on its way to the path, `get_unchecked` nothing.
                let path = sonic_rs::pointer!["choices", 0, "delta", "content"];
                self.frame.run(pieces, |data| {
                    if let Ok(value) = sonic_rs::get_from_str(data.str(), path.iter())
                        && let Some(piece) = sonic_rs::JsonValueTrait::as_str(&value)
                    {
                        text(piece.as_bytes());
                    }
                });
            }
            Json::SonicMany => {
                let tree = fields();
                self.frame.run(pieces, |data| {
                    let Ok(values) = sonic_rs::get_many(data.str(), &tree) else {
                        return;
                    };
                    let values = std::hint::black_box(values);
                    if let Some(Some(value)) = values.first()
                        && let Some(piece) = sonic_rs::JsonValueTrait::as_str(value)
                    {
                        text(piece.as_bytes());
                    }
                });
            }
            Json::SonicTyped => self.frame.run(pieces, |data| {
                if let Ok(chunk) = sonic_rs::from_str::<Chunk<'_>>(data.str()) {
                    chunk.read(&mut text);
                }
            }),
            Json::SimdTape => {
                // It parses in place, and the payload is owned already: buffers and tape are reused.
                let mut buffers = simd_json::Buffers::new(1024);
                let mut kept = Some(simd_json::Tape::null());
                self.frame.run(pieces, |data| {
                    let mut bytes = data.into_bytes();
                    let mut tape = kept.take().unwrap_or_else(simd_json::Tape::null).reset();
                    if simd_json::fill_tape(&mut bytes, &mut buffers, &mut tape).is_ok()
                        && let Some(piece) = content(tape.as_value())
                    {
                        text(piece.as_bytes());
                    }
                    kept = Some(tape.reset());
                });
            }
            Json::SerdeTyped => self.frame.run(pieces, |data| {
                if let Ok(chunk) = serde_json::from_str::<Chunk<'_>>(data.str()) {
                    chunk.read(&mut text);
                }
            }),
            Json::SerdeValue => self.frame.run(pieces, |data| {
                let Ok(value) = serde_json::from_str::<serde_json::Value>(data.str()) else {
                    return;
                };
                if let Some(piece) = value["choices"][0]["delta"]["content"].as_str() {
                    text(piece.as_bytes());
                }
            }),
        }
    }
}

/// The members of a chat chunk that deltawire reads, the text first.
fn fields() -> sonic_rs::PointerTree {
    let mut tree = sonic_rs::PointerTree::new();
    let paths: [&[sonic_rs::PointerNode]; 12] = [
        &sonic_rs::pointer!["choices", 0, "delta", "content"],
        &sonic_rs::pointer!["choices", 0, "delta", "role"],
        &sonic_rs::pointer!["choices", 0, "delta", "reasoning_content"],
        &sonic_rs::pointer!["choices", 0, "delta", "refusal"],
        &sonic_rs::pointer!["choices", 0, "delta", "tool_calls"],
        &sonic_rs::pointer!["choices", 0, "index"],
        &sonic_rs::pointer!["choices", 0, "finish_reason"],
        &sonic_rs::pointer!["id"],
        &sonic_rs::pointer!["model"],
        &sonic_rs::pointer!["object"],
        &sonic_rs::pointer!["usage"],
        &sonic_rs::pointer!["error"],
    ];
    for path in paths {
        tree.add_path(path.iter());
    }
    tree
}

fn content<'t>(root: simd_json::tape::Value<'t, 't>) -> Option<&'t str> {
    let choice = root.get("choices")?.as_array()?.get(0)?;
    choice.get("delta")?.get("content")?.into_string()
}

/// A payload as a framing parser hands it out.
enum Data<'a> {
    Borrowed(&'a [u8]),
    Owned(String),
}

impl Data<'_> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Data::Borrowed(bytes) => bytes,
            Data::Owned(text) => text.as_bytes(),
        }
    }

    #[inline]
    fn str(&self) -> &str {
        match self {
            Data::Borrowed(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            Data::Owned(text) => text,
        }
    }

    #[inline]
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Data::Borrowed(bytes) => bytes.to_vec(),
            Data::Owned(text) => text.into_bytes(),
        }
    }
}

impl Frame {
    #[inline]
    fn run(self, pieces: &[&[u8]], mut data: impl FnMut(Data<'_>)) {
        let pieces = pieces.iter().copied();
        match self {
            Frame::Deltawire => {
                let mut parser = sse::Parser::new();
                for piece in pieces {
                    let mut input = piece;
                    while let Ok(Some(item)) = parser.next(&mut input) {
                        if let Item::Event(event) = item {
                            data(Data::Borrowed(event.data.as_bytes()));
                        }
                    }
                }
            }
            Frame::Lines => {
                let mut carry = Vec::new();
                let mut line = |line: &[u8]| {
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    if let Some(payload) = line.strip_prefix(b"data: ")
                        && payload != b"[DONE]"
                    {
                        data(Data::Borrowed(payload));
                    }
                };
                for piece in pieces {
                    let mut rest = piece;
                    while let Some(end) = memchr::memchr(b'\n', rest) {
                        let (head, tail) = (&rest[..end], &rest[end + 1..]);
                        if carry.is_empty() {
                            line(head);
                        } else {
                            carry.extend_from_slice(head);
                            line(&carry);
                            carry.clear();
                        }
                        rest = tail;
                    }
                    carry.extend_from_slice(rest);
                }
            }
            Frame::SseStream => poll(sse_stream::SseByteStream::new(Pieces(pieces)), |event| {
                if let Ok(Some(payload)) = event.map(|event| event.data) {
                    data(Data::Owned(payload));
                }
            }),
            Frame::SseCore => {
                // Its `Stream` is a little slower than this.
                let mut decoder = sse_core::SseDecoder::new();
                for piece in pieces {
                    let mut input = piece;
                    while let Some(event) = decoder.next(&mut input) {
                        if let Ok(sse_core::SseEvent::Message(message)) = event {
                            data(Data::Owned(message.data));
                        }
                    }
                }
            }
            Frame::EventsourceStream => {
                let stream = eventsource_stream::EventStream::new(Pieces(pieces));
                poll(stream, |event| {
                    if let Ok(event) = event {
                        data(Data::Owned(event.data));
                    }
                });
            }
        }
    }
}

/// Pieces that are all there already.
struct Pieces<I>(I);

impl<'a, I: Iterator<Item = &'a [u8]> + Unpin> Stream for Pieces<I> {
    type Item = Result<&'a [u8], Infallible>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

/// Drives a stream by hand: its pieces are there, so it is never pending.
#[inline]
fn poll<S: Stream>(stream: S, mut item: impl FnMut(S::Item)) {
    let mut stream = pin!(stream);
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(next)) = stream.as_mut().poll_next(&mut context) {
        item(next);
    }
}

/// A chunk as a careful user of serde would write it: everything that a delta says, all borrowed.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read is what costs")]
struct Chunk<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    usage: Option<Usage>,
    #[serde(borrow)]
    error: Option<Text<'a>>,
}

impl Chunk<'_> {
    #[inline]
    fn read(&self, text: &mut impl FnMut(&[u8])) {
        for choice in &std::hint::black_box(self).choices {
            if let Some(Text(piece)) = &choice.delta.content {
                text(piece.as_bytes());
            }
        }
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read is what costs")]
struct Choice<'a> {
    index: u32,
    #[serde(borrow)]
    delta: Message<'a>,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read is what costs")]
struct Message<'a> {
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<Text<'a>>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
    #[serde(borrow)]
    reasoning_content: Option<Text<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read is what costs")]
struct ToolCall<'a> {
    index: u32,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read is what costs")]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read is what costs")]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

/// Serde borrows a `Cow` in a field, but not one in an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
