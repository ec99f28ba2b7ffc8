//! Faults in how chunks become lines and lines become writes. All of them are harmless: the
//! standard for event streams allows them, or gateways do them to everybody.

use serde_json::Value;

use crate::wire::{Act, Wire};

/// How chunks become lines, and lines become writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Lines end with CR LF.
    CrLf,
    /// Lines end with a lone CR.
    Cr,
    /// Lines end with CR LF, the blank ones between the events with LF.
    Mixed,
    /// Comments stand between the events.
    Comments,
    /// The JSON of a chunk is spread over several `data:` lines.
    ManyDataLines,
    /// No blank follows `data:`.
    NoBlank,
    /// Events have an `event`, an `id`, a `retry` and a field nobody knows.
    Fields,
    /// The response does not say that it is a stream.
    NoContentType,
    /// The body begins with a byte order mark.
    Bom,
    /// No write has more bytes than this: characters and line ends are split.
    WritesOf(usize),
    /// All that is written without a silence between goes out in one write.
    OneWrite,
}

impl Lines {
    /// All of them.
    pub fn all() -> Vec<Self> {
        vec![
            Self::CrLf,
            Self::Cr,
            Self::Mixed,
            Self::Comments,
            Self::ManyDataLines,
            Self::NoBlank,
            Self::Fields,
            Self::NoContentType,
            Self::Bom,
            Self::WritesOf(1),
            Self::WritesOf(7),
            Self::OneWrite,
        ]
    }
}

/// How events are written.
pub(super) struct Form {
    end: &'static str,
    blank: &'static str,
    before: &'static str,
    colon: &'static str,
    fields: &'static [&'static str],
    spread: bool,
    bom: bool,
    typed: bool,
    writes: Writes,
}

#[derive(Clone, Copy)]
enum Writes {
    AsMade,
    Of(usize),
    Joined,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            end: "\n",
            blank: "\n",
            before: "",
            colon: ": ",
            fields: &[],
            spread: false,
            bom: false,
            typed: true,
            writes: Writes::AsMade,
        }
    }
}

impl Form {
    pub(super) fn apply(&mut self, fault: &Lines) {
        match fault {
            Lines::CrLf => (self.end, self.blank) = ("\r\n", "\r\n"),
            Lines::Cr => (self.end, self.blank) = ("\r", "\r"),
            Lines::Mixed => (self.end, self.blank) = ("\r\n", "\n"),
            Lines::Comments => self.before = ": keep-alive",
            Lines::ManyDataLines => self.spread = true,
            Lines::NoBlank => self.colon = ":",
            Lines::Fields => self.fields = &["event: message", "id: 7", "retry: 100", "other"],
            Lines::NoContentType => self.typed = false,
            Lines::Bom => self.bom = true,
            Lines::WritesOf(bytes) => self.writes = Writes::Of((*bytes).max(1)),
            Lines::OneWrite => self.writes = Writes::Joined,
        }
    }

    /// The event of one chunk.
    pub(super) fn event(&self, chunk: &Value) -> Vec<u8> {
        // The alternate form of a value is the one with line breaks.
        self.data(&if self.spread { format!("{chunk:#}") } else { chunk.to_string() })
    }

    /// The event that ends a stream.
    pub(super) fn done(&self) -> Vec<u8> {
        self.data("[DONE]")
    }

    fn data(&self, data: &str) -> Vec<u8> {
        let end = self.end;
        let mut event = String::new();
        if !self.before.is_empty() {
            event += &format!("{}{end}{}", self.before, self.blank);
        }
        for field in self.fields {
            event += &format!("{field}{end}");
        }
        for line in data.lines() {
            event += &format!("data{}{line}{end}", self.colon);
        }
        event += self.blank;
        event.into_bytes()
    }

    /// The response before its first event.
    pub(super) fn opening(&self) -> Wire {
        let wire = Wire::stream();
        if self.typed { wire } else { wire.without_header("content-type") }
    }

    /// The same acts in other writes.
    pub(super) fn writes(&self, acts: Vec<Act>) -> Vec<Act> {
        let mut acts = acts;
        if self.bom
            && let Some(Act::Write(first)) =
                acts.iter_mut().find(|act| matches!(act, Act::Write(_)))
        {
            first.splice(..0, *b"\xef\xbb\xbf");
        }
        match self.writes {
            Writes::AsMade => acts,
            Writes::Of(bytes) => acts.into_iter().flat_map(|act| split(act, bytes)).collect(),
            Writes::Joined => acts.into_iter().fold(Vec::new(), join),
        }
    }
}

fn split(act: Act, size: usize) -> Vec<Act> {
    match act {
        Act::Write(bytes) => bytes.chunks(size).map(|part| Act::Write(part.to_vec())).collect(),
        Act::Pause(_) | Act::Wait(_) | Act::Reached(_) => vec![act],
    }
}

fn join(mut joined: Vec<Act>, act: Act) -> Vec<Act> {
    match (joined.last_mut(), act) {
        (Some(Act::Write(before)), Act::Write(mut bytes)) => before.append(&mut bytes),
        (Some(_) | None, act) => joined.push(act),
    }
    joined
}
