//! A question to the person. What would run is shown whole, and behind a bar, so that nothing in
//! it can pass for a line of ours.

use std::path::Path;

use purlin_engine::effect::{Claim, Effect};
use purlin_engine::event::Question;
use purlin_engine::gate::Preview;

use super::diff;
use super::ink::Ink;
use super::plain::{one_line, plain};

/// The most characters of a call's title; what it would do stands below.
const TITLE: usize = 160;

/// The whole question.
pub fn question(ink: Ink, question: &Question) -> String {
    let mark = ink.yellow("?");
    match question {
        Question::Permit { claim, preview, why, .. } => {
            let mut lines = vec![format!("{mark} {}", ink.bold(&one_line(&claim.title, TITLE)))];
            lines.extend(
                why.iter().flat_map(|why| why.lines()).map(|why| format!("  {}", plain(why))),
            );
            lines.push(whole(ink, claim, preview.as_ref()));
            lines.push(ways(question));
            lines.join("\n")
        }
        Question::Choose { text, choices } => {
            let mut lines = vec![format!("{mark} {}", ink.bold(&plain(text)))];
            let numbered = choices.iter().enumerate();
            lines.extend(numbered.map(|(i, choice)| format!("  {}  {}", i + 1, plain(choice))));
            lines.push(ways(question));
            lines.join("\n")
        }
    }
}

/// How it can be answered.
pub fn ways(question: &Question) -> String {
    match question {
        Question::Permit { always, .. } if always.is_empty() => {
            "  y yes · n no · or say what to do instead".to_owned()
        }
        Question::Permit { always, .. } => {
            let always = plain(always);
            format!("  y yes · a always ({always}) · n no · or say what to do instead")
        }
        Question::Choose { choices, .. } if choices.is_empty() => {
            "  answer in your own words".to_owned()
        }
        Question::Choose { .. } => "  a number, or an answer in your own words".to_owned(),
    }
}

/// All that a yes would let happen.
fn whole(ink: Ink, claim: &Claim, preview: Option<&Preview>) -> String {
    let mut parts = Vec::new();
    match preview {
        Some(Preview::Diff(text)) => parts.push(diff::paint(ink, &plain(text))),
        Some(Preview::Text(text)) => parts.push(plain(text)),
        None => (),
    }
    match &claim.effect {
        Effect::Exec(line) if shows(preview, &line.text) => (),
        Effect::Exec(line) => parts.push(plain(&line.text)),
        Effect::Files { writes, .. } => parts.extend(unshown(preview, writes)),
        Effect::Net(host) => parts.push(format!("host: {}", plain(&host.0))),
        Effect::Session | Effect::Agent | Effect::Unknown => (),
    }
    if parts.is_empty() {
        parts.push(plain(&format!("{} {}", claim.call.name, claim.call.args)));
    }
    let bar = ink.dim("│");
    let barred = |line: &str| format!("  {bar} {line}");
    parts.iter().flat_map(|part| part.lines()).map(barred).collect::<Vec<_>>().join("\n")
}

fn shows(preview: Option<&Preview>, command: &str) -> bool {
    matches!(preview, Some(Preview::Text(text)) if text.contains(command))
}

/// What would be written, where no diff shows it.
fn unshown(preview: Option<&Preview>, writes: &[impl AsRef<Path>]) -> Vec<String> {
    if matches!(preview, Some(Preview::Diff(_))) {
        return Vec::new();
    }
    let writes = writes.iter().map(|path| path.as_ref().display().to_string());
    writes.map(|path| format!("writes {}", plain(&path))).collect()
}
