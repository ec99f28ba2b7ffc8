//! `glob`: files by name, newest first.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use futures::future::{BoxFuture, FutureExt as _, ready};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::Plan;
use purlin_engine::message::{Output, ToolCall};
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use serde::Deserialize;
use serde_json::json;

use crate::spec::{looking, spec};
use crate::text::count;
use crate::walk::{Clock, Names, walk};

/// The most files listed.
const LISTED: usize = 100;

/// Finds files by name.
pub struct Glob(ToolSpec);

impl Default for Glob {
    fn default() -> Self {
        let fields = json!({"pattern": {"type": "string"}, "path": {"type": "string"}});
        Self(spec("glob", include_str!("glob.md"), &fields, &["pattern"]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    pattern: String,
    path: Option<String>,
}

impl Tool for Glob {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let Arguments { pattern, path } = arguments(call)?;
        Names::new(&pattern).map_err(ToolError::Tell)?;
        let folder = cx.path(path.as_deref().unwrap_or("."));
        let title = match &path {
            Some(_) => format!("glob {pattern} in {}", cx.show(&folder)),
            None => format!("glob {pattern}"),
        };
        Ok(Claim { call: call.clone(), title, effect: Effect::reads([folder]) })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let show = cx.clone();
        let plan = arguments(&claim.call).map(|Arguments { pattern, path }| {
            let folder = cx.path(path.as_deref().unwrap_or("."));
            let work = move |stop: &AtomicBool| {
                find(&pattern, &folder, &|path| show.show(path), stop).map(Output::text)
            };
            looking(claim, cx, work)
        });
        ready(plan).boxed()
    }
}

fn find(
    pattern: &str,
    folder: &Path,
    show: &dyn Fn(&Path) -> String,
    stop: &AtomicBool,
) -> Result<String, String> {
    let names = Names::new(pattern)?;
    if !folder.is_dir() {
        return Err(format!("{} is not a folder", show(folder)));
    }
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    let skipped = walk(folder, &Clock::new(stop), |file| {
        if names.fit(folder, &file.path) {
            let changed = file.path.symlink_metadata().and_then(|meta| meta.modified());
            found.push((changed.unwrap_or(SystemTime::UNIX_EPOCH), file.path));
        }
    });
    found.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.cmp(b)));
    let total = found.len();
    let mut lines: Vec<String> = found.iter().take(LISTED).map(|(_, path)| show(path)).collect();
    lines.push(match total {
        0 => format!("[no file matches {pattern} in {}]", show(folder)),
        total if total > LISTED => {
            format!("[the newest {LISTED} of {total} files; narrow the pattern or give `path`]")
        }
        total => format!("[{}]", count(total, "file")),
    });
    lines.extend(skipped.notes());
    Ok(lines.join("\n"))
}
