//! What a person sees: state, update, view, commands.
//!
//! A line interface for now: what is finished is printed once and nothing is repainted. The crate
//! does no I/O. [`update()`] takes one input and answers with actions; the binary performs them
//! and brings back what came of them as further inputs. Read the modules in this order.

/// From a line to the answer of a question.
pub mod answer;
/// What can be typed after a slash, one file each.
pub mod commands;
/// What an event means for the state.
mod hear;
/// What stands on the screen so far, as much as the next line depends on it.
pub mod page;
/// What a front end knows, as plain data.
pub mod state;
/// How each event looks.
pub mod tell;
/// One input in, actions out: start here.
pub mod update;
/// Text for everything that is shown; pure.
pub mod view;

pub use page::{Page, Print, Setting, Stream};
pub use state::{Input, Listed, Look, Opened, Reach, State};
pub use update::{Action, update};
pub use view::ink::Ink;
