//! Names of members that a caller adds to those of OpenAI's chat format.

use alloc::string::String;

/// Names of members of an OpenAI chat delta, see [`Options::fields`](crate::Options::fields).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Fields {
    /// A member with a piece of the reply.
    pub text: Option<String>,
    /// A member with a piece of the reasoning.
    pub reasoning: Option<String>,
}
