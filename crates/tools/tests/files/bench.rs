//! A project, a session in it, and the six tools.

use std::sync::Arc;

use futures::FutureExt as _;
use purlin_engine::call::once;
use purlin_engine::driver::{Events, Shared};
use purlin_engine::listen::Change;
use purlin_engine::message::{Output, ToolCall, plain};
use purlin_engine::tool::{Cx, Tool};
use purlin_testkit::World;
use purlin_testkit::gate::shared;
use purlin_tools::agent::Agent;
use purlin_tools::edit_file::EditFile;
use purlin_tools::glob::Glob;
use purlin_tools::grep::Grep;
use purlin_tools::keeper::Files;
use purlin_tools::read_file::ReadFile;
use purlin_tools::store::Store;
use purlin_tools::write_file::WriteFile;
use serde_json::Value;

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) cx: Cx,
    pub(crate) keeper: Arc<Files>,
    pub(crate) changes: Vec<Change>,
    _events: Events,
}

/// All tools but bash.
pub(crate) fn tools() -> Vec<Arc<dyn Tool>> {
    let factory = |task: String, _: Cx| async move { Output::text(format!("did {task}")) }.boxed();
    vec![
        Arc::new(ReadFile::default()),
        Arc::new(WriteFile::default()),
        Arc::new(EditFile::default()),
        Arc::new(Glob::default()),
        Arc::new(Grep::default()),
        Arc::new(Agent::new(Arc::new(factory))),
    ]
}

pub(crate) fn tool(name: &str) -> Arc<dyn Tool> {
    tools().into_iter().find(|tool| tool.spec().name == name).unwrap()
}

pub(crate) fn call(name: &str, args: &Value) -> ToolCall {
    ToolCall { id: "1".into(), name: name.into(), args: args.to_string() }
}

pub(crate) fn bench() -> Bench {
    let world = World::new();
    let root = world.project().canonicalize().unwrap();
    let store = Store { folder: world.state().join("kept") };
    let keeper = Arc::new(Files { store: store.clone(), root: root.clone() });
    let shared = Shared { keeper: keeper.clone(), ..shared() };
    let (cx, events) = Cx::alone(root, store.keeping(), shared);
    Bench { world, cx, keeper, changes: Vec::new(), _events: events }
}

impl Bench {
    /// A call, and what it did to the session.
    pub(crate) async fn call(&mut self, name: &str, args: Value) -> Output {
        let (output, changes) = once(tool(name), &call(name, &args), &self.cx).await;
        self.cx = self.cx.after(&output);
        self.changes.extend(changes);
        output
    }

    /// The answer of a call that must succeed.
    pub(crate) async fn ok(&mut self, name: &str, args: Value) -> String {
        let output = self.call(name, args).await;
        assert!(!output.failed, "{}", plain(&output.content));
        plain(&output.content)
    }

    /// The answer of a call that must fail.
    pub(crate) async fn no(&mut self, name: &str, args: Value) -> String {
        let output = self.call(name, args).await;
        assert!(output.failed, "{}", plain(&output.content));
        plain(&output.content)
    }
}
