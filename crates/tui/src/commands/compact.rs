//! `/compact`: summarise now.

use purlin_engine::event::Command;

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "compact",
    aliases: &[],
    args: "",
    doc: "summarise the conversation now",
    long: "Older messages become a summary that the model writes, however full the window is. It \
           happens by itself when the window fills. While a turn runs, it waits for its end.",
    when: When::Always,
    run,
};

fn run(_: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Send(Command::Compact)])
}
