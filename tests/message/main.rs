//! Complete replies: from deltas or from a non-streaming response, moderated, and counted in tokens.

mod chat;
#[cfg(feature = "moderation")]
mod moderation;
#[cfg(feature = "tokens")]
mod tokens;
mod whole;
