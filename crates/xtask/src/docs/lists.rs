//! Tables written from the lists that the program itself is made of, and from the last figures.

use std::path::Path;

use anyhow::{Context, Result};
use purlin::Code;
use purlin_providers::vendor::{VENDORS, Vendor};
use purlin_tui::commands;

use super::table;
use crate::bench::{self, Figures};
use crate::source;

/// How people call a vendor, and a model to show it with.
const KNOWN_AS: &[(&str, &str, &str)] = &[
    ("openai", "OpenAI", "gpt-5.5"),
    ("openrouter", "OpenRouter", "deepseek/deepseek-chat"),
    ("moonshot", "Kimi (Moonshot)", "kimi-k2.6"),
    ("deepseek", "DeepSeek", "deepseek-chat"),
    ("zai", "GLM (Z.ai)", "glm-5"),
    ("dashscope", "Qwen (DashScope)", "qwen3-max"),
    ("ollama", "Ollama", "qwen3-coder"),
    ("lmstudio", "LM Studio", "qwen3-coder"),
    ("llama.cpp", "llama.cpp", "qwen3-coder"),
    ("vllm", "vLLM", "qwen3-coder"),
];

/// What can be typed after a slash.
pub(super) fn commands() -> String {
    let row = |it: &commands::SlashCommand| [format!("`{it}`"), it.doc.to_owned()];
    table(["command", "what it does"], commands::all().iter().map(row))
}

/// How the program may end, in a line.
pub(super) fn exit_codes() -> String {
    let code = |(code, what): &(Code, &str)| format!("**{}** {what}", *code as u8);
    Code::ALL.iter().map(code).collect::<Vec<_>>().join(", ")
}

/// Who can be asked, and how.
pub(super) fn providers() -> Result<String> {
    let rows: Vec<_> = VENDORS.iter().map(provider).collect::<Result<_>>()?;
    Ok(table(["provider", "address", "key", "for example"], rows.into_iter()))
}

fn provider(vendor: &Vendor) -> Result<[String; 4]> {
    let known = KNOWN_AS.iter().find(|(name, ..)| *name == vendor.name);
    let (_, name, model) = known.with_context(|| format!("`{}` has no example", vendor.name))?;
    let (key, set) = match vendor.key_var {
        Some(key) => (format!("`{key}`"), format!("{key}=sk-… ")),
        None => ("none".to_owned(), String::new()),
    };
    let example = format!("`{set}purlin -m {model}`");
    Ok([(*name).to_owned(), format!("`{}`", vendor.base_url), key, example])
}

/// The last figures, with their date.
pub(super) fn figures(root: &Path) -> Result<String> {
    let text = source::read(root, bench::FILE)?;
    let Figures { date, machine, figures } = read(&text)?;
    let rows = table(["figure", "goal", "measured", "beside"], figures.iter().map(|it| it.row()));
    Ok(format!("\n\nMeasured on {date} ({machine}):{rows}"))
}

/// One of them; none when nothing of that name was measured.
pub(super) fn figure(root: &Path, what: &str) -> Result<Option<String>> {
    let text = source::read(root, bench::FILE)?;
    let found = read(&text)?.figures.into_iter().find(|it| it.what == what);
    Ok(found.map(|it| it.value()))
}

fn read(text: &str) -> Result<Figures<'_>> {
    serde_json::from_str(text).with_context(|| format!("reading {}", bench::FILE))
}
