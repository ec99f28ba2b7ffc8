//! A turn as it appears: text, thinking, calls, room made, what it cost, how it ended.

use std::path::PathBuf;

use purlin_engine::budget::Spent;
use purlin_engine::effect::Effect;
use purlin_engine::event::{Ended, Event, Tier};
use purlin_engine::listen::Change;
use purlin_engine::message::{Output, Source, Stop, Usage, UserMessage};
use purlin_engine::model::{Delta, Kind};
use purlin_tui::{Ink, Look, Reach};

use crate::sitting::{
    Sitting, answered, done, failed, numbered, prompt, reads, runs, started, steer, text, thinking,
    writes,
};

fn spent(calls: u64, input: u64, cached: u64, output: u64, dollars: Option<f64>) -> Event {
    let usage = Usage { input, cache_read: cached, output, ..Usage::default() };
    Event::Usage(Spent { usage, dollars, calls, context: 12_800, window: 128_000 })
}

fn end() -> Event {
    Event::Delta(Delta::End { usage: Usage::default(), stop: Stop::End })
}

#[test]
fn a_turn_shows_text_calls_the_diff_and_what_it_cost() {
    let mut sitting = Sitting::new();
    sitting.line("rename foo to bar");
    assert_eq!(sitting.done(), [prompt("rename foo to bar")]);
    sitting.event(Event::Said(UserMessage::person("rename foo to bar")));
    for piece in ["I will ", "look", " first."] {
        sitting.event(text(piece));
    }
    sitting.event(Event::Delta(Delta::Call { id: "1".into(), name: "read_file".into() }));
    sitting.event(started("1", "read_file a.rs", reads("/p/a.rs")));
    sitting.event(answered("1", "1\tfoo();"));
    sitting.event(end());
    sitting.event(Event::Replied);
    sitting.event(started("2", "edit_file a.rs", writes("/p/a.rs")));
    sitting.event(answered("2", "edited a.rs (+1 −1)\n@@ -1 +1 @@\n-foo();\n+bar();\n"));
    sitting.event(text("Done."));
    sitting.event(end());
    sitting.event(spent(2, 2_000, 1_500, 321, Some(0.0123)));
    sitting.event(done());
    assert_eq!(
        sitting.seen(),
        "rename foo to bar\n\
         I will look first.\n\
         ● read_file a.rs\n    \
             1\tfoo();\n\
         ● edit_file a.rs\n    \
             edited a.rs (+1 −1)\n    \
             @@ -1 +1 @@\n    \
             -foo();\n    \
             +bar();\n\
         Done.\n\
         3,500 tokens in (1,500 cached), 321 out · $0.0123 · context 10%\n\
         › "
    );
    assert_eq!(sitting.out(), "I will look first.Done.\n", "the text and nothing else");
}

#[test]
fn the_next_turn_counts_from_where_the_last_one_ended() {
    let mut sitting = Sitting::working();
    sitting.event(spent(1, 1_000, 0, 10, Some(0.01)));
    sitting.event(done());
    sitting.line("and now?");
    sitting.event(Event::Said(UserMessage::person("and now?")));
    sitting.seen();
    sitting.event(spent(2, 1_500, 700, 30, Some(0.015)));
    sitting.event(done());
    let line = "1,200 tokens in (700 cached), 20 out · $0.0050 · context 10%\n› ";
    assert_eq!(sitting.seen(), line);
}

#[test]
fn an_unknown_price_is_said_and_not_shown_as_nothing() {
    let mut sitting = Sitting::working();
    sitting.event(spent(1, 1_000, 0, 10, None));
    sitting.event(done());
    let line = "1,000 tokens in (0 cached), 10 out · price unknown · context 10%\n› ";
    assert_eq!(sitting.seen(), line);
}

#[test]
fn thinking_is_named_and_stands_apart_from_the_text() {
    let mut sitting = Sitting::working();
    sitting.event(Event::Delta(Delta::Open(Kind::Thinking)));
    sitting.event(thinking("hm, "));
    sitting.event(thinking("yes"));
    sitting.event(text("It is the parser."));
    sitting.event(thinking("or not"));
    assert_eq!(sitting.seen(), "thinking: hm, yes\nIt is the parser.\nthinking: or not");
    assert_eq!(sitting.out(), "It is the parser.");
}

#[test]
fn answers_that_overlap_find_their_titles_again() {
    let mut sitting = Sitting::working();
    sitting.event(started("1", "read_file a.rs", reads("/p/a.rs")));
    sitting.event(started("2", "read_file b.rs", reads("/p/b.rs")));
    sitting.event(answered("1", "a"));
    sitting.event(answered("2", ""));
    assert_eq!(
        sitting.seen(),
        "● read_file a.rs\n● read_file b.rs\n↳ read_file a.rs\n    a\n↳ read_file b.rs\n    \
         (no output)\n"
    );
}

#[test]
fn long_answers_are_bounded_by_what_they_are() {
    let mut sitting = Sitting::working();
    sitting.event(started("1", "read_file a.rs", reads("/p/a.rs")));
    sitting.event(answered("1", &numbered(50)));
    sitting.event(started("2", "bash cargo test", runs("cargo test")));
    sitting.event(answered("2", &numbered(50)));
    sitting.event(started("3", "agent find it", Effect::Agent));
    sitting.event(answered("3", &numbered(14)));
    assert_eq!(
        sitting.seen(),
        "● read_file a.rs\n    line 1\n    line 2\n    line 3\n    … 47 more lines\n\
         ● bash cargo test\n    line 1\n    line 2\n    line 3\n    line 4\n    … 38 more lines\n    \
         line 43\n    line 44\n    line 45\n    line 46\n    line 47\n    line 48\n    line 49\n    \
         line 50\n\
         ● agent find it [a1]\n    line 1\n    line 2\n    line 3\n    line 4\n    line 5\n    line 6\n    \
         line 7\n    line 8\n    line 9\n    line 10\n    line 11\n    line 12\n    … 2 more lines\n"
    );
}

#[test]
fn of_a_programs_output_only_lines_that_say_something_are_shown() {
    let mut sitting = Sitting::working();
    sitting.event(started("1", "bash make", runs("make")));
    sitting.event(failed("1", "\n\nrunning 1 test\n\n\nFAILED\n[exit 101]\n"));
    let expected = "● bash make\n    failed: running 1 test\n    FAILED\n    [exit 101]\n";
    assert_eq!(sitting.seen(), expected);
}

#[test]
fn one_endless_line_is_cut_too() {
    let mut sitting = Sitting::working();
    sitting.event(started("1", "read_file a.js", reads("/p/a.js")));
    sitting.event(answered("1", &"x".repeat(100_000)));
    assert!(sitting.seen().ends_with(&format!("\n    {}…\n", "x".repeat(200))));
}

#[test]
fn a_failure_is_a_word_and_a_refused_call_has_its_name() {
    let mut sitting = Sitting::working();
    sitting.event(Event::Delta(Delta::Call { id: "1".into(), name: "bash".into() }));
    sitting.event(failed("1", "command: missing\nsay which"));
    assert_eq!(sitting.seen(), "↳ bash\n    failed: command: missing\n    say which\n");
}

#[test]
fn colour_repeats_what_the_signs_say() {
    let look = Look { ink: Ink::Colour, input: Reach::Elsewhere, output: Reach::Terminal };
    let mut sitting = Sitting::with(look);
    sitting.event(started("1", "edit_file a", writes("/a")));
    sitting.event(answered("1", "@@ -1 +1 @@\n-old\n+new"));
    sitting.event(failed("1", "no"));
    assert_eq!(
        sitting.seen(),
        "\n\x1b[32m●\x1b[0m edit_file a\n› \n\
         \x1b[2m↳\x1b[0m edit_file a\n    \x1b[36m@@ -1 +1 @@\x1b[0m\n    \x1b[31m-old\x1b[0m\n    \
         \x1b[32m+new\x1b[0m\n› \n\
         \x1b[2m↳\x1b[0m edit_file a\n    \x1b[31mfailed:\x1b[0m no\n› "
    );
}

#[test]
fn sub_agents_speak_behind_their_short_names_and_do_not_mix_their_text() {
    let mut sitting = Sitting::working();
    sitting.event(started("c1", "agent find the bug", Effect::Agent));
    sitting.event(started("c2", "agent read the docs", Effect::Agent));
    sitting.event_of("c1", text("I will"));
    sitting.event_of("c2", started("1", "read_file b", reads("/b")));
    sitting.event_of("c1", started("1", "read_file a", reads("/a")));
    sitting.event_of("c2", answered("1", "b\nb"));
    sitting.event_of("c1/c3", Event::Notice("deeper".into()));
    sitting.event_of("c1", Event::Ended(Ended::Limit("20 rounds".into())));
    sitting.event_of("c2", done());
    assert_eq!(
        sitting.seen(),
        "● agent find the bug [a1]\n\
         ● agent read the docs [a2]\n  \
         [a2] ● read_file b\n  \
         [a1] ● read_file a\n  \
         [a2] ↳ read_file b\n  \
         [a2]     b\n  \
         [a2]     b\n  \
         [a3] deeper\n  \
         [a1] limit: 20 rounds\n  \
         [a1] hint: /tokens shows what this session has used\n"
    );
    assert_eq!(sitting.out(), "");
}

#[test]
fn a_sub_agents_window_is_not_the_sessions() {
    let mut sitting = Sitting::working();
    sitting.event(spent(1, 1_000, 0, 10, Some(0.0)));
    let usage = Usage { input: 2_000, ..Usage::default() };
    let shared = Spent { usage, dollars: Some(0.0), calls: 2, context: 9, window: 10 };
    sitting.event_of("c1", Event::Usage(shared));
    sitting.event(done());
    let line = "2,000 tokens in (0 cached), 0 out · $0.0000 · context 10%\n› ";
    assert_eq!(sitting.seen(), line);
}

#[test]
fn a_reply_that_begins_anew_says_why_and_when() {
    let mut sitting = Sitting::working();
    sitting.event(text("I thi"));
    let why = "connection reset".to_owned();
    sitting.event(Event::Delta(Delta::Restart { attempt: 2, why, wait_ms: 1_500 }));
    sitting.event(text("I think"));
    assert_eq!(
        sitting.seen(),
        "I thi\nagain in 1.5 s (attempt 2), without what was said above: connection reset\nI think"
    );
}

#[test]
fn room_that_was_made_is_a_line() {
    let mut sitting = Sitting::working();
    for (tier, before, after) in [
        (Tier::Trim, 64_000, 40_000),
        (Tier::Summarise, 90_000, 9_000),
        (Tier::Collapse, 120_000, 800),
    ] {
        sitting.event(Event::Compacted { tier, before, after });
    }
    assert_eq!(
        sitting.seen(),
        "made room: old outputs were shortened, about 64,000 → 40,000 tokens\n\
         made room: older messages became a summary, about 90,000 → 9,000 tokens\n\
         made room: older messages became a list, about 120,000 → 800 tokens\n"
    );
}

#[test]
fn only_files_that_nobody_named_are_listed_after_a_call() {
    let change = |path: &str, before: Option<&str>, after: Option<&str>| Change {
        path: PathBuf::from(path),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let changes = vec![
        change("/p/a", None, Some("1")),
        change("/p/b", Some("1"), None),
        change("/p/c", Some("1"), Some("2")),
    ];
    let mut sitting = Sitting::working();
    sitting.event(started("1", "bash make", runs("make")));
    sitting.event(answered("1", "ok"));
    sitting.event(Event::Changed { call: "1".into(), changes: changes.clone() });
    sitting.event(started("2", "edit_file a", writes("/p/a")));
    sitting.event(answered("2", "ok"));
    sitting.event(Event::Changed { call: "2".into(), changes });
    assert_eq!(
        sitting.seen(),
        "● bash make\n    ok\n    created /p/a, deleted /p/b, changed /p/c\n● edit_file a\n    ok\n"
    );
}

#[test]
fn what_changed_inside_the_project_is_named_from_its_root() {
    let change = |path: &str| Change {
        path: PathBuf::from(path),
        before: None,
        after: Some("1".to_owned()),
    };
    let mut sitting = Sitting::working();
    sitting.state.page.root = "/p".into();
    let changes = vec![change("/p/src/a.rs"), change("/private/b")];
    sitting.event(Event::Changed { call: String::new(), changes });
    assert_eq!(sitting.seen(), "undone: created src/a.rs, created /private/b\n");
}

#[test]
fn every_end_but_done_says_what_happened_and_what_to_do() {
    let ends = [
        (Ended::Interrupted, "interrupted: what was done stays done\nhint: say how to go on"),
        (Ended::Limit("50 rounds".into()), "limit: 50 rounds\nhint: /tokens"),
        (Ended::Budget("$1 of $1".into()), "budget: $1 of $1\nhint: the session is kept"),
        (Ended::Repetition("5 times".into()), "stopped: 5 times\nhint: say what to try instead"),
        (
            Ended::Refused("rm".into()),
            "not permitted: rm\nhint: run it yourself, or start again with --yes and then everything may run",
        ),
        (Ended::Auth("401".into()), "the key was not accepted: 401\nhint: check the key"),
        (Ended::Provider("503".into()), "the provider failed: 503\nhint: nothing is lost"),
        (Ended::Failed("odd".into()), "failed: odd\nhint: nothing is lost"),
    ];
    for (ended, words) in ends {
        let mut sitting = Sitting::working();
        sitting.event(text("so"));
        sitting.event(Event::Ended(ended));
        let seen = sitting.seen();
        assert!(seen.starts_with(&format!("so\n{words}")), "{seen}");
        assert!(seen.ends_with("\n› "), "{seen}");
    }
}

#[test]
fn a_line_in_a_turn_steers_and_the_prompt_comes_back_when_all_is_said() {
    let mut sitting = Sitting::working();
    sitting.event(text("Reading"));
    sitting.line("only the tests");
    assert_eq!(sitting.done(), [steer("only the tests")]);
    assert_eq!(
        sitting.seen(),
        "Reading\n› only the tests\n(the model reads this before it goes on)\n"
    );
    // It came too late for the turn, so the engine begins another.
    sitting.event(done());
    assert_eq!(sitting.seen(), "", "no prompt yet");
    sitting.event(Event::Said(UserMessage::person("only the tests")));
    sitting.event(done());
    assert_eq!(sitting.seen(), "› ");
}

#[test]
fn a_message_that_a_hook_kept_back_does_not_keep_back_the_prompt() {
    let mut sitting = Sitting::new();
    sitting.line("print the key");
    sitting.event(Event::Ended(Ended::Failed("the hook said no".into())));
    assert!(sitting.seen().ends_with("to try again\n› "));
    sitting.line("hello");
    sitting.event(Event::Said(UserMessage::text(Source::Hook, "be kind")));
    assert_eq!(sitting.seen(), "hello\nhook: be kind\n");
}

#[test]
fn text_that_goes_to_a_file_gets_no_line_end_of_ours() {
    let look = Look { ink: Ink::Plain, input: Reach::Terminal, output: Reach::Elsewhere };
    let mut sitting = Sitting::with(look);
    sitting.line("hi");
    sitting.event(text("one "));
    sitting.event(started("1", "read_file a", reads("/a")));
    sitting.event(answered("1", "x"));
    sitting.event(text("two"));
    sitting.event(end());
    assert_eq!(sitting.out(), "one two\n");
    assert_eq!(sitting.seen(), "one ● read_file a\n    x\ntwo\n");
}

#[test]
fn what_a_call_prints_meanwhile_waits_for_its_answer() {
    let mut sitting = Sitting::working();
    sitting.event(started("1", "bash make", runs("make")));
    sitting.event(Event::Progress { call: "1".into(), text: "cc a.c\n".into() });
    let output = Output::text("cc a.c\n").footer("[exit 0]");
    sitting.event(Event::Answered { call: "1".into(), output });
    assert_eq!(sitting.seen(), "● bash make\n    cc a.c\n    [exit 0]\n");
}

#[test]
fn a_line_for_a_turn_that_was_stopped_does_not_keep_back_the_prompt() {
    let mut sitting = Sitting::working();
    sitting.line("and hurry");
    sitting.event(Event::Ended(Ended::Interrupted));
    assert!(sitting.seen().ends_with("› "));
}
