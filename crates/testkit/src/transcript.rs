//! Transcripts: a conversation told as a story, script and expectation in one file.
//!
//! ```text
//! # What the story shows.
//! file:   a.rs
//!         fn foo() {}
//!
//! person: rename foo to bar
//! model:  edit_file {"path":"a.rs","old_string":"foo","new_string":"bar"}
//! ask:    edit a.rs → yes
//! tool:   edit a.rs
//!         ...
//! model:  Done.
//! end:    done
//! left:   a.rs
//!         fn bar() {}
//! ```
//!
//! A line has a kind and words; further lines of it are indented as far as the words. What belongs
//! to a sub-agent is indented by two. These kinds are the script:
//! - `file` at the top: what is there; `person`: says this, or one of `/undo`, `/compact`, `/plan`
//! - `model`: text, or a call as `tool {arguments}`; lines that follow each other are one reply
//! - `cut` and `finish` below a reply: its stream breaks off, or it ends for that reason
//! - `recap`: what the model writes when it is asked for one
//! - behind the arrow of an `ask`: the answer; `steer` below it: said before the answer
//! - `interrupt` below a reply: the person stops its text, or the call it has just begun
//!
//! All others are what happened. A story is played into the text it should have been; a file that
//! holds exactly that text passes, and the text is the new file where the change was meant.

mod page;
mod script;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, Either, select};
use purlin_engine::driver::{Events, Handle};
use purlin_engine::event::{AskId, Command, Decision, Event, Told};
use purlin_engine::message::{Source, UserMessage, plain};
use purlin_engine::model::Delta;
use serde_json::Value;

use self::page::Page;
use self::script::{Answer, Stop, Story};
use crate::server::Server;
use crate::world::World;

/// An agent for a story: commands in, events out, and what runs while it is polled.
pub struct Ends {
    /// Commands in.
    pub handle: Handle,
    /// Events out.
    pub events: Events,
    /// The agent.
    pub agent: BoxFuture<'static, ()>,
}

/// Plays a story with the agent that `start` makes for a world and a server's address. Returns the
/// story as it went.
///
/// # Panics
/// When the story makes no sense.
pub async fn play(text: &str, start: impl FnOnce(&World, &str) -> Ends) -> String {
    let story = Story::read(text);
    let world = World::new();
    for (name, contents) in &story.files {
        world.file(name, contents);
    }
    let server = Server::start(story.script()).unwrap_or_else(|why| panic!("a server: {why}"));
    let Ends { handle, mut events, mut agent } = start(&world, &server.url());
    let mut player = Player::new(story, handle, &world);
    player.advance();
    let mut ended = false;
    loop {
        let told = if ended {
            events.recv().await
        } else {
            match select(Box::pin(events.recv()), &mut agent).await {
                Either::Left((told, _)) => told,
                Either::Right(((), _)) => {
                    ended = true;
                    continue;
                }
            }
        };
        match told {
            Some(told) => player.hear(&told),
            None => break,
        }
    }
    player.finish(&world, &server)
}

/// Says the person's part, and writes down what happens.
struct Player {
    story: Story,
    handle: Option<Handle>,
    prompts: VecDeque<String>,
    page: Page,
}

impl Player {
    fn new(story: Story, handle: Handle, world: &World) -> Self {
        let page = Page::new(world);
        Self { story, handle: Some(handle), prompts: VecDeque::new(), page }
    }

    /// What the person says next; nothing more, and the agent may end.
    fn advance(&mut self) {
        while let Some(words) = self.story.person.pop_front() {
            let Some(commands) = slash(&words) else {
                self.send(Command::Prompt(UserMessage::person(&words)));
                self.prompts.push_back(words);
                return;
            };
            self.page.person(&words);
            commands.into_iter().for_each(|command| self.send(command));
        }
        self.handle = None;
    }

    fn send(&self, command: Command) {
        if let Some(handle) = &self.handle {
            let _ = handle.send(command);
        }
    }

    fn hear(&mut self, told: &Told) {
        let of = &told.agent;
        match &told.event {
            Event::Said(message) => self.said(told, message),
            Event::Delta(Delta::Restart { .. }) => self.page.cut(of),
            Event::Delta(delta) => {
                self.page.delta(of, delta);
                let spoken = self.page.spoken(of);
                self.stop(|stop| matches!(stop, Stop::Text(text) if *text == spoken));
            }
            Event::Replied => self.page.replied(of),
            Event::Started { claim } => {
                self.page.title(of, claim);
                self.stop(|stop| matches!(stop, Stop::Call(args) if *args == claim.call.args));
            }
            Event::Ask { ask, question } => self.asked(told, *ask, question),
            Event::Answered { call, output } => self.page.answered(of, call, output),
            Event::Compacted { tier, .. } => {
                let summary = self.story.summaries.pop_front();
                self.page.compacted(*tier, summary.as_deref());
            }
            Event::Changed { call, changes } if call.is_empty() => self.page.undone(changes),
            Event::State { key, value } if key == "mode" => {
                let mode = value.as_str().unwrap_or("off");
                self.page.line(of, "mode", mode);
            }
            Event::Notice(text) => self.page.line(of, "note", text),
            Event::Ended(ended) => {
                self.page.ended(of, ended);
                if of.is_main() {
                    self.advance();
                }
            }
            Event::Progress { .. }
            | Event::Changed { .. }
            | Event::Usage(_)
            | Event::State { .. }
            | Event::Model(_)
            | Event::Diff(_) => (),
        }
    }

    fn said(&mut self, told: &Told, message: &UserMessage) {
        let words = plain(&message.content);
        match message.source {
            Source::Person if self.prompts.front() == Some(&words) => {
                self.prompts.pop_front();
                self.page.person(&words);
            }
            // Facts of the place differ from run to run.
            Source::Reminder if words.starts_with('[') => (),
            Source::Reminder | Source::Hook => self.page.line(&told.agent, "told", &words),
            Source::Person | Source::Summary | Source::Task => (),
        }
    }

    fn asked(&mut self, told: &Told, ask: AskId, question: &purlin_engine::event::Question) {
        let unprepared = || Answer { words: "no".to_owned(), steer: Vec::new() };
        let Answer { words, steer } = self.story.answers.pop_front().unwrap_or_else(unprepared);
        self.page.asked(&told.agent, question, &words);
        for words in steer {
            self.page.line(&told.agent, "steer", &words);
            self.send(Command::Steer(UserMessage::person(words)));
        }
        let decision = match words.as_str() {
            "interrupt" => return self.send(Command::Interrupt),
            "yes" => Decision::Yes,
            "always" => Decision::Always,
            "no" => Decision::No(None),
            words => Decision::No(Some(words.to_owned())),
        };
        self.send(Command::Answer { ask, decision });
    }

    /// Interrupts where the story says so.
    fn stop(&mut self, here: impl FnOnce(&Stop) -> bool) {
        if self.story.stops.front().is_some_and(here) {
            self.story.stops.pop_front();
            self.page.interrupted();
            self.send(Command::Interrupt);
        }
    }

    fn finish(mut self, world: &World, server: &Server) -> String {
        for why in server.violations() {
            self.page.main("wrong", &why);
        }
        let unsaid = server.rounds_left();
        if unsaid > 0 {
            self.page.main("unsaid", &format!("{unsaid} replies of the model"));
        }
        let mut left = BTreeMap::new();
        collect(&world.project(), &world.project(), &mut left);
        for (name, _) in &self.story.files {
            left.entry(name.clone()).or_insert_with(|| "(gone)".to_owned());
        }
        for (name, contents) in left {
            let before = self.story.files.iter().find(|(known, _)| *known == name);
            if before.is_none_or(|(_, before)| *before != contents) {
                self.page.main("left", &format!("{name}\n{}", contents.trim_end()));
            }
        }
        let mut text = self.story.top;
        let _ = write!(text, "{}", self.page.text());
        text
    }
}

/// The commands behind a word with a slash.
fn slash(words: &str) -> Option<Vec<Command>> {
    let mode = |value| Command::Set { key: "mode".to_owned(), value };
    match words {
        "/undo" => Some(vec![Command::Undo]),
        "/compact" => Some(vec![Command::Compact]),
        "/plan" => Some(vec![mode(Value::from("plan"))]),
        "/plan off" => Some(vec![mode(Value::Null)]),
        _ => None,
    }
}

fn collect(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).collect::<Vec<PathBuf>>() {
        if path.is_dir() {
            collect(root, &path, into);
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let bytes = fs::read(&path).unwrap_or_default();
        into.insert(name, String::from_utf8_lossy(&bytes).into_owned());
    }
}
