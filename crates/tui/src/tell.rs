//! How each event looks: what to print for it, given what stands on the page. A session at the
//! keyboard and a one-shot run print with the same function.

use purlin_engine::effect::{Claim, Effect};
use purlin_engine::event::{AgentId, Ended, Event, Told};
use purlin_engine::gate::Mode;
use purlin_engine::listen::Change;
use purlin_engine::message::{Output, Source, UserMessage, plain as words};
use purlin_engine::model::Delta;
use purlin_engine::session::{self, State};
use serde_json::Value;

use crate::page::{CallKey, Page, Print, Seen};
use crate::view::{self, call, diff, plain::plain};

impl Page {
    /// What to print for an event. Questions are not told here: only the first open one may be
    /// shown, and a page does not know which that is.
    pub fn tell(&mut self, told: &Told) -> Vec<Print> {
        let agent = &told.agent;
        let ink = self.look.ink;
        match &told.event {
            Event::Delta(delta) => self.delta(agent, delta),
            Event::Said(message) => self.said(agent, message),
            Event::Started { claim } => self.started(agent, claim),
            Event::Answered { call, output } => self.answered(agent, call, output),
            Event::Changed { call, changes } => self.changed(agent, call, changes),
            Event::Compacted { tier, before, after } => {
                self.lines_of(agent, &ink.dim(&view::compacted(*tier, *before, *after)))
            }
            Event::State { key, value } => self.state(agent, key, value),
            Event::Model(origin) => {
                self.lines_of(agent, &format!("model: {}", view::model(origin)))
            }
            Event::Diff(text) if text.trim().is_empty() => {
                self.lines("nothing has changed in this session")
            }
            Event::Diff(text) => self.lines(&diff::paint(ink, &plain(text))),
            Event::Notice(text) => self.lines_of(agent, &plain(text)),
            Event::Ended(ended) => self.ended(agent, ended),
            // A line cannot be taken back, so output of calls that overlap would mix; the answer
            // shows it in one piece.
            Event::Progress { .. } => Vec::new(),
            Event::Replied | Event::Usage(_) | Event::Ask { .. } => Vec::new(),
        }
    }

    fn delta(&mut self, agent: &AgentId, delta: &Delta) -> Vec<Print> {
        match delta {
            Delta::Call { id, name } => {
                let seen = Seen { title: name.clone(), ..Seen::default() };
                self.calls.insert((agent.clone(), id.clone()), seen);
                Vec::new()
            }
            Delta::Restart { attempt, why, wait_ms } => {
                let again = self.look.ink.yellow(&view::restart(*attempt, why, *wait_ms));
                let mut prints = if agent.is_main() { self.end_text() } else { Vec::new() };
                prints.extend(self.lines_of(agent, &again));
                prints
            }
            // Several sub-agents speak at once; what each found is the answer of its call.
            Delta::Text(_) | Delta::Thinking(_) | Delta::End { .. } if !agent.is_main() => {
                Vec::new()
            }
            Delta::Text(piece) => self.text(piece),
            Delta::Thinking(piece) => self.thinking(piece),
            Delta::End { .. } => self.end_text(),
            Delta::Open(_)
            | Delta::Opaque(_)
            | Delta::Seal(_)
            | Delta::Args(_)
            | Delta::CallDone
            | Delta::Void { .. } => Vec::new(),
        }
    }

    /// The person knows what they said; what a hook says is news.
    fn said(&mut self, agent: &AgentId, message: &UserMessage) -> Vec<Print> {
        match message.source {
            Source::Hook => {
                let text = format!("hook: {}", plain(&words(&message.content)));
                let dimmed = self.look.ink.dim(&text);
                self.lines_of(agent, &dimmed)
            }
            Source::Person | Source::Summary | Source::Reminder | Source::Task => Vec::new(),
        }
    }

    fn started(&mut self, agent: &AgentId, claim: &Claim) -> Vec<Print> {
        let key = (agent.clone(), claim.call.id.clone());
        let asked = self.calls.get(&key).is_some_and(|seen| seen.asked);
        let seen = Seen { title: claim.title.clone(), effect: Some(claim.effect.clone()), asked };
        let starts = (claim.effect == Effect::Agent)
            .then(|| self.name(&agent.child(&claim.call.id)))
            .flatten();
        let line = call::began(self.look.ink, &seen, starts.as_deref());
        self.calls.insert(key.clone(), seen);
        let prints = self.lines_of(agent, &line);
        self.last = Some(key);
        prints
    }

    fn answered(&mut self, agent: &AgentId, id: &str, output: &Output) -> Vec<Print> {
        let key = (agent.clone(), id.to_owned());
        let unknown = || Seen { title: id.to_owned(), ..Seen::default() };
        let seen = self.calls.get(&key).cloned().unwrap_or_else(unknown);
        let result = call::result(self.look.ink, &seen, output);
        let text = match self.last.as_ref() {
            Some(last) if *last == key => result,
            Some(_) | None => format!("{}\n{result}", call::answered(self.look.ink, &seen)),
        };
        self.lines_of(agent, &text)
    }

    /// An undo says what it put back. A call that named its files has shown them already.
    fn changed(&mut self, agent: &AgentId, id: &str, changes: &[Change]) -> Vec<Print> {
        let changes = view::changes(&self.root, changes);
        if id.is_empty() {
            return self.lines_of(agent, &format!("undone: {changes}"));
        }
        let key: CallKey = (agent.clone(), id.to_owned());
        let effect = self.calls.get(&key).and_then(|seen| seen.effect.as_ref());
        if matches!(effect, Some(Effect::Files { .. })) {
            return Vec::new();
        }
        let dimmed = self.look.ink.dim(&changes);
        self.lines_of(agent, &call::indent(&dimmed))
    }

    /// Of the state only the mode is news; whoever names a session is told so at once.
    fn state(&mut self, agent: &AgentId, key: &str, value: &Value) -> Vec<Print> {
        match key {
            "mode" if agent.is_main() => self.lines(view::mode(mode(value))),
            _ => Vec::new(),
        }
    }

    fn ended(&mut self, agent: &AgentId, ended: &Ended) -> Vec<Print> {
        let mut prints = Vec::new();
        if agent.is_main() {
            prints = self.end_text();
            self.end_turn();
        }
        if let Some(text) = view::ended::ended(self.look.ink, self.setting, ended) {
            prints.extend(self.lines_of(agent, &text));
        }
        prints
    }
}

/// The mode that this value of the state's key means. The engine decides.
pub(crate) fn mode(value: &Value) -> Mode {
    session::mode(&State::from_iter([("mode".to_owned(), value.clone())]))
}
