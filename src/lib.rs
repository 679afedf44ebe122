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
//! # let large = [b'x'; 300];
//! # for chunk in [&b"data: "[..], &large, b"\n\n"] {
//! #     let mut input = chunk;
//! #     while let Some(item) = parser.next(&mut input).transpose() {
//! #         assert!(item.is_err());
//! #     }
//! # }
//! for chunk in [&b": ping\n\nevent: greeting\rdata: hel"[..], b"lo\r\n\r", b"\n"] {
//!     let mut input = chunk;
//!     while let Some(item) = parser.next(&mut input).transpose() {
//!         match item {
//!             Ok(Item::Event(event)) => {
//!                 assert_eq!(event.event, "greeting");
//!                 assert_eq!(event.data, "hello");
//!                 events += 1;
//!             }
//!             Ok(_) => {}
//!             Err(error) => eprintln!("skipped: {error}"), // an event larger than the memory
//!         }
//!     }
//! }
//! assert_eq!(events, 1);
//! ```
//!
//! ## Deltas
//!
//! A [`Decoder`] reads one response. The first events show the dialect, unless [`Options::dialect`]
//! sets it; [`dialect`] lists the dialects and how they are recognised. One event makes any number of
//! deltas, and each call returns one. A malformed event is a delta too, so the loop below goes on after it.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Delta, End, FinishReason};
//!
//! let body = br#"event: content_block_delta
//! data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}
//!
//! event: content_block_delta
//! data: {oops
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
//!     Delta::Invalid { error, .. } => eprintln!("skipped: {error}"),
//!     _ => {}
//! };
//! let mut decoder = Decoder::new();
//! for chunk in body.chunks(50) {
//!     let mut input = chunk;
//!     while let Some(delta) = decoder.next(&mut input) {
//!         read(delta);
//!     }
//! }
//! while let Some(delta) = decoder.finish() {
//!     read(delta);
//! }
//! assert_eq!(text, "Hello");
//! assert_eq!((reason, tokens), (Some(FinishReason::Stop), Some(5)));
//! assert_eq!((decoder.end(), decoder.invalid()), (End::Complete, 1));
//! ```
//!
//! With closures the same is shorter: [`Decoder::feed`] for each chunk, then [`Decoder::close`].
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
//! let stream = br#"data: {"choices":[{"index":0,"delta":{"content":"4"}}]}
//!
//! data: {oops
//!
//! data: {"choices":[{"index":0,"delta":{"content":"2"},"finish_reason":"stop"}]}
//!
//! data: [DONE]
//!
//! "#;
//! let mut decoder = Decoder::new();
//! let mut streamed = Message::new();
//! let mut input = &stream[..];
//! while let Some(delta) = decoder.next(&mut input) {
//!     streamed.push(&delta);
//! }
//! while let Some(delta) = decoder.finish() {
//!     streamed.push(&delta);
//! }
//! streamed.finish(decoder.end());
//! assert_eq!(streamed.invalid, 1); // an event was lost, perhaps with text
//!
//! let body = br#"{"choices":[{"index":0,"message":{"content":"42"},"finish_reason":"stop"}]}"#;
//! let whole = Message::from_response(body)?;
//! assert_eq!(whole.text(), "42");
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
#![cfg_attr(feature = "client", doc = "```")]
#![cfg_attr(not(feature = "client"), doc = "```ignore")]
//! use deltawire::Delta;
//! use deltawire::client::{Client, Request};
//!
//! let client = Client::compatible("http://127.0.0.1:8080/v1", None)?;
//! # // A server whose reply has a malformed event.
//! # let server = deltawire_test_support::server::Server::malformed();
//! # let client = Client::compatible(&server.url, None)?;
//! # let mut printed = String::new();
//! let mut request = Request::chat("tiny-chat-1");
//! request.push("user", "Say hello");
//! let mut stream = client.stream(&request)?;
//! while let Some(delta) = stream.next()? {
//!     if let Delta::Text { text, .. } = delta {
//!         print!("{text}");
//!         # printed.push_str(text);
//!     }
//! }
//! assert_eq!(stream.end(), deltawire::End::Complete);
//! # assert_eq!((&*printed, stream.decoder().invalid()), ("before after", 1));
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
//! use deltawire::{Decoder, Delta, End};
//!
//! async fn read(mut chunk: impl AsyncFnMut() -> Option<Vec<u8>>) -> (String, End) {
//!     let (mut decoder, mut reply) = (Decoder::new(), String::new());
//!     let mut read = |delta: Delta<'_>| {
//!         if let Delta::Text { text, .. } = delta {
//!             reply.push_str(text);
//!         }
//!     };
//!     while let Some(chunk) = chunk().await {
//!         let mut input = &chunk[..];
//!         while let Some(delta) = decoder.next(&mut input) {
//!             read(delta);
//!         }
//!     }
//!     let end = decoder.close(read);
//!     (reply, end)
//! }
//! # let mut body = [
//! #     &b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n"[..],
//! #     b"data: {oops\n\n",
//! #     b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n",
//! #     b"data: [DONE]\n\n",
//! # ].into_iter();
//! # let mut reading = std::pin::pin!(read(async move || body.next().map(<[u8]>::to_vec)));
//! # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! # let std::task::Poll::Ready(read) = reading.as_mut().poll(&mut context) else { panic!() };
//! # assert_eq!(read, ("Hello".to_owned(), End::Complete));
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
//! let first = decoder.next(&mut input);
//! let second = decoder.next(&mut input); // `decoder` is still lent to `first`
//! println!("{first:?}");
//! ```
//!
//! Copied are a line that a chunk's end cuts, an event of several `data` lines, a string with escapes.
//! A decoder that has read a stream reads another one like it, after [`Decoder::reset`], without
//! allocating (`tests/decoder/alloc_decoder.rs`).
//!
//! # Errors
//!
//! There are two kinds. Both are deltas, and neither ends the stream.
//!
//! - [`Delta::Invalid`] is an event that cannot be decoded: too large, damaged, or not JSON. It says where
//!   the event begins. Log it and read on. The event may have had text of the reply, so do not call the
//!   reply whole if [`Decoder::invalid`] or [`Message::invalid`] is not 0. A damaged length in an AWS frame
//!   makes the rest of the stream unreadable, see [`frame::Error::BadFrame`].
//! - [`Delta::Error`] is what the provider itself reports, with an [`ErrorKind`] that is the same for all
//!   providers.
//!
//! `next` of a client's stream returns an `Err` if the connection failed.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Delta, Error};
//!
//! let mut decoder = Decoder::new();
//! let mut input = &b"data: {oops\n\ndata: [DONE]\n\n"[..];
//! let error = Error::NotJson { offset: 0, at: 1 };
//! assert_eq!(decoder.next(&mut input), Some(Delta::Invalid { offset: 0, error }));
//! let other = Delta::Other { event: "message", raw: b"{oops" };
//! assert_eq!(decoder.next(&mut input), Some(other));
//! assert_eq!(decoder.next(&mut input), Some(Delta::Done));
//! ```
//!
//! # Details
//!
//! A value that the model has no field for is a [`Delta::Detail`], with the provider's name and the value as
//! JSON text: `logprobs`, citations, signatures, what a router charged. Nothing of a payload is lost. Ignore
//! the details that you do not use. Some have to be sent back with the next request. `docs/details.md`
//! has the rules, and [`Options::details`] turns details off.
//!
#![cfg_attr(feature = "delta", doc = "```")]
#![cfg_attr(not(feature = "delta"), doc = "```ignore")]
//! use deltawire::{Decoder, Delta, Scope};
//!
//! let mut input = &br#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"cost":0.01}}
//!
//! "#[..];
//! let (mut decoder, mut cost) = (Decoder::new(), None);
//! # let mut malformed = &b"data: {oops\n\n"[..];
//! # while decoder.next(&mut malformed).is_some() {}
//! while let Some(delta) = decoder.next(&mut input) {
//!     if let Delta::Detail { scope: Scope::Response, name: "usage.cost", value } = delta {
//!         cost = value.parse().ok();
//!     }
//! }
//! assert_eq!(cost, Some(0.01));
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
//! # let mut malformed = &b"data: {oops\n\n"[..];
//! # while decoder.next(&mut malformed).is_some() {}
//! while decoder.next(&mut input).is_some() {}
//! while decoder.finish().is_some() {}
//! assert_eq!(decoder.end(), End::Truncated);
//! ```
//!
//! If the server sends one JSON body in place of a stream, because `stream` was forgotten or ignored,
//! [`Decoder::finish`] reads it into the same deltas.
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
mod utf8;

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

/// The examples of the guide to details.
#[cfg(all(doctest, feature = "delta"))]
#[doc = include_str!("../docs/details.md")]
struct Details;

/// The examples of the migration guide.
#[cfg(all(doctest, feature = "delta"))]
#[doc = include_str!("../docs/migrating.md")]
struct Migrating;
