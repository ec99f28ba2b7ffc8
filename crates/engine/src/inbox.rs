//! What the person says while a turn runs: steering, answers, interrupt.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
use tokio::sync::mpsc;

use crate::desk::Desk;
use crate::event::Command;
use crate::message::UserMessage;

/// The person stopped the turn, or left.
pub(crate) struct Interrupted;

/// The commands of one agent.
pub(crate) struct Inbox {
    commands: mpsc::UnboundedReceiver<Command>,
    desk: Arc<Desk>,
    steered: VecDeque<UserMessage>,
    later: VecDeque<Command>,
}

impl Inbox {
    pub(crate) fn new(commands: mpsc::UnboundedReceiver<Command>, desk: Arc<Desk>) -> Self {
        Self { commands, desk, steered: VecDeque::new(), later: VecDeque::new() }
    }

    /// The next command between turns; nothing when the front end is gone.
    pub(crate) async fn next(&mut self) -> Option<Command> {
        let waiting = self.steered.pop_front().map(Command::Prompt);
        match waiting.or_else(|| self.later.pop_front()) {
            Some(command) => Some(command),
            None => self.commands.recv().await,
        }
    }

    /// What was steered since the last look.
    pub(crate) fn steered(&mut self) -> Vec<UserMessage> {
        while let Ok(command) = self.commands.try_recv() {
            if self.sort(command).is_err() {
                // Seen again by the race that follows.
                self.later.push_front(Command::Interrupt);
                break;
            }
        }
        self.steered.drain(..).collect()
    }

    /// What was steered and will not be said: the person stopped the turn that it was meant for.
    pub(crate) fn dropped(&mut self) -> Vec<UserMessage> {
        self.steered.drain(..).collect()
    }

    /// Does the work unless the person interrupts. Losing the race drops the work, and dropping is
    /// cancelling.
    pub(crate) async fn race<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Interrupted> {
        if self.later.pop_front_if(|first| *first == Command::Interrupt).is_some() {
            return Err(Interrupted);
        }
        let mut work = pin!(work);
        loop {
            let command = match select(pin!(self.commands.recv()), work.as_mut()).await {
                Either::Left((command, _)) => command.ok_or(Interrupted)?,
                Either::Right((done, _)) => return Ok(done),
            };
            self.sort(command)?;
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
