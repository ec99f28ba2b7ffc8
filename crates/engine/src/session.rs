//! A session: journal entries and what they fold to.
//!
//! History is never rewritten. Trimming, summarising, a model switch, an undo are new lines; what
//! the model is told is a fold of the lines on the path from the header to the head. The live
//! session applies each line with the same function, so it is the fold by construction.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};
use std::io;
use std::iter::successors;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::Tier;
use crate::gate::Mode;
use crate::listen::Change;
use crate::message::{
    Content, Item, OpenStep, Origin, Output, Reply, Source, ToolCall, UserMessage,
};
use crate::model::ItemKey;

/// What calls and the person changed about a session, by key: `cwd`, `mode`, `name`, what was
/// read. The last on the path wins.
pub type State = Map<String, Value>;

/// Keys of the state that begin so mark facts that the model has been told.
pub(crate) const TOLD: &str = "told:";

/// The directory that commands and relative paths start from.
pub fn cwd(state: &State) -> Option<PathBuf> {
    state.get("cwd").and_then(Value::as_str).map(PathBuf::from)
}

/// The mode.
pub fn mode(state: &State) -> Mode {
    match state.get("mode").and_then(Value::as_str) {
        Some("plan") => Mode::Plan,
        Some(_) | None => Mode::Normal,
    }
}

/// Puts changes into a state. A null removes its key.
pub fn merge(state: &mut Arc<State>, changes: &State) {
    if changes.is_empty() {
        return;
    }
    let state = Arc::make_mut(state); // copied only while a call still holds it
    for (key, value) in changes {
        if value.is_null() {
            state.shift_remove(key);
        } else {
            state.insert(key.clone(), value.clone());
        }
    }
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's line speaks of its fields")]
pub enum Entry {
    /// Something was said to the model.
    User(UserMessage),
    /// The model replied.
    Reply(Reply),
    /// A call of the last reply (counting from zero) was answered.
    Result { call: usize, output: Output },
    /// Outputs became shorter.
    Trimmed { cuts: Vec<Cut> },
    /// All items from before the line `from` (all of them where it is nothing) became one message.
    Compacted { tier: Tier, from: Option<u64>, message: UserMessage },
    /// Another model speaks from here on.
    Model(Origin),
    /// The state changed; a null value removes the key.
    State { key: String, value: Value },
    /// Files changed: by a call (its id), or by the undo of the checkpoint in the line `undoes`.
    Checkpoint {
        call: Option<String>,
        changes: Vec<Change>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<u64>,
    },
    /// Something a reader of the journal may want to know; no one is told.
    Note { text: String },
}

/// An output that became shorter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The line of the item: a reply, or a message.
    pub line: u64,
    /// Which of its answers, counting from zero; of a message, which of its parts.
    pub index: usize,
    /// What stands there now.
    pub text: String,
}

/// An entry with its place in the tree of lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    /// The line before it on its path, where that is not the line above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    #[serde(flatten)]
    entry: Entry,
}

/// An item with the key of its bytes.
pub type Keyed = (ItemKey, Arc<Item>);

/// What the lines of a path come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// What the model is told. Every call in it has an answer.
    pub items: Vec<Keyed>,
    /// The session's state.
    pub state: Arc<State>,
    /// The model that spoke last, where the path says so.
    pub model: Option<Origin>,
    /// Checkpoints that an undo can go back to, oldest first, by line.
    pub checkpoints: Vec<(u64, Vec<Change>)>,
    /// Every change of files on the path, oldest first.
    pub changes: Vec<Change>,
    open: Option<Open>,
    journal: u64,
}

/// A reply whose answers are still to come, its line, and which item it will be.
type Open = (OpenStep, u64, usize);

/// Folds a journal's lines, the header first, up to and including `head`. Pure and total: any
/// damaged log folds, unreadable lines become a visible gap.
pub fn fold(journal: &str, lines: &[String], head: u64) -> Folded {
    let entries: Vec<Option<Line>> =
        lines.iter().map(|line| serde_json::from_str(line).ok()).collect();
    let entry = |line: u64| entries.get(usize::try_from(line).ok()?)?.as_ref();
    // A parent that is not an earlier line is taken for the line above: a damaged log must not go
    // round in circles.
    let before = |line: u64| {
        let parent = entry(line).and_then(|line| line.parent).filter(|parent| *parent < line);
        parent.unwrap_or(line - 1)
    };
    let head = head.min((entries.len() as u64).saturating_sub(1));
    let up = |line: u64| (line > 0).then_some(line);
    let path: Vec<u64> = successors(up(head), |line| up(before(*line))).collect();
    let mut folded = Folded { journal: hash(journal), ..Folded::default() };
    for line in path.into_iter().rev() {
        match entry(line) {
            Some(read) => folded.apply(line, &read.entry),
            None => folded.gap(line),
        }
    }
    folded.settle();
    folded
}

/// The same for the same value in every process of one build. After an update it may differ, and
/// then what it marks as told is told once more.
pub(crate) fn hash(value: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

impl Folded {
    /// The calls of the last reply that nobody has answered yet, with their place in it.
    pub fn unanswered(&self) -> impl Iterator<Item = (usize, &ToolCall)> {
        self.open.iter().flat_map(|(step, ..)| step.unanswered())
    }

    pub(crate) fn apply(&mut self, line: u64, entry: &Entry) {
        match entry {
            Entry::User(message) => {
                self.settle();
                self.push(line, Item::User(message.clone()));
            }
            Entry::Reply(reply) => {
                self.settle();
                self.open = Some((OpenStep::new(reply.clone()), line, self.items.len()));
            }
            Entry::Result { call, output } => {
                merge(&mut self.state, &output.state);
                if let Some((step, ..)) = &mut self.open {
                    step.answer(*call, output.clone());
                }
            }
            Entry::Trimmed { cuts } => self.trim(line, cuts),
            Entry::Compacted { from, message, .. } => {
                self.settle();
                let stays = |(key, _): &Keyed| Some(key.line) == *from;
                let kept = self.items.iter().position(stays).unwrap_or(self.items.len());
                let summary = self.keyed(line, Item::User(message.clone()));
                self.items.splice(..kept, [summary]);
                // What was told once is gone with what was folded, and is to be told again.
                Arc::make_mut(&mut self.state).retain(|key, _| !key.starts_with(TOLD));
            }
            Entry::Model(origin) => self.model = Some(origin.clone()),
            Entry::State { key, value } => {
                merge(&mut self.state, &State::from_iter([(key.clone(), value.clone())]));
            }
            Entry::Checkpoint { changes, undoes, .. } => {
                self.changes.extend_from_slice(changes);
                match undoes {
                    Some(undone) => self.checkpoints.retain(|(line, _)| line != undone),
                    None => self.checkpoints.push((line, changes.clone())),
                }
            }
            Entry::Note { .. } => (),
        }
        if self.unanswered().next().is_none() {
            self.settle();
        }
    }

    fn keyed(&self, line: u64, item: Item) -> Keyed {
        (ItemKey { journal: self.journal, line, trimmed: 0 }, Arc::new(item))
    }

    fn push(&mut self, line: u64, item: Item) {
        self.items.push(self.keyed(line, item));
    }

    /// Something stood here that cannot be read. It is shown once for all that is missing in a row,
    /// and after a step that it interrupts, so that the answers which can be read find their calls.
    fn gap(&mut self, line: u64) {
        let text = "[a part of this conversation could not be read from disk and is missing here]";
        let said = Item::User(UserMessage::text(Source::Reminder, text));
        let from = self.open.as_ref().map_or(0, |(.., place)| *place);
        if self.items[from..].last().is_none_or(|(_, last)| **last != said) {
            self.push(line, said);
        }
    }

    /// Closes an open step: what nobody answered was interrupted.
    fn settle(&mut self) {
        if let Some((step, line, place)) = self.open.take() {
            self.items.insert(place, self.keyed(line, Item::Step(step.close())));
        }
    }

    fn trim(&mut self, trimmed: u64, cuts: &[Cut]) {
        for (key, item) in &mut self.items {
            for cut in cuts.iter().filter(|cut| cut.line == key.line) {
                key.trimmed = trimmed;
                match Arc::make_mut(item) {
                    Item::Step(step) => step.shorten(cut.index, &cut.text),
                    Item::User(message) => {
                        if let Some(part) = message.content.get_mut(cut.index) {
                            *part = Content::Text(cut.text.clone());
                        }
                    }
                }
            }
        }
    }
}

/// Where a session's lines go, line 0 being a header that is none of its business. A line's number
/// is its id, so lines are never removed.
pub trait Journal: Send {
    /// The session's id.
    fn id(&self) -> &str;
    /// Where it lies, for people.
    fn place(&self) -> String;
    /// All lines, the header first; none while nothing was written.
    fn lines(&self) -> io::Result<Vec<String>>;
    /// Appends a line. One that cannot be written now is kept, and written before the next.
    fn append(&mut self, line: &str) -> io::Result<()>;
    /// Sees what was written onto the device.
    fn flush(&self) -> BoxFuture<'static, ()>;
}

/// A session that is being written.
pub struct Session {
    journal: Box<dyn Journal>,
    head: u64,
    last: u64,
    folded: Folded,
    trouble: Option<String>,
}

impl Session {
    /// The session of a journal, new or old. Nothing is written until something is said.
    pub fn new(journal: Box<dyn Journal>) -> io::Result<Self> {
        let lines = journal.lines()?;
        let last = (lines.len() as u64).saturating_sub(1);
        let folded = fold(journal.id(), &lines, last);
        Ok(Self { journal, head: last, last, folded, trouble: None })
    }

    /// Goes back to an earlier line: what follows hangs on it, and nothing is lost.
    pub fn rewind(&mut self, line: u64) -> io::Result<()> {
        self.head = line.min(self.last);
        self.folded = fold(self.journal.id(), &self.journal.lines()?, self.head);
        Ok(())
    }

    /// Writes an entry and returns its line.
    pub fn append(&mut self, entry: Entry) -> u64 {
        let parent = (self.head != self.last).then_some(self.head);
        let line = Line { parent, entry };
        let text = serde_json::to_string(&line).unwrap_or_default();
        self.trouble = self.journal.append(&text).err().map(|error| error.to_string());
        self.last += 1;
        self.head = self.last;
        self.folded.apply(self.head, &line.entry);
        self.head
    }

    /// What the last write said, if it failed. The session goes on in memory.
    pub fn trouble(&self) -> Option<&String> {
        self.trouble.as_ref()
    }

    /// What the lines come to.
    pub fn folded(&self) -> &Folded {
        &self.folded
    }

    /// The line that the next one follows.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Where its lines go.
    pub fn journal(&self) -> &dyn Journal {
        &*self.journal
    }
}
