//! One call, from its turn to its answer: prepare, check, ask, keep, run.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::watch;

use crate::desk::Flight;
use crate::effect::{Claim, Effect};
use crate::event::{Decision, Event, Question};
use crate::gate::{Checked, Mode, Outcome, Permitted, Plan, Preview};
use crate::listen::{Change, Ticket};
use crate::message::{Output, ToolCall};
use crate::prompt;
use crate::schedule::Slotted;
use crate::tool::{Cx, Tool, ToolError};

/// How often one call may turn out to need more than it was permitted.
const NEEDS: u32 = 3;

/// What a call hears whose tool panicked.
pub(crate) const FAILED_INSIDE: &str = "this tool failed inside; that is its fault, not yours";

/// A ticket that outlives the call that took it.
#[derive(Clone, Default)]
pub(crate) struct Ticketed(pub(crate) Slotted<Ticket>);

/// A call whose turn has come.
pub(crate) struct Call {
    pub(crate) tool: Arc<dyn Tool>,
    pub(crate) claim: Claim,
    pub(crate) cx: Cx,
    pub(crate) mode: Mode,
    pub(crate) journalled: watch::Receiver<bool>,
    pub(crate) ticket: Ticketed,
}

/// Why a call was not run, in words for the model.
struct Refused(String);

impl From<ToolError> for Refused {
    fn from(ToolError::Tell(why): ToolError) -> Self {
        Self(why)
    }
}

impl Call {
    /// Its answer, and what it changed. A panic inside a tool is an answer like any other.
    pub(crate) async fn answer(self) -> (Output, Vec<Change>) {
        let (cx, ticket) = (self.cx.clone(), self.ticket.clone());
        let ran = AssertUnwindSafe(self.run()).catch_unwind().await;
        let mut output = match ran {
            Ok(Ok(output)) => output,
            Ok(Err(Refused(why))) => Output::failure(why),
            Err(_) => Output::failure(FAILED_INSIDE),
        };
        let ticket = ticket.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let changes = match ticket {
            Some(ticket) => cx.desk.keeper.after(ticket).await,
            None => Vec::new(),
        };
        (cx.desk.filter)(&mut output);
        cx.tell(Event::Answered { call: cx.call.clone(), output: output.clone() });
        (output, changes)
    }

    async fn run(mut self) -> Result<Output, Refused> {
        let flight = self.flight(self.claim.effect.clone()).await;
        let checked = self.judge().await?;
        let (mut permitted, mut flight) = self.permit(checked, flight, None).await?;
        for _ in 0..=NEEDS {
            match self.perform(permitted).await? {
                Outcome::Done(output) => return Ok(output),
                Outcome::Needs { plan, why } => {
                    drop(flight);
                    flight = self.flight(plan.claim.effect.clone()).await;
                    let gate = &self.cx.desk.gate;
                    let checked =
                        gate.check_need(*plan, self.mode, &|args| self.remake(args)).await;
                    (permitted, flight) = self.permit(checked, flight, Some(why)).await?;
                }
            }
        }
        Err(Refused("this call needed more than it was permitted, again and again".to_owned()))
    }

    /// What the gate says of the call as it was made.
    async fn judge(&self) -> Result<Checked, Refused> {
        let plan = self.remake(self.claim.call.args.clone()).await?;
        Ok(self.cx.desk.gate.check(plan, self.mode, &|args| self.remake(args)).await)
    }

    /// Asks until the answer is about what is there now. While the person thinks, no effect is
    /// held in flight, so the target may change; then what was shown is not what would run.
    async fn permit(
        &mut self,
        mut checked: Checked,
        mut flight: Flight,
        why: Option<String>,
    ) -> Result<(Permitted, Flight), Refused> {
        loop {
            let pending = match checked {
                Checked::Run(permitted) => {
                    let effect = permitted.claim().effect.clone();
                    if effect != flight.effect {
                        drop(flight); // a guard amended the call
                        flight = self.flight(effect).await;
                    }
                    return Ok((permitted, flight));
                }
                Checked::Refuse(why) => return Err(Refused(why)),
                Checked::Ask(pending) => pending,
            };
            drop(flight);
            let (claim, preview) = (pending.plan().claim.clone(), pending.plan().preview.clone());
            self.ask(claim.clone(), preview, why.clone()).await?;
            flight = self.flight(claim.effect).await;
            if why.is_some() {
                // What a running call found out it needs cannot be prepared a second time.
                return Ok((pending.approve_as_shown(), flight));
            }
            let args = pending.amended().unwrap_or(&self.claim.call.args).clone();
            checked = match pending.approve(self.remake(args).await?) {
                Some(permitted) => Checked::Run(permitted),
                None => self.judge().await?,
            };
        }
    }

    /// Questions wait until the reply is complete and journalled.
    async fn ask(
        &mut self,
        claim: Claim,
        preview: Option<Preview>,
        why: Option<String>,
    ) -> Result<(), Refused> {
        self.journalled().await;
        let rules = &self.cx.desk.gate.rules;
        let always = rules.always(&claim);
        let question = Question::Permit { claim: claim.clone(), preview, why, always };
        let why = match self.cx.ask(question).await {
            Decision::Yes => return Ok(()),
            Decision::Always => {
                rules.allow(&claim);
                return Ok(());
            }
            Decision::No(None) => prompt::REFUSED.trim_end().to_owned(),
            Decision::No(Some(why)) => format!("not permitted: {why}"),
            Decision::Text(text) => format!("the person said instead: {text}"),
        };
        Err(Refused(why))
    }

    async fn journalled(&mut self) {
        let _ = self.journalled.wait_for(|journalled| *journalled).await;
    }

    async fn perform(&mut self, permitted: Permitted) -> Result<Outcome, Refused> {
        let claim = permitted.claim().clone();
        self.keep(&claim).await?;
        let permit = match claim.effect {
            Effect::Agent => None,
            Effect::Files { .. }
            | Effect::Exec(_)
            | Effect::Net(_)
            | Effect::Session
            | Effect::Unknown => self.cx.desk.permits.acquire().await.ok(),
        };
        self.cx.tell(Event::Started { claim });
        let outcome = permitted.run().await;
        drop(permit);
        Ok(outcome)
    }

    /// A call that began early may be amended, or need more: then it waits for its reply.
    async fn flight(&mut self, effect: Effect) -> Flight {
        if !effect.only_looks() {
            self.journalled().await;
        }
        Flight::begin(&self.cx.desk, effect).await
    }

    /// Keeps what the call may destroy. Where that fails the person decides.
    async fn keep(&mut self, claim: &Claim) -> Result<(), Refused> {
        let destroys = match &claim.effect {
            Effect::Files { writes, .. } => !writes.is_empty(),
            Effect::Exec(_) | Effect::Unknown => true,
            Effect::Net(_) | Effect::Session | Effect::Agent => false,
        };
        let held = || self.ticket.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !destroys || held().is_some() {
            return Ok(());
        }
        match self.cx.desk.keeper.before(claim).await {
            Ok(ticket) => {
                *held() = Some(ticket);
                Ok(())
            }
            Err(why) => {
                let why = format!("it could not be undone: {why}");
                self.ask(claim.clone(), None, Some(why)).await
            }
        }
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

/// Runs one call outside any conversation: through the gate of `cx` like every other, with nobody
/// to wait for. What an editor, a server of tools, or a test needs.
pub async fn once(tool: Arc<dyn Tool>, call: &ToolCall, cx: &Cx) -> (Output, Vec<Change>) {
    let claim = match tool.claim(call, cx) {
        Ok(claim) => claim,
        Err(ToolError::Tell(why)) => return (Output::failure(why), Vec::new()),
    };
    let (_journalled, seen) = watch::channel(true);
    let mode = crate::session::mode(&cx.state);
    let cx = Cx { call: call.id.clone(), ..cx.clone() };
    Call { tool, claim, cx, mode, journalled: seen, ticket: Ticketed::default() }.answer().await
}
