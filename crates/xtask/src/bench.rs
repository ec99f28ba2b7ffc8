//! The figures we promise, measured on the release binary, most of them as ratios within one run.
//!
//! A shared machine makes milliseconds unreliable, so whatever can be is set beside something
//! measured in the same minute: a bare client program, an earlier round, the sleep itself.

mod cold_start;
mod early_read;
mod figure;
mod memory;
mod parallel;
mod rounds;
mod size;
mod stand;

pub use figure::{Figure, Figures, median, table};

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use stand::Stand;

/// Where the figures of the last run are kept; README's are read from it.
pub const FILE: &str = "figures.json";

type Bench = fn(&Stand) -> Result<Vec<Figure<'static>>>;

/// One file each: add the file, its `mod`, its line here.
const BENCHES: &[Bench] = &[
    size::measure,
    cold_start::measure,
    memory::measure,
    rounds::measure,
    parallel::measure,
    early_read::measure,
];

/// Builds what is measured, measures it, prints the table and keeps it.
pub fn run(root: &Path, out: &mut dyn Write) -> Result<()> {
    let stand = Stand::build(root)?;
    let mut figures = Vec::new();
    for measure in BENCHES {
        figures.extend(measure(&stand)?);
    }
    write!(out, "{}", table(&figures))?;
    let date = Command::new("date").args(["-u", "+%F"]).output().context("asking for the date")?;
    let date = String::from_utf8_lossy(&date.stdout);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let machine = format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH);
    let figures = Figures { date: date.trim(), machine: &machine, figures };
    let text = serde_json::to_string_pretty(&figures).context("writing the figures")?;
    fs::write(root.join(FILE), text + "\n").with_context(|| format!("writing {FILE}"))
}
