//! What the program says of itself, asked of the program.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::block;
use crate::cargo;

/// What `purlin -h` prints.
pub(super) fn flags(root: &Path) -> Result<String> {
    printed(root, "-h")
}

/// The demo as it ran. A new run that differs only in what no two runs share leaves `old` alone.
pub(super) fn demo(root: &Path, old: &str) -> Result<String> {
    let fresh = block(&placeless(&printed(root, "demo")?));
    Ok(if constant(&fresh) == constant(old) { old.to_owned() } else { fresh })
}

/// Both streams in one pipe, so that they share a page as on a terminal.
fn printed(root: &Path, task: &str) -> Result<String> {
    cargo::succeed(cargo::command(root, &["build", "--quiet", "-p", "purlin", "-j2"]))?;
    let (mut reader, writer) = io::pipe().context("making a pipe")?;
    let mut command = Command::new(cargo::target(root).join("debug/purlin"));
    // The demo's own project builds into its own folder, whatever ours does.
    command.arg(task).env_remove("CARGO_TARGET_DIR");
    command.stdout(writer.try_clone().context("making a pipe")?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("starting purlin {task}"))?;
    drop(command); // and with it our ends of the pipe, which would keep it open
    let mut text = String::new();
    reader.read_to_string(&mut text).with_context(|| format!("reading purlin {task}"))?;
    if !child.wait()?.success() {
        bail!("purlin {task} failed: {text}");
    }
    Ok(text)
}

/// Without the letters that make the demo's folder its own.
fn placeless(text: &str) -> String {
    let place = |word| {
        let is_path = str::contains(word, "/purlin-demo-");
        if is_path { "/tmp/purlin-demo-…/numbers," } else { word }
    };
    text.split(' ').map(place).collect::<Vec<_>>().join(" ")
}

/// The lines that every run has, in whichever order calls side by side end: not what cargo prints,
/// which tells times, nor the marks (↳) of answers that come after another call began.
fn constant(text: &str) -> BTreeSet<&str> {
    let mut from_cargo = false;
    let is_constant = |line: &&str| {
        if line.starts_with("● ") {
            from_cargo = line.starts_with("● cargo ");
        }
        !(line.starts_with("↳ ") || from_cargo && line.starts_with("    "))
    };
    text.lines().filter(is_constant).collect()
}
