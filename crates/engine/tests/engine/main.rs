//! The engine's tests: through its public seams, with a scripted model and tools of our own.

// What a test stands on may fail as the test may, and looks only at what it is about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::wildcard_enum_match_arm)]

mod common;

mod budget;
mod consent;
mod context;
mod fold;
mod gate;
mod interrupt;
mod journal;
mod lessons;
mod schedule;
mod tokens;
mod tools;
mod turn;
