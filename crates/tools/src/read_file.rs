//! `read_file`: lines of files, numbered, within a bound and with a way to the rest.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use futures::future::{BoxFuture, FutureExt as _, ready};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::Plan;
use purlin_engine::message::{Output, ToolCall};
use purlin_engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use serde::Deserialize;
use serde_json::json;

use crate::file::{self, Opened, WHOLE};
use crate::seen;
use crate::spec::{looking, names, spec};
use crate::text::{Text, size};
use crate::window::{Asked, Room, Window, far, near};

/// The most entries of a folder that are listed.
const ENTRIES: usize = 500;

/// Reads files.
pub struct ReadFile(ToolSpec);

impl Default for ReadFile {
    fn default() -> Self {
        let part = json!({
            "path": {"type": "string"},
            "offset": {"type": "integer"},
            "limit": {"type": "integer"},
        });
        let mut all = part.clone();
        all["files"] = json!({"type": "array", "items": {
            "type": "object", "properties": part, "required": ["path"]}});
        Self(spec("read_file", include_str!("read_file.md"), &all, &[]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: Option<String>,
    offset: Option<f64>,
    limit: Option<f64>,
    files: Option<Vec<Named>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    path: String,
    offset: Option<f64>,
    limit: Option<f64>,
}

/// A part to read.
struct Part {
    path: PathBuf,
    shown: String,
    asked: Asked,
}

/// What is said about a part.
struct Answer {
    text: String,
    failed: bool,
    /// The file's hash, where it was shown.
    hash: Option<String>,
}

impl Tool for ReadFile {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let parts = parts(call, cx)?;
        let title = format!("read {}", names(parts.iter().map(|part| part.shown.as_str())));
        let effect = Effect::reads(parts.into_iter().map(|part| part.path));
        Ok(Claim { call: call.clone(), title, effect })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let parts = parts(&claim.call, cx);
        let plan = parts.map(|parts| looking(claim, cx, move |stop| Ok(read(&parts, stop))));
        ready(plan).boxed()
    }
}

fn parts(call: &ToolCall, cx: &Cx) -> Result<Vec<Part>, ToolError> {
    let Arguments { path, offset, limit, files } = arguments(call)?;
    let first = path.map(|path| Named { path, offset, limit });
    let all = first.into_iter().chain(files.into_iter().flatten());
    let part = |Named { path, offset, limit }: Named| {
        let path = cx.path(&path);
        let whole = |number: f64, name| match number {
            number if (0.0..1e15).contains(&number) => Ok(number as u64),
            number => Err(ToolError::tell(format!("read_file: `{name}` cannot be {number}"))),
        };
        let first = offset.map_or(Ok(1), |offset| whole(offset, "offset"))?.max(1);
        let limit = limit.map(|limit| whole(limit, "limit")).transpose()?;
        if limit == Some(0) {
            return Err(ToolError::tell("read_file: a `limit` of 0 shows nothing; leave it out"));
        }
        Ok(Part { shown: cx.show(&path), path, asked: Asked { first, limit } })
    };
    let parts = all.map(part).collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() {
        return Err(ToolError::tell("read_file: give `path`, or `files`"));
    }
    Ok(parts)
}

/// Reads the parts in order, as long as there is room.
fn read(parts: &[Part], stop: &AtomicBool) -> Output {
    let mut room = Room::default();
    let mut text = String::new();
    let mut failed = true;
    let mut output = Output::default();
    for part in parts {
        if parts.len() > 1 {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}== {}", part.shown);
        }
        if room.is_full() {
            text.push_str("[not read: this call's room is used up; read it in another]\n");
            continue;
        }
        let answer = read_part(part, &mut room, stop).unwrap_or_else(|why| Answer {
            text: why,
            failed: true,
            hash: None,
        });
        failed &= answer.failed;
        text.push_str(answer.text.trim_end_matches('\n'));
        text.push('\n');
        if let Some(hash) = answer.hash {
            seen::mark(&mut output, &part.path, &hash);
        }
    }
    let text = text.trim_end_matches('\n').to_owned();
    Output { failed, state: output.state, ..Output::text(text) }
}

fn read_part(part: &Part, room: &mut Room, stop: &AtomicBool) -> Result<Answer, String> {
    let Part { path, shown, asked } = part;
    let (file, meta) = match file::open(path, shown)? {
        Opened::Folder => return list(path, shown),
        Opened::Regular(file, meta) => (file, meta),
    };
    let reading = |error| file::refusal(&error, path, shown);
    if meta.len() > WHOLE {
        let window = far(file, asked, room, stop).map_err(reading)?;
        let about = format!("{}, too large for edit_file", size(meta.len()));
        return show(&window, asked, shown, &[about], None);
    }
    let Some(whole) = file::read(file, &meta).map_err(reading)? else {
        return Err(format!("{shown} does not end; use a command such as head"));
    };
    if let Some(kind) = file::binary(&whole.bytes) {
        let size = size(whole.bytes.len() as u64);
        return Err(format!("{shown} is {kind} ({size}); only text is shown"));
    }
    let text = Text::decode(&whole.bytes).map_err(|why| format!("{shown} {why}"))?;
    let window = near(&text.body, asked, room);
    show(&window, asked, shown, &text.remarks(), Some(whole.hash()))
}

fn show(
    window: &Window,
    asked: &Asked,
    shown: &str,
    remarks: &[String],
    hash: Option<String>,
) -> Result<Answer, String> {
    if let Window::Binary(kind) = window {
        return Err(format!("{shown} is {kind} ({}); only text is shown", remarks.join(", ")));
    }
    let Window::Lines { text, shown: range, total } = window else {
        return Err(format!("reading {shown} was interrupted"));
    };
    let mut notes = Vec::new();
    match (range, total) {
        (_, Some(0)) => notes.push("the file is empty".to_owned()),
        (None, total) => {
            let lines = total.map_or_else(|| "fewer".to_owned(), |total| total.to_string());
            let first = asked.first;
            return Err(format!("line {first} is past the end: {shown} has {lines} lines"));
        }
        (Some((1, last)), Some(total)) if last == total => (),
        (Some((first, last)), total) => {
            let of = total.map_or_else(|| "many".to_owned(), |total| total.to_string());
            let mut note = format!("lines {first}-{last} of {of}");
            if *total != Some(*last) {
                let _ = write!(note, "; continue with offset {}", last + 1);
            }
            notes.push(note);
        }
    }
    notes.extend_from_slice(remarks);
    let footer = if notes.is_empty() { String::new() } else { format!("[{}]", notes.join("; ")) };
    Ok(Answer { text: format!("{text}{footer}"), failed: false, hash })
}

/// What is in a folder, folders marked by a slash.
fn list(path: &Path, shown: &str) -> Result<Answer, String> {
    let entries = path.read_dir().map_err(|error| file::refusal(&error, path, shown))?;
    let mut all: Vec<String> = entries
        .flatten()
        .map(|entry| {
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let slash = if folder { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .collect();
    all.sort();
    let total = all.len();
    all.truncate(ENTRIES);
    let footer = match total {
        0 => format!("[the folder {shown} is empty]"),
        total if total > ENTRIES => {
            format!("[{ENTRIES} of {total} entries of the folder {shown}; find others with glob]")
        }
        total => format!("[{total} entries of the folder {shown}]"),
    };
    all.push(footer);
    Ok(Answer { text: all.join("\n"), failed: false, hash: None })
}
