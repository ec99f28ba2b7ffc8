//! A strict reader of command lines: what it can prove only looks, everything else is a command
//! line like any other.
//!
//! It knows a few commands, joined by `;` or `&&`, made of words in which every byte means itself.
//! It proves by knowing little: there is no quoting, no expansion and no redirection to get wrong.

use std::path::{Path, PathBuf};

use purlin_engine::effect::{CommandLine, Effect};
use purlin_engine::tool::resolve;

/// Commands that only look, whatever their options.
const LOOKING: &[&str] = &["echo", "sleep", "true", "pwd", "ls", "cat", "head"];

/// Those of them that open what their arguments name.
const OPENING: &[&str] = &["ls", "cat", "head"];

/// Files there answer to being opened or read: a watchdog starts to bark, a message is gone.
const ALIVE: &[&str] = &["/dev", "/proc", "/sys"];

/// What this command line would touch when it is run in `cwd`. One that only looks reads the whole
/// project (the folder `root`), and beside it the paths outside that it names.
pub fn read(text: &str, root: &Path, cwd: &Path) -> Effect {
    simple(text)
        .and_then(|commands| looks_at(&commands, root, cwd))
        .map_or_else(|| unproved(text, cwd), Effect::reads)
}

fn unproved(text: &str, cwd: &Path) -> Effect {
    Effect::Exec(CommandLine { text: text.to_owned(), cwd: cwd.to_path_buf(), proved: false })
}

fn looks_at(commands: &[Vec<&str>], root: &Path, cwd: &Path) -> Option<Vec<PathBuf>> {
    if !commands.iter().all(|command| only_looks(command)) {
        return None;
    }
    let mut paths = vec![root.to_path_buf()];
    // An option counts as a path too: it names nothing outside the project.
    let opening = commands.iter().filter(|command| OPENING.contains(&command[0]));
    let named = opening.flat_map(|command| &command[1..]).map(|word| cwd.join(word));
    for path in std::iter::once(cwd.to_path_buf()).chain(named).map(|path| resolve(&path)) {
        if is_alive(&path) {
            return None;
        }
        if !paths.iter().any(|known| path.starts_with(known)) {
            paths.push(path);
        }
    }
    Some(paths)
}

/// Would it notice that it is read? So do pipes and sockets, wherever they are.
fn is_alive(path: &Path) -> bool {
    let inert = |kind: std::fs::FileType| kind.is_file() || kind.is_dir();
    ALIVE.iter().any(|alive| path.starts_with(alive))
        || path.metadata().is_ok_and(|there| !inert(there.file_type()))
}

fn only_looks(command: &[&str]) -> bool {
    match command {
        // Any other argument may set the clock.
        ["date", format] => format.starts_with('+'),
        [name, ..] => LOOKING.contains(name),
        [] => false,
    }
}

/// The words of commands joined by `;` or `&&`, if all of them mean exactly what is written.
pub fn simple(text: &str) -> Option<Vec<Vec<&str>>> {
    let text = text.trim_matches([' ', '\t', '\n']);
    let text = text.strip_suffix(';').unwrap_or(text);
    text.split("&&").flat_map(|part| part.split(';')).map(words).collect()
}

/// The words of one command. A separator in the wrong place leaves an empty command or a byte that
/// is not safe, and both are refused.
fn words(command: &str) -> Option<Vec<&str>> {
    let words: Vec<_> = command.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    let literal = words.iter().all(|word| word.bytes().all(safe));
    // An equals sign in the first word would make it an assignment.
    let named = words.first().is_some_and(|name| !name.contains('='));
    (literal && named).then_some(words)
}

/// Bytes that mean themselves in every shell, anywhere in a word that is not the first.
fn safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./,:+@%=".contains(&byte)
}
