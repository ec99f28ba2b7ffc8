//! What a file must look like: its first line, its statics, its names.

use super::Finding;
use super::words::has_word;
use crate::source::{Kind, Source};

/// Types that let a static change behind its reader's back.
const MUTABLE: &[&str] = &["Mutex", "RwLock", "Atomic", "Once", "Lazy", "Cell"];
/// Endings that name nothing.
const HOLLOW: &[&str] = &["Manager", "Handler", "Service", "Helper", "Helpers", "Util", "Utils"];
const TYPES: &[&str] = &["struct", "enum", "trait", "type"];

/// Every breach of shape in the file.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if is_module(source) && !source.text.starts_with("//! ") {
        let say = "starts without a `//!` line that says what this is";
        findings.push(Finding::on_line(&source.path, 1, say));
    }
    if source.kind == Kind::Test {
        return findings;
    }
    findings.extend(statics(source));
    findings.extend(names(source));
    findings
}

/// A case for a compile-fail test is a specimen, not a module.
fn is_module(source: &Source) -> bool {
    let below = source.path.split_once("/tests/").map_or("", |(_, below)| below);
    source.kind != Kind::Test || source.path.contains("/src/") || !below.contains('/')
}

fn statics(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, _) in source.code.match_indices("static ") {
        let before = source.code[..at].chars().next_back();
        if before.is_some_and(|c| c == '\'' || c == '_' || c.is_alphanumeric()) {
            continue;
        }
        let declaration = source.code[at..].split(['=', ';']).next().unwrap_or_default();
        if MUTABLE.iter().any(|name| declaration.contains(name)) {
            let line = 1 + source.code[..at].matches('\n').count();
            let say = "a `static` with interior mutability: state has an owner; pass it in";
            findings.push(Finding::on_line(&source.path, line, say));
        }
    }
    findings
}

fn names(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in source.code.lines().enumerate() {
        for name in TYPES.iter().filter_map(|word| declared(text, word)) {
            if let Some(ending) = HOLLOW.iter().find(|ending| name.ends_with(**ending)) {
                let say = format!("`{name}`: `{ending}` names nothing; say what it is");
                findings.push(Finding::on_line(&source.path, line + 1, say));
            }
        }
        if let Some(name) = declared(text, "fn").filter(|name| name.starts_with("get_")) {
            let say = format!("`{name}`: leave `get_` away");
            findings.push(Finding::on_line(&source.path, line + 1, say));
        }
    }
    findings
}

/// The name that follows the keyword, if the line declares one.
fn declared<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    if !has_word(line, keyword) {
        return None;
    }
    let (_, rest) = line.split_once(&format!("{keyword} "))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}
