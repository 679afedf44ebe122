//! The repository itself: documents, dependencies, what is packaged, and how the modules of `src` depend
//! on each other.
//!
//! `cargo test` leaves these out, since they say nothing of the library's behaviour and run other
//! programs: `cargo test --all-features --test repo`, or `.ci/run repo`.

mod dependencies;
mod markdown;
mod modules;
mod packaging;
mod security;
mod snippets;
