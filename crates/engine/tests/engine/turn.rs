//! The loop: how a turn goes on, and how it ends.

use purlin_engine::event::{Ended, Event};
use purlin_engine::listen::{Listener, Moment, Reaction};
use purlin_engine::message::{Item, Stop, Usage, UserMessage};
use purlin_engine::model::{Delta, Kind, ModelError, Request};
use purlin_testkit::{Reply, Said, Scripted};
use serde_json::{Value, json};

use crate::common::{Bench, outputs};
use crate::tools::what;

pub(crate) fn done(text: &str) -> Reply {
    Reply::new().text(text)
}

/// How many steps a request holds.
pub(crate) fn steps(request: &Request) -> usize {
    request.items.iter().filter(|(_, item)| matches!(**item, Item::Step(_))).count()
}

#[tokio::test]
async fn a_turn_says_asks_runs_and_is_done() {
    let model =
        Scripted::new([Reply::new().text("I look.").call("look", &what("a")), done("It is a.")]);
    let mut talk = Bench::new(model).start();
    assert_eq!(talk.turn("what is there?").await.ended, Ended::Done);
    assert_eq!(
        talk.story(),
        ["person: what is there?", "model: I look.", "look: did a", "model: It is a."]
    );
    let model = talk.end().await;
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn what_was_said_before_stays_byte_for_byte() {
    let replies = (0..4).map(|n| Reply::new().call("look", &what(&n.to_string())));
    let model = Scripted::new(replies.chain([done("done")]));
    let mut talk = Bench::new(model).start();
    talk.turn("go").await;
    let requests = talk.end().await.requests();
    for pair in requests.windows(2) {
        assert_eq!(pair[0].items[..], pair[1].items[..pair[0].items.len()]);
        assert_eq!(pair[0].system, pair[1].system);
        assert_eq!(pair[0].tools, pair[1].tools);
    }
}

#[tokio::test]
async fn the_cap_on_rounds_says_so_in_history_and_ends_with_limit() {
    let model = Scripted::by(|request| {
        Reply::new().call("look", &what(&steps(request).to_string())).into()
    });
    let mut talk = Bench::new(model).change(|bench| bench.rounds = 3).start();
    let Ended::Limit(why) = talk.turn("go").await.ended else { panic!("not the limit") };
    assert!(why.contains("3 rounds"), "{why}");
    assert_eq!(talk.story().last(), Some(&format!("reminder: {why}")));
    assert_eq!(talk.end().await.requests().len(), 3);
}

#[tokio::test]
async fn steering_is_taken_in_before_the_next_call_of_the_model() {
    let args = json!({"what": "a", "begun": "begun", "wait": "steered"});
    let model = Scripted::new([Reply::new().call("touch", &args), done("b it is")]);
    let mut talk = Bench::new(model).start();
    talk.prompt("do a");
    talk.reached("begun").await;
    talk.steer("no, b");
    talk.stage.latch("steered").open();
    talk.rest().await;
    assert_eq!(
        talk.story(),
        ["person: do a", "model: ", "touch: did a", "person: no, b", "model: b it is"]
    );
    talk.end().await;
}

#[tokio::test]
async fn what_is_steered_during_the_last_reply_makes_the_turn_go_on() {
    let bench = Bench::new(Scripted::by(|_| done("never").into()));
    let (spoken, steered) = (bench.stage.latch("spoken"), bench.stage.latch("steered"));
    let first = done("done").reached(&spoken).wait(&steered);
    let model = Scripted::new([first, done("that too")]);
    let mut talk = Bench { model: model.into(), ..bench }.start();
    talk.prompt("a");
    talk.reached("spoken").await;
    talk.steer("and b");
    steered.open();
    assert_eq!(talk.rest().await.ended, Ended::Done);
    assert_eq!(talk.story(), ["person: a", "model: done", "person: and b", "model: that too"]);
    talk.end().await;
}

#[tokio::test]
async fn cc_23_an_empty_reply_is_never_stored_and_asked_for_once_more() {
    let model = Scripted::new([Reply::new(), done("sorry")]);
    let mut talk = Bench::new(model).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    let story = talk.story();
    assert!(story[1].starts_with("reminder: Your last reply was empty"), "{story:?}");
    assert_eq!(story[2..], ["model: sorry"]);
    talk.end().await;
}

#[tokio::test]
async fn cc_23_replies_that_only_think_or_say_blanks_are_empty() {
    for silent in [Reply::new().thinking("hm"), Reply::new().text("\n \n"), Reply::new().text("")] {
        let model = Scripted::new([silent.clone(), silent, done("later")]);
        let mut talk = Bench::new(model).start();
        assert!(matches!(talk.turn("go").await.ended, Ended::Failed(_)));
        assert_eq!(talk.turn("again").await.ended, Ended::Done);
        assert!(!talk.story().contains(&"model: ".to_owned()), "{:?}", talk.story());
        talk.end().await;
    }
}

#[tokio::test]
async fn cc_24_nc_16_a_cut_reply_runs_nothing_that_has_an_effect() {
    let cut = Reply::new()
        .call("look", &what("a"))
        .call("touch", &what("b"))
        .call_raw("touch", r#"{"what": "c", "out": "half of a lo"#)
        .finish("length");
    let mut talk = Bench::new(Scripted::new([cut, done("in parts, then")])).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    let answers = talk.answers();
    assert_eq!(answers.len(), 3);
    assert_eq!(talk.answer_to(0), "did a");
    for index in [1, 2] {
        assert!(answers[index].failed);
        assert!(talk.answer_to(index).contains("write long content in parts"));
    }
    assert_eq!(talk.stage.log(), ["look a", "look a done"]);
    talk.end().await;
}

#[tokio::test]
async fn cc_24_arguments_that_end_early_count_as_cut_whatever_the_provider_says() {
    let cut = Reply::new().call("touch", &what("b")).call_raw("touch", r#"{"what": "c"#);
    let mut talk = Bench::new(Scripted::new([cut, done("ok")])).start();
    talk.turn("go").await;
    assert!(talk.stage.log().is_empty());
    assert!(talk.answer_to(0).contains("cut") && talk.answer_to(1).contains("cut"));
    talk.end().await;
}

#[tokio::test]
async fn text_cut_at_the_limit_ends_the_turn_and_continues_on_request() {
    let model = Scripted::new([done("one two thr").finish("length"), done("ee four")]);
    let mut talk = Bench::new(model).start();
    assert!(matches!(talk.turn("count").await.ended, Ended::Limit(_)));
    assert_eq!(talk.turn("continue").await.ended, Ended::Done);
    assert_eq!(
        talk.story(),
        ["person: count", "model: one two thr", "person: continue", "model: ee four"]
    );
    talk.end().await;
}

fn restart() -> Delta {
    Delta::Restart { attempt: 2, why: "the connection was reset".to_owned(), wait_ms: 0 }
}

fn end() -> Delta {
    Delta::End { usage: Usage::default(), stop: Stop::End }
}

fn call(id: &str, name: &str, args: &Value) -> [Delta; 3] {
    let (id, name) = (id.to_owned(), name.to_owned());
    [Delta::Call { id, name }, Delta::Args(args.to_string()), Delta::CallDone]
}

fn deltas(deltas: impl IntoIterator<Item = Delta>) -> Said {
    Said::Deltas(deltas.into_iter().map(Ok).collect())
}

#[tokio::test]
async fn cc_26_a_reply_that_began_again_is_forgotten_with_its_calls() {
    let mut said = vec![Delta::Text("first try".to_owned())];
    said.extend(call("1", "look", &what("a")));
    said.extend([restart(), Delta::Text("second try".to_owned())]);
    said.extend(call("1", "look", &what("b")));
    said.push(end());
    let mut talk = Bench::new(Scripted::new([deltas(said), done("ok").into()])).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    assert_eq!(talk.story(), ["person: go", "model: second try", "look: did b", "model: ok"]);
    talk.end().await;
}

#[tokio::test]
async fn cc_26_a_stream_without_its_end_never_enters_history() {
    let model = Scripted::new([
        Said::Silent(Reply::new().text("half an ans").call("look", &what("a"))),
        Said::Broken(done("half"), ModelError::Transient { why: "reset".to_owned(), wait: None }),
        done("whole").into(),
    ]);
    let mut talk = Bench::new(model).start();
    assert!(matches!(talk.turn("one").await.ended, Ended::Provider(_)));
    assert_eq!(talk.turn("two").await.ended, Ended::Provider("reset".to_owned()));
    assert_eq!(talk.turn("three").await.ended, Ended::Done);
    assert_eq!(talk.story(), ["person: one", "person: two", "person: three", "model: whole"]);
    talk.end().await;
}

#[tokio::test]
async fn a_key_that_is_not_accepted_ends_the_turn_as_such() {
    let model = Scripted::new([ModelError::Auth("PURLIN_API_KEY was not accepted".to_owned())]);
    let mut talk = Bench::new(model).start();
    assert!(matches!(talk.turn("go").await.ended, Ended::Auth(_)));
    talk.end().await;
}

#[tokio::test]
async fn arguments_that_are_no_json_are_told_in_the_parsers_words() {
    let model = Scripted::new([Reply::new().call_raw("touch", "{'what': 1}"), done("ok")]);
    let mut talk = Bench::new(model).start();
    talk.turn("go").await;
    let answer = talk.answer_to(0);
    assert!(answer.contains("key must be a string at line 1 column 2"), "{answer}");
    assert!(talk.answers()[0].failed && talk.stage.log().is_empty());
    talk.end().await;
}

#[tokio::test]
async fn a_malformed_call_before_a_good_one_keeps_each_answer_with_its_call() {
    let reply = Reply::new()
        .call_raw("touch", "{'what': 1}")
        .call("look", &what("a"))
        .call_raw("look", "nonsense")
        .call("look", &what("b"));
    let mut talk = Bench::new(Scripted::new([reply, done("ok")])).start();
    talk.turn("go").await;
    assert!(talk.answer_to(0).contains("not valid JSON"), "{:?}", talk.story());
    assert_eq!(talk.answer_to(1), "did a");
    assert!(talk.answer_to(2).contains("not valid JSON"));
    assert_eq!(talk.answer_to(3), "did b");
    talk.end().await;
}

#[tokio::test]
async fn a_wire_that_says_twice_that_a_call_is_complete_has_it_run_once() {
    let mut said = call("1", "look", &what("a")).to_vec();
    said.extend([Delta::CallDone, end()]);
    let mut talk = Bench::new(Scripted::new([deltas(said), done("ok").into()])).start();
    talk.turn("go").await;
    assert_eq!(talk.stage.log(), ["look a", "look a done"]);
    talk.end().await;
}

#[tokio::test]
async fn cc_22_every_kind_of_wrong_arguments_is_answered() {
    let cases = [
        ("[1, 2]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        (r#"{"what": 7}"#, "`what`: invalid type: integer `7`, expected a string"),
        (r#"{"path": "x"}"#, "unknown field `path`, expected one of `what`"),
    ];
    for (args, words) in cases {
        let model = Scripted::new([Reply::new().call_raw("touch", args), done("ok")]);
        let mut talk = Bench::new(model).start();
        assert_eq!(talk.turn("go").await.ended, Ended::Done);
        assert!(talk.answer_to(0).contains(words), "{args}: {}", talk.answer_to(0));
        assert!(talk.stage.log().is_empty());
        talk.end().await;
    }
}

#[tokio::test]
async fn an_unknown_tool_lists_the_real_ones() {
    let model = Scripted::new([Reply::new().call("Look", &what("a")), done("ok")]);
    let mut talk = Bench::new(model).start();
    talk.turn("go").await;
    let names = "no tool `Look`; there are: look, touch, run, net, note, panics, needs, agent";
    assert!(talk.answer_to(0).contains(names), "{}", talk.answer_to(0));
    talk.end().await;
}

#[tokio::test]
async fn a_tool_that_panics_is_an_answer() {
    let reply = Reply::new()
        .call("panics", &what(""))
        .call("look", &what("panic in claim"))
        .call("touch", &what("panic in claim"))
        .call("look", &what("a"));
    let mut talk = Bench::new(Scripted::new([reply, done("ok")])).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    for index in [0, 1, 2] {
        assert!(talk.answer_to(index).contains("failed inside"), "{:?}", talk.story());
    }
    assert_eq!(talk.answer_to(3), "did a");
    talk.end().await;
}

#[tokio::test]
async fn every_output_passes_the_filter_before_it_is_shown_stored_or_sent() {
    let args = json!({"what": "a", "out": "the key is hunter2"});
    let reply = Reply::new().call("look", &args).call("touch", &json!({"what": "hunter2", "x": 1}));
    let mut talk = Bench::new(Scripted::new([reply, done("ok")]))
        .change(|bench| {
            bench.shared.filter = std::sync::Arc::new(|output| {
                let clean =
                    purlin_engine::message::plain(&output.content).replace("hunter2", "***");
                output.content = vec![purlin_engine::message::Content::Text(clean)];
            });
        })
        .start();
    let turn = talk.turn("go").await;
    assert_eq!(talk.answer_to(0), "the key is ***");
    let shown = turn.pick(|event| match event {
        Event::Answered { output, .. } => Some(purlin_engine::message::plain(&output.content)),
        _ => None,
    });
    assert!(shown.iter().all(|text| !text.contains("hunter2")), "{shown:?}");
    talk.end().await;
}

/// Calls the same again and again.
fn again(out: fn(usize) -> String) -> Scripted {
    Scripted::by(move |request| {
        let args = json!({"what": "x", "out": out(steps(request))});
        Reply::new().call("run", &json!({"what": "x"})).call("look", &args).into()
    })
}

#[tokio::test]
async fn cc_56_the_same_call_with_the_same_result_is_nudged_at_three_and_stopped_at_five() {
    let mut talk = Bench::new(again(|_| "same".to_owned())).start();
    let Ended::Repetition(why) = talk.turn("go").await.ended else { panic!("went on") };
    assert!(why.contains("5 times running"), "{why}");
    let story = talk.story();
    let nudges: Vec<_> =
        (0..story.len()).filter(|at| story[*at].contains("the same result three times")).collect();
    assert_eq!(nudges, [10], "{story:#?}"); // one message and three steps of three lines before it
    assert_eq!(talk.end().await.requests().len(), 5);
}

fn results(outs: &'static [&'static str]) -> Scripted {
    Scripted::by(move |request| match outs.get(steps(request)) {
        Some(_) => Reply::new().call("run", &what("x")).into(),
        None => done("done").into(),
    })
}

/// A filter that makes the outputs of a script's calls.
fn replaced(outs: &'static [&'static str]) -> purlin_engine::desk::Filter {
    let next = std::sync::Mutex::new(outs.iter());
    std::sync::Arc::new(move |output| {
        let out = next.lock().unwrap().next().unwrap();
        *output = purlin_engine::message::Output::text(*out);
    })
}

#[tokio::test]
async fn cc_56_a_new_result_is_progress() {
    let outs: &[&str] = &["1", "2", "2", "3", "3", "1", "1", "2", "2", "3"];
    let mut talk =
        Bench::new(results(outs)).change(|bench| bench.shared.filter = replaced(outs)).start();
    assert_eq!(talk.turn("go").await.ended, Ended::Done);
    assert!(!talk.story().iter().any(|line| line.starts_with("reminder")));
    talk.end().await;
}

#[tokio::test]
async fn cc_56_lines_in_brackets_do_not_make_a_result_new() {
    let outs: &[&str] =
        &["x\n[took 1 ms]", "x\n[took 2 ms]", "x\n[took 3 ms]", "x\n[took 4 ms]", "x\n[took 5 ms]"];
    let mut talk =
        Bench::new(results(outs)).change(|bench| bench.shared.filter = replaced(outs)).start();
    assert!(matches!(talk.turn("go").await.ended, Ended::Repetition(_)));
    talk.end().await;
}

#[tokio::test]
async fn cc_56_twins_in_one_reply_count_once_and_another_turn_begins_anew() {
    let twins = || {
        let reply = (0..6).fold(Reply::new(), |reply, _| reply.call("look", &what("x")));
        [reply, done("done")]
    };
    let mut talk = Bench::new(Scripted::new((0..6).flat_map(|_| twins()))).start();
    for _ in 0..6 {
        assert_eq!(talk.turn("go").await.ended, Ended::Done);
    }
    assert!(!talk.story().iter().any(|line| line.starts_with("reminder")));
    talk.end().await;
}

/// Reacts to each kind of moment as it is told.
struct Hears(fn(&Moment<'_>) -> Reaction);

impl Listener for Hears {
    fn at<'a>(&'a self, moment: Moment<'a>) -> futures::future::BoxFuture<'a, Reaction> {
        Box::pin(std::future::ready((self.0)(&moment)))
    }
}

#[tokio::test]
async fn a_listener_may_keep_a_message_from_the_model_and_say_something_after_a_call() {
    let model = Scripted::new([Reply::new().call("look", &what("a")), done("ok")]);
    let hears = Hears(|moment| match moment {
        Moment::Said(message) if *message == &UserMessage::person("secret") => {
            Reaction::Block("that is a secret".to_owned())
        }
        Moment::Answered(..) => Reaction::Say(UserMessage::person("note that")),
        _ => Reaction::Go,
    });
    let mut talk =
        Bench::new(model).change(|bench| bench.shared.listeners = vec![Box::new(hears)]).start();
    assert_eq!(talk.turn("secret").await.ended, Ended::Failed("that is a secret".to_owned()));
    talk.turn("go").await;
    assert_eq!(
        talk.story(),
        ["person: go", "model: ", "look: did a", "person: note that", "model: ok"]
    );
    talk.end().await;
}

#[tokio::test]
async fn blocks_keep_their_order_and_their_seals() {
    let said = [
        Delta::Thinking("first".to_owned()),
        Delta::Seal(json!("proof")),
        Delta::Open(Kind::Text),
        Delta::Text("then".to_owned()),
        Delta::Opaque(json!({"kind": "new"})),
        end(),
    ];
    let mut talk = Bench::new(Scripted::new([deltas(said)])).start();
    talk.turn("go").await;
    let folded = talk.folded();
    let Item::Step(step) = &*folded.items[1].1 else { panic!("no step") };
    let blocks = serde_json::to_value(&step.reply().blocks).unwrap();
    let expected = json!([
        {"body": {"thinking": "first"}, "seal": "proof"},
        {"body": {"text": "then"}},
        {"body": {"opaque": {"kind": "new"}}},
    ]);
    assert_eq!(blocks, expected);
    assert!(outputs(&folded.items[1].1).is_empty());
    talk.end().await;
}
