//! Where everything is measured: the release binary, a bare client, and a folder to run them in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use purlin_testkit::Server;
use tempfile::TempDir;

use crate::cargo;

/// The programs under measurement.
pub(super) struct Stand {
    /// The release binary.
    pub(super) purlin: PathBuf,
    /// A program that does the same request and nothing else.
    pub(super) bare: PathBuf,
    folder: TempDir,
}

impl Stand {
    /// Builds both programs.
    pub(super) fn build(root: &Path) -> Result<Self> {
        cargo::succeed(cargo::command(root, &["build", "--release", "-p", "purlin", "-j2"]))?;
        let folder = tempfile::tempdir().context("making a folder to measure in")?;
        let bare = folder.path().join("bare_client");
        let mut rustc = Command::new("rustc");
        // By hand, because cargo would first build all that xtask itself depends on.
        rustc.args(["--edition", "2024", "-C", "opt-level=s", "-C", "strip=symbols", "-o"]);
        rustc.arg(&bare).arg(root.join("crates/xtask/examples/bare_client.rs"));
        if !rustc.status().context("starting rustc")?.success() {
            bail!("the bare client does not build");
        }
        fs::create_dir(folder.path().join("project")).context("making the project")?;
        Ok(Self { purlin: cargo::target(root).join("release/purlin"), bare, folder })
    }

    /// The folder that purlin works in.
    pub(super) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// A file outside the project, for what a bench hands to a program.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A one-shot run against the server, in an environment where nothing else is set.
    pub(super) fn one_shot(&self, server: &Server) -> Command {
        let mut command = Command::new(&self.purlin);
        command.args(["-p", "go", "--yes", "--model", "scripted", "--api-key", "none"]);
        command.args(["--base-url", &server.url()]).current_dir(self.project());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// Runs a program to its end; says when it was started.
pub(super) fn run(command: &mut Command) -> Result<Instant> {
    let (started, mut child) = start(command)?;
    let status = child.wait().context("waiting for a measured program")?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(started)
}

/// Starts a program; says when.
pub(super) fn start(command: &mut Command) -> Result<(Instant, Child)> {
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    Ok((started, child))
}

/// A span in milliseconds; what never happened is not a number.
pub(super) fn millis(span: Option<Duration>) -> f64 {
    span.map_or(f64::NAN, |span| span.as_secs_f64() * 1000.0)
}
