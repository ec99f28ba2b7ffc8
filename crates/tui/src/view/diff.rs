//! A unified diff. Its signs say everything; the colours repeat it.

use super::ink::Ink;

/// Whether some text holds one.
pub fn is_diff(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("@@ -"))
}

/// Its lines in colour.
pub fn paint(ink: Ink, diff: &str) -> String {
    let painted = |line: &str| match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => ink.bold(line),
        [b'+', ..] => ink.green(line),
        [b'-', ..] => ink.red(line),
        [b'@', b'@', ..] => ink.cyan(line),
        _ => line.to_owned(),
    };
    diff.lines().map(painted).collect::<Vec<_>>().join("\n")
}
