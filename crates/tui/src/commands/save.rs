//! `/save`: a name for the session.

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "save",
    aliases: &[],
    args: "[NAME]",
    doc: "give this session a name",
    long: "A session is on disk from its first message on; a name makes it easier to find. Blanks \
           become -, and what a name cannot have goes. A name that another session has is refused.",
    when: When::Always,
    run,
};

fn run(args: &str, _: &State) -> Result<Vec<Action>, String> {
    Ok(vec![Action::Save((!args.is_empty()).then(|| args.to_owned()))])
}
