//! A language model, as the loop sees one: a request in, a stream of deltas out.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::message::{Block, Body, Item, Origin, Reply, Stop, ToolCall, Usage};
use crate::tool::ToolSpec;

/// A language model. Speaks one wire format and nothing else: does not retry, does not assemble
/// replies, does not know what a session is. Dropping the stream cancels the call.
///
/// A stream that ends without [`Delta::End`] is broken, not finished; an implementation must not
/// invent that delta.
pub trait Model: Send + Sync {
    /// What is known about it.
    fn info(&self) -> &ModelInfo;
    /// Sends one request. Failures are inside the stream, and nothing follows one.
    fn stream(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>>;
}

/// What is known about a model. Zero is never used for "unknown".
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelInfo {
    /// Who says it.
    pub origin: Origin,
    /// Tokens of prompt and output together; an assumed one where the real one is unknown.
    pub window: u64,
    /// The most tokens it may write in one reply.
    pub output_limit: u64,
    /// US dollars, or nothing where the price is unknown.
    pub price: Option<Price>,
}

/// US dollars per million tokens, of the kinds that [`Usage`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the line above speaks of every field")]
pub struct Price {
    pub input: f64,
    pub cache_read: f64,
    pub cache_write: f64,
    pub output: f64,
}

impl Price {
    /// What a call cost, in US dollars.
    #[allow(clippy::cast_precision_loss)] // token counts are far below 2^52
    pub fn of(&self, usage: &Usage) -> f64 {
        let part = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        part(usage.input, self.input)
            + part(usage.cache_read, self.cache_read)
            + part(usage.cache_write, self.cache_write)
            + part(usage.output, self.output)
    }
}

/// Names the bytes of an item for as long as they stay the same, so that a wire can keep what it
/// serialised: the journal, the line it came from, and the line that last trimmed it or zero, since
/// a trimmed item is another item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the line above speaks of every field")]
pub struct ItemKey {
    pub journal: u64,
    pub line: u64,
    pub trimmed: u64,
}

/// What is asked of a model. Cheap to clone: everything large is shared.
#[derive(Clone, Debug)]
pub struct Request {
    /// The system prompt, the same for everybody.
    pub system: Arc<str>,
    /// The conversation.
    pub items: Arc<[(ItemKey, Arc<Item>)]>,
    /// The tools, the same all session long.
    pub tools: Arc<[ToolSpec]>,
    /// Fewer tokens than the model's own output limit, where something asks for that.
    pub max_output: Option<u64>,
}

/// A piece of a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Delta {
    /// A block begins. Optional before text and thinking, which open their own.
    Open(Kind),
    /// Text for the open text block.
    Text(String),
    /// Reasoning for the open thinking block.
    Thinking(String),
    /// A whole block that we do not know.
    Opaque(Value),
    /// The provider's proof for the open block.
    Seal(Value),
    /// A call begins; its id is unique in the reply.
    Call { id: String, name: String },
    /// A piece of the open call's arguments.
    Args(String),
    /// The open call's arguments are complete: it may be looked at.
    CallDone,
    /// The wire found out after [`Delta::CallDone`] that the call's arguments went on: they are
    /// these, and whatever ran early is to be thrown away.
    Void { id: String, args: String },
    /// All of it again: forget what was said so far. `why` the last attempt failed, the number of
    /// the one that begins (two or more), and how long it waits before it does.
    Restart { attempt: u32, why: String, wait_ms: u64 },
    /// The reply is complete: what it cost, why it ended.
    End { usage: Usage, stop: Stop },
}

/// Kinds of block that deltas open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text for the person.
    Text,
    /// Reasoning.
    Thinking,
}

/// Why a call failed, in terms of what to do about it.
#[derive(Clone, Debug, PartialEq, Error)]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum ModelError {
    /// Make room, try once more.
    #[error("the conversation does not fit the model's context window")]
    Overflow,
    /// Try again, after as long a `wait` as the server asked for.
    #[error("{why}")]
    Transient { why: String, wait: Option<Duration> },
    /// Wait `until` there is more, where the server says when, or fall back.
    #[error("{why}")]
    Quota { why: String, until: Option<SystemTime> },
    /// Tell the person which key.
    #[error("{0}")]
    Auth(String),
    /// Tell the person.
    #[error("{0}")]
    Refused(String),
}

impl ModelError {
    /// A stream ended without [`Delta::End`].
    pub fn cut_off() -> Self {
        let why = "the stream ended before its end marker".to_owned();
        Self::Transient { why, wait: None }
    }
}

/// Assembles deltas into a reply. The only place that does.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    blocks: Vec<Block>,
    open: Option<Kind>,
    ended: Option<(Usage, Stop)>,
}

impl Collector {
    /// Takes one delta. Returns a call when this delta completed it.
    pub fn take(&mut self, delta: &Delta) -> Option<ToolCall> {
        match delta {
            Delta::Open(kind) => self.begin(*kind),
            Delta::Text(text) => self.say(Kind::Text, text),
            Delta::Thinking(text) => self.say(Kind::Thinking, text),
            Delta::Opaque(value) => self.push(Body::Opaque(value.clone())),
            Delta::Seal(seal) => {
                if let Some(block) = self.blocks.last_mut() {
                    block.seal = Some(seal.clone());
                }
            }
            Delta::Call { id, name } => {
                let (id, name) = (id.clone(), name.clone());
                self.push(Body::Call(ToolCall { id, name, args: String::new() }));
            }
            Delta::Args(piece) => {
                if let Some(Block { body: Body::Call(call), .. }) = self.blocks.last_mut() {
                    call.args.push_str(piece);
                }
            }
            Delta::CallDone => return self.blocks.last()?.call().cloned(),
            Delta::Void { id, args } => {
                for block in &mut self.blocks {
                    if let Body::Call(call) = &mut block.body
                        && call.id == *id
                    {
                        call.args.clone_from(args);
                    }
                }
            }
            Delta::Restart { .. } => *self = Self::default(),
            Delta::End { usage, stop } => self.ended = Some((*usage, stop.clone())),
        }
        None
    }

    /// The calls so far; the last may still be open.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(Block::call)
    }

    /// The reply, if its end was seen and it says anything.
    pub fn finish(self, origin: Origin) -> Option<Reply> {
        let (usage, stop) = self.ended?;
        let blocks = spoken(self.blocks);
        let says = |block: &Block| !matches!(block.body, Body::Thinking(_));
        blocks.iter().any(says).then_some(Reply { blocks, origin, usage, stop })
    }

    /// What was said before the person interrupted: the text, without thinking and calls. The seal
    /// of a block that was cut proves nothing, so seals are dropped.
    pub fn cut(self, origin: Origin) -> Option<Reply> {
        let usage = self.ended().copied().unwrap_or_default();
        let text = |block: &Block| matches!(block.body, Body::Text(_));
        let texts = self.blocks.into_iter().filter(text).map(|block| block.body.into());
        let blocks = spoken(texts.collect());
        (!blocks.is_empty()).then_some(Reply { blocks, origin, usage, stop: Stop::Interrupted })
    }

    /// What it cost, once the end was seen.
    pub fn ended(&self) -> Option<&Usage> {
        self.ended.as_ref().map(|(usage, _)| usage)
    }

    fn begin(&mut self, kind: Kind) {
        self.push(match kind {
            Kind::Text => Body::Text(String::new()),
            Kind::Thinking => Body::Thinking(String::new()),
        });
        self.open = Some(kind);
    }

    fn say(&mut self, kind: Kind, piece: &str) {
        if self.open != Some(kind) {
            self.begin(kind);
        }
        let open = self.blocks.last_mut().map(|block| &mut block.body);
        if let Some(Body::Text(text) | Body::Thinking(text)) = open {
            text.push_str(piece);
        }
    }

    fn push(&mut self, body: Body) {
        self.open = None;
        self.blocks.push(body.into());
    }
}

/// Without blank blocks, which strict servers reject. A sealed block speaks through its seal.
fn spoken(blocks: Vec<Block>) -> Vec<Block> {
    let speaks = |block: &Block| match &block.body {
        Body::Text(text) | Body::Thinking(text) => !text.trim().is_empty() || block.seal.is_some(),
        Body::Call(_) | Body::Opaque(_) => true,
    };
    blocks.into_iter().filter(speaks).collect()
}
