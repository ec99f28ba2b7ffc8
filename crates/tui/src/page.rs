//! What stands on the screen so far, as much as the next line depends on it.
//!
//! The model's text goes to one stream and all talk about it to another; on a terminal they share
//! a screen. A line of talk must not begin in the middle of a line of text, and a file that gets
//! the text must get nothing else.

use std::collections::HashMap;
use std::mem;
use std::path::PathBuf;

use purlin_engine::effect::Effect;
use purlin_engine::event::AgentId;

use crate::state::{Look, Reach};
use crate::view::plain::plain;

/// A stream of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: the model's text and nothing else.
    Out,
    /// Standard error: everything else.
    Err,
}

/// A piece of text for a stream, to be written as it is and flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    /// Where to.
    pub to: Stream,
    /// What.
    pub text: String,
}

impl Print {
    /// Something that is not the model's text.
    pub fn talk(text: impl Into<String>) -> Self {
        Self { to: Stream::Err, text: text.into() }
    }
}

/// What the page is of; it decides what a person can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Lines can follow.
    Conversation,
    /// One turn, and the program ends.
    OneShot,
}

/// What stands on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Where the text goes and where lines come from.
    pub look: Look,
    /// Whether somebody can go on from here.
    pub setting: Setting,
    /// The project's root: paths inside are shown from there. Empty, they are shown as they are.
    pub root: PathBuf,
    /// Whether the model's text is in the middle of a line.
    text_open: bool,
    talk: Talk,
    /// Calls of this turn, so that an answer finds its title.
    pub(crate) calls: HashMap<CallKey, Seen>,
    /// The call whose title is the last line printed: its answer needs no title of its own.
    pub(crate) last: Option<CallKey>,
    /// Sub-agents in the order they were met; their place is their short name.
    agents: Vec<AgentId>,
}

/// A call's id is unique only among the calls of its agent.
pub(crate) type CallKey = (AgentId, String);

/// What was seen of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The title, or the tool's name as long as there is no title.
    pub title: String,
    /// What it would touch, once it has said so.
    pub effect: Option<Effect>,
    /// Whether the person was asked, and so has seen all that it would change.
    pub asked: bool,
}

/// Where the talk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Talk {
    /// At the start of a line.
    Start,
    /// Behind some of the model's thinking.
    Thinking,
    /// Behind the prompt, where the person types.
    Prompt,
}

impl Page {
    /// An empty one.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            setting: Setting::Conversation,
            root: PathBuf::new(),
            text_open: false,
            talk: Talk::Start,
            calls: HashMap::new(),
            last: None,
            agents: Vec::new(),
        }
    }

    /// Whole lines of talk, below whatever stands there.
    pub fn lines(&mut self, text: &str) -> Vec<Print> {
        let mut prints = self.fresh();
        self.last = None;
        prints.push(Print::talk(format!("{text}\n")));
        prints
    }

    /// The same for one of the agents: each line says whose it is.
    pub fn lines_of(&mut self, agent: &AgentId, text: &str) -> Vec<Print> {
        let Some(name) = self.name(agent) else { return self.lines(text) };
        let lines: Vec<String> = text.lines().map(|line| format!("  [{name}] {line}")).collect();
        self.lines(&lines.join("\n"))
    }

    /// A piece of the model's text.
    pub fn text(&mut self, piece: &str) -> Vec<Print> {
        let mut prints = match mem::replace(&mut self.talk, Talk::Start) {
            Talk::Start => Vec::new(),
            Talk::Thinking | Talk::Prompt => vec![Print::talk("\n")],
        };
        self.last = None;
        if let Some(end) = piece.chars().last() {
            self.text_open = end != '\n';
            prints.push(Print { to: Stream::Out, text: plain(piece) });
        }
        prints
    }

    /// A piece of the model's thinking. Dimmed, and named: colour alone says nothing.
    pub fn thinking(&mut self, piece: &str) -> Vec<Print> {
        let ink = self.look.ink;
        let mut prints = Vec::new();
        if self.talk != Talk::Thinking {
            prints = self.fresh();
            prints.push(Print::talk(ink.dim("thinking: ")));
        }
        self.last = None;
        self.talk = Talk::Thinking;
        prints.push(Print::talk(ink.dim(&plain(piece))));
        prints
    }

    /// Ends the model's text, as at the end of a reply.
    pub fn end_text(&mut self) -> Vec<Print> {
        match mem::take(&mut self.text_open) {
            true => vec![Print { to: Stream::Out, text: "\n".to_owned() }],
            false => Vec::new(),
        }
    }

    /// The prompt, unless it stands there already.
    pub fn prompt(&mut self, prompt: &str) -> Vec<Print> {
        if self.talk == Talk::Prompt {
            return Vec::new();
        }
        let mut prints = self.fresh();
        self.last = None;
        self.talk = Talk::Prompt;
        prints.push(Print::talk(prompt));
        prints
    }

    /// The person entered a line. A terminal has shown it and stands at the start of the next.
    pub fn entered(&mut self, prompt: &str, line: &str) -> Vec<Print> {
        self.last = None;
        let mut prints = Vec::new();
        if self.look.input == Reach::Elsewhere {
            prints = self.prompt(prompt);
            prints.push(Print::talk(format!("{}\n", plain(line))));
        }
        self.talk = Talk::Start;
        if self.look.output == Reach::Terminal {
            self.text_open = false;
        }
        prints
    }

    /// Ends whatever line is open on the screen. A file that gets the text is not told.
    pub fn fresh(&mut self) -> Vec<Print> {
        let behind_text = self.text_open && self.look.output == Reach::Terminal;
        if behind_text {
            self.text_open = false;
        }
        match mem::replace(&mut self.talk, Talk::Start) {
            Talk::Start if !behind_text => Vec::new(),
            Talk::Start | Talk::Thinking | Talk::Prompt => vec![Print::talk("\n")],
        }
    }

    /// Forgets the turn's calls.
    pub(crate) fn end_turn(&mut self) {
        self.calls.clear();
        self.last = None;
    }

    /// The short name of a sub-agent; nothing for the session's own.
    pub(crate) fn name(&mut self, agent: &AgentId) -> Option<String> {
        if agent.is_main() {
            return None;
        }
        let known = self.agents.iter().position(|known| known == agent);
        let place = known.unwrap_or_else(|| {
            self.agents.push(agent.clone());
            self.agents.len() - 1
        });
        Some(format!("a{}", place + 1))
    }
}
