//! The same reply through every fault that a stream may have and still be one.

use purlin_engine::message::{Body, Reply as Heard, Usage};
use purlin_engine::model::Delta;
use purlin_testkit::fault::{Calls, Chunks, Ends};
use purlin_testkit::{Fault, Latch, Reply, Script, Wire};
use serde_json::json;

use crate::loopback::{ask, chat, reply, request, said, server};

fn told() -> Reply {
    Reply::new()
        .thinking("Let me see: ünïcödé, 한국어, 😀.")
        .text("I shall look 👀 twice.\n\n")
        .call("read_file", &json!({"path": "src/größe.rs", "offset": 10}))
        .call("grep", &json!({"pattern": "\"[{}]\\\\", "path": "."}))
        .call("ls", &json!({}))
        .usage(1000, 50)
}

async fn heard(told: Reply) -> Heard {
    let server = server(Script::new().then(told));
    reply(&chat(&server), request([said("hi")])).await
}

/// A reply without the ids of its calls, which a fault may change.
fn bodies(heard: &Heard) -> Vec<Body> {
    let unnamed = |body: &Body| match body {
        Body::Call(call) => {
            assert!(!call.id.is_empty());
            Body::Call(purlin_engine::message::ToolCall { id: String::new(), ..call.clone() })
        }
        Body::Text(_) | Body::Thinking(_) | Body::Opaque(_) => body.clone(),
    };
    heard.blocks.iter().map(|block| unnamed(&block.body)).collect()
}

#[tokio::test]
async fn every_harmless_fault_leaves_the_reply_as_it_was() {
    let expected = heard(told()).await;
    assert_eq!(bodies(&expected).len(), 5);
    for fault in Fault::harmless() {
        let heard = heard(told().with(fault.clone())).await;
        assert_eq!(bodies(&heard), bodies(&expected), "{fault:?}");
        let uncounted = matches!(fault, Fault::Chunks(Chunks::UsageMissing));
        let usage = if uncounted { Usage::default() } else { expected.usage };
        assert_eq!(heard.usage, usage, "{fault:?}");
        let ids: std::collections::BTreeSet<&str> = heard.calls().map(|call| &*call.id).collect();
        assert_eq!(ids.len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_of_different_kinds_combine() {
    let expected = bodies(&heard(told()).await);
    let faults = Fault::harmless();
    for (at, fault) in faults.iter().enumerate() {
        let other = &faults[(at * 7 + 3) % faults.len()];
        // Two ways to break the same thing may leave nothing to tell calls apart by.
        if matches!((fault, other), (Fault::Calls(_), Fault::Calls(_))) {
            continue;
        }
        let told = told().with(fault.clone()).with(other.clone());
        assert_eq!(bodies(&heard(told).await), expected, "{fault:?} and {other:?}");
    }
}

#[tokio::test]
async fn the_older_form_of_a_call_is_heard() {
    let older = Reply::new().call("ls", &json!({"path": "."})).with(Calls::FunctionCall);
    let heard = heard(older).await;
    assert_eq!(heard.calls().next().unwrap().args, "{\"path\":\".\"}");
}

#[tokio::test]
async fn done_is_enough_without_a_finish_reason() {
    assert_eq!(heard(Reply::new().text("hi").with(Ends::NoFinish)).await.text(), "hi");
}

#[tokio::test]
async fn a_call_is_done_while_the_reply_still_streams() {
    let (looked, done) = (Latch::new(), json!({"path": "."}));
    let told = Reply::new().call("ls", &done).wait(&looked).text("later");
    let server = server(Script::new().then(told));
    let mut stream = purlin_engine::model::Model::stream(&chat(&server), request([said("hi")]));
    let mut heard = Vec::new();
    while let Some(delta) = futures::StreamExt::next(&mut stream).await {
        let delta = delta.unwrap();
        if delta == Delta::CallDone {
            looked.open();
        }
        heard.push(delta);
    }
    assert!(heard.contains(&Delta::Text("later".to_owned())), "{heard:?}");
}

#[tokio::test]
async fn a_server_that_keeps_the_line_open_after_the_end_does_not_hold_us() {
    let left = Latch::new();
    let finish = json!({"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]});
    let open = Wire::stream().write(format!("data: {finish}\n\n")).stall(&left);
    let server = server(Script::new().then(open));
    let (deltas, error) = ask(&chat(&server), request([said("hi")])).await;
    assert_eq!(error, None);
    assert!(matches!(deltas.last(), Some(Delta::End { .. })));
    left.opened().await;
}

#[tokio::test]
async fn ids_are_unique_in_the_conversation_and_are_what_goes_back() {
    let first = || Reply::new().call_as("call_0", "ls", &json!({}));
    let server = server(Script::new().then(first()).then(first()).then(Reply::new().text("ok")));
    let model = chat(&server);
    let mut items = vec![said("hi")];
    for _ in 0..2 {
        let heard = reply(&model, request(items.clone())).await;
        let open = purlin_engine::message::OpenStep::new(heard);
        items.push(purlin_engine::message::Item::Step(open.close()));
    }
    reply(&model, request(items)).await;
    assert_eq!(server.violations(), [""; 0]);
    let sent = server.completions()[2].body["messages"].to_string();
    assert!(sent.contains("\"call_0\"") && sent.contains("\"call_2_0\""), "{sent}");
}
