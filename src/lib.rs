//! Incremental, zero-copy parser for streaming LLM responses.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "delta")]
pub mod decoder;
#[cfg(feature = "delta")]
pub mod delta;
#[cfg(feature = "delta")]
pub mod dialect;
pub mod frame;
#[cfg(feature = "delta")]
pub mod message;
#[cfg(feature = "delta")]
mod template;

#[cfg(feature = "delta")]
pub use decoder::{Decoder, End, Error, Fields, Options};
#[cfg(feature = "delta")]
pub use delta::{Delta, ErrorKind, FinishReason, StreamError, Usage};
#[cfg(feature = "delta")]
pub use dialect::Dialect;
#[cfg(feature = "delta")]
pub use message::{Choice, Message, ToolCall};
