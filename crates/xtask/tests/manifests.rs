//! Rules about manifests: edges between crates, the engine's guests, the lines of `budgets.toml`.

// Clippy takes only the test functions themselves for tests, not what they share.
#![allow(clippy::unwrap_used)]

use xtask::cargo::{self, Package};
use xtask::tidy::{budgets, edges};

/// Packages as `cargo metadata` would tell them: (name, [(dependency, kind, ours, features)]).
type Told<'a> = (&'a str, &'a [(&'a str, &'a str, bool, &'a [&'a str])]);

fn packages(told: &[Told<'_>]) -> Vec<Package> {
    let text =
        |words: &[&str]| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(",");
    let package = |(name, needs): &Told<'_>| {
        let needs = needs.iter().map(|(name, kind, ours, features)| {
            let kind = if *kind == "normal" { "null".into() } else { format!("{kind:?}") };
            let source = if *ours { "null" } else { "\"registry\"" };
            let features = text(features);
            format!(
                r#"{{"name":"{name}","kind":{kind},"source":{source},"features":[{features}]}}"#
            )
        });
        format!(r#"{{"name":"{name}","dependencies":[{}]}}"#, needs.collect::<Vec<_>>().join(","))
    };
    let packages: Vec<_> = told.iter().map(package).collect();
    cargo::parse(&format!(r#"{{"packages":[{}]}}"#, packages.join(","))).unwrap()
}

fn said(findings: Vec<xtask::tidy::Finding>) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_edges_of_the_plan_pass() {
    let packages = packages(&[
        ("purlin-engine", &[("purlin-testkit", "dev", true, &[])]),
        (
            "purlin-tools",
            &[("purlin-engine", "normal", true, &[]), ("purlin-exec", "normal", true, &[])],
        ),
        ("purlin", &[("purlin-tui", "normal", true, &[]), ("purlin-testkit", "normal", true, &[])]),
    ]);
    assert_eq!(said(edges::check(&packages)), [""; 0]);
}

#[test]
fn any_other_edge_fails_and_so_does_an_unknown_room() {
    let packages = packages(&[
        ("purlin-tui", &[("purlin-tools", "normal", true, &[])]),
        ("purlin-engine", &[("purlin-exec", "build", true, &[])]),
        ("purlin-misc", &[]),
    ]);
    let advice = "is not an edge of the plan; hand a function down from `purlin::wire`";
    let expected = [
        format!("crates/tui/Cargo.toml: tui ─► tools {advice}"),
        format!("crates/engine/Cargo.toml: engine ─► exec {advice}"),
        "crates/misc/Cargo.toml: no such room in the plan; add it to `xtask::rooms`".into(),
    ];
    assert_eq!(said(edges::check(&packages)), expected);
}

#[test]
fn the_engines_list_of_guests_is_closed() {
    let packages = packages(&[
        (
            "purlin-engine",
            &[
                ("tokio", "normal", false, &["sync", "net"]),
                ("regex", "normal", false, &[]),
                ("proptest", "dev", false, &[]),
            ],
        ),
        ("purlin-tools", &[("regex", "normal", false, &[])]),
    ]);
    let expected = [
        "crates/engine/Cargo.toml: the engine may not use `tokio` with `net`",
        "crates/engine/Cargo.toml: the engine may not use `regex`; its list is closed",
    ];
    assert_eq!(said(edges::engine_guests(&packages)), expected);
}

#[test]
fn every_guest_has_one_line_and_every_line_a_guest() {
    let packages = packages(&[
        ("purlin-tools", &[("sha2", "normal", false, &[]), ("purlin-exec", "normal", true, &[])]),
        ("xtask", &[("anyhow", "dev", false, &[]), ("serde", "normal", false, &[])]),
    ]);
    let text = "# a comment\n[all]\nsha2 = { why = \"hashes\", without = \"collisions\" }\n\
                gone = { why = \"a\", without = \"b\" }\nserde = { why = \"\", without = \"b\" }\n\
                sha2 = { why = \"a\", without = \"b\" }\n";
    let expected = [
        "budgets.toml:4: `gone` is no longer a dependency; take the line out",
        "budgets.toml:5: not of the form `name = { why = \"…\", without = \"…\" }`",
        "budgets.toml:6: `sha2` again",
        "budgets.toml: `anyhow` has no line: why, and what doing without would cost",
        "budgets.toml: `serde` has no line: why, and what doing without would cost",
    ];
    assert_eq!(said(budgets::check(text, &packages)), expected);
}
