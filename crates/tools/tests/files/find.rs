//! `glob`, and the declarations of all tools.

use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::bench::{Bench, bench, tools};

fn aged(b: &Bench, path: &str, seconds: u64) {
    b.world.file(path, "x\n");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
    File::options().write(true).open(b.world.path(path)).unwrap().set_modified(time).unwrap();
}

#[tokio::test]
async fn the_newest_come_first_in_every_folder() {
    let mut b = bench();
    aged(&b, "old.rs", 1);
    aged(&b, "src/new.rs", 3);
    aged(&b, "src/deep/mid.rs", 2);
    aged(&b, "src/x.py", 4);
    let said = b.ok("glob", json!({"pattern": "*.rs"})).await;
    assert_eq!(said, "src/new.rs\nsrc/deep/mid.rs\nold.rs\n[3 files]");
    let said = b.ok("glob", json!({"pattern": "src/*.{rs,py}"})).await;
    assert_eq!(said, "src/x.py\nsrc/new.rs\n[2 files]");
}

#[tokio::test]
async fn cc_51_nc_38_ignored_folders_are_skipped_and_named_and_hidden_files_are_not() {
    let mut b = bench();
    b.world.file(".gitignore", "node_modules/\n*.log\n").file(".git/HEAD", "x").file(".env", "x");
    b.world.file("node_modules/p/i.js", "x").file("a.js", "x").file("sub/b.log", "x");
    let said = b.ok("glob", json!({"pattern": "**/*"})).await;
    let mut lines: Vec<_> = said.lines().collect();
    lines[..3].sort_unstable();
    assert_eq!(
        lines,
        [
            ".env",
            ".gitignore",
            "a.js",
            "[3 files]",
            "[skipped by ignore rules: node_modules/, sub/b.log; give one as `path` to look there]",
        ]
    );
    let said = b.ok("glob", json!({"pattern": "**/*.js", "path": "node_modules"})).await;
    assert!(said.starts_with("node_modules/p/i.js\n[1 file]"), "{said}");
}

#[tokio::test]
async fn cc_51_a_pattern_does_not_leave_its_folder() {
    let mut b = bench();
    for pattern in ["../**/*", "a/../../x", "/etc/*"] {
        let said = b.no("glob", json!({"pattern": pattern})).await;
        assert!(said.contains("leaves the folder it starts from"), "{said}");
    }
    let said = b.no("glob", json!({"pattern": "a{b"})).await;
    assert!(said.starts_with("not a glob pattern: "), "{said}");
}

#[tokio::test]
async fn a_hundred_are_shown_with_the_total_and_none_is_said() {
    let mut b = bench();
    for number in 0..105 {
        b.world.file(format!("f{number}"), "");
    }
    let said = b.ok("glob", json!({"pattern": "f*"})).await;
    assert_eq!(said.lines().count(), 101);
    assert!(said.ends_with("[the newest 100 of 105 files; narrow the pattern or give `path`]"));
    let said = b.ok("glob", json!({"pattern": "*.zig"})).await;
    assert_eq!(said, "[no file matches *.zig in .]");
}

#[tokio::test]
async fn a_name_that_is_ignored_in_many_folders_is_said_once() {
    let mut b = bench();
    b.world.file(".gitignore", "target/\nnode_modules/\n").file("target/x", "").file("a.rs", "");
    for number in 0..40 {
        b.world.file(format!("packages/p{number}/node_modules/x"), "");
    }
    let said = b.ok("glob", json!({"pattern": "a.rs"})).await;
    assert_eq!(
        said,
        "a.rs\n[1 file]\n[skipped by ignore rules: target/, node_modules/ in 40 folders; give one \
         as `path` to look there]"
    );
}

#[tokio::test]
async fn links_in_a_circle_end() {
    let mut b = bench();
    b.world.file("a/x.txt", "x").link("a/loop", "..").link("a/broken", "nowhere");
    let said = b.ok("glob", json!({"pattern": "*.txt"})).await;
    assert_eq!(said, "a/x.txt\n[1 file]");
}

#[tokio::test]
async fn nc_01_the_declarations_name_their_parameters_and_are_short() {
    let tools = tools();
    let specs: Vec<_> = tools.iter().map(|tool| tool.spec()).collect();
    for spec in &specs {
        assert!(!spec.schema["properties"].as_object().unwrap().is_empty(), "{}", spec.name);
    }
    let bytes = serde_json::to_string(&specs).unwrap().len();
    assert!(bytes < 3500, "{bytes}");
}

#[tokio::test]
async fn an_agent_is_given_its_task() {
    let mut b = bench();
    let said = b.ok("agent", json!({"task": "count the files", "description": "count"})).await;
    assert_eq!(said, "did count the files");
    assert!(b.no("agent", json!({"task": "  "})).await.contains("`task` is empty"));
}
