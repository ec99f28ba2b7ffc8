//! Opening what a path names without being held up by it, and saying what it is when it is not
//! text.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::{seen, text};

/// The largest file that is read as a whole: edited, decoded, remembered by its content.
pub(crate) const WHOLE: u64 = 10 * 1024 * 1024;

/// How much of a file tells whether it is text.
const SAMPLE: usize = 8192;

/// What a path turned out to name.
pub(crate) enum Opened {
    Regular(File, Metadata),
    Folder,
}

/// A whole file.
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    /// As the descriptor said, to be compared before the file is replaced.
    pub(crate) stamp: Stamp,
}

/// Tells whether a file was replaced or written to since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Whole {
    /// The hash that says which content was seen.
    pub(crate) fn hash(&self) -> String {
        seen::hash(&self.bytes)
    }
}

impl Stamp {
    pub(crate) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.len(),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// Opens a regular file for reading, or finds a folder. Anything else is refused by name: a pipe
/// or a device may never end, so it is not even waited for.
pub(crate) fn open(path: &Path, shown: &str) -> Result<Opened, String> {
    let meta = path.metadata().map_err(|error| refusal(&error, path, shown))?;
    if meta.is_dir() {
        return Ok(Opened::Folder);
    }
    regular(&meta, shown)?;
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
        .map_err(|error| refusal(&error, path, shown))?;
    // Asked again of the descriptor: the name may have come to mean something else meanwhile.
    let meta = file.metadata().map_err(|error| refusal(&error, path, shown))?;
    regular(&meta, shown)?;
    Ok(Opened::Regular(file, meta))
}

/// The whole of a text-sized file.
pub(crate) fn whole(path: &Path, shown: &str) -> Result<Whole, String> {
    let Opened::Regular(file, meta) = open(path, shown)? else {
        return Err(format!("{shown} is a folder"));
    };
    match read(file, &meta).map_err(|error| refusal(&error, path, shown))? {
        Some(whole) => Ok(whole),
        None => Err(format!(
            "{shown} is too large ({}; the limit is {}): use a command such as sed or a script",
            text::size(meta.len()),
            text::size(WHOLE)
        )),
    }
}

/// The whole of an open file, or nothing where it is too large. The size it reports is not
/// trusted: files of the kernel report none.
pub(crate) fn read(file: File, meta: &Metadata) -> io::Result<Option<Whole>> {
    if meta.len() > WHOLE {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(WHOLE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > WHOLE {
        return Ok(None);
    }
    Ok(Some(Whole { bytes, stamp: Stamp::of(meta) }))
}

fn regular(meta: &Metadata, shown: &str) -> Result<(), String> {
    let kind = meta.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_fifo() {
        "a named pipe (FIFO)"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_block_device() {
        "a block device"
    } else {
        "not a regular file"
    };
    Err(format!("{shown} is {what}, not a file; nothing was read or written"))
}

/// Why a file could not be opened, with what to try.
pub(crate) fn refusal(error: &io::Error, path: &Path, shown: &str) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return missing(path, shown);
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        let about = path.metadata().map(|meta| owned(&meta)).unwrap_or_default();
        return format!("permission denied: {shown}{about}");
    }
    format!("{shown}: {error}")
}

/// Mode and owner, in brackets.
pub(crate) fn owned(meta: &Metadata) -> String {
    format!(" (mode {:o}, owner uid {})", meta.mode() & 0o7777, meta.uid())
}

/// Says that a file is not there and which names come near.
fn missing(path: &Path, shown: &str) -> String {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return format!("{shown} does not exist");
    };
    let Ok(entries) = folder.read_dir() else {
        return format!("{shown} does not exist, nor does its folder");
    };
    let name = name.to_string_lossy().to_lowercase();
    let mut near: Vec<(usize, String)> = entries
        .flatten()
        .take(5000)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .map(|other| (distance(&name, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= name.len() / 3 + 1)
        .collect();
    near.sort();
    let near: Vec<_> = near.into_iter().take(3).map(|(_, name)| name).collect();
    if near.is_empty() {
        return format!("{shown} does not exist; find it with glob");
    }
    format!("{shown} does not exist; in its folder there is: {}", near.join(", "))
}

/// How many letters must change to turn one name into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let swapped = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = swapped.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// What the beginning of a file says it is, where that is not text.
pub(crate) fn binary(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 24] = [
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF87a", "a GIF picture"),
        (b"GIF89a", "a GIF picture"),
        (b"%PDF-", "a PDF document"),
        (b"\x7fELF", "an ELF program or library"),
        (b"PK\x03\x04", "a ZIP archive (or a document made of one)"),
        (b"\x1f\x8b", "gzip data"),
        (b"BZh", "bzip2 data"),
        (b"\xfd7zXZ\0", "xz data"),
        (b"\x28\xb5\x2f\xfd", "zstd data"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\0asm", "a WebAssembly module"),
        (b"\xca\xfe\xba\xbe", "a Java class or Mach-O program"),
        (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
        (b"\xfe\xed\xfa\xcf", "a Mach-O program"),
        (b"MZ", "a Windows program"),
        (b"OggS", "Ogg sound or video"),
        (b"ID3", "MP3 sound"),
        (b"fLaC", "FLAC sound"),
        (b"wOFF", "a web font"),
        (b"wOF2", "a web font"),
        (b"!<arch>\n", "a static library"),
    ];
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if sample.starts_with(b"\xff\xfe") || sample.starts_with(b"\xfe\xff") {
        return None;
    }
    let odd = sample.iter().filter(|byte| matches!(byte, 0..=6 | 14..=26 | 28..=31)).count();
    let nul = sample.contains(&0);
    // Three plain letters may well begin a text.
    let telling = |magic: &[u8]| nul || magic.len() > 3 || !magic.is_ascii();
    let known = MAGIC.iter().find(|(magic, _)| sample.starts_with(magic) && telling(magic));
    match known {
        Some((_, what)) => Some(what),
        None if sample.starts_with(b"RIFF") && sample.get(8..12) == Some(b"WEBP") => {
            Some("a WebP picture")
        }
        None if nul || odd * 10 > sample.len() => Some("binary data"),
        None => None,
    }
}
