//! Something the model can ask us to do, and what it is given to do it with.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::call::FAILED_INSIDE;
use crate::desk::Desk;
use crate::driver::{Events, Shared};
use crate::effect::Claim;
use crate::event::{AgentId, Decision, Event, Question};
use crate::gate::Plan;
use crate::message::{Output, ToolCall};
use crate::model::Model;
use crate::session::{self, State};

pub use crate::schema::arguments;

/// Something the model can ask us to do.
///
/// It never prints and never checks permission; it reaches the person only through [`Cx::ask`].
pub trait Tool: Send + Sync {
    /// What the model is told about it.
    fn spec(&self) -> &ToolSpec;

    /// What the call would touch. From the arguments, the directory and symlinks only: cheap,
    /// pure, repeated when the call's turn comes. Fails when the arguments make no sense.
    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError>;

    /// Looks and previews, changes nothing. Called when no earlier unfinished call conflicts, and
    /// again if the target may have changed while the person was asked.
    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>>;
}

/// What the model is told about a tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolSpec {
    /// Unique; letters, digits, `_` and `-`.
    pub name: String,
    /// When to use it and what comes back. Paid for in every request.
    pub description: String,
    /// JSON Schema of the arguments: an object.
    pub schema: Value,
}

/// Why a call did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ToolError {
    /// Tell the model, in plain words, with what to try next.
    #[error("{0}")]
    Tell(String),
}

impl ToolError {
    /// An error for the model.
    pub fn tell(text: impl Into<String>) -> Self {
        Self::Tell(text.into())
    }
}

/// Something kept beside the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Where it can be read.
    pub path: PathBuf,
    /// Its content's hash, in hexadecimal.
    pub hash: String,
}

/// Keeps bytes beside the journal, under their own hash.
pub type Keep = Arc<dyn Fn(&[u8]) -> std::io::Result<Kept> + Send + Sync>;

/// What a call is given: where it runs and whom it can reach. Fixed when the call's turn comes.
#[derive(Clone)]
pub struct Cx {
    /// Whose call it is.
    pub agent: AgentId,
    /// The call's id.
    pub call: String,
    /// The directory that relative paths are resolved against.
    pub cwd: PathBuf,
    /// The project's root. Paths in results are relative to it.
    pub root: PathBuf,
    /// What earlier calls changed about the session.
    pub state: Arc<State>,
    /// Keeps what is too long for the model.
    pub keep: Keep,
    /// The model that made the call, where one did.
    pub model: Option<Arc<dyn Model>>,
    pub(crate) desk: Arc<Desk>,
}

impl Cx {
    /// A place outside any conversation, for [`once`](crate::call::once), and what happens there.
    pub fn alone(root: PathBuf, keep: Keep, shared: Shared) -> (Self, Events) {
        let (tell, events) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk::new(shared, tell));
        (Self::new(root, keep, desk), events)
    }

    pub(crate) fn new(root: PathBuf, keep: Keep, desk: Arc<Desk>) -> Self {
        let (agent, cwd, state) = (AgentId::default(), root.clone(), Arc::default());
        Self { agent, call: String::new(), cwd, root, state, keep, model: None, desk }
    }

    /// The same place with the session in this state.
    #[must_use]
    pub fn at(&self, state: Arc<State>) -> Self {
        let cwd = session::cwd(&state).unwrap_or_else(|| self.cwd.clone());
        Self { cwd, state, ..self.clone() }
    }

    /// The same place after a call changed the session.
    #[must_use]
    pub fn after(&self, output: &Output) -> Self {
        let mut state = Arc::clone(&self.state);
        session::merge(&mut state, &output.state);
        self.at(state)
    }

    /// An absolute path for what the model wrote: relative to the directory, `~` is not special.
    pub fn path(&self, written: &str) -> PathBuf {
        resolve(&self.cwd.join(written))
    }

    /// A path as results show it. Given back in another call it names the same file, so it is
    /// relative to the directory where it lies inside, and else absolute.
    pub fn show(&self, path: &Path) -> String {
        match path.strip_prefix(&self.cwd) {
            Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
            Ok(inside) => inside.display().to_string(),
            Err(_) => path.display().to_string(),
        }
    }

    /// Asks the person and waits; questions of all agents queue. With nobody there it is no.
    pub async fn ask(&self, question: Question) -> Decision {
        let asked = self.desk.ask(&self.agent, question, || true).await;
        asked.unwrap_or(Decision::No(None))
    }

    /// Shows output while the call runs. Not journalled and not sent.
    pub fn progress(&self, text: impl Into<String>) {
        self.tell(Event::Progress { call: self.call.clone(), text: text.into() });
    }

    pub(crate) fn tell(&self, event: Event) {
        self.desk.tell(&self.agent, event);
    }

    /// Runs blocking work on a pool thread. Dropping the future sets `stop`, which the work must
    /// look at between pieces; nothing that commits a change belongs here. Fails when it panics.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&stop.0);
        tokio::task::spawn_blocking(move || work(&seen))
            .await
            .map_err(|_| ToolError::tell(FAILED_INSIDE))
    }
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A path without `.`, `..` and symlinks as far as it exists; the rest is taken as written.
pub fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let (Some(parent), Some(name)) = (path.parent(), path.components().next_back()) else {
        return path.to_path_buf();
    };
    let mut resolved = resolve(parent);
    if name == Component::ParentDir {
        resolved.pop();
    } else if name != Component::CurDir {
        resolved.push(name);
    }
    resolved
}
