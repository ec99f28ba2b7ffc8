//! What a response with status 200 turns out to be, told by its first bytes.
//!
//! Servers label streams as JSON, JSON as streams, and proxies answer with pages of their own; so
//! the content type is a hint and the bytes decide.

use crate::sse::{self, Event, TooLong};

/// How much of a page is kept: enough for the words that say who answered.
const PAGE: usize = 4 << 10;

/// Field names and the comment sign; a stream begins with one of them.
const FIELDS: [&[u8]; 5] = [b":", b"data:", b"event:", b"id:", b"retry:"];

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A body that is being read.
#[derive(Debug)]
pub struct Body {
    labelled: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Too little has come to tell.
    Unknown(Vec<u8>),
    Stream(sse::Parser),
    Json(Vec<u8>),
    Page(Vec<u8>),
}

/// What there is at the end of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// A stream's last event, where its blank line was missing.
    Event(Option<Event>),
    /// One JSON document instead of a stream.
    Json(String),
    /// The beginning of something that is neither.
    Page(String),
}

impl Body {
    /// A body of which nothing has come yet.
    pub fn new(content_type: &str) -> Self {
        let labelled = content_type.to_ascii_lowercase().contains("event-stream");
        Self { labelled, kind: Kind::Unknown(Vec::new()) }
    }

    /// Takes some bytes; events go to `events` as they complete.
    ///
    /// # Errors
    /// When an event or a document is too long.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLong> {
        match &mut self.kind {
            Kind::Stream(parser) => parser.push(bytes, events),
            Kind::Json(held) if held.len() + bytes.len() > sse::LIMIT => Err(TooLong),
            Kind::Json(held) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
            Kind::Page(held) => {
                held.extend_from_slice(&bytes[..bytes.len().min(PAGE - held.len())]);
                Ok(())
            }
            Kind::Unknown(held) => {
                held.extend_from_slice(bytes);
                let Some(mut kind) = recognise(held, self.labelled) else { return Ok(()) };
                std::mem::swap(&mut self.kind, &mut kind);
                match kind {
                    Kind::Unknown(held) => self.push(&held, events),
                    Kind::Stream(_) | Kind::Json(_) | Kind::Page(_) => Ok(()),
                }
            }
        }
    }

    /// What there is at the end.
    pub fn finish(self) -> Rest {
        match self.kind {
            Kind::Stream(parser) => Rest::Event(parser.finish()),
            Kind::Json(held) => Rest::Json(String::from_utf8_lossy(&held).into_owned()),
            // A body without a word is a stream that broke before it began.
            Kind::Unknown(held) if held.trim_ascii().is_empty() => Rest::Event(None),
            Kind::Page(held) | Kind::Unknown(held) => {
                Rest::Page(String::from_utf8_lossy(&held).into_owned())
            }
        }
    }
}

/// The kind of a body that begins so, once that can be told.
fn recognise(held: &[u8], labelled: bool) -> Option<Kind> {
    if held.len() < BOM.len() && BOM.starts_with(held) {
        return None;
    }
    let begun = held.strip_prefix(BOM).unwrap_or(held).trim_ascii_start();
    let Some(first) = begun.first() else {
        // Blank lines are a legal way to keep a stream open; so many are nothing else.
        return (held.len() > PAGE).then(|| Kind::Stream(sse::Parser::default()));
    };
    match first {
        b'{' | b'[' => Some(Kind::Json(Vec::new())),
        b'<' => Some(Kind::Page(Vec::new())),
        _ if labelled => Some(Kind::Stream(sse::Parser::default())),
        _ if FIELDS.iter().any(|field| begun.starts_with(field)) => {
            Some(Kind::Stream(sse::Parser::default()))
        }
        _ if FIELDS.iter().any(|field| field.starts_with(begun)) => None,
        _ => Some(Kind::Page(Vec::new())),
    }
}
