//! The scripted model in the same process.
#![allow(clippy::unwrap_used)] // clippy knows tests, not what they are made of

use std::sync::Arc;

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use purlin_engine::message::{
    Body, Item, OpenStep, Origin, Reply as Answer, Source, Stop, ToolCall, Usage, UserMessage,
};
use purlin_engine::model::{Collector, Delta, ItemKey, Model, ModelError, Request};
use purlin_testkit::model::complaints;
use purlin_testkit::{Latch, Reply, Said, Scripted};
use serde_json::json;

fn request(items: impl IntoIterator<Item = Item>) -> Request {
    let key = |line| ItemKey { journal: 1, line, trimmed: 0 };
    let items =
        items.into_iter().zip(1..).map(|(item, line)| (key(line), Arc::new(item))).collect();
    Request { system: "be brief".into(), items, tools: Arc::new([]), max_output: None }
}

fn person(text: &str) -> Item {
    Item::User(UserMessage::person(text))
}

fn step(bodies: impl IntoIterator<Item = Body>) -> Item {
    let blocks = bodies.into_iter().map(Into::into).collect();
    let (origin, usage) = (Origin::default(), Usage::default());
    Item::Step(OpenStep::new(Answer { blocks, origin, usage, stop: Stop::End }).close())
}

fn call(id: &str) -> Body {
    Body::Call(ToolCall { id: id.into(), name: "ls".into(), args: "{}".into() })
}

fn hear(model: &Scripted) -> Vec<Result<Delta, ModelError>> {
    block_on(model.stream(request([person("hello")])).collect())
}

#[test]
fn a_reply_becomes_the_deltas_of_a_wire() {
    let reply = Reply::new().thinking("hm").text("Looking.").call("ls", &json!({"path": "src"}));
    let model = Scripted::new([reply.usage(70, 30)]);
    let deltas: Vec<Delta> = hear(&model).into_iter().map(Result::unwrap).collect();
    let mut collector = Collector::default();
    let calls: Vec<ToolCall> = deltas.iter().filter_map(|delta| collector.take(delta)).collect();
    let args = "{\"path\":\"src\"}".to_owned();
    assert_eq!(calls, [ToolCall { id: "call_1_0".into(), name: "ls".into(), args }]);
    let answer = collector.finish(model.info().origin.clone()).unwrap();
    assert_eq!((answer.text().as_str(), answer.stop), ("Looking.", Stop::End));
    assert_eq!((answer.usage.input, answer.usage.output), (70, 30));
    assert_eq!(model.requests().len(), 1);
}

#[test]
fn replies_are_cut_broken_silent_or_withheld() {
    let transient = ModelError::Transient { why: "gone".into(), wait: None };
    let cut = Reply::new().call_raw("ls", "{\"pa").finish("length");
    let model = Scripted::new([
        Said::from(cut),
        Said::Broken(Reply::new().text("a"), transient.clone()),
        Said::Silent(Reply::new().text("a")),
        Said::from(Reply::new().text("a").finish("content_filter")),
        Said::from(transient.clone()),
        Said::Deltas(vec![Ok(Delta::Text("a".into()))]),
    ]);
    let cut = hear(&model);
    assert!(!cut.contains(&Ok(Delta::CallDone)));
    assert!(matches!(cut.last(), Some(Ok(Delta::End { stop: Stop::Length, .. }))));
    let text = || Ok(Delta::Text("a".into()));
    assert_eq!(hear(&model), [text(), Err(transient.clone())]);
    assert_eq!(hear(&model), [text()]);
    assert!(matches!(hear(&model).last(), Some(Ok(Delta::End { stop: Stop::Refused(_), .. }))));
    assert_eq!(hear(&model), [Err(transient)]);
    assert_eq!(hear(&model), [text()]);
    let over = ModelError::Refused("the script has no round for it".into());
    assert_eq!(hear(&model), [Err(over)]);
}

#[test]
fn a_function_of_the_request_speaks_too() {
    let model = Scripted::by(|request| Reply::new().text(request.items.len().to_string()).into());
    assert_eq!(hear(&model)[0], Ok(Delta::Text("1".into())));
}

#[test]
fn a_stream_waits_for_a_latch_and_may_hang() {
    let (reached, go) = (Latch::new(), Latch::new());
    let waiting = Reply::new().text("a").reached(&reached).wait(&go).text("b");
    let model = Scripted::new([Said::from(waiting), Said::Hanging(Reply::new().text("c"))]);
    let mut stream = model.stream(request([person("hello")]));
    assert!(!reached.is_open());
    assert_eq!(block_on(stream.next()), Some(Ok(Delta::Text("a".into()))));
    assert_eq!(stream.next().now_or_never(), None);
    assert!(reached.is_open());
    go.open();
    assert_eq!(block_on(stream.next()), Some(Ok(Delta::Text("b".into()))));
    let mut hanging = model.stream(request([person("hello")]));
    assert_eq!(block_on(hanging.next()), Some(Ok(Delta::Text("c".into()))));
    assert_eq!(hanging.next().now_or_never(), None);
}

#[test]
fn conversations_in_order_are_accepted() {
    let text = || Body::Text("done".into());
    let items = [person("a"), step([call("1"), call("2")]), step([call("3")]), step([text()])];
    let more = [person("b"), Item::User(UserMessage::text(Source::Reminder, "c"))];
    assert_eq!(complaints(&request(items.into_iter().chain(more))), Vec::<String>::new());
}

#[test]
fn conversations_out_of_order_are_complained_about() {
    let text = || step([Body::Text("done".into())]);
    let wrong = |items: Vec<Item>, why: &str| {
        let found = complaints(&request(items));
        assert!(found.iter().any(|one| one.contains(why)), "{why:?} is not in {found:?}");
    };
    wrong(vec![], "asks nothing");
    wrong(vec![text(), person("a")], "nobody asked for");
    wrong(vec![person("a"), text(), text(), person("b")], "nobody asked for");
    wrong(vec![person("a"), text()], "asks nothing");
    wrong(vec![person("")], "message that says nothing");
    wrong(vec![person("a"), step([Body::Thinking("hm".into())]), person("b")], "reply that says");
    wrong(vec![person("a"), step([call("")])], "without an id");
    wrong(vec![person("a"), step([call("1")]), step([call("1")])], "has the id");
    let mut twice = request([person("a"), person("b")]);
    twice.items = twice.items.iter().map(|(_, item)| (twice.items[0].0, item.clone())).collect();
    assert_eq!(complaints(&twice), ["items[1]: the key of another item"]);
}

#[test]
fn complaints_are_kept_with_the_number_of_the_request() {
    let model = Scripted::new([Reply::new().text("a")]);
    drop(model.stream(request([])));
    assert_eq!(model.complaints(), ["request 1: the request asks nothing"]);
}
