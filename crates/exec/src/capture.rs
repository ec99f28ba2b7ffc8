//! What is kept of a program's output: the first bytes and the last in memory, all of it in a file
//! as soon as the first are full. Memory is the same for 10 GB as for 100 KB.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// How much output is kept, and where.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes kept from the beginning. Output longer than this is also written to `spill`.
    pub head: usize,
    /// Bytes kept from the end.
    pub tail: usize,
    /// The file for the whole output, made only when it is needed. Its folder must exist.
    pub spill: Option<PathBuf>,
    /// Bytes written to `spill` at most; what follows is only counted.
    pub cap: u64,
}

impl Default for Bounds {
    /// 16 KB from the beginning, 48 KB from the end, 64 MB on disk, but no file to put them in.
    fn default() -> Self {
        Bounds { head: 16_000, tail: 48_000, spill: None, cap: 64 << 20 }
    }
}

/// The output of a program, standard output and standard error in the order written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes.
    pub head: Vec<u8>,
    /// The last bytes; they follow `head` directly when nothing is missing.
    pub tail: Vec<u8>,
    /// Bytes written by the program.
    pub bytes: u64,
    /// Line ends among them.
    pub newlines: u64,
    /// The file that holds the output from its first byte, when there is more than `head`, or when
    /// a program left running goes on writing to it.
    pub whole: Option<PathBuf>,
    /// Bytes in that file when the program ended: fewer than `bytes` if the cap was reached.
    pub whole_bytes: u64,
}

/// What lies between head and tail. The lines include those cut in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Bytes that are in neither.
    pub bytes: u64,
    /// Number of the first line that is not complete in the head, counted from 1.
    pub first_line: u64,
    /// Number of the last line that is not complete in the tail.
    pub last_line: u64,
}

impl Captured {
    /// What is in neither head nor tail; nothing if the two together are everything.
    pub fn missing(&self) -> Option<Missing> {
        let bytes = self.bytes - self.head.len() as u64 - self.tail.len() as u64;
        if bytes == 0 {
            return None;
        }
        let first_line = newlines(&self.head) + 1;
        let last_line = self.newlines - newlines(&self.tail) + 1;
        Some(Missing { bytes, first_line, last_line })
    }
}

/// Output being taken in.
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: u64,
    newlines: u64,
    head_max: usize,
    tail_max: usize,
    spill: Spill,
}

impl Capture {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Capture {
            head: Vec::new(),
            tail: VecDeque::new(),
            bytes: 0,
            newlines: 0,
            head_max: bounds.head,
            tail_max: bounds.tail,
            spill: Spill { path: bounds.spill, file: None, written: 0, cap: bounds.cap },
        }
    }

    pub(crate) fn take(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.newlines += newlines(chunk);
        let (first, rest) = chunk.split_at(chunk.len().min(self.head_max - self.head.len()));
        self.head.extend_from_slice(first);
        if rest.is_empty() {
            return;
        }
        self.spill.begin(&self.head);
        self.spill.write(rest);
        self.push_tail(rest);
    }

    fn push_tail(&mut self, rest: &[u8]) {
        let rest = &rest[rest.len().saturating_sub(self.tail_max)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.tail_max);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Makes the file even for a short output, for somebody who goes on writing.
    pub(crate) fn keep_whole(&mut self) {
        self.spill.begin(&self.head);
    }

    /// What was taken in, and the file for what still may come.
    pub(crate) fn finish(self) -> (Captured, Spill) {
        let Capture { head, tail, bytes, newlines, spill, .. } = self;
        let whole = spill.file.as_ref().and(spill.path.clone());
        let whole_bytes = spill.written;
        (Captured { head, tail: tail.into(), bytes, newlines, whole, whole_bytes }, spill)
    }
}

/// The file for the whole output.
pub(crate) struct Spill {
    path: Option<PathBuf>,
    file: Option<File>,
    written: u64,
    cap: u64,
}

impl Spill {
    /// Makes the file with what came so far. Without a path, or when it cannot be made, `whole`
    /// stays empty: a full disk must not fail the program that runs.
    fn begin(&mut self, so_far: &[u8]) {
        if self.file.is_some() || self.written > 0 {
            return;
        }
        let mut options = File::options();
        // What programs print is nobody else's business.
        options.write(true).create(true).truncate(true).mode(0o600);
        self.file = self.path.as_ref().and_then(|path| options.open(path).ok());
        if self.file.is_none() {
            self.path = None;
        }
        self.write(so_far);
    }

    pub(crate) fn write(&mut self, chunk: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(self.cap - self.written).unwrap_or(usize::MAX);
        let chunk = &chunk[..chunk.len().min(room)];
        if file.write_all(chunk).is_ok() {
            self.written += chunk.len() as u64;
        } else {
            // A file with a hole would be worse than a short one.
            self.cap = self.written;
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
