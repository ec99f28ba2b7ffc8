//! What can be typed after a slash.

use std::path::PathBuf;

use purlin_engine::budget::Spent;
use purlin_engine::event::{Command, Event, Tier};
use purlin_engine::listen::Change;
use purlin_engine::message::{Origin, Usage, UserMessage};
use purlin_tui::{Action, Input, Listed, commands};
use serde_json::{Value, json};

use crate::sitting::{Sitting, done, prompt, session, steer};

fn mode(value: Value) -> Action {
    Action::Send(Command::Set { key: "mode".into(), value })
}

fn mode_is(value: Value) -> Event {
    Event::State { key: "mode".into(), value }
}

/// What a line does in a session that has just begun, and what it shows.
fn typed(line: &str) -> (Vec<Action>, String) {
    let mut sitting = Sitting::new();
    sitting.line(line);
    (sitting.done(), sitting.seen())
}

#[test]
fn every_command_does_its_one_thing() {
    let send = |command| vec![Action::Send(command)];
    let cases = [
        ("/clear", vec![Action::NewSession]),
        ("/reset", vec![Action::NewSession]),
        ("/model big-one", send(Command::Model("big-one".into()))),
        ("/compact", send(Command::Compact)),
        ("/diff", send(Command::Diff)),
        ("/undo", send(Command::Undo)),
        ("/plan", vec![mode(json!("plan"))]),
        ("/plan on", vec![mode(json!("plan"))]),
        ("/plan OFF", vec![mode(Value::Null)]),
        ("/save", vec![Action::Save(None)]),
        ("/save café 2", vec![Action::Save(Some("café 2".into()))]),
        ("/sessions", vec![Action::Sessions]),
        ("/resume", vec![Action::Resume(None)]),
        ("/resume  s7 ", vec![Action::Resume(Some("s7".into()))]),
        ("/exit", vec![Action::Quit]),
        ("/quit", vec![Action::Quit]),
    ];
    for (line, expected) in cases {
        let (done, seen) = typed(line);
        assert_eq!(done, expected, "{line}");
        assert_eq!(seen, format!("{line}\n"), "{line}: the prompt waits for what comes of it");
    }
}

#[test]
fn help_lists_every_command_and_explains_each() {
    let (_, seen) = typed("/help");
    for command in commands::all() {
        assert!(seen.contains(&format!("  {command} ")), "{command} in\n{seen}");
        assert!(seen.contains(command.doc), "{command}");
        for name in command.names() {
            let (done, seen) = typed(&format!("/help {name}"));
            let expected = format!("{command}\n{}\n{}\n› ", command.doc, command.long);
            assert_eq!((done, seen), (vec![], format!("/help {name}\n{expected}")));
        }
    }
    assert!(typed("/help /model").1.contains("/model [NAME]\n"));
    assert_eq!(
        typed("/help modle").1,
        "/help modle\nthere is no command /modle; did you mean /model?\n› "
    );
}

#[test]
fn names_are_unique_and_documented() {
    let mut names: Vec<&str> = commands::all().iter().flat_map(|c| c.names()).collect();
    names.sort_unstable();
    let mut unique = names.clone();
    unique.dedup();
    assert_eq!(names, unique);
    for command in commands::all() {
        assert!(command.names().all(|name| name == name.to_lowercase()), "{command}");
        assert!(!command.doc.ends_with('.') && !command.doc.contains('\n'), "{command}");
        assert!(command.long.ends_with(|c| ".:".contains(c)) || command.name == "approve");
    }
}

#[test]
fn cc_58_names_in_any_case_arguments_and_paths() {
    assert!(typed("/Help").1.contains("/compact"));
    assert_eq!(typed("/PLAN On").0, [mode(json!("plan"))]);
    assert_eq!(typed("/plan\ton").0, [mode(json!("plan"))]);
    for line in ["/usr/bin/x is broken?", "/etc/hosts", "/a/b\nand more", "// a comment, why?"] {
        assert_eq!(typed(line).0, [prompt(line)], "{line:?}");
    }
    assert_eq!(typed("//help is odd").0, [prompt("/help is odd")]);
}

#[test]
fn cc_58_an_unknown_command_is_not_sent_and_not_lost() {
    let mut sitting = Sitting::new();
    sitting.line("/modle is what I typed");
    assert_eq!(sitting.done(), []);
    assert_eq!(
        sitting.seen(),
        "/modle is what I typed\n\
         there is no command /modle; did you mean /model?\n\
         nothing was sent; // alone sends your line as it is\n\
         › "
    );
    sitting.line("//");
    assert_eq!(sitting.done(), [prompt("/modle is what I typed")]);
    sitting.event(done());
    sitting.event(done());
    sitting.seen();
    sitting.line("//");
    assert_eq!(sitting.seen(), "//\nthere is no line that was not sent\n› ");
}

#[test]
fn cc_58_arguments_that_make_no_sense_are_named() {
    let (done, seen) = typed("/plan now");
    assert_eq!(
        (done, seen.as_str()),
        (vec![], "/plan now\n/plan takes on, off or nothing, not \"now\"\n› ")
    );
}

#[test]
fn near_names_are_begun_or_a_slip_away() {
    assert_eq!(commands::near("comp"), ["compact"]);
    assert_eq!(commands::near("sesions"), ["sessions"]);
    assert_eq!(commands::near("quti"), ["quit"]);
    assert_eq!(commands::near("RE"), ["reset", "resume"]);
    assert_eq!(commands::near("zzzzzz"), Vec::<&str>::new());
    assert!(typed("/zzzzzz").1.contains("/help lists them"));
    assert_eq!(typed("/").0, []);
}

#[test]
fn clear_keeps_the_old_session_and_says_its_id() {
    let mut sitting = Sitting::working();
    sitting.event(done());
    sitting.line("/clear");
    sitting.seen();
    sitting.input(Input::Opened(session("s2", 0)));
    assert_eq!(
        sitting.seen(),
        "m-1 (acme) · session s2 · /help\nthe session before is kept: /resume s1\n› "
    );
    // Nothing was said in this one, so there is nothing to come back to.
    sitting.line("/clear");
    sitting.seen();
    sitting.input(Input::Opened(session("s3", 0)));
    assert_eq!(sitting.seen(), "m-1 (acme) · session s3 · /help\n› ");
}

#[test]
fn resume_says_where_it_is_or_why_not() {
    let mut sitting = Sitting::new();
    sitting.line("/resume s7");
    sitting.input(Input::Failed("there is no session s7".into()));
    sitting.line("/resume s8");
    sitting.input(Input::Opened(session("s8", 4)));
    assert_eq!(
        sitting.seen(),
        "/resume s7\nthere is no session s7\n› /resume s8\n\
         m-1 (acme) · session s8 · /help\nresumed s8, in which you said 4 things\n› "
    );
}

#[test]
fn sessions_are_listed_with_the_open_one_marked() {
    let listed = |id: &str, name: Option<&str>| Listed {
        id: id.into(),
        name: name.map(str::to_owned),
        when: "2 h ago".into(),
        about: "fix the\nparser".into(),
    };
    let mut sitting = Sitting::new();
    sitting.line("/sessions");
    sitting.input(Input::Sessions(vec![listed("s1", None), listed("s0", Some("café"))]));
    assert_eq!(
        sitting.seen(),
        "/sessions\n  s1  2 h ago  fix the ␊ parser  (this one)\n  \
         s0  2 h ago  café: fix the ␊ parser\n/resume ID goes on with one of them\n› "
    );
    sitting.line("/sessions");
    sitting.input(Input::Sessions((0..30).map(|n| listed(&format!("x{n}"), None)).collect()));
    assert!(sitting.seen().contains("\n  … 10 older ones\n"));
    sitting.line("/sessions");
    sitting.input(Input::Sessions(Vec::new()));
    assert_eq!(sitting.seen(), "/sessions\nthere are no sessions yet\n› ");
}

#[test]
fn save_says_the_name_it_got() {
    let mut sitting = Sitting::new();
    sitting.line("/save a/b");
    sitting.input(Input::Saved("a-b".into()));
    sitting.event(Event::State { key: "name".into(), value: json!("a-b") });
    assert_eq!(sitting.seen(), "/save a/b\nsaved as a-b\n› ", "said once");
    assert_eq!(sitting.state.session.and_then(|session| session.name).as_deref(), Some("a-b"));
}

#[test]
fn model_says_which_and_changes_it_when_the_engine_agrees() {
    let mut sitting = Sitting::new();
    sitting.line("/model");
    sitting.line("/model m-2");
    sitting.event(Event::Model(Origin { provider: "acme".into(), model: "m-2".into() }));
    sitting.line("/model m-9");
    sitting.event(Event::Notice("no model m-9".into()));
    sitting.line("/model");
    assert_eq!(
        sitting.seen(),
        "/model\nm-1 (acme)\n› /model m-2\nmodel: m-2 (acme)\n› /model m-9\nno model m-9\n\
         › /model\nm-2 (acme)\n› "
    );
}

#[test]
fn tokens_shows_the_whole_session() {
    let mut sitting = Sitting::new();
    sitting.line("/tokens");
    let usage =
        Usage { input: 1_234_567, cache_read: 1_000, cache_write: 2, output: 9, reasoning: 4 };
    let spent = Spent { usage, dollars: Some(1.5), calls: 3, context: 64_000, window: 128_000 };
    sitting.event(Event::Usage(spent));
    sitting.line("/cost");
    assert_eq!(
        sitting.seen(),
        "/tokens\n0 calls to models · 0 tokens in (0 cached), 0 out · $0.0000\ncontext: empty\n\
         › /cost\n3 calls to models · 1,235,569 tokens in (1,000 cached), 9 out (4 reasoning) · $1.5000\n\
         context: 64,000 of 128,000 tokens, 50%\n› "
    );
}

#[test]
fn what_the_engine_does_at_once_is_shown_before_the_next_prompt() {
    let changes = vec![Change {
        path: PathBuf::from("/p/a.rs"),
        before: Some("1".into()),
        after: Some("2".into()),
    }];
    let mut sitting = Sitting::new();
    sitting.line("/undo");
    sitting.event(Event::Changed { call: String::new(), changes });
    sitting.line("/undo");
    sitting.event(Event::Notice("there is nothing to undo".into()));
    sitting.line("/diff");
    sitting.event(Event::Diff("--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y\n".into()));
    sitting.line("/diff");
    sitting.event(Event::Diff(String::new()));
    sitting.line("/compact");
    sitting.event(Event::Compacted { tier: Tier::Summarise, before: 58_000, after: 2_000 });
    assert_eq!(
        sitting.seen(),
        "/undo\nundone: changed /p/a.rs\n\
         › /undo\nthere is nothing to undo\n\
         › /diff\n--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y\n\
         › /diff\nnothing has changed in this session\n\
         › /compact\nmade room: older messages became a summary, about 58,000 → 2,000 tokens\n› "
    );
}

#[test]
fn commands_work_in_a_turn_except_those_that_must_wait() {
    let mut sitting = Sitting::working();
    sitting.line("/diff");
    assert_eq!(sitting.done(), [Action::Send(Command::Diff)]);
    assert_eq!(sitting.seen(), "› /diff\n(when the turn has ended)\n");
    for name in ["clear", "undo", "resume"] {
        sitting.line(&format!("/{name}"));
        let wait = format!("/{name} has to wait for the turn to end; Ctrl+C stops it\n");
        assert_eq!(sitting.seen(), format!("› /{name}\n{wait}"));
    }
    assert_eq!(sitting.done(), []);
}

#[test]
fn plan_mode_is_what_the_engine_says_it_is() {
    let mut sitting = Sitting::new();
    sitting.line("/plan");
    sitting.event(mode_is(json!("plan")));
    assert_eq!(
        sitting.seen(),
        "/plan\nplan mode is on: nothing that changes anything runs; \"approve\" leaves it and has \
         the plan carried out\nplan › "
    );
    sitting.line("/plan");
    assert_eq!(sitting.done().last(), Some(&mode(Value::Null)));
    sitting.event(mode_is(Value::Null));
    assert_eq!(sitting.seen(), "/plan\nplan mode is off\n› ");
}

#[test]
fn approve_leaves_plan_mode_first_and_sends_the_word_on() {
    let planning = || {
        let mut sitting = Sitting::new();
        sitting.event(mode_is(json!("plan")));
        sitting
    };
    for (line, words) in [
        ("approve", "approve"),
        (" Approve ", "approve"),
        ("/approve", "approve"),
        ("/approve but skip the docs", "approve but skip the docs"),
    ] {
        let mut sitting = planning();
        sitting.line(line);
        assert_eq!(sitting.done(), [mode(Value::Null), prompt(words)], "{line:?}");
    }
    let mut sitting = planning();
    sitting.line("approve of this? explain");
    assert_eq!(sitting.done(), [prompt("approve of this? explain")], "still planning");
    assert_eq!(typed("approve").0, [prompt("approve")], "a word like any other");
    assert_eq!(typed("/approve").1, "/approve\nthere is no plan to approve: plan mode is off\n› ");
}

#[test]
fn in_a_turn_an_approval_waits_for_the_mode_to_change() {
    let mut sitting = Sitting::working();
    sitting.event(mode_is(json!("plan")));
    sitting.line("approve");
    assert_eq!(sitting.done(), [mode(Value::Null), prompt("approve")], "not steering");
    sitting.line("and hurry");
    assert_eq!(sitting.done(), [steer("and hurry")]);
}

#[test]
fn the_first_lines_say_what_is_open() {
    use purlin_tui::{Ink, Look, Reach, State, update};
    let look = Look { ink: Ink::Plain, input: Reach::Terminal, output: Reach::Terminal };
    let mut state = State::new(look);
    let Some(Action::Print(print)) = update(&mut state, Input::Opened(session("s1", 0))).pop()
    else {
        panic!("nothing is printed");
    };
    assert_eq!(print.text, "m-1 (acme) · session s1 · /help\n› ");
    assert_eq!(
        update(
            &mut state,
            Input::Told(purlin_engine::event::Told {
                agent: Default::default(),
                event: Event::Said(UserMessage::person("hi")),
            })
        ),
        []
    );
}
