//! Bytes through the sniffer, the parser and the decoder, without a network.

use purlin_engine::message::{Body as Said, Origin, Reply, ToolCall};
use purlin_engine::model::{Collector, Delta, ModelError};
use purlin_providers::body::{Body, Rest};
use purlin_providers::chat::decode::Decoder;
use purlin_providers::fail;
use reqwest::Url;
use serde_json::{Value, json};

/// What came of a stream: its deltas, and the error that ended it.
pub(crate) type Read = (Vec<Delta>, Option<ModelError>);

/// Reads a body that comes in these pieces.
pub(crate) fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut deltas = Vec::new();
    let error = read_into(pieces, &mut deltas).err();
    (deltas, error)
}

fn read_into<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    out: &mut Vec<Delta>,
) -> Result<(), ModelError> {
    let mut body = Body::new("text/event-stream");
    let mut decoder = Decoder::new(std::sync::Arc::new([]));
    for piece in pieces {
        let mut events = Vec::new();
        let pushed = body.push(piece, &mut events);
        for event in &events {
            decoder.event(event, out)?;
        }
        pushed.map_err(|error| ModelError::Refused(error.to_string()))?;
    }
    match body.finish() {
        Rest::Event(last) => decoder.finish(last.as_ref(), out),
        Rest::Json(text) => decoder.document(&text, out),
        Rest::Page(text) => {
            Err(fail::page("text/html", &text, &Url::parse("https://models.test").unwrap()))
        }
    }
}

/// Reads a body whole and byte by byte, which must not differ.
pub(crate) fn deltas(bytes: &[u8]) -> Read {
    let whole = read([bytes]);
    assert_eq!(whole, read(bytes.chunks(1)), "byte by byte");
    whole
}

/// The reply in a body that has one.
pub(crate) fn reply(bytes: &[u8]) -> Reply {
    let (deltas, error) = deltas(bytes);
    assert_eq!(error, None, "after {deltas:?}");
    let mut collector = Collector::default();
    for delta in &deltas {
        collector.take(delta);
    }
    collector.finish(Origin::default()).expect("a reply")
}

/// The error that a body ends in.
pub(crate) fn error(bytes: &[u8]) -> ModelError {
    deltas(bytes).1.expect("an error")
}

/// The calls of a reply as name and arguments; their ids must be there and differ.
pub(crate) fn calls(reply: &Reply) -> Vec<(&str, &str)> {
    let ids: std::collections::BTreeSet<&str> = reply.calls().map(|call| &*call.id).collect();
    assert_eq!(ids.len(), reply.calls().count(), "ids differ: {ids:?}");
    assert!(!ids.contains(""), "no id is empty");
    reply.calls().map(|ToolCall { name, args, .. }| (&**name, &**args)).collect()
}

/// The thinking of a reply.
pub(crate) fn thinking(reply: &Reply) -> String {
    let thought = |said: &Said| match said {
        Said::Thinking(thought) => thought.clone(),
        Said::Text(_) | Said::Call(_) | Said::Opaque(_) => String::new(),
    };
    reply.blocks.iter().map(|block| thought(&block.body)).collect()
}

/// A stream of these events, without an end marker.
pub(crate) fn events(values: impl IntoIterator<Item = Value>) -> Vec<u8> {
    values.into_iter().map(|value| format!("data: {value}\n\n")).collect::<String>().into_bytes()
}

/// A stream of these deltas that ends for this reason.
pub(crate) fn stream(deltas: impl IntoIterator<Item = Value>, reason: &str) -> Vec<u8> {
    let last = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]});
    let deltas = deltas.into_iter().map(|delta| json!({"choices": [{"index": 0, "delta": delta}]}));
    [events(deltas.chain([last])), b"data: [DONE]\n\n".to_vec()].concat()
}

/// A delta with pieces of calls.
pub(crate) fn pieces(pieces: Value) -> Value {
    json!({ "tool_calls": pieces })
}
