//! `/diff`: what changed.

use purlin_engine::event::Command;

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "diff",
    aliases: &[],
    args: "",
    doc: "show what changed in this session",
    long: "A unified diff of every file that this session changed, against what is there now. \
           While a turn runs, it waits for its end.",
    when: When::Always,
    run,
};

fn run(_: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Send(Command::Diff)])
}
