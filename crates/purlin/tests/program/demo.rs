//! `purlin demo`: with whatever the machine has, offline.

use std::process::Command;

use purlin_testkit::{Ran, World};

use crate::common::{PURLIN, path_of};

fn demo(world: &World, path: &str) -> Ran {
    world.run(PURLIN).arg("demo").env("PATH", path).finish().unwrap()
}

fn sees_a_bug_fixed(ran: &Ran, language: &str) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(0), "{all}");
    for line in ["The model is a script", &format!("the {language} project"), "@@ -", "Fixed."] {
        assert!(all.contains(line), "{line}: {all}");
    }
    assert!(ran.stdout.contains("Fixed.") && !ran.stdout.contains("@@ -"), "{}", ran.stdout);
}

/// Where a program really is, as it says itself: what stands on PATH may be a version manager's
/// stand-in, which needs the home it was installed in.
fn really(program: &str, args: &[&str]) -> String {
    let said = Command::new(program).args(args).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_demo_runs_with_cargo() {
    let tools = really("rustc", &["--print", "sysroot"]);
    sees_a_bug_fixed(&demo(&World::new(), &format!("{tools}/bin:/usr/bin:/bin")), "Rust");
}

#[test]
fn the_demo_runs_with_python_alone() {
    let world = World::new();
    let path = path_of(&world, &["sh", "bash"]);
    let python = really("python3", &["-c", "import sys; print(sys.executable)"]);
    world.link(format!("{path}/python3"), python);
    sees_a_bug_fixed(&demo(&world, &path), "Python");
}

#[test]
fn the_demo_runs_with_a_shell_alone() {
    let world = World::new();
    let path = path_of(&world, &["sh"]);
    sees_a_bug_fixed(&demo(&world, &path), "shell");
}
