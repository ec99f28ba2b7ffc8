//! `purlin demo`: with whatever the machine has, offline.

use purlin_testkit::{Ran, World};

use crate::common::{PURLIN, found, path_of};

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

#[test]
fn the_demo_runs_with_cargo() {
    let world = World::new();
    // Rustup's stand-ins need the home they were installed in; a plain toolchain does not.
    let tools = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let tools = format!("{}/bin", String::from_utf8(tools.stdout).unwrap().trim());
    let path = format!("{tools}:/usr/bin:/bin");
    assert!(found("cargo").is_file());
    sees_a_bug_fixed(&demo(&world, &path), "Rust");
}

#[test]
fn the_demo_runs_with_python_alone() {
    let world = World::new();
    let python = std::process::Command::new("python3");
    let mut python = python;
    let real = python.args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let path = path_of(&world, &["sh", "bash"]);
    std::os::unix::fs::symlink(real.trim(), format!("{path}/python3")).unwrap();
    sees_a_bug_fixed(&demo(&world, &path), "Python");
}

#[test]
fn the_demo_runs_with_a_shell_alone() {
    let world = World::new();
    let path = path_of(&world, &["sh"]);
    sees_a_bug_fixed(&demo(&world, &path), "shell");
}
