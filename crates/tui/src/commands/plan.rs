//! `/plan`: look, do not touch.

use purlin_engine::event::Command;
use purlin_engine::gate::Mode;
use serde_json::Value;

use super::{SlashCommand, When};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "plan",
    aliases: &[],
    args: "[on|off]",
    doc: "turn plan mode on or off",
    long: "In plan mode nothing that changes anything runs: the model looks around and presents a \
           plan. \"approve\" leaves the mode and has the plan carried out; anything else you say \
           goes on planning. While a turn runs, the change waits for its end.",
    when: When::Always,
    run,
};

fn run(args: &str, state: &State) -> Result<Vec<Action>, String> {
    let mode = match (args.to_lowercase().as_str(), state.mode()) {
        ("on", _) | ("", Mode::Normal) => Mode::Plan,
        ("off", _) | ("", Mode::Plan) => Mode::Normal,
        _ => return Err(format!("/plan takes on, off or nothing, not {args:?}")),
    };
    Ok(vec![Action::Send(set(mode))])
}

/// Tells the engine the mode, which is the one place it is kept.
pub(super) fn set(mode: Mode) -> Command {
    let value = match mode {
        Mode::Normal => Value::Null,
        Mode::Plan => Value::from("plan"),
    };
    Command::Set { key: "mode".to_owned(), value }
}
