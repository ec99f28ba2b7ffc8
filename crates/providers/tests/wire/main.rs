//! Tests of the wires.

// What a test stands on may fail as the test may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod asking;
mod decode;
mod failing;
mod loopback;
mod reading;
mod sse;
mod streams;
mod vendor;
