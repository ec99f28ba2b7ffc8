//! Every exit code, and what is said with it.

use std::net::TcpListener;

use purlin_testkit::{Reply, Run, Script, World, refusal};
use serde_json::json;

use crate::common::{PURLIN, Stage, lines, said};

/// Runs where there is no model; returns the code and what stderr says.
fn without_a_model(run: Run) -> (Option<i32>, String) {
    let ran = run.finish().unwrap();
    assert_eq!(ran.stdout, "");
    (ran.code, ran.stderr)
}

#[test]
fn a_command_line_that_makes_no_sense_exits_2() {
    let stage = Stage::new(Script::new());
    for args in [
        vec!["--no-such-flag"],
        vec!["-p", ""],
        vec!["-p", " \n"],
        vec!["-p", "-"],
        vec!["-p", "x", "-r", "../../x"],
        vec!["-p", "x", "-r", "/etc/passwd"],
        vec!["-p", "x", "-r", "nobody"],
        vec!["-p", "x", "-r"],
        vec!["-p", "x", "-c"],
        vec!["-p", "x", "-c", "-r", "y"],
        vec!["-p", "x", "-C", "nowhere"],
        vec!["-p", "x", "--max-turns", "0"],
        vec!["-p", "x", "--max-cost", "free"],
        vec!["-p", "x", "--output-format", "xml"],
        vec!["--output-format", "json"],
    ] {
        let (code, stderr) = without_a_model(stage.purlin().args(&args));
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert!(!stderr.is_empty() && !stderr.contains("panicked"), "{args:?}: {stderr}");
    }
    assert_eq!(stage.requests().len(), 0);
    assert_eq!(stage.journals().len(), 0);
}

#[test]
fn nc_28_a_session_outside_the_folder_is_not_looked_for() {
    let stage = Stage::new(Script::new());
    stage.world.file(stage.world.state().join("purlin/x.jsonl"), "{\"purlin\":1}\n");
    let (code, stderr) = without_a_model(stage.purlin().args(["-p", "hi", "-r", "../x"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("`../x` is no session"), "{stderr}");
}

#[test]
fn no_model_at_all_is_one_clear_message_with_three_examples() {
    let world = World::new();
    let (code, stderr) = without_a_model(world.run(PURLIN).args(["-p", "hi"]));
    assert_eq!(code, Some(3), "{stderr}");
    assert_eq!(stderr.matches("purlin -m ").count(), 3, "{stderr}");
    assert!(stderr.contains("purlin demo"), "{stderr}");
}

#[test]
fn a_price_that_is_unknown_cannot_be_kept_below_a_limit() {
    let stage = Stage::new(Script::new());
    let run = stage.purlin().args(["-p", "hi", "--max-cost", "0.50"]);
    let (code, stderr) = without_a_model(run);
    assert_eq!(code, Some(3));
    assert!(stderr.contains("the price of scripted is unknown"), "{stderr}");
}

#[test]
fn an_address_that_is_none_exits_3() {
    let world = World::new();
    let run = world.run(PURLIN).args(["-p", "hi", "-m", "m", "--base-url", "not a url"]);
    let (code, stderr) = without_a_model(run);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("not a url"), "{stderr}");
}

#[test]
fn a_key_that_is_not_accepted_exits_4_after_one_request_and_is_not_shown() {
    let stage = Stage::new(Script::new().then(refusal::wrong_key()));
    let run = stage.purlin().env("PURLIN_API_KEY", "sk-quite-secret").args(["-p", "hi"]);
    let ran = run.finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""));
    assert!(ran.stderr.contains("key"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("sk-quite-secret"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn cc_27_steady_failure_exits_5_after_one_budget_of_attempts() {
    let again = || refusal::failing(500).header("retry-after", "0").into();
    let stage = Stage::new(Script::by(move |_| again()));
    let ran = stage.ask("hi");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(5), ""));
    assert!(ran.stderr.contains("5 attempts"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 5);
}

#[test]
fn a_page_in_place_of_a_stream_exits_5_and_says_what_came() {
    let page = || refusal::html_page().header("retry-after", "0").into();
    let stage = Stage::new(Script::by(move |_| page()));
    let ran = stage.ask("hi");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(ran.stderr.contains("HTML") || ran.stderr.contains("html"), "{}", ran.stderr);
}

#[test]
fn a_request_that_is_refused_is_not_tried_again() {
    let stage = Stage::new(Script::new().then(refusal::error(403, "forbidden", "not for you")));
    let ran = stage.ask("hi");
    assert!(matches!(ran.code, Some(4 | 5)), "{}", ran.stderr);
    assert!(ran.stderr.contains("not for you"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn nobody_at_the_address_exits_5_and_names_it() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{free}/v1");
    let world = World::new();
    let run = world.run(PURLIN).args(["-p", "hi", "-m", "m", "--base-url", &url]);
    let (code, stderr) = without_a_model(run);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains(&format!("127.0.0.1:{free}")), "{stderr}");
}

#[test]
fn a_budget_that_is_used_up_exits_6_before_the_next_request() {
    // What runs on this machine has no price, so the model is far away and this is the way there.
    let look = Reply::new().call("glob", &json!({"pattern": "*"})).usage(1_000_000, 10);
    let stage = Stage::saying([look]);
    let proxy = stage.server.url().trim_end_matches("/v1").to_owned();
    let run = stage.purlin().env("PURLIN_BASE_URL", "http://models.example/v1");
    let run = run.env("HTTP_PROXY", &proxy).env("http_proxy", &proxy);
    let ran = run.args(["-m", "gpt-5.4-nano", "--max-cost", "0.10", "-p", "hi"]).finish().unwrap();
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    assert!(ran.stderr.contains("of $0.1000 are spent"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn a_budget_counts_what_the_session_spent_before() {
    let replies = ["One.", "Two."].map(|text| Reply::new().text(text).usage(400_000, 10));
    let stage = Stage::saying(replies);
    let proxy = stage.server.url().trim_end_matches("/v1").to_owned();
    let run = |args: &[&str]| {
        let run = stage.purlin().env("PURLIN_BASE_URL", "http://models.example/v1");
        let run = run.env("HTTP_PROXY", &proxy).env("http_proxy", &proxy);
        run.args(["-m", "gpt-5.4-nano"]).args(args)
    };
    let few = ["--max-cost", "0.10"];
    assert_eq!(run(&few).args(["-p", "hi"]).finish().unwrap().code, Some(0));
    assert_eq!(run(&few).args(["-c", "-p", "and?"]).finish().unwrap().code, Some(0));
    let tokens = run(&["-c"]).stdin("/tokens\n").finish().unwrap();
    assert!(tokens.stderr.contains("2 calls to models · 800,000 tokens in"), "{}", tokens.stderr);
    assert!(tokens.stderr.contains("context: 400,000 of"), "{}", tokens.stderr);
    let ran = run(&few).args(["-c", "-p", "more"]).finish().unwrap();
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(6), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("were spent before"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 2);
}

#[test]
fn nc_32_max_turns_is_counted_in_requests_and_said_in_history() {
    let look = |_: &_| Reply::new().call("bash", &json!({"command": "date +%N"})).into();
    let stage = Stage::new(Script::by(look));
    let run = stage.purlin().args(["--max-turns", "2", "-p", "go on for ever"]);
    let ran = run.finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), ""));
    assert!(ran.stderr.contains("stopped after 2 rounds"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 2);
    assert_eq!(
        stage.purlin().args(["-c", "--max-turns", "1", "-p", "x"]).finish().unwrap().code,
        Some(7)
    );
    assert!(said(&stage.requests()[2], "user").contains("stopped after 2 rounds"));
}

#[test]
fn nc_09_what_would_ask_is_not_run_and_exits_8() {
    let touch = Reply::new().call("bash", &json!({"command": "touch made"}));
    let write = Reply::new().call("write_file", &json!({"path": "b", "content": "b"}));
    let stage = Stage::saying([touch, write, Reply::new().text("I could not.")]);
    let ran = stage.purlin().args(["-p", "make it"]).finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(8), "I could not.\n"));
    assert!(ran.stderr.contains("touch made") && ran.stderr.contains("not permitted"));
    assert!(stage.answers(1)[0].contains("nobody is there to be asked"));
    assert_eq!(stage.world.tree(), Vec::<String>::new());
}

#[test]
fn cc_42_refusal_after_refusal_stops_the_turn() {
    let touch = |_: &_| Reply::new().call("bash", &json!({"command": "touch made"})).into();
    let stage = Stage::new(Script::by(touch));
    let ran = stage.purlin().args(["-p", "make it"]).finish().unwrap();
    assert_eq!(ran.code, Some(8), "{}", ran.stderr);
    assert!(stage.requests().len() <= 5, "{}", stage.requests().len());
}

#[test]
fn cc_56_the_same_call_with_the_same_result_is_nudged_then_stopped_with_10() {
    let again = |_: &_| Reply::new().call("read_file", &json!({"path": "gone.txt"})).into();
    let stage = Stage::new(Script::by(again));
    let ran = stage.ask("read it");
    assert_eq!(ran.code, Some(10), "{}", ran.stderr);
    assert!(ran.stderr.contains("read_file was called 5 times"), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 5);
    let nudge = "has now brought the same result three times";
    let nudged = |index: usize| said(&stage.requests()[index], "user").contains(nudge);
    assert!(!nudged(2) && nudged(3));
}

#[test]
fn a_model_that_says_nothing_twice_exits_1() {
    let stage = Stage::new(Script::by(|_| Reply::new().into()));
    let ran = stage.ask("hi");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 2);
}

#[test]
fn catastrophes_are_refused_even_after_yes() {
    let ruin = |command: &str| Reply::new().call("bash", &json!({"command": command}));
    let commands = ["rm -rf ~", "cd .. && rm -rf .", "sudo rm -r --force /", ":(){ :|:& };:"];
    let script: Script = commands.into_iter().map(ruin).collect();
    let stage = Stage::new(script.then(Reply::new().text("No.")));
    stage.world.file("kept", "");
    stage.world.file(stage.world.home().join("dear"), "");
    let ran = stage.ask("clean up");
    assert_eq!(ran.stdout, "No.\n");
    for (index, command) in commands.iter().enumerate() {
        let answer = &stage.answers(index + 1)[0];
        assert!(answer.contains("never run"), "{command}: {answer}");
    }
    assert!(stage.world.path("kept").exists() && stage.world.home().join("dear").exists());
}

#[test]
fn json_says_how_it_ended_too() {
    let stage = Stage::new(Script::new().then(refusal::wrong_key()));
    let run = stage.purlin().args(["-p", "hi", "--output-format", "json"]);
    let ran = run.finish().unwrap();
    let report = &lines(&ran.stdout)[0];
    assert_eq!(
        (ran.code, &report["end"], &report["exit_code"]),
        (Some(4), &json!("auth"), &json!(4))
    );
}
