//! What the person says while a turn runs: steering, answers, interrupt.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, pending, select};
use tokio::sync::mpsc;

use crate::desk::Desk;
use crate::event::Command;
use crate::message::UserMessage;

/// The person stopped the turn, or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interrupted;

/// The commands of one agent. A sub-agent has none: its parent's interrupt drops it, and answers
/// find their question through the desk.
pub(crate) struct Inbox {
    commands: Option<mpsc::UnboundedReceiver<Command>>,
    desk: Arc<Desk>,
    steered: VecDeque<UserMessage>,
    later: VecDeque<Command>,
}

impl Inbox {
    pub(crate) fn new(commands: mpsc::UnboundedReceiver<Command>, desk: Arc<Desk>) -> Self {
        let commands = Some(commands);
        Self { commands, desk, steered: VecDeque::new(), later: VecDeque::new() }
    }

    pub(crate) fn silent(desk: Arc<Desk>) -> Self {
        Self { commands: None, desk, steered: VecDeque::new(), later: VecDeque::new() }
    }

    /// The next command between turns; nothing when the front end is gone.
    pub(crate) async fn next(&mut self) -> Option<Command> {
        if let Some(steered) = self.steered.pop_front() {
            return Some(Command::Prompt(steered));
        }
        if let Some(command) = self.later.pop_front() {
            return Some(command);
        }
        self.commands.as_mut()?.recv().await
    }

    /// What was steered since the last look.
    pub(crate) fn steered(&mut self) -> Vec<UserMessage> {
        while let Some(Ok(command)) = self.commands.as_mut().map(mpsc::UnboundedReceiver::try_recv)
        {
            if self.sort(command).is_err() {
                // Seen again by the race that follows.
                self.later.push_front(Command::Interrupt);
                break;
            }
        }
        self.steered.drain(..).collect()
    }

    /// Does the work unless the person interrupts. Losing the race drops the work, and dropping is
    /// cancelling.
    pub(crate) async fn race<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Interrupted> {
        if self.later.front() == Some(&Command::Interrupt) {
            self.later.pop_front();
            return Err(Interrupted);
        }
        let mut work = pin!(work);
        loop {
            let said = {
                let command = pin!(receive(&mut self.commands));
                match select(command, work.as_mut()).await {
                    Either::Left((command, _)) => command,
                    Either::Right((done, _)) => return Ok(done),
                }
            };
            match said {
                Some(command) => self.sort(command)?,
                None => return Err(Interrupted),
            }
        }
    }

    fn sort(&mut self, command: Command) -> Result<(), Interrupted> {
        match command {
            Command::Interrupt => return Err(Interrupted),
            Command::Steer(message) => self.steered.push_back(message),
            Command::Answer { ask, decision } => self.desk.answer(ask, decision),
            later @ (Command::Prompt(_)
            | Command::Compact
            | Command::Model(_)
            | Command::Set { .. }
            | Command::Undo
            | Command::Diff) => self.later.push_back(later),
        }
        Ok(())
    }
}

async fn receive(commands: &mut Option<mpsc::UnboundedReceiver<Command>>) -> Option<Command> {
    match commands {
        Some(commands) => commands.recv().await,
        None => pending().await,
    }
}
