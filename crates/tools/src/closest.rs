//! What was probably meant by a piece of text that does not occur.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::text::clip;

/// Lines of the region shown, and characters of each.
const LINES: usize = 12;
const WIDTH: usize = 300;

/// The most lines of the wanted piece that are compared.
const COMPARED: usize = 40;

/// The most lines looked at letter by letter.
const SCANNED: usize = 20_000;

/// Says that `old` does not occur, and shows the region that comes nearest, with line numbers.
pub(crate) fn closest(text: &str, old: &str, shown: &str) -> String {
    let mut message = format!("old_string does not occur in {shown}");
    if numbered(old) {
        message.push_str("; leave out the line numbers that read_file puts before each line");
    }
    let lines: Vec<&str> = text.lines().collect();
    let wanted: Vec<&str> = old.trim_matches('\n').lines().collect();
    let Some(start) = by_lines(&lines, &wanted).or_else(|| by_letters(&lines, &wanted)) else {
        message.push_str(". Nothing in it comes near: read it again");
        return message;
    };
    let end = (start + wanted.len().clamp(1, LINES)).min(lines.len());
    let region = &lines[start..end];
    let equal = |(a, b): (&&str, &&str)| a.trim() == b.trim();
    let blanks = region.len() == wanted.len() && region.iter().zip(&wanted).all(equal);
    let why = if blanks { ", which differ in blanks only" } else { "" };
    let _ = write!(message, ". The closest are lines {}-{end}{why}:", start + 1);
    for (offset, line) in region.iter().enumerate() {
        let _ = write!(message, "\n{}\t{}", start + offset + 1, clip(line, WIDTH).0);
    }
    message
}

/// Whether every line starts as read_file numbers it.
fn numbered(old: &str) -> bool {
    let number = |line: &str| {
        line.split_once('\t')
            .is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    !old.is_empty() && old.lines().all(number)
}

/// Where lines agree when blanks at their ends are left aside; a long one counts for more than a
/// brace. What agrees in less than a quarter is not it.
fn by_lines(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    let wanted: Vec<&str> = wanted.iter().take(COMPARED).map(|line| line.trim()).collect();
    let whole: usize = wanted.iter().map(|line| line.len()).sum();
    let score = |start: usize| -> usize {
        let pairs = lines[start..].iter().zip(&wanted);
        pairs.filter(|(line, wanted)| line.trim() == **wanted).map(|(_, line)| line.len()).sum()
    };
    let (best, start) = first_best((0..lines.len()).map(|start| (score(start), start)))?;
    (best > 0 && best * 4 >= whole).then_some(start)
}

/// Where a line shares the most pairs of letters with the longest wanted line.
fn by_letters(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    let (offset, longest) = wanted.iter().enumerate().max_by_key(|(_, line)| line.trim().len())?;
    let target = pairs(longest);
    let likeness = |line: &str| {
        let pairs_here = pairs(line);
        let shared = target.intersection(&pairs_here).count();
        shared * 2 * 100 / (target.len() + pairs_here.len()).max(1)
    };
    let scanned = lines.iter().take(SCANNED).enumerate();
    let (best, at) = first_best(scanned.map(|(at, line)| (likeness(line), at)))?;
    (best >= 40).then(|| at.saturating_sub(offset))
}

fn pairs(line: &str) -> HashSet<(char, char)> {
    let line = clip(line.trim(), WIDTH).0;
    line.chars().zip(line.chars().skip(1)).collect()
}

/// The first of those that score highest: `max` would take the last.
fn first_best(scored: impl Iterator<Item = (usize, usize)>) -> Option<(usize, usize)> {
    scored.reduce(|best, next| if next.0 > best.0 { next } else { best })
}
