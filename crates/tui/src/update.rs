//! One input in, actions out. Synchronous, and does no I/O: whatever needs the world outside is an
//! action, and what came of it is another input.

use purlin_engine::event::{Command, Decision, Question};
use purlin_engine::message::UserMessage;

use crate::answer;
use crate::commands::{self, Reading, SlashCommand, When};
use crate::hear;
use crate::page::{Print, Seen};
use crate::state::{Asked, Busy, Input, Opened, Reach, State};
use crate::view;

/// What a front end wants done. The binary does it, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send this to the engine.
    Send(Command),
    /// Write this and flush.
    Print(Print),
    /// Open a new session; answered by [`Input::Opened`] or [`Input::Failed`].
    NewSession,
    /// Open an old one: this, or the last but the one that is open. Answered in the same way.
    Resume(Option<String>),
    /// Look which there are; answered by [`Input::Sessions`] or [`Input::Failed`].
    Sessions,
    /// Keep the session under this name, or one made from what was said first: clean it, see that
    /// nobody has it, and set the key `name` of the session's state. Answered by [`Input::Saved`]
    /// or [`Input::Failed`].
    Save(Option<String>),
    /// Leave. Nothing follows.
    Quit,
}

impl Action {
    /// Whole lines for the person, where a line begins.
    pub fn say(text: impl std::fmt::Display) -> Self {
        Self::Print(Print::talk(format!("{text}\n")))
    }
}

/// Takes in what happened. The prompt is part of the answer whenever a line is waited for.
pub fn update(state: &mut State, input: Input) -> Vec<Action> {
    let warned = std::mem::take(&mut state.warned);
    let mut actions = match input {
        Input::Line(text) => line(state, &text),
        Input::Told(told) => {
            state.warned = warned;
            hear::hear(state, told)
        }
        Input::Interrupt => interrupt(state, warned),
        Input::EndOfInput => end_of_input(state),
        Input::Opened(session) => opened(state, session),
        Input::Sessions(listed) => {
            let current = state.session.as_ref().map(|session| session.id.as_str());
            let text = view::sessions::sessions(state.page.look.ink, &listed, current);
            settled(state, &text)
        }
        Input::Saved(name) => settled(state, &format!("saved as {}", view::plain::plain(&name))),
        Input::Failed(why) => settled(state, &view::plain::plain(&why)),
    };
    if state.closed && state.busy == Busy::Idle {
        actions.extend(leave(state));
    }
    if waits_for_a_line(state) {
        let prompt = view::prompt(state);
        actions.extend(prints(state.page.prompt(prompt)));
    }
    merged(actions)
}

fn waits_for_a_line(state: &State) -> bool {
    match state.busy {
        Busy::Idle => true,
        Busy::Asked | Busy::Turn => !state.questions.is_empty(),
        Busy::Stopping | Busy::Left => false,
    }
}

/// A line answers the open question, runs a command, or is for the model.
fn line(state: &mut State, text: &str) -> Vec<Action> {
    let prompt = view::prompt(state);
    let mut actions = prints(state.page.entered(prompt, text));
    let reading = commands::read(text);
    actions.extend(match (reading, state.questions.front().cloned()) {
        (Reading::Run(command, args), _) => run(state, command, args),
        (Reading::Unsent, _) => unsent(state),
        (reading, Some(asked)) => answered(state, &asked, reading, text),
        (Reading::Unknown(name), None) => unknown(state, name, text),
        (Reading::Words(words), None) => match commands::bare(&words, state.mode()) {
            Some(command) => run(state, command, ""),
            None if words.trim().is_empty() => Vec::new(),
            None => speak(state, words),
        },
    });
    actions
}

fn run(state: &mut State, command: &SlashCommand, args: &str) -> Vec<Action> {
    let in_turn = matches!(state.busy, Busy::Turn | Busy::Stopping);
    let ran = match command.when {
        When::Idle if in_turn => {
            Err(format!("/{} has to wait for the turn to end; Ctrl+C stops it", command.name))
        }
        When::Idle | When::Always => (command.run)(args, state),
    };
    match ran {
        Ok(actions) => actions.into_iter().flat_map(|action| performed(state, action)).collect(),
        Err(why) => prints(state.page.lines(&view::plain::plain(&why))),
    }
}

/// An action of a command, with what it does to the state.
fn performed(state: &mut State, action: Action) -> Vec<Action> {
    match action {
        Action::Send(command) => send(state, command),
        Action::NewSession | Action::Resume(_) | Action::Sessions | Action::Save(_) => {
            if state.busy == Busy::Idle {
                state.busy = Busy::Asked;
            }
            vec![action]
        }
        Action::Quit => leave(state),
        Action::Print(_) => vec![action],
    }
}

fn send(state: &mut State, command: Command) -> Vec<Action> {
    let mut actions = match &command {
        Command::Prompt(_) | Command::Steer(_) => {
            state.unsaid += 1;
            begin(state);
            Vec::new()
        }
        Command::Compact
        | Command::Model(_)
        | Command::Set { .. }
        | Command::Undo
        | Command::Diff => expect(state),
        Command::Answer { .. } | Command::Interrupt => Vec::new(),
    };
    actions.push(Action::Send(command));
    actions
}

/// The engine will tell what came of it before the next line is waited for; in a turn it keeps the
/// command for later, which without a word would seem lost.
fn expect(state: &mut State) -> Vec<Action> {
    match state.busy {
        Busy::Idle => state.busy = Busy::Asked,
        Busy::Asked | Busy::Left => (),
        Busy::Turn | Busy::Stopping => {
            let later = state.page.look.ink.dim("(when the turn has ended)");
            return prints(state.page.lines(&later));
        }
    }
    Vec::new()
}

pub(crate) fn begin(state: &mut State) {
    if matches!(state.busy, Busy::Idle | Busy::Asked) {
        state.busy = Busy::Turn;
        state.before = state.spent.clone();
    }
}

/// Words for the model. While a turn runs it reads them before its next call.
fn speak(state: &mut State, words: String) -> Vec<Action> {
    let message = UserMessage::person(words);
    if matches!(state.busy, Busy::Idle | Busy::Asked) {
        return send(state, Command::Prompt(message));
    }
    let said = state.page.look.ink.dim("(the model reads this before it goes on)");
    let mut actions = prints(state.page.lines(&said));
    actions.extend(send(state, Command::Steer(message)));
    actions
}

fn unknown(state: &mut State, name: &str, text: &str) -> Vec<Action> {
    state.unsent = Some(text.to_owned());
    let near: Vec<String> = commands::near(name).iter().map(|near| format!("/{near}")).collect();
    let near = match near.is_empty() {
        true => "/help lists them".to_owned(),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    let name = view::plain::one_line(name, 40);
    let text = format!(
        "there is no command /{name}; {near}\nnothing was sent; // alone sends your line as it is"
    );
    prints(state.page.lines(&text))
}

fn unsent(state: &mut State) -> Vec<Action> {
    match state.unsent.take() {
        Some(text) => speak(state, text),
        None => prints(state.page.lines("there is no line that was not sent")),
    }
}

/// The line is for the open question, unless it is a command.
fn answered(state: &mut State, asked: &Asked, reading: Reading<'_>, text: &str) -> Vec<Action> {
    let permit = matches!(asked.question, Question::Permit { .. });
    match reading {
        Reading::Unknown(name) if permit => return unknown(state, name, text),
        Reading::Words(words) if permit && commands::leaves(&words) => return leave(state),
        Reading::Run(..) | Reading::Unknown(_) | Reading::Unsent | Reading::Words(_) => (),
    }
    match answer::read(&asked.question, text) {
        Some(decision) => decide(state, decision),
        None => prints(state.page.lines(&view::question::ways(&asked.question))),
    }
}

/// Answers the first question and shows the next.
fn decide(state: &mut State, decision: Decision) -> Vec<Action> {
    let Some(asked) = state.questions.pop_front() else { return Vec::new() };
    let mut actions = send(state, Command::Answer { ask: asked.ask, decision });
    actions.extend(show_question(state));
    actions
}

pub(crate) fn show_question(state: &mut State) -> Vec<Action> {
    let Some(asked) = state.questions.front().cloned() else { return Vec::new() };
    if let Question::Permit { claim, .. } = &asked.question {
        let seen = Seen {
            title: claim.title.clone(),
            effect: Some(claim.effect.clone()),
            asked: !state.closed,
        };
        state.page.calls.insert((asked.agent.clone(), claim.call.id.clone()), seen);
    }
    if state.closed {
        // A line that will never come must not hold up the turn.
        return decide(state, Decision::No(Some("nobody is there to be asked".to_owned())));
    }
    let text = view::question::question(state.page.look.ink, &asked.question);
    prints(state.page.lines_of(&asked.agent, &text))
}

/// Ctrl+C stops what runs. With nothing to stop, or no end to the stopping, the second in a row
/// leaves.
fn interrupt(state: &mut State, warned: bool) -> Vec<Action> {
    match state.busy {
        Busy::Left => Vec::new(),
        Busy::Turn => {
            state.busy = Busy::Stopping;
            state.questions.clear();
            let mut actions = prints(state.page.fresh());
            actions.push(Action::Send(Command::Interrupt));
            actions
        }
        Busy::Idle | Busy::Asked | Busy::Stopping if warned => leave(state),
        Busy::Idle | Busy::Asked | Busy::Stopping => {
            state.warned = true;
            let mut actions = prints(state.page.lines("Ctrl+C once more leaves"));
            if state.busy == Busy::Asked {
                actions.push(Action::Send(Command::Interrupt));
            }
            actions
        }
    }
}

/// A person who ends the input wants to leave. A pipe that ends has only said all it had to say.
fn end_of_input(state: &mut State) -> Vec<Action> {
    if state.page.look.input == Reach::Terminal {
        return leave(state);
    }
    state.closed = true;
    show_question(state)
}

fn leave(state: &mut State) -> Vec<Action> {
    if state.busy == Busy::Left {
        return Vec::new();
    }
    let mut actions = prints(state.page.end_text());
    actions.extend(prints(state.page.fresh()));
    if matches!(state.busy, Busy::Turn | Busy::Asked) {
        actions.push(Action::Send(Command::Interrupt));
    }
    if let Some(session) = state.session.as_ref().filter(|session| session.messages > 0) {
        let text = format!("to go on with this session: purlin --resume {}", session.id);
        let dimmed = state.page.look.ink.dim(&text);
        actions.extend(prints(state.page.lines(&dimmed)));
    }
    state.busy = Busy::Left;
    actions.push(Action::Quit);
    actions
}

fn opened(state: &mut State, session: Opened) -> Vec<Action> {
    let ink = state.page.look.ink;
    let before = state.session.take().filter(|before| before.messages > 0);
    let mut text = view::welcome(ink, &session);
    if session.messages > 0 {
        let (id, messages) = (view::plain::plain(&session.id), session.messages);
        let things = if messages == 1 { "thing" } else { "things" };
        text = format!("{text}\nresumed {id}, in which you said {messages} {things}");
    }
    if let Some(before) = before.filter(|before| before.id != session.id) {
        let id = view::plain::plain(&before.id);
        text = format!("{text}\nthe session before is kept: /resume {id}");
    }
    state.earlier = session.spent.clone();
    state.spent = session.spent.clone();
    state.before = session.spent.clone();
    state.session = Some(session);
    state.questions.clear();
    state.unsaid = 0;
    state.page.end_turn();
    settled(state, &text)
}

/// What was expected has come.
fn settled(state: &mut State, text: &str) -> Vec<Action> {
    rest(state);
    prints(state.page.lines(text))
}

pub(crate) fn rest(state: &mut State) {
    if state.busy == Busy::Asked {
        state.busy = Busy::Idle;
    }
}

pub(crate) fn prints(prints: Vec<Print>) -> Vec<Action> {
    prints.into_iter().map(Action::Print).collect()
}

/// Pieces for the same stream as one.
fn merged(actions: Vec<Action>) -> Vec<Action> {
    let mut merged: Vec<Action> = Vec::new();
    for action in actions {
        match (merged.last_mut(), &action) {
            (Some(Action::Print(last)), Action::Print(next)) if last.to == next.to => {
                last.text.push_str(&next.text);
            }
            _ => merged.push(action),
        }
    }
    merged
}
