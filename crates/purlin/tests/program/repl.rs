//! A conversation in a terminal: text as it streams, questions, steering, and ways to stop.

use std::time::Duration;

use purlin_testkit::{Latch, Reply};
use serde_json::{Value, json};

use crate::common::{Stage, enter, idle, is_dead, left, said, shows};

const LONG: Duration = Duration::from_secs(20);

fn bash(command: &str) -> Value {
    json!({"command": command})
}

#[test]
fn text_is_shown_as_it_streams() {
    let rest = Latch::new();
    let stage = Stage::saying([Reply::new().text("First half,").wait(&rest).text(" second half.")]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "tell me");
    shows(&terminal, "First half,");
    rest.open();
    shows(&terminal, "First half, second half.\n");
    idle(&terminal);
    enter(&terminal, "exit");
    shows(&terminal, "purlin --resume ");
    assert_eq!(left(&terminal), Some(0));
}

#[test]
fn cc_39_a_question_shows_all_of_the_command_and_y_runs_it() {
    let long = format!("true {}\ntouch made # the end of it", "and so on ".repeat(30));
    let stage = Stage::saying([
        Reply::new().text("May I?").call("bash", &bash(&long)),
        Reply::new().text("It is made."),
    ]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "make it");
    let screen = shows(&terminal, "answer ›");
    assert_eq!(screen.matches("and so on").count() / 30, 1, "{screen}");
    assert!(screen.contains("touch made # the end of it"), "{screen}");
    assert!(!stage.world.path("made").exists());
    enter(&terminal, "y");
    shows(&terminal, "It is made.");
    assert!(stage.world.path("made").exists());
}

#[test]
fn nc_08_an_empty_line_is_no_yes_and_n_is_no() {
    let stage = Stage::saying([
        Reply::new().call("bash", &bash("touch made")),
        Reply::new().text("As you wish."),
    ]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "make it");
    shows(&terminal, "answer ›");
    enter(&terminal, "");
    terminal.until(|screen| screen.matches("y yes").count() >= 2).unwrap();
    enter(&terminal, "n");
    shows(&terminal, "As you wish.");
    idle(&terminal);
    assert!(stage.answers(1)[0].contains("The person said no"), "{:?}", stage.answers(1));
    assert!(!stage.world.path("made").exists());
}

#[test]
fn words_in_place_of_a_yes_are_a_no_that_the_model_hears() {
    let stage = Stage::saying([
        Reply::new().call("bash", &bash("touch made")),
        Reply::new().text("Then there."),
    ]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "make it");
    shows(&terminal, "answer ›");
    enter(&terminal, "in the docs folder, please");
    shows(&terminal, "Then there.");
    assert!(stage.answers(1)[0].contains("in the docs folder"), "{:?}", stage.answers(1));
    assert!(!stage.world.path("made").exists());
}

#[test]
fn cc_62_always_means_this_very_command() {
    let twice = || Reply::new().call("bash", &bash("echo x >> log"));
    let stage = Stage::saying([
        twice(),
        twice(),
        Reply::new().text("Twice."),
        twice(),
        Reply::new().call("bash", &bash("echo y >> log")),
        Reply::new().text("Enough."),
    ]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "log it");
    shows(&terminal, "exactly this command");
    enter(&terminal, "a");
    shows(&terminal, "Twice.");
    idle(&terminal);
    // NC-10: also in the next turn.
    enter(&terminal, "again, and something else");
    shows(&terminal, "? echo y");
    assert_eq!(stage.world.read("log"), "x\nx\nx\n");
    enter(&terminal, "n");
    shows(&terminal, "Enough.");
    assert_eq!(stage.world.read("log"), "x\nx\nx\n");
}

#[test]
fn nc_07_questions_come_one_after_the_other() {
    let write = |path: &str| json!({"path": path, "content": "new\n"});
    let stage = Stage::saying([
        Reply::new().call("write_file", &write("one")).call("write_file", &write("two")),
        Reply::new().text("One of them."),
    ]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "write");
    let screen = shows(&terminal, "answer ›");
    assert!(screen.contains("+new"), "{screen}");
    enter(&terminal, "y");
    terminal.until(|screen| screen.matches("? write").count() >= 2).unwrap();
    enter(&terminal, "n");
    shows(&terminal, "One of them.");
    // Whichever was asked about first is there, and the other is not.
    assert!(stage.world.path("one").exists() != stage.world.path("two").exists());
}

#[test]
fn cc_41_questions_of_two_sub_agents_queue_and_say_whose_they_are() {
    let task = |task: &str| json!({"task": task});
    let touch = |file: &str| Reply::new().call("bash", &bash(&format!("touch {file}")));
    let of =
        |task: &'static str| move |r: &purlin_testkit::Received| said(r, "user").contains(task);
    let both = Reply::new().call("agent", &task("job one")).call("agent", &task("job two"));
    let script = purlin_testkit::Script::new()
        .then(both)
        .when(of("job one"), touch("one"))
        .when(of("job two"), touch("two"))
        .when(of("job one"), Reply::new().text("one"))
        .when(of("job two"), Reply::new().text("two"))
        .then(Reply::new().text("Both done."));
    let stage = Stage::new(script);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "do both");
    let first = shows(&terminal, "answer ›");
    assert!(first.contains("[a1]") || first.contains("[a2]"), "{first}");
    enter(&terminal, "y");
    terminal.until(|screen| screen.matches("? touch").count() >= 2).unwrap();
    enter(&terminal, "y");
    shows(&terminal, "Both done.");
    assert!(stage.world.path("one").exists() && stage.world.path("two").exists());
}

#[test]
fn a_line_typed_while_the_model_works_is_read_before_it_goes_on() {
    let (begun, rest) = (Latch::new(), Latch::new());
    let look = Reply::new().text("Looking").reached(&begun).wait(&rest);
    let stage = Stage::saying([
        look.call("glob", &json!({"pattern": "*"})),
        Reply::new().text("With the tests."),
    ]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "look around");
    assert!(begun.wait(LONG));
    shows(&terminal, "Looking");
    enter(&terminal, "and the tests too");
    shows(&terminal, "the model reads this before it goes on");
    rest.open();
    shows(&terminal, "With the tests.");
    let last = stage.requests()[1].messages().last().unwrap().to_string();
    assert!(last.contains("and the tests too"), "{last}");
}

#[test]
fn lines_that_are_pasted_are_one_prompt() {
    let stage = Stage::saying([Reply::new().text("A trace.")]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "what is this?\rpanicked at a.rs\r  at b.rs");
    shows(&terminal, "A trace.");
    idle(&terminal);
    let told = said(&stage.requests()[0], "user");
    assert!(told.contains("what is this?\npanicked at a.rs\n  at b.rs"), "{told}");
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn cc_37_ctrl_c_stops_what_runs_and_the_prompt_is_back() {
    let command = bash("sleep 300 & echo $$ $! > pids; mv pids ready; wait");
    let stage =
        Stage::saying([Reply::new().call("bash", &command), Reply::new().text("Going on.")]);
    let terminal = stage.terminal(&["--yes"]);
    enter(&terminal, "wait for it");
    shows(&terminal, "● sleep 300");
    while !stage.world.path("ready").exists() {
        std::thread::yield_now();
    }
    let at = std::time::Instant::now();
    terminal.keys("\u{3}").unwrap();
    shows(&terminal, "interrupted");
    idle(&terminal);
    assert!(at.elapsed() < Duration::from_secs(1), "{:?}", at.elapsed());
    let pids = stage.world.read("ready");
    while !pids.split_whitespace().all(is_dead) {
        assert!(at.elapsed() < Duration::from_secs(2), "{pids} are still there");
    }
    enter(&terminal, "go on");
    shows(&terminal, "Going on.");
    assert!(said(&stage.requests()[1], "tool").contains("interrupted"));
}

#[test]
fn ctrl_c_at_a_question_stops_the_turn_and_runs_nothing() {
    let stage = Stage::saying([Reply::new().call("bash", &bash("touch made"))]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "make it");
    shows(&terminal, "answer ›");
    terminal.keys("\u{3}").unwrap();
    shows(&terminal, "interrupted");
    idle(&terminal);
    assert!(!stage.world.path("made").exists());
}

#[test]
fn ctrl_c_at_the_prompt_clears_the_line_and_twice_leaves() {
    let stage = Stage::saying([Reply::new().text("Hello.")]);
    let terminal = stage.terminal(&[]);
    terminal.keys("never sent").unwrap();
    shows(&terminal, "never sent");
    terminal.keys("\u{3}").unwrap();
    shows(&terminal, "Ctrl+C once more leaves");
    idle(&terminal);
    enter(&terminal, "hello");
    shows(&terminal, "Hello.");
    idle(&terminal);
    assert!(!said(&stage.requests()[0], "user").contains("never sent"));
    terminal.keys("\u{3}").unwrap();
    terminal.until(|screen| screen.matches("once more leaves").count() >= 2).unwrap();
    terminal.keys("\u{3}").unwrap();
    assert_eq!(left(&terminal), Some(0));
}

#[test]
fn ctrl_d_leaves() {
    let stage = Stage::saying([]);
    let terminal = stage.terminal(&[]);
    terminal.keys("\u{4}").unwrap();
    assert_eq!(left(&terminal), Some(0));
    assert_eq!(stage.journals().len(), 0);
}

#[test]
fn every_word_for_leaving_leaves() {
    for word in ["exit", "quit", "/exit", "/quit", "EXIT", " quit "] {
        let stage = Stage::saying([]);
        let ran = stage.purlin().stdin(format!("{word}\nnever\n")).finish().unwrap();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{word}: {}", ran.stderr);
    }
}

#[test]
fn a_pipe_is_a_conversation_too_and_its_end_is_waited_for() {
    let stage = Stage::saying([Reply::new().text("Piped.")]);
    let ran = stage.purlin().stdin("hello\n").finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Piped.\n"), "{}", ran.stderr);
}

#[test]
fn a_model_that_writes_escape_codes_does_not_drive_the_terminal() {
    let stage = Stage::saying([Reply::new().text("\u{1b}[2J\u{1b}]0;owned\u{7}still \rhere")]);
    let terminal = stage.terminal(&[]);
    enter(&terminal, "hi");
    shows(&terminal, "here");
    let screen = idle(&terminal);
    assert!(screen.contains("› hi") && screen.contains("␛[2J"), "{screen}");
}

#[test]
fn a_question_nobody_is_left_to_answer_is_a_no() {
    let stage = Stage::saying([
        Reply::new().call("bash", &bash("touch made")),
        Reply::new().text("Not without you."),
    ]);
    let ran = stage.purlin().stdin("make it\n").finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Not without you.\n"), "{}", ran.stderr);
    assert!(stage.answers(1)[0].contains("nobody is there to be asked"), "{:?}", stage.answers(1));
    assert!(!stage.world.path("made").exists());
}
