//! Incremental, zero-copy parser for streaming LLM responses: the bytes of a response in, borrowed
//! pieces of the reply out.
//!
//! The core does no I/O and has no runtime, no threads and no callbacks. The caller brings chunks
//! from wherever they come, cut wherever they may be, and pulls what they complete.
//!
//! # Layers
//!
//! | | makes | of | feature |
//! |---|---|---|---|
//! | [`frame`] | events | chunks of bytes | none: no `std`, no allocator |
//! | [`Decoder`] | [`Delta`]s: text, reasoning, tool calls, usage, errors | chunks of bytes | `delta` |
//! | [`Message`] | one owned reply | deltas, or a whole response | `delta` |
//! | [client] | a stream of deltas | a request | `client` |
//!
//! All of them but [`Message`] are read in one way. `next` is given `&mut &[u8]`, the caller's chunk:
//! it returns one thing and moves the slice past the bytes used. `None` means that the slice is used
//! up and the next chunk is wanted. (A client's stream reads its own chunks, so there it is the end.)
//!
//! ## Framing
//!
//! Events by the letter of HTML section 9.2.6, and two framings of the same shape for the providers
//! that use another. Values are bytes, and text on demand.
//!
//! ```
//! use deltawire::frame::{Item, sse};
//!
//! let mut memory = [0; 256];
//! let mut parser = sse::Parser::in_memory(&mut memory);
//! let mut events = 0;
//! for chunk in [&b": ping\n\nevent: greeting\rdata: hel"[..], b"lo\r\n\r", b"\n"] {
//!     let mut input = chunk;
//!     while let Some(item) = parser.next(&mut input)? {
//!         if let Item::Event(event) = item {
//!             assert_eq!(event.event, "greeting");
//!             assert_eq!(event.data, "hello");
//!             events += 1;
//!         }
//!     }
//! }
//! assert_eq!(events, 1);
//! # Ok::<(), deltawire::frame::Error>(())
//! ```
//!
//! ## Deltas
//!
//! A [`Decoder`] reads one response. Whose it is shows in its first events, unless
//! [`Options::dialect`] says it; [`dialect`] has the table of what is recognised and how. One event
//! gives any number of deltas, handed out one a call.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Delta, End, FinishReason};
//!
//! let body = br#"event: content_block_delta
//! data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}
//!
//! event: message_delta
//! data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}
//!
//! event: message_stop
//! data: {"type":"message_stop"}
//!
//! "#;
//! let (mut text, mut reason, mut tokens) = (String::new(), None, None);
//! let mut read = |delta: Delta<'_>| match delta {
//!     Delta::Text { text: piece, .. } => text.push_str(piece),
//!     Delta::Finish { reason: why, .. } => reason = Some(why),
//!     Delta::Usage(usage) => tokens = usage.output_tokens,
//!     _ => {}
//! };
//! let mut decoder = Decoder::new();
//! for chunk in body.chunks(50) {
//!     let mut input = chunk;
//!     while let Some(delta) = decoder.next(&mut input)? {
//!         read(delta);
//!     }
//! }
//! while let Some(delta) = decoder.finish()? {
//!     read(delta);
//! }
//! assert_eq!(text, "Hello");
//! assert_eq!((reason, tokens), (Some(FinishReason::Stop), Some(5)));
//! assert_eq!(decoder.end(), End::Complete);
//! # Ok::<(), deltawire::Error>(())
//! ```
//!
//! ## Messages
//!
//! A [`Message`] keeps what the deltas of a stream say, choice by choice, and when they came where it
//! is told. A whole response, one that was not streamed, is read into the same type.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Message};
//!
//! let stream = br#"data: {"choices":[{"index":0,"delta":{"content":"2"},"finish_reason":"stop"}]}
//!
//! data: [DONE]
//!
//! "#;
//! let mut decoder = Decoder::new();
//! let mut streamed = Message::new();
//! let mut input = &stream[..];
//! while let Some(delta) = decoder.next(&mut input)? {
//!     streamed.push(&delta);
//! }
//! while let Some(delta) = decoder.finish()? {
//!     streamed.push(&delta);
//! }
//! streamed.finish(decoder.end());
//!
//! let body = br#"{"choices":[{"index":0,"message":{"content":"2"},"finish_reason":"stop"}]}"#;
//! let whole = Message::from_response(body)?;
//! assert_eq!(whole.text(), "2");
//! assert_eq!(whole.choices, streamed.choices);
//! assert!(whole.is_complete() && streamed.is_complete());
//! # Ok::<(), deltawire::Error>(())
//! ```
//!
//! ## Client
//!
//! A request over HTTP whose response is read through a [`Decoder`] as it comes, from OpenAI, Azure,
//! Anthropic, Gemini, Ollama or whoever speaks like one of them. It blocks; another thread can cancel.
//!
#![cfg_attr(feature = "client", doc = "```no_run")]
#![cfg_attr(not(feature = "client"), doc = "```ignore")]
//! use deltawire::Delta;
//! use deltawire::client::{Client, Request};
//!
//! let client = Client::compatible("http://127.0.0.1:8080/v1", None)?;
//! let mut request = Request::chat("tiny-chat-1");
//! request.push("user", "Say hello");
//! let mut stream = client.stream(&request)?;
//! while let Some(delta) = stream.next()? {
//!     if let Delta::Text { text, .. } = delta {
//!         print!("{text}");
//!     }
//! }
//! assert_eq!(stream.end(), deltawire::End::Complete);
//! # Ok::<(), deltawire::client::Error>(())
//! ```
//!
//! ## Async
//!
//! The core never waits, so a body of any runtime does: what is awaited is the next chunk, such as
//! `response.chunk()` of `reqwest` or a frame of `hyper`. `examples/async` and `examples/gateway` are
//! whole programs.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Delta, End, Error};
//!
//! async fn read(mut chunk: impl AsyncFnMut() -> Option<Vec<u8>>) -> Result<(String, End), Error> {
//!     let (mut decoder, mut reply) = (Decoder::new(), String::new());
//!     let mut read = |delta: Delta<'_>| {
//!         if let Delta::Text { text, .. } = delta {
//!             reply.push_str(text);
//!         }
//!     };
//!     while let Some(chunk) = chunk().await {
//!         let mut input = &chunk[..];
//!         while let Some(delta) = decoder.next(&mut input)? {
//!             read(delta);
//!         }
//!     }
//!     while let Some(delta) = decoder.finish()? {
//!         read(delta);
//!     }
//!     Ok((reply, decoder.end()))
//! }
//! # let mut body = vec![b"data: [DONE]\n\n".to_vec(), b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n".to_vec()];
//! # let mut reading = std::pin::pin!(read(async move || body.pop()));
//! # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! # let std::task::Poll::Ready(read) = reading.as_mut().poll(&mut context) else { panic!() };
//! # assert_eq!(read?, ("Hi".to_owned(), End::Complete));
//! # Ok::<(), Error>(())
//! ```
//!
//! # What is borrowed
//!
//! An item borrows from the chunk where it lies whole in it, and so does the text of a delta whose event
//! a template reads, which most are; else they borrow from the memory of what made them. Either way
//! **they live until the next call** on the parser, decoder or stream, and the
//! compiler holds the caller to that. What is to be kept is copied, or put into a [`Message`].
//!
#![cfg_attr(feature = "delta", doc = "```compile_fail,E0499")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! # use deltawire::Decoder;
//! # let mut decoder = Decoder::new();
//! # let mut input = &b""[..];
//! let first = decoder.next(&mut input)?;
//! let second = decoder.next(&mut input)?; // `decoder` is still lent to `first`
//! println!("{first:?}");
//! # Ok::<(), deltawire::Error>(())
//! ```
//!
//! Copied are a line that a chunk's end cuts, an event of several `data` lines, a string with escapes.
//! A decoder that has read a stream reads another one like it, after [`Decoder::reset`], without
//! allocating (`tests/decoder/alloc_decoder.rs`).
//!
//! # Errors
//!
//! There are two kinds, and neither ends the stream.
//!
//! - An `Err` is about one event that cannot be read: too large, or not JSON. It says where the event
//!   begins. Call on: what is behind it comes. So `?` on `next` is for those who want to give up. (Of
//!   AWS's binary frames some damage leaves nothing to go on with, see [`frame::Error::BadFrame`]; and
//!   a client's stream has errors of its connection too.)
//! - What the provider itself reports is a [`Delta::Error`] among the deltas, with a [`ErrorKind`] that
//!   is the same for all providers.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Delta, Error};
//!
//! let mut decoder = Decoder::new();
//! let mut input = &b"data: {\"id\":\n\ndata: [DONE]\n\n"[..];
//! let error = decoder.next(&mut input).unwrap_err();
//! assert!(matches!(error, Error::NotJson { offset: 0, .. }));
//! let other = Delta::Other { event: "message", raw: b"{\"id\":" };
//! assert_eq!(decoder.next(&mut input)?, Some(other));
//! assert_eq!(decoder.next(&mut input)?, Some(Delta::Done));
//! # Ok::<(), deltawire::Error>(())
//! ```
//!
//! # The end of a stream
//!
//! That no more bytes come says nothing of whether all came. So when they are used up, call
//! [`Decoder::finish`] until it returns `None`; then [`Decoder::end`] is [`End::Complete`] only if the
//! dialect's own terminator came, or all of a sender that is known to send none.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, End};
//!
//! let mut decoder = Decoder::new();
//! let mut input = &b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n"[..];
//! while decoder.next(&mut input)?.is_some() {}
//! while decoder.finish()?.is_some() {}
//! assert_eq!(decoder.end(), End::Truncated);
//! # Ok::<(), deltawire::Error>(())
//! ```
//!
//! # Beyond the standard
//!
//! Framing dispatches what the standard does and no more. A [`Decoder`] differs in one thing: an
//! event that the end of the stream robbed of its blank line counts if its payload is whole, since some
//! servers forget the line; [`Options::eof`] changes that. An event may have 16 MiB
//! ([`frame::MAX_EVENT_BYTES`]) unless told otherwise.
//!
//! # Features
//!
//! | | default | gives |
//! |---|---|---|
//! | none | | [`frame`], with memory from the caller |
//! | `alloc` | | a `Vec` in place of that memory |
//! | `std` | yes | `memchr` that chooses its SIMD at run time |
//! | `delta` | yes | [`Decoder`] and [`Message`], and `std` |
//! | `moderation` | | [moderation], and `delta` |
//! | `tokens` | | [tokens], and `delta` |
//! | `client` | | the [client], and `delta` |
//! | `capi` | | the C ABI, whose documentation is `include/deltawire.h`; and `delta` |
//! | `cli` | | the command `deltawire`, and `client` |
//!
#![cfg_attr(feature = "client", doc = "[client]: crate::client")]
#![cfg_attr(not(feature = "client"), doc = "[client]: #client")]
#![cfg_attr(feature = "tokens", doc = "[tokens]: crate::tokens")]
#![cfg_attr(not(feature = "tokens"), doc = "[tokens]: #features")]
#![cfg_attr(feature = "moderation", doc = "[moderation]: crate::moderation")]
#![cfg_attr(not(feature = "moderation"), doc = "[moderation]: #features")]
#![cfg_attr(not(feature = "delta"), allow(rustdoc::broken_intra_doc_links))]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
// The command names the library as any user does.
#[cfg(feature = "cli")]
extern crate self as deltawire;

#[cfg(feature = "capi")]
#[doc(hidden)]
pub mod capi;
/// The command. Not part of the API: any version may change it.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "delta")]
pub mod decoder;
#[cfg(feature = "delta")]
pub mod delta;
#[cfg(feature = "delta")]
pub mod dialect;
#[cfg(feature = "delta")]
mod fallible;
pub mod frame;
#[cfg(feature = "delta")]
mod json;
#[cfg(feature = "delta")]
pub mod message;
#[cfg(feature = "moderation")]
pub mod moderation;
#[cfg(feature = "delta")]
mod reply;
#[cfg(feature = "delta")]
mod template;
#[cfg(feature = "tokens")]
pub mod tokens;

#[cfg(feature = "delta")]
pub use decoder::{Decoder, DetailLevel, End, Error, Fields, Options};
#[cfg(feature = "delta")]
pub use delta::{Delta, ErrorKind, FinishReason, Scope, StreamError, Usage};
#[cfg(feature = "delta")]
pub use dialect::Dialect;
#[cfg(feature = "delta")]
pub use fallible::OutOfMemory;
#[cfg(feature = "delta")]
pub use message::{Choice, Message, ToolCall};

/// The README's examples, compiled as they stand there.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the Rust guide.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../docs/rust.md")]
struct Rust;

/// The examples of the migration guide.
#[cfg(all(doctest, feature = "delta"))]
#[doc = include_str!("../docs/migrating.md")]
struct Migrating;
