//! `/resume`: go on with another session.

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "resume",
    aliases: &[],
    args: "[ID]",
    doc: "go on with another session, or the last one",
    long: "Takes an id or a name as /sessions shows them. The session you leave is kept.",
    when: When::Idle,
    run,
};

fn run(args: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Resume((!args.is_empty()).then(|| args.to_owned()))])
}
