//! A folder to run things in, and the one place that touches the interface.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use purlin_exec::{Bounds, Finished, Shell, Spec, StartError, run};
use tempfile::TempDir;

pub struct World {
    pub root: PathBuf,
    pub told: PathBuf,
    _kept: (TempDir, TempDir),
}

pub fn world() -> World {
    let (root, side) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = root.path().canonicalize().unwrap();
    std::fs::create_dir_all(path.join("sub/deep")).unwrap();
    World { root: path, told: side.path().join("told"), _kept: (root, side) }
}

impl World {
    /// A shell command in this folder, with a minute to end in.
    pub fn spec(&self, command: &str) -> Spec {
        let shell = Shell::find(std::ffi::OsStr::new("/usr/local/bin:/usr/bin:/bin"));
        Spec {
            argv: shell.argv(command, &self.told),
            cwd: self.root.clone(),
            env: vec![(OsString::from("PATH"), OsString::from("/usr/local/bin:/usr/bin:/bin"))],
            deadline: Duration::from_secs(60),
            bounds: Bounds::default(),
        }
    }

    pub async fn run(&self, command: &str) -> Finished {
        finish(self.spec(command)).await.unwrap()
    }

    /// Where the shell says it ended, seen from the root.
    pub fn moved_to(&self) -> Option<String> {
        let path = Shell::told(&std::fs::read(&self.told).ok()?)?;
        Some(path.strip_prefix(&self.root).unwrap().to_str().unwrap().to_owned())
    }
}

pub async fn finish(spec: Spec) -> Result<Finished, StartError> {
    run(spec, |_| ()).await
}

pub fn said(finished: &Finished) -> String {
    assert_eq!(finished.output.missing(), None);
    let bytes = [&finished.output.head[..], &finished.output.tail[..]].concat();
    String::from_utf8(bytes).unwrap()
}

/// Waits until something is so, a few seconds at most.
pub async fn until(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(10), "still waiting until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The process numbers in a file, one a line.
pub fn numbers(file: &Path) -> Vec<i32> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Is there such a process, and is it more than a zombie of somebody else's?
pub fn lives(number: i32) -> bool {
    let pid = rustix::process::Pid::from_raw(number).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    rustix::process::test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}
