//! The stripped release binary.

use std::fs;

use anyhow::{Context, Result};

use super::figure::Figure;
use super::stand::Stand;

pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure<'static>>> {
    let bytes = fs::metadata(&stand.purlin).context("looking at the release binary")?.len();
    let measured = bytes as f64 / 1e6;
    Ok(vec![Figure::new("stripped binary", 6.0, measured, "MB")])
}
