//! The tools: one file each, its description for the model beside it as Markdown.
//!
//! Below them lies what they share: `file` opens, `text` decodes, `seen` remembers what was read,
//! `replace` edits, `target` checks and answers, `commit` puts in place, `walk` goes through
//! folders. `keeper` undoes, `store` keeps.

/// Runs another agent.
pub mod agent;
/// Runs a command in the shell.
pub mod bash;
mod closest;
mod commit;
mod diff;
/// Replaces pieces of files.
pub mod edit_file;
mod file;
/// Finds files by name.
pub mod glob;
/// Finds lines by what is in them.
pub mod grep;
mod hits;
/// Undo for files.
pub mod keeper;
/// Reads files.
pub mod read_file;
mod replace;
/// What the model has seen of which file.
pub mod seen;
mod spec;
/// Contents under their own hash.
pub mod store;
mod target;
mod text;
mod walk;
mod window;
/// Writes whole files.
pub mod write_file;
