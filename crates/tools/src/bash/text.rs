//! A program's output as text for the model: bounded, and without anything that is meant for a
//! terminal.

use std::iter::Peekable;
use std::str::Chars;

use purlin_exec::Captured;

/// Characters shown from the beginning and from the end, when not all are. Errors stand at the end.
const HEAD: usize = 6_000;
const TAIL: usize = 10_000;

/// What the model is shown.
pub(super) struct Shown {
    pub(super) text: String,
    /// Whether that is everything there was.
    pub(super) complete: bool,
}

/// The output, cut in the middle where it is too long.
pub(super) fn show(output: &Captured) -> Shown {
    if is_binary(&output.head) {
        let text = format!("[binary output, {} bytes{}]", output.bytes, kept(output));
        return Shown { text, complete: false };
    }
    if output.missing().is_some() {
        let (head, tail) = (text_of(&output.head), text_of(&output.tail));
        return Shown { text: cut(output, &head, &tail), complete: false };
    }
    let text = text_of(&[&output.head[..], &output.tail[..]].concat());
    if text.chars().nth(HEAD + TAIL).is_none() {
        return Shown { text, complete: true };
    }
    Shown { text: cut(output, &text, &text), complete: false }
}

fn text_of(bytes: &[u8]) -> String {
    clean(&String::from_utf8_lossy(bytes))
}

/// The first characters of `head` and the last of `tail`, and between them what is missing.
fn cut(output: &Captured, head: &str, tail: &str) -> String {
    let head = beginning(head);
    let (tail, begins_line) = ending(tail);
    let lines = output.newlines + u64::from(!tail.ends_with('\n'));
    let first = newlines(head) + 1;
    let last = output.newlines - newlines(tail) + u64::from(!begins_line);
    let extent =
        if first < last { format!("lines {first} to {last}") } else { format!("line {first}") };
    // A line too long for either side is shown in part.
    let full = if head.ends_with('\n') && begins_line { "" } else { " in full" };
    let newline = if head.ends_with('\n') { "" } else { "\n" };
    format!("{head}{newline}[{extent} of {lines} not shown{full}{}]\n{tail}", kept(output))
}

/// Where the rest can be read.
fn kept(output: &Captured) -> String {
    match &output.whole {
        Some(path) if output.whole_bytes < output.bytes => {
            format!("; the first {} bytes are in {}", output.whole_bytes, path.display())
        }
        Some(path) => format!("; the whole output is in {}", path.display()),
        None => String::new(),
    }
}

/// Up to `HEAD` characters, whole lines unless that would leave less than half.
fn beginning(text: &str) -> &str {
    let text = text.char_indices().nth(HEAD).map_or(text, |(end, _)| &text[..end]);
    let line = text.rfind('\n').map_or(0, |end| end + 1);
    if line > text.len() / 2 { &text[..line] } else { text }
}

/// Up to `TAIL` characters, whole lines unless that would leave less than half; and whether they
/// begin with a line.
fn ending(text: &str) -> (&str, bool) {
    // One character more: it may be the line end before.
    let text = text.char_indices().nth_back(TAIL).map_or(text, |(start, _)| &text[start..]);
    let line = text.find('\n').map_or(text.len(), |end| end + 1);
    if line < text.len() / 2 { (&text[line..], true) } else { (text, false) }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// Text has few bytes that are neither printable nor blank; a few zeros separate names.
fn is_binary(bytes: &[u8]) -> bool {
    let strange = |letter: char| letter == '\u{fffd}' || letter.is_control() && !is_used(letter);
    let text = String::from_utf8_lossy(bytes);
    let (all, odd) = (text.chars().count(), text.chars().filter(|letter| strange(*letter)).count());
    odd * 10 > all * if bytes.contains(&0) { 1 } else { 3 }
}

/// Control characters that programs write to terminals.
fn is_used(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\t' | '\x07' | '\x08' | '\x0c' | '\x1b')
}

/// What a terminal would be left with, line by line: escape sequences gone, a bar that was redrawn
/// in its last state, erased letters erased. Line ends stay, so that line numbers do.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    // Where the line begins, and where it is written over once something follows.
    let (mut line, mut over) = (0, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => escape(&mut letters),
            '\r' => over = true,
            '\n' => {
                cleaned.push('\n');
                (line, over) = (cleaned.len(), false);
            }
            '\x08' if cleaned.len() > line => drop(cleaned.pop()),
            '\0' => cleaned.push('\u{2400}'),
            letter if letter.is_control() && letter != '\t' => (),
            letter => {
                if std::mem::take(&mut over) {
                    cleaned.truncate(line);
                }
                cleaned.push(letter);
            }
        }
    }
    cleaned
}

/// Skips what follows an escape character, but never a line end: a sequence cut short must not
/// swallow the rest.
fn escape(letters: &mut Peekable<Chars<'_>>) {
    let ends: fn(char) -> bool = match letters.next_if(|letter| *letter != '\n') {
        Some('[') => |letter| ('@'..='~').contains(&letter),
        Some(']' | 'P' | 'X' | '^' | '_') => |letter| letter == '\x07',
        Some(' '..='/') => |letter| ('0'..='~').contains(&letter),
        Some(_) | None => return,
    };
    // An escape character inside begins another sequence, or ends this one.
    while let Some(letter) = letters.next_if(|letter| *letter != '\n' && *letter != '\x1b') {
        if ends(letter) {
            return;
        }
    }
}
