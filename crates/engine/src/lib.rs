//! The agent: conversation, seams, gate, loop, memory. No network, no terminal, no environment.
//!
//! Read the modules in this order; start at [`turn`].

/// What a session may spend.
pub mod budget;
/// One call, from its turn to its answer.
pub mod call;
/// Keeping the conversation inside the model's window.
pub mod context;
/// What all agents of a session share.
pub mod desk;
/// Starts an agent.
pub mod driver;
/// What a call would touch, and which two calls may not overlap.
pub mod effect;
/// Commands in, events out.
pub mod event;
/// The only way from a plan to its effect.
pub mod gate;
/// What the person says while a turn runs.
mod inbox;
/// What may happen around a call without the loop knowing who listens.
pub mod listen;
/// What a conversation is made of.
pub mod message;
/// A language model, as the loop sees one.
pub mod model;
/// What the model is told by us.
pub mod prompt;
/// Which call may start now.
mod schedule;
/// Arguments against a schema.
pub mod schema;
/// A session: journal entries and what they fold to.
pub mod session;
/// Something the model can ask us to do.
pub mod tool;
/// The loop: start here.
mod turn;
