//! The wire, from outside: tools that start early, streams that break, arguments that are none.

use std::time::Duration;

use purlin_testkit::{Calls, Chunks, Ends, Latch, Reply, Script, refusal};
use serde_json::json;

use crate::common::{Stage, lines, said};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_read_starts_and_ends_while_the_reply_still_streams() {
    let rest = Latch::new();
    let reads = Reply::new().call("read_file", &json!({"path": "a"}));
    let stage = Stage::saying([
        reads.text("I will tell you more.").wait(&rest).text(" Now."),
        Reply::new().text("Done."),
    ]);
    stage.world.file("a", "early\n");
    let run = stage.purlin().args(["-p", "read", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(running.says("\"event\":\"started\""));
    rest.open();
    let ran = running.finish();
    let events = lines(&ran.stdout);
    let place = |name| events.iter().position(|event| event["event"] == name).unwrap();
    assert!(place("started") < place("replied"));
    assert_eq!(stage.answers(1), ["1\tearly"]);
}

#[test]
fn a_write_waits_for_the_end_of_its_reply() {
    let (written, rest) = (Latch::new(), Latch::new());
    let write = Reply::new().call("write_file", &json!({"path": "a", "content": "x"}));
    let stage = Stage::saying([
        write.text("Soon.").reached(&written).wait(&rest).text(" Now."),
        Reply::new().text("Done."),
    ]);
    let run = stage.purlin().args(["--yes", "-p", "w", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(written.wait(LONG) && running.says("Soon."));
    assert!(!stage.world.path("a").exists());
    rest.open();
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(stage.world.read("a"), "x");
}

#[test]
fn cc_26_a_stream_that_is_cut_is_asked_again_and_its_calls_have_no_effect() {
    let append = json!({"command": "echo once >> log"});
    let cut = Reply::new().text("I'll do it.").call("bash", &append).with(Ends::CutAfter(8));
    let unfinished = Reply::new().call("bash", &append).with(Ends::After(5));
    let whole = Reply::new().call("bash", &append);
    let stage = Stage::saying([cut, unfinished, whole, Reply::new().text("Done.")]);
    let ran = stage.ask("append");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Done.\n"));
    assert_eq!(stage.world.read("log"), "once\n");
    let requests = stage.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[0].body, requests[2].body);
    assert!(!said(&requests[3], "assistant").contains("I'll do it."));
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it_and_the_turn_goes_on() {
    let script = Script::new().then(refusal::rate_limited_for_ms(20));
    let stage = Stage::new(script.then(Reply::new().text("Now.")));
    let ran = stage.ask("hi");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Now.\n"));
    assert!(ran.stderr.contains("attempt 2"), "{}", ran.stderr);
    let requests = stage.requests();
    assert!(requests[1].head_at - requests[0].body_at >= Duration::from_millis(20));
}

#[test]
fn a_server_that_asks_for_an_hour_is_not_waited_for() {
    let stage = Stage::new(Script::new().then(refusal::rate_limited_for("3600")));
    let ran = stage.ask("hi");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn cc_24_a_call_cut_at_the_output_limit_is_not_run_and_is_told_so() {
    let cut = "{\"path\": \"big.txt\", \"content\": \"It was a dark and";
    let read = Reply::new().call("read_file", &json!({"path": "small.txt"}));
    let stage = Stage::saying([
        read.call_raw("write_file", cut).finish("length"),
        Reply::new().text("In parts, then."),
    ]);
    stage.world.file("small.txt", "small\n");
    let ran = stage.ask("write a novel");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!stage.world.path("big.txt").exists());
    let [read, write] = <[String; 2]>::try_from(stage.answers(1)).unwrap();
    assert_eq!(read, "1\tsmall");
    assert!(write.contains("cut") && write.contains("parts"), "{write}");
}

#[test]
fn an_answer_cut_at_the_output_limit_is_no_answer() {
    let stage = Stage::saying([Reply::new().text("And so it").finish("length")]);
    let ran = stage.ask("tell me all");
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("output limit"), "{}", ran.stderr);
}

#[test]
fn nc_16_arguments_that_are_no_json_come_back_in_the_parsers_words() {
    let stage = Stage::saying([
        Reply::new().call_raw("bash", "{\"command\": touch made}"),
        Reply::new().call("nonsense", &json!({})),
        Reply::new().call("read_file", &json!({"file": "x"})),
        Reply::new().text("I see."),
    ]);
    assert_eq!(stage.ask("go").code, Some(0));
    assert!(stage.answers(1)[0].contains("column"), "{:?}", stage.answers(1));
    assert!(stage.answers(2)[0].contains("read_file"), "{:?}", stage.answers(2));
    assert!(stage.answers(3)[0].contains("path"), "{:?}", stage.answers(3));
    assert_eq!(stage.world.tree(), Vec::<String>::new());
}

#[test]
fn cc_23_an_empty_reply_is_asked_again_and_never_sent_back() {
    let stage = Stage::saying([Reply::new(), Reply::new().text("Here I am.")]);
    assert_eq!(stage.ask("hi").stdout, "Here I am.\n");
    assert!(said(&stage.requests()[1], "user").contains("Your last reply was empty"));
}

#[test]
fn cc_25_calls_that_come_in_odd_fragments_are_all_run() {
    for fault in Calls::harmless() {
        let reads = Reply::new().call("read_file", &json!({"path": "a"}));
        let reads = reads.call("read_file", &json!({"path": "b"})).with(fault);
        let stage = Stage::saying([reads, Reply::new().text("Both.")]);
        stage.world.file("a", "first\n").file("b", "second\n");
        assert_eq!(stage.ask("read both").code, Some(0), "{fault:?}");
        assert_eq!(stage.answers(1), ["1\tfirst", "1\tsecond"], "{fault:?}");
    }
}

#[test]
fn cc_28_a_prompt_that_does_not_fit_is_made_smaller_and_asked_once_more() {
    let script = Script::new().then(Reply::new().call("read_file", &json!({"path": "big"})));
    let script = script.then(Reply::new().text("Read.")).then(refusal::too_long());
    let stage = Stage::new(script.then(Reply::new().text("It fits.")));
    stage.world.file("big", "some words on a line\n".repeat(1_000));
    assert_eq!(stage.ask("read big").code, Some(0));
    let ran = stage.purlin().args(["-c", "-p", "and now?"]).finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "It fits.\n"));
    let requests = stage.requests();
    assert!(requests[3].bytes.len() < requests[2].bytes.len() / 2);
    assert!(said(&requests[3], "user").contains("and now?"));
}

#[test]
fn a_parameter_that_is_rejected_is_left_out_from_then_on() {
    let script = Script::new().then(refusal::unknown_parameter("stream_options"));
    let look = Reply::new().call("glob", &json!({"pattern": "*"}));
    let stage = Stage::new(script.then(look).then(Reply::new().text("Empty.")));
    assert_eq!(stage.ask("look").code, Some(0));
    let requests = stage.requests();
    let asks = |index: usize| requests[index].body.get("stream_options").is_some();
    assert_eq!((requests.len(), asks(0), asks(1), asks(2)), (3, true, false, false));
}

#[test]
fn thinking_is_shown_apart_and_is_no_part_of_the_answer() {
    let thinks = Reply::new().thinking("Hm, the person greets me.").text("Hello.");
    let stage = Stage::saying([thinks.with(Chunks::harmless().remove(0))]);
    let ran = stage.ask("hi");
    assert_eq!(ran.stdout, "Hello.\n");
    assert!(ran.stderr.contains("thinking: Hm, the person"), "{}", ran.stderr);
}
