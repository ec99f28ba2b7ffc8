//! Interrupt at any point: control returns, what is finished stays, nothing runs after it.

use purlin_engine::event::{Command, Ended, Event};
use purlin_engine::message::{Item, Stop, UserMessage};
use purlin_engine::model::Delta;
use purlin_testkit::{Reply, Said, Scripted};
use serde_json::json;

use crate::common::{Bench, Talk, says};
use crate::tools::what;

fn done() -> Reply {
    Reply::new().text("done")
}

/// Asks once more and checks that the conversation is still a valid one.
async fn goes_on(mut talk: Talk) {
    let before = talk.stage.log();
    assert_eq!(talk.turn("go on").await.ended, Ended::Done);
    assert_eq!(talk.stage.log(), before, "something ran after the interrupt");
    talk.end().await;
}

#[tokio::test]
async fn cc_38_while_text_streams_what_was_said_stays() {
    let model = Scripted::new([Said::Hanging(Reply::new().text("I think that")), done().into()]);
    let mut talk = Bench::new(model).start();
    talk.prompt("go");
    let last =
        |event: &Event| matches!(event, Event::Delta(Delta::Text(text)) if text.ends_with("that"));
    talk.until(last).await;
    talk.send(Command::Interrupt);
    assert_eq!(talk.rest().await.ended, Ended::Interrupted);
    let folded = talk.folded();
    let Item::Step(step) = &*folded.items[1].1 else { panic!("{:?}", talk.story()) };
    assert_eq!(
        (step.reply().text().as_str(), &step.reply().stop),
        ("I think that", &Stop::Interrupted)
    );
    assert!(says(&folded.items[2].1, "The person stopped you here"));
    goes_on(talk).await;
}

#[tokio::test]
async fn before_anything_was_said_nothing_is_stored_of_the_reply() {
    let model = Scripted::new([Said::Hanging(Reply::new()), done().into()]);
    let mut talk = Bench::new(model).start();
    talk.prompt("go");
    talk.until(|event| matches!(event, Event::Said(_))).await;
    talk.send(Command::Interrupt);
    assert_eq!(talk.rest().await.ended, Ended::Interrupted);
    assert_eq!(talk.story().len(), 2);
    goes_on(talk).await;
}

#[tokio::test]
async fn nc_12_a_write_that_was_complete_when_the_reply_was_cut_does_not_run() {
    let reply = Reply::new().text("I write.").call("touch", &what("a")).call("look", &what("b"));
    let model = Scripted::new([Said::Hanging(reply), done().into()]);
    let mut talk = Bench::new(model).start();
    talk.prompt("go");
    talk.until(|event| matches!(event, Event::Started { .. })).await; // the look, early
    talk.send(Command::Interrupt);
    talk.rest().await;
    assert!(talk.stage.log().iter().all(|line| line.starts_with("look b")));
    assert!(talk.answers().is_empty()); // the text stays without its calls
    assert!(talk.story().contains(&"model: I write.".to_owned()));
    goes_on(talk).await;
}

#[tokio::test]
async fn cc_37_finished_siblings_keep_their_results_and_the_rest_is_interrupted() {
    let reply = Reply::new()
        .call("touch", &what("a"))
        .call("touch", &json!({"what": "b", "begun": "begun", "wait": "never"}))
        .call("touch", &what("c"))
        .call("run", &what("d"));
    let mut talk = Bench::new(Scripted::new([reply, done()])).start();
    talk.prompt("go");
    let mut answered = 0;
    while answered < 2 {
        answered += usize::from(matches!(talk.next().await.event, Event::Answered { .. }));
    }
    talk.reached("begun").await;
    talk.send(Command::Interrupt);
    assert_eq!(talk.rest().await.ended, Ended::Interrupted);
    let answers = [0, 1, 2, 3].map(|n| talk.answer_to(n));
    assert_eq!(answers, ["did a", "interrupted", "did c", "interrupted"]);
    talk.stage.latch("never").open();
    goes_on(talk).await;
}

#[tokio::test]
async fn while_a_question_is_open_nothing_of_it_runs_and_a_late_yes_is_dropped() {
    let model = Scripted::new([Reply::new().call("touch", &what("a")), done()]);
    let mut talk = Bench::new(model)
        .change(|bench| {
            bench.shared.gate.rules = Box::new(purlin_testkit::gate::Always(None));
            bench.shared.asks = purlin_engine::desk::Asks::Person;
        })
        .start();
    talk.prompt("go");
    let mut heard = talk.until(|event| matches!(event, Event::Ask { .. })).await;
    let Event::Ask { ask, .. } = heard.pop().unwrap().event else { panic!() };
    talk.send(Command::Interrupt);
    assert_eq!(talk.rest().await.ended, Ended::Interrupted);
    talk.decide(ask, purlin_engine::event::Decision::Yes);
    assert_eq!(talk.answer_to(0), "interrupted");
    goes_on(talk).await;
}

#[tokio::test]
async fn an_interrupt_reaches_into_sub_agents() {
    let model = Scripted::by(|request| match says(&request.items[0].1, "child") {
        true => {
            let args = json!({"what": "a", "begun": "begun", "wait": "never"});
            Reply::new().call("run", &args).call("touch", &what("b")).into()
        }
        false if request.items.len() == 1 => Reply::new().call("agent", &what("child")).into(),
        false => done().into(),
    });
    let mut talk = Bench::new(model).start();
    talk.prompt("go");
    talk.reached("begun").await;
    talk.send(Command::Interrupt);
    assert_eq!(talk.rest().await.ended, Ended::Interrupted);
    assert_eq!(talk.stage.log(), ["run a"]);
    goes_on(talk).await;
}

#[tokio::test]
async fn idle_an_interrupt_does_nothing() {
    let mut talk = Bench::new(Scripted::new([done()])).start();
    talk.send(Command::Interrupt);
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    assert_eq!(talk.story(), ["person: go", "model: done"]);
    talk.end().await;
}

#[tokio::test]
async fn a_prompt_sent_meanwhile_waits_its_turn_and_survives_the_interrupt() {
    let model = Scripted::new([Said::Hanging(Reply::new().text("hm")), done().into()]);
    let mut talk = Bench::new(model).start();
    talk.prompt("one");
    talk.until(|event| matches!(event, Event::Delta(_))).await;
    talk.prompt("two");
    talk.send(Command::Interrupt);
    assert_eq!(talk.rest().await.ended, Ended::Interrupted);
    assert_eq!(talk.rest().await.ended, Ended::Done);
    talk.end().await;
}

#[tokio::test]
async fn when_the_front_end_goes_the_turn_stops_and_the_agent_ends() {
    let args = json!({"what": "a", "begun": "begun", "wait": "never"});
    let mut talk = Bench::new(Scripted::new([Reply::new().call("run", &args)])).start();
    talk.prompt("go");
    talk.reached("begun").await;
    talk.until(|event| matches!(event, Event::Started { .. })).await;
    let (path, id) = (talk.path.clone(), "s");
    let folder = std::sync::Arc::clone(&talk.folder);
    talk.end().await;
    let lines = purlin_store::journal::read(&path).unwrap();
    let folded = purlin_engine::session::fold(id, &lines, u64::MAX);
    assert!(says(&folded.items[1].1, "interrupted"));
    drop(folder);
}

#[tokio::test]
async fn what_was_steered_is_not_said_once_its_turn_was_stopped() {
    let model = Scripted::new([Said::Hanging(Reply::new().text("I think.")), done().into()]);
    let mut talk = Bench::new(model).start();
    talk.prompt("go");
    talk.until(|event| matches!(event, Event::Delta(_))).await;
    talk.send(Command::Steer(UserMessage::person("and hurry")));
    talk.send(Command::Interrupt);
    let notices = talk.rest().await.pick(|event| match event {
        Event::Notice(text) => Some(text.clone()),
        _ => None,
    });
    assert_eq!(notices, ["not said, since you stopped the turn: and hurry"]);
    assert!(!talk.story().iter().any(|line| line.contains("and hurry")));
    goes_on(talk).await;
}
