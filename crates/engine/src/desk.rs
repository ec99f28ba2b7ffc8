//! What all agents of a session share: the gate, the keeper, the table of effects in flight, the
//! permits, the one queue of questions, the purse and the channel that tells what happens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Turns, Semaphore, mpsc, oneshot, watch};

use crate::budget::{Budget, Limits};
use crate::effect::Effect;
use crate::event::{AgentId, AskId, Decision, Event, Question, Told};
use crate::gate::Gate;
use crate::listen::{Keeper, Listener};
use crate::message::Output;

/// The most calls that run at once, over all agents.
pub const PERMITS: usize = 16;

/// Sees every output before it is shown, journalled or sent.
pub type Filter = Arc<dyn Fn(&mut Output) + Send + Sync>;

/// Whether anybody is there to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A person answers.
    Person,
    /// Nobody does: what would ask is refused.
    Nobody,
}

/// What all agents of a session are given to share.
pub struct Shared {
    /// Decides which plans run.
    pub gate: Gate,
    /// Keeps what calls may destroy.
    pub keeper: Arc<dyn Keeper>,
    /// Hear of moments in a turn.
    pub listeners: Vec<Box<dyn Listener>>,
    /// Sees every output first.
    pub filter: Filter,
    /// What may be spent.
    pub limits: Limits,
    /// Whether anybody is there to be asked.
    pub asks: Asks,
}

/// What all agents of a session share.
pub(crate) struct Desk {
    pub(crate) shared: Shared,
    pub(crate) budget: Budget,
    pub(crate) permits: Semaphore,
    /// The effects in flight, in the order they were announced.
    flights: watch::Sender<Vec<Arc<Effect>>>,
    /// Whoever asks holds this until the answer is there; it counts the questions.
    asking: Turns<u64>,
    open: Mutex<Option<(AskId, oneshot::Sender<Decision>)>>,
    refused: Mutex<Vec<(AgentId, String)>>,
    events: mpsc::UnboundedSender<Told>,
}

impl Desk {
    pub(crate) fn new(shared: Shared, events: mpsc::UnboundedSender<Told>) -> Self {
        Self {
            budget: Budget::new(shared.limits),
            shared,
            permits: Semaphore::new(PERMITS),
            flights: watch::Sender::default(),
            asking: Turns::default(),
            open: Mutex::default(),
            refused: Mutex::default(),
            events,
        }
    }

    /// Tells what happened. Nobody listening is no fault.
    pub(crate) fn tell(&self, agent: &AgentId, event: Event) {
        let _ = self.events.send(Told { agent: agent.clone(), event });
    }

    /// Asks the person and waits. Questions of all agents come one after the other; one that is
    /// no longer open when its turn comes is not asked.
    pub(crate) async fn ask(
        &self,
        agent: &AgentId,
        question: Question,
        still_open: impl Fn() -> bool,
    ) -> Option<Decision> {
        if self.shared.asks == Asks::Nobody {
            return Some(self.refuse(agent, &question));
        }
        let mut asked = self.asking.lock().await;
        if !still_open() {
            return None;
        }
        *asked += 1;
        let ask = AskId(*asked);
        let (answer, answered) = oneshot::channel();
        *locked(&self.open) = Some((ask, answer));
        self.tell(agent, Event::Ask { ask, question });
        Some(answered.await.unwrap_or(Decision::No(None)))
    }

    /// Delivers an answer; one to a question that is no longer open is dropped.
    pub(crate) fn answer(&self, ask: AskId, decision: Decision) {
        if let Some((_, answer)) = locked(&self.open).take_if(|(id, _)| *id == ask) {
            let _ = answer.send(decision);
        }
    }

    /// What was refused to an agent and to those it started, because nobody was there to be asked.
    pub(crate) fn refused(&self, agent: &AgentId) -> Vec<String> {
        let below = |(who, _): &&(AgentId, String)| who.is_below(agent);
        locked(&self.refused).iter().filter(below).map(|(_, title)| title.clone()).collect()
    }

    fn refuse(&self, agent: &AgentId, question: &Question) -> Decision {
        if let Question::Permit { claim, .. } = question {
            locked(&self.refused).push((agent.clone(), claim.title.clone()));
        }
        Decision::No(Some(
            "nobody is there to be asked. Go on without it if you can; else say exactly what \
             should be run, so that the person can run it or start again with --yes"
                .to_owned(),
        ))
    }
}

/// What a lock guards. A panic elsewhere leaves nothing half done: nothing is awaited under one.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An effect in flight; dropping it ends that. One may go when no earlier one that conflicts is
/// still there, so that nobody waits for ever behind a stream of others.
pub(crate) struct Flight {
    desk: Arc<Desk>,
    pub(crate) effect: Arc<Effect>,
}

impl Flight {
    /// Announces an effect and waits until it may go.
    pub(crate) async fn begin(desk: &Arc<Desk>, effect: &Effect) -> Self {
        let flight = Self { desk: Arc::clone(desk), effect: Arc::new(effect.clone()) };
        desk.flights.send_modify(|all| all.push(Arc::clone(&flight.effect)));
        let may_go = |all: &Vec<Arc<Effect>>| {
            let mut earlier = all.iter().take_while(|other| !Arc::ptr_eq(other, &flight.effect));
            !earlier.any(|earlier| earlier.conflicts(effect))
        };
        let _ = desk.flights.subscribe().wait_for(may_go).await;
        flight
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.desk.flights.send_modify(|all| all.retain(|other| !Arc::ptr_eq(other, &self.effect)));
    }
}
