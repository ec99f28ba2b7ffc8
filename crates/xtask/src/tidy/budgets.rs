//! Dependencies are guests: each has one line in `budgets.toml` saying why, and what doing without
//! would cost.

use std::collections::BTreeSet;

use super::Finding;
use crate::cargo::{Origin, Package};

/// Where the lines are.
pub const FILE: &str = "budgets.toml";

const FORM: &str = "not of the form `name = { why = \"…\", without = \"…\" }`";

/// Guests without a line, lines without a guest, lines without a reason.
pub fn check(text: &str, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named = BTreeSet::new();
    let guests = guests(packages);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| is_entry(line)) {
        let Some(name) = guest(line) else {
            findings.push(Finding::on_line(FILE, number, FORM));
            continue;
        };
        if !guests.contains(name) {
            let say = format!("`{name}` is no longer a dependency; take the line out");
            findings.push(Finding::on_line(FILE, number, say));
        }
        if !named.insert(name) {
            findings.push(Finding::on_line(FILE, number, format!("`{name}` again")));
        }
    }
    let missing = guests.iter().filter(|name| !named.contains(*name));
    let say = |name: &&str| format!("`{name}` has no line: why, and what doing without would cost");
    findings.extend(missing.map(|name| Finding::at(FILE, say(name))));
    findings
}

/// Every crate of somebody else that a manifest of ours names, for shipping or for tests.
fn guests(packages: &[Package]) -> BTreeSet<&str> {
    let all = packages.iter().flat_map(|package| &package.dependencies);
    all.filter(|it| it.origin == Origin::Guest).map(|it| it.name.as_str()).collect()
}

fn is_entry(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with(['#', '['])
}

/// The guest of a line with both reasons; the form is strict so that this needs no TOML reader.
fn guest(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(" = { why = \"")?;
    let (why, rest) = rest.split_once("\", without = \"")?;
    let without = rest.strip_suffix("\" }")?;
    let is_said = !why.trim().is_empty() && !without.trim().is_empty();
    is_said.then_some(name)
}
