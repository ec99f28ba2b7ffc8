//! How a program ends: by itself, at its deadline, with whoever waited for it; and what of its children.

mod common;

use std::time::{Duration, Instant};

use common::{finish, lives, numbers, said, until, world};
use purlin_exec::{Bounds, End, Spec, StartError, living, run};

/// A shell and two children, one of them deaf to TERM, who write their numbers to `pids`.
const FAMILY: &str = "echo $$ >>pids; sleep 300 & echo $! >>pids; \
    (trap '' TERM; while :; do sleep 0.1; done) & echo $! >>pids; echo ready; wait";

#[tokio::test]
async fn a_program_ends_with_its_status() {
    let world = world();
    let finished = world.run("echo out; echo err >&2; echo out again; exit 7").await;
    assert_eq!(finished.end, End::Exited(7));
    assert_eq!(said(&finished), "out\nerr\nout again\n");
    assert_eq!(finished.output.newlines, 3);
    assert!(!finished.children_left);
    assert_eq!(world.run("kill -9 $$").await.end, End::Signalled(9));
}

#[tokio::test]
async fn nothing_is_inherited_from_our_environment() {
    let world = world();
    let mut spec = world.spec("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort; echo $OLDPWD");
    spec.env.push(("COLOUR".into(), "blue".into()));
    let finished = finish(spec).await.unwrap();
    assert_eq!(said(&finished), "COLOUR=blue\nPATH=/usr/local/bin:/usr/bin:/bin\n\n");
}

#[tokio::test]
async fn cc_16_a_program_that_reads_finds_its_input_empty() {
    let finished = world().run("cat; read line || echo nothing").await;
    assert_eq!((finished.end, said(&finished).as_str()), (End::Exited(0), "nothing\n"));
}

#[tokio::test]
async fn a_missing_program_and_a_missing_directory_are_told_apart() {
    let world = world();
    let spec = Spec { argv: vec!["/no/such/program".into()], ..world.spec("") };
    assert!(matches!(finish(spec).await, Err(StartError::NoProgram(_))));
    let gone = world.root.join("sub/deep/gone");
    let spec = Spec { cwd: gone.clone(), ..world.spec("true") };
    assert!(matches!(finish(spec).await, Err(StartError::NoDirectory(path)) if path == gone));
    assert_eq!(living(&gone), world.root.join("sub/deep"));
}

#[tokio::test]
async fn dropping_the_future_kills_the_whole_family_and_leaves_no_zombie() {
    let world = world();
    let pids = world.root.join("pids");
    let (heard, mut ready) = tokio::sync::mpsc::unbounded_channel();
    let mut running = Box::pin(run(world.spec(FAMILY), move |_| heard.send(()).unwrap()));
    tokio::select! {
        _ = &mut running => panic!("ended by itself"),
        _ = ready.recv() => (),
    }
    let family = numbers(&pids);
    assert_eq!(family.len(), 3);
    assert!(family.iter().all(|number| lives(*number)));
    let dropped = Instant::now();
    drop(running);
    until("they are dead", || !family.iter().any(|number| lives(*number))).await;
    assert!(dropped.elapsed() < Duration::from_millis(200));
    let leader = format!("/proc/{}", family[0]);
    until("the leader is collected", || !std::path::Path::new(&leader).exists()).await;
}

#[tokio::test]
async fn cc_14_a_deadline_ends_the_children_and_returns_what_was_said() {
    let world = world();
    let command = "echo before; sleep 300 & echo $! >pids; wait";
    let spec = Spec { deadline: Duration::from_millis(300), ..world.spec(command) };
    let finished = finish(spec).await.unwrap();
    assert_eq!((finished.end, said(&finished).as_str()), (End::Deadline, "before\n"));
    assert!(!finished.children_left);
    assert!(finished.elapsed < Duration::from_secs(2), "{:?}", finished.elapsed);
    assert!(!lives(numbers(&world.root.join("pids"))[0]));
}

#[tokio::test]
async fn a_program_asked_to_end_may_still_say_something() {
    let world = world();
    let command = "trap 'echo cleaning up; exit 1' TERM; echo working; sleep 300 & wait";
    let spec = Spec { deadline: Duration::from_millis(300), ..world.spec(command) };
    assert_eq!(said(&finish(spec).await.unwrap()), "working\ncleaning up\n");
}

#[tokio::test]
async fn nc_25_a_child_deaf_to_term_is_killed_two_seconds_later() {
    let world = world();
    let spec = Spec { deadline: Duration::from_millis(300), ..world.spec(FAMILY) };
    let finished = finish(spec).await.unwrap();
    assert_eq!(finished.end, End::Deadline);
    assert!(finished.elapsed > Duration::from_secs(2), "{:?}", finished.elapsed);
    assert!(finished.elapsed < Duration::from_secs(4), "{:?}", finished.elapsed);
    let family = numbers(&world.root.join("pids"));
    until("they are dead", || !family.iter().any(|number| lives(*number))).await;
}

#[tokio::test]
async fn cc_15_a_child_in_the_background_is_not_waited_for() {
    let world = world();
    let finished = world.run("sleep 30 & echo $! >pids; echo started").await;
    assert_eq!((finished.end, said(&finished).as_str()), (End::Exited(0), "started\n"));
    assert!(finished.children_left);
    assert!(finished.elapsed < Duration::from_secs(1), "{:?}", finished.elapsed);
    assert!(lives(numbers(&world.root.join("pids"))[0]));
}

#[tokio::test]
async fn a_silent_child_in_the_background_is_noticed_too() {
    let finished = world().run("sleep 30 >log 2>&1 & echo started").await;
    assert!(finished.children_left);
}

#[tokio::test]
async fn a_child_left_running_survives_its_own_output_which_goes_to_the_file() {
    let world = world();
    let spill = world.root.join("whole");
    let command = "(echo $BASHPID >>pids; while [ ! -e stop ]; do sleep 0.01; done; \
        echo late; echo survived >witness) & echo early";
    let bounds = Bounds { spill: Some(spill.clone()), ..Bounds::default() };
    let finished = finish(Spec { bounds, ..world.spec(command) }).await.unwrap();
    assert!(finished.children_left);
    assert_eq!(finished.output.whole.as_deref(), Some(&*spill));
    std::fs::write(world.root.join("stop"), "").unwrap();
    until("it has written", || world.root.join("witness").exists()).await;
    until("its line arrives", || std::fs::read(&spill).unwrap() == b"early\nlate\n").await;
}

#[test]
fn what_is_left_running_ends_with_the_runtime() {
    let world = world();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let finished = runtime.block_on(world.run("sleep 300 & echo $! >pids"));
    assert!(finished.children_left);
    let child = numbers(&world.root.join("pids"))[0];
    assert!(lives(child));
    drop(runtime);
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    waiting.block_on(until("it is dead", || !lives(child)));
}

#[tokio::test]
async fn a_flood_does_not_outlast_its_deadline() {
    let world = world();
    let command = "(trap '' TERM; yes) & trap '' TERM; yes";
    let spec = Spec { deadline: Duration::from_millis(200), ..world.spec(command) };
    let finished = finish(spec).await.unwrap();
    assert_eq!(finished.end, End::Deadline);
    assert!(finished.elapsed < Duration::from_secs(4), "{:?}", finished.elapsed);
    assert!(!finished.children_left);
}
