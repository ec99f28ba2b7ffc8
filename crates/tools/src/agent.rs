//! `agent`: hands a task to another agent. What that is, and how long its answer may be, is decided
//! by the function handed in.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _, ready};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::{Outcome, Plan, Preview};
use purlin_engine::message::{Output, ToolCall};
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use serde::Deserialize;
use serde_json::json;

use crate::spec::spec;
use crate::text::clip;

/// The most characters of a task in a title.
const TITLE: usize = 80;

/// Runs an agent on a task and answers with what it said last, within a bound.
pub type Factory = Arc<dyn Fn(String, Cx) -> BoxFuture<'static, Output> + Send + Sync>;

/// Runs other agents.
pub struct Agent {
    spec: ToolSpec,
    factory: Factory,
}

impl Agent {
    /// The tool over this factory.
    pub fn new(factory: Factory) -> Self {
        let fields = json!({"task": {"type": "string"}, "description": {"type": "string",
            "description": "3 to 6 words for the screen"}});
        Self { spec: spec("agent", include_str!("agent.md"), &fields, &["task"]), factory }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    task: String,
    description: Option<String>,
}

impl Tool for Agent {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn claim(&self, call: &ToolCall, _: &Cx) -> Result<Claim, ToolError> {
        let Arguments { task, description } = arguments(call)?;
        if task.trim().is_empty() {
            return Err(ToolError::tell("agent: `task` is empty; say what is to be done"));
        }
        let about = description.filter(|text| !text.trim().is_empty()).unwrap_or(task);
        let line = about.trim().lines().next().unwrap_or_default();
        let (line, cut) = clip(line, TITLE);
        let title = format!("agent: {line}{}", if cut > 0 { "…" } else { "" });
        Ok(Claim { call: call.clone(), title, effect: Effect::Agent })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let (factory, cx) = (Arc::clone(&self.factory), cx.clone());
        let plan = arguments(&claim.call).map(|Arguments { task, .. }| {
            let preview = Preview::Text(task.clone());
            let run = async move { Outcome::Done(factory(task, cx).await) };
            Plan::new(claim, Some(preview), run)
        });
        ready(plan).boxed()
    }
}
