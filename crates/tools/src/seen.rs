//! What the model has seen of which file. Kept in the session's state, so that it is journalled,
//! resumed and inherited like everything else there.

use std::path::Path;

use purlin_engine::message::Output;
use purlin_engine::session::State;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Whether a file is as the model saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It never saw it.
    Never,
    /// It saw what is there now.
    Fresh,
    /// It saw something else.
    Stale,
}

/// Remembers with `output` that the model has seen this file, whose whole content has this hash.
/// Any tool may: what counts is that the part in question was shown.
pub fn mark(output: &mut Output, path: &Path, hash: &str) {
    output.state.insert(key(path), Value::from(hash));
}

/// Whether the model saw this file with this content.
pub fn check(state: &State, path: &Path, hash: &str) -> Seen {
    match state.get(&key(path)).and_then(Value::as_str) {
        None => Seen::Never,
        Some(seen) if seen == hash => Seen::Fresh,
        Some(_) => Seen::Stale,
    }
}

/// The hash of a file's whole content as it is remembered: half of a SHA-256, since every line of
/// it is journalled.
pub fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(path: &Path) -> String {
    format!("read:{}", path.display())
}
