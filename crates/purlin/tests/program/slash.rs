//! The slash commands, each at least once, in a terminal.

use purlin_testkit::{Reply, Terminal};
use serde_json::json;

use crate::common::{Stage, enter, idle, left, said, shows};

/// Enters a line, and waits for the next prompt; by then the screen shows this.
#[track_caller]
fn does(terminal: &Terminal, line: &str, shown: &str) -> String {
    let prompts = |screen: &str| screen.lines().filter(|line| line.starts_with('›')).count();
    let before = prompts(&terminal.screen());
    enter(terminal, line);
    let again = |screen: &str| prompts(screen) > before && screen.trim_end().ends_with("\n›");
    let screen = terminal.until(again).unwrap_or_else(|screen| panic!("no prompt:\n{screen}"));
    assert!(screen.contains(shown), "no {shown:?} on the screen:\n{screen}");
    screen
}

#[test]
fn help_lists_the_commands_explains_one_and_guesses_near_names() {
    let stage = Stage::saying([]);
    let terminal = stage.terminal(&[]);
    let list = does(&terminal, "/help", "twice in a row leaves");
    for name in [
        "/help",
        "/clear, /reset",
        "/model",
        "/tokens",
        "/compact",
        "/diff",
        "/undo",
        "/plan",
        "/save",
        "/sessions",
        "/resume",
        "/exit, /quit",
    ] {
        assert!(list.contains(name), "{name}: {list}");
    }
    does(&terminal, "/help undo", "left alone and named");
    // CC-58
    does(&terminal, "/Help Plan", "nothing that changes anything runs");
    does(&terminal, "/undi", "did you mean /undo?");
}

#[test]
fn cc_58_a_line_that_begins_with_a_path_is_for_the_model() {
    let stage = Stage::saying([Reply::new().text("A file.")]);
    let terminal = stage.terminal(&[]);
    does(&terminal, "/etc/hosts - what is it?", "A file.");
    assert!(said(&stage.requests()[0], "user").contains("/etc/hosts - what is it?"));
}

#[test]
fn model_names_the_model_and_changes_it_from_the_next_call_on() {
    let stage = Stage::saying([Reply::new().text("One."), Reply::new().text("Two.")]);
    let terminal = stage.terminal(&[]);
    does(&terminal, "/model", "scripted (");
    does(&terminal, "hi", "One.");
    does(&terminal, "/model another", "model: another");
    does(&terminal, "hi", "Two.");
    let requests = stage.requests();
    assert_eq!(
        (&requests[0].body["model"], &requests[1].body["model"]),
        (&json!("scripted"), &json!("another"))
    );
    assert!(said(&requests[1], "assistant").contains("One."));
}

#[test]
fn the_model_that_was_chosen_is_still_there_after_a_resume_unless_another_is_named() {
    let stage = Stage::saying(["One.", "Two.", "Three."].map(|text| Reply::new().text(text)));
    let terminal = stage.terminal(&[]);
    does(&terminal, "hi", "One.");
    does(&terminal, "/model another", "model: another");
    enter(&terminal, "/exit");
    assert_eq!(left(&terminal), Some(0));
    for args in [&["-c", "-p", "hi"][..], &["-c", "-m", "third", "-p", "hi"]] {
        assert_eq!(stage.purlin().args(args).finish().unwrap().code, Some(0));
    }
    let requests = stage.requests();
    let models: Vec<_> = requests.iter().map(|request| &request.body["model"]).collect();
    assert_eq!(models, ["scripted", "another", "third"]);
}

#[test]
fn tokens_are_those_that_the_provider_counted() {
    let stage = Stage::saying([
        Reply::new().text("One.").usage(1_200, 30),
        Reply::new().text("Two.").usage(1_300, 40),
    ]);
    let terminal = stage.terminal(&[]);
    does(&terminal, "/tokens", "0 calls to models");
    does(&terminal, "hi", "1,200 tokens in");
    does(&terminal, "hi", "1,300 tokens in");
    let screen = does(&terminal, "/tokens", "2 calls to models");
    assert!(screen.contains("2,500 tokens in (0 cached), 70 out · price unknown"), "{screen}");
    assert!(screen.contains("context: 1,300 of 32,768 tokens"), "{screen}");
}

/// A turn that changes a file.
fn changed() -> (Stage, Terminal) {
    let edit = json!({"path": "f", "old_string": "old", "new_string": "new"});
    let read = Reply::new().call("read_file", &json!({"path": "f"}));
    let stage = Stage::saying([
        read.call("edit_file", &edit),
        Reply::new().text("Edited."),
        Reply::new().text("I see."),
    ]);
    stage.world.file("f", "old text\n");
    let terminal = stage.terminal(&["--yes"]);
    does(&terminal, "edit f", "Edited.");
    assert_eq!(stage.world.read("f"), "new text\n");
    (stage, terminal)
}

#[test]
fn diff_shows_what_changed_and_undo_puts_it_back_and_tells_the_model() {
    let (stage, terminal) = changed();
    enter(&terminal, "/diff");
    // The edit itself has shown the same lines before.
    let twice = |screen: &str| screen.matches("+new text\n").count() >= 2;
    terminal.until(twice).unwrap_or_else(|screen| panic!("no diff on the screen:\n{screen}"));
    idle(&terminal);
    does(&terminal, "/undo", "undone: changed f\n");
    assert_eq!(stage.world.read("f"), "old text\n");
    does(&terminal, "/diff", "nothing has changed in this session");
    does(&terminal, "/undo", "there is nothing to undo");
    does(&terminal, "now?", "I see.");
    assert!(said(&stage.requests()[2], "user").contains("The person undid your last change"));
}

#[test]
fn cc_47_undo_does_not_overwrite_what_the_person_wrote_since() {
    let (stage, terminal) = changed();
    stage.world.file("f", "my own words\n");
    does(&terminal, "/undo", "nothing was undone: f changed since");
    assert_eq!(stage.world.read("f"), "my own words\n");
}

#[test]
fn an_undo_is_possible_after_a_resume() {
    let (stage, terminal) = changed();
    enter(&terminal, "/exit");
    assert_eq!(left(&terminal), Some(0));
    let terminal = stage.terminal(&["-c"]);
    does(&terminal, "/undo", "undone: changed ");
    assert_eq!(stage.world.read("f"), "old text\n");
}

#[test]
fn nc_11_plan_mode_runs_nothing_that_changes_and_approve_leaves_it() {
    let write = || Reply::new().call("write_file", &json!({"path": "made", "content": "x\n"}));
    let stage = Stage::saying([
        Reply::new().call("glob", &json!({"pattern": "*"})),
        write(),
        Reply::new().text("The plan: write it."),
        write(),
        Reply::new().text("Carried out."),
    ]);
    let terminal = stage.terminal(&["--yes"]);
    enter(&terminal, "/plan");
    shows(&terminal, "plan mode is on");
    shows(&terminal, "plan ›");
    enter(&terminal, "make a file");
    shows(&terminal, "The plan: write it.");
    terminal.until(|screen| screen.trim_end().ends_with("\nplan ›")).unwrap();
    assert!(!stage.world.path("made").exists());
    assert!(stage.answers(2)[0].contains("plan"), "{:?}", stage.answers(2));
    does(&terminal, "approve", "Carried out.");
    assert!(stage.world.path("made").exists());
    assert!(terminal.screen().contains("plan mode is off"));
}

#[test]
fn sessions_are_saved_listed_cleared_and_resumed() {
    let replies = ["First.", "Second.", "Third.", "Fourth."].map(|text| Reply::new().text(text));
    let stage = Stage::saying(replies);
    let terminal = stage.terminal(&[]);
    does(&terminal, "about apples", "First.");
    does(&terminal, "/save apfel", "saved as apfel");
    does(&terminal, "/save ../Äpfel & Birnen", "saved as Äpfel-Birnen");
    does(&terminal, "/save ?!", "`?!` makes no name");
    does(&terminal, "/save apfel", "saved as apfel");
    does(&terminal, "/clear", "the session before is kept");
    does(&terminal, "about pears", "Second.");
    let list = does(&terminal, "/sessions", "/resume ID goes on");
    assert!(list.contains("apfel: about apples") && list.contains("(this one)"), "{list}");
    does(&terminal, "/resume apfel", "in which you said 1 thing");
    does(&terminal, "more of them", "Third.");
    let third = said(&stage.requests()[2], "user");
    assert!(third.contains("about apples") && !third.contains("pears"), "{third}");
    // NC-30: what was said went to the session that was resumed.
    let lists = stage.journals().into_iter().map(|path| stage.world.read(path));
    let with: Vec<_> = lists.filter(|text| text.contains("more of them")).collect();
    assert!(with.len() == 1 && with[0].contains("about apples"), "{with:?}");
    does(&terminal, "/resume nobody", "there is no session nobody");
    does(&terminal, "/resume", "in which you said 1 thing");
    does(&terminal, "and now?", "Fourth.");
    assert!(said(&stage.requests()[3], "user").contains("about pears"));
}

#[test]
fn cc_33_compact_means_now() {
    let stage = Stage::saying([
        Reply::new().call("read_file", &json!({"path": "big"})),
        Reply::new().text("Read."),
        Reply::new().text("Welcome."),
        Reply::new().text("Yes."),
        Reply::new().text("Task: read big. Files: big, a list of 400 words."),
        Reply::new().text("A list of words."),
    ]);
    stage.world.file("big", "word after word\n".repeat(400));
    let terminal = stage.terminal(&[]);
    does(&terminal, "read big", "Read.");
    does(&terminal, "thank you", "Welcome.");
    does(&terminal, "are you there?", "Yes.");
    does(&terminal, "/compact", "older messages became a summary");
    does(&terminal, "/sessions", "read big  (this one)");
    does(&terminal, "/save", "saved as read-big");
    does(&terminal, "what was in it?", "A list of words.");
    let requests = stage.requests();
    assert!(requests[5].bytes.len() < requests[3].bytes.len() / 2);
    let told = said(&requests[5], "user");
    assert!(told.contains("a list of 400 words") && told.contains("what was in it?"), "{told}");
    assert!(!said(&requests[5], "tool").contains("word after word"));
}

#[test]
fn a_command_that_needs_the_turn_to_end_says_so() {
    let (begun, rest) = (purlin_testkit::Latch::new(), purlin_testkit::Latch::new());
    let stage = Stage::saying([Reply::new().text("Wait").reached(&begun).wait(&rest).text("ed.")]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "hi");
    shows(&terminal, "Wait");
    enter(&terminal, "/undo");
    shows(&terminal, "/undo has to wait for the turn to end");
    enter(&terminal, "/tokens");
    shows(&terminal, "calls to models");
    rest.open();
    shows(&terminal, "ed.");
    idle(&terminal);
}
