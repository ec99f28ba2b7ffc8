//! `edit_file`: replaces pieces of files the model has seen, all of them or none.

use std::path::PathBuf;

use futures::future::{BoxFuture, FutureExt as _};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::{Outcome, Plan};
use purlin_engine::message::ToolCall;
use purlin_engine::session::State;
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use serde::Deserialize;
use serde_json::json;

use crate::diff::Changes;
use crate::replace::{Replacement, replace};
use crate::seen::Seen;
use crate::spec::{names, spec};
use crate::target::{Change, Target, make, preview};

/// Replaces pieces of files.
pub struct EditFile(ToolSpec);

impl Default for EditFile {
    fn default() -> Self {
        let edit = json!({
            "path": {"type": "string"},
            "old_string": {"type": "string"},
            "new_string": {"type": "string"},
            "replace_all": {"type": "boolean"},
        });
        let mut all = edit.clone();
        all["edits"] = json!({"type": "array", "items": {
            "type": "object", "properties": edit, "required": ["old_string", "new_string"]}});
        Self(spec("edit_file", include_str!("edit_file.md"), &all, &[]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: Option<String>,
    old_string: Option<String>,
    new_string: Option<String>,
    replace_all: Option<bool>,
    edits: Option<Vec<Edit>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: Option<String>,
    old_string: String,
    new_string: String,
    replace_all: Option<bool>,
}

/// The edits of one file.
struct Edits {
    path: PathBuf,
    shown: String,
    all: Vec<Replacement>,
}

impl Tool for EditFile {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let files = edits(call, cx)?;
        let title = format!("edit {}", names(files.iter().map(|file| file.shown.as_str())));
        let writes = files.into_iter().map(|file| file.path).collect();
        let effect = Effect::Files { reads: Vec::new(), writes };
        Ok(Claim { call: call.clone(), title, effect })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let cx = cx.clone();
        async move {
            let files = edits(&claim.call, &cx)?;
            let state = cx.state.clone();
            let work = move |_: &_| {
                let changes = files.into_iter().map(|file| change(file, &state));
                changes.collect::<Result<Vec<_>, _>>()
            };
            let made = cx.blocking(work).await?.map_err(ToolError::Tell)?;
            let (changes, notes): (Vec<Change>, Vec<String>) = made.into_iter().unzip();
            let answer = answer(&claim, &changes, &notes.concat());
            let shown = preview(&changes);
            let run = async move { Outcome::Done(make(changes, answer)) };
            Ok(Plan::new(claim, Some(shown), run))
        }
        .boxed()
    }
}

/// What the call wants done, file by file in the order they are first named.
fn edits(call: &ToolCall, cx: &Cx) -> Result<Vec<Edits>, ToolError> {
    let Arguments { path, old_string, new_string, replace_all, edits } = arguments(call)?;
    let mut list = Vec::new();
    match (old_string, new_string) {
        (Some(old_string), Some(new_string)) => {
            list.push(Edit { path: path.clone(), old_string, new_string, replace_all });
        }
        (None, None) => (),
        (Some(_), None) => return Err(ToolError::tell("edit_file: `new_string` is missing")),
        (None, Some(_)) => return Err(ToolError::tell("edit_file: `old_string` is missing")),
    }
    list.extend(edits.into_iter().flatten());
    if list.is_empty() {
        return Err(ToolError::tell("edit_file: give old_string and new_string, or `edits`"));
    }
    let mut files: Vec<Edits> = Vec::new();
    for Edit { path: own, old_string: old, new_string: new, replace_all } in list {
        let Some(written) = own.as_ref().or(path.as_ref()) else {
            return Err(ToolError::tell("edit_file: `path` is missing"));
        };
        let one = Replacement { old, new, all: replace_all.unwrap_or_default() };
        let resolved = cx.path(written);
        match files.iter_mut().find(|file| file.path == resolved) {
            Some(file) => file.all.push(one),
            None => {
                let shown = cx.show(&resolved);
                files.push(Edits { path: resolved, shown, all: vec![one] });
            }
        }
    }
    Ok(files)
}

/// Works a file's edits out, with a remark for the answer.
fn change(file: Edits, state: &State) -> Result<(Change, String), String> {
    let Edits { path, shown, all } = file;
    let target = Target::look(&path, &shown, state)?;
    if let [Replacement { old, new, .. }] = all.as_slice()
        && old.is_empty()
    {
        return create(target, new).map(|change| (change, String::new()));
    }
    if all.iter().any(|one| one.old.is_empty()) {
        return Err(format!("{shown}: an empty old_string makes a new file, with no other edits"));
    }
    if target.is_new() {
        // The one place that knows which names come near.
        return Err(crate::file::whole(&path, &shown).err().unwrap_or_default());
    }
    let anchored = !all.iter().any(|one| one.all);
    let note = match target.seen {
        Seen::Fresh => String::new(),
        Seen::Never => return Err(unseen(&shown)),
        Seen::Stale if anchored => format!(
            "[{shown} had changed since you read it; old_string still stood in one place only. \
             Read it again before you rely on the rest]\n"
        ),
        Seen::Stale => return Err(stale(&shown)),
    };
    let body = replace(&target.text.body, &all, &shown).map_err(|why| match target.seen {
        Seen::Stale => format!("{}. {why}", stale(&shown)),
        Seen::Fresh | Seen::Never => why,
    })?;
    Ok((target.change(&body)?, note))
}

fn create(target: Target, new: &str) -> Result<Change, String> {
    if !target.text.body.is_empty() {
        return Err(format!(
            "{} exists and is not empty, so old_string must say what to replace",
            target.shown
        ));
    }
    target.change(new)
}

/// What to do about a file the model has not seen.
pub(crate) fn unseen(shown: &str) -> String {
    format!(
        "{shown} was not read in this session; read it first (read_file, or a grep that shows \
         the place)"
    )
}

/// What to do about a file that changed since the model saw it.
pub(crate) fn stale(shown: &str) -> String {
    format!("{shown} has changed since you read it; nothing was written. Read it again")
}

fn answer(claim: &Claim, changes: &[Change], notes: &str) -> String {
    let total = Changes {
        text: changes.iter().map(|change| change.changes.text.as_str()).collect(),
        added: changes.iter().map(|change| change.changes.added).sum(),
        removed: changes.iter().map(|change| change.changes.removed).sum(),
    };
    let what = claim.title.strip_prefix("edit ").unwrap_or(&claim.title);
    format!("edited {what} ({})\n{}{notes}", total.counts(), total.bounded())
}
