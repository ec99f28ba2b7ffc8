//! A temporary world: a project, and a home with its configuration and state, gone when dropped.
//!
//! Made for tests: what cannot be done here panics and names the path.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::Run;

/// A temporary world.
#[derive(Debug)]
pub struct World {
    root: TempDir,
}

impl World {
    /// A new world with an empty project.
    ///
    /// # Panics
    /// When there is no place for it.
    #[track_caller]
    pub fn new() -> Self {
        let world =
            Self { root: must(TempDir::with_prefix("purlin-world-"), "a temporary folder") };
        for folder in [world.project(), world.home(), world.config(), world.state(), world.cache()]
        {
            must(fs::create_dir_all(&folder), folder.display());
        }
        world
    }

    /// The project's folder.
    pub fn project(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The person's home.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// `XDG_CONFIG_HOME`.
    pub fn config(&self) -> PathBuf {
        self.home().join(".config")
    }

    /// `XDG_STATE_HOME`.
    pub fn state(&self) -> PathBuf {
        self.home().join(".local/state")
    }

    /// `XDG_CACHE_HOME`.
    pub fn cache(&self) -> PathBuf {
        self.home().join(".cache")
    }

    /// A path in the project; an absolute one stays as it is.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.project().join(path)
    }

    /// Writes a file and the folders it needs.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn file(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            must(fs::create_dir_all(parent), parent.display());
        }
        must(fs::write(&path, contents), path.display());
        self
    }

    /// Makes a symbolic link.
    ///
    /// # Panics
    /// When it cannot be made.
    #[track_caller]
    pub fn link(&self, path: impl AsRef<Path>, target: impl AsRef<Path>) -> &Self {
        let path = self.path(path);
        must(symlink(target, &path), path.display());
        self
    }

    /// Sets a file's mode.
    ///
    /// # Panics
    /// When it cannot be set.
    #[track_caller]
    pub fn mode(&self, path: impl AsRef<Path>, mode: u32) -> &Self {
        let path = self.path(path);
        must(fs::set_permissions(&path, fs::Permissions::from_mode(mode)), path.display());
        self
    }

    /// Reads a file.
    ///
    /// # Panics
    /// When it cannot be read.
    #[track_caller]
    pub fn bytes(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(path);
        must(fs::read(&path), path.display())
    }

    /// Reads a file as text.
    ///
    /// # Panics
    /// When it cannot be read or is not UTF-8.
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.path(path);
        must(fs::read_to_string(&path), path.display())
    }

    /// Makes the project a git repository and commits what is there.
    ///
    /// # Panics
    /// When git fails.
    #[track_caller]
    pub fn git(&self) -> &Self {
        let person = ["-c", "user.name=Person", "-c", "user.email=person@example.org"];
        let steps: [&[&str]; 3] = [
            &["init", "--quiet", "--initial-branch=main"],
            &["add", "--all"],
            &["commit", "--quiet", "--allow-empty", "--message=begin"],
        ];
        for step in steps {
            let ran = must(self.run("git").args(person).args(step).finish(), "git");
            assert!(ran.code == Some(0), "git {step:?}: {}", ran.stderr);
        }
        self
    }

    /// Every file, folder and link of the project, a line each: mode, path, and the hash of the
    /// contents or the target. Compare two of them to see what changed.
    ///
    /// # Panics
    /// When something cannot be read.
    #[track_caller]
    pub fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let project = self.project();
        must(list(&project, &project, &mut lines), project.display());
        lines
    }

    /// The hash of [`Self::tree`].
    ///
    /// # Panics
    /// When something cannot be read.
    #[track_caller]
    pub fn tree_hash(&self) -> u64 {
        hash(&self.tree())
    }

    /// A program about to run in the project, with nothing of our own environment.
    pub fn run(&self, program: impl AsRef<Path>) -> Run {
        Run::new(self, program.as_ref())
    }

    /// What a program in this world finds in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("HOME", self.home()),
            ("XDG_CONFIG_HOME", self.config()),
            ("XDG_STATE_HOME", self.state()),
            ("XDG_CACHE_HOME", self.cache()),
            ("XDG_DATA_HOME", self.home().join(".local/share")),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
        ]
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn list(root: &Path, folder: &Path, lines: &mut Vec<String>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let meta = fs::symlink_metadata(&path)?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        let what = if meta.is_symlink() {
            format!("-> {}", fs::read_link(&path)?.display())
        } else if meta.is_file() {
            format!("{:016x}", hash(&fs::read(&path)?))
        } else {
            String::new()
        };
        lines.push(format!("{:o} {name:?} {what}", meta.permissions().mode()));
        if meta.is_dir() {
            list(root, &path, lines)?;
        }
    }
    Ok(())
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[track_caller]
fn must<T>(result: io::Result<T>, what: impl std::fmt::Display) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}
