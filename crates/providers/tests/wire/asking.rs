//! What is sent.

use std::sync::Arc;

use purlin_engine::message::{Block, Body, Content, Item, Output};
use purlin_engine::model::Request;
use purlin_engine::tool::ToolSpec;
use purlin_providers::vendor::{Limit, Reasoning};
use purlin_providers::{Chat, Endpoint};
use purlin_testkit::{Reply, Script, Server, Wire, refusal};
use serde_json::{Value, json};

use crate::loopback::{
    LIMITS, ask, body_call, chat, client, endpoint, failure, reply, request, said, server, step,
};

/// Servers and models of this file answer everything with a word.
fn agreeable() -> Server {
    server(Script::by(|_| Reply::new().text("ok").into()))
}

fn text(text: &str) -> Body {
    Body::Text(text.to_owned())
}

/// The body of a request with these items, which the strict server must accept.
async fn sent(items: impl IntoIterator<Item = Item>) -> Value {
    let server = agreeable();
    sent_to(&server, chat(&server), request(items)).await
}

async fn sent_to(server: &Server, model: Chat, request: Request) -> Value {
    reply(&model, request).await;
    assert_eq!(server.violations(), [""; 0]);
    server.completions()[0].body.clone()
}

fn with_quirks(server: &Server, change: impl FnOnce(&mut Endpoint)) -> Chat {
    let mut endpoint = endpoint(&server.url());
    change(&mut endpoint);
    Chat::new(client(), endpoint, LIMITS)
}

#[tokio::test]
async fn a_first_request_says_all_there_is_to_say_and_messages_come_last() {
    let server = agreeable();
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let (name, description) = ("ls".to_owned(), "Lists.".to_owned());
    let tools = Arc::new([ToolSpec { name, description, schema: schema.clone() }]);
    let request = Request { tools, max_output: Some(9), ..request([said("hi")]) };
    sent_to(&server, chat(&server), request).await;
    let function = json!({"name": "ls", "description": "Lists.", "parameters": schema});
    let expected = json!({
        "model": "scripted",
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": 9,
        "tools": [{"type": "function", "function": function}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
        ],
    });
    let request = &server.completions()[0];
    assert_eq!(String::from_utf8_lossy(&request.bytes), expected.to_string());
    assert_eq!(request.header("authorization"), Some("Bearer sk-test"));
}

#[tokio::test]
async fn a_step_is_one_message_and_an_answer_for_each_call_in_their_order() {
    let blocks =
        [text("a"), body_call("x", "ls", "{ \"p\" : 1 }"), text("b"), body_call("y", "cat", "")];
    let outputs = [Output::text("one"), Output::failure("no such file")];
    let body = sent([said("hi"), step(blocks, outputs), said("more")]).await;
    let call = |id: &str, name: &str, args: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": args}});
    let calls = json!([call("x", "ls", "{ \"p\" : 1 }"), call("y", "cat", "{}")]);
    let expected = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "a\nb", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "x", "content": "one"},
        {"role": "tool", "tool_call_id": "y", "content": "no such file"},
        {"role": "user", "content": "more"},
    ]);
    assert_eq!(body["messages"], expected);
}

#[tokio::test]
async fn arguments_that_are_no_object_go_back_as_one() {
    let broken = ["{\"a\":", "[1]", "null", "12", "\"{\\\"a\\\":1}\""];
    let blocks = broken.iter().enumerate().map(|(n, args)| body_call(&format!("c{n}"), "ls", args));
    let body = sent([said("hi"), step(blocks, [])]).await;
    let calls = body["messages"][2]["tool_calls"].as_array().unwrap();
    let args: Vec<&str> =
        calls.iter().map(|call| call["function"]["arguments"].as_str().unwrap()).collect();
    assert_eq!(args, ["{}", "{}", "{}", "{}", "{\"a\":1}"]);
}

#[tokio::test]
async fn a_reply_of_thoughts_alone_leaves_no_empty_message() {
    let body = sent([said("hi"), step([Body::Thinking("hm".to_owned())], []), said("well?")]).await;
    let roles: Vec<&Value> =
        body["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "user"]);
}

#[tokio::test]
async fn names_no_server_accepts_are_replaced() {
    let blocks = [body_call("x", "functions.ls:0", "{}"), body_call("y", "", "{}")];
    let body = sent([said("hi"), step(blocks, [])]).await;
    let calls = &body["messages"][2]["tool_calls"];
    assert_eq!(calls[0]["function"]["name"], "functions_ls_0");
    assert_eq!(calls[1]["function"]["name"], "unnamed");
}

#[tokio::test]
async fn pictures_in_answers_move_into_a_message_behind_them() {
    let (media, data) = ("image/png".to_owned(), "AAAA".to_owned());
    let shown = Output { content: vec![Content::Image { media, data }], ..Output::default() };
    let blocks = [body_call("x", "look", "{}"), body_call("y", "ls", "{}")];
    let body = sent([said("hi"), step(blocks, [shown, Output::text("b")])]).await;
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[3]["content"], "[image/png, 0 KB]");
    assert_eq!(messages[4]["content"], "b");
    let parts = json!([
        {"type": "text", "text": "[shown by look, call x]"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]);
    assert_eq!(messages[5], json!({"role": "user", "content": parts}));
}

#[tokio::test]
async fn cc_60_reasoning_goes_back_where_the_vendor_wants_it_and_only_there() {
    let thought = || Body::Thinking("hm".to_owned());
    let items = || {
        let silent = [body_call("y", "ls", "{}")];
        let loud = [thought(), body_call("x", "ls", "{}")];
        [
            said("hi"),
            step(loud, []),
            step(silent, []),
            step([thought(), text("done")], []),
            said("?"),
        ]
    };
    let plain = sent(items()).await;
    assert!(!plain.to_string().contains("reasoning_content"));
    let server = agreeable();
    let model = with_quirks(&server, |endpoint| endpoint.quirks.reasoning = Reasoning::WithCalls);
    let body = sent_to(&server, model, request(items())).await;
    let reasoning = |at: usize| body["messages"][at].get("reasoning_content").cloned();
    assert_eq!([2, 4, 6].map(reasoning), [Some(json!("hm")), Some(json!("")), None]);
}

#[tokio::test]
async fn what_is_sealed_goes_back_to_its_own_origin_and_to_nobody_else() {
    let details = json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "eA=="}]});
    let sealed =
        Block { seal: Some(json!({"extra_content": 1})), ..body_call("x", "ls", "{}").into() };
    let items = [said("hi"), step([sealed, Body::Opaque(details.clone()).into()], [])];
    let own = sent(items.clone()).await;
    let message = &own["messages"][2];
    assert_eq!(message["reasoning_details"], details["reasoning_details"]);
    assert_eq!(message["tool_calls"][0]["extra_content"], 1);
    let server = agreeable();
    let other = with_quirks(&server, |endpoint| endpoint.model = "another".to_owned());
    let foreign = sent_to(&server, other, request(items)).await.to_string();
    assert!(!foreign.contains("extra_content") && !foreign.contains("reasoning_details"));
}

#[tokio::test]
async fn each_request_repeats_the_last_one_byte_for_byte_and_goes_on() {
    let server = agreeable();
    let model = chat(&server);
    let first = request([said("hi")]);
    let (deltas, _) = ask(&model, first.clone()).await;
    assert!(!deltas.is_empty());
    let blocks = [text("a"), body_call("x", "ls", "{ }")];
    let second = request([said("hi"), step(blocks, [Output::text("b")]), said("more")]);
    let second = Request { system: first.system, tools: first.tools, ..second };
    ask(&model, second).await;
    let sent = server.completions();
    let before = sent[0].bytes.strip_suffix(b"]}").unwrap();
    assert!(sent[1].bytes.starts_with(before));
}

#[tokio::test]
async fn an_item_is_serialised_once_in_its_life() {
    let server = agreeable();
    let model = chat(&server);
    let first = request([said("one"), said("two"), said("three")]);
    ask(&model, first.clone()).await;
    // Another text under the same key is never looked at; a trimmed item has another key.
    let mut items = first.items.to_vec();
    for (_, item) in &mut items {
        *item = Arc::new(said("never"));
    }
    items[1].0.trimmed = 9;
    items[1].1 = Arc::new(said("2"));
    ask(&model, Request { items: items.into(), ..first }).await;
    let texts: Vec<String> = server.completions()[1]
        .messages()
        .iter()
        .map(|message| message["content"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["Be brief.", "one", "2", "three"]);
}

#[tokio::test]
async fn a_rejected_parameter_costs_one_request_in_the_life_of_the_process() {
    let rejecting = |request: &purlin_testkit::Received| {
        let known = request.body.get("stream_options").is_none();
        let (good, bad) = (Reply::new().text("ok"), refusal::unknown_parameter("stream_options"));
        if known { good.into() } else { bad.into() }
    };
    let server = server(Script::by(rejecting));
    let model = chat(&server);
    reply(&model, request([said("hi")])).await;
    reply(&model, request([said("hi"), said("again")])).await;
    let with: Vec<bool> =
        server.completions().iter().map(|r| r.body.get("stream_options").is_some()).collect();
    assert_eq!(with, [true, false, false]);
}

#[tokio::test]
async fn the_output_limit_changes_its_name_where_the_server_says_so() {
    let message = "Unsupported parameter: 'max_tokens' is not supported with this model. \
                   Use 'max_completion_tokens' instead.";
    let refused = refusal::error(400, "invalid_request_error", message);
    let server = server(Script::new().then(refused).then(Reply::new().text("ok")));
    let asked = Request { max_output: Some(7), ..request([said("hi")]) };
    reply(&chat(&server), asked).await;
    let requests = server.completions();
    assert_eq!(requests[1].body["max_completion_tokens"], 7);
    assert_eq!(requests[1].body.get("max_tokens"), None);
}

#[tokio::test]
async fn openai_is_asked_for_completion_tokens_at_once() {
    let server = agreeable();
    let model = with_quirks(&server, |endpoint| endpoint.quirks.limit = Limit::MaxCompletionTokens);
    let asked = Request { max_output: Some(7), ..request([said("hi")]) };
    assert_eq!(sent_to(&server, model, asked).await["max_completion_tokens"], 7);
}

#[tokio::test]
async fn further_parameters_are_dropped_one_by_one() {
    let rejecting = |request: &purlin_testkit::Received| {
        let unknown = ["temperature", "parallel_tool_calls"];
        match unknown.into_iter().find(|name| request.body.get(name).is_some()) {
            Some(name) => refusal::unknown_parameter(name).into(),
            None => Reply::new().text("ok").into(),
        }
    };
    let server = server(Script::by(rejecting));
    let model = with_quirks(&server, |endpoint| {
        endpoint.quirks.extra.insert("temperature".to_owned(), json!(0));
        endpoint.quirks.extra.insert("parallel_tool_calls".to_owned(), json!(false));
        endpoint.quirks.extra.insert("top_p".to_owned(), json!(1));
    });
    reply(&model, request([said("hi")])).await;
    reply(&model, request([said("hi")])).await;
    let sent = server.completions();
    assert_eq!((sent.len(), &sent[3].body["top_p"]), (4, &json!(1)));
}

#[tokio::test]
async fn a_complaint_about_a_value_is_not_a_rejected_parameter() {
    let message = "max_tokens is too large: 100000. This model supports at most 16384 tokens";
    let refused = refusal::error(400, "invalid_request_error", message);
    let server = server(Script::new().then(refused));
    let model = with_quirks(&server, |endpoint| {
        endpoint.quirks.extra.insert("max_tokens".to_owned(), json!(100_000));
    });
    assert!(failure(&model).await.to_string().ends_with(message));
    assert_eq!(server.completions().len(), 1);
}

#[tokio::test]
async fn an_unknown_model_is_not_a_rejected_parameter() {
    let message = "The model `scripted` is not supported";
    let mut body = refusal::error_body("invalid_request_error", message);
    body["error"]["param"] = json!("model");
    let server = server(Script::new().then(Wire::status(400).json(&body)));
    assert!(failure(&chat(&server)).await.to_string().ends_with(message));
    assert_eq!(server.completions().len(), 1);
}
