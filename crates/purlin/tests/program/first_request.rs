//! The first request: small, the same everywhere, and complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use purlin_testkit::{Received, Reply};
use serde_json::Value;

use crate::common::{Stage, said, text};

/// The stage and the first request in a small project, after what `set` does to it.
fn first(set: impl FnOnce(&Stage)) -> (Stage, Arc<Received>) {
    let stage = Stage::saying([Reply::new().text("Hello.")]);
    set(&stage);
    assert_eq!(stage.ask("hi").code, Some(0));
    let request = Arc::clone(&stage.requests()[0]);
    (stage, request)
}

fn small_project(stage: &Stage) {
    stage.world.file("Cargo.toml", "[package]\nname = \"a\"\n").file("src/lib.rs", "").git();
}

/// What every later request repeats: the system prompt and the tools.
fn prefix(request: &Received) -> (String, Vec<String>) {
    let tools = request.tools().iter().map(Value::to_string).collect();
    (request.messages()[0].to_string(), tools)
}

#[test]
fn it_has_at_most_2_000_tokens() {
    let (_stage, request) = first(small_project);
    assert!(request.bytes.len() <= 8_000, "{} bytes", request.bytes.len());
}

#[test]
fn its_prefix_is_the_same_bytes_in_every_world() {
    let (_one, here) = first(small_project);
    let (_other, there) = first(|stage| {
        stage.world.file("AGENTS.md", "Be kind.").file("package.json", "{}");
    });
    assert_eq!(prefix(&here), prefix(&there));
    assert_ne!(here.bytes, there.bytes);
}

#[test]
fn nc_01_every_tool_has_real_parameters() {
    let (_stage, request) = first(small_project);
    let names: BTreeMap<&str, Vec<&str>> = request.tools().iter().map(parameters).collect();
    for (tool, wanted) in [
        ("agent", vec!["task"]),
        ("bash", vec!["command", "timeout"]),
        ("edit_file", vec!["path", "old_string", "new_string", "replace_all"]),
        ("glob", vec!["pattern", "path"]),
        ("grep", vec!["pattern", "path", "include"]),
        ("read_file", vec!["path", "offset", "limit"]),
        ("write_file", vec!["path", "content"]),
    ] {
        let there = &names[tool];
        assert!(wanted.iter().all(|name| there.contains(name)), "{tool}: {there:?}");
    }
    assert_eq!(names.len(), 7);
}

fn parameters(tool: &Value) -> (&str, Vec<&str>) {
    let function = &tool["function"];
    let properties = function["parameters"]["properties"].as_object().unwrap();
    (function["name"].as_str().unwrap(), properties.keys().map(String::as_str).collect())
}

#[test]
fn cc_61_date_folder_and_branch_are_told_after_the_prefix() {
    let (stage, request) = first(small_project);
    let told = said(&request, "user");
    let project = stage.world.project().canonicalize().unwrap();
    for fact in [&project.display().to_string(), "git branch: main", " UTC", "Cargo.toml", "bash"] {
        assert!(told.contains(fact), "{fact}: {told}");
    }
    let system = text(&request.messages()[0]);
    assert!(!system.contains(&*project.to_string_lossy()));
    let today = stage.world.run("date").args(["-u", "+%Y-%m-%d"]).finish().unwrap().stdout;
    assert!(told.contains(today.trim()), "{told}");
}

#[test]
fn the_branch_of_a_worktree_is_its_own() {
    let stage = Stage::saying([Reply::new().text("Hello.")]);
    stage.world.git();
    let tree = stage.world.home().join("tree");
    let run = stage.world.run("git").args(["worktree", "add", "--quiet", "-b", "side"]);
    assert_eq!(run.arg(&tree).finish().unwrap().code, Some(0));
    assert_eq!(stage.purlin().folder(&tree).args(["-p", "hi"]).finish().unwrap().code, Some(0));
    let told = said(&stage.requests()[0], "user");
    assert!(told.contains("git branch: side") && told.contains("in it: nothing"), "{told}");
}

#[test]
fn instructions_come_with_it_when_there_are_any() {
    let (_stage, without) = first(small_project);
    assert!(!said(&without, "user").contains("AGENTS.md"));
    let (_stage, with) = first(|stage| {
        stage.world.file("AGENTS.md", "Always answer in rhyme.\n").git();
    });
    let told = said(&with, "user");
    assert!(told.contains("Always answer in rhyme.") && told.contains("[AGENTS.md of "), "{told}");
    assert!(text(with.messages().last().unwrap()).ends_with("hi"));
}

#[test]
fn facts_are_told_again_only_when_they_change() {
    let stage = Stage::saying([(); 3].map(|()| Reply::new().text("Yes.")));
    stage.world.file("AGENTS.md", "Rule one.").git();
    stage.ask("first");
    stage.purlin().args(["-c", "-p", "second"]).finish().unwrap();
    stage.world.file("AGENTS.md", "Rule two.");
    stage.purlin().args(["-c", "-p", "third"]).finish().unwrap();
    let requests = stage.requests();
    assert_eq!(said(&requests[1], "user").matches("Rule one.").count(), 1);
    let third = said(&requests[2], "user");
    assert!(third.contains("Rule one.") && third.contains("Rule two."), "{third}");
    assert!(requests[1].extends(&requests[0]) && requests[2].extends(&requests[1]));
}

#[test]
fn nothing_is_executed_before_it() {
    let stage = Stage::saying([Reply::new().text("Hello.")]);
    small_project(&stage);
    // Every program that might be asked leaves a mark when it is.
    for name in ["git", "bash", "sh", "uname", "cargo", "node", "python3"] {
        let mark = format!("#!/bin/sh\necho {name} >> {}\n", stage.world.path("ran").display());
        stage.world.file(format!("bin/{name}"), mark).mode(format!("bin/{name}"), 0o755);
    }
    let run = stage.purlin().env("PATH", stage.world.path("bin")).args(["-p", "hi"]);
    assert_eq!(run.finish().unwrap().code, Some(0));
    assert!(said(&stage.requests()[0], "user").contains("on PATH: cargo python3 node git"));
    assert!(!stage.world.path("ran").exists(), "{}", stage.world.read("ran"));
}

#[test]
fn a_conversation_only_grows_at_its_end() {
    let read = Reply::new().call("glob", &serde_json::json!({"pattern": "*"}));
    let stage = Stage::saying([read, Reply::new().text("One."), Reply::new().text("Two.")]);
    stage.world.file("a", "a").git();
    stage.ask("look");
    stage.purlin().args(["-c", "-p", "again"]).finish().unwrap();
    let requests = stage.requests();
    assert!(requests[1].extends(&requests[0]) && requests[2].extends(&requests[1]));
}
