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

pub use figure::{Figure, median, table};

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use stand::Stand;

type Bench = fn(&Stand) -> Result<Vec<Figure>>;

/// One file each: add the file, its `mod`, its line here.
const BENCHES: &[Bench] = &[
    size::measure,
    cold_start::measure,
    memory::measure,
    rounds::measure,
    parallel::measure,
    early_read::measure,
];

/// Builds what is measured, measures it, prints the table.
pub fn run(root: &Path, out: &mut dyn Write) -> Result<()> {
    let stand = Stand::build(root)?;
    let mut figures = Vec::new();
    for measure in BENCHES {
        figures.extend(measure(&stand)?);
    }
    Ok(write!(out, "{}", table(&figures))?)
}
