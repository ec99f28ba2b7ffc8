//! What an event means for the state, and what it prints.

use purlin_engine::event::{Ended, Event, Told};
use purlin_engine::message::Source;

use crate::state::{Asked, Busy, Opened, State};
use crate::tell;
use crate::update::{Action, begin, prints, rest, show_question};
use crate::view;

/// The engine told something: remember what it means, then print it.
pub(crate) fn hear(state: &mut State, told: Told) -> Vec<Action> {
    if let Event::Ask { ask, question } = told.event {
        if state.busy == Busy::Stopping {
            return Vec::new(); // it was asked before the engine heard that it is to stop
        }
        state.questions.push_back(Asked { agent: told.agent, ask, question });
        return if state.questions.len() == 1 { show_question(state) } else { Vec::new() };
    }
    let was_turn = matches!(state.busy, Busy::Turn | Busy::Stopping);
    remember(state, &told);
    let mut actions = prints(state.page.tell(&told));
    let ended = told.agent.is_main() && matches!(told.event, Event::Ended(_));
    if was_turn && ended && state.spent != state.before {
        let usage = view::spent::turn(&state.before, &state.spent);
        let dimmed = state.page.look.ink.dim(&usage);
        actions.extend(prints(state.page.lines(&dimmed)));
        state.before = state.spent.clone();
    }
    actions
}

fn remember(state: &mut State, told: &Told) {
    if let Event::Usage(spent) = &told.event {
        let context = (state.spent.context, state.spent.window);
        state.spent = view::spent::sum(&state.earlier, spent);
        if !told.agent.is_main() {
            // The purse is shared, the window is not.
            (state.spent.context, state.spent.window) = context;
        }
    }
    if !told.agent.is_main() {
        return;
    }
    match &told.event {
        Event::Said(message) if message.source == Source::Person => said(state),
        Event::Ended(ended) => end(state, ended),
        Event::State { key, value } => {
            rest(state);
            keep(state, |session| match key.as_str() {
                "mode" => session.mode = tell::mode(value),
                "name" => session.name = value.as_str().map(str::to_owned),
                _ => (),
            });
        }
        Event::Model(origin) => {
            rest(state);
            keep(state, |session| session.model = origin.clone());
        }
        Event::Compacted { .. } | Event::Diff(_) | Event::Notice(_) | Event::Changed { .. } => {
            rest(state);
        }
        Event::Said(_)
        | Event::Delta(_)
        | Event::Replied
        | Event::Ask { .. }
        | Event::Started { .. }
        | Event::Progress { .. }
        | Event::Answered { .. }
        | Event::Usage(_) => (),
    }
}

/// Something about the session itself changed.
fn keep(state: &mut State, change: impl FnOnce(&mut Opened)) {
    if let Some(session) = &mut state.session {
        change(session);
    }
}

fn said(state: &mut State) {
    begin(state);
    state.begun = true;
    state.unsaid = state.unsaid.saturating_sub(1);
    keep(state, |session| session.messages += 1);
}

/// A turn ended; with something unsaid the engine begins another at once, unless it was stopped:
/// then that is not said any more.
fn end(state: &mut State, ended: &Ended) {
    if *ended == Ended::Interrupted {
        state.unsaid = 0;
    }
    if !std::mem::take(&mut state.begun) {
        // Its own message was kept from the model.
        state.unsaid = state.unsaid.saturating_sub(1);
    }
    state.questions.clear();
    if state.busy != Busy::Left {
        state.busy = if state.unsaid > 0 { Busy::Turn } else { Busy::Idle };
    }
}
