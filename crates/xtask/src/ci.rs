//! All that must pass besides the tests, cheapest first.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{cargo, tidy};

const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "-j2", "--", "-D", "warnings"];

/// Runs every check and stops at the first that fails.
pub fn run(root: &Path, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "ci: fmt")?;
    cargo::succeed(cargo::command(root, &["fmt", "--all", "--check"]))?;
    writeln!(out, "ci: no aws-lc")?;
    refuse_aws_lc(root)?;
    writeln!(out, "ci: clippy")?;
    cargo::succeed(cargo::command(root, CLIPPY))?;
    writeln!(out, "ci: docs")?;
    let mut docs = cargo::command(root, &["doc", "--workspace", "--no-deps", "-j2"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    cargo::succeed(docs)?;
    writeln!(out, "ci: tidy")?;
    tidy::run(root, out)
}

/// Its first handshake gathers entropy for 31 ms, six times our whole start; one default feature of
/// any crate brings it back through feature unification, and nothing else would notice.
fn refuse_aws_lc(root: &Path) -> Result<()> {
    let args = ["tree", "--workspace", "--target", "all", "-i", "aws-lc-sys"];
    let output = cargo::command(root, &args).output().context("starting cargo tree")?;
    let tree = String::from_utf8_lossy(&output.stdout);
    // A crate the lock file does not know is an error to `cargo tree`, and just what we want.
    if tree.contains("aws-lc-sys") {
        bail!("aws-lc-sys is in the dependency tree; find who asks for it here:\n{tree}");
    }
    let known = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && !known.contains("did not match any packages") {
        bail!("cargo tree failed: {}", known.trim());
    }
    Ok(())
}
