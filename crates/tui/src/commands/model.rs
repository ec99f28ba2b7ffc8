//! `/model`: which model speaks.

use purlin_engine::event::Command;

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;
use crate::view;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "model",
    aliases: &[],
    args: "[NAME]",
    doc: "say which model speaks, or speak to another",
    long: "The name is the provider's own. The conversation goes on with the new model from its \
           next call; what was spent before keeps its price.",
    when: When::Always,
    run,
};

fn run(args: &str, state: &State) -> Result<Vec<Action>, String> {
    match (args, &state.session) {
        ("", Some(session)) => Ok(vec![Action::say(view::model(&session.model))]),
        ("", None) => Err("no session is open yet".to_owned()),
        (name, _) => Ok(vec![Action::Send(Command::Model(name.to_owned()))]),
    }
}
