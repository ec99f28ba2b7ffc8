//! What a person said about calls in this session: yes to everything, and "always" to some.

use std::sync::{PoisonError, RwLock};

use purlin_engine::effect::{Claim, CommandLine, Effect};
use purlin_engine::gate::{Rules, Verdict};

/// The rules of one session.
#[derive(Default)]
pub struct SessionRules {
    yes: bool,
    always: RwLock<Vec<Grant>>,
}

/// The narrowest thing that "always" to a call can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Grant {
    /// Every call of this tool.
    Tool(String),
    /// This command line, to the letter and from this directory: one granted command says nothing
    /// of the next.
    Command(CommandLine),
}

impl SessionRules {
    /// Asks about whatever does more than look.
    pub fn asking() -> Self {
        Self::default()
    }

    /// Allows everything that no guard refuses.
    pub fn yes_to_all() -> Self {
        Self { yes: true, ..Self::default() }
    }
}

impl Grant {
    fn to(claim: &Claim) -> Self {
        match &claim.effect {
            Effect::Exec(line) => Self::Command(line.clone()),
            Effect::Files { .. }
            | Effect::Net(_)
            | Effect::Session
            | Effect::Agent
            | Effect::Unknown => Self::Tool(claim.call.name.clone()),
        }
    }
}

impl Rules for SessionRules {
    fn verdict(&self, claim: &Claim) -> Option<Verdict> {
        let always = self.always.read().unwrap_or_else(PoisonError::into_inner);
        (self.yes || always.contains(&Grant::to(claim))).then_some(Verdict::Allow)
    }

    fn always(&self, claim: &Claim) -> String {
        match Grant::to(claim) {
            Grant::Tool(name) => format!("every {name} in this session"),
            Grant::Command(_) => "exactly this command in this session".to_owned(),
        }
    }

    fn allow(&self, claim: &Claim) {
        self.always.write().unwrap_or_else(PoisonError::into_inner).push(Grant::to(claim));
    }
}
