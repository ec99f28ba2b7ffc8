//! `/clear`: a new session.

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "clear",
    aliases: &["reset"],
    args: "",
    doc: "begin a new session; this one is kept",
    long: "The model forgets what was said so far. The session you leave stays on disk and can be \
           resumed; its id is shown.",
    when: When::Idle,
    run,
};

fn run(_: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::NewSession])
}
