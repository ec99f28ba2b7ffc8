//! From a line to the answer of a question. Only an explicit yes is a yes.

use purlin_engine::event::{Decision, Question};

/// Words that may well mean yes, or nothing. They are neither a yes nor worth telling the model.
const UNCLEAR: &[&str] = &[
    "approve", "fine", "go", "ok", "okay", "ok.", "sure", "ye", "yeah", "yep", "yes!", "yes.", "yy",
];

/// The answer that a line gives; nothing when the person is to be asked again.
pub fn read(question: &Question, line: &str) -> Option<Decision> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    match question {
        Question::Permit { always, .. } => permit(line, always),
        Question::Choose { choices, .. } => choose(line, choices),
    }
}

fn permit(line: &str, always: &str) -> Option<Decision> {
    let word = line.to_lowercase();
    match word.as_str() {
        "y" | "yes" => Some(Decision::Yes),
        // Where "always" was not offered it means nothing.
        "a" | "always" => (!always.is_empty()).then_some(Decision::Always),
        "n" | "no" => Some(Decision::No(None)),
        word if UNCLEAR.contains(&word) => None,
        _ => Some(Decision::No(Some(line.to_owned()))),
    }
}

fn choose(line: &str, choices: &[String]) -> Option<Decision> {
    if choices.is_empty() {
        return Some(Decision::Text(line.to_owned()));
    }
    // A choice that is itself a number is found by its text first.
    let spelled = choices.iter().find(|choice| choice.trim().eq_ignore_ascii_case(line));
    if let Some(choice) = spelled {
        return Some(Decision::Text(choice.clone()));
    }
    match line.parse::<usize>() {
        Ok(number) => choices.get(number.checked_sub(1)?).cloned().map(Decision::Text),
        Err(_) => Some(Decision::Text(line.to_owned())),
    }
}
