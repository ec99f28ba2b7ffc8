//! The library's front door: an agent to talk to.

use std::sync::Arc;

use futures::future::{BoxFuture, Either, select};
use purlin_engine::desk::Asks;
use purlin_engine::driver::{Events, Handle};
use purlin_engine::event::{Command, Ended, Event, Told};
use purlin_engine::message::UserMessage;
use purlin_engine::tool::Tool;

use crate::answer::Answer;
use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::llm::Llm;
use crate::wire::{Ours, Toolset, Which, Wired, wire};

/// An agent in a folder. Nobody is there to be asked, so what would ask is refused, unless its
/// configuration says yes to everything.
pub struct Agent {
    llm: Llm,
    config: Result<Config, Fatal>,
    tools: Toolset,
    running: Option<Ends>,
    watch: Box<dyn FnMut(&Told) + Send>,
}

/// The ends of an agent that a front end holds: a terminal, a JSON stream, an editor and a web page
/// are four functions over the same commands and events.
pub struct Ends {
    /// Commands in. Dropping it ends the agent.
    pub handle: Handle,
    /// Events out.
    pub events: Events,
    /// The agent itself; it runs while this is polled.
    pub agent: BoxFuture<'static, ()>,
}

impl Agent {
    /// An agent with the seven tools, in the current directory, with what the environment says.
    pub fn new(llm: Llm) -> Self {
        let (config, tools) = (Config::from_env(), Toolset::default());
        Self { llm, config, tools, running: None, watch: Box::new(|_| ()) }
    }

    /// The same agent with this configuration.
    #[must_use]
    pub fn with(self, config: Config) -> Self {
        Self { config: Ok(config), ..self }
    }

    /// The same agent with one more tool.
    #[must_use]
    pub fn with_tool(mut self, tool: impl Tool + 'static) -> Self {
        self.tools.own.push(Arc::new(tool));
        self
    }

    /// The same agent with these tools and no others.
    #[must_use]
    pub fn with_tools(self, own: Vec<Arc<dyn Tool>>) -> Self {
        Self { tools: Toolset { ours: Ours::None, own }, ..self }
    }

    /// The same agent without those of the seven tools that can change anything.
    #[must_use]
    pub fn read_only(self) -> Self {
        let own = self.tools.own;
        Self { tools: Toolset { ours: Ours::ReadOnly, own }, ..self }
    }

    /// The same agent, with every event shown to `watch` as it happens.
    #[must_use]
    pub fn watched(self, watch: impl FnMut(&Told) + Send + 'static) -> Self {
        Self { watch: Box::new(watch), ..self }
    }

    /// One turn: says this to the model and returns its last words. The conversation goes on with
    /// the next call. Dropping the future leaves the turn to the next call, which waits for it.
    ///
    /// # Errors
    /// When the turn does not end well; the code says how it ended.
    pub async fn chat(&mut self, text: &str) -> Result<String, Fatal> {
        if self.running.is_none() {
            self.running = Some(self.start(Asks::Nobody)?);
        }
        let Some(running) = &mut self.running else { return Ok(String::new()) };
        let _ = running.handle.send(Command::Prompt(UserMessage::person(text)));
        let mut answer = Answer::default();
        loop {
            let told = match select(running.agent.as_mut(), Box::pin(running.events.recv())).await {
                Either::Right((Some(told), _)) => told,
                Either::Left(_) | Either::Right((None, _)) => {
                    return Err(Fatal::new(Code::Failed, "the agent is gone"));
                }
            };
            (self.watch)(&told);
            if !told.agent.is_main() {
                continue;
            }
            if let Event::Ended(ended) = &told.event {
                return finished(ended, answer.text);
            }
            answer.take(&told.event);
        }
    }

    /// The ends of this agent, for a front end of your own. Somebody is there to be asked: each
    /// question is an event, and waits for its answer.
    ///
    /// # Errors
    /// When its session cannot be begun.
    pub fn ends(self) -> Result<Ends, Fatal> {
        self.start(Asks::Person)
    }

    fn start(&self, asks: Asks) -> Result<Ends, Fatal> {
        let config = match &self.config {
            Ok(config) => config,
            Err(fatal) => return Err(Fatal::new(fatal.code, fatal.why.clone())),
        };
        let Wired { handle, events, agent, .. } =
            wire(config, &self.llm, Which::New, asks, self.tools.clone())?;
        Ok(Ends { handle, events, agent })
    }
}

fn finished(ended: &Ended, answer: String) -> Result<String, Fatal> {
    match ended {
        Ended::Done => Ok(answer),
        Ended::Interrupted => Err(Fatal::new(Code::Interrupted, "interrupted")),
        Ended::Limit(why)
        | Ended::Budget(why)
        | Ended::Repetition(why)
        | Ended::Refused(why)
        | Ended::Auth(why)
        | Ended::Provider(why)
        | Ended::Failed(why) => Err(Fatal::new(Code::of(ended), why.clone())),
    }
}
