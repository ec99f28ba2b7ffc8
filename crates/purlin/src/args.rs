//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A coding agent for the terminal: reads, edits and runs code in your project.
#[derive(Parser, Debug)]
#[command(name = "purlin", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Something other than a conversation.
    #[command(subcommand)]
    pub command: Option<Sub>,
    /// One turn, then exit; `-` reads the prompt from stdin
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: Option<String>,
    /// The model's name at its server
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,
    /// The address of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The key for that server; better kept in an environment variable
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,
    /// Run without asking; a few catastrophes are refused even so
    #[arg(long)]
    pub yes: bool,
    /// Go on with a session, by id or name; without one, list them
    #[arg(short, long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub resume: Option<String>,
    /// Go on with the last session of this folder
    #[arg(short = 'c', long = "continue", conflicts_with = "resume")]
    pub go_on: bool,
    /// Calls to the model in one turn, at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_turns: u32,
    /// US dollars that the session may cost
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub max_cost: Option<f64>,
    /// What one-shot mode writes to stdout
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub output_format: Format,
    /// Work in this folder
    #[arg(short = 'C', long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// Say on stderr which server and model are used, and what each call costs
    #[arg(short, long)]
    pub verbose: bool,
}

/// What else the program does.
#[derive(Subcommand, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sub {
    /// Watch a scripted model find and fix a bug in a real little project: offline, no key
    Demo,
}

/// What one-shot mode writes to stdout.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The answer
    #[default]
    Text,
    /// One JSON object with the answer, how it ended and what it cost
    Json,
    /// Everything that happens, as it happens, one JSON object a line
    StreamJson,
}

fn dollars(text: &str) -> Result<f64, String> {
    match text.trim_start_matches('$').parse::<f64>() {
        Ok(dollars) if dollars > 0.0 && dollars.is_finite() => Ok(dollars),
        Ok(_) | Err(_) => Err("must be an amount above zero, such as 0.50".to_owned()),
    }
}
