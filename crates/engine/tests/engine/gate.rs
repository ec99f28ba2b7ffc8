//! The gate: rules relax, guards tighten, and nobody else makes a plan runnable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{BoxFuture, FutureExt as _, ready};
use proptest::prelude::*;
use purlin_engine::call;
use purlin_engine::effect::{Claim, CommandLine, Effect, Host};
use purlin_engine::gate::{Checked, Gate, Guard, Mode, Outcome, Plan, Preview, Rules, Verdict};
use purlin_engine::message::{Item, Output, ToolCall, plain};
use purlin_engine::tool::{Cx, Tool, ToolError};
use purlin_testkit::gate::{Always, shared};
use purlin_testkit::{Reply, Scripted};
use serde_json::json;

use crate::common::{Bench, keep};
use crate::tools::{Stage, what};

/// Says one thing of every call.
struct Says(Verdict);

impl Guard for Says {
    fn judge<'a>(&'a self, _: &'a Claim, _: Option<&'a Preview>) -> BoxFuture<'a, Verdict> {
        Box::pin(ready(self.0.clone()))
    }
}

fn claim(effect: Effect) -> Claim {
    let call = ToolCall { id: "1".to_owned(), name: "x".to_owned(), args: "{}".to_owned() };
    Claim { call, title: "x".to_owned(), effect }
}

fn plan(effect: Effect) -> Plan {
    Plan::new(claim(effect), None, ready(Outcome::Done(Output::default())))
}

fn gate(rule: Option<Verdict>, guards: impl IntoIterator<Item = Verdict>) -> Gate {
    let guards = guards.into_iter().map(|verdict| Box::new(Says(verdict)) as Box<dyn Guard>);
    Gate { rules: Box::new(Always(rule)), guards: guards.collect() }
}

fn no_other(_: String) -> BoxFuture<'static, Result<Plan, ToolError>> {
    Box::pin(ready(Err(ToolError::tell("not asked for"))))
}

/// What the gate says, in a word.
fn said(gate: &Gate, effect: Effect, mode: Mode) -> &'static str {
    let checked = gate.check(plan(effect), mode, &no_other).now_or_never().unwrap();
    match checked {
        Checked::Run(_) => "run",
        Checked::Ask(_) => "ask",
        Checked::Refuse(_) => "refuse",
    }
}

fn every_effect() -> Vec<Effect> {
    let exec = |proved| Effect::Exec(CommandLine { text: "x".to_owned(), cwd: "/".into(), proved });
    vec![
        Effect::reads(["/a".into()]),
        Effect::writes("/a".into()),
        exec(false),
        exec(true),
        Effect::Net(Host("h".to_owned())),
        Effect::Session,
        Effect::Agent,
        Effect::Unknown,
    ]
}

#[test]
fn without_a_rule_looking_and_talking_run_and_all_else_asks() {
    let found: Vec<_> =
        every_effect().into_iter().map(|e| said(&gate(None, []), e, Mode::Normal)).collect();
    assert_eq!(found, ["run", "ask", "ask", "ask", "ask", "run", "run", "ask"]);
}

#[test]
fn plan_mode_stands_above_every_rule() {
    let allow = gate(Some(Verdict::Allow), []);
    let found: Vec<_> = every_effect().into_iter().map(|e| said(&allow, e, Mode::Plan)).collect();
    let expected = ["run", "refuse", "refuse", "run", "refuse", "run", "run", "refuse"];
    assert_eq!(found, expected);
}

#[test]
fn a_guard_cannot_relax_what_a_rule_denies() {
    let deny = || Some(Verdict::Deny("never".to_owned()));
    for effect in every_effect() {
        assert_eq!(said(&gate(deny(), [Verdict::Allow]), effect, Mode::Normal), "refuse");
    }
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Allow), Just(Verdict::Ask), Just(Verdict::Deny("no".to_owned())),]
}

fn rank(said: &str) -> usize {
    ["run", "ask", "refuse"].iter().position(|word| *word == said).unwrap()
}

proptest! {
    #[test]
    fn guards_only_tighten(
        rule in prop::option::of(verdict()),
        guards in prop::collection::vec(verdict(), 0..4),
        more in verdict(),
        effect in prop::sample::select(every_effect()),
    ) {
        let fewer = said(&gate(rule.clone(), guards.clone()), effect.clone(), Mode::Normal);
        let all = guards.into_iter().chain([more]);
        let tighter = said(&gate(rule, all), effect, Mode::Normal);
        prop_assert!(rank(tighter) >= rank(fewer));
    }
}

/// Amends a command every time it is asked, and counts.
struct Wishes(&'static str, Arc<AtomicUsize>);

impl Guard for Wishes {
    fn judge<'a>(&'a self, _: &'a Claim, _: Option<&'a Preview>) -> BoxFuture<'a, Verdict> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Box::pin(ready(Verdict::Amend(what(self.0).to_string())))
    }
}

#[tokio::test]
async fn an_amended_call_is_claimed_and_judged_again_and_says_so() {
    let asked = Arc::new(AtomicUsize::new(0));
    let model =
        Scripted::new([Reply::new().call("touch", &what("first")), Reply::new().text("done")]);
    let wishes = Wishes("second", Arc::clone(&asked));
    let mut talk = Bench::new(model)
        .change(|bench| {
            bench.shared.gate.guards = vec![Box::new(wishes)];
            bench.shared.asks = purlin_engine::desk::Asks::Person;
        })
        .start();
    let turn = talk.turn("go").await;
    // Judged again, it wished again: that is not granted, and the person decides.
    assert_eq!(turn.questions().len(), 1);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(turn.started(), ["touch second"]);
    let note = "did second\n[run with other arguments: {\"what\":\"second\"}]";
    assert_eq!(talk.answer_to(0), note);
    let folded = talk.folded();
    let Item::Step(step) = &*folded.items[1].1 else { panic!() };
    let (call, _) = step.answers().next().unwrap();
    assert_eq!(call.args, what("first").to_string());
    talk.end().await;
}

/// Makes every path another, once.
struct Once(&'static str);

impl Guard for Once {
    fn judge<'a>(&'a self, claim: &'a Claim, _: Option<&'a Preview>) -> BoxFuture<'a, Verdict> {
        let wanted = what(self.0).to_string();
        let amend = claim.call.args != wanted;
        Box::pin(ready(if amend { Verdict::Amend(wanted) } else { Verdict::Allow }))
    }
}

#[tokio::test]
async fn amended_calls_that_now_conflict_do_not_overlap() {
    let call = |reply: Reply, n: usize| reply.call("touch", &what(&n.to_string()));
    let model = Scripted::new([(0..6).fold(Reply::new(), call), Reply::new().text("done")]);
    let mut talk = Bench::new(model)
        .change(|bench| bench.shared.gate.guards = vec![Box::new(Once("same"))])
        .start();
    talk.turn("go").await;
    let log = talk.stage.log();
    assert_eq!(log.len(), 12);
    for pair in log.chunks(2) {
        assert_eq!(pair, ["touch same", "touch same done"]);
    }
    talk.end().await;
}

#[tokio::test]
async fn a_look_that_turns_out_to_need_more_waits_for_the_reply() {
    let bench = Bench::new(Scripted::by(|_| Reply::new().text("done").into()));
    let (said, end) = (bench.stage.latch("said"), bench.stage.latch("end"));
    let reply = Reply::new()
        .call("needs", &what("x"))
        .call("look", &json!({"what": "y", "begun": "begun"}))
        .reached(&said)
        .wait(&end);
    let model = Scripted::new([reply, Reply::new().text("done")]);
    let mut talk = Bench { model: model.into(), ..bench }.start();
    talk.prompt("go");
    talk.reached("begun").await;
    assert!(!talk.stage.log().contains(&"run x".to_owned()));
    end.open();
    talk.rest().await;
    assert_eq!(talk.answer_to(0), "did x");
    talk.end().await;
}

#[tokio::test]
async fn a_denial_is_told_in_the_guards_words() {
    let model = Scripted::new([Reply::new().call("touch", &what("a")), Reply::new().text("done")]);
    let deny = Says(Verdict::Deny("use the other folder".to_owned()));
    let mut talk =
        Bench::new(model).change(|bench| bench.shared.gate.guards = vec![Box::new(deny)]).start();
    talk.turn("go").await;
    assert_eq!(talk.answer_to(0), "use the other folder");
    assert!(talk.answers()[0].failed && talk.stage.log().is_empty());
    talk.end().await;
}

/// Waits for what writes nothing, too.
struct Waits;

impl Guard for Waits {
    fn judge<'a>(&'a self, _: &'a Claim, _: Option<&'a Preview>) -> BoxFuture<'a, Verdict> {
        Box::pin(ready(Verdict::Allow))
    }

    fn waits(&self, claim: &Claim) -> bool {
        claim.effect == Effect::reads(["/slow".into()])
    }
}

#[test]
fn early_is_what_only_looks_and_nobody_asks_about() {
    let early = |gate: &Gate| -> Vec<bool> {
        every_effect().into_iter().map(|effect| gate.early(&claim(effect))).collect()
    };
    let only_the_look = [true, false, false, false, false, false, false, false];
    assert_eq!(early(&gate(None, [])), only_the_look);
    assert_eq!(early(&gate(Some(Verdict::Allow), [])), only_the_look);
    assert_eq!(early(&gate(Some(Verdict::Ask), [])), [false; 8]);
    let waiting = Gate { rules: Box::new(Always(None)), guards: vec![Box::new(Waits)] };
    assert!(!waiting.early(&claim(Effect::reads(["/slow".into()]))));
    assert!(waiting.early(&claim(Effect::reads(["/fast".into()]))));
}

#[test]
fn the_stricter_of_two_verdicts_is_their_max() {
    let order =
        [Verdict::Allow, Verdict::Amend(String::new()), Verdict::Ask, Verdict::Deny(String::new())];
    assert!(order.is_sorted());
}

/// Outside any conversation, by itself.
async fn once(rules: impl Rules + 'static, name: &str, args: serde_json::Value) -> String {
    let stage = Stage::new();
    let mut shared = shared();
    shared.gate.rules = Box::new(rules);
    let (cx, _events) = Cx::alone("/project".into(), keep(), shared);
    let tools = stage.tools();
    let tool: &Arc<dyn Tool> = tools.iter().find(|tool| tool.spec().name == name).unwrap();
    let (id, args) = ("1".to_owned(), args.to_string());
    let call = ToolCall { id, name: name.to_owned(), args };
    let (output, _) = call::once(Arc::clone(tool), &call, &cx).await;
    plain(&output.content)
}

#[tokio::test]
async fn a_call_outside_any_conversation_passes_the_same_gate() {
    assert_eq!(once(Always(Some(Verdict::Allow)), "touch", what("a")).await, "did a");
    assert!(once(Always(None), "touch", what("a")).await.contains("nobody is there"));
    let denied = once(Always(Some(Verdict::Deny("no".to_owned()))), "look", what("a")).await;
    assert_eq!(denied, "no");
    assert!(once(Always(None), "touch", json!({"a": 1})).await.contains("unknown field `a`"));
    assert!(once(Always(None), "panics", json!({})).await.contains("failed inside"));
}

#[test]
fn what_must_not_be_possible_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
