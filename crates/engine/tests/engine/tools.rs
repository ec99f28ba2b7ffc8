//! The tools of these tests. They touch nothing: what they would do is written in a log, and
//! latches that a call names in its arguments decide when it begins and ends.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures::future::{BoxFuture, FutureExt as _};
use purlin_engine::driver::{self, Setup};
use purlin_engine::effect::{Claim, CommandLine, Effect, Host};
use purlin_engine::gate::{Outcome, Plan, Preview};
use purlin_engine::message::{Output, ToolCall};
use purlin_engine::tool::{self, Cx, Tool, ToolError, ToolSpec};
use purlin_testkit::Latch;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{keep, session};

/// What all our tools share.
#[derive(Clone, Default)]
pub(crate) struct Stage(Arc<Inner>);

#[derive(Default)]
struct Inner {
    latches: Mutex<HashMap<String, Latch>>,
    log: Mutex<Vec<String>>,
    running: Mutex<(usize, usize)>,
    /// What a preview shows of a path.
    shown: Mutex<BTreeMap<String, String>>,
}

/// The arguments of every tool here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Args {
    /// What is touched: a path, a command, a host, a key.
    what: String,
    /// What comes out; what was touched when left out.
    out: Option<String>,
    /// So many letters come out.
    letters: usize,
    /// The latch that opens when the call begins.
    begun: Option<String>,
    /// The latch that it waits for before it ends.
    wait: Option<String>,
    /// The directory it moves the session to, or the mode it sets.
    to: Option<String>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn latch(&self, name: &str) -> Latch {
        self.0.latches.lock().unwrap().entry(name.to_owned()).or_default().clone()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.0.log.lock().unwrap().clone()
    }

    /// The most that ran at once.
    pub(crate) fn peak(&self) -> usize {
        self.0.running.lock().unwrap().1
    }

    /// What a preview of this shows from now on.
    pub(crate) fn show(&self, what: &str, text: &str) {
        self.0.shown.lock().unwrap().insert(what.to_owned(), text.to_owned());
    }

    fn note(&self, line: String) {
        self.0.log.lock().unwrap().push(line);
    }

    pub(crate) fn tools(&self) -> Vec<Arc<dyn Tool>> {
        let kinds =
            [Kind::Look, Kind::Touch, Kind::Run, Kind::Net, Kind::Note, Kind::Panics, Kind::Needs];
        let leaf = kinds.into_iter().map(|kind| Arc::new(Act::new(self, kind)) as Arc<dyn Tool>);
        leaf.chain([Arc::new(Act::new(self, Kind::Agent)) as Arc<dyn Tool>]).collect()
    }

    fn leaves(&self) -> Vec<Arc<dyn Tool>> {
        let mut tools = self.tools();
        tools.pop();
        tools
    }

    /// Does what was asked: begins, waits, ends.
    async fn act(self, name: &'static str, args: Args) -> String {
        self.note(format!("{name} {}", args.what));
        let _counted = Counted::new(&self);
        if let Some(begun) = &args.begun {
            self.latch(begun).open();
        }
        if let Some(wait) = &args.wait {
            self.latch(wait).opened().await;
        } else {
            let mut yielded = false; // once, so that others have a chance to overlap
            poll_fn(|task| {
                task.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        self.note(format!("{name} {} done", args.what));
        match args.letters {
            0 => args.out.unwrap_or_else(|| format!("did {}", args.what)),
            letters => "lorem ipsum ".chars().cycle().take(letters).collect(),
        }
    }
}

/// A running call, counted.
struct Counted(Stage);

impl Counted {
    fn new(stage: &Stage) -> Self {
        let mut running = stage.0.running.lock().unwrap();
        running.0 += 1;
        running.1 = running.1.max(running.0);
        drop(running);
        Self(stage.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.running.lock().unwrap().0 -= 1;
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Look,
    Touch,
    Run,
    Net,
    Note,
    Panics,
    Needs,
    Agent,
}

struct Act {
    stage: Stage,
    kind: Kind,
    spec: ToolSpec,
}

impl Act {
    fn new(stage: &Stage, kind: Kind) -> Self {
        let name = match kind {
            Kind::Look => "look",
            Kind::Touch => "touch",
            Kind::Run => "run",
            Kind::Net => "net",
            Kind::Note => "note",
            Kind::Panics => "panics",
            Kind::Needs => "needs",
            Kind::Agent => "agent",
        };
        let description = "For tests.".to_owned();
        let spec = ToolSpec { name: name.to_owned(), description, schema: json!({}) };
        Self { stage: stage.clone(), kind, spec }
    }

    fn effect(&self, args: &Args, cx: &Cx) -> Effect {
        match self.kind {
            Kind::Look | Kind::Needs => Effect::reads([cx.path(&args.what)]),
            Kind::Touch => Effect::writes(cx.path(&args.what)),
            Kind::Run => Effect::Exec(CommandLine {
                text: args.what.clone(),
                cwd: cx.cwd.clone(),
                proved: false,
            }),
            Kind::Net => Effect::Net(Host(args.what.clone())),
            Kind::Note => Effect::Session,
            Kind::Panics => Effect::reads([]),
            Kind::Agent => Effect::Agent,
        }
    }

    fn run(&self, args: Args, claim: Claim, cx: Cx) -> BoxFuture<'static, Outcome> {
        let (stage, kind) = (self.stage.clone(), self.kind);
        async move {
            let to = args.to.clone();
            match kind {
                Kind::Panics => panic!("on purpose"),
                Kind::Needs => return needs(stage, args, claim),
                Kind::Agent => return Outcome::Done(task(&stage, &cx, args.what).await),
                Kind::Look | Kind::Touch | Kind::Run | Kind::Net | Kind::Note => (),
            }
            let here = matches!(kind, Kind::Run).then(|| cx.cwd.clone());
            let name = claim.call.name.as_str();
            let name = ["look", "touch", "run", "net", "note"].into_iter().find(|n| *n == name);
            let mut output = Output::text(stage.act(name.unwrap(), args).await);
            if let (Some(here), Some(to)) = (here, &to) {
                output.state.insert("cwd".to_owned(), json!(here.join(to)));
            } else if let Some(to) = to {
                output.state.insert("mode".to_owned(), json!(to));
            }
            Outcome::Done(output)
        }
        .boxed()
    }
}

/// Finds out that it must run a command.
fn needs(stage: Stage, args: Args, claim: Claim) -> Outcome {
    let line = CommandLine { text: args.what.clone(), cwd: "/".into(), proved: false };
    let claim = Claim {
        title: format!("really run {}", args.what),
        effect: Effect::Exec(line),
        call: claim.call,
    };
    let preview = Some(Preview::Text(args.what.clone()));
    let run = async move { Outcome::Done(Output::text(stage.act("run", args).await)) };
    let plan = Box::new(Plan::new(claim, preview, run));
    Outcome::Needs { plan, why: "it is outside".to_owned() }
}

/// Runs a sub-agent with the model that called it.
async fn task(stage: &Stage, cx: &Cx, task: String) -> Output {
    // Nothing can be written there, so that it stays in memory.
    let place = PathBuf::from("/dev/null").join(&cx.call);
    let setup = Setup {
        session: session(place),
        model: Arc::clone(cx.model.as_ref().unwrap()),
        tools: stage.leaves(),
        system: "Do the task.".into(),
        rounds: 5,
        root: cx.root.clone(),
        cwd: cx.cwd.clone(),
        keep: keep(),
        facts: Arc::new(|_| Vec::new()),
    };
    driver::run_task(cx, setup, task).await
}

impl Tool for Act {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let args: Args = tool::arguments(call)?;
        assert!(args.what != "panic in claim", "on purpose");
        let title = format!("{} {}", call.name, args.what);
        Ok(Claim { call: call.clone(), title, effect: self.effect(&args, cx) })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let plan = tool::arguments::<Args>(&claim.call).map(|args| {
            let shown = self.stage.0.shown.lock().unwrap().get(&args.what).cloned();
            let run = self.run(args, claim.clone(), cx.clone());
            Plan::new(claim, shown.map(Preview::Diff), run)
        });
        async move { plan }.boxed()
    }
}

/// Arguments that name what is touched.
pub(crate) fn what(what: &str) -> Value {
    json!({ "what": what })
}
