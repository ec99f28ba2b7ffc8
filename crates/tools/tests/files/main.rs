//! The tools on files, each call through the gate as in a session.
#![allow(clippy::unwrap_used, clippy::too_many_lines)]

mod bench;
mod edit;
mod find;
mod grep;
mod keep;
mod property;
mod pure;
mod read;
mod write;
