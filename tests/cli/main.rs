//! The command `deltawire`, run as a user runs it.

mod chat;
mod command;
mod demo;
mod listen;
mod serve;
mod served;
#[cfg(target_os = "linux")]
mod terminal;
