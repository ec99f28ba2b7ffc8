//! A person at the screen: what they enter, what the engine tells, what they see, what is done.

use std::path::PathBuf;

use purlin_engine::effect::{Claim, CommandLine, Effect};
use purlin_engine::event::{AgentId, AskId, Command, Decision, Ended, Event, Question, Told};
use purlin_engine::gate::{Mode, Preview};
use purlin_engine::message::{Origin, Output, ToolCall, UserMessage};
use purlin_engine::model::Delta;
use purlin_tui::state::unspent;
use purlin_tui::{Action, Ink, Input, Look, Opened, Reach, State, Stream, update};

/// A state and all that it printed and did since the last look.
pub(crate) struct Sitting {
    pub(crate) state: State,
    screen: String,
    out: String,
    done: Vec<Action>,
}

impl Sitting {
    /// Lines are printed as they are read, so that the screen shows both sides.
    pub(crate) fn new() -> Self {
        Self::with(Look { ink: Ink::Plain, input: Reach::Elsewhere, output: Reach::Terminal })
    }

    /// Another look at the same; the session is open and its first lines have been seen.
    pub(crate) fn with(look: Look) -> Self {
        let (screen, out, done) = (String::new(), String::new(), Vec::new());
        let mut sitting = Self { state: State::new(look), screen, out, done };
        sitting.input(Input::Opened(session("s1", 0)));
        sitting.seen();
        sitting
    }

    pub(crate) fn input(&mut self, input: Input) {
        for action in update(&mut self.state, input) {
            let Action::Print(print) = action else {
                self.done.push(action);
                continue;
            };
            self.screen.push_str(&print.text);
            if print.to == Stream::Out {
                self.out.push_str(&print.text);
            }
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.input(Input::Line(line.to_owned()));
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.input(Input::Told(Told { agent: AgentId::default(), event }));
    }

    pub(crate) fn event_of(&mut self, agent: &str, event: Event) {
        self.input(Input::Told(Told { agent: AgentId(agent.to_owned()), event }));
    }

    pub(crate) fn ask(&mut self, ask: u64, question: Question) {
        self.event(Event::Ask { ask: AskId(ask), question });
    }

    /// A turn that has just begun, its first lines seen.
    pub(crate) fn working() -> Self {
        let mut sitting = Self::new();
        sitting.line("fix it");
        sitting.event(Event::Said(UserMessage::person("fix it")));
        sitting.seen();
        sitting.done();
        sitting
    }

    /// What has appeared since the last look.
    pub(crate) fn seen(&mut self) -> String {
        std::mem::take(&mut self.screen)
    }

    /// What of it went to standard output.
    pub(crate) fn out(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// What was done beside printing since the last look.
    pub(crate) fn done(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.done)
    }
}

pub(crate) fn session(id: &str, messages: u64) -> Opened {
    Opened {
        id: id.to_owned(),
        name: None,
        model: Origin { provider: "acme".to_owned(), model: "m-1".to_owned() },
        mode: Mode::Normal,
        messages,
        spent: unspent(),
    }
}

pub(crate) fn text(piece: &str) -> Event {
    Event::Delta(Delta::Text(piece.to_owned()))
}

pub(crate) fn thinking(piece: &str) -> Event {
    Event::Delta(Delta::Thinking(piece.to_owned()))
}

pub(crate) fn done() -> Event {
    Event::Ended(Ended::Done)
}

pub(crate) fn claim(id: &str, title: &str, effect: Effect) -> Claim {
    let name = title.split(' ').next().unwrap_or_default().to_owned();
    let call = ToolCall { id: id.to_owned(), name, args: "{\"x\":1}".to_owned() };
    Claim { call, title: title.to_owned(), effect }
}

pub(crate) fn started(id: &str, title: &str, effect: Effect) -> Event {
    Event::Started { claim: claim(id, title, effect) }
}

pub(crate) fn answered(id: &str, text: &str) -> Event {
    Event::Answered { call: id.to_owned(), output: Output::text(text) }
}

pub(crate) fn failed(id: &str, text: &str) -> Event {
    Event::Answered { call: id.to_owned(), output: Output::failure(text) }
}

pub(crate) fn reads(path: &str) -> Effect {
    Effect::reads([PathBuf::from(path)])
}

pub(crate) fn writes(path: &str) -> Effect {
    Effect::writes(PathBuf::from(path))
}

pub(crate) fn runs(command: &str) -> Effect {
    Effect::Exec(CommandLine { text: command.to_owned(), cwd: "/project".into(), proved: false })
}

/// May this command run?
pub(crate) fn permit(id: &str, command: &str) -> Question {
    Question::Permit {
        claim: claim(id, &format!("bash {command}"), runs(command)),
        preview: Some(Preview::Text(command.to_owned())),
        why: None,
        always: "exactly this command in this session".to_owned(),
    }
}

pub(crate) fn answer(ask: u64, decision: Decision) -> Action {
    Action::Send(Command::Answer { ask: AskId(ask), decision })
}

pub(crate) fn prompt(words: &str) -> Action {
    Action::Send(Command::Prompt(UserMessage::person(words)))
}

pub(crate) fn steer(words: &str) -> Action {
    Action::Send(Command::Steer(UserMessage::person(words)))
}

pub(crate) fn interrupt() -> Action {
    Action::Send(Command::Interrupt)
}

/// Ten lines of two digits, and so on.
pub(crate) fn numbered(count: usize) -> String {
    (1..=count).map(|n| format!("line {n}\n")).collect()
}
