//! What all agents of a session share: the gate, the keeper, the table of effects in flight, the
//! permits, the one queue of questions, the purse and the channel that tells what happens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turns, Notify, Semaphore, mpsc, oneshot};

use crate::budget::Budget;
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

/// What all agents of a session share.
pub(crate) struct Desk {
    pub(crate) gate: Gate,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) listeners: Vec<Box<dyn Listener>>,
    pub(crate) filter: Filter,
    pub(crate) budget: Budget,
    pub(crate) permits: Semaphore,
    pub(crate) flights: Flights,
    asks: Asks,
    questions: Questions,
    events: mpsc::UnboundedSender<Told>,
}

/// Questions wait for their turn, and answers find their question.
#[derive(Default)]
struct Questions {
    turn: Turns<()>,
    state: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    next: u64,
    open: Option<(AskId, oneshot::Sender<Decision>)>,
    refused: Vec<String>,
}

impl Desk {
    pub(crate) fn new(shared: crate::driver::Shared, events: mpsc::UnboundedSender<Told>) -> Self {
        Self {
            gate: shared.gate,
            keeper: shared.keeper,
            listeners: shared.listeners,
            filter: shared.filter,
            budget: Budget::new(shared.limits),
            permits: Semaphore::new(PERMITS),
            flights: Flights::default(),
            asks: shared.asks,
            questions: Questions::default(),
            events,
        }
    }

    /// Tells what happened. Nobody listening is no fault.
    pub(crate) fn tell(&self, agent: &AgentId, event: Event) {
        let _ = self.events.send(Told { agent: agent.clone(), event });
    }

    /// Asks the person and waits. Questions of all agents come one after the other.
    pub(crate) async fn ask(&self, agent: &AgentId, question: Question) -> Decision {
        if self.asks == Asks::Nobody {
            return self.refuse(&question);
        }
        let _turn = self.questions.turn.lock().await;
        let (answer, answered) = oneshot::channel();
        let ask = {
            let mut asked = self.asked();
            asked.next += 1;
            let ask = AskId(asked.next);
            asked.open = Some((ask, answer));
            ask
        };
        self.tell(agent, Event::Ask { ask, question });
        answered.await.unwrap_or(Decision::No(None))
    }

    /// Delivers an answer; one to a question that is no longer open is dropped.
    pub(crate) fn answer(&self, ask: AskId, decision: Decision) {
        let open = self.asked().open.take_if(|(id, _)| *id == ask);
        if let Some((_, answer)) = open {
            let _ = answer.send(decision);
        }
    }

    /// What was refused because nobody was there to be asked.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.asked().refused.clone()
    }

    fn refuse(&self, question: &Question) -> Decision {
        if let Question::Permit { claim, .. } = question {
            self.asked().refused.push(claim.title.clone());
        }
        Decision::No(Some(
            "nobody is there to be asked. Go on without it if you can; else say exactly what \
             should be run, so that the person can run it or start again with --yes"
                .to_owned(),
        ))
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.questions.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The effects in flight, in the order they were announced. One may go when no earlier one that
/// conflicts is still there, so that nobody waits for ever behind a stream of others.
#[derive(Default)]
pub(crate) struct Flights {
    announced: Mutex<(u64, BTreeMap<u64, Effect>)>,
    landed: Notify,
}

/// An effect in flight; dropping it ends that.
pub(crate) struct Flight {
    desk: Arc<Desk>,
    number: u64,
    pub(crate) effect: Effect,
}

impl Flight {
    /// Announces an effect and waits until it may go.
    pub(crate) async fn begin(desk: &Arc<Desk>, effect: Effect) -> Self {
        let number = desk.flights.announce(&effect);
        let flight = Self { desk: Arc::clone(desk), number, effect };
        loop {
            let landed = desk.flights.landed.notified();
            if !desk.flights.must_wait(number, &flight.effect) {
                return flight;
            }
            landed.await;
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.desk.flights.list().1.remove(&self.number);
        self.desk.flights.landed.notify_waiters();
    }
}

impl Flights {
    fn announce(&self, effect: &Effect) -> u64 {
        let mut list = self.list();
        list.0 += 1;
        let number = list.0;
        list.1.insert(number, effect.clone());
        number
    }

    fn must_wait(&self, number: u64, effect: &Effect) -> bool {
        self.list().1.range(..number).any(|(_, earlier)| earlier.conflicts(effect))
    }

    fn list(&self) -> std::sync::MutexGuard<'_, (u64, BTreeMap<u64, Effect>)> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
