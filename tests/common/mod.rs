//! What several tests need.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and uses its part"
)]

#[cfg(feature = "delta")]
pub mod cases;
#[cfg(feature = "delta")]
pub mod decoding;
pub mod framing;
#[cfg(feature = "delta")]
pub mod json;
pub mod naive;
pub mod others;
pub mod random;
