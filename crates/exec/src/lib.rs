//! Run a program in a process group of its own, with a deadline, in bounded memory; and run a shell
//! that says where it ended up.
//!
//! Reading order: `run` (what is asked and what comes back), `group` (who is killed, and when),
//! `capture` (what is kept of 10 GB of output), `shell` (asking a shell for its directory).
//!
//! Not here: what a program may do. Whoever calls has already been permitted to.

mod capture;
mod group;
mod run;
mod shell;

pub use capture::{Bounds, Captured, Missing};
pub use run::{End, Finished, Spec, StartError, living, run};
pub use shell::Shell;
