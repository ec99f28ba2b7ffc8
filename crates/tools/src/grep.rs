//! `grep`: lines by what is in them, in linear time, grouped by file.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use futures::future::{BoxFuture, FutureExt as _, ready};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::Plan;
use purlin_engine::message::{Output, ToolCall};
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use serde::Deserialize;
use serde_json::json;

use crate::file::{self, Opened};
use crate::hits::{Hits, Mode, Query};
use crate::seen;
use crate::spec::{looking, spec};
use crate::text::clip;
use crate::walk::{Clock, Names, Skipped, walk};

/// The most lines around a match.
const CONTEXT: f64 = 20.0;

/// The most characters of a pattern in a title.
const TITLE: usize = 60;

/// Searches file contents.
pub struct Grep(ToolSpec);

impl Default for Grep {
    fn default() -> Self {
        let fields = json!({
            "pattern": {"type": "string"},
            "path": {"type": "string"},
            "include": {"type": "string"},
            "mode": {"enum": ["content", "files", "count"]},
            "context": {"type": "integer"},
            "ignore_case": {"type": "boolean"},
        });
        Self(spec("grep", include_str!("grep.md"), &fields, &["pattern"]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    pattern: String,
    path: Option<String>,
    include: Option<String>,
    mode: Option<Mode>,
    context: Option<f64>,
    ignore_case: Option<bool>,
}

/// Where to search, and for what.
struct Search {
    pattern: String,
    place: PathBuf,
    names: Option<Names>,
    query: Query,
}

impl Tool for Grep {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let search = search(call, cx)?;
        let (pattern, cut) = clip(&search.pattern, TITLE);
        let more = if cut > 0 { "…" } else { "" };
        let title = format!("grep {pattern}{more} in {}", cx.show(&search.place));
        Ok(Claim { call: call.clone(), title, effect: Effect::reads([search.place]) })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let show = cx.clone();
        let plan = search(&claim.call, cx).map(|search| {
            let work = move |stop: &AtomicBool| search_in(&search, &|path| show.show(path), stop);
            looking(claim, cx, work)
        });
        ready(plan).boxed()
    }
}

fn search(call: &ToolCall, cx: &Cx) -> Result<Search, ToolError> {
    let Arguments { pattern, path, include, mode, context, ignore_case } = arguments(call)?;
    let context = context.unwrap_or_default().clamp(0.0, CONTEXT) as usize;
    let query = Query::new(&pattern, ignore_case.unwrap_or_default(), context)
        .map_err(ToolError::Tell)?
        .mode(mode.unwrap_or_default());
    let names = include.as_deref().map(Names::new).transpose().map_err(ToolError::Tell)?;
    Ok(Search { pattern, place: cx.path(path.as_deref().unwrap_or(".")), names, query })
}

fn search_in(
    search: &Search,
    show: &dyn Fn(&Path) -> String,
    stop: &AtomicBool,
) -> Result<Output, String> {
    let Search { pattern, place, names, query } = search;
    let clock = Clock::new(stop);
    let mut hits = Hits::default();
    let skipped = match file::open(place, &show(place))? {
        Opened::Regular(file, meta) => {
            hits.search(query, place, &show(place), file, &meta, &clock);
            Skipped::default()
        }
        Opened::Folder => walk(place, &clock, |found| {
            let meant = names.as_ref().is_none_or(|names| names.fit(place, &found.path));
            if !meant || !found.kind.is_file() {
                return;
            }
            let shown = show(&found.path);
            match file::open(&found.path, &shown) {
                Ok(Opened::Regular(file, meta)) => {
                    hits.search(query, &found.path, &shown, file, &meta, &clock);
                }
                Ok(Opened::Folder) => (),
                Err(_) => hits.unreadable += 1,
            }
        }),
    };
    let mut lines = vec![hits.answer(query, pattern, &show(place))];
    lines.extend(hits.notes());
    lines.extend(skipped.notes());
    let mut output = Output::text(lines.join("\n"));
    for (path, hash) in &hits.seen {
        seen::mark(&mut output, path, hash);
    }
    Ok(output)
}
