//! What a search finds, file by file, as much of it as may be shown.

use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use grep_matcher::{LineTerminator, Matcher as _};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkMatch};
use serde::Deserialize;

use crate::file::{self, WHOLE};
use crate::text::{Ends, Text, count};
use crate::walk::Clock;

/// What one search may show.
const MATCHES: usize = 200;
const FILES: usize = 500;
const CHARS: usize = 20_000;

/// The most characters of a line, and how many of them stand before the match.
const WIDTH: usize = 300;
const BEFORE: usize = 100;

/// The most bytes of one line that are held in memory.
const HELD: usize = 64 * 1024 * 1024;

/// What to answer with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// The lines.
    #[default]
    Content,
    /// The names of the files.
    Files,
    /// How many lines match in each file.
    Count,
}

/// What is searched for.
pub(crate) struct Query {
    matcher: RegexMatcher,
    searcher: Searcher,
    mode: Mode,
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Hits {
    text: String,
    searched: usize,
    files: usize,
    files_shown: usize,
    matches: usize,
    matches_shown: usize,
    binary: usize,
    /// Files that could not be opened or read.
    pub(crate) unreadable: usize,
    /// The files of which lines were shown, with the hash of their content.
    pub(crate) seen: Vec<(PathBuf, String)>,
}

impl Query {
    /// Reads a pattern; the error is in the parser's words.
    pub(crate) fn new(pattern: &str, ignore_case: bool, context: usize) -> Result<Self, String> {
        if pattern.is_empty() {
            return Err("grep: the pattern is empty; use glob to list files".to_owned());
        }
        let matcher = RegexMatcherBuilder::new()
            .case_insensitive(ignore_case)
            .crlf(true)
            .build(pattern)
            .map_err(|error| {
                let literal = escaped(pattern);
                format!("not a regular expression: {error}\nto find it literally: {literal}")
            })?;
        let searcher = SearcherBuilder::new()
            .line_terminator(LineTerminator::crlf())
            .binary_detection(BinaryDetection::quit(0))
            .before_context(context)
            .after_context(context)
            .heap_limit(Some(HELD))
            .build();
        Ok(Self { matcher, searcher, mode: Mode::Content })
    }

    /// The same search with another kind of answer.
    pub(crate) fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }
}

/// A pattern that matches this text and nothing else.
fn escaped(text: &str) -> String {
    let special = |char: char| r"\.+*?()|[]{}^$".contains(char);
    text.chars().flat_map(|char| special(char).then_some('\\').into_iter().chain([char])).collect()
}

impl Hits {
    /// Searches one more file.
    pub(crate) fn search(
        &mut self,
        query: &Query,
        path: &Path,
        shown: &str,
        file: File,
        meta: &Metadata,
        clock: &Clock<'_>,
    ) {
        let mut one =
            OneFile { query, clock, hits: self, shown, matches: 0, rows: 0, binary: false };
        let searched = one.run(file, meta);
        let (matches, rows, binary) = (one.matches, one.rows, one.binary);
        self.searched += 1;
        match searched {
            Ok(hash) => {
                if rows > 0
                    && let Some(hash) = hash
                {
                    self.seen.push((path.to_owned(), hash));
                }
            }
            Err(_) => self.unreadable += 1,
        }
        self.binary += usize::from(binary && matches == 0);
        if matches == 0 {
            return;
        }
        self.files += 1;
        self.matches += matches;
        if query.mode != Mode::Content && self.files_shown < FILES && self.text.len() < CHARS {
            self.files_shown += 1;
            let _ = match query.mode {
                Mode::Count => writeln!(self.text, "{shown}: {matches}"),
                Mode::Content | Mode::Files => writeln!(self.text, "{shown}"),
            };
        }
    }

    /// What was found, with the totals.
    pub(crate) fn answer(&self, query: &Query, pattern: &str, place: &str) -> String {
        let files = count(self.files, "file");
        let matches = count(self.matches, "match");
        let searched = count(self.searched, "file");
        if self.files == 0 {
            return format!("[no line matches {pattern} in {place}; {searched} searched]");
        }
        let narrow = "narrow it with path, include or a longer pattern";
        let (lines, names) = (self.matches_shown, self.files_shown);
        let total = match query.mode {
            Mode::Content if lines < self.matches => {
                format!(
                    "[the first {lines} of {matches} in {files}; {narrow}, or ask for mode files]"
                )
            }
            Mode::Files | Mode::Count if names < self.files => {
                format!("[the first {names} of {files}; {narrow}]")
            }
            Mode::Content | Mode::Count => format!("[{matches} in {files}]"),
            Mode::Files => format!("[{files}]"),
        };
        format!("{}{total}", self.text)
    }

    /// Lines about what was not searched.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.binary > 0 {
            notes.push(format!("[skipped: {}]", count(self.binary, "binary file")));
        }
        if self.unreadable > 0 {
            notes.push(format!("[could not be read: {}]", count(self.unreadable, "file")));
        }
        notes
    }

    fn has_room(&self) -> bool {
        self.matches_shown < MATCHES && self.text.len() < CHARS
    }
}

/// The search of one file.
struct OneFile<'a> {
    query: &'a Query,
    clock: &'a Clock<'a>,
    hits: &'a mut Hits,
    shown: &'a str,
    matches: usize,
    rows: usize,
    binary: bool,
}

impl OneFile<'_> {
    /// The hash of the content, where there were matches and the file is not too large.
    fn run(&mut self, file: File, meta: &Metadata) -> io::Result<Option<String>> {
        let (matcher, mut searcher) = (self.query.matcher.clone(), self.query.searcher.clone());
        if meta.len() > WHOLE {
            searcher.search_file(&matcher, &file, self)?;
            return Ok(None);
        }
        let Some(whole) = file::read(file, meta)? else { return Ok(None) };
        if file::binary(&whole.bytes).is_some() {
            self.binary = true;
            return Ok(None);
        }
        // Bytes are searched as they are unless they are no UTF-8: an accented word in Latin-1
        // would not be found, nor anything in UTF-16.
        if std::str::from_utf8(&whole.bytes).is_ok() && whole.bytes.contains(&b'\n') {
            searcher.search_slice(&matcher, &whole.bytes, &mut *self)?;
        } else if let Ok(text) = Text::decode(&whole.bytes) {
            let body = match Ends::of(&text.body) {
                Ends::Cr => text.body.replace('\r', "\n"),
                Ends::Lf | Ends::CrLf | Ends::Mixed => text.body,
            };
            searcher.search_slice(&matcher, body.as_bytes(), &mut *self)?;
        } else {
            self.binary = true;
        }
        Ok((self.rows > 0).then(|| whole.hash()))
    }

    fn row(&mut self, number: Option<u64>, sign: char, line: &[u8]) {
        if self.rows == 0 {
            let gap = if self.hits.text.is_empty() { "" } else { "\n" };
            let _ = writeln!(self.hits.text, "{gap}{}", self.shown);
        }
        self.rows += 1;
        let line = self.fitted(line);
        let _ = writeln!(self.hits.text, "{}{sign}{line}", number.unwrap_or_default());
    }

    /// A line within `WIDTH`, the match inside it.
    fn fitted(&self, line: &[u8]) -> String {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if text.len() <= WIDTH || text.chars().count() <= WIDTH {
            return text.to_owned();
        }
        let found = self.query.matcher.find(text.as_bytes()).ok().flatten();
        let at = found.map_or(0, |found| found.start());
        let at = text.char_indices().take_while(|(start, _)| *start < at).count();
        let length = text.chars().count();
        let from = at.saturating_sub(BEFORE).min(length.saturating_sub(WIDTH));
        let shown: String = text.chars().skip(from).take(WIDTH).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if from + WIDTH < length { "…" } else { "" };
        format!("{before}{shown}{after} [of {length} characters]")
    }
}

impl Sink for &mut OneFile<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        self.matches += 1;
        if self.query.mode == Mode::Content && self.hits.has_room() {
            self.hits.matches_shown += 1;
            self.row(found.line_number(), ':', found.bytes());
        }
        // One is enough to name a file.
        Ok(self.query.mode != Mode::Files && self.clock.over().is_none())
    }

    fn context(&mut self, _: &Searcher, around: &SinkContext<'_>) -> io::Result<bool> {
        if self.query.mode == Mode::Content && self.hits.has_room() {
            self.row(around.line_number(), '-', around.bytes());
        }
        Ok(true)
    }

    fn context_break(&mut self, _: &Searcher) -> io::Result<bool> {
        if self.query.mode == Mode::Content && self.hits.has_room() && self.rows > 0 {
            self.hits.text.push_str("--\n");
        }
        Ok(true)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.binary = true;
        Ok(false)
    }
}
