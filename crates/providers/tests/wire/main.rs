//! Tests of the wires.

mod asking;
mod decode;
mod failing;
mod reading;
mod sse;
mod streams;
mod vendor;
