//! The encoder: a request as bytes.
//!
//! Everything that stays the same all session long stands before the messages, and the messages
//! come last; so a request repeats the previous one byte for byte and goes on where that ended,
//! which is what prompt caches pay for. No function here sees more than one item: an item's bytes
//! do not depend on its neighbours, and can be kept.

use purlin_engine::message::{Body, Content, Item, Origin, Output, Reply, Step, ToolCall, plain};
use purlin_engine::tool::ToolSpec;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::vendor::Reasoning;

/// The request up to its first message: parameters, tools and the system prompt.
pub(super) fn head(params: &Map<String, Value>, tools: &[ToolSpec], system: &str) -> String {
    let mut fields = params.clone();
    if !tools.is_empty() {
        fields.insert("tools".to_owned(), tools.iter().map(tool).collect());
    }
    let mut text = Value::Object(fields).to_string();
    text.truncate(text.len() - 1);
    text.push_str(",\"messages\":[");
    text.push_str(&json!({ "role": "system", "content": system }).to_string());
    text
}

/// The request behind its last message.
pub(super) const TAIL: &str = "]}";

fn tool(spec: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": spec.name,
            "description": spec.description,
            "parameters": spec.schema,
        },
    })
}

/// An item's messages, each with a comma before it. Perhaps none: an empty message is rejected.
pub(super) fn item(item: &Item, own: &Origin, reasoning: Reasoning) -> String {
    match item {
        Item::User(message) if message.content.is_empty() => String::new(),
        Item::User(message) => joined([user(&message.content)]),
        Item::Step(step) => {
            let said = assistant(step.reply(), own, reasoning);
            let answers = step.answers().map(|(call, output)| answer(call, output));
            joined(said.into_iter().chain(answers).chain(pictures(step)))
        }
    }
}

fn joined(messages: impl IntoIterator<Item = Value>) -> String {
    messages.into_iter().map(|message| format!(",{message}")).collect()
}

fn user(content: &[Content]) -> Value {
    let only_text = content.iter().all(|part| matches!(part, Content::Text(_)));
    let content =
        if only_text { Value::from(plain(content)) } else { content.iter().map(part).collect() };
    json!({ "role": "user", "content": content })
}

fn part(content: &Content) -> Value {
    let url = |media: &str, data: &str| format!("data:{media};base64,{data}");
    match content {
        Content::Text(text) => json!({ "type": "text", "text": text }),
        Content::Image { media, data } => {
            json!({ "type": "image_url", "image_url": { "url": url(media, data) } })
        }
        Content::File { name, media, data } => {
            json!({ "type": "file", "file": { "filename": name, "file_data": url(media, data) } })
        }
    }
}

/// A reply as a message, if it says anything that can be said here. The format has one text a
/// message and puts it before the calls.
fn assistant(reply: &Reply, own: &Origin, reasoning: Reasoning) -> Option<Value> {
    let ours = reply.origin == *own;
    let seal = |block: &purlin_engine::message::Block| block.seal.clone().filter(|_| ours);
    let mut calls = Vec::new();
    let mut further = Map::new();
    let mut thoughts = String::new();
    for block in &reply.blocks {
        match &block.body {
            Body::Text(_) => (),
            Body::Thinking(thought) if ours => thoughts.push_str(thought),
            Body::Call(made) => calls.push(call(made, seal(block))),
            Body::Opaque(Value::Object(fields)) if ours => further.extend(fields.clone()),
            Body::Thinking(_) | Body::Opaque(_) => (),
        }
    }
    let text = reply.text();
    if text.is_empty() && calls.is_empty() {
        return None;
    }
    let content = if text.is_empty() { Value::Null } else { Value::from(text) };
    let mut message = Map::new();
    message.insert("role".to_owned(), "assistant".into());
    message.insert("content".to_owned(), content);
    message.extend(further);
    if !calls.is_empty() {
        if reasoning == Reasoning::WithCalls {
            message.insert("reasoning_content".to_owned(), thoughts.into());
        }
        message.insert("tool_calls".to_owned(), calls.into());
    }
    Some(Value::Object(message))
}

fn call(call: &ToolCall, seal: Option<Value>) -> Value {
    let function = json!({ "name": name(&call.name), "arguments": arguments(&call.args) });
    let mut value = json!({ "id": call.id, "type": "function", "function": function });
    if let (Some(fields), Some(Value::Object(sealed))) = (value.as_object_mut(), seal) {
        fields.extend(sealed);
    }
    value
}

/// The arguments byte for byte where they are an object. Strict servers parse them, so that broken
/// ones become an empty object; the answer to such a call says what was wrong with it.
fn arguments(args: &str) -> String {
    if is_object(args) {
        return args.to_owned();
    }
    // Encoded twice: the inner text is what ran.
    let inner = serde_json::from_str::<String>(args).ok().filter(|inner| is_object(inner));
    inner.unwrap_or_else(|| "{}".to_owned())
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// A name the server accepts; the model may have written anything, and its answer says so.
fn name(written: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = written.chars().map(fit).take(64).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// Pictures and documents are only named here: they cannot stand in an answer.
fn answer(call: &ToolCall, output: &Output) -> Value {
    let text = plain(&output.content);
    let text = if text.is_empty() { "(no output)".to_owned() } else { text };
    json!({ "role": "tool", "tool_call_id": call.id, "content": text })
}

/// What the answers of a step show, in a message of its own behind the last of them.
fn pictures(step: &Step) -> Option<Value> {
    let mut parts = Vec::new();
    for (call, output) in step.answers() {
        let shown = output.content.iter().filter(|part| !matches!(part, Content::Text(_)));
        let shown: Vec<Value> = shown.map(part).collect();
        if !shown.is_empty() {
            let from = format!("[shown by {}, call {}]", call.name, call.id);
            parts.push(part(&Content::Text(from)));
            parts.extend(shown);
        }
    }
    (!parts.is_empty()).then(|| json!({ "role": "user", "content": parts }))
}
