//! The sessions there are.

use super::ink::Ink;
use super::plain::one_line;
use crate::state::Listed;

/// The most that are shown.
const MOST: usize = 20;
/// The most characters of what one is about.
const ABOUT: usize = 60;

/// A line each, newest first; `current` is the one that is open.
pub fn sessions(ink: Ink, listed: &[Listed], current: Option<&str>) -> String {
    if listed.is_empty() {
        return "there are no sessions yet".to_owned();
    }
    let mut lines: Vec<String> =
        listed.iter().take(MOST).map(|one| line(ink, one, current)).collect();
    if listed.len() > MOST {
        lines.push(format!("  … {} older ones", listed.len() - MOST));
    }
    lines.push("/resume ID goes on with one of them".to_owned());
    lines.join("\n")
}

fn line(ink: Ink, listed: &Listed, current: Option<&str>) -> String {
    let name = listed.name.iter().map(|name| format!("{}: ", one_line(name, ABOUT)));
    let about = name.chain([one_line(&listed.about, ABOUT)]).collect::<String>();
    let here = if current == Some(listed.id.as_str()) { "  (this one)" } else { "" };
    let (id, when) = (one_line(&listed.id, ABOUT), one_line(&listed.when, ABOUT));
    format!("  {}  {}  {about}{here}", ink.bold(&id), ink.dim(&when))
}
