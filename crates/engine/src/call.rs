//! One call, from its turn to its answer: prepare, check, ask, keep, run.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::future::{
    AbortHandle, AbortRegistration, Abortable, Aborted, BoxFuture, FutureExt as _,
};
use tokio::sync::watch;

use crate::context;
use crate::desk::Flight;
use crate::effect::{Claim, Effect};
use crate::event::{Decision, Event, Question};
use crate::gate::{Checked, Outcome, Permitted, Plan, Preview};
use crate::listen::{Change, Ticket};
use crate::message::{Output, ToolCall};
use crate::prompt;
use crate::session;
use crate::tool::{Cx, Tool, ToolError};

/// How often one call may turn out to need more than it was permitted.
const NEEDS: u32 = 3;

/// The most characters of an error: a parser may quote all that it was given.
const FAILURE: usize = 4_000;

/// What a call hears whose tool panicked.
pub(crate) const FAILED_INSIDE: &str = "this tool failed inside; that is its fault, not yours";

/// A call's tool and what it claims, or why it cannot be run.
pub(crate) type Claimed = Result<(Arc<dyn Tool>, Claim), ToolError>;

/// A call whose turn has come.
struct Call {
    tool: Arc<dyn Tool>,
    claim: Claim,
    cx: Cx,
    journalled: watch::Receiver<bool>,
    /// Lives outside what runs, so that a call which is stopped can still be closed.
    ticket: Option<Ticket>,
}

/// Runs a call. A panic is an answer; one that is stopped before it changed anything has none.
pub(crate) async fn answer(
    claimed: Claimed,
    cx: Cx,
    journalled: watch::Receiver<bool>,
    stop: AbortRegistration,
) -> Option<(Output, Vec<Change>)> {
    let (tool, claim) = match claimed {
        Ok(claimed) => claimed,
        Err(why) => return Some((told(&cx, Err(why)), Vec::new())),
    };
    let mut call = Call { tool, claim, cx, journalled, ticket: None };
    let held = async {
        let ran = AssertUnwindSafe(call.run()).catch_unwind().await;
        call.journalled().await; // an early answer is held: its reply may yet be forgotten
        ran
    };
    let ran = Abortable::new(held, stop).await;
    let changes = match call.ticket {
        Some(ticket) => call.cx.desk.shared.keeper.after(ticket).await,
        None => Vec::new(),
    };
    match ran {
        Ok(Ok(ran)) => Some((told(&call.cx, ran), changes)),
        Ok(Err(_)) => Some((told(&call.cx, Err(ToolError::tell(FAILED_INSIDE))), changes)),
        Err(Aborted) if changes.is_empty() => None,
        Err(Aborted) => Some((Output::interrupted(), changes)),
    }
}

/// What everybody hears of a call that ran, or did not.
fn told(cx: &Cx, ran: Result<Output, ToolError>) -> Output {
    let failed = |ToolError::Tell(why)| Output::failure(context::clip(&why, FAILURE));
    let mut output = ran.unwrap_or_else(failed);
    (cx.desk.shared.filter)(&mut output);
    cx.tell(Event::Answered { call: cx.call.clone(), output: output.clone() });
    output
}

/// Runs one call outside any conversation: through the gate of `cx` like every other, with nobody
/// to wait for. What an editor, a server of tools, or a test needs.
pub async fn once(tool: Arc<dyn Tool>, call: &ToolCall, cx: &Cx) -> (Output, Vec<Change>) {
    let claimed = tool.claim(call, cx).map(|claim| (tool, claim));
    let (_journalled, seen) = watch::channel(true);
    let (_stop, stopped) = AbortHandle::new_pair();
    let cx = Cx { call: call.id.clone(), ..cx.clone() };
    answer(claimed, cx, seen, stopped).await.unwrap_or_default()
}

impl Call {
    async fn run(&mut self) -> Result<Output, ToolError> {
        let mut flight = self.flight(&self.claim.effect).await;
        let mut checked = self.judge(None).await?;
        let mut need = None;
        for _ in 0..=NEEDS {
            let (permitted, held) = self.permit(checked, flight, need).await?;
            match self.perform(permitted).await? {
                Outcome::Done(output) => return Ok(output),
                Outcome::Needs { plan, why } => {
                    drop(held);
                    flight = self.flight(&plan.claim.effect).await;
                    (checked, need) = (self.judge(Some(*plan)).await?, Some(why));
                }
            }
        }
        Err(ToolError::tell("this call needed more than it was permitted, again and again"))
    }

    /// What the gate says of the call as it was made, or of what it turned out to need.
    async fn judge(&self, need: Option<Plan>) -> Result<Checked, ToolError> {
        let (gate, mode) = (&self.cx.desk.shared.gate, session::mode(&self.cx.state));
        let remake = |args| self.remake(args);
        if let Some(plan) = need {
            return Ok(gate.check_need(plan, mode, &remake).await);
        }
        let plan = self.remake(self.claim.call.args.clone()).await?;
        Ok(gate.check(plan, mode, &remake).await)
    }

    /// Asks until the answer is about what is there now. While the person thinks, no effect is
    /// held in flight, so the target may change; then what was shown is not what would run.
    async fn permit(
        &self,
        mut checked: Checked,
        mut flight: Flight,
        need: Option<String>,
    ) -> Result<(Permitted, Flight), ToolError> {
        loop {
            let pending = match checked {
                Checked::Run(permitted) => {
                    if permitted.claim().effect != *flight.effect {
                        drop(flight); // a guard amended the call
                        flight = self.flight(&permitted.claim().effect).await;
                    }
                    return Ok((permitted, flight));
                }
                Checked::Refuse(why) => return Err(ToolError::Tell(why)),
                Checked::Ask(pending) => pending,
            };
            drop(flight);
            let Plan { claim, preview, .. } = pending.plan();
            let yes = self.ask(claim, preview.clone(), need.clone()).await?;
            flight = self.flight(&claim.effect).await;
            if need.is_some() {
                // What a running call found out it needs cannot be prepared a second time.
                return Ok((pending.approve_as_shown(), flight));
            }
            let fresh = self.remake(claim.call.args.clone()).await?;
            checked = match pending.approve(fresh).filter(|_| yes) {
                Some(permitted) => Checked::Run(permitted),
                None => self.judge(None).await?,
            };
        }
    }

    /// Announces an effect. What began early, and is to do more than look, waits for its reply.
    async fn flight(&self, effect: &Effect) -> Flight {
        if !effect.only_looks() {
            self.journalled().await;
        }
        Flight::begin(&self.cx.desk, effect).await
    }

    async fn journalled(&self) {
        let _ = self.journalled.clone().wait_for(|journalled| *journalled).await;
    }

    /// Questions wait until the reply is complete and journalled, and then for their turn. Nothing
    /// is asked, and false returned, when the rules have changed their mind meanwhile: somebody
    /// said "always" to another call. What is asked for a reason of its own is not theirs to answer.
    async fn ask(
        &self,
        claim: &Claim,
        preview: Option<Preview>,
        why: Option<String>,
    ) -> Result<bool, ToolError> {
        self.journalled().await;
        let rules = &self.cx.desk.shared.gate.rules;
        let (before, for_a_reason) = (rules.verdict(claim), why.is_some());
        let always = rules.always(claim);
        let question = Question::Permit { claim: claim.clone(), preview, why, always };
        let still_open = || for_a_reason || rules.verdict(claim) == before;
        let asked = self.cx.desk.ask(&self.cx.agent, question, still_open).await;
        let Some(decision) = asked else { return Ok(false) };
        Err(ToolError::Tell(match decision {
            Decision::Yes => return Ok(true),
            Decision::Always => {
                rules.allow(claim);
                return Ok(true);
            }
            Decision::No(None) => prompt::REFUSED.trim_end().to_owned(),
            Decision::No(Some(why)) => format!("not permitted: {why}"),
            Decision::Text(text) => format!("the person said instead: {text}"),
        }))
    }

    /// Runs what is permitted. The answer says so when a guard put in other arguments.
    async fn perform(&mut self, permitted: Permitted) -> Result<Outcome, ToolError> {
        let claim = permitted.claim().clone();
        self.keep(&claim).await?;
        // Another agent holds none: its inner calls do.
        let permits = &self.cx.desk.permits;
        let _permit =
            if claim.effect == Effect::Agent { None } else { permits.acquire().await.ok() };
        self.cx.tell(Event::Started { claim: claim.clone() });
        let args = claim.call.args;
        Ok(match permitted.run().await {
            Outcome::Done(output) if args != self.claim.call.args => {
                Outcome::Done(output.footer(&format!("[run with other arguments: {args}]")))
            }
            outcome @ (Outcome::Done(_) | Outcome::Needs { .. }) => outcome,
        })
    }

    /// Keeps what the call may destroy. Where that fails the person decides.
    async fn keep(&mut self, claim: &Claim) -> Result<(), ToolError> {
        let destroys = match &claim.effect {
            Effect::Files { writes, .. } => !writes.is_empty(),
            Effect::Exec(_) | Effect::Unknown => true,
            Effect::Net(_) | Effect::Session | Effect::Agent => false,
        };
        if !destroys || self.ticket.is_some() {
            return Ok(());
        }
        match self.cx.desk.shared.keeper.before(claim).await {
            Ok(ticket) => self.ticket = Some(ticket),
            Err(why) => {
                self.ask(claim, None, Some(format!("it could not be undone: {why}"))).await?;
            }
        }
        Ok(())
    }

    /// The same call with other arguments, from claim to plan.
    fn remake(&self, args: String) -> BoxFuture<'_, Result<Plan, ToolError>> {
        async move {
            let call = ToolCall { args, ..self.claim.call.clone() };
            let claim = self.tool.claim(&call, &self.cx)?;
            self.tool.prepare(claim, &self.cx).await
        }
        .boxed()
    }
}
