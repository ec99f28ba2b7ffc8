//! A journal as a file: append a line, read lines, survive a torn one.
//!
//! One JSON object a line, append-only, mode 0600, locked by its writer. Line 0 is a header. A
//! line's number is its id, so lines are never removed: what cannot be read still counts.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use purlin_engine::session::Journal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The format this program writes.
pub const FORMAT: u32 = 1;

/// The first line of a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// The format's version.
    pub purlin: u32,
    /// The session's id; also the file's stem.
    pub id: String,
    /// The directory it was begun in.
    pub cwd: PathBuf,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// Why a journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Somebody else writes it.
    #[error("session {0} is open in another purlin; close it there, or begin a new one")]
    Locked(String),
    /// A newer program wrote it.
    #[error("session {id} has format {found}, and this purlin writes {FORMAT}; update purlin")]
    Newer {
        /// The session.
        id: String,
        /// Its format.
        found: u32,
    },
    /// The file could not be read or written.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A journal that is being written.
///
/// While the disk is full, or there is no place to write, lines wait in memory and each append
/// tries again.
pub struct JournalFile {
    path: PathBuf,
    header: Header,
    file: Option<File>,
    /// Bytes known to be whole lines.
    length: u64,
    waiting: Vec<u8>,
}

impl JournalFile {
    /// A new journal. The file is made with the first line, never before.
    pub fn new(path: PathBuf, header: Header) -> Self {
        Self { path, header, file: None, length: 0, waiting: Vec::new() }
    }

    /// Opens a journal to go on with it.
    ///
    /// # Errors
    /// When somebody else writes it, when a newer program wrote it, when it cannot be read.
    pub fn open(path: PathBuf) -> Result<Self, JournalError> {
        let failed = |error| JournalError::Io { path: path.clone(), error };
        let mut file = OpenOptions::new().read(true).append(true).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        let text = read_whole(&mut file).map_err(failed)?;
        let header = header(split(&text).first(), &path)?;
        let waiting = match text.last() {
            None => first_line(&header).map_err(failed)?,
            Some(b'\n') => Vec::new(),
            Some(_) => vec![b'\n'], // what was torn off stays a line of its own
        };
        Ok(Self { header, length: text.len() as u64, waiting, file: Some(file), path })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn write(&mut self) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.make()?,
        };
        let written = file.write_all(&self.waiting);
        if written.is_ok() {
            self.length += self.waiting.len() as u64;
            self.waiting.clear();
        } else {
            // Half a line must not stay: the next try writes it again.
            let _ = file.set_len(self.length);
        }
        self.file = Some(file);
        written
    }

    fn make(&mut self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            make_private_folder(folder)?;
        }
        let file = private().create_new(true).append(true).open(&self.path)?;
        let _ = file.try_lock();
        let mut line = first_line(&self.header)?;
        line.append(&mut self.waiting);
        self.waiting = line;
        Ok(file)
    }
}

impl Journal for JournalFile {
    fn id(&self) -> &str {
        &self.header.id
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn lines(&self) -> io::Result<Vec<String>> {
        if self.file.is_some() { read(&self.path) } else { Ok(Vec::new()) }
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
        self.write()
    }

    fn flush(&self) -> BoxFuture<'static, ()> {
        let file = self.file.as_ref().and_then(|file| file.try_clone().ok());
        Box::pin(async move {
            if let Some(file) = file {
                let _ = tokio::task::spawn_blocking(move || file.sync_data()).await;
            }
        })
    }
}

/// The lines of a journal that is only looked at.
///
/// # Errors
/// What the system said.
pub fn read(path: &Path) -> io::Result<Vec<String>> {
    read_whole(&mut File::open(path)?).map(|text| split(&text))
}

fn read_whole(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    io::Read::read_to_end(file, &mut text)?;
    Ok(text)
}

/// Lines end at LF only. Bytes that are no UTF-8 make their own line unreadable and no other.
fn split(text: &[u8]) -> Vec<String> {
    let whole = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    whole.split(|byte| *byte == b'\n').map(|l| String::from_utf8_lossy(l).into_owned()).collect()
}

fn first_line(header: &Header) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(header)?;
    line.push(b'\n');
    Ok(line)
}

fn header(first: Option<&String>, path: &Path) -> Result<Header, JournalError> {
    let first = first.map(String::as_str).unwrap_or_default();
    let mut header: Header = serde_json::from_str(first).unwrap_or_default();
    if header.id.is_empty() {
        // A damaged header costs what it said, not the session.
        header.id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    if header.purlin > FORMAT {
        return Err(JournalError::Newer { id: header.id, found: header.purlin });
    }
    Ok(header)
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Err(JournalError::Locked(id))
        }
        // A file system that cannot lock is no reason to refuse a session.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
