//! Questions: what is shown, and which lines are a yes.

use purlin_engine::event::{Decision, Event, Question};
use purlin_engine::gate::Preview;
use purlin_engine::message::UserMessage;
use purlin_tui::{Action, Input};

use crate::sitting::{
    Sitting, answer, answered, claim, done, failed, permit, runs, started, text, writes,
};

const WAYS: &str = "  y yes · a always (exactly this command in this session) · n no · or say what to do instead\n";

fn choose(choices: &[&str]) -> Question {
    let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
    Question::Choose { text: "Which one?".into(), choices }
}

#[test]
fn cc_39_the_whole_command_is_shown_before_a_yes() {
    let tail = "rm -rf \"$HOME/precious\"";
    let command = format!("echo {}\n{tail}", "harmless ".repeat(100));
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", &command));
    let first = command.lines().next().unwrap();
    let seen = sitting.seen();
    assert!(seen.ends_with(&format!("  │ {first}\n  │ {tail}\n{WAYS}answer › ")), "{seen}");
}

#[test]
fn cc_39_the_whole_diff_is_shown_before_a_yes_and_not_again_after_it() {
    let added: String = (1..=300).map(|n| format!("+line {n}\n")).collect();
    let diff = format!("--- a.rs\n+++ a.rs\n@@ -0,0 +1,300 @@\n{added}");
    let question = Question::Permit {
        claim: claim("1", "write_file a.rs", writes("/p/a.rs")),
        preview: Some(Preview::Diff(diff.clone())),
        why: None,
        always: "every write_file in this session".into(),
    };
    let mut sitting = Sitting::working();
    sitting.ask(1, question);
    let barred: String = diff.lines().map(|line| format!("  │ {line}\n")).collect();
    let ways = WAYS.replace("exactly this command", "every write_file");
    assert_eq!(sitting.seen(), format!("? write_file a.rs\n{barred}{ways}answer › "));
    sitting.line("y");
    sitting.event(started("1", "write_file a.rs", writes("/p/a.rs")));
    sitting.event(answered("1", &format!("wrote a.rs (+300)\n{diff}")));
    assert_eq!(
        sitting.seen(),
        "y\n● write_file a.rs\n    wrote a.rs (+300)\n    … 303 more lines\n"
    );
}

#[test]
fn a_command_is_shown_even_where_the_preview_says_something_else() {
    let question = Question::Permit {
        claim: claim("1", "bash tidy", runs("rm -r build")),
        preview: Some(Preview::Text("tidies up".into())),
        why: Some("it leaves the sandbox".into()),
        always: String::new(),
    };
    let mut sitting = Sitting::working();
    sitting.ask(1, question);
    assert_eq!(
        sitting.seen(),
        "? bash tidy\n  it leaves the sandbox\n  │ tidies up\n  │ rm -r build\n  \
         y yes · n no · or say what to do instead\nanswer › "
    );
    sitting.line("always");
    assert_eq!(sitting.done(), [], "what was not offered cannot be chosen");
    sitting.line("yes");
    assert_eq!(sitting.done(), [answer(1, Decision::Yes)]);
}

#[test]
fn without_a_preview_the_arguments_are_shown() {
    use purlin_engine::effect::{Effect, Host};
    let shown = |effect| {
        let question = Question::Permit {
            claim: claim("1", "fetch it", effect),
            preview: None,
            why: None,
            always: String::new(),
        };
        let mut sitting = Sitting::working();
        sitting.ask(1, question);
        sitting.seen().lines().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(shown(Effect::Unknown), "  │ fetch {\"x\":1}");
    assert_eq!(shown(Effect::Net(Host("a.example:80".into()))), "  │ host: a.example:80");
    assert_eq!(shown(writes("/p/a")), "  │ writes /p/a");
    assert_eq!(shown(runs("make")), "  │ make");
}

#[test]
fn nc_08_only_an_explicit_yes_is_a_yes() {
    let no = |text: &str| Some(Decision::No(Some(text.to_owned())));
    let cases = [
        ("y", Some(Decision::Yes)),
        (" YES ", Some(Decision::Yes)),
        ("a", Some(Decision::Always)),
        ("Always", Some(Decision::Always)),
        ("n", Some(Decision::No(None))),
        ("No", Some(Decision::No(None))),
        ("", None),
        ("   ", None),
        ("ok", None),
        ("sure", None),
        ("approve", None),
        ("use rg instead", no("use rg instead")),
        ("yes please", no("yes please")),
        ("не надо", no("не надо")),
    ];
    for (line, decision) in cases {
        let mut sitting = Sitting::working();
        sitting.ask(7, permit("1", "make"));
        sitting.seen();
        sitting.line(line);
        let expected: Vec<Action> =
            decision.iter().map(|decision| answer(7, decision.clone())).collect();
        assert_eq!(sitting.done(), expected, "{line:?}");
        let again = if decision.is_none() { format!("{WAYS}answer › ") } else { String::new() };
        assert_eq!(sitting.seen(), format!("{line}\n{again}"), "{line:?}");
    }
}

#[test]
fn nc_07_a_second_question_waits_for_the_first() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.ask(2, permit("2", "make install"));
    let make = format!("? bash make\n  │ make\n{WAYS}answer › ");
    assert_eq!(sitting.seen(), make);
    sitting.line("y");
    assert_eq!(sitting.done(), [answer(1, Decision::Yes)]);
    let install = format!("y\n? bash make install\n  │ make install\n{WAYS}answer › ");
    assert_eq!(sitting.seen(), install);
    sitting.line("n");
    assert_eq!(sitting.done(), [answer(2, Decision::No(None))]);
    assert_eq!(sitting.seen(), "n\n");
}

#[test]
fn a_sub_agents_question_says_whose_it_is() {
    let mut sitting = Sitting::working();
    let question = choose(&[]);
    sitting.event_of("c1", Event::Ask { ask: purlin_engine::event::AskId(3), question });
    assert_eq!(sitting.seen(), "  [a1] ? Which one?\n  [a1]   answer in your own words\nanswer › ");
}

#[test]
fn a_refused_call_is_told_under_its_title() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.line("n");
    sitting.seen();
    sitting.event(failed("1", "the person said no"));
    assert_eq!(sitting.seen(), "↳ bash make\n    failed: the person said no\n");
}

#[test]
fn choices_are_taken_by_number_or_by_words() {
    let said = |question: Question, line: &str| {
        let mut sitting = Sitting::working();
        sitting.ask(1, question);
        sitting.line(line);
        sitting.done()
    };
    let told = |text: &str| vec![answer(1, Decision::Text(text.to_owned()))];
    let two = || choose(&["sqlite", "postgres"]);
    assert_eq!(said(two(), "2"), told("postgres"));
    assert_eq!(said(two(), "SQLite"), told("sqlite"));
    assert_eq!(said(two(), "neither, use files"), told("neither, use files"));
    assert_eq!(said(two(), "/var/db"), told("/var/db"));
    assert_eq!(said(two(), "/tmp"), told("/tmp"));
    assert_eq!(said(two(), "exit"), told("exit"), "free words, not a way out");
    assert_eq!(said(two(), "3"), []);
    assert_eq!(said(two(), "0"), []);
    assert_eq!(said(two(), ""), []);
    assert_eq!(said(choose(&[]), "42"), told("42"));
    assert_eq!(said(choose(&["2", "1"]), "1"), told("1"), "words before numbers");
}

#[test]
fn choices_are_numbered() {
    let mut sitting = Sitting::working();
    sitting.ask(1, choose(&["sqlite", "postgres"]));
    assert_eq!(
        sitting.seen(),
        "? Which one?\n  1  sqlite\n  2  postgres\n  a number, or an answer in your own words\n\
         answer › "
    );
}

#[test]
fn a_command_still_works_while_a_question_is_open() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.seen();
    sitting.line("/model");
    assert_eq!(sitting.seen(), "/model\nm-1 (acme)\nanswer › ");
    sitting.line("/modle");
    assert!(sitting.seen().contains("did you mean /model?"));
    assert_eq!(sitting.done(), [], "neither was an answer");
    sitting.line("//");
    assert_eq!(sitting.done(), [crate::sitting::steer("/modle")], "nor is this");
    sitting.line("exit");
    assert_eq!(sitting.done().last(), Some(&Action::Quit));
}

#[test]
fn events_do_not_swallow_the_prompt_of_an_open_question() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.seen();
    sitting.event(text("Meanwhile"));
    assert_eq!(sitting.seen(), "\nMeanwhile\nanswer › ");
}

#[test]
fn a_turn_that_ends_takes_its_questions_with_it() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.event(done());
    sitting.line("y");
    assert_eq!(sitting.done(), [crate::sitting::prompt("y")]);
}

#[test]
fn a_question_asked_after_ctrl_c_is_not_shown() {
    let mut sitting = Sitting::working();
    sitting.input(Input::Interrupt);
    sitting.ask(1, permit("1", "make"));
    assert_eq!(sitting.seen(), "");
}

#[test]
fn nobody_at_the_end_of_a_pipe_says_yes() {
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.done();
    sitting.input(Input::EndOfInput);
    let nobody = || Decision::No(Some("nobody is there to be asked".into()));
    assert_eq!(sitting.done(), [answer(1, nobody())]);
    sitting.ask(2, permit("2", "make install"));
    assert_eq!(sitting.done(), [answer(2, nobody())]);
    sitting.seen();
    sitting.event(failed("2", "not permitted"));
    assert_eq!(sitting.seen(), "\n↳ bash make install\n    failed: not permitted\n");
    sitting.event(Event::Said(UserMessage::person("late")));
    sitting.event(done());
    assert_eq!(sitting.done(), [Action::Quit]);
}

#[test]
fn a_call_of_the_next_turn_with_the_same_id_has_not_been_seen() {
    let diff = "edited a\n@@ -1 +1 @@\n-x\n+y";
    let mut sitting = Sitting::working();
    sitting.ask(1, permit("1", "make"));
    sitting.line("y");
    sitting.event(done());
    sitting.seen();
    sitting.event(failed("1", "no such tool"));
    assert_eq!(sitting.seen(), "\n↳ 1\n    failed: no such tool\n› ");
    sitting.event(started("1", "edit_file a", writes("/a")));
    sitting.event(answered("1", diff));
    assert!(sitting.seen().contains("    -x\n    +y\n"));
}
