//! The gate: the only way from a plan to its effect.
//!
//! A [`Plan`] cannot be run. The gate turns it into a [`Permitted`], which can, and nobody else is
//! able to: its field is private to this file.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::effect::{Claim, Effect};
use crate::message::Output;
use crate::tool::ToolError;

/// A call understood but not done: what it claims, what it would change, and a future not polled.
pub struct Plan {
    /// What it claims.
    pub claim: Claim,
    /// What it would change.
    pub preview: Option<Preview>,
    run: BoxFuture<'static, Outcome>,
}

/// What to show before a yes. The text shown is the text run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preview {
    /// A unified diff.
    Diff(String),
    /// A command, a request, a task: whole.
    Text(String),
}

/// What became of a plan.
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Outcome {
    /// It ran.
    Done(Output),
    /// It found out while running that it must leave what it claimed (out of the sandbox, to
    /// another host). The plan goes through the gate like any other, and the person hears why; the
    /// call still gets one answer.
    Needs { plan: Box<Plan>, why: String },
}

impl Plan {
    /// A plan that will run `run` once it is permitted.
    pub fn new(
        claim: Claim,
        preview: Option<Preview>,
        run: impl Future<Output = Outcome> + Send + 'static,
    ) -> Self {
        Self { claim, preview, run: Box::pin(run) }
    }
}

/// Mildest first, so that the stricter of two is their `max`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Go.
    Allow,
    /// Other arguments; claimed, prepared and judged again, at most once per guard. The answer
    /// says so and history keeps the model's bytes.
    Amend(String),
    /// Ask the person.
    Ask,
    /// No, and why, in words for the model.
    Deny(String),
}

/// Judges a call. Guards may only tighten what the rules say.
pub trait Guard: Send + Sync {
    /// What it thinks of this call.
    fn judge<'a>(
        &'a self,
        claim: &'a Claim,
        preview: Option<&'a Preview>,
    ) -> BoxFuture<'a, Verdict>;

    /// Whether judging must wait until the reply is journalled, as when that runs a program.
    fn waits(&self, _claim: &Claim) -> bool {
        false
    }
}

/// What a person or a configuration said about calls. Rules may relax what is decided without
/// them: what only looks or only concerns the conversation is allowed, and all else asks.
pub trait Rules: Send + Sync {
    /// The verdict on this call, or nothing where no rule speaks of it.
    fn verdict(&self, claim: &Claim) -> Option<Verdict>;
    /// What "always" to this call would allow, in words.
    fn always(&self, claim: &Claim) -> String;
    /// The person said "always" to this call.
    fn allow(&self, claim: &Claim);
}

/// What is allowed beside what a call claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Rules and guards decide.
    #[default]
    Normal,
    /// Nothing that changes anything runs, whatever the rules say.
    Plan,
}

/// Decides which plans run. One for a session and its sub-agents.
pub struct Gate {
    /// What was said about calls.
    pub rules: Box<dyn Rules>,
    /// Each may tighten it.
    pub guards: Vec<Box<dyn Guard>>,
}

/// What the gate said of a plan.
pub enum Checked {
    /// It may run.
    Run(Permitted),
    /// The person decides.
    Ask(Pending),
    /// It may not, and why, in words for the model.
    Refuse(String),
}

/// Makes a plan for the same call with other arguments.
pub type Remake<'a> = &'a (dyn Fn(String) -> BoxFuture<'a, Result<Plan, ToolError>> + Sync);

impl Gate {
    /// Whether a call may start before its reply is complete.
    pub fn early(&self, claim: &Claim) -> bool {
        claim.effect.only_looks()
            && self.rule(claim) == Verdict::Allow
            && !self.guards.iter().any(|guard| guard.waits(claim))
    }

    /// Judges a plan. A guard that amends has the call made again and judged from the start, once.
    pub async fn check(&self, mut plan: Plan, mode: Mode, remake: Remake<'_>) -> Checked {
        let mut may_amend = vec![true; self.guards.len()];
        loop {
            let claim = &plan.claim;
            if mode == Mode::Plan && !claim.effect.changes_nothing() {
                return Checked::Refuse(format!(
                    "plan mode: {} was not run. Keep investigating with tools that only look, then \
                     present a numbered plan and stop; the person leaves plan mode to approve it",
                    claim.title
                ));
            }
            match self.judge(claim, plan.preview.as_ref(), &mut may_amend).await {
                Err(args) => match remake(args).await {
                    Ok(amended) => plan = amended,
                    Err(ToolError::Tell(why)) => return Checked::Refuse(why),
                },
                Ok(Verdict::Deny(why)) => return Checked::Refuse(why),
                Ok(Verdict::Ask) => return Checked::Ask(Pending(plan)),
                Ok(Verdict::Allow | Verdict::Amend(_)) => return Checked::Run(Permitted(plan)),
            }
        }
    }

    /// Judges what a running call turned out to need: as any plan, but what no rule names is asked.
    pub async fn check_need(&self, plan: Plan, mode: Mode, remake: Remake<'_>) -> Checked {
        let named = self.rules.verdict(&plan.claim).is_some();
        match self.check(plan, mode, remake).await {
            Checked::Run(Permitted(plan)) if !named => Checked::Ask(Pending(plan)),
            checked @ (Checked::Run(_) | Checked::Ask(_) | Checked::Refuse(_)) => checked,
        }
    }

    /// The strictest of what the rules and every guard say, or the arguments that one of them puts
    /// in place of the call's own.
    async fn judge(
        &self,
        claim: &Claim,
        preview: Option<&Preview>,
        may_amend: &mut [bool],
    ) -> Result<Verdict, String> {
        let mut strictest = self.rule(claim);
        for (guard, may_amend) in self.guards.iter().zip(may_amend) {
            let verdict = match guard.judge(claim, preview).await {
                Verdict::Amend(args) if std::mem::take(may_amend) => return Err(args),
                Verdict::Amend(_) => Verdict::Ask, // a second wish is not granted
                verdict @ (Verdict::Allow | Verdict::Ask | Verdict::Deny(_)) => verdict,
            };
            strictest = strictest.max(verdict);
        }
        Ok(strictest)
    }

    fn rule(&self, claim: &Claim) -> Verdict {
        self.rules.verdict(claim).unwrap_or(match &claim.effect {
            Effect::Session | Effect::Agent => Verdict::Allow,
            Effect::Files { writes, .. } if writes.is_empty() => Verdict::Allow,
            Effect::Files { .. } | Effect::Exec(_) | Effect::Net(_) | Effect::Unknown => {
                Verdict::Ask
            }
        })
    }
}

/// A plan that may run. Only the gate makes one.
pub struct Permitted(Plan);

impl Permitted {
    /// What it claims.
    pub fn claim(&self) -> &Claim {
        &self.0.claim
    }

    /// Runs it.
    pub(crate) async fn run(self) -> Outcome {
        self.0.run.await
    }
}

/// A plan that waits for the person.
pub struct Pending(Plan);

impl Pending {
    /// What is asked about.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// The person said yes to what was shown. `fresh` is the same call prepared again; if that
    /// came out differently, the target changed during the question and nothing was permitted.
    pub(crate) fn approve(self, fresh: Plan) -> Option<Permitted> {
        let same = fresh.claim == self.0.claim && fresh.preview == self.0.preview;
        same.then_some(Permitted(fresh))
    }

    /// The person said yes to something that cannot be prepared again.
    pub(crate) fn approve_as_shown(self) -> Permitted {
        Permitted(self.0)
    }
}
