//! Which call may start now.
//!
//! In-order issue, as in a processor: claims decide the order, and a call's turn comes when no
//! earlier unfinished call of its reply conflicts with it. While the reply still streams, only a
//! call that just looks, and that nobody need be asked about, has a turn at all.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{AbortHandle, Abortable, BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;

use crate::call::{self, Ticketed};
use crate::desk::Desk;
use crate::effect::Claim;
use crate::event::Event;
use crate::listen::Change;
use crate::message::{Output, ToolCall};
use crate::session::{self, State};
use crate::tool::{Cx, Tool, ToolError, ToolSpec};

/// An agent's tools, in the order the model is told of them.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) specs: Arc<[ToolSpec]>,
    by_name: Arc<HashMap<String, Arc<dyn Tool>>>,
}

impl Tools {
    pub(crate) fn new(tools: Vec<Arc<dyn Tool>>) -> Self {
        let specs = tools.iter().map(|tool| tool.spec().clone()).collect();
        let named = |tool: Arc<dyn Tool>| (tool.spec().name.clone(), tool);
        Self { specs, by_name: Arc::new(tools.into_iter().map(named).collect()) }
    }

    fn find(&self, name: &str) -> Result<&Arc<dyn Tool>, ToolError> {
        self.by_name.get(name).ok_or_else(|| {
            let names: Vec<_> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
            ToolError::tell(format!("there is no tool `{name}`; there are: {}", names.join(", ")))
        })
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let tool = self.find(&call.name)?;
        let claimed = catch_unwind(AssertUnwindSafe(|| tool.claim(call, cx)));
        claimed.unwrap_or_else(|_| Err(ToolError::tell(call::FAILED_INSIDE)))
    }
}

/// An answer that landed.
pub(crate) struct Landed {
    pub(crate) index: usize,
    pub(crate) call: ToolCall,
    pub(crate) output: Output,
    pub(crate) changes: Vec<Change>,
}

/// The calls of one reply.
pub(crate) struct Batch {
    cx: Cx,
    tools: Tools,
    state: State,
    slots: Vec<Slot>,
    running: FuturesUnordered<BoxFuture<'static, Option<Landed>>>,
    landed: Vec<Landed>,
    journalled: watch::Sender<bool>,
    /// Nothing starts any more: the reply was cut.
    held: bool,
}

struct Slot {
    call: ToolCall,
    claim: Result<Claim, ToolError>,
    turn: Turn,
    ticket: Ticketed,
}

enum Turn {
    Waiting,
    Running(AbortHandle),
    Done,
}

impl Batch {
    pub(crate) fn new(cx: Cx, tools: Tools) -> Self {
        let (journalled, _) = watch::channel(false);
        Self {
            state: State::clone(&cx.state),
            cx,
            tools,
            slots: Vec::new(),
            running: FuturesUnordered::new(),
            landed: Vec::new(),
            journalled,
            held: false,
        }
    }

    /// These calls are complete in the stream; those it knows stay as they are.
    pub(crate) fn offer<'a>(&mut self, calls: impl Iterator<Item = &'a ToolCall>) {
        self.add(calls);
        self.start();
    }

    fn add<'a>(&mut self, calls: impl Iterator<Item = &'a ToolCall>) {
        for call in calls.skip(self.slots.len()) {
            let slot = self.slot(call.clone());
            self.slots.push(slot);
        }
    }

    fn slot(&self, call: ToolCall) -> Slot {
        let claim = self.tools.claim(&call, &self.cx(&call));
        Slot { call, claim, turn: Turn::Waiting, ticket: Ticketed::default() }
    }

    /// The stream began again: what ran early is thrown away.
    pub(crate) fn restart(&mut self) {
        self.slots.clear();
        self.running.clear();
        self.landed.clear();
        self.state_again();
    }

    /// The session's state after what landed, nothing of which has been taken yet.
    fn state_again(&mut self) {
        self.state = State::clone(&self.cx.state);
        for landed in self.landed.iter().rev() {
            session::merge(&mut self.state, &landed.output.state);
        }
    }

    /// A call turned out to have other arguments: what ran early is thrown away.
    pub(crate) fn void(&mut self, id: &str, args: &str) {
        let Some(index) = self.slots.iter().position(|slot| slot.call.id == id) else { return };
        self.landed.retain(|landed| landed.index != index);
        self.state_again();
        let mut call = self.slots[index].call.clone();
        args.clone_into(&mut call.args);
        if let Turn::Running(abort) = &self.slots[index].turn {
            abort.abort();
        }
        self.slots[index] = self.slot(call);
    }

    /// The reply was cut at the output limit, so nothing starts any more: what had started keeps
    /// its result, the rest is told why. A call that never became complete is offered here, too.
    pub(crate) fn hold<'a>(&mut self, calls: impl Iterator<Item = &'a ToolCall>) {
        self.held = true;
        self.add(calls);
        for index in 0..self.slots.len() {
            if matches!(self.slots[index].turn, Turn::Waiting) {
                self.land(index, Output::failure(CUT));
            }
        }
    }

    /// The reply is in the journal: every call may have its turn.
    pub(crate) fn journalled(&mut self) {
        self.journalled.send_replace(true);
        self.start();
    }

    /// Whether a call is to run that does more than look.
    pub(crate) fn has_effects(&self) -> bool {
        let looks = |slot: &Slot| slot.claim.as_ref().is_ok_and(|c| c.effect.only_looks());
        !self.slots.iter().all(looks)
    }

    /// How many calls there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The next answer, in the order they land; nothing when there is none to wait for.
    pub(crate) async fn next(&mut self) -> Option<Landed> {
        loop {
            if let Some(landed) = self.landed.pop() {
                self.start();
                return Some(landed);
            }
            let Some(landed) = self.running.next().await? else { continue };
            self.arrived(landed);
        }
    }

    /// Runs what was started, and keeps what lands, for as long as it is polled.
    pub(crate) async fn run(&mut self) -> Infallible {
        while let Some(landed) = self.running.next().await {
            let Some(landed) = landed else { continue };
            self.arrived(landed);
            self.start();
        }
        futures::future::pending().await
    }

    /// Cancels what runs, and says what it had changed by then. Calls that had landed keep their
    /// answers.
    pub(crate) async fn cancel(&mut self) -> Vec<Landed> {
        self.running.clear();
        let mut landed = std::mem::take(&mut self.landed);
        landed.reverse();
        for (index, slot) in self.slots.iter().enumerate() {
            let changes = slot.ticket.close(&self.cx.desk).await;
            if !changes.is_empty() {
                let (call, output) = (slot.call.clone(), Output::interrupted());
                landed.push(Landed { index, call, output, changes });
            }
        }
        landed
    }

    pub(crate) fn tell(&self, event: Event) {
        self.cx.tell(event);
    }

    fn arrived(&mut self, landed: Landed) {
        session::merge(&mut self.state, &landed.output.state);
        if let Some(slot) = self.slots.get_mut(landed.index) {
            slot.turn = Turn::Done;
        }
        self.landed.insert(0, landed);
    }

    fn land(&mut self, index: usize, output: Output) {
        let call = self.slots[index].call.clone();
        self.tell(Event::Answered { call: call.id.clone(), output: output.clone() });
        self.arrived(Landed { index, call, output, changes: Vec::new() });
    }

    /// Starts every call whose turn has come.
    fn start(&mut self) {
        for index in 0..self.slots.len() {
            if !matches!(self.slots[index].turn, Turn::Waiting) || !self.turn_has_come(index) {
                continue;
            }
            // An earlier call may have moved the directory: what it claims, it claims from there.
            let cx = self.cx(&self.slots[index].call);
            let claim = self.tools.claim(&self.slots[index].call, &cx);
            self.slots[index].claim = claim.clone();
            match claim {
                Ok(claim) if self.turn_has_come(index) => self.launch(index, claim, cx),
                Ok(_) => (),
                Err(ToolError::Tell(why)) => self.land(index, Output::failure(why)),
            }
        }
    }

    fn turn_has_come(&self, index: usize) -> bool {
        let slot = &self.slots[index];
        // Malformed arguments may yet be voided, so even that answer waits for the whole reply.
        let Ok(claim) = &slot.claim else { return *self.journalled.borrow() };
        let early = || !self.held && self.cx.desk.gate.early(claim);
        if !*self.journalled.borrow() && !early() {
            return false;
        }
        self.slots[..index].iter().all(|earlier| match (&earlier.turn, &earlier.claim) {
            (Turn::Done, _) | (_, Err(_)) => true,
            (Turn::Waiting | Turn::Running(_), Ok(other)) => !other.effect.conflicts(&claim.effect),
        })
    }

    fn launch(&mut self, index: usize, claim: Claim, cx: Cx) {
        let slot = &mut self.slots[index];
        let Ok(tool) = self.tools.find(&slot.call.name) else { return };
        let asked = call::Call {
            tool: Arc::clone(tool),
            claim,
            cx,
            mode: session::mode(&self.state),
            journalled: self.journalled.subscribe(),
            ticket: slot.ticket.clone(),
        };
        let (abort, registration) = AbortHandle::new_pair();
        slot.turn = Turn::Running(abort);
        let call = slot.call.clone();
        let landed = asked.answer();
        let landed = landed.map(move |(output, changes)| Landed { index, call, output, changes });
        self.running.push(Abortable::new(landed, registration).map(Result::ok).boxed());
    }

    fn cx(&self, call: &ToolCall) -> Cx {
        Cx { call: call.id.clone(), ..self.cx.at(self.state.clone()) }
    }
}

/// What a call hears that was not run because its reply was cut.
const CUT: &str = "not run: the reply was cut at the model's output limit, so this call may not \
                   be what was meant. Send it again, and write long content in parts: create the \
                   file with a first part, then append with edits";

/// Where a call leaves its keeper's ticket, so that one that is cancelled can still be closed.
impl Ticketed {
    async fn close(&self, desk: &Desk) -> Vec<Change> {
        let ticket = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match ticket {
            Some(ticket) => desk.keeper.after(ticket).await,
            None => Vec::new(),
        }
    }
}

/// A lock that nothing is awaited under.
pub(crate) type Slotted<T> = Arc<Mutex<Option<T>>>;
