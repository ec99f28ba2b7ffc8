//! Worlds, runs and terminals.
#![allow(clippy::unwrap_used)] // clippy knows tests, not what they are made of

use std::time::{Duration, Instant};

use purlin_testkit::terminal::Size;
use purlin_testkit::{Terminal, World};
use rustix::process::Signal;

#[test]
fn a_tree_shows_names_modes_contents_and_links() {
    let world = World::new();
    world.file("src/a.rs", "a").file("b", "b").link("to", "b").mode("b", 0o755);
    let before = world.tree();
    assert_eq!(before.len(), 4);
    assert_eq!(world.tree_hash(), World::tree_hash(&world));
    let changed = |what: &str| {
        let diff: Vec<String> =
            world.tree().into_iter().filter(|line| !before.contains(line)).collect();
        assert!(diff.len() == 1 && diff[0].contains(what), "{what}: {diff:?}");
    };
    world.file("src/a.rs", "A");
    changed("src/a.rs");
    world.file("src/a.rs", "a").mode("b", 0o644);
    changed("\"b\"");
    world.mode("b", 0o755).file("new", "");
    changed("new");
    std::fs::remove_file(world.path("new")).unwrap();
    std::fs::remove_file(world.path("to")).unwrap();
    world.link("to", "src");
    changed("-> src");
}

#[test]
fn a_world_goes_when_it_is_dropped() {
    let world = World::new();
    let project = world.project();
    world.file("deep/er/file", "x");
    assert_eq!(world.read("deep/er/file"), "x");
    drop(world);
    assert!(!project.exists());
}

#[test]
fn a_project_can_be_a_git_repository() {
    let world = World::new();
    world.file("a", "a").git();
    let ran = world.run("git").args(["status", "--short"]).finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert_eq!(world.read(".git/HEAD"), "ref: refs/heads/main\n");
}

#[test]
fn a_program_runs_in_the_project_with_a_clean_environment() {
    let world = World::new();
    let script = "pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; cat; echo bad >&2; exit 3";
    let ran = world.run("sh").args(["-c", script]).env("EXTRA", "1").stdin("in").finish().unwrap();
    let names = "EXTRA HOME LANG PATH PWD TZ XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME \
                 XDG_STATE_HOME ";
    let (folder, rest) = ran.stdout.split_once('\n').unwrap();
    assert_eq!(folder, world.project().to_str().unwrap());
    assert_eq!(
        rest.replace("OLDPWD ", "").replace("SHLVL ", "").replace("_ ", ""),
        format!("{names}in")
    );
    assert_eq!((ran.stderr.as_str(), ran.code, ran.timed_out), ("bad\n", Some(3), false));
}

#[test]
fn a_program_over_its_limit_dies_with_its_children() {
    let world = World::new();
    let script = "sleep 1000 & echo $! > child; echo started; wait";
    let run = world.run("sh").args(["-c", script]).limit(Duration::from_secs(1));
    let ran = run.finish().unwrap();
    assert_eq!((ran.timed_out, ran.code, ran.signal), (true, None, Some(9)));
    assert_eq!(ran.stdout, "started\n");
    let child = world.read("child");
    let start = Instant::now();
    while lives(child.trim()) {
        assert!(start.elapsed() < Duration::from_secs(20), "{child} lives");
        std::thread::yield_now();
    }
}

/// A killed process still takes a moment to die.
fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_child_that_outlives_its_program_does_not_hold_the_run() {
    let world = World::new();
    let ran = world.run("sh").args(["-c", "sleep 1000 & echo done"]).finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str(), ran.timed_out), (Some(0), "done\n", false));
}

#[test]
fn a_running_program_is_heard_and_signalled() {
    let world = World::new();
    let script =
        "trap 'echo caught >&2; exit 7' TERM; echo ready; sleep 1000 & while :; do wait; done";
    let running = world.run("sh").args(["-c", script]).start().unwrap();
    assert!(running.says("ready"));
    assert!(running.pid() > 1);
    running.signal(Signal::TERM).unwrap();
    assert!(running.complains("caught"));
    assert_eq!(running.finish().code, Some(7));
}

fn shell(world: &World, script: &str) -> Terminal {
    Terminal::start(world, "sh", &["-c", script], &[("EXTRA", "1")], Size::default()).unwrap()
}

#[test]
fn a_terminal_shows_a_screen_and_takes_keys() {
    let world = World::new();
    let terminal =
        shell(&world, "printf 'one\\033[2;5Htwo'; read word; echo \"got $word $EXTRA\"; exit 4");
    assert_eq!(terminal.shows("two").unwrap(), "one\n    two");
    assert_eq!(terminal.cursor(), (1, 7));
    terminal.keys("hello\r").unwrap();
    assert!(terminal.shows("got hello 1").is_ok());
    assert_eq!(terminal.ended().unwrap().code(), Some(4));
    assert!(terminal.raw().starts_with(b"one\x1b[2;5Htwo"));
}

#[test]
fn a_terminal_has_a_size_that_changes() {
    let world = World::new();
    let script = "trap 'stty size' WINCH; stty size; sleep 1000 & while :; do wait; done";
    let terminal = shell(&world, script);
    assert!(terminal.shows("24 80").is_ok());
    terminal.resize(Size { rows: 10, columns: 40 }).unwrap();
    assert!(terminal.shows("10 40").is_ok());
    assert_eq!(terminal.look(vt100::Screen::size), (10, 40));
}

#[test]
fn control_c_reaches_the_program_in_the_terminal() {
    let world = World::new();
    let script = "trap 'echo interrupted; exit 5' INT; test -t 0 && tty >/dev/null && echo ready \
                  </dev/tty; sleep 1000 & while :; do wait; done";
    let terminal = shell(&world, script);
    assert!(terminal.shows("ready").is_ok());
    terminal.keys("\u{3}").unwrap();
    assert!(terminal.shows("interrupted").is_ok());
    assert_eq!(terminal.ended().unwrap().code(), Some(5));
}

#[test]
fn waiting_for_what_never_comes_gives_the_screen_back() {
    let world = World::new();
    let terminal = shell(&world, "echo here; cat");
    assert!(terminal.shows("here").is_ok());
    let terminal = terminal.limit(Duration::from_millis(50));
    assert_eq!(terminal.shows("there"), Err("here".to_owned()));
}
