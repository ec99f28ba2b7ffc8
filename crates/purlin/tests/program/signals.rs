//! Signals and closed pipes: the turn stops at once, and nothing it started is left.

use std::time::{Duration, Instant};

use purlin_testkit::{Latch, Reply, Running, Script};
use rustix::process::Signal;
use serde_json::json;

use crate::common::{Stage, is_dead, lines, said};

/// What an interrupt may take, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(1);

/// A turn in the middle of a command with two children.
fn in_a_command() -> (Stage, Running) {
    let sleep = json!({"command": "sleep 300 & echo \"pids $$ $! .\"; sleep 300"});
    let script = Script::new().then(Reply::new().text("Wait.").call("bash", &sleep));
    let stage = Stage::new(script.then(Reply::new().text("Going on.")));
    let run = stage.purlin().args(["--yes", "-p", "wait", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(running.says(" .\\n"), "the command never spoke");
    (stage, running)
}

/// Sends a signal, and sees that everything is over.
fn stop(running: Running, signal: Signal) -> Option<i32> {
    let at = Instant::now();
    running.signal(signal).unwrap();
    let ran = running.finish();
    assert!(at.elapsed() < SOON, "{:?}", at.elapsed());
    let (_, after) = ran.stdout.split_once("pids ").unwrap();
    let pids: Vec<&str> = after.split(' ').take(2).collect();
    while !pids.iter().all(|pid| is_dead(pid)) {
        assert!(at.elapsed() < SOON, "{pids:?} are still there");
        std::thread::yield_now();
    }
    let last = lines(&ran.stdout).pop().unwrap();
    assert_eq!(last["data"]["exit_code"].as_i64(), ran.code.map(i64::from));
    ran.code
}

#[test]
fn cc_37_an_interrupt_ends_the_turn_and_every_child_and_exits_130() {
    let (stage, running) = in_a_command();
    assert_eq!(stop(running, Signal::INT), Some(130));
    // The session goes on, and knows what happened.
    assert_eq!(stage.purlin().args(["-c", "-p", "and now?"]).finish().unwrap().code, Some(0));
    let request = &stage.requests()[1];
    assert!(said(request, "tool").contains("interrupted"), "{}", said(request, "tool"));
    assert!(said(request, "user").contains("The person stopped you here"));
}

#[test]
fn termination_does_the_same_and_exits_143() {
    let (_stage, running) = in_a_command();
    assert_eq!(stop(running, Signal::TERM), Some(143));
}

#[test]
fn a_terminal_that_goes_away_ends_the_turn_too() {
    let (_stage, running) = in_a_command();
    assert_eq!(stop(running, Signal::HUP), Some(143));
}

#[test]
fn cc_38_an_interrupt_while_the_model_speaks_keeps_what_it_said() {
    let (spoken, left) = (Latch::new(), Latch::new());
    let stall = Reply::new().text("Half a sente").reached(&spoken).wait(&left).text("nce");
    let stage = Stage::saying([stall, Reply::new().text("Yes.")]);
    let run = stage.purlin().args(["-p", "speak", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(spoken.wait(SOON * 20) && running.says("sente"));
    let at = Instant::now();
    running.signal(Signal::INT).unwrap();
    assert_eq!(running.finish().code, Some(130));
    assert!(at.elapsed() < SOON, "{:?}", at.elapsed());
    left.open();
    stage.purlin().args(["-c", "-p", "go on"]).finish().unwrap();
    assert!(said(&stage.requests()[1], "assistant").contains("Half a sente"));
}

#[test]
fn nc_12_an_interrupt_while_the_reply_streams_runs_none_of_its_calls() {
    let (spoken, never) = (Latch::new(), Latch::new());
    let write = json!({"path": "made.txt", "content": "made"});
    let reply = Reply::new().call("write_file", &write).text(" Written.").reached(&spoken);
    let stage = Stage::saying([reply.wait(&never)]);
    let run = stage.purlin().args(["--yes", "-p", "write", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(spoken.wait(SOON * 20) && running.says("\"en.\""));
    running.signal(Signal::INT).unwrap();
    assert_eq!(running.finish().code, Some(130));
    assert!(!stage.world.path("made.txt").exists());
}

#[test]
fn a_reader_that_leaves_ends_the_turn() {
    let left = Latch::new();
    let stage =
        Stage::saying([Reply::new().wait(&left).text("Nobody hears this.").wait(&Latch::new())]);
    let script = "\"$0\" -p hi --output-format stream-json | { exec <&-; echo gone >&2; }; \
                  exit ${PIPESTATUS[0]}";
    let run = stage.world.run("bash").args(["-c", script, crate::common::PURLIN]);
    let run = run.env("PURLIN_BASE_URL", stage.server.url()).env("PURLIN_MODEL", "scripted");
    let running = run.start().unwrap();
    assert!(running.complains("gone"));
    left.open();
    let ran = running.finish();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn an_interrupt_reaches_the_command_of_a_sub_agent() {
    let sleep = json!({"command": "sleep 300 & echo \"pids $$ $! .\"; sleep 300"});
    let script = Script::new().then(Reply::new().call("agent", &json!({"task": "wait"})));
    let stage = Stage::new(script.then(Reply::new().call("bash", &sleep)));
    let run = stage.purlin().args(["--yes", "-p", "wait", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(running.says(" .\\n"), "the command never spoke");
    assert_eq!(stop(running, Signal::INT), Some(130));
}
