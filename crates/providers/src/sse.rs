//! Server-sent events: bytes in, in pieces of any size; events out.

use std::fmt;

/// The most one line and one event may hold. A server that sends more is broken or hostile.
pub const LIMIT: usize = 16 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field, empty when there was none.
    pub name: String,
    /// The `data` lines, joined by line feeds. Invalid UTF-8 became U+FFFD.
    pub data: String,
}

/// A line or an event grew over [`LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "an event of more than {} MB", LIMIT >> 20)
    }
}

/// Joins bytes into lines and lines into events. Every byte is looked at once.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The last byte was CR: a LF right after it belongs to the same line end.
    after_cr: bool,
    /// The first line has been seen; only it can begin with a byte-order mark.
    begun: bool,
    name: Vec<u8>,
    data: Option<Vec<u8>>,
}

impl Parser {
    /// Takes some bytes and appends the events that they complete to `events`.
    ///
    /// # Errors
    /// When a line or an event is too long; the parser is of no use after that.
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLong> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            self.grow(&bytes[..end.unwrap_or(bytes.len())])?;
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            events.extend(self.end_line());
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// The last event, where the blank line that should follow it never came. The standard drops
    /// it; gateways do end their streams so, and half an event fails as JSON anyway.
    pub fn finish(mut self) -> Option<Event> {
        self.end_line().or_else(|| self.end_event())
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if held + bytes.len() > LIMIT {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(BOM) {
            line.drain(..BOM.len());
        }
        let event = if line.is_empty() { self.end_event() } else { self.field(&line) };
        // The buffer's room serves the next line.
        line.clear();
        self.line = line;
        event
    }

    /// Comments, `id`, `retry` and fields we do not know mean nothing here.
    fn field(&mut self, line: &[u8]) -> Option<Event> {
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => self.add_data(value),
            b"event" => self.name = value.to_vec(),
            _ => (),
        }
        None
    }

    fn add_data(&mut self, value: &[u8]) {
        match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            None => self.data = Some(value.to_vec()),
        }
    }

    fn end_event(&mut self) -> Option<Event> {
        let name = text(std::mem::take(&mut self.name));
        let data = text(self.data.take()?);
        Some(Event { name, data })
    }
}

/// Decoded only when all bytes are there, so that a character split over pieces survives.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
