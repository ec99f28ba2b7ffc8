//! What may run: reading shell, and the few commands that never do.
//!
//! [`shell::read`] turns a command line into an effect, [`catastrophe::Catastrophe`] is a guard.
//! Neither is a boundary: what is not proved harmless is asked about, and what must not happen at
//! all takes a sandbox.

pub mod catastrophe;
pub mod rules;
pub mod shell;
mod split;
