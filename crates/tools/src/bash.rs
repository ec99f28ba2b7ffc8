//! `bash`: runs a command in the shell.
//!
//! The shell itself is asked where it ended up, and that is where the session goes. Whether a
//! command only looks is decided by a reader that is handed in.

mod environment;
mod footer;
mod progress;
mod shown;
mod text;

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, ready};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::{Outcome, Plan, Preview};
use purlin_engine::message::{Output, ToolCall};
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments, resolve};
use purlin_exec::{Bounds, End, Finished, Shell, Spec, living, run};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{file, seen};

pub use environment::environment;

/// Seconds a command may take when the call says nothing.
const TIMEOUT: f64 = 120.0;

/// Seconds that a call may ask for.
const TIMEOUTS: RangeInclusive<f64> = 1.0..=600.0;

/// Characters of a title.
const TITLE: usize = 100;

/// Says what a command line would touch when it is run in a directory.
pub type Reader = Arc<dyn Fn(&str, &Path) -> Effect + Send + Sync>;

/// What the tool is given once and for all.
#[derive(Clone)]
pub struct Config {
    /// The shell.
    pub shell: Shell,
    /// The whole environment of every command; see [`environment()`].
    pub env: Vec<(OsString, OsString)>,
    /// Says what a command line would touch.
    pub read: Reader,
    /// The folder for outputs too long to show; made when first needed.
    pub scratch: PathBuf,
}

/// Runs commands.
pub struct Bash {
    spec: ToolSpec,
    config: Arc<Config>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    command: String,
    timeout: Option<f64>,
}

impl Bash {
    /// The tool. Which shell it has is told with the other facts: descriptions are the same
    /// everywhere.
    pub fn new(config: Config) -> Self {
        let description = include_str!("bash.md").trim_end().to_owned();
        let schema = json!({
            "type": "object",
            "properties": {
                "command": { "type": "string" },
                "timeout": { "type": "number", "description": "seconds" },
            },
            "required": ["command"],
            "additionalProperties": false,
        });
        let spec = ToolSpec { name: "bash".to_owned(), description, schema };
        Bash { spec, config: Arc::new(config) }
    }
}

impl Tool for Bash {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let Arguments { command, timeout } = arguments(call)?;
        if command.trim().is_empty() {
            return Err(ToolError::tell("`command` is empty; nothing was run"));
        }
        if let Some(seconds) = timeout.filter(|seconds| !TIMEOUTS.contains(seconds)) {
            return Err(out_of_range(seconds));
        }
        let effect = (self.config.read)(&command, &cx.cwd);
        Ok(Claim { call: call.clone(), title: title(&command), effect })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let (config, cx) = (Arc::clone(&self.config), cx.clone());
        let plan = arguments(&claim.call).map(|arguments: Arguments| {
            let preview = Preview::Text(arguments.command.clone());
            // What may run early must not move the session.
            let moves = !claim.effect.only_looks();
            let run = async move {
                match perform(&config, &cx, &arguments).await {
                    Ok(done) => {
                        let seen = seen_by(&cx, &arguments.command, &done).await;
                        let mut output = answer(&cx, done, moves);
                        seen.iter().for_each(|(path, hash)| seen::mark(&mut output, path, hash));
                        Outcome::Done(output)
                    }
                    Err(why) => Outcome::Done(Output::failure(why)),
                }
            };
            Plan::new(claim, Some(preview), run)
        });
        ready(plan).boxed()
    }
}

/// A limit that cannot be kept. It is not silently made another one: a model that counts in
/// milliseconds would go on doing so.
fn out_of_range(seconds: f64) -> ToolError {
    let (least, most) = (TIMEOUTS.start(), TIMEOUTS.end());
    let unit = if seconds > 1000.0 { " (milliseconds?)" } else { "" };
    ToolError::tell(format!(
        "`timeout` is in seconds, from {least} to {most}, not {seconds}{unit}; nothing was run"
    ))
}

/// The first line of a command.
fn title(command: &str) -> String {
    let line = command.trim().lines().next().unwrap_or_default();
    let short: String = line.chars().take(TITLE).collect();
    if short.len() == command.trim().len() { short } else { format!("{short} …") }
}

/// A command that has ended.
struct Done {
    finished: Finished,
    /// What it was allowed.
    limit: Duration,
    /// Where it ran.
    place: PathBuf,
    /// Where the shell says it ended up.
    told: Option<PathBuf>,
}

async fn perform(config: &Config, cx: &Cx, arguments: &Arguments) -> Result<Done, String> {
    let told = told_file(&config.scratch).map_err(|why| {
        format!("cannot write to the folder {}: {why}; nothing was run", config.scratch.display())
    })?;
    let limit = Duration::from_secs_f64(arguments.timeout.unwrap_or(TIMEOUT));
    let place = living(&cx.cwd).to_path_buf();
    let spec = Spec {
        argv: config.shell.argv(&arguments.command, &told),
        cwd: place.clone(),
        env: config.env.clone(),
        deadline: limit,
        bounds: Bounds { spill: Some(told.with_extension("out")), ..Bounds::default() },
    };
    let mut progress = progress::Progress::default();
    let finished = run(spec, |piece| {
        if let Some(text) = progress.take(piece) {
            cx.progress(text);
        }
    })
    .await
    .map_err(|why| format!("{why}; nothing was run"))?;
    let told = std::fs::read(&told).ok().and_then(|bytes| Shell::told(&bytes));
    Ok(Done { finished, limit, place, told: told.filter(|path| path.is_dir()) })
}

/// The files that the command showed, with what was in them.
async fn seen_by(cx: &Cx, command: &str, done: &Done) -> Vec<(PathBuf, String)> {
    let files = shown::files(command, &done.place);
    if files.is_empty() || done.finished.end != End::Exited(0) {
        return Vec::new();
    }
    let hashes = cx.blocking(move |_| {
        let hash = |path: PathBuf| {
            let path = resolve(&path);
            let whole = file::whole(&path, "").ok()?;
            Some((path, whole.hash()))
        };
        files.into_iter().filter_map(hash).collect()
    });
    hashes.await.unwrap_or_default()
}

/// An empty file of a name nobody else has, for the shell to write its directory to. It is removed
/// when dropped.
fn told_file(scratch: &Path) -> std::io::Result<tempfile::TempPath> {
    std::fs::create_dir_all(scratch)?;
    let mut builder = tempfile::Builder::new();
    Ok(builder.prefix("bash-").suffix(".cwd").tempfile_in(scratch)?.into_temp_path())
}

/// What the model is told, and where the session is from now on.
fn answer(cx: &Cx, done: Done, moves: bool) -> Output {
    let Done { finished, limit, place, told } = done;
    let shown = text::show(&finished.output);
    let old = resolve(&cx.cwd);
    let now = told.filter(|_| moves).unwrap_or_else(|| resolve(&place));
    let notes = footer::Notes { finished: &finished, limit, now: &now, moved: now != old };
    let mut output = Output::text(shown.text);
    if place != cx.cwd {
        output = output.footer(&footer::gone(cx, &place));
    }
    output = output.footer(&notes.line(cx));
    output.failed = finished.end != End::Exited(0);
    if moves && now != old {
        // A path that is not text cannot be journalled; the session then stays where it was.
        if let Some(path) = now.to_str() {
            output.state.insert("cwd".to_owned(), Value::from(path));
        }
    }
    if let Some(whole) = &finished.output.whole
        && shown.complete
        && !finished.children_left
    {
        // Everything has been said: nobody will look for it.
        let _ = std::fs::remove_file(whole);
    }
    output
}
