//! Faults in what the chunks of a stream say.

use serde_json::{Value, json};

use crate::reply::{Piece, chunk, with_choices};

/// What the chunks say besides the reply, or instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// A chunk without choices comes after every other.
    EmptyChoices,
    /// A chunk with an empty delta, and one with a role only, come after every other.
    EmptyDeltas,
    /// A second choice speaks as well.
    OtherChoice,
    /// Every chunk but the last has `usage: null`.
    UsageNull,
    /// No chunk has a usage.
    UsageMissing,
    /// The chunk with the usage comes twice.
    UsageTwice,
    /// The usage is in the chunk with the finish reason.
    UsageInFinish,
    /// Every chunk has a usage that grows towards the true one.
    UsageGrowing,
    /// The finish reason is in the last chunk that says something.
    FinishWithDelta,
    /// Reasoning is called `reasoning`, not `reasoning_content`.
    Reasoning,
    /// Fields a delta may have are null where it has none.
    NullFields,
    /// After the first chunk comes one that is a line of so many bytes.
    HugeLine(usize),
}

impl Chunks {
    /// Those through which the same reply must be heard.
    pub fn harmless() -> Vec<Self> {
        vec![
            Self::EmptyChoices,
            Self::EmptyDeltas,
            Self::OtherChoice,
            Self::UsageNull,
            Self::UsageMissing,
            Self::UsageTwice,
            Self::UsageInFinish,
            Self::UsageGrowing,
            Self::FinishWithDelta,
            Self::Reasoning,
            Self::NullFields,
        ]
    }

    pub(super) fn apply(self, pieces: &mut Vec<Piece>) {
        match self {
            Self::EmptyChoices => follow(pieces, &[with_choices(json!([]))]),
            Self::EmptyDeltas => {
                follow(pieces, &[chunk(json!({})), chunk(json!({"role": "assistant"}))]);
            }
            Self::OtherChoice => {
                let delta = json!({"content": "not this one"});
                follow(pieces, &[with_choices(json!([{"index": 1, "delta": delta}]))]);
            }
            Self::UsageNull => each(pieces, |chunk| {
                if chunk.get("usage").is_none() {
                    chunk["usage"] = Value::Null;
                }
            }),
            Self::UsageMissing => pieces.retain(|piece| usage(piece).is_none()),
            Self::UsageTwice => {
                let again = pieces.iter().rfind(|piece| usage(piece).is_some()).cloned();
                pieces.extend(again);
            }
            Self::UsageInFinish => usage_in_finish(pieces),
            Self::UsageGrowing => usage_growing(pieces),
            Self::FinishWithDelta => finish_with_delta(pieces),
            Self::Reasoning => each(pieces, |chunk| {
                if let Some(delta) = delta(chunk)
                    && let Some(text) = delta.remove("reasoning_content")
                {
                    delta.insert("reasoning".to_owned(), text);
                }
            }),
            Self::NullFields => each(pieces, |chunk| {
                for field in
                    ["content", "tool_calls", "function_call", "refusal", "reasoning_content"]
                {
                    delta(chunk).map(|delta| delta.entry(field).or_insert(Value::Null));
                }
            }),
            Self::HugeLine(bytes) => {
                let line = Piece::Chunk(chunk(json!({"content": "x".repeat(bytes)})));
                pieces.insert(1.min(pieces.len()), line);
            }
        }
    }
}

/// Whether a piece gives the finish reason.
pub(super) fn finishes(piece: &Piece) -> bool {
    matches!(piece, Piece::Chunk(chunk) if chunk["choices"][0]["finish_reason"].is_string())
}

/// Whether a piece is a chunk with fragments of calls.
pub(super) fn is_call(piece: &Piece) -> bool {
    matches!(piece, Piece::Chunk(chunk) if chunk["choices"][0]["delta"]["tool_calls"].is_array())
}

/// The fragments of calls in a piece.
pub(super) fn fragments_of(piece: &mut Piece) -> Option<&mut Vec<Value>> {
    let Piece::Chunk(chunk) = piece else { return None };
    chunk.pointer_mut("/choices/0/delta/tool_calls")?.as_array_mut()
}

fn each(pieces: &mut [Piece], change: impl Fn(&mut Value)) {
    for piece in pieces {
        if let Piece::Chunk(chunk) = piece {
            change(chunk);
        }
    }
}

fn delta(chunk: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    chunk.pointer_mut("/choices/0/delta")?.as_object_mut()
}

/// Puts the same noise after every chunk up to the finish reason.
fn follow(pieces: &mut Vec<Piece>, noise: &[Value]) {
    let end = pieces.iter().position(finishes).unwrap_or(pieces.len());
    let rest = pieces.split_off(end);
    let with_noise = |piece: Piece| {
        let chunk = matches!(piece, Piece::Chunk(_));
        let noise = noise.iter().filter(move |_| chunk).cloned().map(Piece::Chunk);
        std::iter::once(piece).chain(noise)
    };
    *pieces = std::mem::take(pieces).into_iter().flat_map(with_noise).chain(rest).collect();
}

fn usage(piece: &Piece) -> Option<&Value> {
    match piece {
        Piece::Chunk(chunk) => chunk.get("usage").filter(|usage| usage.is_object()),
        Piece::Pause(_) | Piece::Wait(_) | Piece::Reached(_) => None,
    }
}

fn usage_in_finish(pieces: &mut Vec<Piece>) {
    let Some(counted) = pieces.iter().rev().find_map(usage).cloned() else { return };
    pieces.retain(|piece| usage(piece).is_none());
    each(pieces, |chunk| {
        if chunk["choices"][0]["finish_reason"].is_string() {
            chunk["usage"] = counted.clone();
        }
    });
}

fn usage_growing(pieces: &mut [Piece]) {
    let Some(counted) = pieces.iter().rev().find_map(usage).cloned() else { return };
    let prompt = counted["prompt_tokens"].as_u64().unwrap_or(0);
    let completion = counted["completion_tokens"].as_u64().unwrap_or(0);
    let mut so_far = 0;
    for piece in pieces {
        if let Piece::Chunk(chunk) = piece
            && chunk.get("usage").is_none()
        {
            so_far = (so_far + 1).min(completion);
            chunk["usage"] = json!({
                "prompt_tokens": prompt,
                "completion_tokens": so_far,
                "total_tokens": prompt + so_far,
            });
        }
    }
}

fn finish_with_delta(pieces: &mut Vec<Piece>) {
    let Some(at) = pieces.iter().position(finishes) else { return };
    let Piece::Chunk(finish) = pieces.remove(at) else { return };
    let said = pieces[..at].iter_mut().rev().find_map(|piece| match piece {
        Piece::Chunk(chunk) => chunk.pointer_mut("/choices/0"),
        Piece::Pause(_) | Piece::Wait(_) | Piece::Reached(_) => None,
    });
    if let Some(choice) = said {
        choice["finish_reason"] = finish["choices"][0]["finish_reason"].clone();
    }
}
