//! `/help`: the commands, or one of them.

use super::{SlashCommand, When, all, find, near};
use crate::state::State;
use crate::update::Action;

pub(super) const COMMAND: SlashCommand = SlashCommand {
    name: "help",
    aliases: &[],
    args: "[COMMAND]",
    doc: "list the commands, or explain one",
    long: "Names may be typed in any case. A line that begins with a path, such as /etc/hosts, is \
           an ordinary line; so is one that begins with two slashes, of which the first is dropped.",
    when: When::Always,
    run,
};

const KEYS: &str = "\
Ctrl+C stops what runs, twice in a row leaves; Ctrl+D, exit and quit leave. A line typed while the
model works is read before it goes on.";

fn run(args: &str, _: &State) -> Result<Vec<Action>, String> {
    let name = args.trim_start_matches('/');
    if name.is_empty() {
        return Ok(vec![Action::say(list())]);
    }
    match find(name) {
        Some(command) => Ok(vec![Action::say(one(command))]),
        None => Err(format!("there is no command /{name}{}", or(&near(name)))),
    }
}

fn list() -> String {
    let width = all().iter().map(|command| command.to_string().len()).max().unwrap_or_default();
    let line = |command: &SlashCommand| format!("  {command:width$}  {}\n", command.doc);
    all().iter().map(line).chain([KEYS.to_owned()]).collect()
}

fn one(command: &SlashCommand) -> String {
    format!("{command}\n{}\n{}", command.doc, command.long)
}

fn or(near: &[&str]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean /{}?", near.join(" or /")),
    }
}
