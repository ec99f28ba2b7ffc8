//! What commands see of the environment: all of it but the keys we speak to models with, and set
//! so that nothing waits for a person.

use std::ffi::{OsStr, OsString};

/// Variables that hold a key of a model provider. A command has no use for them, and whoever talks
/// the model into printing them has.
const KEYS: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AZURE_OPENAI_API_KEY",
    "CEREBRAS_API_KEY",
    "COHERE_API_KEY",
    "DASHSCOPE_API_KEY",
    "DEEPSEEK_API_KEY",
    "FIREWORKS_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GROQ_API_KEY",
    "MINIMAX_API_KEY",
    "MISTRAL_API_KEY",
    "MOONSHOT_API_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "PERPLEXITY_API_KEY",
    "PURLIN_API_KEY",
    "TOGETHER_API_KEY",
    "XAI_API_KEY",
    "ZAI_API_KEY",
    "ZHIPU_API_KEY",
];

/// Where our own process stands is no place for a command to go back to with `cd -`.
const PLACES: &[&str] = &["OLDPWD", "PWD"];

/// No pager, no editor, no password prompt, no colours.
const QUIET: &[(&str, &str)] = &[
    ("GIT_EDITOR", "true"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("PAGER", "cat"),
    ("TERM", "dumb"),
];

/// The environment for commands, made from our own.
pub fn environment(
    ours: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let set = |name: &OsStr| QUIET.iter().any(|(quiet, _)| name == *quiet);
    let dropped = |name: &OsStr| KEYS.iter().chain(PLACES).any(|hidden| name == *hidden);
    let kept = ours.into_iter().filter(|(name, _)| !set(name) && !dropped(name));
    let quiet = QUIET.iter().map(|(name, value)| (name.into(), value.into()));
    kept.chain(quiet).collect()
}
