//! `/sessions`: which there are.

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "sessions",
    aliases: &[],
    args: "",
    doc: "list the sessions there are",
    long: "Newest first, each with its id, when it was last written, and what it is about.",
    when: When::Always,
    run,
};

fn run(_: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Sessions])
}
