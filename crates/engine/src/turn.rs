//! The loop.                                                                    ← start here
//!
//! Say the person's message; then again and again: take in what was steered, make room, ask the
//! model, write its reply to the journal, run its calls. No calls and nothing steered: done.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use futures::future::{Either, select};
use futures::stream::{BoxStream, StreamExt as _};

use crate::context::{self, Meter};
use crate::event::{Ended, Event, Tier};
use crate::inbox::{Inbox, Interrupted};
use crate::listen::{Moment, Reaction};
use crate::message::{Item, Output, Reply, Source, Step, Stop, ToolCall, UserMessage, plain};
use crate::model::{Collector, Delta, Model, ModelError, Request};
use crate::prompt;
use crate::schedule::{Batch, Landed, Tools};
use crate::schema;
use crate::session::{Entry, Keyed, Session};
use crate::tool::Cx;

/// The same call with the same result so many rounds running earns a nudge.
const NUDGE_AT: u32 = 3;
/// And so many stop the turn.
const STOP_AT: u32 = 5;
/// So many refusals, with nobody there to be asked, stop it too.
const REFUSALS: usize = 5;

/// Facts that are told once and again when they change, by key: date, directory, git state,
/// instructions. Told after the prefix, since the prefix is the same on every machine.
pub type Facts = Arc<dyn Fn(&std::path::Path) -> Vec<(String, String)> + Send + Sync>;

/// An agent: a session, a model, tools.
pub(crate) struct Agent {
    pub(crate) cx: Cx,
    pub(crate) tools: Tools,
    pub(crate) model: Arc<dyn Model>,
    pub(crate) system: Arc<str>,
    pub(crate) session: Session,
    pub(crate) inbox: Inbox,
    pub(crate) rounds: u32,
    pub(crate) facts: Facts,
    pub(crate) meter: Meter,
    /// What listeners want said before the next call to the model.
    pub(crate) unsaid: Vec<UserMessage>,
    pub(crate) repeats: Repeats,
    /// How many refusals there were when the turn began.
    pub(crate) refusals: usize,
    /// Whether the person has been told that the journal cannot be written.
    pub(crate) troubled: bool,
}

impl Agent {
    /// One turn, from the person's message to the model's last word.
    pub(crate) async fn turn(&mut self, message: UserMessage) -> Ended {
        self.repeats = Repeats::default();
        self.refusals = self.cx.desk.refused().len();
        let ended = match self.run(message).await {
            Ok(()) => Ended::Done,
            Err(ended) => ended,
        };
        self.session.journal().flush().await;
        let refused = self.refused();
        if ended == Ended::Done && !refused.is_empty() {
            return Ended::Refused(refused.join("; "));
        }
        ended
    }

    async fn run(&mut self, message: UserMessage) -> Result<(), Ended> {
        self.say_facts();
        self.hear(Moment::Said(&message)).await.map_err(Ended::Failed)?;
        self.say(message);
        for _ in 0..self.rounds {
            for message in self.unsaid.drain(..).chain(self.inbox.steered()).collect::<Vec<_>>() {
                self.say(message);
            }
            self.make_room().await?;
            let (reply, batch) = self.ask_model().await?;
            let stop = reply.stop.clone();
            self.write(Entry::Reply(reply));
            self.tell(Event::Replied);
            if batch.len() > 0 {
                self.run_calls(batch).await?;
            } else if self.over(stop).await? {
                return Ok(());
            }
        }
        let why = format!("stopped after {} rounds; say \"continue\" to go on", self.rounds);
        self.remind(&why);
        Err(Ended::Limit(why))
    }

    /// Asks the model. Calls that only look run while it still speaks.
    async fn ask_model(&mut self) -> Result<(Reply, Batch), Ended> {
        let (mut made_room, mut nudged) = (false, false);
        loop {
            self.cx.desk.budget.check(self.model.info()).map_err(Ended::Budget)?;
            let mut collector = Collector::default();
            let mut batch = self.batch();
            let request = self.request();
            let stream = self.model.stream(request.clone());
            let listening = listen(stream, &mut collector, &mut batch);
            let heard = match self.inbox.race(listening).await {
                Ok(heard) => heard,
                Err(Interrupted) => return Err(self.interrupted(collector, batch).await),
            };
            match heard {
                Err(ModelError::Overflow) if !made_room => {
                    made_room = true;
                    self.overflowed().await?;
                    continue;
                }
                Err(error) => return Err(ended(error)),
                Ok(()) => (),
            }
            self.book(&collector, &request.items);
            match collector.finish(self.model.info().origin.clone()) {
                Some(reply) => {
                    settle(&reply, &mut batch);
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
            self.session.journal().flush().await; // a crash must show exactly which calls were in flight
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
        if self.refused().len() >= REFUSALS {
            return Err(Ended::Refused(self.refused().join("; ")));
        }
        self.check_repetition()
    }

    /// What was refused in this turn because nobody was there to be asked.
    fn refused(&self) -> Vec<String> {
        self.cx.desk.refused().split_off(self.refusals)
    }

    async fn landed(&mut self, landed: Landed) {
        let Landed { index, call, output, changes } = landed;
        for listener in &self.cx.desk.listeners {
            match listener.at(Moment::Answered(&call, &output)).await {
                Reaction::Say(message) => self.unsaid.push(message),
                Reaction::Block(why) => {
                    self.unsaid.push(UserMessage::text(Source::Hook, why));
                }
                Reaction::Go => (),
            }
        }
        self.write(Entry::Result { call: index, output });
        if !changes.is_empty() {
            self.tell(Event::Changed { call: call.id.clone(), changes: changes.clone() });
            self.write(Entry::Checkpoint { call: Some(call.id), changes, undoes: None });
        }
    }

    fn check_repetition(&mut self) -> Result<(), Ended> {
        let Some(Item::Step(step)) = self.session.folded().items.last().map(|(_, item)| &**item)
        else {
            return Ok(());
        };
        let Some((name, times)) = self.repeats.count(step) else { return Ok(()) };
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
            Stop::Length => {
                return Err(Ended::Limit(
                    "the reply was cut at the model's output limit; say \"continue\" to go on"
                        .to_owned(),
                ));
            }
            Stop::Refused(why) => return Err(Ended::Failed(format!("the reply was cut: {why}"))),
            Stop::End | Stop::Interrupted => (),
        }
        let steered = self.inbox.steered();
        self.unsaid.extend(steered);
        if let Err(why) = self.hear(Moment::Stopping).await {
            self.unsaid.push(UserMessage::text(Source::Hook, why));
        }
        Ok(self.unsaid.is_empty())
    }

    /// The person stopped the model while it spoke: what it said stays, without its calls.
    async fn interrupted(&mut self, collector: Collector, mut batch: Batch) -> Ended {
        batch.cancel().await;
        if let Some(reply) = collector.cut(self.model.info().origin.clone()) {
            self.write(Entry::Reply(reply));
        }
        self.stopped()
    }

    fn stopped(&mut self) -> Ended {
        let open: Vec<usize> = self.session.folded().unanswered().collect();
        for call in open {
            self.write(Entry::Result { call, output: Output::interrupted() });
        }
        self.remind(prompt::STOPPED);
        Ended::Interrupted
    }

    /// Makes room as far as it is due. A tier that fails falls to the next.
    async fn make_room(&mut self) -> Result<(), Ended> {
        let usable = context::usable(self.model.info());
        if self.due(Tier::Trim) {
            self.trim(usable);
        }
        if self.due(Tier::Summarise) {
            self.summarise().await?;
        }
        if self.due(Tier::Collapse) {
            self.collapse((usable * context::COLLAPSE_AT / 100).saturating_sub(1));
        }
        Ok(())
    }

    /// The provider says that the prompt does not fit, whatever we estimate.
    async fn overflowed(&mut self) -> Result<(), Ended> {
        let before = self.prompt();
        self.trim(before.min(context::usable(self.model.info())));
        if self.prompt() > before / 2 {
            self.collapse(before / 2);
        }
        Ok(())
    }

    fn trim(&mut self, usable: u64) {
        let wanted = usable * context::TRIM_TO / 100;
        let items = &self.session.folded().items;
        let trimmed = context::trim(&mut self.meter, items, wanted, &self.cx.keep);
        self.made(Tier::Trim, trimmed);
    }

    /// Has the model summarise; a summary that fails, or that does not shrink, is a collapse.
    pub(crate) async fn summarise(&mut self) -> Result<(), Ended> {
        self.hear(Moment::Compacting).await.map_err(Ended::Failed)?;
        let before = self.prompt();
        let from =
            context::recent(&self.session.folded().items, context::usable(self.model.info()));
        let summary = self.summary().await?;
        let entry = |text: String| context::summarised(self.session.folded(), from, &text);
        let entry = summary.filter(|text| !text.trim().is_empty()).map(entry);
        self.made(Tier::Summarise, entry);
        if self.prompt() >= before {
            self.collapse(before.saturating_sub(1));
        }
        if self.prompt() >= before {
            self.tell(Event::Notice("nothing could be made shorter".to_owned()));
        }
        Ok(())
    }

    fn collapse(&mut self, limit: u64) {
        let folded = self.session.folded();
        let entries = context::collapse(&mut self.meter, folded, limit, &self.cx.keep);
        self.made(Tier::Collapse, entries);
    }

    /// Writes what makes room, if it does, and says how much it made.
    fn made(&mut self, tier: Tier, entries: impl IntoIterator<Item = Entry>) {
        let before = self.prompt();
        let entries: Vec<Entry> = entries.into_iter().collect();
        let after = context::after(&mut self.meter, self.session.folded(), &entries);
        self.meter.did(tier, after.min(before), context::usable(self.model.info()));
        if after >= before {
            return;
        }
        for entry in entries {
            self.write(entry);
        }
        self.tell(Event::Compacted { tier, before, after });
    }

    /// What the model makes of the conversation; nothing when it fails.
    async fn summary(&mut self) -> Result<Option<String>, Ended> {
        let mut request = self.request();
        let ask = Item::User(UserMessage::text(Source::Reminder, prompt::SUMMARY));
        let key = crate::model::ItemKey { journal: 0, line: 0, trimmed: 0 };
        request.items = request.items.iter().cloned().chain([(key, Arc::new(ask))]).collect();
        if self.cx.desk.budget.check(self.model.info()).is_err() {
            return Ok(None);
        }
        let summarising = collect(self.model.stream(request.clone()));
        let Ok(heard) = self.inbox.race(summarising).await else { return Err(self.stopped()) };
        let Ok(collector) = heard else { return Ok(None) };
        self.book(&collector, &request.items);
        let reply = collector.finish(self.model.info().origin.clone());
        Ok(reply.map(|reply| reply.text()))
    }

    fn request(&self) -> Request {
        Request {
            system: Arc::clone(&self.system),
            items: self.session.folded().items.clone().into(),
            tools: Arc::clone(&self.tools.specs),
            max_output: None,
        }
    }

    fn batch(&self) -> Batch {
        let mut cx = self.cx.at(self.session.folded().state.clone());
        cx.model = Some(Arc::clone(&self.model));
        Batch::new(cx, self.tools.clone())
    }

    fn due(&mut self, tier: Tier) -> bool {
        let prompt = self.prompt();
        self.meter.due(tier, prompt, context::usable(self.model.info()))
    }

    fn prompt(&mut self) -> u64 {
        self.meter.prompt(&self.session.folded().items)
    }

    fn book(&mut self, collector: &Collector, items: &[Keyed]) {
        let Some(usage) = collector.ended() else { return };
        self.meter.learn(items, usage.prompt());
        let spent = self.cx.desk.budget.book(usage, self.model.info());
        self.tell(Event::Usage(spent));
    }

    /// Tells what changed since it was last told.
    fn say_facts(&mut self) {
        let here = self.cx.at(self.session.folded().state.clone()).cwd;
        for (key, text) in (self.facts)(&here) {
            let key = format!("told:{key}");
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

    pub(crate) fn write(&mut self, entry: Entry) {
        self.session.append(entry);
        let trouble = self.session.trouble().cloned();
        if let Some(why) = trouble.as_ref().filter(|_| !self.troubled) {
            let path = self.session.journal().place();
            self.tell(Event::Notice(format!(
                "this session cannot be saved for now, and goes on in memory: {path}: {why}"
            )));
        }
        self.troubled = trouble.is_some();
    }

    pub(crate) fn tell(&self, event: Event) {
        self.cx.tell(event);
    }

    /// Lets every listener hear; what they want said is said before the next call to the model.
    async fn hear(&mut self, moment: Moment<'_>) -> Result<(), String> {
        for listener in &self.cx.desk.listeners {
            match listener.at(moment).await {
                Reaction::Go => (),
                Reaction::Say(message) => self.unsaid.push(message),
                Reaction::Block(why) => return Err(why),
            }
        }
        Ok(())
    }
}

/// Takes in a reply. Calls are offered as they complete, and those that may run do so meanwhile.
async fn listen(
    mut stream: BoxStream<'static, Result<Delta, ModelError>>,
    collector: &mut Collector,
    batch: &mut Batch,
) -> Result<(), ModelError> {
    loop {
        let delta = {
            let running = std::pin::pin!(batch.run());
            match select(running, stream.next()).await {
                Either::Left((never, _)) => match never {},
                Either::Right((delta, _)) => delta,
            }
        };
        let Some(delta) = delta else { return Err(ModelError::cut_off()) };
        let delta = delta?;
        collector.take(&delta);
        match &delta {
            Delta::Restart { .. } => batch.restart(),
            Delta::Void { id, args } => batch.void(id, args),
            Delta::CallDone => batch.offer(collector.calls()),
            Delta::Open(_)
            | Delta::Text(_)
            | Delta::Thinking(_)
            | Delta::Opaque(_)
            | Delta::Seal(_)
            | Delta::Call { .. }
            | Delta::Args(_)
            | Delta::End { .. } => (),
        }
        batch.tell(Event::Delta(delta));
        if collector.ended().is_some() {
            return Ok(());
        }
    }
}

/// Takes in a reply that nobody watches.
async fn collect(
    mut stream: BoxStream<'static, Result<Delta, ModelError>>,
) -> Result<Collector, ModelError> {
    let mut collector = Collector::default();
    while collector.ended().is_none() {
        collector.take(&stream.next().await.unwrap_or_else(|| Err(ModelError::cut_off()))?);
    }
    Ok(collector)
}

/// A complete reply. When the output limit cut it, nothing more starts: not even calls that parse,
/// since what would have followed might have changed their meaning.
fn settle(reply: &Reply, batch: &mut Batch) {
    let torn = |call: &ToolCall| schema::is_cut_off(&call.args);
    if reply.stop == Stop::Length || reply.calls().last().is_some_and(torn) {
        batch.hold(reply.calls());
    } else {
        batch.offer(reply.calls());
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

/// Counts how many rounds running a call has brought the same result.
#[derive(Default)]
pub(crate) struct Repeats(HashMap<u64, (u64, u32)>);

impl Repeats {
    /// Takes in a step; returns the call that repeats itself most. Twins in one step count once.
    fn count(&mut self, step: &Step) -> Option<(String, u32)> {
        let mut counted = HashMap::new();
        let mut most = None;
        for (call, output) in step.answers() {
            let args =
                schema::parse(&call.args).map_or_else(|_| call.args.clone(), |v| v.to_string());
            let (asked, got) = (hash(&(&call.name, args)), hash(&without_footers(output)));
            let times = match self.0.get(&asked) {
                Some((before, times)) if *before == got => times + 1,
                Some(_) | None => 1,
            };
            counted.insert(asked, (got, times));
            if most.as_ref().is_none_or(|(_, most)| times > *most) {
                most = Some((call.name.clone(), times));
            }
        }
        self.0 = counted;
        most
    }
}

fn without_footers(output: &Output) -> String {
    let text = plain(&output.content);
    let ours = |line: &&str| !(line.starts_with('[') && line.ends_with(']'));
    text.lines().filter(ours).collect::<Vec<_>>().join("\n")
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
