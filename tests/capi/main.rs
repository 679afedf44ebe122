//! The C ABI: the header, the symbols and the layouts are what they are said to be, and from C the
//! library does what it does from Rust.
//!
//! What needs a C compiler says `SKIPPED` where there is none.

mod header;
