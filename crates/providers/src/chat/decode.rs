//! The decoder: the events of one stream in, deltas out. It does no I/O and knows no time.
//!
//! Every field may be missing, null or of another type than documented; what cannot be read as
//! what it should be is taken for missing.

use std::borrow::Cow;
use std::sync::Arc;

use purlin_engine::message::{Item, Stop, Usage};
use purlin_engine::model::{Delta, ItemKey, Kind, ModelError};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::calls::Piece;
use super::order::{Ending, Ids, Order};
use crate::fail;
use crate::sse::Event;

/// What servers send as their last event.
const DONE: &str = "[DONE]";

/// Decodes one reply.
#[derive(Debug)]
pub struct Decoder {
    order: Order,
    usage: Usage,
    stop: Option<Stop>,
    refusal: bool,
    /// `reasoning_details`, their pieces joined: they go back whole.
    details: Vec<Value>,
    over: bool,
}

impl Decoder {
    /// A decoder for the reply to a conversation, whose ids it keeps clear of.
    pub fn new(items: Arc<[(ItemKey, Arc<Item>)]>) -> Self {
        Self {
            order: Order::new(Ids::new(items)),
            usage: Usage::default(),
            stop: None,
            refusal: false,
            details: Vec::new(),
            over: false,
        }
    }

    /// Takes an event.
    ///
    /// # Errors
    /// When the event is an error, says that the reply failed, or cannot be read.
    pub fn event(&mut self, event: &Event, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        let data = event.data.trim();
        if self.over || data.is_empty() {
            return Ok(());
        }
        if data == DONE {
            self.end(out);
            return Ok(());
        }
        let value = match serde_json::from_str(&paired(data)) {
            Ok(value) => value,
            Err(_) if event.name == "error" => Value::from(data),
            // All that matters has been said.
            Err(_) if self.stop.is_some() => return Ok(()),
            Err(error) => return Err(fail::unreadable(data, &error)),
        };
        if event.name == "error" {
            return Err(fail::said(&value));
        }
        self.chunk(&value, out)
    }

    /// Takes one JSON document that came in place of a stream: an error, or the whole reply.
    ///
    /// # Errors
    /// When it is an error, or neither.
    pub fn document(&mut self, text: &str, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        let value: Value =
            serde_json::from_str(&paired(text)).map_err(|error| fail::unreadable(text, &error))?;
        if value.get("choices").is_none_or(Value::is_null) {
            return Err(fail::said(&value));
        }
        self.chunk(&value, out)?;
        self.end(out);
        Ok(())
    }

    /// The body is over. Its end may have cut the last event, which is then no event.
    ///
    /// # Errors
    /// When the last event is one, or the reply is not over.
    pub fn finish(&mut self, last: Option<&Event>, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        if let Some(event) = last.filter(|event| event.name == "error" || is_whole(&event.data)) {
            self.event(event, out)?;
        }
        if self.stop.is_none() && !self.over {
            let why = "stream ended before its end marker".to_owned();
            return Err(ModelError::Transient { why, wait: None });
        }
        self.end(out);
        Ok(())
    }

    /// Whether the reply is known to be complete: its finish reason was seen.
    pub fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether `Delta::End` was given.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn end(&mut self, out: &mut Vec<Delta>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let stop = self.stop.take().unwrap_or(Stop::End);
        self.order.end(ending(&stop), out);
        self.order.corrections(out);
        if !self.details.is_empty() {
            let details = Value::Array(std::mem::take(&mut self.details));
            let field = Map::from_iter([("reasoning_details".to_owned(), details)]);
            out.push(Delta::Opaque(Value::Object(field)));
        }
        out.push(Delta::End { usage: self.usage, stop });
    }

    fn chunk(&mut self, value: &Value, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        if let Some(error) = error_in(value) {
            return Err(fail::said(error));
        }
        // Other choices than the first were not asked for.
        let first = |choice: &&Value| choice["index"].as_u64().unwrap_or(0) == 0;
        let none = Value::Null;
        let choice = value["choices"].as_array().and_then(|all| all.iter().find(first));
        let choice = choice.unwrap_or(&none);
        // A count is cumulative wherever it stands, so the last one holds.
        for counted in [&value["usage"], &value["x_groq"]["usage"], &choice["usage"]] {
            self.usage = usage(counted).unwrap_or(self.usage);
        }
        if let Some(error) = choice.get("error").filter(|error| says_something(error)) {
            return Err(fail::said(error));
        }
        for said in [&choice["delta"], &choice["message"]] {
            self.message(said, out);
        }
        match choice["finish_reason"].as_str() {
            Some(reason) if !reason.is_empty() => self.finished(reason, out),
            Some(_) | None => Ok(()),
        }
    }

    fn message(&mut self, said: &Value, out: &mut Vec<Delta>) {
        let details = said["reasoning_details"].as_array().map_or(&[][..], Vec::as_slice);
        self.order.say(Kind::Thinking, &thinking(said, details), out);
        details.iter().for_each(|detail| join(&mut self.details, detail));
        match &said["content"] {
            Value::String(text) => self.order.say(Kind::Text, text, out),
            Value::Array(parts) => parts.iter().for_each(|part| self.part(part, out)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => (),
        }
        if let Some(text) = said["refusal"].as_str().filter(|text| !text.is_empty()) {
            self.refusal = true;
            self.order.say(Kind::Text, text, out);
        }
        for call in said["tool_calls"].as_array().into_iter().flatten() {
            self.order.call(piece(call, &call["function"]), out);
        }
        if said["function_call"].is_object() {
            self.order.call(piece(&Value::Null, &said["function_call"]), out);
        }
    }

    /// A part of a content that is a list: Mistral's models think this way.
    fn part(&mut self, part: &Value, out: &mut Vec<Delta>) {
        if let Some(text) = part["text"].as_str() {
            self.order.say(Kind::Text, text, out);
        }
        for thought in part["thinking"].as_array().into_iter().flatten() {
            self.order.say(Kind::Thinking, thought["text"].as_str().unwrap_or_default(), out);
        }
    }

    fn finished(&mut self, reason: &str, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        let stop = match reason.to_ascii_lowercase().as_str() {
            "length" | "max_tokens" | "model_length" | "model_context_window_exceeded" => {
                Stop::Length
            }
            "content_filter" | "safety" | "sensitive" | "refusal" | "recitation" => {
                Stop::Refused(format!("the provider withheld the reply ({reason})"))
            }
            "error" | "network_error" | "insufficient_system_resource" => {
                let why = format!("the provider broke off the reply ({reason})");
                return Err(ModelError::Transient { why, wait: None });
            }
            _ if self.refusal && !self.order.has_calls() => {
                Stop::Refused("the model refused".to_owned())
            }
            // Whether the calls or the text ended it says nothing that the blocks do not say, and
            // servers get it wrong; reasons we do not know are taken for an end.
            _ => Stop::End,
        };
        self.order.end(ending(&stop), out);
        self.stop = Some(stop);
        Ok(())
    }
}

fn is_whole(data: &str) -> bool {
    data.trim() == DONE || serde_json::from_str::<IgnoredAny>(data).is_ok()
}

fn ending(stop: &Stop) -> Ending {
    match stop {
        Stop::Length => Ending::Cut,
        Stop::End | Stop::Refused(_) | Stop::Interrupted => Ending::Complete,
    }
}

/// The error in a chunk, in each of the forms in which servers put one there.
fn error_in(value: &Value) -> Option<&Value> {
    let error = value.get("error").filter(|error| says_something(error));
    let is_error = value["type"] == "error" || value["object"] == "error";
    error.or(is_error.then_some(value))
}

/// Some servers send the field of an error with every chunk.
fn says_something(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => true,
    }
}

fn usage(counted: &Value) -> Option<Usage> {
    let prompt = counted.get("prompt_tokens")?.as_u64()?;
    let details = &counted["prompt_tokens_details"];
    // DeepSeek and Moonshot have fields of their own for what others put into the details.
    let read =
        [&details["cached_tokens"], &counted["prompt_cache_hit_tokens"], &counted["cached_tokens"]];
    let cache_read = read.into_iter().find_map(Value::as_u64).unwrap_or(0).min(prompt);
    let cache_write = details["cache_write_tokens"].as_u64().unwrap_or(0).min(prompt - cache_read);
    let reasoning = &counted["completion_tokens_details"]["reasoning_tokens"];
    let reasoning = reasoning.as_u64().unwrap_or(0);
    let output = counted["completion_tokens"].as_u64().unwrap_or(0);
    Some(Usage {
        input: prompt - cache_read - cache_write,
        cache_read,
        cache_write,
        output: output.max(reasoning),
        reasoning,
    })
}

/// The reasoning in a message. Some servers send it in two fields at once.
fn thinking<'a>(said: &'a Value, details: &'a [Value]) -> Cow<'a, str> {
    let plain = [&said["reasoning_content"], &said["reasoning"]];
    let plain = plain.into_iter().filter_map(Value::as_str).find(|text| !text.is_empty());
    if let Some(text) = plain {
        return text.into();
    }
    let told =
        |detail: &Value| Some(detail["text"].as_str().or(detail["summary"].as_str())?.to_owned());
    details.iter().filter_map(told).collect::<String>().into()
}

/// Adds a piece of `reasoning_details` to the entry it continues.
fn join(details: &mut Vec<Value>, piece: &Value) {
    let same = |last: &&mut Value| last["type"] == piece["type"] && last["index"] == piece["index"];
    let (Some(Value::Object(last)), Value::Object(fields)) =
        (details.last_mut().filter(same), piece)
    else {
        return details.push(piece.clone());
    };
    for (name, value) in fields {
        match (last.get_mut(name), value) {
            (Some(Value::String(text)), Value::String(more))
                if ["text", "summary", "data"].contains(&name.as_str()) =>
            {
                text.push_str(more);
            }
            (Some(_), Value::Null) => (),
            _ => {
                last.insert(name.clone(), value.clone());
            }
        }
    }
}

fn piece(call: &Value, function: &Value) -> Piece {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let index = call["index"].as_i64().or_else(|| call["index"].as_str()?.trim().parse().ok());
    let args = match &function["arguments"] {
        Value::String(args) => args.clone(),
        Value::Null => String::new(),
        // Their spacing is lost here, but they were never the string that goes back.
        args @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            args.to_string()
        }
    };
    let extra = call.get("extra_content").filter(|extra| !extra.is_null());
    let extra = extra.map(|extra| serde_json::json!({ "extra_content": extra }));
    Piece { index, id: text(&call["id"]), name: text(&function["name"]), args, extra }
}

/// The same JSON with `\ud83d` and its like replaced where their other half is missing: a parser
/// of UTF-8 cannot take them, and the rest of the chunk is worth having.
fn paired(json: &str) -> Cow<'_, str> {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return json.into();
    }
    let mut clean = String::new();
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                clean.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            // An escaped backslash is skipped as a whole: what follows it is not an escape.
            (Some(_) | None, _) => rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at),
        };
        clean.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    clean.push_str(rest);
    clean.into()
}

/// The UTF-16 unit of the `\uXXXX` that a text begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}
