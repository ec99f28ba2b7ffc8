//! What lies on disk: the journals of sessions, and which there are.
//!
//! In reading order: [`journal`] (a file that survives a power cut), [`sessions`] (their folder,
//! their ids and names).

pub mod journal;
pub mod sessions;

pub use journal::{FORMAT, Header, JournalError, JournalFile};
pub use sessions::{Found, Sessions, SessionsError};
