//! The most memory a one-shot run ever holds.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use purlin_testkit::Server;

use super::cold_start::{bare_client, greeting};
use super::figure::{Figure, median};
use super::stand::{Stand, start};

const RUNS: usize = 7;

/// After the cold start, whose kept request the bare client sends again.
pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure<'static>>> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(peak(|server| stand.one_shot(server))?);
        bare.push(peak(|server| bare_client(stand, server))?);
    }
    let figure = Figure::new("peak memory, one-shot", 12.0, median(ours), "MB");
    Ok(vec![figure.beside("a bare client", median(bare))])
}

/// The kernel's own high-water mark, read until the process is gone: it only ever rises, and a
/// finished process no longer shows it.
fn peak(program: impl Fn(&Server) -> Command) -> Result<f64> {
    let server = Server::start(greeting())?;
    let (_, mut child) = start(&mut program(&server))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = f64::NAN;
    while child.try_wait()?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        peak = high_water(&text).unwrap_or(peak);
        thread::sleep(Duration::from_micros(200));
    }
    Ok(peak)
}

/// `VmHWM:   1234 kB` in megabytes.
fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
