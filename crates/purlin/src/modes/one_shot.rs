//! One turn: the answer to stdout, everything else to stderr, the exit code says how it went.

use purlin_engine::budget::Spent;
use purlin_engine::desk::Asks;
use purlin_engine::driver::{Events, Handle};
use purlin_engine::event::{Command, Ended, Event, Told};
use purlin_engine::message::UserMessage;
use purlin_engine::model::Delta;
use purlin_tui::page::{Page, Setting};
use purlin_tui::state::unspent;
use purlin_tui::view::spent;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::report::Report;
use super::screen;
use crate::args::{Args, Format};
use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::llm::Llm;
use crate::wire::{Toolset, Which, Wired, wire};

pub(super) async fn one_shot(
    args: &Args,
    config: &Config,
    llm: &Llm,
    which: Which,
    prompt: String,
) -> Result<Code, Fatal> {
    let Wired { handle, events, agent, id, llm, .. } =
        wire(config, llm, which, Asks::Nobody, Toolset::default())?;
    let running = tokio::spawn(agent);
    let mut shown = Shown {
        report: Report::new(args.output_format, &id, &llm.info().origin.model),
        page: screen::page(config, Setting::OneShot),
        format: args.output_format,
        verbose: args.verbose,
        spent: unspent(),
    };
    if let Some(line) = shown.report.begin() {
        screen::answer(&line);
    }
    let _ = handle.send(Command::Prompt(UserMessage::person(prompt)));
    let (ended, code) = watch(&handle, events, &mut shown).await?;
    drop(handle);
    let _ = running.await;
    screen::answer(&shown.report.end(&ended, code));
    Ok(code)
}

struct Shown {
    report: Report,
    page: Page,
    format: Format,
    verbose: bool,
    spent: Spent,
}

/// Shows events until the turn ends. A signal interrupts it; so does a closed stdout, since nobody
/// is there for the answer.
async fn watch(
    handle: &Handle,
    mut events: Events,
    shown: &mut Shown,
) -> Result<(Ended, Code), Fatal> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut stopped = None;
    loop {
        tokio::select! {
            _ = interrupt.recv() => stopped = Some(Code::Interrupted),
            _ = terminate.recv() => stopped = Some(Code::Terminated),
            _ = hang_up.recv() => stopped = Some(Code::Terminated),
            told = events.recv() => {
                let Some(told) = told else {
                    return Err(Fatal::new(Code::Failed, "the agent is gone"));
                };
                let heard = shown.show(&told);
                if let (true, Event::Ended(ended)) = (told.agent.is_main(), told.event) {
                    let code = stopped.unwrap_or(Code::of(&ended));
                    return Ok((ended, code));
                }
                if heard || stopped.is_some() {
                    continue;
                }
                stopped = Some(Code::Failed);
            }
        }
        let _ = handle.send(Command::Interrupt);
    }
}

fn listen(kind: SignalKind) -> Result<Signal, Fatal> {
    signal(kind).map_err(|why| Fatal::new(Code::Failed, format!("listening for signals: {why}")))
}

impl Shown {
    /// False when stdout is closed.
    fn show(&mut self, told: &Told) -> bool {
        let line = self.report.take(told);
        let written = line.is_none_or(|line| screen::answer(&line));
        // Someone who reads JSON is not watching.
        let quiet = self.format != Format::Text && !self.verbose;
        // The answer goes to stdout, whole, once it is known to be the answer.
        let text = matches!(told.event, Event::Delta(Delta::Text(_)));
        if !quiet && !text {
            for print in self.page.tell(told) {
                screen::print(&print);
            }
        }
        if let (true, Event::Usage(spent)) = (self.verbose, &told.event) {
            for print in self.page.lines(&spent::turn(&self.spent, spent)) {
                screen::talk(&print.text);
            }
            self.spent.clone_from(spent);
        }
        written
    }
}
