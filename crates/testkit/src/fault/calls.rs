//! Faults in how calls are put into fragments.

use serde_json::{Value, json};

use super::chunks::{fragments_of, is_call};
use crate::reply::{Call, Piece};

/// How calls are put into fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Without indexes.
    NoIndex,
    /// Indexes count from one.
    IndexFromOne,
    /// Indexes are strings.
    IndexAsString,
    /// All calls have index 0 and differ by id alone.
    SameIndex,
    /// Every fragment has the id, and another index.
    WanderingIndex,
    /// Without ids.
    NoId,
    /// Ids are empty.
    EmptyId,
    /// All calls have one id.
    SameId,
    /// The id comes in two pieces.
    IdInPieces,
    /// The name comes in two pieces.
    NameInPieces,
    /// Every fragment has the whole name.
    NameRepeated,
    /// Arguments are null until they begin.
    ArgsNull,
    /// Arguments are an object in one fragment; those that are no JSON stay a string.
    ArgsAsObject,
    /// The whole arguments come again after their pieces.
    ArgsRepeated,
    /// Each call is whole in one fragment.
    Whole,
    /// Fragments that follow each other share a chunk.
    Together,
    /// Fragments of different calls take turns.
    Interleaved,
    /// The older form: `function_call` in place of `tool_calls`.
    FunctionCall,
}

impl Calls {
    /// Those through which the same calls must be heard. [`Self::FunctionCall`] knows one call
    /// only and so is not among them.
    pub fn harmless() -> Vec<Self> {
        vec![
            Self::NoIndex,
            Self::IndexFromOne,
            Self::IndexAsString,
            Self::SameIndex,
            Self::WanderingIndex,
            Self::NoId,
            Self::EmptyId,
            Self::SameId,
            Self::IdInPieces,
            Self::NameInPieces,
            Self::NameRepeated,
            Self::ArgsNull,
            Self::ArgsAsObject,
            Self::ArgsRepeated,
            Self::Whole,
            Self::Together,
            Self::Interleaved,
        ]
    }

    /// Changes the fragments of one call.
    pub(super) fn reshape(self, call: &Call<'_>, fragments: &mut Vec<Value>) {
        let index = fragments.first().map_or(0, |first| first["index"].as_u64().unwrap_or(0));
        match self {
            Self::NoIndex => each(fragments, |fragment| remove(fragment, "index")),
            Self::IndexFromOne => each(fragments, |one| one["index"] = json!(index + 1)),
            Self::IndexAsString => each(fragments, |one| one["index"] = json!(index.to_string())),
            Self::SameIndex => each(fragments, |fragment| fragment["index"] = json!(0)),
            Self::WanderingIndex => wander(fragments),
            Self::NoId => each(fragments, |fragment| remove(fragment, "id")),
            Self::EmptyId => each(fragments, |fragment| fragment["id"] = json!("")),
            Self::SameId => each(fragments, |fragment| {
                if fragment.get("id").is_some() {
                    fragment["id"] = json!("call_0");
                }
            }),
            Self::IdInPieces => split_id(fragments),
            Self::NameInPieces => split_name(call.name, fragments),
            Self::NameRepeated => {
                each(fragments, |fragment| fragment["function"]["name"] = json!(call.name));
            }
            Self::ArgsNull => fragments[0]["function"]["arguments"] = Value::Null,
            Self::ArgsAsObject => {
                let args = serde_json::from_str(call.args).unwrap_or_else(|_| json!(call.args));
                whole(args, fragments);
            }
            Self::ArgsRepeated => {
                let again = json!({"index": index, "function": {"arguments": call.args}});
                fragments.push(again);
            }
            Self::Whole => whole(json!(call.args), fragments),
            Self::Together | Self::Interleaved | Self::FunctionCall => (),
        }
    }

    /// Changes how the fragments of all calls share the chunks.
    pub(super) fn rearrange(self, pieces: &mut Vec<Piece>) {
        match self {
            Self::Together => together(pieces),
            Self::Interleaved => interleave(pieces),
            Self::FunctionCall => pieces.iter_mut().for_each(older),
            Self::NoIndex
            | Self::IndexFromOne
            | Self::IndexAsString
            | Self::SameIndex
            | Self::WanderingIndex
            | Self::NoId
            | Self::EmptyId
            | Self::SameId
            | Self::IdInPieces
            | Self::NameInPieces
            | Self::NameRepeated
            | Self::ArgsNull
            | Self::ArgsAsObject
            | Self::ArgsRepeated
            | Self::Whole => (),
        }
    }
}

fn each(fragments: &mut [Value], change: impl Fn(&mut Value)) {
    fragments.iter_mut().for_each(change);
}

fn remove(value: &mut Value, key: &str) {
    if let Some(map) = value.as_object_mut() {
        map.remove(key);
    }
}

fn wander(fragments: &mut [Value]) {
    let id = fragments[0]["id"].clone();
    for (number, fragment) in fragments.iter_mut().enumerate() {
        fragment["id"] = id.clone();
        fragment["index"] = json!(number);
    }
}

fn split_id(fragments: &mut Vec<Value>) {
    let id = fragments[0]["id"].as_str().unwrap_or_default().to_owned();
    let (start, rest) = halves(&id);
    let index = fragments[0]["index"].clone();
    fragments[0]["id"] = json!(start);
    fragments.insert(1, json!({"index": index, "id": rest}));
}

fn split_name(name: &str, fragments: &mut Vec<Value>) {
    let (start, rest) = halves(name);
    let index = fragments[0]["index"].clone();
    fragments[0]["function"]["name"] = json!(start);
    fragments.insert(1, json!({"index": index, "function": {"name": rest}}));
}

fn halves(text: &str) -> (&str, &str) {
    let middle = text.chars().count() / 2;
    text.split_at(text.char_indices().nth(middle).map_or(0, |(at, _)| at))
}

fn whole(args: Value, fragments: &mut Vec<Value>) {
    fragments.truncate(1);
    fragments[0]["function"]["arguments"] = args;
}

fn together(pieces: &mut Vec<Piece>) {
    let mut joined: Vec<Piece> = Vec::new();
    for mut piece in pieces.drain(..) {
        match (joined.last_mut().and_then(fragments_of), fragments_of(&mut piece)) {
            (Some(before), Some(these)) => before.append(these),
            (Some(_) | None, Some(_) | None) => joined.push(piece),
        }
    }
    *pieces = joined;
}

/// Sorts each unbroken run of call chunks by their place in their own call.
fn interleave(pieces: &mut [Piece]) {
    for run in pieces.chunk_by_mut(|one, other| is_call(one) && is_call(other)) {
        let mut place = 0;
        let mut placed = Vec::new();
        for piece in run.iter() {
            place = if opens_call(piece) { 0 } else { place + 1 };
            placed.push((place, piece.clone()));
        }
        placed.sort_by_key(|(place, _)| *place);
        for (slot, (_, piece)) in run.iter_mut().zip(placed) {
            *slot = piece;
        }
    }
}

fn opens_call(piece: &Piece) -> bool {
    let fragment = |chunk: &Value| chunk["choices"][0]["delta"]["tool_calls"][0].clone();
    matches!(piece, Piece::Chunk(chunk) if fragment(chunk).get("type").is_some())
}

fn older(piece: &mut Piece) {
    let Piece::Chunk(chunk) = piece else { return };
    let Some(choice) = chunk.pointer_mut("/choices/0") else { return };
    if choice["finish_reason"] == "tool_calls" {
        choice["finish_reason"] = json!("function_call");
    }
    if let Some(function) = choice.pointer("/delta/tool_calls/0/function").cloned() {
        choice["delta"] = json!({"function_call": function});
    }
}
