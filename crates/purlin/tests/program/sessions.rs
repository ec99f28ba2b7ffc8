//! Sessions: made with the first message, continued, named, locked, and readable after any end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use purlin_testkit::{Latch, Ran, Reply, Running, Script, Terminal, refusal};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::{PURLIN, Stage, enter, lines, said, shows};

const LONG: Duration = Duration::from_secs(20);

fn on(stage: &Stage, args: &[&str]) -> Ran {
    stage.purlin().args(args).finish().unwrap()
}

fn two_turns() -> Stage {
    Stage::saying([Reply::new().text("Blue it is."), Reply::new().text("You said blue.")])
}

#[test]
fn cc_65_a_journal_is_made_with_the_first_message_for_its_owner_alone() {
    let stage = two_turns();
    assert_eq!(stage.ask("my colour is blue").code, Some(0));
    let journal = stage.journal();
    assert_eq!(fs::metadata(&journal).unwrap().permissions().mode() & 0o777, 0o600);
    let lines: Vec<Value> = lines(&stage.world.read(&journal));
    assert_eq!(lines[0]["purlin"], 1);
    assert_eq!(lines[0]["id"], journal.file_stem().unwrap().to_str().unwrap());
    assert_eq!(lines[0]["cwd"], stage.world.project().canonicalize().unwrap().to_str().unwrap());
    let kinds: Vec<_> = lines[1..].iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"user") && kinds.contains(&"reply"), "{kinds:?}");
}

#[test]
fn no_message_no_journal() {
    let stage = Stage::new(Script::new());
    let run = stage.purlin().stdin("/help\n/exit\n").finish().unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(stage.journals().len(), 0);
}

#[test]
fn nc_59_continue_sends_the_whole_conversation_again() {
    let stage = two_turns();
    stage.ask("my colour is blue");
    assert_eq!(on(&stage, &["-c", "-p", "which colour?"]).stdout, "You said blue.\n");
    let requests = stage.requests();
    assert!(requests[1].extends(&requests[0]));
    assert!(said(&requests[1], "assistant").contains("Blue it is."));
    stage.journal();
}

#[test]
fn resume_takes_an_id_or_a_name() {
    let stage = Stage::saying(["One.", "Two.", "Three.", "Four."].map(|t| Reply::new().text(t)));
    stage.ask("the first");
    let id = stage.journal().file_stem().unwrap().to_str().unwrap().to_owned();
    stage.ask("another one");
    assert_eq!(on(&stage, &["-r", &id, "-p", "again"]).stdout, "Three.\n");
    let named = stage.purlin().args(["-r", &id]).stdin("/save grün-2\n/exit\n").finish().unwrap();
    assert!(named.stderr.contains("grün-2"), "{}", named.stderr);
    assert_eq!(on(&stage, &["-r", "grün-2", "-p", "by name"]).stdout, "Four.\n");
    let last = &stage.requests()[3];
    assert!(said(last, "user").contains("the first") && !said(last, "user").contains("another"));
}

#[test]
fn cc_36_a_name_that_is_taken_is_refused() {
    let stage = two_turns();
    stage.purlin().stdin("one\n/save mine\n/exit\n").finish().unwrap();
    let other = stage.purlin().stdin("two\n/save mine\n/exit\n").finish().unwrap();
    assert!(other.stderr.contains("another session is called mine"), "{}", other.stderr);
    assert_eq!(stage.journals().len(), 2);
}

#[test]
fn continue_goes_on_with_the_session_of_this_folder() {
    let stage = Stage::saying(["Here.", "There.", "Here again."].map(|t| Reply::new().text(t)));
    stage.ask("in the project");
    stage.world.file("other/x", "");
    on(&stage, &["-C", "other", "-p", "in the other folder"]);
    on(&stage, &["-c", "-p", "and?"]);
    let last = said(&stage.requests()[2], "user");
    assert!(last.contains("in the project") && !last.contains("in the other folder"), "{last}");
}

#[test]
fn a_session_that_is_open_elsewhere_is_left_alone() {
    let (begun, end) = (Latch::new(), Latch::new());
    let stage = Stage::saying([Reply::new().text("Wait").reached(&begun).wait(&end).text(".")]);
    let first = stage.purlin().args(["-p", "hold it"]).start().unwrap();
    assert!(begun.wait(LONG));
    let second = on(&stage, &["-c", "-p", "me too"]);
    assert_eq!((second.code, second.stderr.lines().count()), (Some(1), 1), "{}", second.stderr);
    assert!(second.stderr.contains("another"), "{}", second.stderr);
    end.open();
    assert_eq!(first.finish().stdout, "Wait.\n");
}

/// Kills a turn when its model has reached a place, and goes on with the session.
fn killed_then_continued(reply: Reply, reached: impl Fn(&Running) -> bool) -> Stage {
    let stage = Stage::new(Script::new().then(reply).then(Reply::new().text("Recovered.")));
    stage.world.file("a", "kept\n");
    let run = stage.purlin().args(["--yes", "-p", "begin", "--output-format", "stream-json"]);
    let running = run.start().unwrap();
    assert!(reached(&running));
    running.signal(Signal::KILL).unwrap();
    assert_eq!(running.finish().signal, Some(9));
    let ran = on(&stage, &["-c", "-p", "go on"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Recovered.\n"), "{}", ran.stderr);
    assert!(said(&stage.requests()[1], "user").contains("begin"));
    stage
}

#[test]
fn nc_52_a_kill_while_the_model_speaks_loses_only_what_it_was_saying() {
    let (begun, never) = (Latch::new(), Latch::new());
    let reply = Reply::new().text("I was about").reached(&begun).wait(&never);
    let stage = killed_then_continued(reply, |_| begun.wait(LONG));
    assert_eq!(said(&stage.requests()[1], "assistant"), "");
}

#[test]
fn a_kill_while_a_command_runs_shows_that_it_was_in_flight() {
    let command = json!({"command": "echo done > first; echo killable; exec sleep 5"});
    let reply = Reply::new().call("read_file", &json!({"path": "a"})).call("bash", &command);
    let stage = killed_then_continued(reply, |running| running.says("\"text\":\"killable"));
    let request = &stage.requests()[1];
    let told = said(request, "tool");
    assert!(told.contains("interrupted"), "{told}");
    assert_eq!(request.messages().iter().filter(|m| m["role"] == "tool").count(), 2);
    assert!(told.contains("kept"), "{told}");
}

#[test]
fn cc_35_a_damaged_journal_goes_on_with_a_visible_gap() {
    let replies = ["One.", "Two.", "Three.", "Four."].map(|text| Reply::new().text(text));
    let stage = Stage::saying(replies);
    stage.ask("the first");
    on(&stage, &["-c", "-p", "the second"]);
    let journal = stage.journal();
    let mut bytes = stage.world.bytes(&journal);
    let place = bytes.windows(9).position(|part| part == b"the first").unwrap();
    bytes[place - 5..place].copy_from_slice(b"\xff\x00[]{");
    bytes.extend(b"{\"kind\":\"user\",\"content\":[{\"te");
    stage.world.file(&journal, bytes);
    let ran = on(&stage, &["-c", "-p", "the third"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Three.\n"), "{}", ran.stderr);
    let told = said(&stage.requests()[2], "user");
    assert!(told.contains("could not be read") && told.contains("the second"), "{told}");
    assert_eq!(on(&stage, &["-c", "-p", "the fourth"]).stdout, "Four.\n");
    assert!(said(&stage.requests()[3], "user").contains("the third"));
}

#[test]
fn a_journal_cut_anywhere_goes_on_and_every_call_in_it_is_answered() {
    let talk =
        |request: &purlin_testkit::Received| match said(request, "user").matches("more").count() {
            0 if request.messages().iter().all(|message| message["role"] != "tool") => Reply::new()
                .text("Both at once.")
                .call("read_file", &json!({"path": "a"}))
                .call("write_file", &json!({"path": "b", "content": "b\n"}))
                .into(),
            _ => Reply::new().text("Done.").into(),
        };
    let stage = Stage::new(Script::by(talk));
    stage.world.file("a", "text\n");
    assert_eq!(stage.ask("begin").code, Some(0));
    let journal = stage.journal();
    let whole = stage.world.bytes(&journal);
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let steps = 16;
    for step in 0..=steps {
        let end = header + (whole.len() - header) * step / steps;
        stage.world.file(&journal, &whole[..end]);
        let ran = on(&stage, &["-c", "-p", "more"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Done.\n"), "{end}: {}", ran.stderr);
        let after = stage.world.bytes(&journal);
        assert!(after.starts_with(&whole[..end]), "{end}: what was there was changed");
    }
}

#[test]
fn a_journal_of_nothing_but_garbage_ends_no_other_session() {
    let stage = Stage::saying(["Blue.", "You said blue.", "New."].map(|t| Reply::new().text(t)));
    stage.ask("my colour is blue");
    let folder = stage.sessions();
    stage.world.file(folder.join("99999999-garbage.jsonl"), b"\xff\xfe[]\nnull\n\n");
    stage.world.file(folder.join("99999999-empty.jsonl"), "");
    assert_eq!(on(&stage, &["-c", "-p", "which?"]).stdout, "You said blue.\n");
    let listed = on(&stage, &["-r"]);
    assert_eq!(listed.code, Some(2), "{}", listed.stderr);
    assert!(listed.stderr.contains("my colour is blue"), "{}", listed.stderr);
    let garbage = on(&stage, &["-p", "x", "-r", "99999999-garbage"]);
    assert_eq!(garbage.stdout, "New.\n", "{}", garbage.stderr);
}

#[test]
fn a_session_of_a_later_version_is_refused_in_one_line() {
    let stage = Stage::new(Script::new());
    let later = "{\"purlin\":99,\"id\":\"later\",\"cwd\":\"/\",\"time\":0}\n";
    stage.world.file(stage.sessions().join("later.jsonl"), later);
    let ran = on(&stage, &["-p", "x", "-r", "later"]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(3), 1), "{}", ran.stderr);
}

#[test]
fn a_state_folder_that_cannot_be_written_is_said_once_and_no_hindrance() {
    let stage = Stage::saying([
        Reply::new()
            .call("read_file", &json!({"path": "a"}))
            .call("bash", &json!({"command": "echo hi"})),
        Reply::new().text("Read."),
    ]);
    stage.world.file("a", "text\n").file("blocked", "");
    let state = stage.world.path("blocked/state");
    let run = stage.purlin().env("XDG_STATE_HOME", &state).args(["--yes", "-p", "read"]);
    let ran = run.finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Read.\n"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("cannot be saved for now").count(), 1, "{}", ran.stderr);
    let answers = stage.answers(1);
    assert_eq!(answers[0], "1\ttext");
    assert!(answers[1].starts_with("hi\n"), "{answers:?}");
}

#[test]
fn a_session_can_be_chosen_from_the_list_by_its_number() {
    let stage = two_turns();
    stage.ask("my colour is blue");
    let size = purlin_testkit::terminal::Size::default();
    let url = stage.server.url();
    let environment = [("PURLIN_BASE_URL", url.as_str()), ("PURLIN_MODEL", "scripted")];
    let terminal = Terminal::start(&stage.world, PURLIN, &["-r"], &environment, size).unwrap();
    shows(&terminal, "my colour is blue");
    shows(&terminal, "which?");
    enter(&terminal, "1");
    shows(&terminal, "in which you said 1 thing");
    enter(&terminal, "which colour?");
    shows(&terminal, "You said blue.");
}

#[test]
fn a_session_whose_folder_is_gone_goes_on_where_the_person_is() {
    let pwd = Reply::new().call("bash", &json!({"command": "pwd"}));
    let stage = Stage::saying([Reply::new().text("Here."), pwd, Reply::new().text("There.")]);
    stage.world.file("gone/x", "");
    on(&stage, &["-C", "gone", "-p", "hello"]);
    fs::remove_dir_all(stage.world.path("gone")).unwrap();
    let id = stage.journal().file_stem().unwrap().to_str().unwrap().to_owned();
    assert_eq!(on(&stage, &["-r", &id, "-p", "where?"]).stdout, "There.\n");
    assert!(stage.answers(2)[0].contains("/project\n"), "{:?}", stage.answers(2));
}

#[test]
fn cc_30_a_prompt_far_beyond_the_window_does_not_wedge_the_session() {
    let stage = Stage::new(Script::by(|request| match request.bytes.len() {
        ..131_072 => Reply::new().text("That was long.").into(),
        _ => refusal::too_long().into(),
    }));
    let long = "word ".repeat(100_000);
    let ran = stage.purlin().args(["-p", "-"]).stdin(long).finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "That was long.\n"), "{}", ran.stderr);
    assert_eq!(on(&stage, &["-c", "-p", "and now?"]).code, Some(0));
    let last = Arc::clone(stage.requests().last().unwrap());
    assert!(said(&last, "user").contains("word word") && said(&last, "user").contains("and now?"));
}
