//! The loop.                                                                    ← start here
//!
//! Say the person's message; then again and again: take in what was steered, make room, ask the
//! model, write its reply to the journal, run its calls. No calls and nothing steered: done.

use std::sync::Arc;

use crate::context::Meter;
use crate::event::{Ended, Event};
use crate::gate::Mode;
use crate::inbox::{Inbox, Interrupted};
use crate::listen::{Moment, Reaction};
use crate::message::{Output, Reply, Source, Stop, ToolCall, UserMessage, plain};
use crate::model::{Collector, Model, ModelError, Request};
use crate::prompt;
use crate::repeat;
use crate::schedule::{Batch, Landed, Tools};
use crate::session::{self, Entry, Keyed, Session, TOLD, hash};
use crate::tool::{Cx, ToolSpec};

/// The same call with the same result so many rounds running earns a nudge.
const NUDGE_AT: usize = 3;
/// And so many stop the turn.
const STOP_AT: usize = 5;
/// So many refusals, with nobody there to be asked, stop it too.
const REFUSALS: usize = 5;

/// Why a turn ended whose last reply is incomplete.
const CUT: &str = "the reply was cut at the model's output limit; say \"continue\" to go on";

/// Facts that are told once and again when they change, by key: date, directory, git state,
/// instructions. Told after the prefix, since the prefix is the same on every machine.
pub type Facts = Arc<dyn Fn(&std::path::Path) -> Vec<(String, String)> + Send + Sync>;

/// An agent: a session, a model, tools.
pub(crate) struct Agent {
    pub(crate) cx: Cx,
    pub(crate) tools: Tools,
    pub(crate) specs: Arc<[ToolSpec]>,
    pub(crate) model: Arc<dyn Model>,
    pub(crate) system: Arc<str>,
    pub(crate) session: Session,
    pub(crate) inbox: Inbox,
    pub(crate) rounds: u32,
    pub(crate) facts: Facts,
    pub(crate) meter: Meter,
    /// What listeners want said before the next call to the model.
    pub(crate) unsaid: Vec<UserMessage>,
    /// How many refusals there were when the turn began.
    pub(crate) refusals: usize,
}

impl Agent {
    /// One turn, from the person's message to the model's last word.
    pub(crate) async fn turn(&mut self, message: UserMessage) -> Ended {
        self.refusals = self.cx.desk.refused(&self.cx.agent).len();
        let mut ended = match self.run(message).await {
            Ok(()) => Ended::Done,
            Err(ended) => ended,
        };
        let refused = self.refused();
        if ended == Ended::Done && !refused.is_empty() {
            ended = Ended::Refused(refused.join("; "));
        }
        if ended != Ended::Done {
            self.write(Entry::Note { text: format!("the turn ended: {ended}") });
        }
        self.session.journal().flush().await;
        ended
    }

    async fn run(&mut self, message: UserMessage) -> Result<(), Ended> {
        self.say_facts();
        self.hear(Moment::Said(&message)).await.map_err(Ended::Failed)?;
        self.say(message);
        for _ in 0..self.rounds {
            self.say_steered().await;
            self.make_room().await?;
            let (reply, batch) = self.ask_model().await?;
            let (calls, stop) = (reply.calls().next().is_some(), reply.stop.clone());
            self.write(Entry::Reply(reply));
            self.tell(Event::Replied);
            if calls {
                self.run_calls(batch).await?;
            } else if self.over(stop).await? {
                return Ok(());
            }
        }
        let why = format!("stopped after {} rounds; say \"continue\" to go on", self.rounds);
        self.remind(&why);
        Err(Ended::Limit(why))
    }

    /// Says what came up since the last call to the model: listeners' words, then the person's,
    /// which a listener may block like any other of theirs.
    async fn say_steered(&mut self) {
        let (unsaid, steered) = (std::mem::take(&mut self.unsaid), self.inbox.steered());
        unsaid.into_iter().for_each(|message| self.say(message));
        for message in steered {
            match self.hear(Moment::Said(&message)).await {
                Ok(()) => self.say(message),
                Err(why) => self.tell(Event::Notice(why)),
            }
        }
    }

    /// Asks the model. Calls that only look run while it still speaks.
    async fn ask_model(&mut self) -> Result<(Reply, Batch), Ended> {
        let (mut made_room, mut nudged) = (false, false);
        loop {
            self.cx.desk.budget.check(self.model.info())?;
            let mut collector = Collector::default();
            let mut batch = self.batch(Arc::clone(&self.tools));
            let request = self.request();
            let stream = self.model.stream(request.clone());
            let tell = |delta| self.cx.tell(Event::Delta(delta));
            let listening = batch.listen(stream, &mut collector, tell);
            let Ok(heard) = self.inbox.race(listening).await else {
                // What it said stays, without its calls; those that ran early only looked.
                if let Some(reply) = collector.cut(self.model.info().origin.clone()) {
                    self.write(Entry::Reply(reply));
                }
                return Err(self.stopped());
            };
            match heard {
                Err(ModelError::Overflow) if !made_room => {
                    made_room = true;
                    self.overflowed();
                    continue;
                }
                Err(error) => return Err(ended(error)),
                Ok(()) => (),
            }
            self.book(&collector, &request.items);
            match collector.finish(self.model.info().origin.clone()) {
                Some(reply) => {
                    batch.complete(&reply);
                    return Ok((reply, batch));
                }
                None if nudged => return Err(Ended::Failed("the model's reply was empty".into())),
                None => nudged = true,
            }
            self.remind(prompt::EMPTY);
        }
    }

    /// Runs the calls of the reply that was just written; each answer is journalled as it lands.
    async fn run_calls(&mut self, mut batch: Batch) -> Result<(), Ended> {
        if batch.has_effects() {
            // A crash must show exactly which calls were in flight.
            self.session.journal().flush().await;
        }
        batch.journalled();
        loop {
            match self.inbox.race(batch.next()).await {
                Ok(Some(landed)) => self.landed(landed).await,
                Ok(None) => break,
                Err(Interrupted) => {
                    for landed in batch.cancel().await {
                        self.landed(landed).await;
                    }
                    return Err(self.stopped());
                }
            }
        }
        let refused = self.refused();
        if refused.len() >= REFUSALS {
            return Err(Ended::Refused(refused.join("; ")));
        }
        self.check_repetition()
    }

    /// What was refused in this turn because nobody was there to be asked.
    fn refused(&self) -> Vec<String> {
        self.cx.desk.refused(&self.cx.agent).split_off(self.refusals)
    }

    async fn landed(&mut self, landed: Landed) {
        let Landed { index, call, output, changes } = landed;
        self.hear_or_say(Moment::Answered(&call, &output)).await;
        self.write(Entry::Result { call: index, output });
        if !changes.is_empty() {
            self.tell(Event::Changed { call: call.id.clone(), changes: changes.clone() });
            self.write(Entry::Checkpoint { call: Some(call.id), changes, undoes: None });
        }
    }

    fn check_repetition(&mut self) -> Result<(), Ended> {
        let repeated = repeat::repeated(&self.session.folded().items);
        let Some((name, times)) = repeated else { return Ok(()) };
        if times >= STOP_AT {
            let why = format!("{name} was called {times} times running with the same result");
            self.remind(&why);
            return Err(Ended::Repetition(why));
        }
        if times == NUDGE_AT {
            self.remind(prompt::REPEATED);
        }
        Ok(())
    }

    /// A reply without calls: is the turn over?
    async fn over(&mut self, stop: Stop) -> Result<bool, Ended> {
        match stop {
            Stop::Length => return Err(Ended::Limit(CUT.to_owned())),
            Stop::Refused(why) => return Err(Ended::Failed(format!("the reply was cut: {why}"))),
            Stop::End | Stop::Interrupted => (),
        }
        let last = self.session.head();
        self.say_steered().await;
        self.hear_or_say(Moment::Stopping).await;
        Ok(self.unsaid.is_empty() && self.session.head() == last)
    }

    pub(crate) fn stopped(&mut self) -> Ended {
        let place = |(index, call): (usize, &ToolCall)| (index, call.id.clone());
        let open: Vec<_> = self.session.folded().unanswered().map(place).collect();
        for (call, id) in open {
            let output = Output::interrupted();
            self.tell(Event::Answered { call: id, output: output.clone() });
            self.write(Entry::Result { call, output });
        }
        for message in self.inbox.dropped() {
            let text = plain(&message.content);
            self.tell(Event::Notice(format!("not said, since you stopped the turn: {text}")));
        }
        self.remind(prompt::STOPPED);
        Ended::Interrupted
    }

    pub(crate) fn request(&self) -> Request {
        Request {
            system: Arc::clone(&self.system),
            items: self.session.folded().items.iter().cloned().collect(),
            tools: Arc::clone(&self.specs),
            max_output: None,
        }
    }

    pub(crate) fn batch(&self, tools: Tools) -> Batch {
        let mut cx = self.cx.at(self.session.folded().state.clone());
        cx.model = Some(Arc::clone(&self.model));
        Batch::new(cx, tools)
    }

    pub(crate) fn prompt(&mut self) -> u64 {
        self.meter.prompt(&self.session.folded().items)
    }

    pub(crate) fn book(&mut self, collector: &Collector, items: &[Keyed]) {
        let Some(usage) = collector.ended() else { return };
        self.meter.learn(items, usage.prompt());
        let spent = self.cx.desk.budget.book(usage, self.model.info());
        self.tell(Event::Usage(spent));
    }

    /// Tells what changed since it was last told.
    pub(crate) fn say_facts(&mut self) {
        let state = Arc::clone(&self.session.folded().state);
        let mut facts = (self.facts)(&self.cx.at(Arc::clone(&state)).cwd);
        match session::mode(&state) {
            Mode::Plan => facts.push(("mode".to_owned(), prompt::PLAN.trim_end().to_owned())),
            Mode::Normal if state.contains_key("told:mode") => {
                facts.push(("mode".to_owned(), prompt::PLAN_OVER.trim_end().to_owned()));
            }
            Mode::Normal => (),
        }
        for (key, text) in facts {
            let key = format!("{TOLD}{key}");
            let mark = serde_json::Value::from(format!("{:016x}", hash(&text)));
            if self.session.folded().state.get(&key) != Some(&mark) {
                self.say(UserMessage::text(Source::Reminder, text));
                self.write(Entry::State { key, value: mark });
            }
        }
    }

    pub(crate) fn remind(&mut self, text: &str) {
        self.say(UserMessage::text(Source::Reminder, text.trim_end()));
    }

    fn say(&mut self, message: UserMessage) {
        self.tell(Event::Said(message.clone()));
        self.write(Entry::User(message));
    }

    /// Writes an entry; the person hears it when the journal begins to fail.
    pub(crate) fn write(&mut self, entry: Entry) {
        let troubled = self.session.trouble().is_some();
        self.session.append(entry);
        if let Some(why) = self.session.trouble().filter(|_| !troubled) {
            let path = self.session.journal().place();
            self.tell(Event::Notice(format!(
                "this session cannot be saved for now, and goes on in memory: {path}: {why}"
            )));
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        self.cx.tell(event);
    }

    /// Lets every listener hear; what they want said is said before the next call to the model. The
    /// first block counts.
    pub(crate) async fn hear(&mut self, moment: Moment<'_>) -> Result<(), String> {
        let mut blocked = Ok(());
        for listener in &self.cx.desk.shared.listeners {
            match listener.at(moment).await {
                Reaction::Go => (),
                Reaction::Say(message) => self.unsaid.push(message),
                Reaction::Block(why) => blocked = blocked.and(Err(why)),
            }
        }
        blocked
    }

    /// The same where there is nothing to block: the model is told why a listener would have.
    async fn hear_or_say(&mut self, moment: Moment<'_>) {
        if let Err(why) = self.hear(moment).await {
            self.unsaid.push(UserMessage::text(Source::Hook, why));
        }
    }
}

fn ended(error: ModelError) -> Ended {
    let why = error.to_string();
    match error {
        ModelError::Auth(_) => Ended::Auth(why),
        ModelError::Overflow
        | ModelError::Transient { .. }
        | ModelError::Quota { .. }
        | ModelError::Refused(_) => Ended::Provider(why),
    }
}
