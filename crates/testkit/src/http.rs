//! Reading HTTP/1.1 requests: as much of the protocol as a client under test may use.

use std::io::{self, BufRead, Read};
use std::time::Instant;

/// More than any request of ours, so that a runaway client fails instead of filling memory.
const BODY_LIMIT: u64 = 256 << 20;
const LINE_LIMIT: u64 = 64 << 10;
const HEADER_LIMIT: usize = 200;

/// The start of a request.
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) at: Instant,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// Whether the client waits for a word from us before it sends the body.
    pub(crate) fn expects_continue(&self) -> bool {
        self.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// Whether the client goes after this response.
    pub(crate) fn last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

pub(crate) fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
    headers.iter().find(named).map(|(_, value)| value.as_str())
}

/// Reads up to the blank line; nothing when the client left between requests.
pub(crate) fn read_head(from: &mut impl BufRead) -> io::Result<Option<Head>> {
    if from.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let start = read_line(from)?;
    let mut words = start.split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1")) = (words.next(), words.next(), words.next())
    else {
        return Err(malformed(format!("request line {start:?}")));
    };
    let (method, path) = (method.to_owned(), origin_form(path).to_owned());
    let headers = read_headers(from)?;
    Ok(Some(Head { method, path, headers, at: Instant::now() }))
}

/// The path alone: through a proxy a client asks for the whole address.
fn origin_form(target: &str) -> &str {
    let path = target.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or(target)
}

/// Reads the body that a head announces.
pub(crate) fn read_body(head: &Head, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    match (head.header("transfer-encoding"), head.header("content-length")) {
        (Some(_), Some(_)) => Err(malformed("both a length and a transfer encoding")),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => read_chunks(from),
        (Some(coding), None) => Err(malformed(format!("transfer encoding {coding:?}"))),
        (None, Some(length)) => {
            let length = length.parse().map_err(|_| malformed(format!("length {length:?}")))?;
            let mut body = Vec::new();
            read_exactly(from, length, &mut body)?;
            Ok(body)
        }
        (None, None) => Ok(Vec::new()),
    }
}

fn read_headers(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| malformed(format!("header {line:?}")))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
        if headers.len() > HEADER_LIMIT {
            return Err(malformed("too many headers"));
        }
    }
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16)
            .map_err(|_| malformed(format!("chunk size {line:?}")))?;
        if size == 0 {
            read_headers(from)?;
            return Ok(body);
        }
        read_exactly(from, size, &mut body)?;
        if !read_line(from)?.is_empty() {
            return Err(malformed("a chunk longer than its size"));
        }
    }
}

fn read_exactly(from: &mut impl BufRead, size: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if size.saturating_add(body.len() as u64) > BODY_LIMIT {
        return Err(malformed("a body over the limit"));
    }
    let read = from.take(size).read_to_end(body)? as u64;
    if read < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(LINE_LIMIT).read_until(b'\n', &mut line)?;
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(malformed("a line without CRLF"));
    };
    String::from_utf8(line.to_vec()).map_err(malformed)
}

fn malformed(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
