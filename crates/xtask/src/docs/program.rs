//! What the program says of itself, asked of the program.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cargo;

/// The whole of `purlin --help`.
pub(super) fn help(root: &Path) -> Result<String> {
    let args = ["run", "--quiet", "-j2", "--package", "purlin", "--", "--help"];
    let output = cargo::command(root, &args).output().context("starting purlin --help")?;
    if !output.status.success() {
        bail!("purlin --help failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
