//! Bounds on what is remembered of a response.

/// Choices, tool calls or parts of a response that are remembered, each. A lookup compares all of them, so
/// that without a bound the work would grow with their square.
pub(crate) const MAX_KNOWN: usize = 1024;
