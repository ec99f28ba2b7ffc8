//! The stripped release binary.

use std::fs;

use anyhow::{Context, Result};

use super::figure::Figure;
use super::stand::Stand;

pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure>> {
    let bytes = fs::metadata(&stand.purlin).context("looking at the release binary")?.len();
    let measured = bytes as f64 / 1e6;
    Ok(vec![Figure { what: "stripped binary", goal: 6.0, measured, unit: "MB", beside: None }])
}
