//! Which files a command showed, so that they count as read: `cat`, `head`, `tail`, `nl` and
//! `sed -n` of plain words. What is quoted, expanded or piped shows we do not know what.

use std::path::{Path, PathBuf};

/// The files that a command of plain words shows when it runs in this directory.
pub(super) fn files(command: &str, cwd: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for statement in command.split("&&").flat_map(|part| part.split([';', '\n'])) {
        let Some(words) = statement.split_whitespace().map(plain).collect::<Option<Vec<_>>>()
        else {
            break;
        };
        match words.split_first() {
            Some((&"cat" | &"nl", rest)) => files.extend(operands(rest, &[])),
            Some((&"head" | &"tail", rest)) => files.extend(operands(rest, &["-n", "-c"])),
            Some((&"sed", ["-n", _script, rest @ ..])) => files.extend(operands(rest, &[])),
            Some((&"cd" | &"pushd" | &"popd", _)) => break, // from here on they are elsewhere
            Some(_) | None => (),
        }
    }
    files.into_iter().map(|word| cwd.join(word)).collect()
}

/// The operands among words, of which these options take the next word.
fn operands<'a>(words: &[&'a str], with_value: &[&str]) -> Vec<&'a str> {
    let mut words = words.iter();
    let mut operands = Vec::new();
    while let Some(word) = words.next() {
        if with_value.contains(word) {
            words.next();
        } else if !word.starts_with('-') {
            operands.push(*word);
        }
    }
    operands
}

/// A word that the shell takes as it stands, without a pair of single quotes around it.
fn plain(word: &str) -> Option<&str> {
    let inner = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')).unwrap_or(word);
    let safe = |c: char| c.is_alphanumeric() || "_./,:+@%=-".contains(c);
    inner.chars().all(safe).then_some(inner)
}
