//! README's generated regions, the code map, sizes; and a whole tree that breaks rules.

// Clippy takes only the test functions themselves for tests, not what they share.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use xtask::docs::{self, Tree};
use xtask::source::{self, Source};
use xtask::tidy::{self, sizes};

/// A sentence longer than a line of the map.
const LONG: &str = "//! What [`Claim`] may say, at some length, with more than anybody would want to \
                    read in the middle of a map of the code.\n";

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// README as the tree at `root` would have it.
fn fresh(root: &Path, page: &str) -> String {
    put(root, "README.md", page);
    let sources = source::read_all(root).unwrap();
    let files = source::files(root).unwrap();
    let tree = Tree { root, files: &files, sources: &sources, packages: &[] };
    docs::write(page, |name, old| docs::region(&tree, name, old)).unwrap().text
}

#[test]
fn regions_are_rewritten_and_the_rest_is_left_alone() {
    let page =
        "a <!-- generated:n -->old<!-- /generated --> b\n<!-- generated:n --><!-- /generated -->\n";
    let written = docs::write(page, |_, _| Ok(Some("7".into()))).unwrap();
    let expected =
        "a <!-- generated:n -->7<!-- /generated --> b\n<!-- generated:n -->7<!-- /generated -->\n";
    assert_eq!(written.text, expected);
    assert_eq!(written.findings, []);
    assert_eq!(docs::write("plain\n", |_, _| Ok(None)).unwrap().text, "plain\n");
}

#[test]
fn a_text_that_would_end_its_own_region_is_refused() {
    let page = "<!-- generated:n --><!-- /generated -->";
    assert!(docs::write(page, |_, _| Ok(Some("a <!-- /generated -->".into()))).is_err());
}

#[test]
fn an_unknown_region_is_left_as_it_is_and_reported() {
    let page = "x\n<!-- generated:nope -->old<!-- /generated -->\n<!-- generated:open -->\n";
    let written = docs::write(page, |_, _| Ok(None)).unwrap();
    assert_eq!(written.text, page);
    let said: Vec<_> = written.findings.iter().map(ToString::to_string).collect();
    let expected = [
        "README.md:2: nobody knows how to write a region `nope`",
        "README.md: a generated region never ends with `<!-- /generated -->`",
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_code_map_follows_the_order_of_the_modules_and_points_at_the_loop() {
    let world = tempfile::tempdir().unwrap();
    let root = world.path();
    put(
        root,
        "crates/engine/src/lib.rs",
        "//! The agent.\n//!\n//! - [`turn`]: first\n\npub mod effect;\npub mod gate;\npub mod turn;\n",
    );
    put(root, "crates/engine/src/effect.rs", LONG);
    put(root, "crates/engine/src/turn.rs", "//! The loop. Long.\n");
    put(root, "crates/engine/src/gate.rs", "//! The only way in.\n");
    put(root, "crates/engine/src/gate/rule.rs", "//! A rule.\n");
    put(root, "crates/engine/src/gate/tests.rs", "//! Not counted.\n");
    put(root, "crates/xtask/src/main.rs", "//! Tasks.\n");
    put(root, "examples/01_hello.rs", "//! A whole turn.\n");
    let page = fresh(root, "<!-- generated:code-map --><!-- /generated -->\n");
    let expected = "<!-- generated:code-map -->

```text
crates/
├── engine/                    11  The agent
│   ├── turn.rs                 1  The loop   ← start here
│   ├── effect.rs               1  What `Claim` may say, at some length
│   └── gate.rs + gate/         2  The only way in
└── xtask/                      1  Tasks
examples/
└── 01_hello.rs                 1  A whole turn
```

<!-- /generated -->
";
    assert_eq!(page, expected);
}

#[test]
fn counts_are_counted() {
    let world = tempfile::tempdir().unwrap();
    let root = world.path();
    put(root, "crates/engine/src/lib.rs", &format!("//! The agent.\n{}", "\n".repeat(1233)));
    put(root, "crates/engine/tests/a.rs", "//! Tests.\n#[test]\n#[tokio::test]\n// #[test]\n");
    put(root, "tests/transcripts/rename.txt", "person: hello\n");
    put(root, "crates/tools/src/bash.md", "Runs.\n");
    put(root, "Cargo.lock", "[[package]]\nsource = \"x\"\n[[package]]\n");
    let names = ["engine-lines", "source-lines", "test-lines", "tests", "tools", "locked-crates"];
    let page = |name: &str| format!("<!-- generated:{name} --><!-- /generated -->");
    let counts = names.map(|name| {
        let text = fresh(root, &page(name));
        text.split("-->").nth(1).unwrap().split("<!").next().unwrap().to_owned()
    });
    assert_eq!(counts, ["1,234", "1,234", "4", "3", "1", "1"]);
}

#[test]
fn the_engine_over_its_promise_fails_and_other_rooms_are_printed() {
    let file = |path: &str, lines| Source::new(path, &"//! x\n".repeat(lines));
    let promise = xtask::rooms::find("engine").unwrap().lines;
    let within = [file("crates/engine/src/a.rs", promise), file("crates/engine/tests/a.rs", 900)];
    assert_eq!(sizes::check(&within), []);
    let over = [file("crates/engine/src/a.rs", promise + 1), file("crates/config/src/a.rs", 1001)];
    let said: Vec<_> = sizes::check(&over).iter().map(ToString::to_string).collect();
    let more = promise + 1;
    let say = format!("crates/engine/src: {more} lines; the promise to the reader is {promise}");
    assert_eq!(said, [say]);
    let report = sizes::report(&over);
    assert!(report.contains("config        1001    1000  over\n"), "{report}");
    assert!(report.contains("long file: crates/config/src/a.rs (1001 lines)\n"), "{report}");
}

#[test]
fn figures_are_told_from_the_file_that_the_benches_wrote() {
    let world = tempfile::tempdir().unwrap();
    let figures = r#"{"date": "2026-01-02", "machine": "linux, 2 cores", "figures": [
        {"what": "start", "goal": 8.0, "measured": 2.5, "unit": "ms", "beside": ["bare", 1.25]}]}"#;
    put(world.path(), "figures.json", figures);
    let region = |name: &str| format!("<!-- generated:{name} --><!-- /generated -->");
    let page = fresh(world.path(), &format!("{}{}", region("figure start"), region("figures")));
    let said: Vec<_> = page.split("-->").map(|it| it.split("<!").next().unwrap()).collect();
    let table = "\n\nMeasured on 2026-01-02 (linux, 2 cores):\n\n\
                 | figure | goal | measured | beside |\n| --- | --- | --- | --- |\n\
                 | start | ≤ 8 ms | 2.50 ms | 2.00× bare |\n\n";
    assert_eq!(said, ["", "2.50 ms", "", table, ""]);
}

#[test]
fn lists_are_written_from_the_program_itself() {
    let world = tempfile::tempdir().unwrap();
    let page = ["commands", "exit-codes", "providers"]
        .map(|name| fresh(world.path(), &format!("<!-- generated:{name} --><!-- /generated -->")));
    let lines = [
        "\n| `/undo` | put back ",
        "**8** something needed a permission ",
        "\n| DeepSeek | `https://api.deepseek.com` | `DEEPSEEK_API_KEY` | `DEEPSEEK_API_KEY=sk-… purlin -m ",
    ];
    for (page, line) in page.iter().zip(lines) {
        assert!(page.contains(line), "{line}: {page}");
    }
}

#[test]
fn a_tree_is_checked_from_its_files() {
    let world = tempfile::tempdir().unwrap();
    let root = world.path();
    put(root, "budgets.toml", "");
    put(root, "crates/tools/src/lib.rs", "fn f() { x.unwrap() }\n");
    put(root, "target/debug/out.rs", "unsafe\n");
    put(root, "book/one.md", &format!("see ..{}\n", "/shared"));
    put(root, "README.md", "<!-- generated:engine-lines -->7<!-- /generated -->\n");
    let sources = source::read_all(root).unwrap();
    let findings = tidy::check(root, &[], &sources).unwrap();
    let places: Vec<_> = findings.iter().map(|it| it.place.as_str()).collect();
    let lib = "crates/tools/src/lib.rs:1";
    assert_eq!(places, [lib, lib, "book/one.md:1", "README.md:1"]);
}
