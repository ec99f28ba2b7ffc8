//! Which call may start now: early, in order, overlapping.

use purlin_engine::effect::{Claim, CommandLine, Effect, Host};
use purlin_engine::event::{Ended, Event};
use purlin_engine::gate::{Guard, Preview, Verdict};
use purlin_engine::message::{Stop, Usage};
use purlin_engine::model::{Delta, Request};
use purlin_store::journal;
use purlin_testkit::{Reply, Said, Scripted};
use serde_json::{Value, json};

use crate::common::{Bench, Talk, says};
use crate::tools::what;

fn done() -> Reply {
    Reply::new().text("done")
}

/// A reply that, when all its calls are said, waits for a latch before it ends.
fn held(bench: &Bench, reply: Reply) -> Reply {
    reply.reached(&bench.stage.latch("said")).wait(&bench.stage.latch("end"))
}

fn bench() -> Bench {
    Bench::new(Scripted::by(|_| done().into()))
}

fn start(bench: Bench, reply: Reply) -> Talk {
    Bench { model: Scripted::new([reply, done()]).into(), ..bench }.start()
}

#[tokio::test]
async fn a_look_runs_while_the_reply_still_streams() {
    let bench = bench();
    let begun = bench.stage.latch("begun");
    let call = json!({"what": "a", "begun": "begun"});
    // The reply ends only once the call runs.
    let reply = Reply::new().call("look", &call).wait(&begun).text("and so on");
    let mut talk = start(bench, reply);
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    talk.end().await;
}

#[tokio::test]
async fn early_answers_are_held_until_the_reply_is_journalled() {
    let bench = bench();
    let reply = held(&bench, Reply::new().call("look", &what("a")));
    let mut talk = start(bench, reply);
    talk.prompt("go");
    talk.until(|event| matches!(event, Event::Started { .. })).await;
    while !talk.stage.log().contains(&"look a done".to_owned()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(journal::read(&talk.path).unwrap().len(), 2); // the header and the message
    talk.stage.latch("end").open();
    let told = talk.rest().await.pick(|event| match event {
        Event::Replied | Event::Answered { .. } => Some(matches!(event, Event::Replied)),
        _ => None,
    });
    assert_eq!(told, [true, false, true]); // a front end, too, hears the reply first
    let kinds: Vec<Value> = journal::read(&talk.path).unwrap()[1..]
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["user", "reply", "result", "reply"]);
    talk.end().await;
}

#[tokio::test]
async fn nothing_else_runs_before_the_reply_has_ended() {
    let bench = bench();
    let names = ["touch", "run", "net", "note", "agent"];
    let calls = names.into_iter().fold(Reply::new(), |reply, name| reply.call(name, &what("x")));
    // The look at the end is the proof that all before it had their chance.
    let reply = calls.call("look", &json!({"what": "/other", "begun": "begun"}));
    let reply = held(&bench, reply);
    let mut talk = start(bench, reply);
    talk.prompt("go");
    talk.reached("said").await;
    tokio::task::yield_now().await;
    assert_eq!(talk.stage.log(), Vec::<String>::new());
    talk.stage.latch("end").open();
    talk.rest().await;
    assert_eq!(talk.answers().len(), 6);
    talk.end().await;
}

/// Wants to see everything, and not before its time.
struct Waits;

impl Guard for Waits {
    fn judge<'a>(
        &'a self,
        _: &'a Claim,
        _: Option<&'a Preview>,
    ) -> futures::future::BoxFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::Allow))
    }

    fn waits(&self, _: &Claim) -> bool {
        true
    }
}

#[tokio::test]
async fn a_look_waits_for_the_reply_when_a_guard_does() {
    let bench = bench().change(|bench| bench.shared.gate.guards = vec![Box::new(Waits)]);
    let reply = held(&bench, Reply::new().call("look", &what("a")));
    let mut talk = start(bench, reply);
    talk.prompt("go");
    talk.reached("said").await;
    tokio::task::yield_now().await;
    assert!(talk.stage.log().is_empty());
    talk.stage.latch("end").open();
    talk.rest().await;
    assert_eq!(talk.answer_to(0), "did a");
    talk.end().await;
}

#[tokio::test]
async fn calls_that_conflict_keep_their_order_and_others_overlap() {
    let bench = bench();
    // The two edits run together (each waits for the other to begin); the test after both; the
    // read after the test.
    let reply = Reply::new()
        .call("touch", &json!({"what": "a", "begun": "a", "wait": "b"}))
        .call("touch", &json!({"what": "b", "begun": "b", "wait": "a"}))
        .call("run", &what("test"))
        .call("look", &what("c"));
    let mut talk = start(bench, reply);
    talk.turn("go").await;
    let log = talk.stage.log();
    let at = |line: &str| log.iter().position(|l| l == line).unwrap();
    assert!(at("touch a done") < at("run test") && at("touch b done") < at("run test"));
    assert!(at("run test done") < at("look c"));
    talk.end().await;
}

#[tokio::test]
async fn a_read_waits_for_an_earlier_write_to_the_folder_above_it() {
    let bench = bench();
    let reply = Reply::new()
        .call("touch", &json!({"what": "src", "wait": "go on"}))
        .call("look", &what("src/main.rs"))
        .call("look", &json!({"what": "doc", "begun": "go on"}));
    let mut talk = start(bench, reply);
    talk.turn("go").await;
    let log = talk.stage.log();
    let at = |line: &str| log.iter().position(|l| l == line).unwrap();
    assert!(at("touch src done") < at("look src/main.rs"));
    assert!(at("look doc") < at("touch src done"));
    talk.end().await;
}

#[tokio::test]
async fn results_keep_the_order_of_the_calls() {
    let bench = bench();
    let reply = Reply::new()
        .call("look", &json!({"what": "a", "wait": "b"}))
        .call("look", &json!({"what": "b", "begun": "b", "wait": "c"}))
        .call("look", &json!({"what": "c", "begun": "c"}));
    let mut talk = start(bench, reply);
    talk.turn("go").await;
    assert_eq!([0, 1, 2].map(|n| talk.answer_to(n)), ["did a", "did b", "did c"]);
    talk.end().await;
}

#[tokio::test]
async fn nc_39_twelve_calls_with_the_first_one_slow() {
    let bench = bench();
    let first = Reply::new().call("look", &json!({"what": "0", "wait": "11"}));
    let call = |reply: Reply, n: usize| {
        let n = n.to_string();
        reply.call("look", &json!({"what": n, "begun": n}))
    };
    let mut talk = start(bench, (1..12).fold(first, call));
    talk.turn("go").await;
    for n in 0..12 {
        assert_eq!(talk.answer_to(n), format!("did {n}"));
    }
    talk.end().await;
}

#[tokio::test]
async fn nc_40_at_most_sixteen_run_at_once() {
    for name in ["look", "touch", "net"] {
        let call = |reply: Reply, n: usize| {
            reply.call(name, &json!({"what": n.to_string(), "wait": "all"}))
        };
        let mut talk = start(bench(), (0..40).fold(Reply::new(), call));
        talk.prompt("go");
        let mut started = 0;
        while started < 16 {
            let told = talk.next().await;
            started += usize::from(matches!(told.event, Event::Started { .. }));
        }
        talk.stage.latch("all").open();
        talk.rest().await;
        assert_eq!(talk.stage.peak(), 16);
        assert_eq!(talk.answers().len(), 40);
        talk.end().await;
    }
}

/// A parent that starts so many agents, each of which makes these calls.
fn parent(agents: usize, child: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Scripted {
    let number = |request: &Request| {
        let told = purlin_engine::message::plain(match &*request.items[0].1 {
            purlin_engine::message::Item::User(message) => &message.content,
            purlin_engine::message::Item::Step(_) => &[],
        });
        told.strip_prefix("child ").and_then(|n| n.parse::<usize>().ok())
    };
    Scripted::by(move |request| match (number(request), request.items.len()) {
        (Some(n), 1) => child(n).into(),
        (None, 1) => {
            let agent = |reply: Reply, n: usize| reply.call("agent", &what(&format!("child {n}")));
            (0..agents).fold(Reply::new(), agent).into()
        }
        _ => done().into(),
    })
}

#[tokio::test]
async fn nc_40_forty_agents_with_inner_calls_do_not_lock_up() {
    let model = parent(40, |n| {
        Reply::new()
            .call("look", &what(&format!("/{n}")))
            .call("touch", &what("/shared"))
            .call("run", &what("x"))
    });
    let mut talk = Bench::new(model).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    assert_eq!(talk.answers().len(), 40);
    assert_eq!(talk.stage.log().len(), 240);
    assert!(talk.stage.peak() <= 16);
    talk.end().await;
}

#[tokio::test]
async fn effects_of_different_agents_do_not_overlap_where_they_conflict() {
    let model = parent(8, |_| Reply::new().call("touch", &what("/same")));
    let mut talk = Bench::new(model).start();
    talk.turn("go").await;
    let log = talk.stage.log();
    for pair in log.chunks(2) {
        assert_eq!(pair, ["touch /same", "touch /same done"], "{log:?}");
    }
    talk.end().await;
}

#[tokio::test]
async fn sub_agents_begin_where_their_parent_stands_and_move_nobody_else() {
    let model = Scripted::by(|request| {
        let run = |to: &str| Reply::new().call("run", &json!({"what": "cd", "to": to}));
        let child = says(&request.items[0].1, "child");
        match (child, request.items.len()) {
            (true, 1) => run("inner").into(),
            (false, 1) => run("outer").into(),
            (false, 2) => Reply::new().call("agent", &what("child")).into(),
            (false, 3) => Reply::new().call("touch", &what("x")).into(),
            _ => done().into(),
        }
    });
    let mut talk = Bench::new(model).start();
    let turn = talk.turn("go").await;
    let paths = turn.pick(|event| match event {
        Event::Started { claim: Claim { effect: Effect::Files { writes, .. }, .. } } => {
            Some(writes.clone())
        }
        _ => None,
    });
    assert_eq!(json!(paths), json!([["/project/outer/x"]]));
    talk.end().await;
}

#[tokio::test]
async fn a_sub_agents_answer_is_bounded_and_the_rest_can_be_read() {
    let long = "é".repeat(6_000);
    let model = parent(1, move |_| Reply::new().text(long.clone()));
    let mut talk = Bench::new(model).start();
    talk.turn("go").await;
    let answer = talk.answer_to(0);
    assert!(answer.starts_with(&"é".repeat(5_000)));
    let note = "\n[5000 of 6000 characters; the whole is in /kept/whole]";
    assert_eq!(&answer["é".len() * 5_000..], note);
    talk.end().await;
}

#[tokio::test]
async fn cc_10_cc_13_a_moved_directory_holds_for_the_calls_after_it_only() {
    let reply = Reply::new()
        .call("touch", &what("a"))
        .call("run", &json!({"what": "cd", "to": "sub"}))
        .call("touch", &what("a"))
        .call("run", &json!({"what": "cd", "to": ".."}))
        .call("look", &what("a"));
    let replies = [reply, Reply::new().call("run", &json!({"what": "cd", "to": "next"})), done()];
    let mut talk = Bench::new(Scripted::new(replies)).start();
    let turn = talk.turn("go").await;
    let paths = turn.pick(|event| match event {
        Event::Started { claim: Claim { effect: Effect::Files { reads, writes }, .. } } => {
            Some([&reads[..], &writes[..]].concat())
        }
        _ => None,
    });
    assert_eq!(json!(paths), json!([["/project/a"], ["/project/sub/a"], ["/project/a"]]));
    assert_eq!(talk.folded().state["cwd"], "/project/sub/../next");
    talk.end().await;
}

#[tokio::test]
async fn after_a_move_calls_conflict_by_what_they_claim_from_there() {
    // From the first directory the two would not touch the same file.
    let reply = Reply::new()
        .call("run", &json!({"what": "cd", "to": "sub"}))
        .call("touch", &json!({"what": "a"}))
        .call("look", &what("/project/sub/a"));
    let mut talk = start(bench(), reply);
    talk.turn("go").await;
    let log = talk.stage.log();
    assert_eq!(log[2..4], ["touch a", "touch a done"], "{log:?}");
    talk.end().await;
}

fn said(deltas: Vec<Delta>) -> Said {
    Said::Deltas(deltas.into_iter().map(Ok).collect())
}

fn call(id: &str, name: &str, args: &Value) -> Vec<Delta> {
    let (id, name) = (id.to_owned(), name.to_owned());
    vec![Delta::Call { id, name }, Delta::Args(args.to_string()), Delta::CallDone]
}

#[tokio::test]
async fn a_call_whose_arguments_went_on_loses_its_early_result() {
    let mut deltas = call("1", "look", &what("a"));
    deltas.extend(call("2", "look", &what("b")));
    deltas.extend((0..9).map(|_| Delta::Text("room to run".to_owned())));
    let args = format!("{}}}", what("a"));
    deltas.push(Delta::Void { id: "1".to_owned(), args });
    deltas.push(Delta::End { usage: Usage::default(), stop: Stop::End });
    let model = Scripted::new([said(deltas), done().into()]);
    let mut talk = Bench::new(model).start();
    talk.turn("go").await;
    assert!(talk.answer_to(0).contains("not valid JSON"), "{:?}", talk.story());
    assert_eq!(talk.answer_to(1), "did b");
    talk.end().await;
}

#[tokio::test]
async fn what_early_calls_changed_about_the_session_is_forgotten_with_them() {
    // The look sets a mode, so that a state which outlived its call would show.
    let look = json!({"what": "a", "to": "plan"});
    let room = || (0..9).map(|_| Delta::Text("room to run".to_owned()));
    let again = Delta::Restart { attempt: 2, why: "reset".to_owned(), wait_ms: 0 };
    let void = Delta::Void { id: "1".to_owned(), args: what("c").to_string() };
    for forget in [again, void] {
        let mut deltas = call("1", "look", &look);
        deltas.extend(room());
        deltas.push(forget);
        deltas.extend(call("2", "touch", &what("b")));
        deltas.push(Delta::End { usage: Usage::default(), stop: Stop::End });
        let mut talk = Bench::new(Scripted::new([said(deltas), done().into()])).start();
        let turn = talk.turn("go").await;
        assert_eq!(turn.started()[0], "look a");
        assert_eq!(talk.stage.log().last().unwrap(), "touch b done", "{:?}", talk.story());
        talk.end().await;
    }
}

#[test]
fn effects_conflict_as_the_table_says() {
    let looks = Effect::reads(["/p/a".into()]);
    let writes = Effect::writes("/p/a".into());
    let above = Effect::writes("/p".into());
    let other = Effect::writes("/p/ab".into());
    let exec = Effect::Exec(CommandLine { text: "x".to_owned(), cwd: "/".into(), proved: true });
    let net = Effect::Net(Host("h".to_owned()));
    let all = [
        &looks,
        &writes,
        &above,
        &other,
        &exec,
        &net,
        &Effect::Session,
        &Effect::Agent,
        &Effect::Unknown,
    ];
    let table = [
        //        looks writes above other exec net session agent unknown
        /* looks   */
        ". x x . x . . . x",
        /* writes  */ "x x x . x . x . x",
        /* above   */ "x x x x x . x . x",
        /* other   */ ". . x x x . x . x",
        /* exec    */ "x x x x x x x . x",
        /* net     */ ". . . . x . x . x",
        /* session */ ". x x x x x x . x",
        /* agent   */ ". . . . . . . . .",
        /* unknown */ "x x x x x x x . x",
    ];
    let found =
        all.map(|one| all.map(|other| if one.conflicts(other) { "x" } else { "." }).join(" "));
    assert_eq!(found, table);
}
