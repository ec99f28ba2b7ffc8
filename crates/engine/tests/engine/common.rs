//! One place that touches the API: an agent with a scripted model and our tools, spoken to and
//! listened to.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use purlin_engine::driver::{self, Events, Facts, Handle, Setup, Shared};
use purlin_engine::event::{AskId, Command, Decision, Ended, Event, Question, Told};
use purlin_engine::message::{Content, Item, Output, Source, UserMessage, plain};
use purlin_engine::model::Model;
use purlin_engine::session::{self, Folded, Journal, Session};
use purlin_engine::tool::{Keep, Kept};
use purlin_store::{FORMAT, Header, JournalFile, journal};
use purlin_testkit::{Scripted, gate};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::tools::Stage;

/// Longer than anything here takes: a test that waits for ever fails instead.
const LIMIT: Duration = Duration::from_secs(20);

/// An agent about to start.
pub(crate) struct Bench {
    pub(crate) stage: Stage,
    pub(crate) model: Arc<Scripted>,
    pub(crate) shared: Shared,
    pub(crate) rounds: u32,
    pub(crate) facts: Facts,
    pub(crate) folder: Arc<TempDir>,
    pub(crate) name: String,
    pub(crate) system: String,
    /// Instead of the file's.
    pub(crate) session: Option<Session>,
}

impl Bench {
    pub(crate) fn new(model: Scripted) -> Self {
        Self::with(Arc::new(model), Arc::new(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn with(model: Arc<Scripted>, folder: Arc<TempDir>) -> Self {
        let (stage, shared) = (Stage::new(), gate::shared());
        let (name, system) = ("s".to_owned(), "Be brief.".to_owned());
        let facts: Facts = Arc::new(|_| Vec::new());
        Self { stage, model, shared, rounds: 20, facts, folder, name, system, session: None }
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join(format!("{}.jsonl", self.name))
    }

    pub(crate) fn start(self) -> Talk {
        let path = self.journal();
        let model: Arc<dyn Model> = Arc::clone(&self.model) as _;
        let setup = Setup {
            session: self.session.unwrap_or_else(|| session(path.clone())),
            model: Arc::clone(&model),
            tools: self.stage.tools(),
            system: self.system.as_str().into(),
            rounds: self.rounds,
            root: PathBuf::from("/project"),
            cwd: PathBuf::from("/project"),
            keep: keep(),
            facts: self.facts,
        };
        let models = Arc::new(move |_: &str| Ok(Arc::clone(&model)));
        let (handle, events, driving) = driver::spawn(setup, self.shared, models);
        let driving = tokio::spawn(driving);
        let (stage, model, folder) = (self.stage, self.model, self.folder);
        let answer: Answer = Box::new(|_| Decision::Yes);
        Talk { handle, events, driving, stage, model, path, folder, answer }
    }
}

/// Keeps nothing, and says where it would be.
pub(crate) fn keep() -> Keep {
    Arc::new(|_| Ok(Kept { path: PathBuf::from("/kept/whole"), hash: "0".to_owned() }))
}

/// The session of a file, new or old.
pub(crate) fn session(path: PathBuf) -> Session {
    let journal = match path.exists() {
        true => JournalFile::open(path).unwrap(),
        false => {
            let id = path.file_stem().unwrap().to_string_lossy().into_owned();
            JournalFile::new(path, header(&id))
        }
    };
    Session::new(Box::new(journal)).unwrap()
}

pub(crate) fn header(id: &str) -> Header {
    Header { purlin: FORMAT, id: id.to_owned(), ..Header::default() }
}

/// A journal that is nowhere but in memory.
#[derive(Clone, Default)]
pub(crate) struct Memory(pub(crate) Arc<Mutex<Vec<String>>>);

impl Memory {
    pub(crate) fn session(&self) -> Session {
        Session::new(Box::new(self.clone())).unwrap()
    }

    pub(crate) fn folded(&self) -> Folded {
        session::fold("memory", &self.0.lock().unwrap(), u64::MAX)
    }
}

impl Journal for Memory {
    fn id(&self) -> &str {
        "memory"
    }

    fn place(&self) -> String {
        "nowhere".to_owned()
    }

    fn lines(&self) -> std::io::Result<Vec<String>> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn append(&mut self, line: &str) -> std::io::Result<()> {
        let mut lines = self.0.lock().unwrap();
        if lines.is_empty() {
            lines.push("{}".to_owned());
        }
        lines.push(line.to_owned());
        Ok(())
    }

    fn flush(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What the person says to a question.
type Answer = Box<dyn FnMut(&Question) -> Decision + Send>;

/// An agent at work.
pub(crate) struct Talk {
    pub(crate) handle: Handle,
    pub(crate) events: Events,
    pub(crate) driving: JoinHandle<()>,
    pub(crate) stage: Stage,
    pub(crate) model: Arc<Scripted>,
    pub(crate) path: PathBuf,
    pub(crate) folder: Arc<TempDir>,
    pub(crate) answer: Answer,
}

impl Talk {
    pub(crate) fn send(&self, command: Command) {
        self.handle.send(command).unwrap();
    }

    pub(crate) fn prompt(&self, text: &str) {
        self.send(Command::Prompt(UserMessage::person(text)));
    }

    pub(crate) fn steer(&self, text: &str) {
        self.send(Command::Steer(UserMessage::person(text)));
    }

    pub(crate) fn decide(&self, ask: AskId, decision: Decision) {
        self.send(Command::Answer { ask, decision });
    }

    pub(crate) async fn next(&mut self) -> Told {
        let told = tokio::time::timeout(LIMIT, self.events.recv()).await;
        told.expect("nothing happened for a long time").expect("the agent is gone")
    }

    /// Waits for a latch of the stage.
    pub(crate) async fn reached(&self, latch: &str) {
        let latch = self.stage.latch(latch);
        tokio::time::timeout(LIMIT, latch.opened()).await.expect("the latch stays closed");
    }

    /// Everything up to and with the first event of this kind; questions stay open.
    pub(crate) async fn until(&mut self, seen: impl Fn(&Event) -> bool) -> Vec<Told> {
        let mut heard = Vec::new();
        loop {
            let told = self.next().await;
            let over = seen(&told.event);
            heard.push(told);
            if over {
                return heard;
            }
        }
    }

    /// The rest of the turn; questions are answered as they come.
    pub(crate) async fn rest(&mut self) -> Turn {
        let mut heard = Vec::new();
        loop {
            let told = self.next().await;
            if let Event::Ask { ask, question } = &told.event {
                let decision = (self.answer)(question);
                self.decide(*ask, decision);
            }
            let over = match &told.event {
                Event::Ended(ended) if told.agent.is_main() => Some(ended.clone()),
                _ => None,
            };
            heard.push(told);
            if let Some(ended) = over {
                return Turn { ended, heard };
            }
        }
    }

    /// A whole turn.
    pub(crate) async fn turn(&mut self, text: &str) -> Turn {
        self.prompt(text);
        self.rest().await
    }

    /// What the journal's file comes to.
    pub(crate) fn folded(&self) -> Folded {
        let id = self.path.file_stem().unwrap().to_string_lossy().into_owned();
        session::fold(&id, &journal::read(&self.path).unwrap(), u64::MAX)
    }

    /// The conversation as lines.
    pub(crate) fn story(&self) -> Vec<String> {
        story(&self.folded())
    }

    /// Every answer in the history, in order.
    pub(crate) fn answers(&self) -> Vec<Output> {
        let folded = self.folded();
        folded.items.iter().flat_map(|(_, item)| outputs(item)).collect()
    }

    /// The answer that the history gives to this call.
    pub(crate) fn answer_to(&self, index: usize) -> String {
        plain(&self.answers()[index].content)
    }

    /// Ends the agent, once all it was told is done, and checks that every request was valid.
    pub(crate) async fn end(self) -> Arc<Scripted> {
        drop(self.handle);
        tokio::time::timeout(LIMIT, self.driving).await.expect("does not end").unwrap();
        assert_eq!(self.model.complaints(), Vec::<String>::new());
        self.model
    }
}

/// What happened in a turn.
pub(crate) struct Turn {
    pub(crate) ended: Ended,
    pub(crate) heard: Vec<Told>,
}

impl Turn {
    /// The events that matter to a test, by name.
    pub(crate) fn pick<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.heard.iter().filter_map(|told| pick(&told.event)).collect()
    }

    pub(crate) fn notices(&self) -> Vec<String> {
        self.pick(|event| match event {
            Event::Notice(text) => Some(text.clone()),
            _ => None,
        })
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        self.pick(|event| match event {
            Event::Ask { question, .. } => Some(question.clone()),
            _ => None,
        })
    }

    /// What started, by title.
    pub(crate) fn started(&self) -> Vec<String> {
        self.pick(|event| match event {
            Event::Started { claim } => Some(claim.title.clone()),
            _ => None,
        })
    }
}

pub(crate) fn outputs(item: &Item) -> Vec<Output> {
    match item {
        Item::Step(step) => step.answers().map(|(_, output)| output.clone()).collect(),
        Item::User(_) => Vec::new(),
    }
}

/// A conversation as lines: who said what, and which call was answered how.
pub(crate) fn story(folded: &Folded) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, item) in &folded.items {
        match &**item {
            Item::User(message) => {
                let who = match message.source {
                    Source::Person => "person",
                    Source::Summary => "summary",
                    Source::Reminder => "reminder",
                    Source::Hook => "hook",
                    Source::Task => "task",
                };
                lines.push(format!("{who}: {}", plain(&message.content)));
            }
            Item::Step(step) => {
                lines.push(format!("model: {}", step.reply().text()));
                for (call, output) in step.answers() {
                    lines.push(format!("{}: {}", call.name, plain(&output.content)));
                }
            }
        }
    }
    lines
}

/// A text in an item.
pub(crate) fn says(item: &Item, text: &str) -> bool {
    let in_content = |content: &[Content]| plain(content).contains(text);
    match item {
        Item::User(message) => in_content(&message.content),
        Item::Step(step) => {
            step.reply().text().contains(text)
                || step.answers().any(|(_, output)| in_content(&output.content))
        }
    }
}
