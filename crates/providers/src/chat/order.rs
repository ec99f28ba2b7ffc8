//! The parts of a reply in one order. Pieces of several calls may come interleaved; deltas do not,
//! so that what comes too early waits here until the call before it is complete.

use std::collections::VecDeque;
use std::sync::Arc;

use purlin_engine::message::Item;
use purlin_engine::model::{Delta, ItemKey, Kind};

use super::calls::{Calls, Piece};

/// The parts said so far, and how much of them has been passed on.
#[derive(Debug)]
pub(super) struct Order {
    calls: Calls,
    /// What has not been passed on in full; only the first may have begun.
    waiting: VecDeque<Part>,
    /// By call: how far it has been passed on.
    passed: Vec<Passed>,
    ids: Ids,
}

#[derive(Debug)]
enum Part {
    Said(Kind, String),
    Call(usize),
}

#[derive(Debug, Default)]
enum Passed {
    #[default]
    Nothing,
    /// So many bytes of the arguments.
    Some { id: String, bytes: usize },
    /// All of the arguments, which had so many bytes then.
    All { id: String, bytes: usize },
    /// All, and a correction of so many bytes.
    Corrected { id: String, bytes: usize },
}

/// How the calls that are still open are to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server says that they are complete.
    Complete,
    /// The server ran out of tokens: what has not closed is cut.
    Cut,
}

impl Order {
    pub(super) fn new(ids: Ids) -> Self {
        Self { calls: Calls::default(), waiting: VecDeque::new(), passed: Vec::new(), ids }
    }

    /// Takes a piece of text or thinking.
    pub(super) fn say(&mut self, kind: Kind, piece: &str, out: &mut Vec<Delta>) {
        if piece.is_empty() {
            return;
        }
        match self.waiting.back_mut() {
            Some(Part::Said(open, text)) if *open == kind => text.push_str(piece),
            Some(Part::Said(..) | Part::Call(_)) | None => {
                self.waiting.push_back(Part::Said(kind, piece.to_owned()));
            }
        }
        self.pass(None, out);
    }

    /// Takes a piece of a call.
    pub(super) fn call(&mut self, piece: Piece, out: &mut Vec<Delta>) {
        let at = self.calls.take(piece);
        if at == self.passed.len() {
            self.passed.push(Passed::default());
            self.waiting.push_back(Part::Call(at));
        }
        // Once is enough to throw an early result away; the end brings what came after.
        if matches!(self.passed[at], Passed::All { .. }) {
            self.correct(at, out);
        }
        self.pass(None, out);
    }

    /// Passes everything on.
    pub(super) fn end(&mut self, ending: Ending, out: &mut Vec<Delta>) {
        self.pass(Some(ending), out);
    }

    /// Says which calls turned out longer than they seemed when they were passed on.
    pub(super) fn corrections(&mut self, out: &mut Vec<Delta>) {
        for at in 0..self.calls.slots.len() {
            self.calls.slots[at].args.close();
            self.correct(at, out);
        }
    }

    /// Whether there are calls.
    pub(super) fn has_calls(&self) -> bool {
        !self.passed.is_empty()
    }

    fn correct(&mut self, at: usize, out: &mut Vec<Delta>) {
        let args = self.calls.slots[at].args.text();
        let (Passed::All { id, bytes } | Passed::Corrected { id, bytes }) = &self.passed[at] else {
            return;
        };
        if *bytes == args.len() {
            return;
        }
        let id = id.clone();
        out.push(Delta::Void { id: id.clone(), args: args.to_owned() });
        self.passed[at] = Passed::Corrected { id, bytes: args.len() };
    }

    fn pass(&mut self, ending: Option<Ending>, out: &mut Vec<Delta>) {
        while let Some(part) = self.waiting.front() {
            match part {
                Part::Said(Kind::Text, text) => out.push(Delta::Text(text.clone())),
                Part::Said(Kind::Thinking, text) => out.push(Delta::Thinking(text.clone())),
                Part::Call(at) => {
                    let at = *at;
                    if !self.pass_call(at, ending, out) {
                        return;
                    }
                }
            }
            self.waiting.pop_front();
        }
    }

    /// Passes on what there is of a call; true when nothing more is expected of it.
    fn pass_call(&mut self, at: usize, ending: Option<Ending>, out: &mut Vec<Delta>) -> bool {
        let slot = &mut self.calls.slots[at];
        let known = !slot.name.is_empty() && !slot.args.is_blank();
        if !known && ending.is_none() {
            return false;
        }
        let (id, sent) = match std::mem::take(&mut self.passed[at]) {
            Passed::Nothing => {
                let id = self.ids.give(&slot.id);
                out.push(Delta::Call { id: id.clone(), name: slot.name.clone() });
                (id, 0)
            }
            Passed::Some { id, bytes }
            | Passed::All { id, bytes }
            | Passed::Corrected { id, bytes } => (id, bytes),
        };
        let bytes = slot.args.text().len();
        if bytes > sent {
            out.push(Delta::Args(slot.args.text()[sent..].to_owned()));
        }
        if !slot.args.is_closed() && ending.is_none() {
            self.passed[at] = Passed::Some { id, bytes };
            return false;
        }
        out.extend(slot.extra.take().map(Delta::Seal));
        if slot.args.is_closed() || ending == Some(Ending::Complete) {
            slot.args.close();
            out.push(Delta::CallDone);
        }
        self.passed[at] = Passed::All { id, bytes };
        true
    }
}

/// Gives calls their ids: the server's, unless it is missing or taken.
#[derive(Debug)]
pub(super) struct Ids {
    items: Arc<[(ItemKey, Arc<Item>)]>,
    given: Vec<String>,
}

impl Ids {
    /// Ids for the reply to a conversation.
    pub(super) fn new(items: Arc<[(ItemKey, Arc<Item>)]>) -> Self {
        Self { items, given: Vec::new() }
    }

    fn give(&mut self, wire: &str) -> String {
        let id = if wire.is_empty() || self.is_taken(wire) { self.own() } else { wire.to_owned() };
        self.given.push(id.clone());
        id
    }

    /// An id of ours. The line of the last item makes it unique even among what was folded away.
    fn own(&self) -> String {
        let line = self.items.last().map_or(0, |(key, _)| key.line);
        let ids = (self.given.len()..).map(|n| format!("call_{line}_{n}"));
        ids.into_iter().find(|id| !self.is_taken(id)).unwrap_or_default()
    }

    fn is_taken(&self, id: &str) -> bool {
        let said = |item: &Item| match item {
            Item::Step(step) => step.reply().calls().any(|call| call.id == id),
            Item::User(_) => false,
        };
        self.given.iter().any(|given| given == id) || self.items.iter().any(|(_, i)| said(i))
    }
}
