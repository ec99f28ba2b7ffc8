//! A call's arguments as they come in pieces, and where they end: this format has no sign for it.

/// Arguments, byte for byte as they came.
#[derive(Debug, Default)]
pub(super) struct Args {
    text: String,
    scan: Scan,
    closed: bool,
    /// How much of the whole has come once more since it closed.
    repeated: usize,
    went_on: bool,
}

impl Args {
    /// Takes a piece. After the end a repeat of the whole is ignored and blanks are; anything else
    /// means that it was not the end.
    pub(super) fn take(&mut self, piece: &str) {
        if self.closed {
            return self.after_end(piece);
        }
        let Some(end) = self.scan.end(piece) else { return self.text.push_str(piece) };
        let (within, beyond) = piece.split_at(end);
        self.text.push_str(within);
        self.closed = true;
        self.after_end(beyond);
    }

    /// No more is expected, whether or not they closed. Half a repeat is not a repeat.
    pub(super) fn close(&mut self) {
        self.closed = true;
        if self.repeated > 0 {
            self.go_on("");
        }
    }

    /// All of them.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing has come that says anything.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim_start().is_empty()
    }

    /// Whether they are one JSON value, or nothing more is expected.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether bytes followed the end.
    pub(super) fn went_on(&self) -> bool {
        self.went_on
    }

    fn after_end(&mut self, piece: &str) {
        if self.went_on {
            return self.text.push_str(piece);
        }
        let piece = if self.repeated == 0 { piece.trim() } else { piece };
        if piece.is_empty() {
            return;
        }
        if !self.text[self.repeated..].trim_start().starts_with(piece) {
            return self.go_on(piece);
        }
        let skipped = self.text.len() - self.text[self.repeated..].trim_start().len();
        self.repeated = skipped + piece.len();
        if self.repeated == self.text.len() {
            self.repeated = 0;
        }
    }

    fn go_on(&mut self, piece: &str) {
        let again = self.text[..std::mem::take(&mut self.repeated)].to_owned();
        self.text.push_str(&again);
        self.text.push_str(piece);
        self.went_on = true;
    }
}

/// Finds the end of one JSON value, looking at each byte once. Brackets are counted, not matched:
/// the parser complains later, and in better words.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Place {
    /// Before the first byte that is not blank.
    #[default]
    Before,
    Between,
    Quoted,
    Escaped,
    /// A bare word or number: only the end of the reply ends it.
    Bare,
}

impl Scan {
    /// The offset in `piece` just behind the value, where it ends in there.
    fn end(&mut self, piece: &str) -> Option<usize> {
        piece.bytes().position(|byte| self.closes(byte)).map(|last| last + 1)
    }

    fn closes(&mut self, byte: u8) -> bool {
        match (self.place, byte) {
            (Place::Before, b' ' | b'\t' | b'\r' | b'\n') | (Place::Bare, _) => (),
            (Place::Before | Place::Between, b'"') => self.place = Place::Quoted,
            (Place::Before | Place::Between, b'{' | b'[') => {
                self.place = Place::Between;
                self.depth += 1;
            }
            (Place::Before, _) => self.place = Place::Bare,
            (Place::Between, b'}' | b']') => {
                self.depth -= 1;
                return self.depth == 0;
            }
            (Place::Quoted, b'\\') => self.place = Place::Escaped,
            (Place::Quoted, b'"') => {
                self.place = Place::Between;
                return self.depth == 0;
            }
            (Place::Escaped, _) => self.place = Place::Quoted,
            (Place::Between | Place::Quoted, _) => (),
        }
        false
    }
}
