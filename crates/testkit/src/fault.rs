//! Every way in which the stream of a [`crate::Reply`] can be broken. Faults combine, and work in
//! the order given: `reply.with(Calls::NoIndex).with(Lines::CrLf).with(Ends::NoDone)`.
//!
//! Many are harmless: a client must hear the same reply through them. Those stand in one table,
//! [`Fault::harmless`], for a test to go through.

mod calls;
mod chunks;
mod lines;

pub use calls::Calls;
pub use chunks::Chunks;
pub use lines::Lines;
use serde_json::Value;

use crate::latch::Latch;
use crate::reply::{Call, Piece};
use crate::wire::{Act, Ending, Wire};

/// One way to break a stream.
#[derive(Clone, Debug)]
pub enum Fault {
    /// In how calls are put into fragments.
    Calls(Calls),
    /// In what the chunks say.
    Chunks(Chunks),
    /// In how chunks become lines, and lines become writes.
    Lines(Lines),
    /// In how the stream ends.
    Ends(Ends),
}

/// How a stream ends before its time, or with less than it should.
#[derive(Clone, Debug)]
pub enum Ends {
    /// No `[DONE]`, though a finish reason was given.
    NoDone,
    /// No finish reason, though `[DONE]` is given.
    NoFinish,
    /// The body ends after so many chunks, without a finish reason and `[DONE]`, as if it were whole.
    After(usize),
    /// The connection is closed after so many chunks.
    CutAfter(usize),
    /// Silence after so many chunks. The latch opens when the client has left.
    StallAfter(usize, Latch),
    /// After so many chunks comes this in place of a chunk; then the body ends.
    ErrorAfter(usize, Value),
    /// These bytes follow after `[DONE]`.
    BytesAfter(Vec<u8>),
}

impl Fault {
    /// Those through which a client must hear the same reply, ids and counts of tokens aside.
    pub fn harmless() -> Vec<Self> {
        let calls = Calls::harmless().into_iter().map(Self::Calls);
        let chunks = Chunks::harmless().into_iter().map(Self::Chunks);
        let lines = Lines::all().into_iter().map(Self::Lines);
        let ends = [Ends::NoDone, Ends::BytesAfter(b": bye\n\ndata: {not JSON\n\n".to_vec())];
        calls.chain(chunks).chain(lines).chain(ends.map(Self::Ends)).collect()
    }

    pub(crate) fn reshape_call(&self, call: &Call<'_>, fragments: &mut Vec<Value>) {
        match self {
            Self::Calls(calls) => calls.reshape(call, fragments),
            Self::Chunks(_) | Self::Lines(_) | Self::Ends(_) => (),
        }
    }
}

impl From<Calls> for Fault {
    fn from(fault: Calls) -> Self {
        Self::Calls(fault)
    }
}

impl From<Chunks> for Fault {
    fn from(fault: Chunks) -> Self {
        Self::Chunks(fault)
    }
}

impl From<Lines> for Fault {
    fn from(fault: Lines) -> Self {
        Self::Lines(fault)
    }
}

impl From<Ends> for Fault {
    fn from(fault: Ends) -> Self {
        Self::Ends(fault)
    }
}

/// A stream between its chunks and its bytes.
struct Stream {
    pieces: Vec<Piece>,
    /// What follows the last piece.
    tail: Vec<u8>,
    done: bool,
    ending: Ending,
}

/// The response that these pieces become under these faults.
pub(crate) fn broken(pieces: Vec<Piece>, faults: &[Fault]) -> Wire {
    let mut stream = Stream { pieces, tail: Vec::new(), done: true, ending: Ending::Complete };
    let mut form = lines::Form::default();
    for fault in faults {
        match fault {
            // Calls were reshaped when they were made.
            Fault::Calls(calls) => calls.rearrange(&mut stream.pieces),
            Fault::Chunks(chunks) => chunks.apply(&mut stream.pieces),
            Fault::Lines(lines) => form.apply(lines),
            Fault::Ends(ends) => ends.apply(&mut stream),
        }
    }
    render(stream, &form)
}

impl Ends {
    fn apply(&self, stream: &mut Stream) {
        match self {
            Self::NoDone => stream.done = false,
            Self::NoFinish => stream.pieces.retain(|piece| !chunks::finishes(piece)),
            Self::After(chunks) => stream.stop_after(*chunks, Ending::Complete),
            Self::CutAfter(chunks) => stream.stop_after(*chunks, Ending::Cut),
            Self::StallAfter(chunks, left) => {
                stream.stop_after(*chunks, Ending::Stall(left.clone()));
            }
            Self::ErrorAfter(chunks, error) => {
                stream.stop_after(*chunks, Ending::Complete);
                stream.pieces.push(Piece::Chunk(error.clone()));
            }
            Self::BytesAfter(bytes) => stream.tail.clone_from(bytes),
        }
    }
}

impl Stream {
    fn stop_after(&mut self, chunks: usize, ending: Ending) {
        let ends: Vec<usize> = (0..self.pieces.len())
            .filter(|at| matches!(self.pieces[*at], Piece::Chunk(_)))
            .collect();
        self.pieces.truncate(ends.get(chunks).copied().unwrap_or(self.pieces.len()));
        self.done = false;
        self.ending = ending;
    }
}

fn render(stream: Stream, form: &lines::Form) -> Wire {
    let mut acts = Vec::new();
    for piece in stream.pieces {
        match piece {
            Piece::Chunk(chunk) => acts.push(Act::Write(form.event(&chunk))),
            Piece::Pause(time) => acts.push(Act::Pause(time)),
            Piece::Wait(latch) => acts.push(Act::Wait(latch)),
            Piece::Reached(latch) => acts.push(Act::Reached(latch)),
        }
    }
    if stream.done {
        acts.push(Act::Write(form.done()));
    }
    acts.push(Act::Write(stream.tail));
    form.writes(acts).into_iter().fold(form.opening(), Wire::act).ending(stream.ending)
}
