//! What a Chat Completions request must be. Stricter than any one provider: it refuses what any of
//! the popular ones refuses, because a conversation may move between them.

use std::collections::BTreeSet;

use serde_json::Value;

/// Everything wrong with the body of a request, a sentence each.
pub fn violations(body: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if !body.is_object() {
        wrong.push("the body is not a JSON object".to_owned());
        return wrong;
    }
    if !named(&body["model"]) {
        wrong.push("no model is named".to_owned());
    }
    if body["stream"] != true {
        wrong.push("stream is not true".to_owned());
    }
    match body["messages"].as_array() {
        Some(messages) => check_messages(messages, &mut wrong),
        None => wrong.push("messages is not an array".to_owned()),
    }
    match body.get("tools").map(Value::as_array) {
        Some(Some(tools)) => check_tools(tools, &mut wrong),
        Some(None) => wrong.push("tools is not an array".to_owned()),
        None => (),
    }
    wrong
}

/// The messages so far, as far as the next one depends on them.
#[derive(Default)]
struct Place {
    /// The role of the last message.
    last: String,
    /// Calls of the last assistant message that nobody has answered yet.
    open: BTreeSet<String>,
}

fn check_messages(messages: &[Value], wrong: &mut Vec<String>) {
    let mut place = Place::default();
    for (number, message) in messages.iter().enumerate() {
        let mut complaints = Vec::new();
        place.take(message, &mut complaints);
        wrong.extend(complaints.into_iter().map(|why| format!("messages[{number}]: {why}")));
    }
    for id in &place.open {
        wrong.push(format!("call {id} is never answered"));
    }
    if !matches!(place.last.as_str(), "user" | "tool") {
        wrong.push(format!("the last message is {:?}: nothing is asked", place.last));
    }
}

impl Place {
    fn take(&mut self, message: &Value, wrong: &mut Vec<String>) {
        let role = message["role"].as_str().unwrap_or_default();
        let first = self.last.is_empty();
        if first != (role == "system") {
            wrong.push(format!("{role:?} {}", if first { "comes first" } else { "comes later" }));
        }
        if role != "tool" {
            for id in std::mem::take(&mut self.open) {
                wrong.push(format!("call {id} is not answered directly after its message"));
            }
        }
        match role {
            "system" | "user" => check_content(&message["content"], wrong),
            "assistant" => self.take_assistant(message, wrong),
            "tool" => self.take_answer(message, wrong),
            _ => wrong.push(format!("unknown role {role:?}")),
        }
        // A message without a role still ends the beginning.
        self.last = if role.is_empty() { "nobody".to_owned() } else { role.to_owned() };
    }

    fn take_assistant(&mut self, message: &Value, wrong: &mut Vec<String>) {
        match self.last.as_str() {
            "assistant" => wrong.push("two assistant messages in a row".to_owned()),
            "system" => wrong.push("the assistant speaks before the user".to_owned()),
            _ => (),
        }
        let content = &message["content"];
        match message.get("tool_calls") {
            None if content.is_null() || content == "" => {
                wrong.push("an assistant message without content and calls".to_owned());
            }
            None => check_content(content, wrong),
            Some(calls) => {
                if !(content.is_null() || content == "") {
                    check_content(content, wrong);
                }
                match calls.as_array().filter(|calls| !calls.is_empty()) {
                    Some(calls) => calls.iter().for_each(|call| self.take_call(call, wrong)),
                    None => wrong.push("tool_calls is not an array with calls".to_owned()),
                }
            }
        }
    }

    fn take_call(&mut self, call: &Value, wrong: &mut Vec<String>) {
        let id = call["id"].as_str().unwrap_or_default();
        let function = &call["function"];
        if call["type"] != "function" {
            wrong.push(format!("call {id:?} is not of type function"));
        }
        if !is_tool_name(&function["name"]) {
            wrong.push(format!("call {id:?} has the name {}", function["name"]));
        }
        match function["arguments"].as_str().map(serde_json::from_str::<Value>) {
            Some(Ok(_)) => (),
            Some(Err(error)) => wrong.push(format!("arguments of call {id:?}: {error}")),
            None => wrong.push(format!("arguments of call {id:?} are not a string")),
        }
        if id.is_empty() {
            wrong.push("a call without an id".to_owned());
        } else if !self.open.insert(id.to_owned()) {
            wrong.push(format!("two calls of one message have the id {id:?}"));
        }
    }

    fn take_answer(&mut self, message: &Value, wrong: &mut Vec<String>) {
        let id = message["tool_call_id"].as_str().unwrap_or_default();
        if !self.open.remove(id) {
            wrong.push(format!("an answer to {id:?}, which is no open call"));
        }
        // An empty answer is an answer: a command may have nothing to say.
        if message["content"] != "" {
            check_content(&message["content"], wrong);
        }
    }
}

fn check_content(content: &Value, wrong: &mut Vec<String>) {
    match content {
        Value::String(text) if text.is_empty() => wrong.push("content is empty".to_owned()),
        Value::String(_) => (),
        Value::Array(parts) if parts.is_empty() => wrong.push("content has no parts".to_owned()),
        Value::Array(parts) => parts.iter().for_each(|part| check_part(part, wrong)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            wrong.push(format!("content is {content}"));
        }
    }
}

fn check_part(part: &Value, wrong: &mut Vec<String>) {
    let fine = match part["type"].as_str() {
        Some("text") => named(&part["text"]),
        Some("image_url") => named(&part["image_url"]["url"]),
        Some("file") => part["file"].is_object(),
        _ => false,
    };
    if !fine {
        wrong.push(format!("content has the part {part}"));
    }
}

fn check_tools(tools: &[Value], wrong: &mut Vec<String>) {
    if tools.is_empty() {
        wrong.push("tools is empty; it should not be sent at all".to_owned());
    }
    let mut names = BTreeSet::new();
    for tool in tools {
        let name = tool["function"]["name"].as_str().unwrap_or_default();
        let mut complaints = Vec::new();
        check_tool(tool, &mut complaints);
        if !names.insert(name) {
            complaints.push("declared twice".to_owned());
        }
        wrong.extend(complaints.into_iter().map(|why| format!("tool {name:?}: {why}")));
    }
}

fn check_tool(tool: &Value, wrong: &mut Vec<String>) {
    let function = &tool["function"];
    if tool["type"] != "function" {
        wrong.push("not of type function".to_owned());
    }
    if !is_tool_name(&function["name"]) {
        wrong.push("not a name".to_owned());
    }
    if !named(&function["description"]) {
        wrong.push("no description".to_owned());
    }
    let schema = &function["parameters"];
    if schema["type"] != "object" {
        wrong.push("parameters are not of type object".to_owned());
    }
    let Some(properties) = schema["properties"].as_object().filter(|map| !map.is_empty()) else {
        wrong.push("parameters have no properties: the model must guess their names".to_owned());
        return;
    };
    for (name, property) in properties {
        if !property.is_object() {
            wrong.push(format!("parameter {name:?} has no schema"));
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if !name.as_str().is_some_and(|name| properties.contains_key(name)) {
            wrong.push(format!("requires {name}, which is no parameter"));
        }
    }
}

fn named(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_tool_name(value: &Value) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    value.as_str().is_some_and(|name| (1..=64).contains(&name.len()) && name.bytes().all(part))
}
