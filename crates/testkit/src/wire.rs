//! A response byte for byte: what is written, in which writes, when, and how it ends.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::latch::Latch;

/// How often a thread that waits for a test's latch looks whether its server is still there.
const GLANCE: Duration = Duration::from_millis(10);

/// One response on the wire.
#[derive(Clone, Debug)]
pub struct Wire {
    head: Head,
    acts: Vec<Act>,
    ending: Ending,
}

#[derive(Clone, Debug)]
enum Head {
    /// Nothing is added to what is written.
    Verbatim,
    /// A status line and headers; the body is as long as announced.
    Whole { status: u16, headers: Vec<(String, String)> },
    /// A status line and headers; each write is one chunk of the transfer encoding.
    Chunked { status: u16, headers: Vec<(String, String)> },
}

/// What the server does next.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Write these bytes in one write.
    Write(Vec<u8>),
    /// Stay silent for so long.
    Pause(Duration),
    /// Stay silent until the latch opens.
    Wait(Latch),
    /// Open the latch: all that came before is written.
    Reached(Latch),
}

/// How a response ends.
#[derive(Clone, Debug, Default)]
pub(crate) enum Ending {
    /// As announced; the connection may be used again.
    #[default]
    Complete,
    /// The connection is closed where the response stands.
    Cut,
    /// Silence until the client leaves; then the latch opens.
    Stall(Latch),
}

/// What a response leaves of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It can carry another request.
    Reuse,
    /// It is over.
    Close,
}

impl Wire {
    /// Exactly these bytes, then the connection is closed.
    pub fn verbatim(bytes: impl Into<Vec<u8>>) -> Self {
        let wire = Self { head: Head::Verbatim, acts: Vec::new(), ending: Ending::Cut };
        wire.write(bytes)
    }

    /// An event stream with status 200, each write a chunk of its own.
    pub fn stream() -> Self {
        let headers = vec![header("content-type", "text/event-stream")];
        Self {
            head: Head::Chunked { status: 200, headers },
            acts: Vec::new(),
            ending: Ending::Complete,
        }
    }

    /// A response of known length without a body so far.
    pub fn status(status: u16) -> Self {
        Self {
            head: Head::Whole { status, headers: Vec::new() },
            acts: Vec::new(),
            ending: Ending::Complete,
        }
    }

    /// Adds a header; one of the same name that we would send ourselves gives way.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match &mut self.head {
            Head::Verbatim => (),
            Head::Whole { headers, .. } | Head::Chunked { headers, .. } => {
                headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
                headers.push(header(name, value));
            }
        }
        self
    }

    /// Takes a header away.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        match &mut self.head {
            Head::Verbatim => (),
            Head::Whole { headers, .. } | Head::Chunked { headers, .. } => {
                headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
            }
        }
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").write(body.to_string())
    }

    /// Writes bytes in one write; in a stream they are one chunk.
    #[must_use]
    pub fn write(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.act(Act::Write(bytes.into()))
    }

    /// Stays silent for so long.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.act(Act::Pause(time))
    }

    /// Stays silent until the latch opens.
    #[must_use]
    pub fn wait(self, latch: &Latch) -> Self {
        self.act(Act::Wait(latch.clone()))
    }

    /// Opens the latch when all that came before is written.
    #[must_use]
    pub fn reached(self, latch: &Latch) -> Self {
        self.act(Act::Reached(latch.clone()))
    }

    /// Closes the connection where the response stands.
    #[must_use]
    pub fn cut(self) -> Self {
        self.ending(Ending::Cut)
    }

    /// Falls silent where the response stands; when the client has left, the latch opens.
    #[must_use]
    pub fn stall(self, left: &Latch) -> Self {
        self.ending(Ending::Stall(left.clone()))
    }

    pub(crate) fn act(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    pub(crate) fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Plays the response; `stop` ends it where it stands.
    pub(crate) fn play(&self, to: &mut TcpStream, stop: &Latch) -> io::Result<After> {
        let after = self.perform(to, stop);
        if let Ending::Stall(left) = &self.ending {
            // Also when it left before the silence began.
            left.open();
        }
        after
    }

    fn perform(&self, to: &mut TcpStream, stop: &Latch) -> io::Result<After> {
        to.write_all(self.opening().as_bytes())?;
        for act in &self.acts {
            match act {
                Act::Write(bytes) => to.write_all(&self.framed(bytes))?,
                Act::Pause(time) => _ = stop.wait(*time),
                Act::Wait(latch) => while !latch.wait(GLANCE) && !stop.is_open() {},
                Act::Reached(latch) => latch.open(),
            }
            if stop.is_open() {
                return Ok(After::Close);
            }
        }
        self.end(to)
    }

    fn end(&self, to: &mut TcpStream) -> io::Result<After> {
        match (&self.ending, &self.head) {
            (Ending::Complete, Head::Chunked { .. }) => {
                to.write_all(b"0\r\n\r\n")?;
                Ok(After::Reuse)
            }
            (Ending::Complete, Head::Whole { .. }) => Ok(After::Reuse),
            (Ending::Complete, Head::Verbatim) | (Ending::Cut, _) => Ok(After::Close),
            (Ending::Stall(_), _) => {
                while to.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
                Ok(After::Close)
            }
        }
    }

    fn opening(&self) -> String {
        match &self.head {
            Head::Verbatim => String::new(),
            Head::Whole { status, headers } => {
                let size = |act: &Act| match act {
                    Act::Write(bytes) => bytes.len(),
                    Act::Pause(_) | Act::Wait(_) | Act::Reached(_) => 0,
                };
                let length: usize = self.acts.iter().map(size).sum();
                opening(*status, headers, &format!("content-length: {length}"))
            }
            Head::Chunked { status, headers } => {
                opening(*status, headers, "transfer-encoding: chunked")
            }
        }
    }

    fn framed<'a>(&self, bytes: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        match &self.head {
            Head::Verbatim | Head::Whole { .. } => bytes.into(),
            // An empty chunk would end the body.
            Head::Chunked { .. } if bytes.is_empty() => bytes.into(),
            Head::Chunked { .. } => {
                [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat().into()
            }
        }
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn opening(status: u16, headers: &[(String, String)], framing: &str) -> String {
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} {}\r\n{lines}{framing}\r\n\r\n", reason(status))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
