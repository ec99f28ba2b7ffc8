//! A window of lines: from a text in memory, or from a file too large for that.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::file::binary;
use crate::text::lines;

/// What one call may show.
const LINES: u64 = 2000;
const BYTES: usize = 50_000;

/// The most characters of a line, and how many of them are its end.
const WIDTH: usize = 2000;
const END: usize = 400;

/// How much of a large file's rest is read only to count its lines.
const COUNTED: u64 = 64 * 1024 * 1024;

/// How many bytes of a line are held in memory: `WIDTH` characters of the widest kind.
const HELD: usize = WIDTH * 4;

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The first line, from 1.
    pub(crate) first: u64,
    /// How many.
    pub(crate) limit: Option<u64>,
}

/// What is left of a call's room.
pub(crate) struct Room {
    lines: u64,
    bytes: usize,
}

/// What was found.
pub(crate) enum Window {
    Lines {
        /// Numbered lines, each with its end.
        text: String,
        /// The first and the last of them; nothing where there are none.
        shown: Option<(u64, u64)>,
        /// How many lines the file has, where they were all counted.
        total: Option<u64>,
    },
    /// Not text.
    Binary(&'static str),
    /// Stopped on the way.
    Stopped,
}

/// A window that is being filled.
struct Filling<'a> {
    asked: &'a Asked,
    room: &'a mut Room,
    taken: u64,
    text: String,
    shown: Option<(u64, u64)>,
    full: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self { lines: LINES, bytes: BYTES }
    }
}

impl Room {
    /// Whether not a single line fits any more.
    pub(crate) fn is_full(&self) -> bool {
        self.lines == 0 || self.bytes < 100
    }
}

impl Filling<'_> {
    fn wants(&self, number: u64) -> bool {
        !self.full && number >= self.asked.first
    }

    /// Adds a line, unless the window is full. `beyond`: characters that were not even held.
    fn add(&mut self, number: u64, line: &str, beyond: u64) {
        let line = narrow(line, beyond);
        let row = format!("{number}\t{line}\n");
        let full = self.room.lines == 0
            || self.asked.limit.is_some_and(|limit| self.taken >= limit)
            || (self.shown.is_some() && row.len() > self.room.bytes);
        if full {
            self.full = true;
            return;
        }
        self.room.lines -= 1;
        self.room.bytes = self.room.bytes.saturating_sub(row.len());
        self.taken += 1;
        self.text.push_str(&row);
        self.shown = Some((self.shown.map_or(number, |(first, _)| first), number));
    }

    fn finish(self, total: Option<u64>) -> Window {
        Window::Lines { text: self.text, shown: self.shown, total }
    }
}

fn filling<'a>(asked: &'a Asked, room: &'a mut Room) -> Filling<'a> {
    Filling { asked, room, taken: 0, text: String::new(), shown: None, full: false }
}

/// A window of a text in memory.
pub(crate) fn near(body: &str, asked: &Asked, room: &mut Room) -> Window {
    let mut window = filling(asked, room);
    let mut total = 0;
    for line in lines(body) {
        total += 1;
        if window.wants(total) {
            window.add(total, line, 0);
        }
    }
    window.finish(Some(total))
}

/// A window of a large file, in constant memory. Lines that are not UTF-8 are shown as Latin-1.
pub(crate) fn far(
    file: File,
    asked: &Asked,
    room: &mut Room,
    stop: &AtomicBool,
) -> io::Result<Window> {
    let mut window = filling(asked, room);
    let mut from = BufReader::with_capacity(1 << 16, file);
    if let Some(kind) = binary(from.fill_buf()?) {
        return Ok(Window::Binary(kind));
    }
    let (mut number, mut line, mut beyond) = (1, Vec::new(), 0);
    let (mut begun, mut uselessly) = (false, 0);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(Window::Stopped);
        }
        let piece = from.fill_buf()?;
        if piece.is_empty() || (window.full && uselessly > COUNTED) {
            break;
        }
        let length = piece.len();
        uselessly += if window.full { length as u64 } else { 0 };
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            begun = true;
            if window.wants(number) {
                let held = part.len().min(HELD.saturating_sub(line.len()));
                line.extend_from_slice(&part[..held]);
                beyond += (part.len() - held) as u64;
            }
            if part.ends_with(b"\n") {
                end_line(&mut window, number, &mut line, &mut beyond);
                (number, begun) = (number + 1, false);
            }
        }
        from.consume(length);
    }
    let ended = from.fill_buf()?.is_empty();
    if begun && ended {
        end_line(&mut window, number, &mut line, &mut beyond);
        number += 1;
    }
    Ok(window.finish(ended.then_some(number - 1)))
}

fn end_line(window: &mut Filling<'_>, number: u64, line: &mut Vec<u8>, beyond: &mut u64) {
    if window.wants(number) {
        let text = readable(line, *beyond > 0);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        window.add(number, text.strip_suffix('\r').unwrap_or(text), *beyond);
    }
    line.clear();
    *beyond = 0;
}

/// Bytes as text. A line that was cut may end inside a character, which is left out.
fn readable(line: &[u8], cut: bool) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(error) if cut && error.error_len().is_none() => {
            String::from_utf8_lossy(&line[..error.valid_up_to()]).into_owned()
        }
        Err(_) => line.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A line within `WIDTH`: its beginning, how much is left out, and its end.
fn narrow(line: &str, beyond: u64) -> String {
    if beyond == 0 && line.len() <= WIDTH {
        return line.to_owned();
    }
    let length = line.chars().count();
    if beyond == 0 && length <= WIDTH {
        return line.to_owned();
    }
    let end = if beyond == 0 { END } else { 0 };
    let head: String = line.chars().take(WIDTH - END).collect();
    let tail: String = line.chars().skip(length - end).collect();
    let cut = (length - (WIDTH - END) - end) as u64 + beyond;
    format!("{head} …[{cut} characters of this line left out]… {tail}")
}
