//! The rules of the house that a compiler does not know, checked over manifests and text.

pub mod budgets;
pub mod edges;
pub mod shape;
pub mod sizes;
pub mod words;

use std::fmt;
use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};

use crate::cargo::{self, Package};
use crate::docs::{self, Tree};
use crate::source::{self, Source};

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A path from the root, with its line where there is one.
    pub place: String,
    /// What is wrong and what to do instead.
    pub say: String,
}

impl Finding {
    /// A breach in a whole file or manifest.
    pub fn at(place: &str, say: impl Into<String>) -> Self {
        Self { place: place.to_owned(), say: say.into() }
    }

    /// A breach on one line, counted from one.
    pub fn on_line(path: &str, line: usize, say: impl Into<String>) -> Self {
        Self { place: format!("{path}:{line}"), say: say.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.say)
    }
}

/// Prints the sizes, then every finding; any finding fails.
pub fn run(root: &Path, out: &mut dyn Write) -> Result<()> {
    let packages = cargo::packages(root)?;
    let sources = source::read_all(root)?;
    write!(out, "{}", sizes::report(&sources))?;
    let findings = check(root, &packages, &sources)?;
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    match findings.len() {
        0 => Ok(()),
        one_or_more => bail!("tidy: {one_or_more} to put right"),
    }
}

/// Every rule over the repository at `root`.
pub fn check(root: &Path, packages: &[Package], sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = edges::check(packages);
    findings.extend(edges::engine_guests(packages));
    findings.extend(budgets::check(&source::read(root, budgets::FILE)?, packages));
    findings.extend(sizes::check(sources));
    for source in sources {
        findings.extend(words::check(source));
        findings.extend(shape::check(source));
    }
    let files = source::files(root)?;
    for path in &files {
        findings.extend(words::check_outside(path, &source::read(root, path)?));
    }
    findings.extend(docs::drift(&Tree { root, files: &files, sources, packages })?);
    Ok(findings)
}
