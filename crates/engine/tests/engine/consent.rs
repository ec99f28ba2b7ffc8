//! Who may say yes, and to what.

use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use purlin_engine::desk::Asks;
use purlin_engine::effect::Claim;
use purlin_engine::event::{Command, Decision, Ended, Event, Question};
use purlin_engine::gate::{Guard, Preview, Rules, Verdict};
use purlin_engine::listen::{Change, Keeper, Ticket};
use purlin_testkit::gate::Always;
use purlin_testkit::{Reply, Scripted};
use serde_json::{Value, json};

use crate::common::{Bench, Talk, says};
use crate::tools::what;

/// The engine's own defaults decide, and a person answers.
fn asking(bench: &mut Bench) {
    bench.shared.gate.rules = Box::new(Always(None));
    bench.shared.asks = Asks::Person;
}

fn talk(replies: impl IntoIterator<Item = Reply>) -> Talk {
    let last = Reply::new().text("done");
    let model = Scripted::new(replies.into_iter().chain([last]));
    Bench::new(model).change(asking).start()
}

fn title(question: &Question) -> String {
    match question {
        Question::Permit { claim, .. } => claim.title.clone(),
        Question::Choose { text, .. } => text.clone(),
    }
}

#[tokio::test]
async fn looking_is_not_asked_about_and_all_else_is() {
    let reply = ["look", "touch", "run", "net", "note"]
        .into_iter()
        .fold(Reply::new(), |reply, name| reply.call(name, &what("x")));
    let mut talk = talk([reply]);
    let turn = talk.turn("go").await;
    let asked: Vec<_> = turn.questions().iter().map(title).collect();
    assert_eq!(asked.len(), 3);
    assert!(!asked.iter().any(|title| title.starts_with("look") || title.starts_with("note")));
    talk.end().await;
}

#[tokio::test]
async fn nc_07_questions_come_one_at_a_time() {
    let reply = Reply::new().call("touch", &what("a")).call("touch", &what("b"));
    let mut talk = talk([reply]);
    talk.prompt("go");
    let is_ask = |event: &Event| matches!(event, Event::Ask { .. });
    let mut first = talk.until(is_ask).await;
    // Whatever else happens, no second question until this one is answered: an answer to one that
    // was never asked is dropped.
    tokio::task::yield_now().await;
    assert!(talk.events.try_recv().is_err());
    let Event::Ask { ask, .. } = first.pop().unwrap().event else { panic!() };
    talk.decide(ask, Decision::Yes);
    let mut second = talk.until(is_ask).await;
    let Event::Ask { ask, .. } = second.pop().unwrap().event else { panic!() };
    talk.decide(ask, Decision::No(None));
    assert_eq!(talk.rest().await.ended, Ended::Done);
    assert_eq!(talk.answer_to(0), "did a");
    assert!(talk.answer_to(1).contains("The person said no"));
    talk.end().await;
}

#[tokio::test]
async fn cc_41_questions_of_parallel_sub_agents_queue_and_carry_their_id() {
    let model = Scripted::by(|request| {
        let (first, last) = (&request.items[0].1, &request.items[request.items.len() - 1].1);
        if says(first, "child") && request.items.len() == 1 {
            return Reply::new().call("touch", &what("x")).into();
        }
        if says(first, "child") || says(last, "done below") {
            return Reply::new().text("done below").into();
        }
        let agent = |reply: Reply, n: usize| reply.call("agent", &what(&format!("child {n}")));
        (0..3).fold(Reply::new(), agent).into()
    });
    let mut talk = Bench::new(model).change(asking).start();
    talk.prompt("go");
    let mut open = 0;
    let mut who = Vec::new();
    loop {
        let told = talk.next().await;
        match told.event {
            Event::Ask { ask, .. } => {
                open += 1;
                assert_eq!(open, 1, "two questions at once");
                who.push(told.agent.0);
                tokio::task::yield_now().await;
                open -= 1;
                talk.decide(ask, Decision::Yes);
            }
            Event::Ended(_) if told.agent.is_main() => break,
            _ => (),
        }
    }
    who.sort();
    who.dedup();
    assert_eq!(who.len(), 3, "{who:?}");
    assert!(who.iter().all(|id| !id.is_empty()));
    talk.end().await;
}

#[tokio::test]
async fn nc_08_only_an_explicit_yes_runs() {
    let cases = [
        (Decision::No(None), "The person said no"),
        (Decision::No(Some("use b".to_owned())), "not permitted: use b"),
        (Decision::Text(String::new()), "the person said instead"),
        (Decision::Text("yes".to_owned()), "the person said instead: yes"),
    ];
    for (decision, words) in cases {
        let mut talk = talk([Reply::new().call("touch", &what("a"))]);
        talk.answer = Box::new(move |_| decision.clone());
        assert_eq!(talk.turn("go").await.ended, Ended::Done);
        assert!(talk.answer_to(0).contains(words), "{}", talk.answer_to(0));
        assert!(talk.stage.log().is_empty());
        talk.end().await;
    }
}

#[tokio::test]
async fn an_answer_to_another_question_changes_nothing() {
    let mut talk = talk([Reply::new().call("touch", &what("a"))]);
    talk.prompt("go");
    let mut heard = talk.until(|event| matches!(event, Event::Ask { .. })).await;
    let Event::Ask { ask, .. } = heard.pop().unwrap().event else { panic!() };
    for wrong in [ask.0 + 1, 0, u64::MAX] {
        talk.decide(purlin_engine::event::AskId(wrong), Decision::Yes);
    }
    talk.decide(ask, Decision::No(None));
    talk.decide(ask, Decision::Yes);
    talk.rest().await;
    assert!(talk.stage.log().is_empty());
    talk.end().await;
}

#[tokio::test]
async fn cc_42_nc_09_with_nobody_to_ask_it_is_refused_and_the_turn_says_so() {
    let model = Scripted::new([
        Reply::new().call("touch", &what("a")),
        Reply::new().text("then not"),
        Reply::new().text("fine"),
    ]);
    let mut talk =
        Bench::new(model).change(asking).change(|b| b.shared.asks = Asks::Nobody).start();
    let turn = talk.turn("go").await;
    assert_eq!(turn.ended, Ended::Refused("touch a".to_owned()));
    assert!(turn.questions().is_empty());
    assert!(talk.answer_to(0).contains("nobody is there"));
    // What was refused then does not colour the turn that follows.
    assert_eq!(talk.turn("something else").await.ended, Ended::Done);
    assert!(talk.stage.log().is_empty());
    talk.end().await;
}

#[tokio::test]
async fn cc_42_repeated_refusals_stop_the_turn() {
    let model = Scripted::by(|request| {
        Reply::new().call("touch", &what(&request.items.len().to_string())).into()
    });
    let mut talk =
        Bench::new(model).change(asking).change(|b| b.shared.asks = Asks::Nobody).start();
    assert!(matches!(talk.turn("go").await.ended, Ended::Refused(_)));
    assert_eq!(talk.end().await.requests().len(), 5);
}

#[tokio::test]
async fn the_text_shown_is_the_text_run() {
    let mut talk = talk([Reply::new().call("touch", &what("a"))]);
    talk.stage.show("a", "-old\n+new");
    let turn = talk.turn("go").await;
    let [Question::Permit { preview, .. }] = &turn.questions()[..] else { panic!() };
    assert_eq!(*preview, Some(Preview::Diff("-old\n+new".to_owned())));
    talk.end().await;
}

#[tokio::test]
async fn a_target_that_changed_during_the_question_is_asked_about_again() {
    let mut talk = talk([Reply::new().call("touch", &what("a"))]);
    talk.stage.show("a", "one");
    let stage = talk.stage.clone();
    talk.answer = Box::new(move |question| {
        let Question::Permit { preview, .. } = question else { panic!() };
        if *preview == Some(Preview::Diff("one".to_owned())) {
            stage.show("a", "two");
        }
        assert!(stage.log().is_empty());
        Decision::Yes
    });
    let turn = talk.turn("go").await;
    let shown: Vec<_> = turn
        .questions()
        .into_iter()
        .map(|question| match question {
            Question::Permit { preview: Some(Preview::Diff(diff)), .. } => diff,
            _ => panic!(),
        })
        .collect();
    assert_eq!(shown, ["one", "two"]);
    assert_eq!(talk.answer_to(0), "did a");
    talk.end().await;
}

/// Denies what shows a word.
struct Denies(&'static str);

impl Guard for Denies {
    fn judge<'a>(&'a self, _: &'a Claim, preview: Option<&'a Preview>) -> BoxFuture<'a, Verdict> {
        let Some(Preview::Diff(diff) | Preview::Text(diff)) = preview else {
            return Box::pin(ready(Verdict::Allow));
        };
        let denied = diff.contains(self.0).then(|| Verdict::Deny(format!("no {}", self.0)));
        Box::pin(ready(denied.unwrap_or(Verdict::Allow)))
    }
}

#[tokio::test]
async fn a_target_that_became_forbidden_during_the_question_is_refused_despite_the_yes() {
    let bench = Bench::new(Scripted::new([
        Reply::new().call("touch", &what("a")),
        Reply::new().text("done"),
    ]));
    let mut talk = bench
        .change(asking)
        .change(|bench| bench.shared.gate.guards = vec![Box::new(Denies("secret"))])
        .start();
    talk.stage.show("a", "harmless");
    let stage = talk.stage.clone();
    talk.answer = Box::new(move |_| {
        stage.show("a", "secret");
        Decision::Yes
    });
    let turn = talk.turn("go").await;
    assert_eq!(turn.questions().len(), 1);
    assert_eq!(talk.answer_to(0), "no secret");
    assert!(talk.stage.log().is_empty());
    talk.end().await;
}

/// Allows what the person said "always" to, by tool.
#[derive(Default)]
struct Remembers(std::sync::Mutex<Vec<String>>);

impl Rules for Remembers {
    fn verdict(&self, claim: &Claim) -> Option<Verdict> {
        self.0.lock().unwrap().contains(&claim.call.name).then_some(Verdict::Allow)
    }

    fn always(&self, claim: &Claim) -> String {
        format!("every {}", claim.call.name)
    }

    fn allow(&self, claim: &Claim) {
        self.0.lock().unwrap().push(claim.call.name.clone());
    }
}

#[tokio::test]
async fn always_is_remembered_by_the_rules() {
    let call = || Reply::new().call("touch", &what("a"));
    let model = Scripted::new([call(), call(), Reply::new().text("done")]);
    let mut talk = Bench::new(model)
        .change(asking)
        .change(|bench| bench.shared.gate.rules = Box::new(Remembers::default()))
        .start();
    talk.answer = Box::new(|question| {
        let Question::Permit { always, .. } = question else { panic!() };
        assert_eq!(always, "every touch");
        Decision::Always
    });
    assert_eq!(talk.turn("go").await.questions().len(), 1);
    assert_eq!(talk.stage.log().len(), 4);
    talk.end().await;
}

#[tokio::test]
async fn what_a_running_call_turns_out_to_need_is_asked_though_the_call_was_not() {
    let mut talk = talk([Reply::new().call("needs", &what("x"))]);
    let turn = talk.turn("go").await;
    let [Question::Permit { claim, why, preview, .. }] = &turn.questions()[..] else { panic!() };
    assert_eq!(claim.title, "really run x");
    assert_eq!(why.as_deref(), Some("it is outside"));
    assert_eq!(*preview, Some(Preview::Text("x".to_owned())));
    assert_eq!(talk.answers().len(), 1);
    assert_eq!(talk.answer_to(0), "did x");
    talk.end().await;
}

#[tokio::test]
async fn a_need_that_is_refused_is_the_calls_one_answer() {
    let mut talk = talk([Reply::new().call("needs", &what("x"))]);
    talk.answer = Box::new(|_| Decision::No(None));
    talk.turn("go").await;
    assert!(talk.answer_to(0).contains("The person said no"));
    assert!(talk.stage.log().is_empty());
    talk.end().await;
}

fn plan_mode() -> Command {
    Command::Set { key: "mode".to_owned(), value: json!("plan") }
}

fn everything() -> Reply {
    ["look", "touch", "run", "net", "needs"]
        .into_iter()
        .fold(Reply::new(), |reply, name| reply.call(name, &what("x")))
}

#[tokio::test]
async fn plan_mode_refuses_what_changes_things_whatever_the_rules_say() {
    let mut talk =
        Bench::new(Scripted::new([everything(), Reply::new().text("1. Do it.")])).start();
    talk.send(plan_mode());
    let turn = talk.turn("go").await;
    assert!(turn.questions().is_empty());
    assert_eq!(talk.stage.log(), ["look x", "look x done"]);
    for index in 1..5 {
        assert!(talk.answer_to(index).starts_with("plan mode: "), "{}", talk.answer_to(index));
    }
    talk.end().await;
}

#[tokio::test]
async fn nc_11_a_mode_set_by_a_call_holds_for_the_calls_after_it() {
    let plan = json!({"what": "mode", "to": "plan"});
    let replies = [
        Reply::new().call("note", &plan).call("touch", &what("a")).call("look", &what("b")),
        Reply::new().call("run", &what("c")),
        Reply::new().text("done"),
    ];
    let mut talk = Bench::new(Scripted::new(replies)).start();
    talk.turn("go").await;
    assert!(talk.answer_to(1).starts_with("plan mode: touch a was not run"), "{:?}", talk.story());
    assert!(talk.answer_to(3).starts_with("plan mode: run c was not run"));
    talk.end().await;
}

#[tokio::test]
async fn nc_11_plan_mode_holds_in_sub_agents() {
    let model = Scripted::by(|request| {
        assert!(says(&request.items[0].1, "Plan mode is on"));
        if says(&request.items[1].1, "child") {
            return match request.items.len() {
                2 => everything().into(),
                _ => Reply::new().text("could not").into(),
            };
        }
        match request.items.len() {
            2 => Reply::new().call("agent", &what("child")).into(),
            _ => Reply::new().text("done").into(),
        }
    });
    let mut talk = Bench::new(model).start();
    talk.send(plan_mode());
    talk.turn("go").await;
    assert_eq!(talk.stage.log(), ["look x", "look x done"]);
    assert_eq!(talk.answer_to(0), "could not");
    talk.end().await;
}

/// Cannot keep anything.
struct Full;

impl Keeper for Full {
    fn before<'a>(&'a self, _: &'a Claim) -> BoxFuture<'a, Result<Ticket, String>> {
        Box::pin(ready(Err("the disk is full".to_owned())))
    }

    fn after(&self, _: Ticket) -> BoxFuture<'static, Vec<Change>> {
        Box::pin(ready(Vec::new()))
    }

    fn undo<'a>(&'a self, _: &'a [Change]) -> BoxFuture<'a, Result<Vec<Change>, String>> {
        Box::pin(ready(Err("nothing was kept".to_owned())))
    }

    fn diff<'a>(&'a self, _: &'a [Change]) -> BoxFuture<'a, String> {
        Box::pin(ready(String::new()))
    }
}

#[tokio::test]
async fn what_could_not_be_undone_is_asked_even_where_the_rules_allow_it() {
    for (decision, ran) in [(Decision::Yes, true), (Decision::No(None), false)] {
        let model =
            Scripted::new([Reply::new().call("touch", &what("a")), Reply::new().text("done")]);
        let mut talk = Bench::new(model)
            .change(|bench| {
                bench.shared.keeper = Arc::new(Full);
                bench.shared.asks = Asks::Person;
            })
            .start();
        talk.answer = Box::new(move |_| decision.clone());
        let turn = talk.turn("go").await;
        let [Question::Permit { why, .. }] = &turn.questions()[..] else { panic!() };
        assert_eq!(why.as_deref(), Some("it could not be undone: the disk is full"));
        assert_eq!(!talk.stage.log().is_empty(), ran);
        talk.end().await;
    }
}

#[tokio::test]
async fn the_state_of_the_session_is_told_and_journalled() {
    let mut talk = Bench::new(Scripted::new([Reply::new().text("hi")])).start();
    talk.send(plan_mode());
    talk.send(Command::Set { key: "name".to_owned(), value: json!("x") });
    talk.send(Command::Set { key: "name".to_owned(), value: Value::Null });
    let turn = talk.turn("go").await;
    let told = turn.pick(|event| match event {
        Event::State { key, value } => Some((key.clone(), value.clone())),
        _ => None,
    });
    assert_eq!(told.len(), 3);
    assert_eq!(talk.folded().state["mode"], "plan");
    assert!(!talk.folded().state.contains_key("name"));
    talk.end().await;
}

#[tokio::test]
async fn always_settles_the_questions_that_wait_behind_it() {
    let reply = Reply::new().call("touch", &what("a")).call("touch", &what("b"));
    let mut talk = Bench::new(Scripted::new([reply, Reply::new().text("done")]))
        .change(|bench| {
            asking(bench);
            bench.shared.gate.rules = Box::<Remembers>::default();
        })
        .start();
    talk.answer = Box::new(|_| Decision::Always);
    let turn = talk.turn("go").await;
    assert_eq!(turn.questions().len(), 1);
    assert_eq!([talk.answer_to(0), talk.answer_to(1)], ["did a", "did b"]);
    talk.end().await;
}

#[tokio::test]
async fn a_sub_agent_is_not_blamed_for_what_another_was_refused() {
    let model = Scripted::by(|request| {
        let (first, steps) = (&request.items[0].1, request.items.len());
        match (says(first, "child a"), says(first, "child b"), steps) {
            (true, _, 1) => Reply::new().call("touch", &what("a")).into(),
            (true, ..) | (_, true, _) => Reply::new().text("mine is done").into(),
            (.., 1) => {
                let both = Reply::new().call("agent", &what("child a"));
                both.call("agent", &what("child b")).into()
            }
            _ => Reply::new().text("done").into(),
        }
    });
    let mut talk =
        Bench::new(model).change(asking).change(|b| b.shared.asks = Asks::Nobody).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Refused("touch a".to_owned()));
    assert!(talk.answer_to(0).contains("[the sub-agent did not finish: not permitted: touch a]"));
    assert_eq!(talk.answer_to(1), "mine is done");
    talk.end().await;
}

#[tokio::test]
async fn always_to_one_call_does_not_answer_whether_another_may_go_without_undo() {
    let reply = Reply::new().call("touch", &what("a")).call("touch", &what("b"));
    let mut talk = Bench::new(Scripted::new([reply, Reply::new().text("done")]))
        .change(|bench| {
            asking(bench);
            bench.shared.gate.rules = Box::<Remembers>::default();
            bench.shared.keeper = Arc::new(Full);
        })
        .start();
    // The first yes is for once; its question about undo then waits behind the second permit.
    let mut permits = 0;
    talk.answer = Box::new(move |question| match question {
        Question::Permit { why: None, .. } => {
            permits += 1;
            if permits == 1 { Decision::Yes } else { Decision::Always }
        }
        Question::Permit { .. } | Question::Choose { .. } => Decision::No(None),
    });
    let turn = talk.turn("go").await;
    assert_eq!(turn.questions().len(), 4);
    assert!(talk.stage.log().is_empty(), "{:?}", talk.stage.log());
    talk.end().await;
}
