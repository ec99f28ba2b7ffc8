//! The parameters of a request, and which of them a server turned out not to know.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use crate::vendor::{Endpoint, Limit};

/// What a server complains with when it does not know a parameter. Complaints about a *value* use
/// other words and are none of our business here.
const UNKNOWN: [&str; 13] = [
    "unsupported",
    "not supported",
    "not support",
    "unrecognized",
    "unknown",
    "unexpected",
    "not permitted",
    "not allowed",
    "no such",
    "extra inputs",
    "extra fields",
    "additional properties",
    "invalid parameter",
];

const LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// What has been learned about an endpoint; kept for the life of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Learned {
    rejected: BTreeSet<String>,
}

impl Learned {
    /// The parameters of a request, without what was rejected before.
    pub(super) fn params(&self, to: &Endpoint, max_output: Option<u64>) -> Map<String, Value> {
        let mut params = Map::new();
        params.insert("model".to_owned(), to.model.clone().into());
        params.insert("stream".to_owned(), true.into());
        params.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        if let (Some(limit), Some(field)) = (max_output, self.limit(to.quirks.limit)) {
            params.insert(field.to_owned(), limit.into());
        }
        params.extend(to.quirks.extra.clone());
        params.retain(|name, _| !self.rejected.contains(name));
        params
    }

    /// Learns from an error. True when the next request will differ, so that it is worth making.
    pub(super) fn learn(
        &mut self,
        status: StatusCode,
        body: &str,
        sent: &Map<String, Value>,
    ) -> bool {
        if !matches!(status.as_u16(), 400 | 422) {
            return false;
        }
        let Some(name) = rejected(body, sent) else { return false };
        self.rejected.insert(name.to_owned())
    }

    /// The field that limits the output: the other one when the first was rejected.
    fn limit(&self, first: Limit) -> Option<&'static str> {
        let [short, long] = LIMITS;
        let order = match first {
            Limit::MaxTokens => [short, long],
            Limit::MaxCompletionTokens => [long, short],
        };
        order.into_iter().find(|name| !self.rejected.contains(*name))
    }
}

/// The parameter of ours that an error says is unknown.
fn rejected<'a>(body: &str, sent: &'a Map<String, Value>) -> Option<&'a str> {
    let error = serde_json::from_str::<Value>(body).unwrap_or_default();
    let words = body.to_lowercase();
    if !UNKNOWN.iter().any(|known| words.contains(known)) {
        return None;
    }
    // Without these there is no request: an unknown model is unknown for good.
    let names = sent.keys().filter(|name| !["model", "stream"].contains(&name.as_str()));
    let named = error["error"]["param"].as_str();
    let by_field = names.clone().find(|name| named == Some(name.as_str()));
    by_field.or_else(|| names.clone().find(|name| speaks_of(&words, name))).map(String::as_str)
}

/// Whether a text holds a name as a whole word: `max_tokens` does not stand in `x_max_tokens`.
fn speaks_of(text: &str, name: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(part_of_word) && !text[at + name.len()..].starts_with(part_of_word)
    })
}
