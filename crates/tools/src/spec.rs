//! What the tools have in common: a declaration, a title, a plan that only looks.

use std::sync::atomic::AtomicBool;

use purlin_engine::effect::Claim;
use purlin_engine::gate::{Outcome, Plan};
use purlin_engine::message::Output;
use purlin_engine::tool::{Cx, ToolError, ToolSpec};
use serde_json::{Value, json};

/// How many names stand in a title.
const NAMED: usize = 3;

/// A tool's declaration.
pub(crate) fn spec(name: &str, text: &str, fields: &Value, required: &[&str]) -> ToolSpec {
    let mut schema = json!({"type": "object", "properties": fields});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    ToolSpec { name: name.to_owned(), description: text.trim_end().to_owned(), schema }
}

/// Some names as a title has room for.
pub(crate) fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<_> = all.collect();
    match all.len().checked_sub(NAMED) {
        None | Some(0) => all.join(", "),
        Some(more) => format!("{} and {more} more", all[..NAMED].join(", ")),
    }
}

/// A plan that does all its work when it runs, on a pool thread, and changes nothing.
pub(crate) fn looking(
    claim: Claim,
    cx: &Cx,
    work: impl FnOnce(&AtomicBool) -> Result<Output, String> + Send + 'static,
) -> Plan {
    let cx = cx.clone();
    Plan::new(claim, None, async move {
        let done = cx.blocking(work).await.map_err(|ToolError::Tell(why)| why);
        Outcome::Done(done.flatten().unwrap_or_else(Output::failure))
    })
}
