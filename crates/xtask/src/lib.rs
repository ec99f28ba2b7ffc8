//! What the repository checks and writes about itself: `ci`, `tidy`, `docs`, `bench`.
//!
//! Read [`rooms`] for the plan of the house, [`tidy`] for its rules, [`docs`] for what README may
//! not say by hand, [`bench`](mod@bench) for the figures.

pub mod bench;
pub mod cargo;
pub mod ci;
pub mod docs;
pub mod rooms;
pub mod source;
pub mod tidy;

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask <task>

  ci     fmt, clippy, docs build, tidy, no aws-lc: all that must pass besides the tests
  tidy   the house rules, and the sizes of every crate and every file over the usual
  docs   rewrite the generated regions of README.md
  bench  build the release binary, measure it, keep the figures in figures.json
";

/// Runs one task in the repository at `root`; what it has to say goes to `out`.
pub fn run(task: &str, root: &Path, out: &mut dyn Write) -> Result<()> {
    match task {
        "ci" => ci::run(root, out),
        "tidy" => tidy::run(root, out),
        "docs" => docs::run(root, out),
        "bench" => bench::run(root, out),
        "" | "help" | "-h" | "--help" => Ok(out.write_all(USAGE.as_bytes())?),
        unknown => bail!("no task `{unknown}`\n\n{USAGE}"),
    }
}
