//! What the tests stand on, and the demo with them: a model that says what a script tells it to,
//! and places to run a program in.
//!
//! In reading order:
//! - [`latch`]: a signal, so that nothing waits by the clock
//! - [`reply`]: what the scripted model says, and how its chunks look on the wire
//! - [`fault`]: every way in which those chunks and their lines can be broken
//! - [`wire`]: a response byte for byte; `refusal` names the ones that are not a stream
//! - [`script`]: which round answers which request
//! - [`server`]: the script as a strict Chat Completions endpoint on loopback
//! - [`chat`]: what that endpoint does not accept
//! - [`model`]: the same script as the engine's `Model`, without a network
//! - [`world`], [`run`] and [`terminal`]: a temporary project, a program run in it, a screen
//! - [`transcript`]: a conversation as a story, script and expectation in one file
//!
//! The server uses threads and blocking sockets on purpose: which bytes go out in which write is
//! the whole point of it.

pub mod chat;
pub mod fault;
/// A gate that lets everything pass.
pub mod gate;
mod http;
pub mod latch;
pub mod model;
pub mod refusal;
pub mod reply;
pub mod run;
pub mod script;
pub mod server;
pub mod terminal;
pub mod transcript;
pub mod wire;
pub mod world;

pub use fault::{Calls, Chunks, Ends, Fault, Lines};
pub use latch::Latch;
pub use model::{Said, Scripted};
pub use reply::Reply;
pub use run::{Ran, Run, Running};
pub use script::{Round, Script};
pub use server::{Received, Server};
pub use terminal::Terminal;
pub use wire::Wire;
pub use world::World;
