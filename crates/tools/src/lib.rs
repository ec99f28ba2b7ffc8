//! The tools: one file each, its description for the model beside it as Markdown.

/// Runs a command in the shell.
pub mod bash;
