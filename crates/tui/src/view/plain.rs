//! Text that a model, a file or a program wrote, made safe to show: it can say anything and do
//! nothing.

use std::fmt::Write as _;

/// The same text without control: line ends and tabs stay, everything else that a terminal would
/// obey is shown as a visible sign. So are the marks that reorder what stands around them, since
/// text that looks unlike what runs must not be shown before a yes.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' if rest.peek() == Some(&'\n') => (),
            '\u{0}'..='\u{1f}' => shown.push(picture(c)),
            '\u{7f}' => shown.push('␡'),
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "<U+{:04X}>", u32::from(c));
            }
            _ => shown.push(c),
        }
    }
    shown
}

/// Unicode has a picture of each control character, in the same order.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')
}

/// The text as one line of at most `most` characters.
pub fn one_line(text: &str, most: usize) -> String {
    cut(&plain(text.trim()).replace('\n', " ␊ ").replace('\t', " "), most)
}

/// The first `head` and the last `tail` lines that say something, and how many there are between.
pub fn bounded(text: &str, head: usize, tail: usize) -> Vec<String> {
    let text = plain(text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let show = |lines: &[&str]| lines.iter().map(|line| cut(line, WIDTH)).collect::<Vec<_>>();
    // A note in place of a single line would save nothing.
    if lines.len() <= head + tail + 1 {
        return show(&lines);
    }
    let (first, last) = (&lines[..head], &lines[lines.len() - tail..]);
    let mut shown = show(first);
    shown.push(format!("… {} more lines", lines.len() - head - tail));
    shown.extend(show(last));
    shown
}

/// The most characters of a line of output: a minified file is one line.
const WIDTH: usize = 200;

fn cut(line: &str, most: usize) -> String {
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
