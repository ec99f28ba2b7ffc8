//! Unified diffs, whole for the person and bounded for the model.

use std::fmt::Write as _;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

/// Unchanged lines around a change.
const AROUND: u32 = 3;

/// The most characters of a diff in an answer.
const SHOWN: usize = 3000;

/// A diff, and how many lines it adds and removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) text: String,
    pub(crate) added: u32,
    pub(crate) removed: u32,
}

impl Changes {
    /// `+1 −2`
    pub(crate) fn counts(&self) -> String {
        format!("+{} −{}", self.added, self.removed)
    }

    /// The diff within its bound for the model, and what was cut.
    pub(crate) fn bounded(&self) -> String {
        let whole = self.text.chars().count();
        if whole <= SHOWN {
            return self.text.clone();
        }
        let cut: String = self.text.chars().take(SHOWN).collect();
        let cut = cut.rsplit_once('\n').map_or(cut.as_str(), |(lines, _)| lines);
        let shown = cut.chars().count();
        format!("{cut}\n[diff cut: {shown} of {whole} characters; read the file for the rest]")
    }
}

/// What turns `before` into `after`; a side that is not there is nothing. Carriage returns at line
/// ends are left out unless they are what changed.
pub(crate) fn unified(name: &str, before: Option<&str>, after: Option<&str>) -> Changes {
    let side = |text: Option<&str>, letter| match text {
        Some(_) => format!("{letter}/{}", name.trim_start_matches('/')),
        None => "/dev/null".to_owned(),
    };
    let mut text = format!("--- {}\n+++ {}\n", side(before, 'a'), side(after, 'b'));
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let before: Vec<&str> = input.before.iter().map(|token| input.interner[*token]).collect();
    let after: Vec<&str> = input.after.iter().map(|token| input.interner[*token]).collect();
    let hunks: Vec<Hunk> = diff.hunks().collect();
    for group in groups(&hunks) {
        write_group(&mut text, group, &before, &after);
    }
    Changes { text, added: diff.count_additions(), removed: diff.count_removals() }
}

/// Hunks so near to each other that their surroundings touch.
fn groups(hunks: &[Hunk]) -> impl Iterator<Item = &[Hunk]> {
    hunks.chunk_by(|one, next| next.before.start - one.before.end <= 2 * AROUND)
}

fn write_group(text: &mut String, group: &[Hunk], before: &[&str], after: &[&str]) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let lead = first.before.start.min(AROUND);
    let tail = (before.len() as u32 - last.before.end).min(AROUND);
    let old = first.before.start - lead..last.before.end + tail;
    let new = first.after.start - lead..last.after.end + tail;
    let _ = writeln!(text, "@@ -{} +{} @@", span(&old), span(&new));
    let mut at = old.start;
    for hunk in group {
        let (removed, added) = (slice(before, &hunk.before), slice(after, &hunk.after));
        // Where only line ends differ, both lines would look the same.
        let bare = removed.iter().map(|line| trimmed(line)).ne(added.iter().map(|l| trimmed(l)));
        write_lines(text, ' ', slice(before, &(at..hunk.before.start)), true);
        write_lines(text, '-', removed, bare);
        write_lines(text, '+', added, bare);
        at = hunk.before.end;
    }
    write_lines(text, ' ', slice(before, &(at..old.end)), true);
}

/// Start and length as diffs write them: an empty span names the line before it.
fn span(lines: &Range<u32>) -> String {
    let start = if lines.is_empty() { lines.start } else { lines.start + 1 };
    format!("{start},{}", lines.len())
}

fn slice<'a, 'b>(lines: &'a [&'b str], range: &Range<u32>) -> &'a [&'b str] {
    lines.get(range.start as usize..range.end as usize).unwrap_or_default()
}

fn trimmed(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn write_lines(text: &mut String, sign: char, lines: &[&str], bare: bool) {
    for line in lines {
        let body = line.strip_suffix('\n').unwrap_or(line);
        let ended = body.len() < line.len();
        text.push(sign);
        if bare {
            text.push_str(body.strip_suffix('\r').unwrap_or(body));
        } else {
            text.push_str(&body.replace('\r', "\\r"));
        }
        text.push_str(if ended { "\n" } else { "\n\\ No newline at end of file\n" });
    }
}
