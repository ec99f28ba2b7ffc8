//! What the model is told about where it is: once, and again when it changes.
//!
//! Nothing is run to find it out. Files, names on the path and variables say enough to prevent the
//! usual wasted first rounds: a missing tool, another installed copy, a branch nobody looked at.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use purlin_engine::driver::Facts;

use crate::config::Config;
use purlin_store::sessions::date;

/// The most entries of the root that are named.
const ENTRIES: usize = 40;
/// The most bytes of an instruction file that are told.
const INSTRUCTIONS: usize = 16_000;
/// Programs worth knowing about before trying them.
const PROGRAMS: &[&str] = &[
    "cargo", "rustc", "python3", "python", "pytest", "uv", "node", "npm", "pnpm", "go", "java",
    "gcc", "make", "cmake", "docker", "git", "rg", "jq",
];
/// Variables that steer what is built and what is imported.
const VARIABLES: &[&str] = &[
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "NODE_ENV",
    "NODE_PATH",
    "RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "GOFLAGS",
    "LD_LIBRARY_PATH",
    "CI",
];
/// Instruction files; a folder's first counts.
const INSTRUCTION_FILES: &[&str] = &["AGENTS.md", "CLAUDE.md"];

/// The facts of this configuration. What changes often is told by itself, so that little is told
/// again. `now` is asked each time.
pub(crate) fn facts(config: &Config, shell: &str, now: fn() -> SystemTime) -> Facts {
    let (config, root, shell) = (config.clone(), config.root(), shell.to_owned());
    let place = OnceLock::new();
    Arc::new(move |cwd| {
        let place = place.get_or_init(|| place_of(&config, &root, &shell));
        let mut facts = vec![
            ("place".to_owned(), place.clone()),
            ("now".to_owned(), now_there(&root, cwd, now())),
        ];
        for folder in [Some(root.as_path()), (cwd != root).then_some(cwd)].into_iter().flatten() {
            let Some((name, text)) = instructions(folder) else { continue };
            let text = format!("[{name} of {}]\n{text}", folder.display());
            facts.push((format!("instructions:{}", folder.display()), text));
        }
        facts
    })
}

fn place_of(config: &Config, root: &Path, shell: &str) -> String {
    let mut lines = vec![
        format!("[Where you are: {}, {shell}]", std::env::consts::OS),
        format!("project root: {}", root.display()),
        format!("in it: {}", entries(root)),
        format!("on PATH: {}", programs(config)),
    ];
    let set = VARIABLES.iter().filter_map(|name| Some(format!("{name}={}", config.var(name)?)));
    let set: Vec<String> = set.map(|line| line.chars().take(200).collect()).collect();
    if !set.is_empty() {
        lines.push(format!("set: {}", set.join(" ")));
    }
    lines.join("\n")
}

fn now_there(root: &Path, cwd: &Path, now: SystemTime) -> String {
    let today = date(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).0;
    let directory = if cwd == root { ".".into() } else { cwd.display().to_string() };
    format!("[{today} UTC; git branch: {}; directory: {directory}]", branch(root))
}

fn branch(root: &Path) -> String {
    let git = root.join(".git");
    // In a worktree `.git` is a file that says where the folder is.
    let linked = fs::read_to_string(&git).unwrap_or_default();
    let folder = linked.trim().strip_prefix("gitdir: ").map_or(git, |folder| root.join(folder));
    let Ok(head) = fs::read_to_string(folder.join("HEAD")) else { return "none".to_owned() };
    let head = head.trim();
    let detached = || format!("detached at {}", head.chars().take(10).collect::<String>());
    head.strip_prefix("ref: refs/heads/").map_or_else(detached, str::to_owned)
}

fn entries(root: &Path) -> String {
    let Ok(read) = fs::read_dir(root) else { return "unreadable".to_owned() };
    let name = |entry: fs::DirEntry| {
        let slash = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
        format!("{}{slash}", entry.file_name().display())
    };
    let mut names: Vec<String> =
        read.flatten().map(name).filter(|name| name.trim_end_matches('/') != ".git").collect();
    names.sort();
    let more = names.len().saturating_sub(ENTRIES);
    names.truncate(ENTRIES);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", if names.is_empty() { "nothing".to_owned() } else { names.join(" ") })
}

fn programs(config: &Config) -> String {
    let path = config.var("PATH").unwrap_or_default();
    let there = |name: &&&str| path.split(':').any(|folder| Path::new(folder).join(name).is_file());
    PROGRAMS.iter().filter(there).copied().collect::<Vec<_>>().join(" ")
}

fn instructions(folder: &Path) -> Option<(&'static str, String)> {
    let read = |name: &&'static str| {
        let file = fs::read_to_string(folder.join(name)).ok()?;
        Some((*name, bounded(file.trim())))
    };
    INSTRUCTION_FILES.iter().find_map(read).filter(|(_, text)| !text.is_empty())
}

fn bounded(text: &str) -> String {
    if text.len() <= INSTRUCTIONS {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(INSTRUCTIONS);
    format!(
        "{}\n[{INSTRUCTIONS} of {} bytes; read the file for the rest]",
        &text[..end],
        text.len()
    )
}
