//! What a conversation is made of: items, and inside them replies, blocks, calls and outputs.
//!
//! A provider rejects a conversation in which a call lacks its answer, so here the two are one
//! value, a [`Step`]. Cut a list of items anywhere and both halves are valid to send.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One element of a conversation: something said to the model, or a step the model took.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Said to the model.
    User(UserMessage),
    /// A reply together with the answer to each of its calls.
    Step(Step),
}

/// Something said to the model, by a person or on their behalf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserMessage {
    /// The parts, in order.
    pub content: Vec<Content>,
    /// Who is speaking.
    pub source: Source,
}

impl UserMessage {
    /// A message of one text.
    pub fn text(source: Source, text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(text.into())], source }
    }

    /// A person's message of one text.
    pub fn person(text: impl Into<String>) -> Self {
        Self::text(Source::Person, text)
    }
}

/// Who speaks in a [`UserMessage`]. Every wire sends all of them in the user's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person at the keyboard.
    Person,
    /// What an earlier part of the conversation was folded into.
    Summary,
    /// A fact that changed: date, git state, mode, a nudge.
    Reminder,
    /// What a listener had to say.
    Hook,
    /// The task a parent agent set.
    Task,
}

/// A part of a message or of an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Content {
    /// Plain text.
    Text(String),
    /// A picture: its media type, such as `image/png`, and its bytes as base64, which every wire
    /// sends.
    Image { media: String, data: String },
    /// A document the model reads itself, such as a PDF; its bytes as base64.
    File { name: String, media: String, data: String },
}

/// The text of some content, parts joined by line ends; what is not text is named in brackets.
pub fn plain(content: &[Content]) -> String {
    let part = |content: &Content| match content {
        Content::Text(text) => text.clone(),
        Content::Image { media, data } => format!("[{media}, {} KB]", data.len() / 1366),
        Content::File { name, data, .. } => format!("[{name}, {} KB]", data.len() / 1366),
    };
    content.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// What the model said in one go, in the order it was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Its blocks. Never empty: a reply without content does not enter history.
    pub blocks: Vec<Block>,
    /// Who said it.
    pub origin: Origin,
    /// What it cost in tokens.
    pub usage: Usage,
    /// Why it ended.
    pub stop: Stop,
}

impl Reply {
    /// The calls, in the order given.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(Block::call)
    }

    /// The text blocks, joined.
    pub fn text(&self) -> String {
        let text = |block: &Block| match &block.body {
            Body::Text(text) => Some(text.clone()),
            Body::Thinking(_) | Body::Call(_) | Body::Opaque(_) => None,
        };
        self.blocks.iter().filter_map(text).collect::<Vec<_>>().join("\n")
    }
}

/// A part of a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// What was said.
    pub body: Body,
    /// The provider's opaque proof (signature, encrypted reasoning), for its own origin only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Value>,
}

impl Block {
    /// The call, where it is one.
    pub fn call(&self) -> Option<&ToolCall> {
        match &self.body {
            Body::Call(call) => Some(call),
            Body::Text(_) | Body::Thinking(_) | Body::Opaque(_) => None,
        }
    }
}

impl From<Body> for Block {
    fn from(body: Body) -> Self {
        Self { body, seal: None }
    }
}

/// What a block says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Text for the person.
    Text(String),
    /// Reasoning, for the screen and for its own origin.
    Thinking(String),
    /// Something the model asks us to do.
    Call(ToolCall),
    /// A part we do not know, kept verbatim for its own origin.
    Opaque(Value),
}

/// A request to run a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique in its conversation; made by us where the provider's is missing or repeated.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments, byte for byte what the model wrote: prompt caches compare bytes.
    pub args: String,
}

/// Which model said something, and at which vendor or server: seals go back to nobody else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the line above speaks of every field")]
pub struct Origin {
    pub provider: String,
    pub model: String,
}

/// Tokens of one call, as the provider counted them: `input` that was not cached, input read from
/// and written to a cache, `output` with its `reasoning`, which alone is counted twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the line above speaks of every field")]
pub struct Usage {
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub output: u64,
    pub reasoning: u64,
}

impl Usage {
    /// All tokens of the prompt, cached or not.
    pub fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write
    }

    /// Prompt and output together.
    pub fn total(&self) -> u64 {
        self.prompt() + self.output
    }

    /// Adds another call's tokens to these.
    pub fn add(&mut self, other: &Usage) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.output += other.output;
        self.reasoning += other.reasoning;
    }
}

/// Why a reply ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model was done, or waits for the answers to its calls.
    End,
    /// The output limit cut it.
    Length,
    /// The provider withheld it (content filter, refusal).
    Refused(String),
    /// The person cut it.
    Interrupted,
}

/// What a call produced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// For the model, and bounded where it is made.
    pub content: Vec<Content>,
    /// For the screen; never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
    /// Whether the call failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// What the call changed about the session (directory, what was read, to-do list): becomes
    /// true with the answer and is journalled in the same line. A null removes its key.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub state: Map<String, Value>,
}

impl Output {
    /// A success with one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(text.into())], ..Self::default() }
    }

    /// A failure, in words that tell the model what to try next.
    pub fn failure(text: impl Into<String>) -> Self {
        Self { failed: true, ..Self::text(text) }
    }

    /// Adds a line of ours below what the tool said. By convention such lines stand in square
    /// brackets, and the search for repetition does not look at them: durations may stand there.
    #[must_use]
    pub fn footer(mut self, line: &str) -> Self {
        if let Some(Content::Text(text)) = self.content.last_mut() {
            text.push_str(if text.is_empty() || text.ends_with('\n') { "" } else { "\n" });
            text.push_str(line);
        } else {
            self.content.push(Content::Text(line.to_owned()));
        }
        self
    }

    /// The answer of a call that was cut short.
    pub fn interrupted() -> Self {
        Self::failure("interrupted")
    }
}

/// One reply and the answer to every call in it.
///
/// Invariant: `outputs[i]` answers call `i`. The fields are private and [`OpenStep::close`] is the
/// only way to make one, so that a missing answer cannot be built.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    reply: Reply,
    outputs: Vec<Output>,
}

impl Step {
    /// What the model said.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Each call with its answer, in the order the calls were given.
    pub fn answers(&self) -> impl Iterator<Item = (&ToolCall, &Output)> {
        self.reply.calls().zip(&self.outputs)
    }

    /// Puts a shorter text in place of an answer; an index out of range is ignored.
    pub(crate) fn shorten(&mut self, index: usize, text: &str) {
        if let Some(output) = self.outputs.get_mut(index) {
            *output = Output { failed: output.failed, ..Output::text(text) };
        }
    }
}

/// A reply whose calls are still being answered.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenStep {
    reply: Reply,
    outputs: Vec<Option<Output>>,
}

impl OpenStep {
    /// Opens a step with no answers yet.
    pub fn new(reply: Reply) -> Self {
        let outputs = reply.calls().map(|_| None).collect();
        Self { reply, outputs }
    }

    /// Answers call `index`. The first answer stands; one for a call that is not there is dropped.
    pub fn answer(&mut self, index: usize, output: Output) {
        if let Some(place @ None) = self.outputs.get_mut(index) {
            *place = Some(output);
        }
    }

    /// The calls nobody has answered yet.
    pub fn unanswered(&self) -> impl Iterator<Item = (usize, &ToolCall)> {
        let calls = self.reply.calls().enumerate().zip(&self.outputs);
        calls.filter(|(_, output)| output.is_none()).map(|(call, _)| call)
    }

    /// Providers reject a call without an answer, so what nobody answered is "interrupted".
    pub fn close(self) -> Step {
        let answered = |output: Option<Output>| output.unwrap_or_else(Output::interrupted);
        Step { reply: self.reply, outputs: self.outputs.into_iter().map(answered).collect() }
    }
}
