//! The agent: conversation, seams, gate, loop, memory. No network, no terminal, no environment.
//!
//! An afternoon's reading, in this order:
//!
//! 1. `turn`, the loop: start here. [`driver`] starts an agent and feeds the loop; `repeat` sees
//!    when the model goes round in circles.
//! 2. [`message`], what a conversation is made of; [`model`], a language model as the loop sees
//!    one; [`tool`], something the model can ask us to do, and [`schema`], its arguments.
//! 3. [`effect`], what a call would touch; `schedule`, which call may start now; [`call`], one call
//!    from its turn to its answer; [`gate`], the only way from a plan to its effect.
//! 4. [`event`], commands in and events out; `inbox`, what the person says while a turn runs;
//!    [`desk`], what all agents of a session share; [`listen`], what may happen around a call
//!    without the loop knowing who listens; [`budget`], what a session may spend.
//! 5. [`session`], journal entries and what they fold to; [`context`], keeping the conversation
//!    inside the model's window, and `room`, when that is due; [`prompt`], what the model is told by us.

pub mod budget;
pub mod call;
pub mod context;
pub mod desk;
pub mod driver;
pub mod effect;
pub mod event;
pub mod gate;
mod inbox;
pub mod listen;
pub mod message;
pub mod model;
pub mod prompt;
mod repeat;
mod room;
mod schedule;
pub mod schema;
pub mod session;
pub mod tool;
mod turn;
