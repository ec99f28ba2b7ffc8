//! What may happen around a call without the loop knowing who listens.

use std::path::PathBuf;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::effect::Claim;
use crate::message::{Output, ToolCall, UserMessage};

/// Hears of moments in a turn and may react. It must not fail: what goes wrong is its to report.
pub trait Listener: Send + Sync {
    /// Something happened. The loop waits for the answer; dropping the future means interrupt.
    fn at<'a>(&'a self, moment: Moment<'a>) -> BoxFuture<'a, Reaction>;
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Moment<'a> {
    /// The person said something; a block keeps it from the model.
    Said(&'a UserMessage),
    /// A call was answered.
    Answered(&'a ToolCall, &'a Output),
    /// Room is about to be made.
    Compacting,
    /// The model is done; a block, or something to say, makes it go on.
    Stopping,
}

/// What a listener makes of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    /// Nothing.
    Go,
    /// Tell the model this before its next call.
    Say(UserMessage),
    /// Do not, and why.
    Block(String),
}

/// Keeps what a call may destroy. Called around every run that does not only look; when `before`
/// fails, the person is asked whether to go on without.
pub trait Keeper: Send + Sync {
    /// Keeps what the claim may destroy.
    fn before<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Ticket, String>>;
    /// The run is over, or was cut: what did it change? Becomes a checkpoint line.
    fn after(&self, ticket: Ticket) -> BoxFuture<'static, Vec<Change>>;
    /// Puts back what these changes changed, newest first. A file that is no longer as the change
    /// left it is not touched and is named in the error. Returns the changes this made.
    fn undo<'a>(&'a self, changes: &'a [Change]) -> BoxFuture<'a, Result<Vec<Change>, String>>;
    /// What these changes, oldest first, come to, as a unified diff against what is there now.
    fn diff<'a>(&'a self, changes: &'a [Change]) -> BoxFuture<'a, String>;
}

/// What a keeper remembers between before and after; nobody else looks inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket(pub Value);

/// A file that changed. Contents are named by their hash in the store beside the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub path: PathBuf,
    /// Its content before, or nothing where there was no file.
    pub before: Option<String>,
    /// Its content after, or nothing where there is no file.
    pub after: Option<String>,
}
