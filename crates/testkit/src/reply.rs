//! What the scripted model says in one round, and the chunks in which a real provider would send
//! it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fault::{self, Fault};
use crate::latch::Latch;
use crate::server::Received;
use crate::wire::Wire;

/// Letters of text in one chunk, about what a token is.
const TEXT_PIECE: usize = 6;
/// Letters of arguments in one chunk.
const ARGS_PIECE: usize = 9;

/// A reply in the making. What is said is streamed in the order it is said.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub(crate) parts: Vec<Part>,
    pub(crate) usage: Option<(u64, u64)>,
    pub(crate) finish: Option<String>,
    pace: Option<Duration>,
    faults: Vec<Fault>,
}

/// A part of a reply.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(String),
    Thinking(String),
    Call { id: Option<String>, name: String, args: String },
    Delta(Value),
    Pause(Duration),
    Wait(Latch),
    Reached(Latch),
}

/// A call as it goes out.
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a str,
}

/// A piece of a reply before it becomes bytes.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// A chunk of the stream.
    Chunk(Value),
    Pause(Duration),
    Wait(Latch),
    Reached(Latch),
}

impl Reply {
    /// A reply that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says a text, in several chunks.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.part(Part::Text(text.into()))
    }

    /// Thinks aloud, in several chunks.
    #[must_use]
    pub fn thinking(self, text: impl Into<String>) -> Self {
        self.part(Part::Thinking(text.into()))
    }

    /// Calls a tool, under an id of its own.
    #[must_use]
    pub fn call(self, name: &str, args: &Value) -> Self {
        self.call_raw(name, &args.to_string())
    }

    /// Calls a tool with these very letters as arguments, JSON or not.
    #[must_use]
    pub fn call_raw(self, name: &str, args: &str) -> Self {
        self.part(Part::Call { id: None, name: name.to_owned(), args: args.to_owned() })
    }

    /// Calls a tool under an id.
    #[must_use]
    pub fn call_as(self, id: &str, name: &str, args: &Value) -> Self {
        let (id, args) = (Some(id.to_owned()), args.to_string());
        self.part(Part::Call { id, name: name.to_owned(), args })
    }

    /// Sends a delta of the wire format as it stands, in one chunk.
    #[must_use]
    pub fn delta(self, delta: Value) -> Self {
        self.part(Part::Delta(delta))
    }

    /// Stays silent for so long.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.part(Part::Pause(time))
    }

    /// Stays silent until the latch opens.
    #[must_use]
    pub fn wait(self, latch: &Latch) -> Self {
        self.part(Part::Wait(latch.clone()))
    }

    /// Opens the latch when all that came before is sent.
    #[must_use]
    pub fn reached(self, latch: &Latch) -> Self {
        self.part(Part::Reached(latch.clone()))
    }

    /// Stays silent for so long after each chunk, as a model does that thinks as it speaks.
    #[must_use]
    pub fn pace(mut self, time: Duration) -> Self {
        self.pace = Some(time);
        self
    }

    /// Counts these tokens instead of a quarter of the bytes.
    #[must_use]
    pub fn usage(mut self, prompt: u64, completion: u64) -> Self {
        self.usage = Some((prompt, completion));
        self
    }

    /// Ends for this reason instead of `stop` or `tool_calls`.
    #[must_use]
    pub fn finish(mut self, reason: &str) -> Self {
        self.finish = Some(reason.to_owned());
        self
    }

    /// Breaks the stream in one more way.
    #[must_use]
    pub fn with(mut self, fault: impl Into<Fault>) -> Self {
        self.faults.push(fault.into());
        self
    }

    fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The response to round `number`, faults included.
    pub(crate) fn wire(&self, request: &Received, number: usize) -> Wire {
        let mut pieces = vec![Piece::Chunk(chunk(json!({"role": "assistant", "content": ""})))];
        self.body(number, &mut pieces);
        pieces.push(Piece::Chunk(last_chunk(&self.finish_reason())));
        let asked = request.body["stream_options"]["include_usage"] == true;
        if asked || self.usage.is_some() {
            pieces.push(Piece::Chunk(usage_chunk(self.tokens(request.bytes.len() as u64))));
        }
        if let Some(time) = self.pace {
            pieces = pieces.into_iter().flat_map(|piece| [piece, Piece::Pause(time)]).collect();
        }
        fault::broken(pieces, &self.faults)
    }

    /// Tokens of prompt and completion for a prompt of so many bytes.
    pub(crate) fn tokens(&self, prompt_bytes: u64) -> (u64, u64) {
        let said = |part: &Part| match part {
            Part::Text(text) | Part::Thinking(text) => text.len(),
            Part::Call { name, args, .. } => name.len() + args.len(),
            Part::Delta(_) | Part::Pause(_) | Part::Wait(_) | Part::Reached(_) => 0,
        };
        let bytes: usize = self.parts.iter().map(said).sum();
        self.usage.unwrap_or((prompt_bytes / 4, bytes as u64 / 4))
    }

    /// Why it ends.
    pub(crate) fn finish_reason(&self) -> String {
        let calls = self.parts.iter().any(|part| matches!(part, Part::Call { .. }));
        let natural = if calls { "tool_calls" } else { "stop" };
        self.finish.clone().unwrap_or_else(|| natural.to_owned())
    }

    fn body(&self, number: usize, pieces: &mut Vec<Piece>) {
        let mut index = 0;
        for part in &self.parts {
            match part {
                Part::Text(text) => say("content", text, pieces),
                Part::Thinking(text) => say("reasoning_content", text, pieces),
                Part::Call { id, name, args } => {
                    let id = id.clone().unwrap_or_else(|| call_id(number, index));
                    let fragments = self.fragments(index, &id, &Call { name, args });
                    let delta = |fragment| chunk(json!({"tool_calls": [fragment]}));
                    pieces.extend(fragments.into_iter().map(delta).map(Piece::Chunk));
                    index += 1;
                }
                Part::Delta(delta) => pieces.push(Piece::Chunk(chunk(delta.clone()))),
                Part::Pause(time) => pieces.push(Piece::Pause(*time)),
                Part::Wait(latch) => pieces.push(Piece::Wait(latch.clone())),
                Part::Reached(latch) => pieces.push(Piece::Reached(latch.clone())),
            }
        }
    }

    /// One call: first its id and name, then its arguments in pieces.
    fn fragments(&self, index: usize, id: &str, call: &Call<'_>) -> Vec<Value> {
        let function = json!({"name": call.name, "arguments": ""});
        let opening = json!({"index": index, "id": id, "type": "function", "function": function});
        let piece = |piece: &str| json!({"index": index, "function": {"arguments": piece}});
        let mut fragments = vec![opening];
        fragments.extend(cut(call.args, ARGS_PIECE).map(piece));
        for fault in &self.faults {
            fault.reshape_call(call, &mut fragments);
        }
        fragments
    }
}

/// The id of a call nobody named: unique as long as the server lives.
pub(crate) fn call_id(number: usize, index: usize) -> String {
    format!("call_{number}_{index}")
}

/// Cuts a text into pieces of so many letters.
pub(crate) fn cut(text: &str, letters: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(letters).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// A chunk with one delta.
pub(crate) fn chunk(delta: Value) -> Value {
    with_choices(json!([{"index": 0, "delta": delta, "finish_reason": null}]))
}

/// A chunk with these choices.
pub(crate) fn with_choices(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "scripted",
        "choices": choices,
    })
}

fn last_chunk(reason: &str) -> Value {
    with_choices(json!([{"index": 0, "delta": {}, "finish_reason": reason}]))
}

fn usage_chunk((prompt, completion): (u64, u64)) -> Value {
    let mut chunk = with_choices(json!([]));
    chunk["usage"] = json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    });
    chunk
}

fn say(field: &str, text: &str, pieces: &mut Vec<Piece>) {
    let delta = |piece| Piece::Chunk(chunk(json!({field: piece})));
    pieces.extend(cut(text, TEXT_PIECE).map(delta));
}
