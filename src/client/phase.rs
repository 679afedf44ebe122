//! The parts of a call that have a limit on time of their own.

/// What was waited for when time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The connection: looking up the name, reaching the address, TLS.
    Connect,
    /// The first byte of the body, the response's head before it.
    FirstByte,
    /// The next bytes, whatever they are.
    Idle,
    /// Bytes that are more than a sign of life.
    Content,
}
