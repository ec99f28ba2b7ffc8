//! `/tokens`: what was spent.

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;
use crate::view;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "tokens",
    aliases: &["cost"],
    args: "",
    doc: "show what this session has spent",
    long: "Tokens as the provider counted them, sub-agents included, and dollars at the price each \
           call had when it was made. Once a call was made whose price is unknown, so is the sum.",
    when: When::Always,
    run,
};

fn run(_: &str, state: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::say(view::spent::session(&state.spent))])
}
