//! What can be typed after a slash. One file each, listed once here; help, near names and the
//! documentation derive from that list.

mod approve;
mod clear;
mod compact;
mod diff;
mod exit;
mod help;
mod model;
mod plan;
mod resume;
mod save;
mod sessions;
mod tokens;
mod undo;

use std::fmt;

use purlin_engine::gate::Mode;

use crate::state::State;
use crate::update::Action;

/// A command, as data.
#[derive(Clone, Copy, Debug)]
pub struct SlashCommand {
    /// What is typed, without the slash. Lower case; typed in any case.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it takes, such as `[NAME]`.
    pub args: &'static str,
    /// What it does, in a line.
    pub doc: &'static str,
    /// What else there is to know, for `/help NAME`.
    pub long: &'static str,
    /// Whether it can run beside a turn.
    pub when: When,
    /// What to do; an error is said to the person.
    pub run: fn(args: &str, state: &State) -> Result<Vec<Action>, String>,
}

/// When a command may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At any time.
    Always,
    /// Only while no turn runs.
    Idle,
}

const ALL: &[SlashCommand] = &[
    help::COMMAND,
    model::COMMAND,
    plan::COMMAND,
    approve::COMMAND,
    diff::COMMAND,
    undo::COMMAND,
    compact::COMMAND,
    tokens::COMMAND,
    clear::COMMAND,
    save::COMMAND,
    sessions::COMMAND,
    resume::COMMAND,
    exit::COMMAND,
];

/// All of them, in the order they are shown.
pub fn all() -> &'static [SlashCommand] {
    ALL
}

/// The command of that name, in any case.
pub fn find(name: &str) -> Option<&'static SlashCommand> {
    let name = name.to_lowercase();
    ALL.iter().find(|command| command.names().any(|own| own == name))
}

impl SlashCommand {
    /// Its name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// How it is typed: every name, then what it takes.
impl fmt::Display for SlashCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.names().map(|name| format!("/{name}")).collect();
        let usage = format!("{} {}", names.join(", "), self.args);
        f.pad(usage.trim_end())
    }
}

/// What a line is.
#[derive(Clone, Debug)]
pub enum Reading<'a> {
    /// A command with what follows its name.
    Run(&'static SlashCommand, &'a str),
    /// Something that looks like a command of this name.
    Unknown(&'a str),
    /// `//`: the line that was not sent is to be sent after all.
    Unsent,
    /// Words, for the model or for whoever asked.
    Words(String),
}

/// Reads a line. A first word with a second slash in it is a path, and a line that begins with a
/// path is no command; nor is one that begins with two slashes, of which the first is dropped.
pub fn read(line: &str) -> Reading<'_> {
    let Some(rest) = line.trim().strip_prefix('/') else { return Reading::Words(line.to_owned()) };
    if rest == "/" {
        return Reading::Unsent;
    }
    if rest.starts_with("/ ") {
        return Reading::Words(line.to_owned()); // a comment in many languages
    }
    if rest.starts_with('/') {
        return Reading::Words(rest.to_owned());
    }
    let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.contains('/') {
        return Reading::Words(line.to_owned());
    }
    match find(name) {
        Some(command) => Reading::Run(command, args.trim()),
        None => Reading::Unknown(name),
    }
}

/// The command that a word without a slash stands for.
pub fn bare(words: &str, mode: Mode) -> Option<&'static SlashCommand> {
    if leaves(words) {
        return Some(&exit::COMMAND);
    }
    let approves = mode == Mode::Plan && words.trim().eq_ignore_ascii_case("approve");
    approves.then_some(&approve::COMMAND)
}

/// Whether the whole line says to leave.
pub fn leaves(words: &str) -> bool {
    let word = words.trim();
    exit::COMMAND.names().any(|name| word.eq_ignore_ascii_case(name))
}

/// Names that may have been meant: those it begins, else those fewest slips away, at most two.
pub fn near(name: &str) -> Vec<&'static str> {
    let name = name.to_lowercase();
    let names = || ALL.iter().flat_map(SlashCommand::names);
    if name.is_empty() {
        return Vec::new();
    }
    let begun: Vec<_> = names().filter(|own| own.starts_with(&name)).collect();
    if !begun.is_empty() {
        return begun;
    }
    let fewest = names().map(|own| distance(own, &name)).min().unwrap_or_default();
    // In a short word two slips leave nothing of it.
    let few = fewest <= name.chars().count().div_ceil(3).min(2);
    names().filter(|own| few && distance(own, &name) == fewest).collect()
}

/// Letters to add, drop or replace to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
