//! `/approve`: the plan is good, carry it out.

use purlin_engine::event::Command;
use purlin_engine::gate::Mode;
use purlin_engine::message::UserMessage;

use super::{SlashCommand, When, plan};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "approve",
    aliases: &[],
    args: "[MORE]",
    doc: "leave plan mode and have the plan carried out",
    long: "In plan mode the word \"approve\" alone does the same. What follows the name is sent \
           along, such as: /approve but leave the tests as they are",
    when: When::Always,
    run,
};

/// A prompt, never steering: it must reach the model after the mode has changed.
fn run(args: &str, state: &State) -> Result<Vec<Action>, String> {
    if state.mode() == Mode::Normal {
        return Err("there is no plan to approve: plan mode is off".to_owned());
    }
    let words = format!("approve {args}");
    let prompt = Command::Prompt(UserMessage::person(words.trim_end()));
    Ok(vec![Action::Send(plan::set(Mode::Normal)), Action::Send(prompt)])
}
