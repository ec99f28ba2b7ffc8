//! What a call would touch, and which two calls may not overlap.
//!
//! A call claims its effect from its arguments alone. The scheduler, the gate, plan mode, undo and
//! the front ends all decide from that claim.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::message::ToolCall;

/// What a call would touch. Policy is written in these words and no others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Effect {
    /// Paths, absolute and with symlinks resolved; a folder stands for all below it. Creating and
    /// deleting are writes; without any it only looks.
    Files { reads: Vec<PathBuf>, writes: Vec<PathBuf> },
    /// A command line nobody has proved harmless to discard.
    Exec(CommandLine),
    /// Talks to a host.
    Net(Host),
    /// Changes this conversation only (to-do list, mode, job output since the last look): in
    /// order, never early, unasked.
    Session,
    /// Runs another agent: never early, holds no path and no permit; its inner calls do.
    Agent,
    /// Cannot tell: conflicts with everything but `Agent`; asks unless a rule names the tool.
    Unknown,
}

/// A command line for a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    /// The whole of it.
    pub text: String,
    /// Where it starts: the same words elsewhere are another command.
    #[serde(default)]
    pub cwd: PathBuf,
    /// True when a real parse shows that it only reads, though it may move the session's directory
    /// or its variables.
    pub proved: bool,
}

/// A host name, with a port where one was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host(pub String);

/// What a call says of itself before anything is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The call.
    pub call: ToolCall,
    /// One line for the screen, such as `edit src/main.rs`.
    pub title: String,
    /// What it would touch.
    pub effect: Effect,
}

impl Effect {
    /// Reads these paths and does nothing else.
    pub fn reads(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self::Files { reads: paths.into_iter().collect(), writes: Vec::new() }
    }

    /// Writes this path, looking at it first.
    pub fn writes(path: PathBuf) -> Self {
        Self::Files { reads: Vec::new(), writes: vec![path] }
    }

    /// Whether throwing its result away is harmless, so that it may run before anybody has decided
    /// anything.
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Files { writes, .. } => writes.is_empty(),
            Self::Exec(_) | Self::Net(_) | Self::Session | Self::Agent | Self::Unknown => false,
        }
    }

    /// Whether it may run while nothing is to be changed, as in plan mode.
    pub fn changes_nothing(&self) -> bool {
        match self {
            Self::Files { writes, .. } => writes.is_empty(),
            Self::Exec(line) => line.proved,
            // A sub-agent inherits the mode; its calls are judged one by one.
            Self::Session | Self::Agent => true,
            Self::Net(_) | Self::Unknown => false,
        }
    }

    /// Whether the two must keep the order they were given in.
    pub fn conflicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Agent, _) | (_, Self::Agent) => false,
            (Self::Exec(_) | Self::Unknown, _) | (_, Self::Exec(_) | Self::Unknown) => true,
            // It may set the mode, and that holds for what comes after.
            (Self::Session, other) | (other, Self::Session) => !other.only_looks(),
            (Self::Files { reads, writes }, Self::Files { reads: reads2, writes: writes2 }) => {
                overlap(writes, writes2) || overlap(writes, reads2) || overlap(reads, writes2)
            }
            (Self::Files { .. } | Self::Net(_), _) => false,
        }
    }
}

fn overlap(some: &[PathBuf], others: &[PathBuf]) -> bool {
    let touch = |a: &Path, b: &Path| a.starts_with(b) || b.starts_with(a);
    some.iter().any(|a| others.iter().any(|b| touch(a, b)))
}
