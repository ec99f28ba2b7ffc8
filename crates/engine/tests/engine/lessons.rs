//! The lessons of both seed systems as one property: whatever a model says, whatever goes wrong
//! and whenever the person interrupts, every request is valid, the journal folds to what was live,
//! and nothing runs that was not permitted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use purlin_engine::desk::Asks;
use purlin_engine::event::{Command, Decision, Event};
use purlin_engine::message::{Item, Stop, Usage, plain};
use purlin_engine::model::{Delta, ModelError, Request};
use purlin_testkit::gate::Always;
use purlin_testkit::{Reply, Said, Scripted};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::common::{Bench, Memory, Talk};
use crate::tools::what;

/// A call that the model makes.
#[derive(Clone, Debug)]
enum Call {
    /// One of our tools.
    Plain(&'static str, u8),
    /// It brings very much.
    Large(&'static str, usize),
    /// It never ends by itself.
    Endless(&'static str),
    /// Moves the directory, or sets the mode.
    Moves(&'static str, &'static str),
    /// Its arguments are these letters.
    Raw(&'static str, &'static str),
}

/// What the model does with a request.
#[derive(Clone, Debug)]
enum Round {
    Says(u16, Vec<Call>),
    Cut(Vec<Call>),
    Thinks,
    Empty,
    Breaks(Vec<Call>),
    Silent(Vec<Call>),
    Hangs(Vec<Call>),
    Fails(ModelError),
    Restarts(Vec<Call>),
    Voids,
}

/// What the person does in a turn, by how many events have passed.
#[derive(Clone, Debug)]
struct Acts {
    interrupt: Option<u8>,
    steer: Option<u8>,
    compact: bool,
    plan: bool,
    /// Answers to questions, one after the other; nothing leaves the question open.
    answers: Vec<Option<Decision>>,
    /// The session is left and opened again after the turn.
    reopen: bool,
}

fn call() -> impl Strategy<Value = Call> {
    let tool = || prop::sample::select(vec!["look", "touch", "run", "net", "note", "needs"]);
    let any_tool = prop::sample::select(vec![
        "look", "touch", "run", "net", "note", "needs", "panics", "agent", "unknown",
    ]);
    let raw =
        ["", "null", "[1]", "{", "{\"what\": \"a", "{\"other\": 1}", "nonsense", "{\"what\": 1}"];
    prop_oneof![
        8 => (any_tool, 0..4u8).prop_map(|(tool, n)| Call::Plain(tool, n)),
        3 => (tool(), 500..20_000usize).prop_map(|(tool, n)| Call::Large(tool, n)),
        1 => tool().prop_map(Call::Endless),
        1 => Just(Call::Moves("run", "sub")),
        1 => Just(Call::Moves("note", "plan")),
        2 => (tool(), prop::sample::select(raw.to_vec())).prop_map(|(tool, raw)| Call::Raw(tool, raw)),
    ]
}

fn calls(least: usize) -> impl Strategy<Value = Vec<Call>> {
    prop::collection::vec(call(), least..5)
}

fn round() -> impl Strategy<Value = Round> {
    let transient = ModelError::Transient { why: "reset".to_owned(), wait: None };
    let errors = vec![ModelError::Overflow, transient, ModelError::Refused("no".to_owned())];
    prop_oneof![
        12 => (0..900u16, calls(1)).prop_map(|(n, calls)| Round::Says(n, calls)),
        4 => (1..3_000u16).prop_map(|n| Round::Says(n, Vec::new())),
        1 => calls(0).prop_map(Round::Cut),
        1 => Just(Round::Thinks),
        1 => Just(Round::Empty),
        1 => calls(0).prop_map(Round::Breaks),
        1 => calls(0).prop_map(Round::Silent),
        1 => calls(0).prop_map(Round::Hangs),
        2 => prop::sample::select(errors).prop_map(Round::Fails),
        1 => calls(1).prop_map(Round::Restarts),
        1 => Just(Round::Voids),
    ]
}

fn acts() -> impl Strategy<Value = Acts> {
    let decision = prop::sample::select(vec![
        Some(Decision::Yes),
        Some(Decision::Yes),
        Some(Decision::Always),
        Some(Decision::No(None)),
        Some(Decision::Text("hm".to_owned())),
        None,
    ]);
    let at = || prop::option::of(0..60u8);
    let rarely = || prop::bool::weighted(0.2);
    (at(), at(), rarely(), rarely(), prop::collection::vec(decision, 0..4), rarely()).prop_map(
        |(interrupt, steer, compact, plan, answers, reopen)| Acts {
            interrupt,
            steer,
            compact,
            plan,
            answers,
            reopen,
        },
    )
}

fn with_calls(reply: Reply, calls: &[Call]) -> Reply {
    calls.iter().fold(reply, |reply, call| match call {
        Call::Plain(tool, n) => reply.call(tool, &what(&n.to_string())),
        Call::Large(tool, letters) => reply.call(tool, &json!({"what": "1", "letters": letters})),
        Call::Endless(tool) => {
            reply.call(tool, &json!({"what": "2", "wait": "never", "out": "never"}))
        }
        Call::Moves(tool, to) => reply.call(tool, &json!({"what": "3", "to": to, "out": "moved"})),
        Call::Raw(tool, args) => reply.call_raw(tool, args),
    })
}

/// `request` counts the requests, so that calls made by hand have ids of their own.
fn said(round: &Round, request: usize) -> Said {
    let text = |letters: &u16| {
        "lorem ipsum ".chars().cycle().take(usize::from(*letters)).collect::<String>()
    };
    match round {
        Round::Says(letters, calls) => with_calls(Reply::new().text(text(letters)), calls).into(),
        Round::Cut(calls) => with_calls(Reply::new().text("cut"), calls).finish("length").into(),
        Round::Thinks => Reply::new().thinking("hm").into(),
        Round::Empty => Reply::new().into(),
        Round::Breaks(calls) => {
            let why = "reset".to_owned();
            let reply = with_calls(Reply::new().text("half"), calls);
            Said::Broken(reply, ModelError::Transient { why, wait: None })
        }
        Round::Silent(calls) => Said::Silent(with_calls(Reply::new().text("half"), calls)),
        Round::Hangs(calls) => Said::Hanging(with_calls(Reply::new().text("half"), calls)),
        Round::Fails(error) => error.clone().into(),
        Round::Restarts(calls) => restarted(calls, request),
        Round::Voids => {
            let id = format!("void-{request}");
            let mut deltas = by_hand(&id, "look", &what("1").to_string());
            deltas.extend((0..3).map(|_| Delta::Text("room".to_owned())));
            deltas.push(Delta::Void { id, args: "{\"what\": \"1\"} and so on".to_owned() });
            ended(deltas)
        }
    }
}

fn by_hand(id: &str, name: &str, args: &str) -> Vec<Delta> {
    let (id, name) = (id.to_owned(), name.to_owned());
    vec![Delta::Call { id, name }, Delta::Args(args.to_owned()), Delta::CallDone]
}

fn ended(mut deltas: Vec<Delta>) -> Said {
    deltas.push(Delta::End { usage: Usage::default(), stop: Stop::End });
    Said::Deltas(deltas.into_iter().map(Ok).collect())
}

/// The first attempt's calls are lost, and the second makes them anew.
fn restarted(calls: &[Call], request: usize) -> Said {
    let mut deltas = Vec::new();
    for _ in 0..2 {
        for (n, call) in calls.iter().enumerate() {
            let (name, args) = match call {
                Call::Raw(tool, args) => (tool, (*args).to_owned()),
                Call::Plain(tool, _)
                | Call::Large(tool, _)
                | Call::Endless(tool)
                | Call::Moves(tool, _) => (tool, what("1").to_string()),
            };
            deltas.extend(by_hand(&format!("hand-{request}-{n}"), name, &args));
        }
        deltas.push(Delta::Restart { attempt: 2, why: "reset".to_owned(), wait_ms: 0 });
    }
    deltas.pop();
    ended(deltas)
}

/// A model that says these, one a request, and then that it is done. Every request of the
/// session's own agent must be the fold of its journal.
fn model(rounds: Vec<Round>, memory: &Memory) -> Scripted {
    let (memory, asked) = (memory.clone(), Mutex::new(0));
    let rest = Mutex::new(VecDeque::from(rounds));
    let author = move |request: &Request| {
        is_the_fold(request, &memory);
        let mut count = asked.lock().unwrap();
        *count += 1;
        let round = rest.lock().unwrap().pop_front();
        round.map_or_else(|| Reply::new().text("done").into(), |round| said(&round, *count))
    };
    Scripted::by(author).with_info(|info| {
        info.window = 8_000;
        info.output_limit = 2_000;
    })
}

fn is_the_fold(request: &Request, memory: &Memory) {
    let folded = memory.folded();
    let mine = folded.items.first().map(|(key, _)| key.journal);
    if mine != request.items.first().map(|(key, _)| key.journal) {
        return; // a sub-agent's
    }
    // A request for a summary ends with a message that is not journalled.
    let journalled = request.items.iter().filter(|(key, _)| key.line > 0).count();
    assert_eq!(request.items[..journalled], folded.items[..], "what was live is not the fold");
}

async fn play(rounds: Vec<Round>, turns: Vec<Acts>, nobody: bool) {
    let memory = Memory::default();
    let model = Arc::new(model(rounds, &memory));
    let folder = Arc::new(tempfile::TempDir::new().unwrap());
    let start = || {
        let mut bench = Bench::with(Arc::clone(&model), Arc::clone(&folder));
        bench.session = Some(memory.session());
        bench.shared.gate.rules = Box::new(Always(None));
        bench.shared.asks = if nobody { Asks::Nobody } else { Asks::Person };
        bench.rounds = 8;
        bench.start()
    };
    let mut talk = start();
    for acts in turns {
        let reopen = acts.reopen;
        turn(&mut talk, acts).await;
        if reopen {
            talk.end().await;
            talk = start();
        }
    }
    // Whatever happened: the next request is valid, and so is all that came before it.
    talk.send(Command::Set { key: "mode".to_owned(), value: json!("plan") });
    turn(&mut talk, Acts { interrupt: Some(50), ..Acts::none() }).await;
    let log = talk.stage.log();
    talk.end().await;
    if nobody {
        let harmless = |line: &String| line.starts_with("look") || line.starts_with("note");
        assert!(log.iter().all(harmless), "{log:?}");
    }
    memory.folded().items.iter().for_each(|(_, item)| each_answer_is_its_calls(item));
}

/// Our tools say what they did, so an answer to another call would show.
fn each_answer_is_its_calls(item: &Item) {
    let Item::Step(step) = item else { return };
    for (call, output) in step.answers() {
        if let Some(did) = plain(&output.content).strip_prefix("did ").filter(|did| !did.is_empty())
        {
            assert_eq!(call.args, what(did).to_string(), "{step:?}");
        }
    }
}

impl Acts {
    fn none() -> Self {
        let (interrupt, steer, answers) = (None, None, Vec::new());
        Self { interrupt, steer, compact: false, plan: false, answers, reopen: false }
    }
}

async fn turn(talk: &mut Talk, acts: Acts) {
    if acts.plan {
        talk.send(Command::Set { key: "mode".to_owned(), value: json!("plan") });
    }
    if acts.compact {
        talk.send(Command::Compact);
    }
    talk.prompt("go on with it");
    let mut answers = acts.answers.into_iter();
    let mut stopped = 0;
    for count in 0u64.. {
        if acts.steer.is_some_and(|at| u64::from(at) == count) {
            talk.steer("and this");
        }
        if acts.interrupt.is_some_and(|at| u64::from(at) == count) {
            talk.send(Command::Interrupt);
        }
        // The clock stands still while anything can go on, so this is "nothing goes on".
        let told = match tokio::time::timeout(Duration::from_secs(1), talk.events.recv()).await {
            Ok(told) => told.expect("the agent died"),
            Err(_) => {
                stopped += 1;
                assert!(stopped < 20, "does not come back from an interrupt");
                talk.send(Command::Interrupt);
                continue;
            }
        };
        match told.event {
            Event::Ask { ask, .. } => {
                if let Some(decision) = answers.next().unwrap_or(Some(Decision::Yes)) {
                    talk.decide(ask, decision);
                }
            }
            // The end of an interrupted summary is not that of the turn; then it is waited for.
            Event::Ended(_) if told.agent.is_main() => return,
            _ => (),
        }
    }
}

thread_local! {
    static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_happens_every_request_is_valid_and_the_journal_is_what_was_live(
        rounds in prop::collection::vec(round(), 1..14),
        turns in prop::collection::vec(acts(), 1..5),
        nobody in prop::bool::weighted(0.2),
    ) {
        RUNTIME.with(|runtime| runtime.block_on(play(rounds, turns, nobody)));
    }
}
