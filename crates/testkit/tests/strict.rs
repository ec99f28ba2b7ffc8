//! The server refuses what any popular provider refuses.

mod client;

use client::{ask, good};
use purlin_testkit::{Reply, Script, Server, chat};
use serde_json::{Value, json};

/// The good request with these messages after the system prompt.
fn with(messages: &[Value]) -> Value {
    let mut body = good();
    let system = json!({"role": "system", "content": "be brief"});
    body["messages"] = std::iter::once(&system).chain(messages).cloned().collect();
    body
}

fn with_tool(tool: &Value) -> Value {
    let mut body = good();
    body["tools"] = json!([tool]);
    body
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn calls(ids: &[&str]) -> Value {
    let function = json!({"name": "look", "arguments": "{}"});
    let call = |id: &&str| json!({"id": id, "type": "function", "function": function});
    json!({"role": "assistant", "tool_calls": ids.iter().map(call).collect::<Vec<_>>()})
}

fn answer(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "seen"})
}

fn call_with(id: Value, function: Value) -> Value {
    let call = json!({"id": id, "type": "function", "function": function});
    json!({"role": "assistant", "content": null, "tool_calls": [call]})
}

fn tool() -> Value {
    let parameters = json!({
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    });
    let function = json!({"name": "look", "description": "Looks.", "parameters": parameters});
    json!({"type": "function", "function": function})
}

#[track_caller]
fn refused(body: &Value, why: &str) {
    let violations = chat::violations(body);
    assert!(violations.iter().any(|found| found.contains(why)), "{why:?} is not in {violations:?}");
}

#[track_caller]
fn accepted(body: &Value) {
    assert_eq!(chat::violations(body), Vec::<String>::new());
}

#[test]
fn whole_conversations_are_accepted() {
    accepted(&good());
    accepted(&with_tool(&tool()));
    let said = json!({"role": "assistant", "content": "done"});
    let both =
        json!({"role": "assistant", "content": "", "tool_calls": calls(&["c"])["tool_calls"]});
    let turns = [user("a"), user("b"), calls(&["a", "b"]), answer("b"), answer("a"), both];
    accepted(&with(&[&turns[..], &[answer("c"), said, user("more")]].concat()));
    let silent = json!({"role": "tool", "tool_call_id": "a", "content": ""});
    accepted(&with(&[user("a"), calls(&["a"]), silent]));
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let parts = json!([{"type": "text", "text": "see"}, picture]);
    accepted(&with(&[json!({"role": "user", "content": parts})]));
}

#[test]
fn a_violation_is_answered_with_400_and_recorded_and_costs_no_round() {
    let server = Server::start(Script::new().then(Reply::new().text("hello"))).unwrap();
    let response = ask(&server, &with(&[user("a"), calls(&["c1"])]));
    assert_eq!(response.status, 400);
    assert_eq!(
        response.json()["error"]["message"],
        "call c1 is never answered; \
        the last message is \"assistant\": nothing is asked"
    );
    assert_eq!(server.violations()[0], "request 1: call c1 is never answered");
    assert_eq!(ask(&server, &good()).status, 200);
    assert_eq!(server.violations().len(), 2);
}

#[test]
fn every_call_is_answered_once_and_directly_after_its_message() {
    refused(&with(&[user("a"), calls(&["a", "b"]), answer("a")]), "call b is never answered");
    refused(&with(&[user("a"), calls(&["a"]), user("b"), answer("a")]), "call a is not answered");
    refused(&with(&[user("a"), calls(&["a"]), answer("a"), answer("a")]), "no open call");
    refused(&with(&[user("a"), answer("a")]), "no open call");
    refused(&with(&[user("a"), calls(&["a"]), answer("x"), answer("a")]), "no open call");
}

#[test]
fn ids_and_arguments_of_calls_are_checked() {
    let fine = json!({"name": "look", "arguments": "{}"});
    let asked = |call: Value| with(&[user("a"), call, answer("a")]);
    refused(&asked(calls(&["a", "a"])), "two calls of one message");
    refused(&asked(call_with(json!(""), fine.clone())), "a call without an id");
    refused(
        &asked(call_with(json!("a"), json!({"name": "look", "arguments": {}}))),
        "not a string",
    );
    refused(&asked(call_with(json!("a"), json!({"name": "look", "arguments": "{"}))), "EOF");
    refused(&asked(call_with(json!("a"), json!({"name": "look", "arguments": ""}))), "EOF");
    refused(&asked(call_with(json!("a"), json!({"name": "a b", "arguments": "{}"}))), "the name");
    let mut untyped = call_with(json!("a"), fine);
    untyped["tool_calls"][0]["type"] = Value::Null;
    refused(&asked(untyped), "type function");
}

#[test]
fn no_message_is_empty() {
    let assistant = |content: Value| json!({"role": "assistant", "content": content});
    let asked = |message: Value| with(&[user("a"), message, user("b")]);
    refused(&asked(assistant(Value::Null)), "without content and calls");
    refused(&asked(assistant(json!(""))), "without content and calls");
    refused(&asked(json!({"role": "assistant"})), "without content and calls");
    refused(&asked(json!({"role": "assistant", "tool_calls": []})), "tool_calls is not");
    refused(&with(&[json!({"role": "user"})]), "content is null");
    refused(&with(&[user("")]), "content is empty");
    refused(&with(&[json!({"role": "user", "content": []})]), "no parts");
    refused(
        &with(&[json!({"role": "user", "content": [{"type": "text", "text": ""}]})]),
        "the part",
    );
    let null = json!({"role": "tool", "tool_call_id": "a", "content": null});
    refused(&with(&[user("a"), calls(&["a"]), null]), "content is null");
}

#[test]
fn roles_are_known_and_in_order() {
    let said = json!({"role": "assistant", "content": "done"});
    refused(&with(&[json!({"role": "function", "content": "x"}), user("a")]), "unknown role");
    refused(&with(&[json!({"content": "x"}), user("a")]), "unknown role");
    refused(&with(&[said.clone(), user("a")]), "speaks before the user");
    refused(&with(&[user("a"), said.clone(), said.clone(), user("b")]), "in a row");
    refused(&with(&[user("a"), said]), "nothing is asked");
    refused(&with(&[user("a"), json!({"role": "system", "content": "x"}), user("b")]), "later");
    let mut body = good();
    body["messages"] = json!([user("a")]);
    refused(&body, "\"user\" comes first");
    body["messages"] = json!([]);
    refused(&body, "nothing is asked");
    body["messages"] = json!("hello");
    refused(&body, "not an array");
}

#[test]
fn nc_01_every_tool_has_a_schema_with_properties() {
    let changed = |pointer: &str, value: Value| {
        let mut tool = tool();
        *tool.pointer_mut(pointer).unwrap() = value;
        with_tool(&tool)
    };
    refused(&changed("/function/parameters/properties", json!({})), "no properties");
    refused(&changed("/function/parameters", json!({"type": "object"})), "no properties");
    refused(&changed("/function/parameters/type", json!("array")), "not of type object");
    refused(&changed("/function/parameters/required", json!(["file"])), "no parameter");
    refused(&changed("/function/parameters/properties/path", json!("string")), "no schema");
    refused(&changed("/function/description", json!("")), "no description");
    refused(&changed("/function/name", json!("")), "not a name");
    refused(&changed("/type", json!("tool")), "not of type function");
    let mut body = good();
    body["tools"] = json!([tool(), tool()]);
    refused(&body, "declared twice");
    body["tools"] = json!([]);
    refused(&body, "tools is empty");
}

#[test]
fn the_model_is_named_and_the_answer_streamed() {
    let mut body = good();
    body["model"] = Value::Null;
    body["stream"] = json!(false);
    refused(&body, "no model");
    refused(&body, "stream is not true");
    refused(&json!([]), "not a JSON object");
}
