//! The gate: the only way from a plan to its effect.
//!
//! A [`Plan`] cannot be run. The gate turns it into a [`Permitted`], which can, and nobody else is
//! able to: its field is private to this file.

use std::sync::RwLock;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::effect::{Claim, Effect};
use crate::event::Question;
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

    /// Whether a yes to one is a yes to the other.
    fn same(&self, other: &Self) -> bool {
        self.claim == other.claim && self.preview == other.preview
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

/// What a person or a configuration said about a kind of call. The last rule that applies decides;
/// without one, what only looks or only concerns the conversation is allowed and all else asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it speaks about.
    pub about: About,
    /// What it says.
    pub answer: Answer,
}

/// What a rule speaks about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Every call.
    Everything,
    /// Every call of this tool.
    Tool(String),
    /// This command line, to the letter.
    Command(String),
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Run it.
    Allow,
    /// Ask.
    Ask,
    /// Refuse it.
    Deny,
}

impl About {
    /// The narrowest thing that "always" to this call can mean.
    pub fn call(claim: &Claim) -> Self {
        match &claim.effect {
            Effect::Exec(line) => Self::Command(line.text.clone()),
            Effect::Files { .. }
            | Effect::Net(_)
            | Effect::Session
            | Effect::Agent
            | Effect::Unknown => Self::Tool(claim.call.name.clone()),
        }
    }

    /// Whether it speaks about this call.
    pub fn applies(&self, claim: &Claim) -> bool {
        match self {
            Self::Everything => true,
            Self::Tool(name) => *name == claim.call.name,
            Self::Command(text) => {
                matches!(&claim.effect, Effect::Exec(line) if line.text == *text)
            }
        }
    }

    /// In words, for the question.
    pub fn words(&self) -> String {
        match self {
            Self::Everything => "everything".to_owned(),
            Self::Tool(name) => format!("every {name} in this session"),
            Self::Command(_) => "exactly this command in this session".to_owned(),
        }
    }
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
#[derive(Default)]
pub struct Gate {
    rules: RwLock<Vec<Rule>>,
    guards: Vec<Box<dyn Guard>>,
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
    /// A gate with these rules and guards.
    pub fn new(rules: Vec<Rule>, guards: Vec<Box<dyn Guard>>) -> Self {
        Self { rules: RwLock::new(rules), guards }
    }

    /// Adds a rule that overrides those before it.
    pub fn add(&self, rule: Rule) {
        self.rules.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(rule);
    }

    /// Whether a call may start before its reply is complete: it only looks, the rules allow it,
    /// and no guard wants to wait.
    pub fn early(&self, claim: &Claim) -> bool {
        claim.effect.only_looks()
            && self.rule(claim) == Verdict::Allow
            && !self.guards.iter().any(|guard| guard.waits(claim))
    }

    /// Judges a plan.
    pub async fn check(&self, plan: Plan, mode: Mode, remake: Remake<'_>) -> Checked {
        if let Some(why) = forbidden(&plan.claim, mode) {
            return Checked::Refuse(why);
        }
        let mut judged = Judged { verdict: self.rule(&plan.claim), plan, amended: Vec::new() };
        for index in 0..self.guards.len() {
            if let Err(why) = self.guard(index, &mut judged, mode, remake).await {
                return Checked::Refuse(why);
            }
        }
        match judged.verdict {
            Verdict::Deny(why) => Checked::Refuse(why),
            Verdict::Ask => Checked::Ask(Pending { plan: judged.plan, amended: judged.amended }),
            Verdict::Allow | Verdict::Amend(_) => {
                Checked::Run(Permitted { plan: judged.plan, amended: judged.amended })
            }
        }
    }

    /// Judges what a running call turned out to need: as any plan, but the person is always asked
    /// unless a rule names it.
    pub async fn check_need(&self, plan: Plan, mode: Mode, remake: Remake<'_>) -> Checked {
        let named = self.named(&plan.claim);
        match self.check(plan, mode, remake).await {
            Checked::Run(Permitted { plan, amended }) if !named => {
                Checked::Ask(Pending { plan, amended })
            }
            checked => checked,
        }
    }

    /// Lets one guard judge. When it amends, the new plan is judged from the start by the rules
    /// and by the guards before it, which have had their say about amending.
    async fn guard(
        &self,
        index: usize,
        judged: &mut Judged,
        mode: Mode,
        remake: Remake<'_>,
    ) -> Result<(), String> {
        let verdict = self.judge(index, &judged.plan.claim, judged.plan.preview.as_ref()).await;
        let Verdict::Amend(args) = verdict else {
            judged.tighten(verdict);
            return Ok(());
        };
        judged.plan = remake(args.clone()).await.map_err(|ToolError::Tell(why)| why)?;
        judged.amended.push(args);
        if let Some(why) = forbidden(&judged.plan.claim, mode) {
            return Err(why);
        }
        judged.verdict = self.rule(&judged.plan.claim);
        for earlier in 0..=index {
            let (claim, preview) = (&judged.plan.claim, judged.plan.preview.as_ref());
            let again = self.judge(earlier, claim, preview).await;
            judged.tighten(again);
        }
        Ok(())
    }

    async fn judge(&self, index: usize, claim: &Claim, preview: Option<&Preview>) -> Verdict {
        match self.guards.get(index) {
            Some(guard) => guard.judge(claim, preview).await,
            None => Verdict::Allow,
        }
    }

    fn rule(&self, claim: &Claim) -> Verdict {
        let rules = self.rules.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let last = rules.iter().rev().find(|rule| rule.about.applies(claim));
        match last.map(|rule| rule.answer) {
            Some(Answer::Allow) => Verdict::Allow,
            Some(Answer::Ask) => Verdict::Ask,
            Some(Answer::Deny) => Verdict::Deny(format!("a rule forbids {}", claim.title)),
            None => unruled(&claim.effect),
        }
    }

    fn named(&self, claim: &Claim) -> bool {
        let rules = self.rules.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        rules.iter().any(|rule| rule.about.applies(claim) && rule.answer == Answer::Allow)
    }
}

/// A plan on its way through the guards.
struct Judged {
    plan: Plan,
    verdict: Verdict,
    amended: Vec<String>,
}

impl Judged {
    /// Takes the stricter verdict. A second wish to amend is not granted.
    fn tighten(&mut self, verdict: Verdict) {
        let verdict = match verdict {
            Verdict::Amend(_) => Verdict::Ask,
            Verdict::Allow | Verdict::Ask | Verdict::Deny(_) => verdict,
        };
        if verdict > self.verdict {
            self.verdict = verdict;
        }
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
    amended: Vec<String>,
}

impl Permitted {
    /// What it claims.
    pub fn claim(&self) -> &Claim {
        &self.plan.claim
    }

    /// Runs it. An amended call's answer says so.
    pub(crate) async fn run(self) -> Outcome {
        let outcome = self.plan.run.await;
        match (outcome, self.amended.last()) {
            (Outcome::Done(output), Some(args)) => {
                Outcome::Done(output.footer(&format!("[run with other arguments: {args}]")))
            }
            (outcome, _) => outcome,
        }
    }
}

/// A plan that waits for the person.
pub struct Pending {
    plan: Plan,
    amended: Vec<String>,
}

impl Pending {
    /// The question to ask.
    pub fn question(&self, why: Option<String>) -> Question {
        let about = About::call(&self.plan.claim);
        Question::Permit {
            claim: self.plan.claim.clone(),
            preview: self.plan.preview.clone(),
            why,
            always: about.words(),
        }
    }

    /// What it claims.
    pub fn claim(&self) -> &Claim {
        &self.plan.claim
    }

    /// The arguments to prepare again with, after the person said yes.
    pub fn amended(&self) -> Option<&String> {
        self.amended.last()
    }

    /// The person said yes to what was shown. `fresh` is the same call prepared again: if that
    /// came out differently, the target changed during the question and the person is asked again.
    pub(crate) fn approve(self, fresh: Plan) -> Checked {
        if fresh.same(&self.plan) {
            return Checked::Run(Permitted { plan: fresh, amended: self.amended });
        }
        Checked::Ask(Self { plan: fresh, amended: self.amended })
    }

    /// The person said yes to something that cannot be prepared again.
    pub(crate) fn approve_as_shown(self) -> Permitted {
        Permitted { plan: self.plan, amended: self.amended }
    }
}
