//! Asking cargo: run it, and read the packages of the workspace out of `cargo metadata`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A package of the workspace and what its manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name in the manifest.
    pub name: String,
    /// Every dependency, of every kind.
    pub dependencies: Vec<Dependency>,
}

/// One dependency line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the package depended on.
    pub name: String,
    /// When it is needed.
    pub need: Need,
    /// Where it comes from.
    pub origin: Origin,
    /// The features asked for by name.
    pub features: Vec<String>,
}

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// By the crate itself, or by its build script.
    Always,
    /// By its tests and examples.
    Development,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Another crate of this workspace.
    House,
    /// Somebody else's.
    Guest,
}

/// A cargo command that starts in `root`.
pub fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root);
    // `cargo run` describes xtask in the environment. Build scripts that watch these variables
    // (ring's does) would see a change, and half the tree would be built anew at every turn between
    // `cargo xtask` and plain cargo.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Where cargo puts what it builds.
pub fn target(root: &Path) -> PathBuf {
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Runs a cargo command to its end; failing is an error that names the command.
pub fn succeed(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{} failed ({status})", spoken(&command));
    }
    Ok(())
}

/// The workspace's own packages.
pub fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut command = command(root, &["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output().context("starting cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Reads the answer of `cargo metadata --no-deps`.
pub fn parse(metadata: &str) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata).context("reading cargo metadata")?;
    Ok(array(&metadata, "packages").iter().map(package).collect())
}

fn package(value: &Value) -> Package {
    let dependencies = array(value, "dependencies").iter().map(dependency).collect();
    Package { name: text(value, "name"), dependencies }
}

fn dependency(value: &Value) -> Dependency {
    let need = if value["kind"] == "dev" { Need::Development } else { Need::Always };
    let origin = if value["source"].is_null() { Origin::House } else { Origin::Guest };
    let features = array(value, "features").iter().filter_map(Value::as_str).map(Into::into);
    Dependency { name: text(value, "name"), need, origin, features: features.collect() }
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn spoken(command: &Command) -> String {
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    format!("cargo {}", args.join(" "))
}
