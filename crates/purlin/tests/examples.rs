//! Each example runs offline and says what it promises.
#![allow(clippy::unwrap_used, clippy::expect_used)] // clippy knows tests, not what they are made of

use std::path::Path;

use purlin_testkit::World;

/// Runs an example in a clean world and returns what it says.
fn run(name: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_purlin")).parent().unwrap();
    let example = folder.join("examples").join(name);
    assert!(example.is_file(), "cargo builds the examples with all tests: cargo test -p purlin");
    let world = World::new();
    let ran = world.run(example).finish().unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!world.state().join("purlin").exists(), "an example leaves nothing behind");
    ran.stdout
}

#[test]
fn hello_is_a_whole_turn() {
    let said = "● read poem.txt\nIt is about a purlin: the beam that carries a roof.\n";
    assert_eq!(run("01_hello"), said);
}

#[test]
fn a_tool_of_ones_own_is_called() {
    assert_eq!(run("02_your_own_tool"), "Eight words.\n(the tool said: \"8 words\")\n");
}

#[test]
fn a_reviewer_without_the_tools_cannot_write() {
    let said = run("03_read_only_reviewer");
    assert!(said.contains("refused: there is no tool `write_file`"), "{said}");
    assert!(said.ends_with("n / 2.\nunchanged: true\n"), "{said}");
}

#[test]
fn every_example_is_short_and_says_how_to_run_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(text.lines().count() < 100, "{name}");
        assert!(text.contains(&format!("cargo run -p purlin --example {name}")), "{name}");
    }
}
