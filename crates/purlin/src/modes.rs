//! What the program does: one turn, a conversation, the demo.

mod demo;
mod one_shot;
mod repl;
mod report;
mod screen;

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use crate::args::{Args, Format, Sub};
use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::llm::Llm;
use crate::wire::Which;
use purlin_store::Sessions;

/// Runs the program.
///
/// # Errors
/// With the exit code and one line that says what to do.
pub async fn run(args: Args) -> Result<Code, Fatal> {
    if args.command == Some(Sub::Demo) {
        return demo::demo().await;
    }
    let config = configure(&args)?;
    let which = which(&args, &config)?;
    let prompt = prompt(&args)?;
    if prompt.is_none() && args.output_format != Format::Text {
        return Err(Fatal::new(Code::Usage, "--output-format needs a prompt: purlin -p \"…\""));
    }
    let llm = Llm::find(&config).await?;
    let llm = if args.model.is_some() { llm.insisted() } else { llm };
    // A conversation begins with it anyway.
    if prompt.is_some() && (args.verbose || llm.was_found()) {
        screen::talk(&format!("{}\n", llm.found));
    }
    match prompt {
        Some(prompt) => one_shot::one_shot(&args, &config, &llm, which, prompt).await,
        None => repl::repl(config, llm, which).await,
    }
}

/// Flags over environment.
fn configure(args: &Args) -> Result<Config, Fatal> {
    let mut config = Config::from_env()?;
    if let Some(folder) = &args.cwd {
        config.cwd = folder.clone();
    }
    config.cwd = config.cwd.canonicalize().ok().filter(|cwd| cwd.is_dir()).ok_or_else(|| {
        Fatal::new(Code::Usage, format!("there is no folder {}", config.cwd.display()))
    })?;
    config.base_url = args.base_url.clone().or(config.base_url);
    config.api_key = args.api_key.clone().or(config.api_key);
    config.model = args.model.clone().or(config.model);
    config.yes = args.yes;
    config.max_turns = args.max_turns;
    config.max_cost = args.max_cost;
    Ok(config)
}

fn which(args: &Args, config: &Config) -> Result<Which, Fatal> {
    let sessions = Sessions { folder: config.sessions.clone() };
    if args.go_on {
        let last = sessions.last_in(&config.cwd).map(Which::Old);
        let why = format!("no session was begun in {}", config.cwd.display());
        return last.ok_or_else(|| Fatal::new(Code::Usage, why));
    }
    match args.resume.as_deref() {
        None => Ok(Which::New),
        Some("") => choose(&sessions),
        Some(id) => Ok(Which::Old(sessions.find(id)?)),
    }
}

/// `-r` alone: shows the sessions there are, and takes a number where somebody can type one.
fn choose(sessions: &Sessions) -> Result<Which, Fatal> {
    let listed = screen::listed(sessions);
    if listed.is_empty() {
        return Err(Fatal::new(Code::Usage, "there is no session yet"));
    }
    screen::talk(&screen::numbered(&listed));
    let nothing = || Fatal::new(Code::Usage, "name a session: purlin -r ID");
    if !std::io::stdin().is_terminal() {
        return Err(nothing());
    }
    screen::talk("which? ");
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    let number = line.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let chosen = number.and_then(|index| listed.get(index)).map(|listed| listed.id.clone());
    let said = chosen.unwrap_or_else(|| line.trim().to_owned());
    if said.is_empty() { Err(nothing()) } else { Ok(Which::Old(sessions.find(&said)?)) }
}

fn prompt(args: &Args) -> Result<Option<String>, Fatal> {
    let Some(prompt) = &args.prompt else { return Ok(None) };
    if prompt != "-" {
        let empty = prompt.trim().is_empty();
        let why = Fatal::new(Code::Usage, "the prompt is empty");
        return if empty { Err(why) } else { Ok(Some(prompt.clone())) };
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|why| Fatal::new(Code::Usage, format!("reading the prompt from stdin: {why}")))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if text.trim().is_empty() {
        return Err(Fatal::new(Code::Usage, "the prompt on stdin is empty"));
    }
    Ok(Some(text))
}

/// The journal of a session by its id.
fn journal(config: &Config, id: &str) -> PathBuf {
    Sessions { folder: config.sessions.clone() }.journal(id)
}
