//! `/undo`: put back the last change.

use purlin_engine::event::Command;

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "undo",
    aliases: &[],
    args: "",
    doc: "put back what the last call that changed files changed",
    long: "Again and again goes further back. A file that was changed since, by you or by anything \
           else, is left alone and named. The model is told.",
    when: When::Idle,
    run,
};

fn run(_: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Send(Command::Undo)])
}
