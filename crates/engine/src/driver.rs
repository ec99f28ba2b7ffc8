//! Starts an agent: hands back what to speak to it with, and a future for the caller to spawn.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;

use crate::context::{self, Meter};
use crate::desk::Desk;
use crate::event::{AgentId, Command, Ended, Event, Told};
use crate::inbox::Inbox;
use crate::message::{Item, Output, Source, UserMessage};
use crate::model::Model;
use crate::session::{Entry, Session};
use crate::tool::{Cx, Keep, Tool};
use crate::turn::Agent;

pub use crate::desk::Shared;
pub use crate::turn::Facts;

/// What a sub-agent's answer is cut to, in characters.
pub const TASK_ANSWER: usize = 5_000;

/// What an agent is made of.
pub struct Setup {
    /// Its session, new or opened.
    pub session: Session,
    /// What it speaks to.
    pub model: Arc<dyn Model>,
    /// What it can do, in the order the model is told.
    pub tools: Vec<Arc<dyn Tool>>,
    /// The system prompt.
    pub system: Arc<str>,
    /// Calls to the model in one turn, at most.
    pub rounds: u32,
    /// The project's root.
    pub root: PathBuf,
    /// The directory it starts in.
    pub cwd: PathBuf,
    /// Keeps what is too long for the model.
    pub keep: Keep,
    /// What is told once and again when it changes.
    pub facts: Facts,
}

/// Finds a model by the name a person gave.
pub type Models = Arc<dyn Fn(&str) -> Result<Arc<dyn Model>, String> + Send + Sync>;

/// What a front end speaks to; dropping it ends the agent.
pub type Handle = mpsc::UnboundedSender<Command>;

/// What happens, as it happens.
pub type Events = mpsc::UnboundedReceiver<Told>;

/// An agent ready to be spawned. Dropping the future cancels whatever runs.
pub fn spawn(
    setup: Setup,
    shared: Shared,
    models: Models,
) -> (Handle, Events, impl Future<Output = ()> + Send) {
    let (tell, events) = mpsc::unbounded_channel();
    let (handle, commands) = mpsc::unbounded_channel();
    let desk = Arc::new(Desk::new(shared, tell));
    let inbox = Inbox::new(commands, Arc::clone(&desk));
    let agent = agent(setup, desk, Default::default(), inbox);
    (handle, events, drive(agent, models))
}

fn agent(setup: Setup, desk: Arc<Desk>, id: AgentId, inbox: Inbox) -> Agent {
    let specs: Arc<[_]> = setup.tools.iter().map(|tool| tool.spec().clone()).collect();
    let meter = Meter::new(&setup.system, &specs, setup.model.info());
    Agent {
        cx: Cx { agent: id, cwd: setup.cwd, ..Cx::new(setup.root, setup.keep, desk) },
        tools: setup.tools.into(),
        specs,
        model: setup.model,
        system: setup.system,
        session: setup.session,
        inbox,
        rounds: setup.rounds,
        facts: setup.facts,
        meter,
        unsaid: Vec::new(),
        refusals: 0,
    }
}

/// One command after the other, until the front end is gone.
async fn drive(mut agent: Agent, models: Models) {
    while let Some(command) = agent.inbox.next().await {
        match command {
            Command::Prompt(message) | Command::Steer(message) => {
                let ended = agent.turn(message).await;
                agent.tell(Event::Ended(ended));
            }
            Command::Compact => agent.compact().await,
            Command::Model(name) => agent.speak_to(models(&name)),
            Command::Set { key, value } => {
                agent.write(Entry::State { key: key.clone(), value: value.clone() });
                agent.tell(Event::State { key, value });
            }
            Command::Undo => agent.undo().await,
            Command::Diff => {
                let changes = &agent.session.folded().changes;
                let diff = agent.cx.desk.shared.keeper.diff(changes).await;
                agent.tell(Event::Diff(diff));
            }
            // An answer or an interrupt that came too late.
            Command::Answer { .. } | Command::Interrupt => (),
        }
    }
    agent.session.journal().flush().await;
}

impl Agent {
    async fn compact(&mut self) {
        if self.session.folded().items.is_empty() {
            return self.tell(Event::Notice("there is nothing to summarise yet".to_owned()));
        }
        if let Err(ended) = self.summarise().await {
            self.tell(Event::Ended(ended));
        }
    }

    fn speak_to(&mut self, model: Result<Arc<dyn Model>, String>) {
        match model {
            Ok(model) => {
                let origin = model.info().origin.clone();
                self.meter.usable = context::usable(model.info());
                self.model = model;
                if !self.session.folded().items.is_empty() {
                    self.write(Entry::Model(origin.clone()));
                }
                self.tell(Event::Model(origin));
            }
            Err(why) => self.tell(Event::Notice(why)),
        }
    }

    /// Puts back the last checkpoint. The undo is a checkpoint of its own, and the model is told.
    async fn undo(&mut self) {
        let Some((line, changes)) = self.session.folded().checkpoints.last().cloned() else {
            return self.tell(Event::Notice("there is nothing to undo".to_owned()));
        };
        let changes = match self.cx.desk.shared.keeper.undo(&changes).await {
            Ok(changes) => changes,
            Err(why) => return self.tell(Event::Notice(format!("not undone: {why}"))),
        };
        let paths: Vec<_> = changes.iter().map(|c| c.path.display().to_string()).collect();
        self.write(Entry::Checkpoint { call: None, changes: changes.clone(), undoes: Some(line) });
        self.remind(&format!("The person undid your last change of {}.", paths.join(", ")));
        self.tell(Event::Changed { call: String::new(), changes });
    }
}

/// Runs a sub-agent to the end of its task, inside the call that started it: the same gate,
/// questions, purse and permits, its own history. Its answer is bounded; the whole can be read.
pub async fn run_task(cx: &Cx, mut setup: Setup, task: String) -> Output {
    let id = cx.agent.child(&cx.call);
    let journal = setup.session.journal().place();
    let keep = Arc::clone(&setup.keep);
    // It starts where its parent stands: directory, mode, what was read.
    let own = |key: &str| key.starts_with("told:") || key == "name";
    for (key, value) in cx.state.iter().filter(|(key, _)| !own(key)) {
        setup.session.append(Entry::State { key: key.clone(), value: value.clone() });
    }
    // Nobody speaks to it: its parent's interrupt drops it, and answers find their question.
    let (_silent, commands) = mpsc::unbounded_channel();
    let inbox = Inbox::new(commands, Arc::clone(&cx.desk));
    let mut agent = agent(setup, Arc::clone(&cx.desk), id, inbox);
    let ended = agent.turn(UserMessage::text(Source::Task, task)).await;
    agent.tell(Event::Ended(ended.clone()));
    let last = agent.session.folded().items.iter().rev().find_map(|(_, item)| match &**item {
        Item::Step(step) => Some(step.reply().text()),
        Item::User(_) => None,
    });
    let mut output = bounded(last.unwrap_or_default(), &keep);
    if ended != Ended::Done {
        output = output.footer(&format!("[the sub-agent did not finish: {ended}]"));
        output.failed = true;
    }
    output.detail = Some(json!({ "journal": journal }));
    output
}

fn bounded(text: String, keep: &Keep) -> Output {
    let Some((end, _)) = text.char_indices().nth(TASK_ANSWER) else { return Output::text(text) };
    let (length, way) = (text.chars().count(), context::way(&text, keep));
    Output::text(&text[..end]).footer(&format!("[{TASK_ANSWER} of {length} characters; {way}]"))
}
