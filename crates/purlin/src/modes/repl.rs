//! A conversation, line by line. The screen's state decides; this performs what it decides.

use std::io::BufRead as _;
use std::time::Duration;

use purlin_engine::desk::Asks;
use purlin_engine::event::Command;
use purlin_tui::page::{Print, Setting};
use purlin_tui::state::{Input, Opened, Reach, State};
use purlin_tui::{Action, update};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{journal, screen};
use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::llm::Llm;
use crate::wire::{Toolset, Which, Wired, wire};
use purlin_store::Sessions;

/// How soon the next line of a paste comes. Nobody types a line that fast.
const AT_ONCE: Duration = Duration::from_millis(50);

pub(super) async fn repl(config: Config, llm: Llm, which: Which) -> Result<Code, Fatal> {
    let (mut open, first) = Open::new(&config, &llm, which)?;
    let mut state = State::new(screen::surroundings(&config));
    state.page = screen::page(&config, Setting::Conversation);
    screen::talk(&format!("purlin {} · {}\n", env!("CARGO_PKG_VERSION"), llm.found));
    let typed = state.page.look.input == Reach::Terminal;
    let mut lines = lines();
    let failed = |why| Fatal::new(Code::Failed, format!("listening for signals: {why}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(failed)?;
    let (mut waiting, mut more) = (vec![Input::Opened(first)], true);
    loop {
        while let Some(input) = waiting.pop() {
            for action in update(&mut state, input) {
                match perform(action, &config, &llm, &mut open).await {
                    Next::Go => (),
                    Next::Input(input) => waiting.insert(0, *input),
                    Next::Quit(code) => {
                        open.close().await;
                        return Ok(code);
                    }
                }
            }
        }
        waiting.push(tokio::select! {
            told = open.wired.events.recv() => match told {
                Some(told) => Input::Told(told),
                None => return Err(Fatal::new(Code::Failed, "the agent is gone")),
            },
            line = lines.recv(), if more => {
                more = line.is_some();
                match line {
                    Some(line) if typed => Input::Line(at_once(line, &mut lines).await),
                    Some(line) => Input::Line(line),
                    None => Input::EndOfInput,
                }
            }
            _ = interrupt.recv() => Input::Interrupt,
            _ = terminate.recv() => { open.close().await; return Ok(Code::Terminated) }
            _ = hang_up.recv() => { open.close().await; return Ok(Code::Terminated) }
        });
    }
}

enum Next {
    Go,
    Input(Box<Input>),
    Quit(Code),
}

impl Next {
    fn input(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}

/// The session that is open.
struct Open {
    wired: Wired,
    running: JoinHandle<()>,
}

impl Open {
    fn new(config: &Config, llm: &Llm, which: Which) -> Result<(Self, Opened), Fatal> {
        let mut wired = wire(config, llm, which, Asks::Person, Toolset::default())?;
        let opened = screen::opened(&wired);
        let agent = std::mem::replace(&mut wired.agent, Box::pin(std::future::ready(())));
        Ok((Self { running: tokio::spawn(agent), wired }, opened))
    }

    /// Ends the session: what runs is interrupted, and the journal is on disk.
    async fn close(&mut self) {
        let _ = self.wired.handle.send(Command::Interrupt);
        let (closed, _) = mpsc::unbounded_channel();
        self.wired.handle = closed;
        let _ = (&mut self.running).await;
    }
}

async fn perform(action: Action, config: &Config, llm: &Llm, open: &mut Open) -> Next {
    let sessions = Sessions { folder: config.sessions.clone() };
    match action {
        Action::Print(print) => shown(&print),
        Action::Send(command) => {
            let _ = open.wired.handle.send(command);
            Next::Go
        }
        Action::Quit => Next::Quit(Code::Done),
        Action::NewSession => Next::input(reopen(config, llm, open, Which::New).await),
        Action::Resume(said) => {
            let current = open.wired.id.clone();
            let path = match said {
                Some(said) => sessions.find(&said).map_err(Fatal::from),
                None => last_but(&sessions, &current),
            };
            match path {
                Ok(path) if path == journal(config, &current) => {
                    Next::input(Input::Failed("that session is open already".to_owned()))
                }
                Ok(path) => Next::input(reopen(config, llm, open, Which::Old(path)).await),
                Err(fatal) => Next::input(Input::Failed(fatal.why)),
            }
        }
        Action::Sessions => Next::input(Input::Sessions(screen::listed(&sessions))),
        Action::Save(name) => save(&sessions, open, name),
    }
}

fn shown(print: &Print) -> Next {
    if screen::print(print) { Next::Go } else { Next::Quit(Code::Failed) }
}

/// Opens another session; the one that is open is closed only once that has worked.
async fn reopen(config: &Config, llm: &Llm, open: &mut Open, which: Which) -> Input {
    match Open::new(config, llm, which) {
        Ok((new, opened)) => {
            open.close().await;
            *open = new;
            Input::Opened(opened)
        }
        Err(fatal) => Input::Failed(fatal.why),
    }
}

fn last_but(sessions: &Sessions, current: &str) -> Result<std::path::PathBuf, Fatal> {
    let last = sessions.all().into_iter().find(|found| found.id != current);
    let nothing = || Fatal::new(Code::Usage, "there is no other session");
    last.map(|found| found.path).ok_or_else(nothing)
}

/// Gives the session a name: where names are looked up, and in the journal.
fn save(sessions: &Sessions, open: &Open, name: Option<String>) -> Next {
    let id = &open.wired.id;
    let name = name.or_else(|| sessions.first_words(id)).unwrap_or_else(|| id.clone());
    match sessions.name(id, &name) {
        Ok(name) => {
            let (key, value) = ("name".to_owned(), name.clone().into());
            let _ = open.wired.handle.send(Command::Set { key, value });
            Next::input(Input::Saved(name))
        }
        Err(why) => Next::input(Input::Failed(why.to_string())),
    }
}

/// A line with those that come at once behind it: a paste is one thing to say, and its lines must
/// not answer one question after the other. A command is a line of its own.
async fn at_once(mut text: String, lines: &mut mpsc::UnboundedReceiver<String>) -> String {
    if text.starts_with('/') {
        return text;
    }
    while let Ok(Some(line)) = timeout(AT_ONCE, lines.recv()).await {
        text.push('\n');
        text.push_str(&line);
    }
    text
}

/// The lines of stdin, read on a thread of their own: a read cannot be cancelled.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || line.is_ok_and(|line| sender.send(line).is_err()) {
                break;
            }
        }
    });
    lines
}
