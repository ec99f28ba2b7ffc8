//! Commands in, events out: all that a front end knows of the engine.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::budget::Spent;
use crate::effect::Claim;
use crate::gate::Preview;
use crate::listen::Change;
use crate::message::{Origin, Output, UserMessage};
use crate::model::Delta;

/// What a front end asks of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Command {
    /// A turn. While one runs it waits its turn.
    Prompt(UserMessage),
    /// Taken in before the next model call of the running turn; a prompt when idle.
    Steer(UserMessage),
    /// The answer to a question.
    Answer { ask: AskId, decision: Decision },
    /// Stop the running turn. Idle, it does nothing.
    Interrupt,
    /// Summarise now, whatever the window says.
    Compact,
    /// Speak to another model from the next call on.
    Model(String),
    /// Change the session's state: mode, name. A null value removes the key.
    Set { key: String, value: Value },
    /// Put back what the last call that changed files changed.
    Undo,
    /// Show what changed in this session.
    Diff,
}

/// Which agent speaks: empty for the session's own, else the calls that lead to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentId(pub String);

impl AgentId {
    /// Whether this is the session's own agent.
    pub fn is_main(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is that agent, or one that it or those below it started.
    pub fn is_below(&self, other: &Self) -> bool {
        let rest = self.0.strip_prefix(&other.0);
        rest.is_some_and(|rest| other.is_main() || rest.is_empty() || rest.starts_with('/'))
    }

    /// The agent that `call` of this one starts.
    #[must_use]
    pub fn child(&self, call: &str) -> Self {
        Self(if self.is_main() { call.to_owned() } else { format!("{}/{call}", self.0) })
    }
}

/// Names a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskId(pub u64);

/// What the channel carries; sub-agents speak on it too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Who speaks.
    #[serde(default, skip_serializing_if = "AgentId::is_main")]
    pub agent: AgentId,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happens, in the order it happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Event {
    /// A message entered the conversation.
    Said(UserMessage),
    /// A piece of the model's reply.
    Delta(Delta),
    /// A reply is complete and journalled.
    Replied,
    /// A question to the person, and the name to answer it by. One at a time, over all agents.
    Ask { ask: AskId, question: Question },
    /// A call began.
    Started { claim: Claim },
    /// Output of a running call (by its id), for the screen only.
    Progress { call: String, text: String },
    /// A call (by its id) was answered.
    Answered { call: String, output: Output },
    /// Files changed by a call (by its id; empty for an undo). Undo can go back to before this.
    Changed { call: String, changes: Vec<Change> },
    /// Room was made: estimated tokens before and after.
    Compacted { tier: Tier, before: u64, after: u64 },
    /// What has been spent so far, this call included.
    Usage(Spent),
    /// The session's state changed; the value is null when the key was removed.
    State { key: String, value: Value },
    /// The model changed.
    Model(Origin),
    /// What changed in this session, as a unified diff.
    Diff(String),
    /// A line for the person.
    Notice(String),
    /// The turn is over.
    Ended(Ended),
}

/// How room was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Old outputs became their first and last lines.
    Trim,
    /// Older items became a summary that the model wrote.
    Summarise,
    /// Older items became a list that needs no model.
    Collapse,
}

/// Why a turn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", content = "why", rename_all = "snake_case")]
pub enum Ended {
    /// The model was done.
    Done,
    /// The person stopped it.
    Interrupted,
    /// The turn's rounds or time are used up.
    Limit(String),
    /// The session's tokens or dollars are used up.
    Budget(String),
    /// The same call brought the same result again and again.
    Repetition(String),
    /// Something needed a permission that nobody was there to give, and the model ended its turn.
    Refused(String),
    /// The key was not accepted.
    Auth(String),
    /// The provider or the network failed.
    Provider(String),
    /// Anything else.
    Failed(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => to.write_str("done"),
            Self::Interrupted => to.write_str("interrupted"),
            Self::Refused(what) => write!(to, "not permitted: {what}"),
            Self::Limit(why)
            | Self::Budget(why)
            | Self::Repetition(why)
            | Self::Auth(why)
            | Self::Provider(why)
            | Self::Failed(why) => to.write_str(why),
        }
    }
}

/// A question to the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Question {
    /// May this run? `why` it is asked, where that is not plain, and what `always` would allow.
    /// The text shown is the text run.
    Permit { claim: Claim, preview: Option<Preview>, why: Option<String>, always: String },
    /// A tool's own question, with answers to choose from; empty for free text.
    Choose { text: String, choices: Vec<String> },
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// This once.
    Yes,
    /// This, and what the question said "always" would allow, until the session ends.
    Always,
    /// No; what to do instead, if the person said.
    No(Option<String>),
    /// The answer to a question of choice.
    Text(String),
}
