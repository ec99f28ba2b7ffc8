//! The shipped binary, driven from outside: what goes over the wire, to disk, to stdout and
//! stderr, and how it exits.
#![allow(clippy::unwrap_used, clippy::expect_used)] // clippy knows tests, not what they are made of

mod common;
mod demo;
mod endings;
mod first_request;
mod keys;
mod one_shot;
mod repl;
mod sessions;
mod signals;
mod slash;
mod tools;
mod wire;
