//! Going through a folder as git would see it, and saying what was left out.

use std::collections::HashSet;
use std::fs::FileType;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use globset::{GlobBuilder, GlobMatcher};
use ignore::{Walk, WalkBuilder};

use crate::text::count;

/// How long a walk may take.
const TIME: Duration = Duration::from_secs(20);

/// How many folders are looked at again for what was left out of them.
const LOOKED: usize = 2000;

/// How many of those are named.
const NAMED: usize = 6;

/// How deep folders may lie.
const DEPTH: usize = 200;

/// A file that was come to.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) kind: FileType,
}

/// What a walk left out.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// Left out by ignore rules: folders with a slash, first those nearest to the top.
    ignored: Vec<String>,
    /// Could not be read.
    unreadable: usize,
    /// Why it did not go through all of it.
    partial: Option<&'static str>,
    /// All of it was ignored, so the rules were not applied.
    unruled: bool,
}

/// A walk's way of ending early.
pub(crate) struct Clock<'a> {
    stop: &'a AtomicBool,
    until: Instant,
}

impl<'a> Clock<'a> {
    pub(crate) fn new(stop: &'a AtomicBool) -> Self {
        Self { stop, until: Instant::now() + TIME }
    }

    /// Why to stop now.
    pub(crate) fn over(&self) -> Option<&'static str> {
        if self.stop.load(Ordering::Relaxed) {
            return Some("interrupted");
        }
        (Instant::now() > self.until).then_some("stopped after 20 s; name a smaller folder")
    }
}

/// Goes through all files below `folder`, by name. Hidden files count; `.git` and what ignore
/// rules name do not. A folder of which everything is ignored was named on purpose: there the
/// rules do not count.
pub(crate) fn walk(folder: &Path, clock: &Clock<'_>, mut each: impl FnMut(Found)) -> Skipped {
    let mut files = 0;
    let mut counted = |found| {
        files += 1;
        each(found);
    };
    let skipped = pass(folder, true, clock, &mut counted);
    if files > 0 || skipped.ignored.is_empty() {
        return skipped;
    }
    Skipped { unruled: true, ..pass(folder, false, clock, &mut each) }
}

fn pass(folder: &Path, ruled: bool, clock: &Clock<'_>, each: &mut dyn FnMut(Found)) -> Skipped {
    let mut skipped = Skipped::default();
    let mut met = Met::default();
    for entry in walker(folder, ruled) {
        skipped.partial = clock.over();
        if skipped.partial.is_some() {
            break;
        }
        let Ok(entry) = entry else {
            skipped.unreadable += 1;
            continue;
        };
        let Some(kind) = entry.file_type() else { continue };
        met.add(entry.path());
        if kind.is_dir() {
            met.folders.push(entry.into_path());
        } else {
            each(Found { path: entry.into_path(), kind });
        }
    }
    if ruled && skipped.partial.is_none() {
        skipped.ignored = met.missed(folder);
    }
    skipped
}

fn walker(folder: &Path, ruled: bool) -> Walk {
    WalkBuilder::new(folder)
        .standard_filters(ruled)
        .hidden(false)
        .require_git(false)
        // The person's own ignore file lies where the environment says; we do not look there.
        .git_global(false)
        .max_depth(Some(DEPTH))
        .sort_by_file_name(Ord::cmp)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git")
        .build()
}

/// What was come to, so that afterwards the rest can be told.
#[derive(Default)]
struct Met {
    folders: Vec<PathBuf>,
    paths: HashSet<u64>,
}

impl Met {
    fn add(&mut self, path: &Path) {
        self.paths.insert(hashed(path));
    }

    /// What lies in the folders come to and was not come to itself.
    fn missed(&self, root: &Path) -> Vec<String> {
        let mut missed = Vec::new();
        for folder in self.folders.iter().take(LOOKED) {
            for entry in folder.read_dir().into_iter().flatten().flatten() {
                let path = entry.path();
                if entry.file_name() == ".git" || self.paths.contains(&hashed(&path)) {
                    continue;
                }
                let slash =
                    if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
                let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                missed.push(name + slash);
            }
        }
        missed.sort_by_key(|name| (!name.ends_with('/'), name.matches('/').count(), name.clone()));
        missed
    }
}

fn hashed(path: &Path) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(path.as_os_str())
}

impl Skipped {
    /// Lines for the answer.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(why) = self.partial {
            notes.push(format!("[not all of it was searched: {why}]"));
        }
        if self.unruled {
            notes.push("[all of this is ignored by rules, which were not applied]".to_owned());
        }
        if !self.ignored.is_empty() {
            let named = self.ignored_names();
            notes.push(format!(
                "[skipped by ignore rules: {named}; give one as `path` to look there]"
            ));
        }
        if self.unreadable > 0 {
            notes.push(format!("[{} could not be read]", count(self.unreadable, "entry")));
        }
        notes
    }

    /// What ignore rules left out. A name met in many folders is said once: a workspace may have a
    /// hundred `node_modules/`.
    fn ignored_names(&self) -> String {
        let last = |path: &str| {
            let start = path.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
            path[start..].to_owned()
        };
        let mut groups: Vec<(String, usize, &str)> = Vec::new();
        for path in &self.ignored {
            let name = last(path);
            match groups.iter_mut().find(|(known, _, _)| *known == name) {
                Some((_, number, _)) => *number += 1,
                None => groups.push((name, 1, path)),
            }
        }
        let group = |(name, number, first): &(String, usize, &str)| match number {
            1 => (*first).to_owned(),
            number => format!("{name} in {number} folders"),
        };
        let named: Vec<_> = groups.iter().take(NAMED).map(group).collect();
        match groups.len() - named.len() {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

/// Names to look for: in every folder where the pattern has no slash, else from the folder down.
pub(crate) struct Names {
    glob: GlobMatcher,
    anywhere: bool,
    not: bool,
}

impl Names {
    /// Reads a pattern; the error is in the parser's words.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let (not, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        if pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
            return Err(format!(
                "the pattern {pattern:?} leaves the folder it starts from; give that folder as \
                 `path` and a pattern relative to it"
            ));
        }
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| format!("not a glob pattern: {error}"))?
            .compile_matcher();
        Ok(Self { glob, anywhere: !pattern.contains('/'), not })
    }

    /// Whether a file below `folder` is meant.
    pub(crate) fn fit(&self, folder: &Path, path: &Path) -> bool {
        let name = match path.file_name() {
            Some(name) if self.anywhere => Path::new(name),
            Some(_) | None => path.strip_prefix(folder).unwrap_or(path),
        };
        self.glob.is_match(name) != self.not
    }
}
