//! Putting files in place: all of them or none, each by a rename, so that nobody ever sees half a
//! file.
//!
//! Everything here is synchronous on purpose. A tool calls it in one poll of its future, never on
//! a pool thread: dropping the call then comes before all of it or after all of it.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, XattrFlags, access, fsetxattr, getxattr, listxattr};
use tempfile::{Builder, NamedTempFile, TempPath};

use crate::file::{Stamp, owned, refusal};

/// The most bytes of one extended attribute that are carried over.
const ATTRIBUTE: usize = 64 * 1024;

/// One file to change.
#[derive(Debug)]
pub(crate) struct Act {
    /// Resolved: no symlink is followed any more.
    pub(crate) path: PathBuf,
    /// How messages name it.
    pub(crate) shown: String,
    /// What was there when the change was worked out; nothing where there was no file.
    pub(crate) was: Option<Stamp>,
    /// What shall be there; nothing to delete it.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// An act whose bytes are on disk under another name.
struct Staged<'a> {
    act: &'a Act,
    new: Option<NamedTempFile>,
}

/// An act that is done, and what undoes it.
struct Done<'a> {
    act: &'a Act,
    old: Option<TempPath>,
}

/// Does all the acts, or none. On success says what could not be kept as it was.
pub(crate) fn commit(acts: &[Act]) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    let mut staged = Vec::new();
    for act in acts {
        staged.push(stage(act, &mut notes).map_err(|why| roll_back(Vec::new(), why))?);
    }
    let mut done: Vec<Done<'_>> = Vec::new();
    for Staged { act, new } in staged {
        match publish(act, new, acts.len() > 1) {
            Ok(old) => done.push(Done { act, old }),
            Err(why) => return Err(roll_back(done, why)),
        }
    }
    for folder in acts.iter().filter_map(|act| act.path.parent()) {
        // The names are in place; that they survive a power cut is worth asking for, not failing.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(notes)
}

/// Whether a file may be replaced. A rename needs no permission on the file itself, so it is asked
/// for here: a file that says read-only stays as it is.
pub(crate) fn writable(path: &Path, shown: &str) -> Result<(), String> {
    let meta = path.metadata().map_err(|error| refusal(&error, path, shown))?;
    if meta.mode() & 0o222 == 0 || access(path, Access::WRITE_OK).is_err() {
        let about = owned(&meta);
        return Err(format!("{shown} is read-only{about}; ask before changing its mode"));
    }
    Ok(())
}

/// What a path names now, not following a link that came to be there meanwhile.
fn present(path: &Path) -> io::Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn unchanged(act: &Act) -> Result<Option<Metadata>, String> {
    let now = present(&act.path).map_err(|error| refusal(&error, &act.path, &act.shown))?;
    if now.as_ref().map(Stamp::of) == act.was {
        return Ok(now);
    }
    Err(format!("{} was changed by somebody else just now; read it again", act.shown))
}

fn stage<'a>(act: &'a Act, notes: &mut Vec<String>) -> Result<Staged<'a>, String> {
    let old = unchanged(act)?;
    let Some(bytes) = &act.bytes else { return Ok(Staged { act, new: None }) };
    if let Some(old) = &old
        && old.nlink() > 1
    {
        let (shown, links) = (&act.shown, old.nlink());
        notes.push(format!("[{shown} had {links} hard links; the others keep the old text]"));
    }
    match write(&act.path, bytes, old.as_ref()) {
        Ok(new) => Ok(Staged { act, new: Some(new) }),
        Err(error) => {
            let folder = act.path.parent().unwrap_or(&act.path);
            let about = folder.metadata().map(|meta| owned(&meta)).unwrap_or_default();
            Err(format!(
                "{} could not be written: {error}; its folder is {}{about}",
                act.shown,
                folder.display()
            ))
        }
    }
}

/// The new bytes in a file of their own beside the old one, with the old one's mode, owner and
/// attributes as far as we may give them.
fn write(path: &Path, bytes: &[u8], old: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    // The kernel takes the person's umask from this mode.
    let fresh = Permissions::from_mode(0o666);
    let mut new = Builder::new().prefix(".purlin-").permissions(fresh).tempfile_in(folder)?;
    new.write_all(bytes)?;
    if let Some(old) = old {
        let now = new.as_file().metadata()?;
        if (old.uid(), old.gid()) != (now.uid(), now.gid()) {
            // Only root may give a file away; the mode below must come after, as this clears bits.
            let _ = fchown(new.as_file(), Some(old.uid()), Some(old.gid()));
        }
        copy_attributes(path, new.as_file());
        new.as_file().set_permissions(old.permissions())?;
    }
    new.as_file().sync_all()?;
    Ok(new)
}

/// Carries extended attributes over. Some file systems have none and some attributes are not ours
/// to set; what cannot be carried is left.
fn copy_attributes(from: &Path, to: &File) {
    let mut names = vec![0_u8; ATTRIBUTE];
    let Ok(length) = listxattr(from, &mut names[..]) else { return };
    let mut value = vec![0_u8; ATTRIBUTE];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if let Ok(length) = getxattr(from, name, &mut value[..]) {
            let _ = fsetxattr(to.as_fd(), name, &value[..length], XattrFlags::empty());
        }
    }
}

/// Puts the staged file in place. With `several`, the old file stays reachable under another name
/// until all are in place.
fn publish(
    act: &Act,
    new: Option<NamedTempFile>,
    several: bool,
) -> Result<Option<TempPath>, String> {
    let old = unchanged(act)?;
    let failed = |error: io::Error| format!("{} could not be replaced: {error}", act.shown);
    let folder = act.path.parent().unwrap_or(&act.path);
    let kept = match old {
        Some(_) if several => {
            let link = |path: &Path| fs::hard_link(&act.path, path);
            let kept = Builder::new().prefix(".purlin-").make_in(folder, link).map_err(failed)?;
            Some(kept.into_temp_path())
        }
        Some(_) | None => None,
    };
    match new {
        Some(new) if act.was.is_none() => {
            new.persist_noclobber(&act.path).map_err(|error| failed(error.error))?;
        }
        Some(new) => {
            new.persist(&act.path).map_err(|error| failed(error.error))?;
        }
        None if act.was.is_none() => (),
        None => fs::remove_file(&act.path).map_err(failed)?,
    }
    Ok(kept)
}

/// Puts back what was already done, newest first.
fn roll_back(done: Vec<Done<'_>>, why: String) -> String {
    let mut stuck = Vec::new();
    for Done { act, old } in done.into_iter().rev() {
        let back = match old {
            Some(old) => old.persist(&act.path).map_err(|error| error.error),
            None => fs::remove_file(&act.path),
        };
        if back.is_err() {
            stuck.push(act.shown.clone());
        }
    }
    if stuck.is_empty() {
        return format!("{why}; nothing was changed");
    }
    format!("{why}; these are changed already and could not be put back: {}", stuck.join(", "))
}
