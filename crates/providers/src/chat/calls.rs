//! The calls of one reply, put together from pieces that are keyed by index, by id, by both, by
//! neither, or wrongly.

use serde_json::Value;

use super::args::Args;

/// A piece of a call as it stands in one chunk; what is missing is empty.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// The position the server claims, counted from wherever it likes.
    pub(super) index: Option<i64>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) args: String,
    /// Fields of the call that we do not know and that its origin wants back.
    pub(super) extra: Option<Value>,
}

/// A call so far.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) index: Option<i64>,
    /// The id on the wire; perhaps empty, perhaps not unique.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) args: Args,
    pub(super) extra: Option<Value>,
}

/// All calls of the reply, in the order of their first pieces.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) slots: Vec<Slot>,
    last: Option<usize>,
}

impl Calls {
    /// Adds a piece to the call it belongs to and returns which one that is.
    pub(super) fn take(&mut self, piece: Piece) -> usize {
        let at = self.find(&piece).unwrap_or_else(|| {
            self.slots.push(Slot { index: piece.index, ..Slot::default() });
            self.slots.len() - 1
        });
        self.slots[at].take(piece);
        self.last = Some(at);
        at
    }

    /// The id decides, then the index, then the position; but never against the evidence that
    /// this is another call.
    fn find(&self, piece: &Piece) -> Option<usize> {
        let by_id = self.slots.iter().rposition(|slot| slot.id == piece.id);
        let by_id = by_id.filter(|_| !piece.id.is_empty());
        let by_place = match piece.index {
            Some(_) => self.slots.iter().rposition(|slot| slot.index == piece.index),
            None => self.last,
        };
        by_id
            .or_else(|| by_place.filter(|&at| self.slots[at].may_take_id(piece)))
            .filter(|&at| !self.slots[at].is_other_than(piece))
    }
}

impl Slot {
    fn take(&mut self, piece: Piece) {
        // Ids and names come in pieces only before the arguments; afterwards they are repeats.
        if self.args.is_blank() {
            append(&mut self.id, &piece.id);
            append(&mut self.name, &piece.name);
        }
        if self.id.is_empty() {
            self.id = piece.id;
        }
        self.extra = piece.extra.or_else(|| self.extra.take());
        self.args.take(&piece.args);
    }

    /// Whether a piece with another id than this call's can be a part of it: the id comes late, or
    /// in pieces, or anew with each chunk. A call without a name is not a new call.
    fn may_take_id(&self, piece: &Piece) -> bool {
        let in_pieces = self.args.is_blank() && !alike(&self.id, &piece.id);
        piece.id.is_empty() || self.id.is_empty() || piece.name.is_empty() || in_pieces
    }

    /// Whether a piece that is keyed like this call begins another one all the same.
    fn is_other_than(&self, piece: &Piece) -> bool {
        if piece.name.is_empty() || self.args.is_blank() {
            return false;
        }
        let same_id = !piece.id.is_empty() && piece.id == self.id;
        let moved = piece.index.is_some() && self.index.is_some() && piece.index != self.index;
        let whole = is_whole(&piece.args) && piece.args.trim() != self.args.text().trim();
        piece.name != self.name || self.args.is_closed() && (moved || whole && !same_id)
    }
}

/// Appends a piece, unless it repeats the whole.
fn append(whole: &mut String, piece: &str) {
    if whole != piece {
        whole.push_str(piece);
    }
}

/// Whether two ids look like two ids rather than two pieces of one. A guess, needed only where a
/// server gives two calls without arguments the same index.
fn alike(a: &str, b: &str) -> bool {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.len() == b.len() || shared >= 3
}

fn is_whole(args: &str) -> bool {
    let mut seen = Args::default();
    seen.take(args);
    seen.is_closed() && !seen.went_on()
}
