//! Bytes as text and back: encodings, byte order marks and line ends, none of them ever lost.
//!
//! Nothing here decodes with replacement characters: what cannot go back as it came is refused.

use encoding_rs::WINDOWS_1252;

/// A file's text, with what is needed to turn it into the same bytes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Without the byte order mark; line ends as they are in the file.
    pub(crate) body: String,
    pub(crate) encoding: Encoding,
    /// Whether a byte order mark came first.
    pub(crate) bom: bool,
}

/// How bytes stand for characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    /// Latin-1 as the web reads it. Every byte has a character and every such character its byte,
    /// so that text in some other one-byte encoding looks wrong but survives.
    Latin1,
    Utf16Le,
    Utf16Be,
}

/// How lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Lf,
    CrLf,
    /// The only line end in the file is a lone carriage return.
    Cr,
    Mixed,
}

impl Encoding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "Latin-1 (windows-1252)",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        }
    }
}

impl Ends {
    /// The line end itself; where they are mixed, the plain one.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Lf | Self::Mixed => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
        }
    }

    /// How the lines of `body` end.
    pub(crate) fn of(body: &str) -> Self {
        let pairs = body.matches("\r\n").count();
        let feeds = body.matches('\n').count();
        match (feeds, pairs) {
            (0, _) if body.contains('\r') => Self::Cr,
            (_, 0) => Self::Lf,
            (feeds, pairs) if feeds == pairs => Self::CrLf,
            _ => Self::Mixed,
        }
    }
}

impl Text {
    /// New text: UTF-8 without a mark.
    pub(crate) fn new(body: String) -> Self {
        Self { body, encoding: Encoding::Utf8, bom: false }
    }

    /// Reads bytes as text; says why where they are not. Callers have looked for binary contents
    /// before: any bytes without a mark are Latin-1 when they are nothing else.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
            return utf16(rest, Encoding::Utf16Le);
        }
        if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
            return utf16(rest, Encoding::Utf16Be);
        }
        let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
        if let Ok(body) = std::str::from_utf8(marked.unwrap_or(bytes)) {
            let (body, bom) = (body.to_owned(), marked.is_some());
            return Ok(Self { body, encoding: Encoding::Utf8, bom });
        }
        let (body, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        Ok(Self { body: body.into_owned(), encoding: Encoding::Latin1, bom: false })
    }

    /// The bytes of `body` in this text's encoding, mark included.
    ///
    /// The error names the character that the encoding does not have.
    pub(crate) fn encode(&self, body: &str) -> Result<Vec<u8>, String> {
        match self.encoding {
            Encoding::Utf8 => {
                let mark: &[u8] = if self.bom { b"\xef\xbb\xbf" } else { b"" };
                Ok([mark, body.as_bytes()].concat())
            }
            Encoding::Latin1 => latin1(body),
            Encoding::Utf16Le => Ok(units(body).flat_map(u16::to_le_bytes).collect()),
            Encoding::Utf16Be => Ok(units(body).flat_map(u16::to_be_bytes).collect()),
        }
    }

    /// What is unusual about the file, for a footer; nothing where nothing is.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        match (self.encoding, self.bom) {
            (Encoding::Utf8, false) => (),
            (Encoding::Utf8, true) => remarks.push("UTF-8 with a byte order mark".to_owned()),
            (encoding, _) => remarks.push(format!("encoding {}", encoding.name())),
        }
        let ends = Ends::of(&self.body);
        if !self.body.is_empty() && !self.body.ends_with(['\n', '\r']) {
            remarks.push("no newline at the end".to_owned());
        }
        match ends {
            Ends::Lf => (),
            Ends::CrLf => remarks.push("line ends are CRLF".to_owned()),
            Ends::Cr => remarks.push("line ends are lone CR".to_owned()),
            Ends::Mixed => remarks.push("line ends are mixed, CRLF and LF".to_owned()),
        }
        remarks
    }
}

fn utf16(bytes: &[u8], encoding: Encoding) -> Result<Text, String> {
    let unit = |pair: &[u8; 2]| match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(*pair),
        Encoding::Utf16Le | Encoding::Utf8 | Encoding::Latin1 => u16::from_le_bytes(*pair),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let decoded: Result<String, _> = char::decode_utf16(pairs.iter().map(unit)).collect();
    match decoded {
        Ok(body) if rest.is_empty() => Ok(Text { body, encoding, bom: true }),
        Ok(_) | Err(_) => Err(format!("starts like {} but is damaged", encoding.name())),
    }
}

/// UTF-16 is recognised by its mark alone, so the mark is always written.
fn units(body: &str) -> impl Iterator<Item = u16> {
    std::iter::once(0xfeff).chain(body.encode_utf16())
}

fn latin1(body: &str) -> Result<Vec<u8>, String> {
    let (bytes, _, missing) = WINDOWS_1252.encode(body);
    if !missing {
        return Ok(bytes.into_owned());
    }
    let lacks = |char: &char| WINDOWS_1252.encode(char.encode_utf8(&mut [0; 4])).2;
    let lacking = body.chars().find(lacks).unwrap_or(char::REPLACEMENT_CHARACTER);
    Err(format!("the file is {}, which has no {lacking:?}", Encoding::Latin1.name()))
}

/// The lines of a text, without their ends. Only `\n` ends a line, as for grep and editors;
/// a carriage return does so only where it is the file's one line end.
pub(crate) fn lines(body: &str) -> impl Iterator<Item = &str> {
    let end = if Ends::of(body) == Ends::Cr { '\r' } else { '\n' };
    body.split_inclusive(end).map(move |line| {
        let line = line.strip_suffix(end).unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line)
    })
}

/// `text` within `limit` characters, and how many were cut.
pub(crate) fn clip(text: &str, limit: usize) -> (&str, usize) {
    match text.char_indices().nth(limit) {
        None => (text, 0),
        Some((at, _)) => (&text[..at], text[at..].chars().count()),
    }
}

/// A count with its noun: `1 line`, `2 lines`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if noun.ends_with("ch") { "es" } else { "s" };
    format!("{number} {noun}{}", if number == 1 { "" } else { plural })
}

/// A size in bytes as a person reads it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes.saturating_mul(10) / unit;
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}
