//! What a front end knows, as plain data: the session as far as it was told, open questions, what
//! runs, and what stands on the screen.

use std::collections::VecDeque;

use purlin_engine::budget::Spent;
use purlin_engine::event::{AgentId, AskId, Question, Told};
use purlin_engine::gate::Mode;
use purlin_engine::message::Origin;

use crate::page::Page;
use crate::view::ink::Ink;

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What stands on the screen.
    pub page: Page,
    /// The session, once one is open.
    pub session: Option<Opened>,
    /// What the session has spent.
    pub spent: Spent,
    /// What it had spent when it was opened, of which the engine does not know.
    pub earlier: Spent,
    /// What it had spent when the running turn began.
    pub before: Spent,
    /// What keeps the engine from being idle.
    pub busy: Busy,
    /// Messages sent that the engine has not yet said to the model. A turn that ends while some
    /// are left is followed by another.
    pub unsaid: usize,
    /// Whether the running turn has begun with its message. One that a listener blocked has not.
    pub begun: bool,
    /// Open questions; only the first is shown, and lines answer it. The engine asks one at a
    /// time, but a question must not be lost because another came.
    pub questions: VecDeque<Asked>,
    /// A line that was not sent because it looked like a command; `//` sends it.
    pub unsent: Option<String>,
    /// Whether the last key was Ctrl+C with nothing to stop: the next one leaves.
    pub warned: bool,
    /// Whether no further line can come.
    pub closed: bool,
}

impl State {
    /// Before a session is open.
    pub fn new(look: Look) -> Self {
        Self {
            page: Page::new(look),
            session: None,
            spent: unspent(),
            earlier: unspent(),
            before: unspent(),
            busy: Busy::Idle,
            unsaid: 0,
            begun: false,
            questions: VecDeque::new(),
            unsent: None,
            warned: false,
            closed: false,
        }
    }

    /// The mode, as the engine last told it.
    pub fn mode(&self) -> Mode {
        self.session.as_ref().map(|session| session.mode).unwrap_or_default()
    }
}

/// Nothing spent yet, at a known price.
pub fn unspent() -> Spent {
    Spent { dollars: Some(0.0), ..Spent::default() }
}

/// Where the text goes and where lines come from. The binary finds out; nothing here asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours may be used.
    pub ink: Ink,
    /// Where lines come from. A terminal shows what is typed; other lines are printed as they are
    /// read, and their end waits for the turn.
    pub input: Reach,
    /// Where the model's text goes. On a terminal it shares the screen with everything else, as it
    /// shares a file that both streams go to; elsewhere nothing but the text may get there.
    pub output: Reach,
}

/// Whether a stream is the person's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is.
    Terminal,
    /// A pipe or a file.
    Elsewhere,
}

/// What keeps the engine from being idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Nothing.
    Idle,
    /// A command was sent and what came of it is still to be told.
    Asked,
    /// A turn.
    Turn,
    /// A turn that was told to stop.
    Stopping,
    /// The person has left.
    Left,
}

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Whose call it is about.
    pub agent: AgentId,
    /// Names it in the answer.
    pub ask: AskId,
    /// What is asked.
    pub question: Question,
}

/// A session that was opened, new or old.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Its id.
    pub id: String,
    /// The name it was saved under.
    pub name: Option<String>,
    /// The model that will speak.
    pub model: Origin,
    /// Its mode.
    pub mode: Mode,
    /// Messages of the person so far; none in a new one, which is not on disk yet.
    pub messages: u64,
    /// What it has spent so far, all earlier runs included.
    pub spent: Spent,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The name it was saved under.
    pub name: Option<String>,
    /// When it was last written, in words.
    pub when: String,
    /// What it is about, such as its first message; or why it cannot be read.
    pub about: String,
}

/// What happens to a front end.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A line was entered, without its end. May hold several lines that came at once.
    Line(String),
    /// The engine told something.
    Told(Told),
    /// Ctrl+C.
    Interrupt,
    /// Ctrl+D, or the end of a pipe.
    EndOfInput,
    /// A session is open: the first, a new one, or an old one.
    Opened(Opened),
    /// The sessions there are, newest first.
    Sessions(Vec<Listed>),
    /// The session has this name now.
    Saved(String),
    /// What was to be done outside could not be done, in words for the person.
    Failed(String),
}
