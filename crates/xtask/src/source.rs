//! The repository as text: every Rust file with its room, and its code without comments and literals.

mod blank;

pub use blank::blank;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One Rust file.
#[derive(Debug, Clone)]
pub struct Source {
    /// The crate's folder under `crates/`; empty for `examples/`.
    pub room: String,
    /// What the file is for.
    pub kind: Kind,
    /// From the root, with forward slashes.
    pub path: String,
    /// As it is.
    pub text: String,
    /// With comments and literals blanked, line for line the same.
    pub code: String,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ships.
    Src,
    /// `tests/`, and a `tests.rs` beside what it tests.
    Test,
    /// `examples/`.
    Example,
}

impl Source {
    /// A file from its path and text; the path alone says room and kind.
    pub fn new(path: &str, text: &str) -> Self {
        let room = path.strip_prefix("crates/").and_then(|rest| rest.split('/').next());
        Self {
            room: room.unwrap_or_default().to_owned(),
            kind: kind(path),
            path: path.to_owned(),
            text: text.to_owned(),
            code: blank(text),
        }
    }

    /// Physical lines.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// The first sentence of the `//!` lines, without its full stop.
    pub fn sentence(&self) -> String {
        let doc = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        let paragraph: Vec<&str> = doc.map(str::trim).take_while(|line| !line.is_empty()).collect();
        let paragraph = paragraph.join(" ");
        let sentence = paragraph.split(". ").next().unwrap_or_default();
        sentence.trim_end_matches('.').to_owned()
    }
}

fn kind(path: &str) -> Kind {
    let below = path.splitn(3, '/').nth(2).unwrap_or_default();
    if path.starts_with("examples/") || below.starts_with("examples/") {
        return Kind::Example;
    }
    let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    if is_test { Kind::Test } else { Kind::Src }
}

/// Every Rust file of the workspace, in path order.
pub fn read_all(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in files(root)? {
        if path.ends_with(".rs") {
            sources.push(Source::new(&path, &read(root, &path)?));
        }
    }
    Ok(sources)
}

/// Every file of the repository, from the root, sorted; without build output and hidden folders.
pub fn files(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let full = root.join(&folder);
        for entry in fs::read_dir(&full).with_context(|| format!("listing {}", full.display()))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_file() {
                found.push(path.to_string_lossy().replace('\\', "/"));
            } else if entry.file_type()?.is_dir() && is_ours(&path) {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_ours(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name == ".ci" || (name != "target" && !name.starts_with('.'))
}

/// A file as text; bytes that are no UTF-8 become marks, since rules look for words only.
pub fn read(root: &Path, path: &str) -> Result<String> {
    let bytes = fs::read(root.join(path)).with_context(|| format!("reading {path}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
