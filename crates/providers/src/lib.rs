//! The wires: one file per wire format, each implementing the engine's `Model` and nothing more.
//!
//! In reading order:
//! - [`vendor`]: who speaks which format where, as rows of data
//! - [`chat`]: Chat Completions; its request encoder, its pure decoder, its `Model`
//! - [`fail`]: a status, a body or a broken connection as the remedy for it
//! - [`retry`]: trying again
//! - [`body`]: what a response with status 200 turns out to be
//! - [`sse`]: bytes to events
//!
//! A new wire is a module beside [`chat`] that brings an encoder for items and a decoder for
//! events. Everything below [`chat`] in the list above knows nothing of its format.

pub mod body;
pub mod chat;
pub mod fail;
pub mod retry;
pub mod sse;
pub mod vendor;

pub use chat::{Chat, Limits};
pub use vendor::{Endpoint, Quirks, Vendor};
