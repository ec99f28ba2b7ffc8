//! Rules about the text of a single file.

use xtask::source::Source;
use xtask::tidy::{shape, words};

/// What tidy says about a file, as `line word` for words and `line` plus sentence for shape.
fn said(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(path, text);
    let findings = words::check(&source).into_iter().chain(shape::check(&source));
    findings.map(|it| it.to_string().replacen(&format!("{path}:"), "", 1)).collect()
}

/// The banned words found on the second line of a file that is otherwise in order.
fn words_in(path: &str, line: &str) -> Vec<String> {
    let said = said(path, &format!("//! A file.\n{line}\n"));
    said.iter().filter_map(|it| it.split('`').nth(1)).map(Into::into).collect()
}

#[test]
fn the_environment_is_read_at_the_edge_only() {
    let line = "use std::env;";
    assert_eq!(words_in("crates/tools/src/bash.rs", line), ["std::env"]);
    assert_eq!(words_in("crates/tools/src/bash.rs", "let a = env::var(n);"), ["env::var"]);
    for edge in ["purlin", "testkit", "xtask"] {
        assert!(words_in(&format!("crates/{edge}/src/a.rs"), line).is_empty(), "{edge}");
    }
}

#[test]
fn the_clock_of_the_day_is_passed_in() {
    let line = "let t = SystemTime::now();";
    assert_eq!(words_in("crates/engine/src/a.rs", line), ["SystemTime::now"]);
    assert!(words_in("crates/purlin/src/wire.rs", line).is_empty());
    assert!(words_in("crates/engine/src/a.rs", "let t = Instant::now();").is_empty());
}

#[test]
fn only_the_binary_and_xtask_print() {
    assert_eq!(words_in("crates/tui/src/a.rs", "eprintln!(x);"), ["eprintln!"]);
    assert_eq!(words_in("crates/tui/src/a.rs", "print!(x);"), ["print!"]);
    assert!(words_in("crates/purlin/src/a.rs", "println!(x);").is_empty());
    assert!(words_in("crates/tui/tests/a.rs", "println!(x);").is_empty());
}

#[test]
fn unwrap_and_expect_are_for_tests() {
    let path = "crates/policy/src/a.rs";
    assert_eq!(words_in(path, "x.unwrap();"), [".unwrap()"]);
    assert_eq!(words_in(path, "x.expect(y);"), [".expect("]);
    assert!(words_in(path, "x.unwrap_or_default(); self.expect(Token::If)?;").is_empty());
    assert!(words_in("crates/policy/tests/a.rs", "x.unwrap();").is_empty());
    assert!(words_in("crates/policy/src/shell/tests.rs", "x.unwrap();").is_empty());
}

#[test]
fn words_in_comments_and_strings_are_not_code() {
    let line = "let s = \"println!\"; // .unwrap() unsafe";
    assert!(words_in("crates/engine/src/a.rs", line).is_empty());
}

#[test]
fn features_are_decided_in_wire() {
    let line = "#[cfg(feature = \"x\")]";
    assert_eq!(words_in("crates/purlin/src/lib.rs", line), ["cfg(feature"]);
    assert_eq!(words_in("crates/engine/src/a.rs", "#[cfg(all(feature = \"x\"))]"), ["all(feature"]);
    assert!(words_in("crates/purlin/src/wire.rs", line).is_empty());
}

#[test]
fn unsafe_stands_in_one_file() {
    let line = "unsafe { f() }";
    assert_eq!(words_in("crates/exec/src/a.rs", line), ["unsafe"]);
    assert_eq!(words_in("crates/exec/tests/a.rs", line), ["unsafe"]);
    assert!(words_in("crates/exec/src/sandbox/sys.rs", line).is_empty());
    assert!(words_in("crates/exec/src/a.rs", "#![forbid(unsafe_code)]").is_empty());
}

#[test]
fn no_test_is_ignored_and_none_lives_in_a_source_file() {
    assert_eq!(words_in("crates/engine/tests/a.rs", "#[ignore]"), ["#[ignore"]);
    assert_eq!(words_in("crates/engine/src/a.rs", "#[test]"), ["#[test]"]);
    assert!(words_in("crates/engine/src/gate/tests.rs", "#[test]").is_empty());
}

#[test]
fn the_engine_starts_nothing_and_spawns_nothing() {
    assert_eq!(words_in("crates/engine/src/a.rs", "use std::process::Command;"), ["std::process"]);
    assert_eq!(words_in("crates/engine/src/a.rs", "tokio::spawn(f);"), ["tokio::spawn"]);
    assert!(words_in("crates/engine/src/a.rs", "tokio::task::spawn_blocking(f);").is_empty());
    assert!(words_in("crates/exec/src/a.rs", "use tokio::process::Command;").is_empty());
}

#[test]
fn a_static_may_not_change() {
    let path = "crates/tools/src/a.rs";
    let said = |line: &str| said(path, &format!("//! A file.\n{line}\n"));
    let refused = "2: a `static` with interior mutability: state has an owner; pass it in";
    assert_eq!(said("static A: Mutex<u8> = Mutex::new(0);"), [refused]);
    assert_eq!(said("pub(crate) static A: &[AtomicU8] = &[];"), [refused]);
    assert_eq!(said("static A:\n    OnceLock<u8> = OnceLock::new();"), [refused]);
    assert!(said("static A: &str = x; fn f(a: &'static Mutex<u8>) {}").is_empty());
    assert_eq!(words_in(path, "thread_local! { }"), ["thread_local!"]);
}

#[test]
fn a_module_begins_by_saying_what_it_is() {
    let refused = ["1: starts without a `//!` line that says what this is"];
    assert_eq!(said("crates/tools/src/a.rs", "use x;\n"), refused);
    assert_eq!(said("crates/tools/tests/a.rs", "use x;\n"), refused);
    assert_eq!(said("examples/01_hello.rs", "use x;\n"), refused);
    assert!(said("crates/engine/tests/compile_fail/a.rs", "fn main() {}\n").is_empty());
}

#[test]
fn hollow_names_are_refused() {
    let said = |line: &str| said("crates/tools/src/a.rs", &format!("//! A file.\n{line}\n"));
    assert_eq!(
        said("pub struct JobManager;"),
        ["2: `JobManager`: `Manager` names nothing; say what it is"]
    );
    assert_eq!(said("    pub fn get_job(&self) {}"), ["2: `get_job`: leave `get_` away"]);
    assert!(said("struct Managed; fn forget_it() {}").is_empty());
}

#[test]
fn nothing_leans_on_what_lies_outside_the_repository() {
    let outside = format!("see ..{}/plan.md", "/shared");
    let findings = words::check_outside("README.md", &format!("fine\n{outside}\n"));
    let places: Vec<_> = findings.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(places, ["README.md:2"]);
}
