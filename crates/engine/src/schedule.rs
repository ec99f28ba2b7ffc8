//! Which call may start now.
//!
//! In-order issue, as in a processor: claims decide the order, and a call's turn comes when no
//! earlier unfinished call of its reply conflicts with it. While the reply still streams, only a
//! call that just looks, and that nobody need be asked about, has a turn at all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use futures::future::{AbortHandle, BoxFuture, Either, FutureExt as _, pending, select};
use futures::stream::{BoxStream, FuturesUnordered, StreamExt as _};
use tokio::sync::watch;

use crate::call::{self, Claimed};
use crate::effect::{Claim, Effect};
use crate::listen::Change;
use crate::message::{Output, Reply, Stop, ToolCall};
use crate::model::{Collector, Delta, ModelError};
use crate::schema;
use crate::tool::{Cx, Tool, ToolError};

/// What a call hears that was not run because its reply was cut.
const CUT: &str = "not run: the reply was cut at the model's output limit, so this call may not \
                   be what was meant. Send it again, and write long content in parts: create the \
                   file with a first part, then append with edits";

/// An agent's tools, in the order the model is told of them.
pub(crate) type Tools = Arc<[Arc<dyn Tool>]>;

/// The calls of one reply.
pub(crate) struct Batch {
    /// Where the first call runs.
    begun: Cx,
    /// Where the next call runs: what landed before has changed the session.
    cx: Cx,
    tools: Tools,
    slots: Vec<Slot>,
    running: FuturesUnordered<BoxFuture<'static, Option<Landed>>>,
    landed: VecDeque<Landed>,
    journalled: watch::Sender<bool>,
}

/// An answer that landed.
pub(crate) struct Landed {
    pub(crate) index: usize,
    pub(crate) call: ToolCall,
    pub(crate) output: Output,
    pub(crate) changes: Vec<Change>,
}

struct Slot {
    call: ToolCall,
    claim: Claimed,
    turn: Turn,
}

enum Turn {
    Waiting,
    Running(AbortHandle),
    Done,
}

impl Slot {
    /// Whether a later call with this effect must wait for it.
    fn blocks(&self, later: &Effect) -> bool {
        let running = !matches!(self.turn, Turn::Done);
        running && self.claim.as_ref().is_ok_and(|(_, claim)| claim.effect.conflicts(later))
    }
}

impl Batch {
    pub(crate) fn new(cx: Cx, tools: Tools) -> Self {
        Self {
            begun: cx.clone(),
            cx,
            tools,
            slots: Vec::new(),
            running: FuturesUnordered::new(),
            landed: VecDeque::new(),
            journalled: watch::Sender::new(false),
        }
    }

    /// Takes in a reply. Calls are offered as they complete, and those that may run do so meanwhile.
    pub(crate) async fn listen(
        &mut self,
        mut stream: BoxStream<'static, Result<Delta, ModelError>>,
        collector: &mut Collector,
        tell: impl Fn(Delta),
    ) -> Result<(), ModelError> {
        while collector.ended().is_none() {
            let delta = self.run_during(stream.next()).await;
            let delta = delta.unwrap_or_else(|| Err(ModelError::cut_off()))?;
            collector.take(&delta);
            match &delta {
                Delta::Restart { .. } => self.restart(),
                Delta::Void { id, args } => self.void(id, args),
                Delta::CallDone => self.offer(collector.calls()),
                Delta::Open(_)
                | Delta::Text(_)
                | Delta::Thinking(_)
                | Delta::Opaque(_)
                | Delta::Seal(_)
                | Delta::Call { .. }
                | Delta::Args(_)
                | Delta::End { .. } => (),
            }
            tell(delta);
        }
        Ok(())
    }

    /// These calls are complete in the stream; those it knows stay as they are.
    fn offer<'a>(&mut self, calls: impl Iterator<Item = &'a ToolCall>) {
        self.add(calls);
        self.start();
    }

    /// The reply is complete. When the output limit cut it, nothing more starts: not even calls
    /// that parse, since what would have followed might have changed their meaning.
    pub(crate) fn complete(&mut self, reply: &Reply) {
        self.add(reply.calls());
        let torn = |call: &ToolCall| schema::is_cut_off(&call.args);
        if reply.stop == Stop::Length || reply.calls().last().is_some_and(torn) {
            let waiting = |slot: &&mut Slot| matches!(slot.turn, Turn::Waiting);
            for slot in self.slots.iter_mut().filter(waiting) {
                slot.claim = Err(ToolError::tell(CUT));
            }
        }
        self.start();
    }

    /// The stream began again: what ran early is thrown away.
    fn restart(&mut self) {
        self.slots.clear();
        self.running.clear();
        self.landed.clear();
        self.cx = self.begun.clone();
    }

    /// A call turned out to have other arguments: what ran early is thrown away.
    fn void(&mut self, id: &str, args: &str) {
        let Some(index) = self.slots.iter().position(|slot| slot.call.id == id) else { return };
        if let Turn::Running(stop) = &self.slots[index].turn {
            stop.abort();
        }
        self.landed.retain(|landed| landed.index != index);
        let after = |cx: Cx, landed: &Landed| cx.after(&landed.output);
        self.cx = self.landed.iter().fold(self.begun.clone(), after);
        let call = ToolCall { args: args.to_owned(), ..self.slots[index].call.clone() };
        self.slots[index] = self.slot(call);
    }

    /// The reply is in the journal: every call may have its turn.
    pub(crate) fn journalled(&mut self) {
        self.journalled.send_replace(true);
        self.begun.state = Arc::default(); // nothing begins again: the session need not copy its own
        self.start();
    }

    /// Whether a call is to run that does more than look.
    pub(crate) fn has_effects(&self) -> bool {
        let acts = |(_, claim): &(_, Claim)| !claim.effect.only_looks();
        self.slots.iter().any(|slot| slot.claim.as_ref().is_ok_and(acts))
    }

    /// The next answer, in the order they land; nothing when there is none to wait for.
    pub(crate) async fn next(&mut self) -> Option<Landed> {
        while self.landed.is_empty() {
            self.land().await?;
        }
        self.landed.pop_front()
    }

    /// Runs what was started for as long as the work takes.
    async fn run_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let running = async {
            while self.land().await.is_some() {}
            pending::<Infallible>().await
        };
        // What runs goes first, so that a stream which is always ready does not hold it up.
        match select(pin!(running), pin!(work)).await {
            Either::Left((never, _)) => match never {},
            Either::Right((done, _)) => done,
        }
    }

    /// Stops what runs. Calls that had landed keep their answers; of the others those are
    /// answered that had changed something by then.
    pub(crate) async fn cancel(&mut self) -> VecDeque<Landed> {
        for slot in &self.slots {
            if let Turn::Running(stop) = &slot.turn {
                stop.abort();
            }
        }
        while let Some(landed) = self.running.next().await {
            self.landed.extend(landed);
        }
        std::mem::take(&mut self.landed)
    }

    /// Lets one call land, and starts those it held up; nothing when no call runs.
    async fn land(&mut self) -> Option<()> {
        if let Some(landed) = self.running.next().await? {
            self.cx = self.cx.after(&landed.output);
            self.slots[landed.index].turn = Turn::Done;
            self.landed.push_back(landed);
            self.start();
        }
        Some(())
    }

    fn add<'a>(&mut self, calls: impl Iterator<Item = &'a ToolCall>) {
        for call in calls.skip(self.slots.len()) {
            self.slots.push(self.slot(call.clone()));
        }
    }

    fn slot(&self, call: ToolCall) -> Slot {
        Slot { claim: self.claim(&call), call, turn: Turn::Waiting }
    }

    fn claim(&self, call: &ToolCall) -> Claimed {
        let Some(tool) = self.tools.iter().find(|tool| tool.spec().name == call.name) else {
            let names: Vec<_> = self.tools.iter().map(|tool| tool.spec().name.as_str()).collect();
            let (name, names) = (&call.name, names.join(", "));
            return Err(ToolError::tell(format!("there is no tool `{name}`; there are: {names}")));
        };
        let claimed = catch_unwind(AssertUnwindSafe(|| tool.claim(call, &self.cx(call))));
        let claim = claimed.unwrap_or_else(|_| Err(ToolError::tell(call::FAILED_INSIDE)))?;
        Ok((Arc::clone(tool), claim))
    }

    /// Starts every call whose turn has come.
    fn start(&mut self) {
        for index in 0..self.slots.len() {
            if self.turn_has_come(index) && self.slots[index].claim.is_ok() {
                // An earlier call may have moved the directory: what it claims, it claims there.
                self.slots[index] = self.slot(self.slots[index].call.clone());
            }
            if self.turn_has_come(index) {
                self.launch(index);
            }
        }
    }

    fn turn_has_come(&self, index: usize) -> bool {
        let journalled = *self.journalled.borrow();
        match &self.slots[index] {
            Slot { turn: Turn::Running(_) | Turn::Done, .. } => false,
            // Malformed arguments may yet be voided, so even that answer waits for the whole reply.
            Slot { claim: Err(_), .. } => journalled,
            Slot { claim: Ok((_, claim)), .. } => {
                let blocks = |earlier: &Slot| earlier.blocks(&claim.effect);
                (journalled || self.cx.desk.shared.gate.early(claim))
                    && !self.slots[..index].iter().any(blocks)
            }
        }
    }

    fn launch(&mut self, index: usize) {
        let Slot { call, claim, .. } = &self.slots[index];
        let (cx, call) = (self.cx(call), call.clone());
        let (stop, stopped) = AbortHandle::new_pair();
        let answer = call::answer(claim.clone(), cx, self.journalled.subscribe(), stopped);
        let landed = answer.map(move |answer| {
            answer.map(|(output, changes)| Landed { index, call, output, changes })
        });
        self.running.push(landed.boxed());
        self.slots[index].turn = Turn::Running(stop);
    }

    fn cx(&self, call: &ToolCall) -> Cx {
        Cx { call: call.id.clone(), ..self.cx.clone() }
    }
}
