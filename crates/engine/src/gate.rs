//! The gate: the only way from a plan to its effect.
//!
//! A [`Plan`] cannot be run. The gate turns it into a [`Permitted`], which can, and nobody else is
//! able to: its field is private to this file.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::effect::{Claim, Effect};
use crate::message::Output;
use crate::tool::ToolError;

/// A call understood but not yet done: what it claims, what it would change, and a future that
/// nobody has polled.
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
pub enum Outcome {
    /// It ran.
    Done(Output),
    /// It found out while running that it must leave what it claimed (out of the sandbox, to
    /// another host). The plan goes through the gate like any other; the call still gets one
    /// answer.
    Needs {
        /// What it would do instead.
        plan: Box<Plan>,
        /// Why, for the person.
        why: String,
    },
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

    /// Whether it must not be consulted before the reply is journalled, as when judging runs a
    /// program. A call it would judge does not start early.
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
    /// Whether a call may start before its reply is complete: it only looks, the rules allow it,
    /// and no guard wants to wait.
    pub fn early(&self, claim: &Claim) -> bool {
        claim.effect.only_looks()
            && self.rule(claim) == Verdict::Allow
            && !self.guards.iter().any(|guard| guard.waits(claim))
    }

    /// Judges a plan. A guard that amends has the call made again and judged from the start, once.
    pub async fn check(&self, mut plan: Plan, mode: Mode, remake: Remake<'_>) -> Checked {
        let (mut may_amend, mut amended) = (vec![true; self.guards.len()], None);
        let verdict = 'judging: loop {
            if let Some(why) = forbidden(&plan.claim, mode) {
                return Checked::Refuse(why);
            }
            let mut strictest = self.rule(&plan.claim);
            for (guard, may_amend) in self.guards.iter().zip(&mut may_amend) {
                let verdict = guard.judge(&plan.claim, plan.preview.as_ref()).await;
                let Verdict::Amend(args) = verdict else {
                    strictest = strictest.max(verdict);
                    continue;
                };
                if !std::mem::take(may_amend) {
                    strictest = strictest.max(Verdict::Ask); // a second wish is not granted
                    continue;
                }
                plan = match remake(args.clone()).await {
                    Ok(plan) => plan,
                    Err(ToolError::Tell(why)) => return Checked::Refuse(why),
                };
                amended = Some(args);
                continue 'judging;
            }
            break strictest;
        };
        match verdict {
            Verdict::Deny(why) => Checked::Refuse(why),
            Verdict::Ask => Checked::Ask(Pending(Permitted { plan, amended })),
            Verdict::Allow | Verdict::Amend(_) => Checked::Run(Permitted { plan, amended }),
        }
    }

    /// Judges what a running call turned out to need: as any plan, but what no rule names is asked.
    pub async fn check_need(&self, plan: Plan, mode: Mode, remake: Remake<'_>) -> Checked {
        let named = self.rules.verdict(&plan.claim).is_some();
        match self.check(plan, mode, remake).await {
            Checked::Run(permitted) if !named => Checked::Ask(Pending(permitted)),
            checked @ (Checked::Run(_) | Checked::Ask(_) | Checked::Refuse(_)) => checked,
        }
    }

    fn rule(&self, claim: &Claim) -> Verdict {
        self.rules.verdict(claim).unwrap_or_else(|| unruled(&claim.effect))
    }
}

/// What is decided where no rule speaks.
fn unruled(effect: &Effect) -> Verdict {
    match effect {
        Effect::Session | Effect::Agent => Verdict::Allow,
        Effect::Files { .. } if effect.only_looks() => Verdict::Allow,
        Effect::Files { .. } | Effect::Exec(_) | Effect::Net(_) | Effect::Unknown => Verdict::Ask,
    }
}

fn forbidden(claim: &Claim, mode: Mode) -> Option<String> {
    match mode {
        Mode::Plan if !claim.effect.changes_nothing() => Some(format!(
            "plan mode: {} was not run. Keep investigating with tools that only look, then \
             present a numbered plan and stop; the person leaves plan mode to approve it",
            claim.title
        )),
        Mode::Normal | Mode::Plan => None,
    }
}

/// A plan that may run. Only the gate makes one.
pub struct Permitted {
    plan: Plan,
    amended: Option<String>,
}

impl Permitted {
    /// What it claims.
    pub fn claim(&self) -> &Claim {
        &self.plan.claim
    }

    /// Runs it. An amended call's answer says so.
    pub(crate) async fn run(self) -> Outcome {
        match (self.plan.run.await, self.amended) {
            (Outcome::Done(output), Some(args)) => {
                Outcome::Done(output.footer(&format!("[run with other arguments: {args}]")))
            }
            (outcome, _) => outcome,
        }
    }
}

/// A plan that waits for the person.
pub struct Pending(Permitted);

impl Pending {
    /// What is asked about.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// The arguments that a guard put in place of the call's own.
    pub(crate) fn amended(&self) -> Option<&String> {
        self.0.amended.as_ref()
    }

    /// The person said yes to what was shown. `fresh` is the same call prepared again; if that
    /// came out differently, the target changed during the question and nothing was permitted.
    pub(crate) fn approve(self, fresh: Plan) -> Option<Permitted> {
        let same = fresh.claim == self.plan().claim && fresh.preview == self.plan().preview;
        same.then_some(Permitted { plan: fresh, ..self.0 })
    }

    /// The person said yes to something that cannot be prepared again.
    pub(crate) fn approve_as_shown(self) -> Permitted {
        self.0
    }
}
