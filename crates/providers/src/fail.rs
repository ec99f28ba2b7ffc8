//! What went wrong, as what to do about it: a status, an error inside a stream, a page from a
//! proxy, a connection that broke.
//!
//! Servers agree on little here, so that words are looked for where codes are missing. The tables
//! of words hold lower case, each taken from what some server really says.

use std::error::Error;
use std::time::{Duration, SystemTime};

use purlin_engine::model::ModelError;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde_json::Value;

use crate::vendor::is_loopback;

mod date;

/// The most of a server's words that is passed on.
const WORDS: usize = 600;

/// Servers say it in as many ways as there are servers.
const OVERFLOW: [&str; 17] = [
    "context_length_exceeded",
    "context length",
    "context window",
    "context_window",
    "context size",
    "exceed_context_size",
    "exceed context limit",
    "maximum prompt length",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "model token limit",
    "input token count",
    "reduce the length of the messages",
    "range of input length should be",
    "too many input tokens",
    "larger than the context",
];

const QUOTA: [&str; 15] = [
    "insufficient_quota",
    "quota_exceeded",
    "exceeded_current_quota",
    "exceeded your current quota",
    "insufficient balance",
    "insufficient_balance",
    "insufficient credits",
    "credit balance",
    "out of credits",
    "plan and billing",
    "billing_hard_limit",
    "spend limit",
    "usage_limit",
    "payment required",
    "arrearage",
];

const AUTH: [&str; 6] = [
    "authentication",
    "invalid_api_key",
    "incorrect api key",
    "permission_denied",
    "permission_error",
    "unauthorized",
];

const REFUSED: [&str; 8] = [
    "invalid_request",
    "invalid request",
    "not_found",
    "not found",
    "does not exist",
    "unsupported",
    "not supported",
    "badrequest",
];

/// A response with another status than 200.
pub fn status(status: StatusCode, headers: &HeaderMap, body: &str, url: &Url) -> ModelError {
    let complaint = Complaint::read(body);
    let why = format!("{} answered {}: {}", place(url), named(status), complaint.words);
    match status.as_u16() {
        407 => ModelError::Refused(format!(
            "the proxy wants to be logged in to before {} can be reached; \
             put user and password into HTTPS_PROXY",
            host(url)
        )),
        300..400 => ModelError::Refused(redirected(status, headers, url)),
        402 => ModelError::Quota { why, until: None },
        // A rate may be counted in tokens and its message speak of length: only the code counts.
        429 if complaint.code.contains("context_length_exceeded") => ModelError::Overflow,
        429 | 403 if complaint.speaks_of(&QUOTA) => {
            ModelError::Quota { why, until: wait(headers).and_then(|wait| wait.until) }
        }
        401 | 403 => ModelError::Auth(why),
        429 => ModelError::Transient { why, wait: wait(headers).map(|wait| wait.time) },
        413 => ModelError::Overflow,
        _ if complaint.speaks_of(&OVERFLOW) => ModelError::Overflow,
        400 if complaint.speaks_of(&QUOTA) => ModelError::Quota { why, until: None },
        501 | 505 => ModelError::Refused(why),
        408 | 409 | 425 | 500.. => {
            ModelError::Transient { why, wait: wait(headers).map(|wait| wait.time) }
        }
        _ => ModelError::Refused(why),
    }
}

/// An error inside a response with status 200: by its own kind, as if that were the status.
pub fn said(error: &Value) -> ModelError {
    let complaint = Complaint::of(error);
    let why = format!("the provider reported an error: {}", complaint.words);
    let status = complaint.code.split(' ').find_map(|code| code.parse::<u16>().ok());
    let transient = ModelError::Transient { why: why.clone(), wait: None };
    match status {
        Some(401 | 403) => return ModelError::Auth(why),
        Some(402) => return ModelError::Quota { why, until: None },
        Some(429) if !complaint.speaks_of(&QUOTA) => return transient,
        Some(413) => return ModelError::Overflow,
        Some(_) | None => (),
    }
    if complaint.speaks_of(&OVERFLOW) {
        return ModelError::Overflow;
    }
    if complaint.speaks_of(&QUOTA) {
        return ModelError::Quota { why, until: None };
    }
    if complaint.speaks_of(&AUTH) {
        return ModelError::Auth(why);
    }
    match status {
        Some(408 | 409 | 425 | 500 | 502..=504 | 506..=599) => transient,
        Some(400..=599) => ModelError::Refused(why),
        Some(_) | None if complaint.speaks_of(&REFUSED) => ModelError::Refused(why),
        Some(_) | None => transient,
    }
}

/// Neither a stream nor JSON, with status 200.
pub fn page(content_type: &str, body: &str, url: &Url) -> ModelError {
    let markup = body.trim_start_matches('\u{feff}').trim_ascii_start().starts_with('<');
    let kind = match content_type {
        // The label is as wrong as the answer.
        labelled if markup && !labelled.contains("html") => "a web page",
        "" => "no content type",
        labelled => labelled,
    };
    ModelError::Refused(format!(
        "a proxy answered: {kind} {:?} from {}",
        first_words(&stripped(body), 120),
        host(url)
    ))
}

/// An event that is not JSON.
pub fn unreadable(data: &str, error: &serde_json::Error) -> ModelError {
    let why = format!("unreadable event in the stream ({error}): {}", first_words(data, 120));
    ModelError::Transient { why, wait: None }
}

/// No response, or one that broke off.
pub fn broken(error: &reqwest::Error, url: &Url) -> ModelError {
    let causes = causes(error);
    let lower = causes.to_lowercase();
    let speaks = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let host = host(url);
    if speaks(&["proxy auth", "407"]) && error.is_connect() {
        return ModelError::Refused(format!(
            "the proxy wants to be logged in to before {host} can be reached; \
             put user and password into HTTPS_PROXY"
        ));
    }
    if speaks(&["certificate", "unknownissuer", "received fatal alert", "invalid peer"]) {
        return ModelError::Refused(format!(
            "no trusted connection to {host}: {causes}; if your network has a certificate \
             authority of its own, name its file in SSL_CERT_FILE"
        ));
    }
    if speaks(&["dns error", "failed to lookup", "name resolution"]) {
        return ModelError::Refused(format!("cannot find the host {host}: {causes}"));
    }
    if error.is_connect() && speaks(&["connection refused"]) && is_loopback(url) {
        return ModelError::Refused(format!(
            "nothing listens at {}; is the server running?",
            place(url)
        ));
    }
    if error.is_builder() || error.is_redirect() {
        return ModelError::Refused(format!("cannot ask {host}: {causes}"));
    }
    ModelError::Transient { why: format!("the connection to {host} broke: {causes}"), wait: None }
}

/// What a server complains about.
struct Complaint {
    /// For people.
    words: String,
    /// Codes and types, in lower case.
    code: String,
}

impl Complaint {
    fn read(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => Self::of(&value),
            Err(_) => Self { words: first_words(&stripped(body), WORDS), code: String::new() },
        }
    }

    /// `{"error": {…}}`, `{"error": "…"}`, the error itself, a list of one of these, `detail`.
    fn of(value: &Value) -> Self {
        if let Some(first) = value.get(0) {
            return Self::of(first);
        }
        if let Some(inner) = value.get("error").filter(|error| !error.is_null()) {
            return Self::of(inner);
        }
        let messages = [value, &value["message"], &value["detail"], &value["msg"]];
        let words = messages.into_iter().find_map(Value::as_str).map(str::to_owned);
        let words = words.unwrap_or_else(|| value.to_string());
        let code = |code: &Value| match code {
            Value::String(code) => code.to_lowercase(),
            Value::Number(code) => code.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        let code = [code(&value["code"]), code(&value["type"]), code(&value["status"])].join(" ");
        Self { words: first_words(&words, WORDS), code }
    }

    fn speaks_of(&self, table: &[&str]) -> bool {
        let words = self.words.to_lowercase();
        table.iter().any(|known| words.contains(known) || self.code.contains(known))
    }
}

/// How long a server asks us to wait.
struct Wait {
    time: Duration,
    /// The moment, where the server names one.
    until: Option<SystemTime>,
}

/// A date is compared with the server's own clock: ours may be wrong.
fn wait(headers: &HeaderMap) -> Option<Wait> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    if let Some(millis) = text("retry-after-ms").and_then(seconds) {
        return Some(Wait { time: millis / 1000, until: None });
    }
    let asked = text(RETRY_AFTER.as_str())?;
    if let Some(time) = seconds(asked) {
        return Some(Wait { time, until: None });
    }
    let (until, now) = (date::parse(asked)?, date::parse(text("date")?)?);
    Some(Wait { time: until.duration_since(now).unwrap_or_default(), until: Some(until) })
}

fn redirected(status: StatusCode, headers: &HeaderMap, url: &Url) -> String {
    let to = headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
    format!(
        "{} answered {} and points to {to}; not followed, so that the key stays with its \
         host. If that is the right address, set it as the base URL",
        place(url),
        named(status)
    )
}

/// The number of a status, and its name where it has one.
fn named(status: StatusCode) -> String {
    let name = status.canonical_reason().map(|name| format!(" {name}"));
    format!("{}{}", status.as_str(), name.unwrap_or_default())
}

/// Where a request went, without what a query or user name may hide.
fn place(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), host(url), url.path())
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("an unnamed host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An error's causes, each said once.
fn causes(error: &reqwest::Error) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut cause: Option<&dyn Error> = error.source().or(Some(error));
    while let Some(error) = cause {
        let text = error.to_string();
        // The library's own name for the step says nothing that the causes below it do not.
        let hollow = text.starts_with("client error") && error.source().is_some();
        if !hollow && !told.iter().any(|before| before.contains(&text)) {
            told.push(text);
        }
        cause = error.source();
    }
    told.join(": ")
}

/// The words of a page without its tags, styles and scripts.
fn stripped(page: &str) -> String {
    let mut words = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        words.push_str(before);
        words.push(' ');
        let name = tag.get(..6).unwrap_or(tag).to_ascii_lowercase();
        let end = match name.as_str() {
            "script" => "</script",
            name if name.starts_with("style") => "</style",
            _ => ">",
        };
        rest = tag.split_once(end).map_or("", |(_, rest)| rest);
        rest = if end == ">" { rest } else { rest.strip_prefix('>').unwrap_or(rest) };
    }
    words.push_str(rest);
    words
}

fn first_words(text: &str, most: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}
