//! One turn: what goes to stdout, and in which format.

use purlin_testkit::{Ends, Reply};
use serde_json::{Value, json};

use crate::common::{Stage, lines, said};

fn reads_then_answers() -> Stage {
    let read = Reply::new().text("Let me look.").call("read_file", &json!({"path": "note.txt"}));
    let stage = Stage::saying([read, Reply::new().text("It says hello.")]);
    stage.world.file("note.txt", "hello\n");
    stage
}

#[test]
fn cc_53_stdout_carries_the_answer_and_nothing_else() {
    let stage = reads_then_answers();
    let ran = stage.ask("what does note.txt say?");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "It says hello.\n"));
    assert!(ran.stderr.contains("note.txt"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("It says hello."), "{}", ran.stderr);
    assert_eq!(stage.answers(1), ["1\thello"]);
}

#[test]
fn json_is_one_object_with_the_answer_how_it_ended_and_what_it_cost() {
    let stage = reads_then_answers();
    let run = stage.purlin().args(["-p", "what does it say?", "--output-format", "json"]);
    let ran = run.finish().unwrap();
    let [report] = <[Value; 1]>::try_from(lines(&ran.stdout)).unwrap();
    assert_eq!(ran.stderr, "");
    assert_eq!(report["version"], 1);
    assert_eq!(report["result"], "It says hello.");
    assert_eq!((&report["end"], &report["exit_code"]), (&json!("done"), &json!(0)));
    assert_eq!(report["calls"], 2);
    assert!(report["usage"]["input"].as_u64() > Some(100), "{report}");
    let id = report["session"].as_str().unwrap();
    assert_eq!(stage.journal().file_stem().unwrap(), id);
}

#[test]
fn stream_json_is_every_event_a_line_versioned_and_ends_with_the_result() {
    let stage = reads_then_answers();
    let run = stage.purlin().args(["-p", "and?", "--output-format", "stream-json"]);
    let events = lines(&run.finish().unwrap().stdout);
    assert!(events.iter().all(|event| event["v"] == 1), "{events:?}");
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[names.len() - 1]), ("session", "result"));
    let place = |wanted| names.iter().position(|name| *name == wanted).expect(wanted);
    let order = ["said", "delta", "started", "answered", "ended", "result"];
    assert!(order.map(place).is_sorted(), "{names:?}");
    let deltas = events.iter().filter_map(|event| event["data"]["text"].as_str());
    assert!(deltas.collect::<String>().contains("It says hello."), "{events:?}");
    assert_eq!(events.last().unwrap()["data"]["result"], "It says hello.");
}

#[test]
fn a_dash_reads_the_prompt_from_stdin() {
    let stage = Stage::saying([Reply::new().text("Yes.")]);
    let run = stage.purlin().args(["-p", "-"]).stdin("first line\nsecond líne\n");
    assert_eq!(run.finish().unwrap().stdout, "Yes.\n");
    assert!(said(&stage.requests()[0], "user").contains("first line\nsecond líne\n"));
}

#[test]
fn flags_win_over_variables_and_openai_names_count_after_ours() {
    let stage = Stage::saying([Reply::new().text("One."), Reply::new().text("Two.")]);
    let url = stage.server.url();
    let flags = ["-p", "x", "--base-url", &url, "-m", "flagged", "--api-key", "flag-key"];
    let nowhere = "http://127.0.0.1:9/v1";
    let run = stage.world.run(crate::common::PURLIN).args(flags);
    let run = run.env("PURLIN_BASE_URL", nowhere).env("PURLIN_API_KEY", "ours");
    assert_eq!(run.env("PURLIN_MODEL", "set").finish().unwrap().code, Some(0));
    let run = stage.world.run(crate::common::PURLIN).args(["-p", "x", "-m", "m"]);
    let run = run.env("OPENAI_BASE_URL", &url).env("OPENAI_API_KEY", "theirs");
    assert_eq!(run.finish().unwrap().code, Some(0));
    let requests = stage.requests();
    assert_eq!(requests[0].body["model"], "flagged");
    assert_eq!(requests[0].header("authorization"), Some("Bearer flag-key"));
    assert_eq!(requests[1].header("authorization"), Some("Bearer theirs"));
}

#[test]
fn the_only_model_of_a_server_need_not_be_named() {
    let stage = Stage::saying([Reply::new().text("Here.")]);
    let run = stage.world.run(crate::common::PURLIN).args(["-v", "-p", "x"]);
    let ran = run.env("PURLIN_BASE_URL", stage.server.url()).finish().unwrap();
    assert_eq!(ran.stdout, "Here.\n");
    assert!(ran.stderr.contains(&format!("scripted at {}", stage.server.url())), "{}", ran.stderr);
}

#[test]
fn verbose_says_what_each_call_cost() {
    let look = Reply::new().call("glob", &json!({"pattern": "*"})).usage(1_000, 10);
    let stage = Stage::saying([look, Reply::new().text("Empty.").usage(1_500, 3)]);
    let ran = stage.purlin().args(["-v", "-p", "look"]).finish().unwrap();
    assert_eq!(ran.stdout, "Empty.\n");
    let calls: Vec<_> = ran.stderr.lines().filter(|line| line.contains(" tokens in ")).collect();
    let calls = calls.join("\n");
    assert!(calls.starts_with("1,000 tokens in (0 cached), 10 out · price unknown"), "{calls}");
    assert!(calls.contains("\n1,500 tokens in (0 cached), 3 out"), "{calls}");
}

#[test]
fn another_folder_can_be_worked_in() {
    let look = Reply::new().call("bash", &json!({"command": "pwd"}));
    let stage = Stage::saying([look, Reply::new().text("There.")]);
    stage.world.file("deep/er/file", "");
    let run = stage.purlin().args(["-C", "deep/er", "-p", "where?"]);
    assert_eq!(run.finish().unwrap().code, Some(0));
    let folder = stage.world.path("deep/er");
    assert!(stage.answers(1)[0].starts_with(&folder.display().to_string()));
}

#[test]
fn a_reply_that_was_broken_off_leaves_nothing_in_the_answer() {
    let broken = Reply::new().text("Half of a wrong").with(Ends::CutAfter(3));
    let stage = Stage::saying([broken, Reply::new().text("Whole.")]);
    let ran = stage.ask("say it");
    assert_eq!(ran.stdout, "Whole.\n");
    assert!(ran.stderr.contains("attempt 2"), "{}", ran.stderr);
}
