//! The C ABI, over the public Rust API alone. For users its documentation is `include/deltawire.h`,
//! which `tests/capi/header.rs` makes of these files: a file is a section of the header, its head
//! the section's introduction, and the items bear their C names and the comments that C shows.
//!
//! How a function is written. It checks its arguments, of which it believes nothing but that
//! pointers that are not NULL point to what the header says; enumerations come in as `u32`. It works
//! inside `boundary::run` or `boundary::enter`, which catch panics. What it calls is safe code:
//! `unsafe` is for turning C's pointers into references and back, nothing else.
#![allow(
    unsafe_code,
    unreachable_pub,
    reason = "C gives and takes pointers, and its functions are public by their symbols"
)]
#![allow(
    rustdoc::bare_urls,
    reason = "the comments are the header's too, where Markdown is nothing"
)]
#![allow(
    non_camel_case_types,
    clippy::enum_variant_names,
    reason = "the names are those of the header"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "what a caller must keep to stands in the header, at its objects and pointers"
)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod batch;
mod boundary;
pub mod client;
pub mod decoder;
pub mod delta;
pub mod message;
pub mod moderation;
pub mod names;
mod options;
pub mod parser;
pub mod slice;
pub mod status;
mod transport;
pub mod version;
mod window;

/// What the header says of threads: objects may move, and a client and cancelling be shared.
const _: () = {
    const fn may_move<T: Send>() {}
    const fn may_be_shared<T: Send + Sync>() {}
    may_move::<crate::frame::Parser<Vec<u8>>>();
    may_move::<crate::Decoder>();
    may_move::<crate::Message>();
    may_move::<transport::Stream>();
    may_be_shared::<transport::Client>();
    may_be_shared::<transport::Cancel>();
};
