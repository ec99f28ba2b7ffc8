//! The one place where the rooms are joined: what is set and what surrounds us in, an agent out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures::future::{BoxFuture, FutureExt as _};
use purlin_engine::budget::{Limits, Spent};
use purlin_engine::desk::Asks;
use purlin_engine::driver::{self, Events, Facts, Handle, Setup, Shared};
use purlin_engine::gate::Gate;
use purlin_engine::message::{Item, Output, Reply};
use purlin_engine::prompt;
use purlin_engine::session::{self, Entry, Session};
use purlin_engine::tool::{Cx, Keep, Tool};
use purlin_exec::Shell;
use purlin_policy::catastrophe::Catastrophe;
use purlin_policy::rules::SessionRules;
use purlin_store::{Header, JournalFile, Sessions};
use purlin_tools::agent;
use purlin_tools::bash::{self, Bash, environment};
use purlin_tools::keeper::Files;
use purlin_tools::store::Store;
use purlin_tools::{edit_file, glob, grep, read_file, write_file};
use tempfile::TempDir;

use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::facts::facts;
use crate::llm::Llm;

/// Calls to the model in one task of a sub-agent, at most.
const TASK_ROUNDS: u32 = 20;

/// An agent that is ready to run, and how to speak to it.
pub(crate) struct Wired {
    /// Commands in.
    pub(crate) handle: Handle,
    /// Events out.
    pub(crate) events: Events,
    /// The agent; it runs while this is polled.
    pub(crate) agent: BoxFuture<'static, ()>,
    /// Its session's id.
    pub(crate) id: String,
    /// What its session is at.
    pub(crate) folded: session::Folded,
    /// What it speaks to.
    pub(crate) llm: Llm,
    /// What its session spent before.
    pub(crate) spent: Spent,
}

/// Which session.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    /// A new one.
    New,
    /// The one in this journal.
    Old(PathBuf),
}

/// Which tools an agent has.
#[derive(Clone, Default)]
pub(crate) struct Toolset {
    /// Of the seven.
    pub(crate) ours: Ours,
    /// And these.
    pub(crate) own: Vec<Arc<dyn Tool>>,
}

/// Which of the seven.
#[derive(Clone, Copy, Default)]
pub(crate) enum Ours {
    /// All.
    #[default]
    All,
    /// Those that cannot change anything.
    ReadOnly,
    /// None.
    None,
}

/// Joins everything.
///
/// # Errors
/// When the session cannot be opened, or a budget cannot be kept.
pub(crate) fn wire(
    config: &Config,
    llm: &Llm,
    which: Which,
    asks: Asks,
    toolset: Toolset,
) -> Result<Wired, Fatal> {
    let sessions = Sessions { folder: config.sessions.clone() };
    let session = open(&sessions, config, which)?;
    let (id, folded) = (session.journal().id().to_owned(), session.folded().clone());
    let llm = llm.of_session(folded.model.as_ref());
    let spent = spent(&sessions.replies(&id), &folded, &llm);
    let (folder, spare) = beside(&sessions, &id);
    let store = Store { folder };
    let bench = Bench::new(config, store.clone());
    let shared = Shared {
        gate: gate(config),
        keeper: Arc::new(Files { store, root: config.root() }),
        listeners: Vec::new(),
        filter: Arc::new(|_| ()),
        limits: Limits {
            dollars: left(config.max_cost, &spent, &llm)?,
            tokens: config.max_tokens,
            time: config.max_time,
        },
        asks,
    };
    let mut tools = match toolset.ours {
        Ours::All => bench.all(),
        Ours::ReadOnly => bench.read_only(),
        Ours::None => Vec::new(),
    };
    tools.extend(toolset.own);
    let setup = Setup {
        session,
        model: Arc::clone(&llm.model),
        tools,
        system: prompt::SYSTEM.into(),
        rounds: config.max_turns,
        root: config.root(),
        cwd: config.cwd.clone(),
        keep: Arc::clone(&bench.keep),
        facts: Arc::clone(&bench.facts),
    };
    let (handle, events, agent) = driver::spawn(setup, shared, llm.others());
    let agent = async move {
        agent.await;
        drop(spare);
    };
    Ok(Wired { handle, events, agent: agent.boxed(), id, folded, llm, spent })
}

/// What a session spent before it was opened. The window is as full as the last reply found it.
fn spent(replies: &[Reply], folded: &session::Folded, llm: &Llm) -> Spent {
    let last = folded.items.iter().rev().find_map(|(_, item)| match &**item {
        Item::Step(step) => Some(step.reply().usage.prompt()),
        Item::User(_) => None,
    });
    let (context, window) = last.map_or((0, 0), |context| (context, llm.info().window));
    let dollars = llm.price_of(replies);
    let mut spent = Spent { dollars, context, window, ..Spent::default() };
    for reply in replies {
        spent.usage.add(&reply.usage);
    }
    spent.calls = replies.len() as u64;
    spent
}

/// The dollars that are left of a limit.
fn left(limit: Option<f64>, spent: &Spent, llm: &Llm) -> Result<Option<f64>, Fatal> {
    let Some(limit) = limit else { return Ok(None) };
    if llm.info().price.is_none() {
        let why = format!("--max-cost: the price of {} is unknown", llm.info().origin.model);
        return Err(Fatal::new(Code::Configuration, why));
    }
    let Some(before) = spent.dollars else {
        let why = "--max-cost: this session spoke to a model whose price is unknown";
        return Err(Fatal::new(Code::Configuration, why));
    };
    if before >= limit {
        let why = format!("${before:.4} of ${limit:.4} were spent before; nothing was sent");
        return Err(Fatal::new(Code::Budget, why));
    }
    Ok(Some(limit - before))
}

/// The folder for what a session's tools keep. Where none can be made the session itself goes on in
/// memory; a temporary folder then serves its tools, and goes with it.
fn beside(sessions: &Sessions, id: &str) -> (PathBuf, Option<TempDir>) {
    let folder = sessions.beside(id);
    let there = folder.ancestors().find(|folder| folder.exists());
    if there.is_some_and(|there| tempfile::tempfile_in(there).is_ok()) {
        return (folder, None);
    }
    let spare = tempfile::Builder::new().prefix("purlin-").tempdir().ok();
    (spare.as_ref().map_or(folder, |spare| spare.path().to_path_buf()), spare)
}

fn gate(config: &Config) -> Gate {
    let rules = if config.yes { SessionRules::yes_to_all() } else { SessionRules::asking() };
    let slips = Catastrophe { root: config.root(), home: config.home.clone() };
    Gate { rules: Box::new(rules), guards: vec![Box::new(slips)] }
}

fn open(sessions: &Sessions, config: &Config, which: Which) -> Result<Session, Fatal> {
    let journal = match which {
        Which::New => {
            let header = sessions.header(SystemTime::now(), &config.cwd);
            JournalFile::new(sessions.journal(&header.id), header)
        }
        Which::Old(path) => JournalFile::open(path)?,
    };
    let begun_in = journal.header().cwd.clone();
    let mut session = begin(journal)?;
    let left_in = session::cwd(&session.folded().state);
    if left_in.is_some_and(|cwd| !cwd.is_dir() || begun_in != config.cwd) {
        // The folder is gone, or the person is elsewhere now: where they are is where it goes on.
        let (key, value) = ("cwd".to_owned(), config.cwd.display().to_string().into());
        session.append(Entry::State { key, value });
    }
    Ok(session)
}

fn begin(journal: JournalFile) -> Result<Session, Fatal> {
    Session::new(Box::new(journal))
        .map_err(|why| Fatal::new(Code::Configuration, format!("reading the session: {why}")))
}

/// What tools are made with; a sub-agent's are made with it again.
#[derive(Clone)]
struct Bench {
    root: PathBuf,
    keep: Keep,
    facts: Facts,
    beside: PathBuf,
    bash: bash::Config,
}

impl Bench {
    fn new(config: &Config, store: Store) -> Self {
        let root = config.root();
        let path = config.var("PATH").map(OsString::from).unwrap_or_default();
        let shell = Shell::find(&path);
        let project = root.clone();
        let bash = bash::Config {
            env: environment(config.vars.iter().cloned()),
            read: Arc::new(move |text, cwd| purlin_policy::shell::read(text, &project, cwd)),
            scratch: store.folder.clone(),
            shell: shell.clone(),
        };
        let facts = facts(config, shell.name(), SystemTime::now);
        Self { root, facts, bash, beside: store.folder.clone(), keep: store.keeping() }
    }

    /// The seven, in the order the model is told of them.
    fn all(&self) -> Vec<Arc<dyn Tool>> {
        let mut tools = self.without_agent();
        let bench = self.clone();
        tools.push(Arc::new(agent::Agent::new(Arc::new(move |task, cx| {
            let bench = bench.clone();
            async move { bench.task(task, cx).await }.boxed()
        }))));
        tools
    }

    fn without_agent(&self) -> Vec<Arc<dyn Tool>> {
        vec![
            Arc::new(Bash::new(self.bash.clone())),
            Arc::new(read_file::ReadFile::default()),
            Arc::new(write_file::WriteFile::default()),
            Arc::new(edit_file::EditFile::default()),
            Arc::new(glob::Glob::default()),
            Arc::new(grep::Grep::default()),
        ]
    }

    fn read_only(&self) -> Vec<Arc<dyn Tool>> {
        vec![
            Arc::new(read_file::ReadFile::default()),
            Arc::new(glob::Glob::default()),
            Arc::new(grep::Grep::default()),
        ]
    }

    /// A sub-agent: its journal lies beside its parent's, its tools lack `agent`.
    async fn task(&self, task: String, cx: Cx) -> Output {
        let Some(model) = cx.model.clone() else {
            return Output::failure("there is no model here to give the task to");
        };
        let id = self.task_id(&cx.call);
        let path = self.beside.join(format!("{id}.jsonl"));
        let header = Header { id, cwd: cx.cwd.clone(), ..Header::default() };
        let session = match begin(JournalFile::new(path, header)) {
            Ok(session) => session,
            Err(fatal) => return Output::failure(fatal.why),
        };
        let setup = Setup {
            session,
            model,
            tools: self.without_agent(),
            system: prompt::TASK.into(),
            rounds: TASK_ROUNDS,
            root: self.root.clone(),
            cwd: cx.cwd.clone(),
            keep: Arc::clone(&self.keep),
            facts: Arc::clone(&self.facts),
        };
        driver::run_task(&cx, setup, task).await
    }

    /// Call ids come from a server: what is no plain letter does not get into a file's name.
    fn task_id(&self, call: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let base: String = call.chars().take(60).map(plain).collect();
        let taken = |id: &String| Path::new(&self.beside).join(format!("{id}.jsonl")).exists();
        let again = (2..).map(|number| format!("{base}-{number}"));
        std::iter::once(base.clone()).chain(again).find(|id| !taken(id)).unwrap_or(base)
    }
}
