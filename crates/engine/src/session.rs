//! A session: journal entries and what they fold to.
//!
//! History is never rewritten. Trimming, summarising, a model switch, an undo are new lines; what
//! the model is told is a fold of the lines on the path from the header to the head. The live
//! session applies each line with the same function, so it is the fold by construction.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::Tier;
use crate::gate::Mode;
use crate::listen::Change;
use crate::message::{Item, OpenStep, Origin, Output, Reply, Source, UserMessage};
use crate::model::ItemKey;

/// What calls and the person changed about a session, by key: `cwd`, `mode`, `name`, what was
/// read. The last on the path wins.
pub type State = Map<String, Value>;

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
pub fn merge(state: &mut State, changes: &State) {
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
pub enum Entry {
    /// Something was said to the model.
    User(UserMessage),
    /// The model replied.
    Reply(Reply),
    /// A call of the last reply was answered.
    Result {
        /// Which call of the reply, counting from zero.
        call: usize,
        /// The answer.
        output: Output,
    },
    /// Outputs became shorter.
    Trimmed {
        /// Which, and what stands there now.
        cuts: Vec<Cut>,
    },
    /// All items from before `from` became one message.
    Compacted {
        /// How.
        tier: Tier,
        /// The line of the first item that stays, or nothing when none does.
        from: Option<u64>,
        /// What stands for the others.
        message: UserMessage,
    },
    /// Another model speaks from here on.
    Model(Origin),
    /// The state changed.
    State {
        /// The key.
        key: String,
        /// Its value; null removes it.
        value: Value,
    },
    /// Files changed.
    Checkpoint {
        /// The call that changed them, or nothing for an undo.
        call: Option<String>,
        /// What changed.
        changes: Vec<Change>,
        /// The checkpoint that this one puts back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<u64>,
    },
    /// Something a reader of the journal may want to know; no one is told.
    Note {
        /// What.
        text: String,
    },
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
    pub state: State,
    /// The model that spoke last, where the path says so.
    pub model: Option<Origin>,
    /// Checkpoints that an undo can go back to, oldest first, by line.
    pub checkpoints: Vec<(u64, Vec<Change>)>,
    /// Every change of files on the path, oldest first.
    pub changes: Vec<Change>,
    open: Option<Open>,
    gap: Option<u64>,
    journal: u64,
}

/// A reply whose answers are still to come.
#[derive(Clone, Debug)]
struct Open {
    line: u64,
    step: OpenStep,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line
    }
}

/// Folds a journal's lines, the header first, up to and including `head`. Pure and total: any
/// damaged log folds, unreadable lines become a visible gap.
pub fn fold(journal: &str, lines: &[String], head: u64) -> Folded {
    let entries: Vec<Option<Line>> =
        lines.iter().map(|line| serde_json::from_str(line).ok()).collect();
    let mut folded = Folded { journal: hash(journal), ..Folded::default() };
    for number in path(&entries, head) {
        match usize::try_from(number).ok().and_then(|index| entries.get(index)) {
            Some(Some(line)) => folded.apply(number, &line.entry),
            Some(None) | None => folded.gap(number),
        }
    }
    folded.settle();
    folded
}

/// The lines from the first after the header to `head`, following parents. A parent that is not
/// an earlier line is taken for the line above: a damaged log must not go round in circles.
fn path(entries: &[Option<Line>], head: u64) -> Vec<u64> {
    let mut path = Vec::new();
    let mut line = head.min((entries.len() as u64).saturating_sub(1));
    while line > 0 {
        path.push(line);
        let entry = usize::try_from(line).ok().and_then(|index| entries.get(index)?.as_ref());
        let parent = entry.and_then(|entry| entry.parent).filter(|parent| *parent < line);
        line = parent.unwrap_or(line - 1);
    }
    path.reverse();
    path
}

fn hash(journal: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    journal.hash(&mut hasher);
    hasher.finish()
}

impl Folded {
    /// The calls of the last reply that nobody has answered yet.
    pub fn unanswered(&self) -> impl Iterator<Item = usize> {
        self.open.iter().flat_map(|open| open.step.unanswered())
    }

    pub(crate) fn apply(&mut self, line: u64, entry: &Entry) {
        match entry {
            Entry::User(message) => {
                self.settle();
                self.push(line, Item::User(message.clone()));
            }
            Entry::Reply(reply) => {
                self.settle();
                self.open = Some(Open { line, step: OpenStep::new(reply.clone()) });
                self.settle_if_answered();
            }
            Entry::Result { call, output } => {
                merge(&mut self.state, &output.state);
                if let Some(open) = &mut self.open {
                    open.step.answer(*call, output.clone());
                }
                self.settle_if_answered();
            }
            Entry::Trimmed { cuts } => self.trim(line, cuts),
            Entry::Compacted { from, message, .. } => {
                self.settle();
                let stays = |(key, _): &Keyed| Some(key.line) == *from;
                let kept = self.items.iter().position(stays).unwrap_or(self.items.len());
                let summary = (self.key(line), Arc::new(Item::User(message.clone())));
                self.items.splice(..kept, [summary]);
            }
            Entry::Model(origin) => self.model = Some(origin.clone()),
            Entry::State { key, value } => {
                merge(&mut self.state, &State::from_iter([(key.clone(), value.clone())]));
            }
            Entry::Checkpoint { changes, undoes, .. } => self.checkpoint(line, changes, *undoes),
            Entry::Note { .. } => (),
        }
    }

    fn key(&self, line: u64) -> ItemKey {
        ItemKey { journal: self.journal, line, trimmed: 0 }
    }

    fn push(&mut self, line: u64, item: Item) {
        self.items.push((self.key(line), Arc::new(item)));
    }

    /// Something stood here that cannot be read. It is shown after the step it interrupts, so that
    /// the answers which can be read still find their calls.
    fn gap(&mut self, line: u64) {
        if self.open.is_some() {
            self.gap = Some(line);
            return;
        }
        let text = "[a part of this conversation could not be read from disk and is missing here]";
        let said = Item::User(UserMessage::text(Source::Reminder, text));
        let again = self.items.last().is_some_and(|(_, last)| **last == said);
        if !again {
            self.push(line, said);
        }
    }

    fn settle_if_answered(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.step.unanswered().next().is_none()) {
            self.settle();
        }
    }

    /// Closes an open step: what nobody answered was interrupted.
    fn settle(&mut self) {
        let Some(open) = self.open.take() else { return };
        self.push(open.line, Item::Step(open.step.close()));
        if let Some(line) = self.gap.take() {
            self.gap(line);
        }
    }

    fn trim(&mut self, trimmed: u64, cuts: &[Cut]) {
        for (key, item) in &mut self.items {
            let mine: Vec<&Cut> = cuts.iter().filter(|cut| cut.line == key.line).collect();
            if mine.is_empty() {
                continue;
            }
            key.trimmed = trimmed;
            *item = Arc::new(shorten(item, &mine));
        }
    }

    fn checkpoint(&mut self, line: u64, changes: &[Change], undoes: Option<u64>) {
        self.changes.extend_from_slice(changes);
        match undoes {
            Some(undone) => self.checkpoints.retain(|(line, _)| *line != undone),
            None => self.checkpoints.push((line, changes.to_vec())),
        }
    }
}

fn shorten(item: &Item, cuts: &[&Cut]) -> Item {
    match item {
        Item::Step(step) => {
            let failed = |index| step.answers().nth(index).is_some_and(|(_, o)| o.failed);
            let short = |cut: &&Cut| {
                (cut.index, Output { failed: failed(cut.index), ..Output::text(&cut.text) })
            };
            Item::Step(step.with_outputs(cuts.iter().map(short)))
        }
        Item::User(message) => {
            let mut message = message.clone();
            for cut in cuts {
                if let Some(part) = message.content.get_mut(cut.index) {
                    *part = crate::message::Content::Text(cut.text.clone());
                }
            }
            Item::User(message)
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
    ///
    /// # Errors
    /// When they cannot be read.
    fn lines(&self) -> io::Result<Vec<String>>;
    /// Appends a line.
    ///
    /// # Errors
    /// When it cannot be written now; then it is kept, and written before the next.
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
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn new(journal: Box<dyn Journal>) -> io::Result<Self> {
        let last = (journal.lines()?.len() as u64).saturating_sub(1);
        let folded = Folded { journal: hash(journal.id()), ..Folded::default() };
        let mut session = Self { journal, head: last, last, folded, trouble: None };
        session.rewind(last)?;
        Ok(session)
    }

    /// Goes back to an earlier line: what follows hangs on it, and nothing is lost.
    ///
    /// # Errors
    /// When the journal cannot be read.
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
