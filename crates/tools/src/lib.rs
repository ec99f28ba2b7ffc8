//! The tools: one file each, its description for the model beside it as Markdown.

/// Runs a command in the shell.
pub mod bash;
mod commit;
mod diff;
mod file;
pub mod keeper;
pub mod seen;
pub mod store;
mod text;
