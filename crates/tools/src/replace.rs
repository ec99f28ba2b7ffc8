//! Replacing a piece of text by another, with everything around it byte for byte as it was.
//!
//! The model sees line ends as `\n` only. So a piece is looked for in the text as the model sees
//! it, and what goes in takes the line ends of the place it goes to.

use std::borrow::Cow;
use std::ops::Range;

use crate::closest::closest;
use crate::text::Ends;

/// How many places are listed when there are too many.
const LISTED: usize = 8;

/// One replacement.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) old: String,
    pub(crate) new: String,
    /// Everywhere, not in one place only.
    pub(crate) all: bool,
}

/// A piece to put in.
struct Splice {
    /// Where the old string stood, to find overlaps.
    matched: Range<usize>,
    /// The part of it that changes.
    range: Range<usize>,
    text: String,
}

/// A text as the model sees it, and the way back.
struct Plain<'a> {
    text: Cow<'a, str>,
    ends: Ends,
    /// Where line ends stand in `text` that are two bytes in the file.
    pairs: Vec<usize>,
}

/// `body` with all of these done to it, each looked for in `body` as it is. The error tells the
/// model what is wrong with which.
pub(crate) fn replace(body: &str, all: &[Replacement], shown: &str) -> Result<String, String> {
    let plain = Plain::of(body);
    let mut splices = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let name = |why: String| match all.len() {
            1 => why,
            _ => format!("edit {} of {shown}: {why}", index + 1),
        };
        splices.extend(plain.splices(body, one, shown).map_err(name)?);
    }
    splices.sort_by_key(|splice| (splice.matched.start, splice.matched.end));
    if let Some(pair) = splices.windows(2).find(|pair| pair[0].matched.end > pair[1].matched.start)
    {
        let line = line_at(body, pair[1].matched.start);
        return Err(format!("two edits of {shown} overlap at line {line}; make them one"));
    }
    let mut result = String::with_capacity(body.len());
    let mut at = 0;
    for splice in splices {
        result.push_str(&body[at..splice.range.start]);
        result.push_str(&splice.text);
        at = splice.range.end;
    }
    result.push_str(&body[at..]);
    if result == body {
        return Err(format!(
            "that changes nothing in {shown}: old_string and new_string are equal"
        ));
    }
    Ok(result)
}

impl<'a> Plain<'a> {
    fn of(body: &'a str) -> Self {
        let ends = Ends::of(body);
        let pairs = |body: &str| {
            let found = body.match_indices("\r\n").enumerate();
            found.map(|(before, (at, _))| at - before).collect()
        };
        let (text, pairs) = match ends {
            Ends::Lf => (Cow::Borrowed(body), Vec::new()),
            Ends::Cr => (Cow::Owned(body.replace('\r', "\n")), Vec::new()),
            Ends::CrLf | Ends::Mixed => (Cow::Owned(body.replace("\r\n", "\n")), pairs(body)),
        };
        Self { text, ends, pairs }
    }

    fn splices(&self, body: &str, one: &Replacement, shown: &str) -> Result<Vec<Splice>, String> {
        // Carriage returns in the old string, where they are really there, mean line ends are
        // what is being edited.
        if one.old.contains('\r') && self.ends != Ends::Cr {
            let exact = places(body, one);
            if !exact.is_empty() {
                single(body, &exact, one, shown)?;
                let splice = |start: usize| {
                    let range = start..start + one.old.len();
                    Splice { matched: range.clone(), range, text: one.new.clone() }
                };
                return Ok(exact.into_iter().map(splice).collect());
            }
        }
        let old = self.normal(&one.old);
        let wanted = Replacement { old, new: self.normal(&one.new), all: one.all };
        let found = places(&self.text, &wanted);
        if found.is_empty() {
            return Err(closest(&self.text, &wanted.old, shown));
        }
        single(&self.text, &found, &wanted, shown)?;
        Ok(found.into_iter().map(|start| self.splice(start, &wanted)).collect())
    }

    /// Only what differs between old and new is touched: mixed line ends in the rest of the piece
    /// stay as they are.
    fn splice(&self, start: usize, wanted: &Replacement) -> Splice {
        let (old, new) = (wanted.old.as_str(), wanted.new.as_str());
        let same = |(a, b): &(char, char)| a == b;
        let width = |pairs: (char, char)| pairs.0.len_utf8();
        let head: usize = old.chars().zip(new.chars()).take_while(same).map(width).sum();
        let (old_rest, new_rest) = (&old[head..], &new[head..]);
        let pairs = old_rest.chars().rev().zip(new_rest.chars().rev());
        let tail: usize = pairs.take_while(same).map(width).sum();
        let text = new_rest[..new_rest.len() - tail].replace('\n', self.end_at(start));
        let changed = start + head..start + old.len() - tail;
        Splice {
            matched: self.raw(start)..self.raw(start + old.len()),
            range: self.raw(changed.start)..self.raw(changed.end),
            text,
        }
    }

    /// Where a place of the plain text lies in the file.
    fn raw(&self, at: usize) -> usize {
        at + self.pairs.partition_point(|pair| *pair < at)
    }

    /// The line end to use here: the file's, or where those are mixed, this line's.
    fn end_at(&self, at: usize) -> &'static str {
        if self.ends != Ends::Mixed {
            return self.ends.mark();
        }
        let here = self.text[at..].find('\n').map(|offset| at + offset);
        let near = here.or_else(|| self.text[..at].rfind('\n'));
        let paired = near.is_some_and(|near| self.pairs.binary_search(&near).is_ok());
        if paired { Ends::CrLf.mark() } else { Ends::Lf.mark() }
    }

    fn normal(&self, written: &str) -> String {
        let text = written.replace("\r\n", "\n");
        if self.ends == Ends::Cr { text.replace('\r', "\n") } else { text }
    }
}

/// Where the old string stands. When one place is wanted, overlapping ones count too: which of
/// them is meant would be a guess.
fn places(text: &str, one: &Replacement) -> Vec<usize> {
    if one.all {
        return text.match_indices(&one.old).map(|(at, _)| at).collect();
    }
    let step = one.old.chars().next().map_or(1, char::len_utf8);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(&one.old)) {
        found.push(from + at);
        from += at + step;
    }
    found
}

fn single(text: &str, found: &[usize], one: &Replacement, shown: &str) -> Result<(), String> {
    if one.all || found.len() == 1 {
        return Ok(());
    }
    let lines: Vec<_> =
        found.iter().take(LISTED).map(|at| line_at(text, *at).to_string()).collect();
    let more = if found.len() > LISTED { ", …" } else { "" };
    Err(format!(
        "old_string occurs {} times in {shown}, at lines {}{more}; add lines around it until it \
         is unique, or set replace_all",
        found.len(),
        lines.join(", ")
    ))
}

fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
