//! What README may not say by hand: generated regions, written from the tree; drift fails `tidy`.
//!
//! They lie between `<!-- generated:NAME -->` and `<!-- /generated -->`. A region may stand in the
//! middle of a line (a count) or hold many lines (the code map).

mod counts;
mod lists;
mod map;
mod program;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cargo::{self, Package};
use crate::source::{self, Source};
use crate::tidy::Finding;

const FILE: &str = "README.md";
const OPEN: &str = "<!-- generated:";
const CLOSE: &str = "<!-- /generated -->";

/// Everything a region is written from.
pub struct Tree<'a> {
    /// The repository.
    pub root: &'a Path,
    /// Every file in it, from the root.
    pub files: &'a [String],
    /// Its Rust files.
    pub sources: &'a [Source],
    /// Its packages.
    pub packages: &'a [Package],
}

/// A page with its regions written anew, and the regions that could not be.
pub struct Written {
    /// The page; regions with a finding are as they were.
    pub text: String,
    /// Regions nobody knows how to write, and regions that never end.
    pub findings: Vec<Finding>,
}

/// Rewrites README's regions; a page without any stays as it is.
pub fn run(root: &Path, out: &mut dyn Write) -> Result<()> {
    if !root.join(FILE).exists() {
        return Ok(writeln!(out, "there is no {FILE} yet")?);
    }
    let sources = source::read_all(root)?;
    let packages = cargo::packages(root)?;
    let files = source::files(root)?;
    let tree = Tree { root, files: &files, sources: &sources, packages: &packages };
    let written = write(&source::read(root, FILE)?, |name, old| region(&tree, name, old))?;
    fs::write(root.join(FILE), written.text).with_context(|| format!("writing {FILE}"))?;
    for finding in written.findings {
        writeln!(out, "{finding}")?;
    }
    Ok(())
}

/// What README says that the tree no longer does.
pub fn drift(tree: &Tree<'_>) -> Result<Vec<Finding>> {
    if !tree.root.join(FILE).exists() {
        return Ok(Vec::new());
    }
    let text = source::read(tree.root, FILE)?;
    let Written { text: fresh, mut findings } = write(&text, |name, old| region(tree, name, old))?;
    if fresh != text {
        let first = text.lines().zip(fresh.lines()).take_while(|(is, was)| is == was).count();
        let say = "out of date from here on; run `cargo xtask docs`";
        findings.push(Finding::on_line(FILE, first + 1, say));
    }
    Ok(findings)
}

/// The text of the region called `name`, which now says `old`; none when there is no such region.
pub fn region(tree: &Tree<'_>, name: &str, old: &str) -> Result<Option<String>> {
    let text = match name {
        "code-map" => block(&map::write(tree.sources)),
        "commands" => lists::commands(),
        "demo" => program::demo(tree.root, old)?,
        "exit-codes" => lists::exit_codes(),
        "figures" => lists::figures(tree.root)?,
        "flags" => block(&program::flags(tree.root)?),
        "providers" => lists::providers()?,
        single => match single.strip_prefix("figure ") {
            Some(what) => return lists::figure(tree.root, what),
            None => return counts::single(tree, single),
        },
    };
    Ok(Some(text))
}

/// A block of fixed-width text; the empty lines make Markdown take it for one after an HTML comment.
fn block(text: &str) -> String {
    format!("\n\n```text\n{}\n```\n\n", text.trim_end())
}

/// A Markdown table.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| {
        format!("| {} |\n", cells.map(|it| it.replace('|', "\\|")).join(" | "))
    };
    let rule = head.map(|_| "---".to_owned());
    let lines = [head.map(str::to_owned), rule].into_iter().chain(rows).map(line);
    format!("\n\n{}\n", lines.collect::<String>())
}

/// Writes every region of `page` anew with what `region` says.
pub fn write(
    page: &str,
    mut region: impl FnMut(&str, &str) -> Result<Option<String>>,
) -> Result<Written> {
    let mut text = String::with_capacity(page.len());
    let mut findings = Vec::new();
    let mut rest = page;
    while let Some((before, name, body, after)) = split(rest) {
        let line = 1 + (page[..page.len() - rest.len()].to_owned() + before).matches('\n').count();
        let fresh = region(name, body).with_context(|| format!("writing the region `{name}`"))?;
        if fresh.is_none() {
            let say = format!("nobody knows how to write a region `{name}`");
            findings.push(Finding::on_line(FILE, line, say));
        }
        let body = fresh.as_deref().unwrap_or(body);
        if body.contains(CLOSE) {
            bail!("the text for the region `{name}` would end it: it contains `{CLOSE}`");
        }
        text += &format!("{before}{OPEN}{name} -->{body}{CLOSE}");
        rest = after;
    }
    if rest.contains(OPEN) {
        findings.push(Finding::at(FILE, format!("a generated region never ends with `{CLOSE}`")));
    }
    Ok(Written { text: text + rest, findings })
}

/// The next region: what is before it, its name, its body, what is after it.
fn split(page: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = page.split_once(OPEN)?;
    let (name, rest) = rest.split_once(" -->")?;
    let (body, after) = rest.split_once(CLOSE)?;
    Some((before, name, body, after))
}
