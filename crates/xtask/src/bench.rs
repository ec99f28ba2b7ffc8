//! bench placeholder
use anyhow::Result;
use std::io::Write;
use std::path::Path;
/// x
pub fn run(_root: &Path, _out: &mut dyn Write) -> Result<()> {
    Ok(())
}
