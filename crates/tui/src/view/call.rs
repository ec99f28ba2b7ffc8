//! A call: its title, and below it what came of it.

use purlin_engine::effect::Effect;
use purlin_engine::message::{Output, plain as words};

use super::diff;
use super::ink::Ink;
use super::plain::{bounded, one_line};
use crate::page::Seen;

/// The most characters of a title.
const TITLE: usize = 160;
/// Lines shown of an answer.
const LINES: usize = 12;
/// Lines shown of what was only looked at: the model needs it, the person rarely.
const LOOKED: usize = 3;
/// Lines shown of a diff that nobody has seen before it was made.
const DIFF: usize = 40;
/// Of a program's output the end says how it went.
const PROGRAM: (usize, usize) = (4, 8);

/// A call begins.
pub fn began(ink: Ink, seen: &Seen, agent: Option<&str>) -> String {
    let agent = agent.map(|name| format!(" [{name}]")).unwrap_or_default();
    format!("{} {}{agent}", ink.green("●"), title(seen))
}

/// A call whose title does not stand right above was answered.
pub fn answered(ink: Ink, seen: &Seen) -> String {
    format!("{} {}", ink.dim("↳"), title(seen))
}

/// The title as one line.
pub fn title(seen: &Seen) -> String {
    one_line(&seen.title, TITLE)
}

/// What came of a call: its first lines, indented.
pub fn result(ink: Ink, seen: &Seen, output: &Output) -> String {
    let text = words(&output.content);
    let is_diff = !output.failed && diff::is_diff(&text);
    let (head, tail) = room(seen, output.failed, is_diff);
    // In a diff an empty line of the file is not empty: it begins with a space.
    let mut lines = bounded(&text, head, tail);
    if lines.is_empty() {
        lines.push("(no output)".to_owned());
    }
    let text = match (is_diff, output.failed) {
        (true, _) => diff::paint(ink, &lines.join("\n")),
        (false, true) => format!("{} {}", ink.red("failed:"), lines.join("\n")),
        (false, false) => ink.dim(&lines.join("\n")),
    };
    indent(&text)
}

fn room(seen: &Seen, failed: bool, is_diff: bool) -> (usize, usize) {
    match &seen.effect {
        _ if is_diff && seen.asked => (1, 0),
        Some(Effect::Exec(_) | Effect::Unknown) => PROGRAM,
        _ if failed => (LINES, 0),
        _ if is_diff => (DIFF, 0),
        Some(effect) if effect.only_looks() => (LOOKED, 0),
        Some(Effect::Files { .. } | Effect::Net(_) | Effect::Session | Effect::Agent) | None => {
            (LINES, 0)
        }
    }
}

/// Every line below a title.
pub fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
