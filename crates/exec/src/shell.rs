//! A shell that is asked where it ended up, instead of being second-guessed from its command line:
//! true after a failure, `exit`, `cd -`, `pushd`, a loop.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// Evaluates `$2` and writes the directory it ends in to the file `$1`.
///
/// The directory is told twice: at the end, and by a trap for commands that `exit`. The first
/// serves commands that set a trap of their own, which replaces ours. Both are silent under
/// `set -x`, keep the exit status, and overwrite under `set -C`.
const SCRIPT: &str = r#"__purlin_file=$1 __purlin_command=$2
set --
__purlin_tell() {
  __purlin_status=$?
  command pwd -P >|"$__purlin_file" || :
  return $__purlin_status
}
trap '{ __purlin_tell; } 2>/dev/null' EXIT
eval "$__purlin_command"
{ __purlin_tell; } 2>/dev/null"#;

/// A shell on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    path: PathBuf,
}

impl Shell {
    /// The first bash in these folders (the value of a `PATH` variable), else `/bin/sh`. Folders
    /// relative to wherever we are do not count.
    pub fn find(path: &OsStr) -> Shell {
        let found = path
            .as_bytes()
            .split(|byte| *byte == b':')
            .map(|folder| Path::new(OsStr::from_bytes(folder)).join("bash"))
            .find(|file| file.is_absolute() && file.is_file());
        Shell { path: found.unwrap_or_else(|| PathBuf::from("/bin/sh")) }
    }

    /// The shell in this file.
    pub fn at(path: impl Into<PathBuf>) -> Shell {
        Shell { path: path.into() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name, as a person would say it: `bash`, `sh`.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(OsStr::to_str).unwrap_or("sh")
    }

    /// The arguments that run `command` and leave the directory it ends in in the file `told`.
    pub fn argv(&self, command: &str, told: &Path) -> Vec<OsString> {
        let name = OsString::from(self.name());
        let script = OsString::from(SCRIPT);
        vec![self.path.clone().into(), "-c".into(), script, name, told.into(), command.into()]
    }

    /// The directory in such a file's bytes. Nothing, when the shell was replaced (`exec`) or
    /// killed before it could tell, or no longer had one.
    pub fn told(bytes: &[u8]) -> Option<PathBuf> {
        let path = bytes.strip_suffix(b"\n")?;
        path.starts_with(b"/").then(|| OsString::from_vec(path.to_vec()).into())
    }
}
