//! `/exit`: leave.

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "exit",
    aliases: &["quit"],
    args: "",
    doc: "leave; the session is kept",
    long: "\"exit\" and \"quit\" without the slash, Ctrl+D, and Ctrl+C twice in a row do the same. A \
           turn that runs is interrupted.",
    when: When::Always,
    run,
};

fn run(_: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Quit])
}
