//! What lines come to: forks, rewinds, checkpoints, and that the live session is the fold.

use proptest::prelude::*;
use purlin_engine::event::Tier;
use purlin_engine::listen::Change;
use purlin_engine::message::{
    Block, Body, Item, Origin, Output, Reply, Source, Stop, ToolCall, Usage, UserMessage,
};
use purlin_engine::session::{Cut, Entry, Session, fold};
use serde_json::{Value, json};

use crate::common::{Memory, story};

fn said(text: &str) -> Entry {
    Entry::User(UserMessage::person(text))
}

fn reply(id: u64, calls: usize) -> Entry {
    let call = |n: usize| {
        Body::Call(ToolCall {
            id: format!("{id}-{n}"),
            name: "t".to_owned(),
            args: "{}".to_owned(),
        })
    };
    let blocks: Vec<Block> = std::iter::once(Body::Text(format!("reply {id}")))
        .chain((0..calls).map(call))
        .map(Block::from)
        .collect();
    let (origin, usage) = (Origin::default(), Usage::default());
    Entry::Reply(Reply { blocks, origin, usage, stop: Stop::End })
}

fn result(call: usize, text: &str) -> Entry {
    Entry::Result { call, output: Output::text(text) }
}

fn state(key: &str, value: Value) -> Entry {
    Entry::State { key: key.to_owned(), value }
}

#[test]
fn a_fork_is_two_lines_with_one_parent() {
    let memory = Memory::default();
    let mut session = memory.session();
    session.append(said("one"));
    let fork = session.append(said("two"));
    let left = session.append(said("left"));
    session.rewind(fork).unwrap();
    assert_eq!(story(session.folded()), ["person: one", "person: two"]);
    let right = session.append(said("right"));
    session.append(said("further right"));
    let lines = memory.0.lock().unwrap().clone();
    let parent = |line: u64| {
        let line: Value = serde_json::from_str(&lines[line as usize]).unwrap();
        line["parent"].clone()
    };
    assert_eq!(
        [parent(left), parent(right), parent(right + 1)],
        [json!(null), json!(2), json!(null)]
    );
    let at = |line| story(&fold("memory", &lines, line));
    assert_eq!(at(left), ["person: one", "person: two", "person: left"]);
    assert_eq!(
        at(right + 1),
        ["person: one", "person: two", "person: right", "person: further right"]
    );
    assert_eq!(*session.folded(), memory.folded());
}

#[test]
fn a_rewind_takes_the_state_back_too() {
    let memory = Memory::default();
    let mut session = memory.session();
    let before = session.append(state("mode", json!("plan")));
    session.append(state("mode", Value::Null));
    session.append(said("x"));
    session.rewind(before).unwrap();
    assert_eq!(session.folded().state["mode"], "plan");
    session.rewind(0).unwrap();
    assert!(session.folded().state.is_empty() && session.folded().items.is_empty());
}

#[test]
fn parents_that_lead_nowhere_or_in_circles_are_the_line_above() {
    let line = |parent: u64, text: &str| {
        let mut line = serde_json::to_value(said(text)).unwrap();
        line["parent"] = json!(parent);
        line.to_string()
    };
    let lines = ["{}".to_owned(), line(9, "a"), line(2, "b"), line(u64::MAX, "c")];
    assert_eq!(story(&fold("s", &lines, 3)), ["person: a", "person: b", "person: c"]);
    assert_eq!(story(&fold("s", &lines, 99)), ["person: a", "person: b", "person: c"]);
    assert!(fold("s", &[], 5).items.is_empty());
}

#[test]
fn what_a_crash_left_unanswered_was_interrupted() {
    let memory = Memory::default();
    let mut session = memory.session();
    session.append(said("go"));
    session.append(reply(1, 3));
    session.append(result(1, "real"));
    assert_eq!(session.folded().unanswered().map(|(index, _)| index).collect::<Vec<_>>(), [0, 2]);
    let again = memory.session();
    let answers = ["person: go", "model: reply 1", "t: interrupted", "t: real", "t: interrupted"];
    assert_eq!(story(again.folded()), answers);
}

#[test]
fn a_gap_inside_a_step_stands_after_it_and_costs_only_what_it_covers() {
    let memory = Memory::default();
    let mut session = memory.session();
    session.append(said("go"));
    session.append(reply(1, 2));
    session.append(result(0, "lost"));
    session.append(result(1, "kept"));
    memory.0.lock().unwrap()[3] = "torn".to_owned();
    let folded = memory.folded();
    let found = story(&folded);
    assert_eq!(found[..4], ["person: go", "model: reply 1", "t: interrupted", "t: kept"]);
    assert!(found[4].contains("could not be read"), "{found:?}");
    assert_ne!(folded.items[1].0, folded.items[2].0);
}

#[test]
fn checkpoints_are_undone_one_by_one() {
    let change = |path: &str| Change { path: path.into(), before: None, after: None };
    let checkpoint =
        |path, undoes| Entry::Checkpoint { call: None, changes: vec![change(path)], undoes };
    let mut session = Memory::default().session();
    let one = session.append(checkpoint("a", None));
    let two = session.append(checkpoint("b", None));
    session.append(checkpoint("b", Some(two)));
    let left: Vec<_> = session.folded().checkpoints.iter().map(|(line, _)| *line).collect();
    assert_eq!(left, [one]);
    assert_eq!(session.folded().changes.len(), 3);
}

/// What is done to a session.
#[derive(Clone, Debug)]
enum Op {
    Append(Entry),
    Rewind(u64),
    Reopen,
}

fn entry() -> impl Strategy<Value = Entry> {
    let text = "[a-zé\"\\\\\n]{0,12}";
    prop_oneof![
        3 => text.prop_map(|text| said(&text)),
        3 => (any::<u64>(), 0..4usize).prop_map(|(id, calls)| reply(id, calls)),
        4 => (0..4usize, text).prop_map(|(call, text)| result(call, &text)),
        1 => (0..30u64, 0..3usize, text)
            .prop_map(|(line, index, text)| Entry::Trimmed { cuts: vec![Cut { line, index, text }] }),
        1 => (prop::option::of(0..30u64), text).prop_map(|(from, text)| Entry::Compacted {
            tier: Tier::Collapse,
            from,
            message: UserMessage::text(Source::Summary, text),
        }),
        1 => ("[ab]", prop::option::of(text)).prop_map(|(key, value)| state(&key, json!(value))),
        1 => (prop::option::of(0..30u64)).prop_map(|undoes| Entry::Checkpoint {
            call: None,
            changes: vec![Change { path: "a".into(), before: None, after: None }],
            undoes,
        }),
        1 => text.prop_map(|text| Entry::Note { text }),
        1 => Just(Entry::Model(Origin::default())),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => entry().prop_map(Op::Append),
        1 => (0..30u64).prop_map(Op::Rewind),
        1 => Just(Op::Reopen),
    ]
}

/// Both ways of leaving a place close its open step, as a person's message would.
fn settle(session: &mut Session) {
    session.append(said("and now"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_live_session_is_the_fold_of_its_journal(ops in prop::collection::vec(op(), 0..40)) {
        let memory = Memory::default();
        let mut session = memory.session();
        for op in ops {
            match op {
                Op::Append(entry) => drop(session.append(entry)),
                Op::Rewind(line) => {
                    session.rewind(line).unwrap();
                    settle(&mut session);
                }
                Op::Reopen => {
                    session = memory.session();
                    settle(&mut session);
                }
            }
        }
        settle(&mut session);
        let found = memory.folded();
        prop_assert_eq!(session.folded(), &found);
        let calls = |item: &Item| match item {
            Item::Step(step) => (step.reply().calls().count(), step.answers().count()),
            Item::User(_) => (0, 0),
        };
        for (_, item) in &found.items {
            let (asked, answered) = calls(item);
            prop_assert_eq!(asked, answered);
        }
    }
}
