//! `write_file`: puts a whole file in place.

use futures::future::{BoxFuture, FutureExt as _};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::{Outcome, Plan};
use purlin_engine::message::ToolCall;
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use serde::Deserialize;
use serde_json::json;

use crate::edit_file::{stale, unseen};
use crate::seen::Seen;
use crate::spec::spec;
use crate::target::{Change, Target, make, preview};
use crate::text::{Ends, Text, count, lines};

/// Writes whole files.
pub struct WriteFile(ToolSpec);

impl Default for WriteFile {
    fn default() -> Self {
        let fields = json!({"path": {"type": "string"}, "content": {"type": "string"}});
        Self(spec("write_file", include_str!("write_file.md"), &fields, &["path", "content"]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    content: String,
}

impl Tool for WriteFile {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let Arguments { path, .. } = arguments(call)?;
        let path = cx.path(&path);
        let title = format!("write {}", cx.show(&path));
        Ok(Claim { call: call.clone(), title, effect: Effect::writes(path) })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let cx = cx.clone();
        async move {
            let Arguments { path, content } = arguments(&claim.call)?;
            let path = cx.path(&path);
            let (shown, state) = (cx.show(&path), cx.state.clone());
            let work =
                move |_: &_| Target::look(&path, &shown, &state).and_then(|at| put(at, &content));
            let (changes, answer) = cx.blocking(work).await?.map_err(ToolError::Tell)?;
            let shown = preview(&changes);
            let run = async move { Outcome::Done(make(changes, answer)) };
            Ok(Plan::new(claim, Some(shown), run))
        }
        .boxed()
    }
}

/// Works out what to change, and the answer to that.
fn put(target: Target, content: &str) -> Result<(Vec<Change>, String), String> {
    let shown = target.shown.clone();
    match target.seen {
        Seen::Fresh => (),
        Seen::Never => return Err(unseen(&shown)),
        Seen::Stale => return Err(stale(&shown)),
    }
    let body = fitted(content, &target.text);
    if !target.is_new() && body == target.text.body {
        return Ok((Vec::new(), format!("{shown} has exactly this content already")));
    }
    let length = count(lines(&body).count(), "line");
    let is_new = target.is_new();
    let change = target.change(&body)?;
    if is_new {
        return Ok((vec![change], format!("wrote {shown}, a new file of {length}")));
    }
    let (counts, diff) = (change.changes.counts(), change.changes.bounded());
    Ok((vec![change], format!("wrote {shown}, {length} ({counts})\n{diff}")))
}

/// The content with the line ends of the file it replaces: the model never saw those.
fn fitted(content: &str, old: &Text) -> String {
    let content = match content.strip_prefix('\u{feff}') {
        Some(rest) if old.bom => rest,
        Some(_) | None => content,
    };
    match Ends::of(&old.body) {
        ends @ (Ends::CrLf | Ends::Cr) if !content.contains('\r') => {
            content.replace('\n', ends.mark())
        }
        Ends::CrLf | Ends::Cr | Ends::Lf | Ends::Mixed => content.to_owned(),
    }
}
