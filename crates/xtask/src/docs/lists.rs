//! Tables written from the lists that the program itself is made of, and from the last figures.

use std::path::Path;

use anyhow::{Context, Result};
use purlin::Code;
use purlin_providers::vendor::{VENDORS, Vendor};
use purlin_tui::commands;

use super::table;
use crate::bench::{self, Figures};
use crate::source;

/// How people call a vendor, and arguments to show it with.
const KNOWN_AS: &[(&str, &str, &str)] = &[
    ("openai", "OpenAI", "-m gpt-5.5"),
    ("openrouter", "OpenRouter", "-m deepseek/deepseek-chat"),
    ("moonshot", "Kimi (Moonshot)", "-m kimi-k2.6"),
    ("deepseek", "DeepSeek", "-m deepseek-chat"),
    ("zai", "GLM (Z.ai)", "-m glm-4.7"),
    ("dashscope", "Qwen (DashScope)", "-m qwen3-max"),
    ("ollama", "Ollama", "-m qwen3-coder"),
    ("lmstudio", "LM Studio", ""),
    ("llama.cpp", "llama.cpp", ""),
    ("vllm", "vLLM", ""),
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
    let (_, name, args) = known.with_context(|| format!("`{}` has no example", vendor.name))?;
    let (key, set) = match vendor.key_var {
        Some(key) => (format!("`{key}`"), format!("{key}=sk-… ")),
        None => ("none".to_owned(), String::new()),
    };
    let example = format!("{set}purlin {args}");
    let cells =
        [*name, &format!("`{}`", vendor.base_url), &key, &format!("`{}`", example.trim_end())];
    Ok(cells.map(str::to_owned))
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
