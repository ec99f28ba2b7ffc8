//! Writing down what happens, so that the same events always become the same text: answers in the
//! order of their calls, no times, no places.

use std::collections::HashMap;

use purlin_engine::effect::Claim;
use purlin_engine::event::{AgentId, Ended, Question, Tier};
use purlin_engine::gate::Preview;
use purlin_engine::listen::Change;
use purlin_engine::message::{Output, Stop, plain};
use purlin_engine::model::Delta;

use super::script::WORDS;
use crate::world::World;

/// Lines shown of an answer.
const SHOWN: usize = 12;

/// The story as it goes.
pub(super) struct Page {
    text: String,
    /// What differs from run to run, and what stands for it.
    places: Vec<(String, &'static str)>,
    agents: HashMap<AgentId, Speech>,
}

/// What one agent is saying, and the calls of what it said last.
#[derive(Default)]
struct Speech {
    said: Vec<Said>,
    calls: Vec<Call>,
    cut: bool,
}

enum Said {
    Text(String),
    Call { name: String, args: String },
}

struct Call {
    id: String,
    title: String,
    answer: Option<String>,
}

impl Page {
    pub(super) fn new(world: &World) -> Self {
        let real = |path: std::path::PathBuf| path.canonicalize().unwrap_or(path);
        let (project, home) = (real(world.project()), real(world.home()));
        let above = project.parent().unwrap_or(&project).to_path_buf();
        let places = [(project, "."), (home, "~"), (above, "..")];
        let places = places.map(|(place, short)| (place.display().to_string(), short)).to_vec();
        Self { text: String::new(), places, agents: HashMap::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// A line of the session's own agent, below the answers so far.
    pub(super) fn main(&mut self, kind: &str, words: &str) {
        self.line(&AgentId::default(), kind, words);
    }

    /// A line of an agent, below the answers so far.
    pub(super) fn line(&mut self, of: &AgentId, kind: &str, words: &str) {
        self.answers(of);
        self.write(of, kind, words);
    }

    pub(super) fn person(&mut self, words: &str) {
        self.answers(&AgentId::default());
        self.text.push('\n');
        self.main("person", words);
    }

    pub(super) fn delta(&mut self, of: &AgentId, delta: &Delta) {
        if self.agents.entry(of.clone()).or_default().said.is_empty() {
            self.answers(of);
        }
        let speech = self.agents.entry(of.clone()).or_default();
        match delta {
            Delta::Text(text) => match speech.said.last_mut() {
                Some(Said::Text(said)) => said.push_str(text),
                Some(Said::Call { .. }) | None => speech.said.push(Said::Text(text.clone())),
            },
            Delta::Call { id, name } => {
                let (id, title) = (id.clone(), name.clone());
                speech.calls.push(Call { id, title, answer: None });
                speech.said.push(Said::Call { name: name.clone(), args: String::new() });
            }
            Delta::Args(piece) => {
                if let Some(Said::Call { args, .. }) = speech.said.last_mut() {
                    args.push_str(piece);
                }
            }
            Delta::End { stop, .. } => speech.cut = *stop == Stop::Length,
            Delta::Open(_)
            | Delta::Thinking(_)
            | Delta::Opaque(_)
            | Delta::Seal(_)
            | Delta::CallDone
            | Delta::Void { .. }
            | Delta::Restart { .. } => (),
        }
    }

    /// What is being said, when it is nothing but text.
    pub(super) fn spoken(&self, of: &AgentId) -> String {
        match self.agents.get(of).map(|speech| speech.said.as_slice()) {
            Some([Said::Text(text)]) => text.clone(),
            Some(_) | None => String::new(),
        }
    }

    pub(super) fn replied(&mut self, of: &AgentId) {
        let Some(speech) = self.agents.get_mut(of) else { return };
        let (said, cut) = (std::mem::take(&mut speech.said), std::mem::take(&mut speech.cut));
        for said in said {
            match said {
                Said::Text(text) => self.write(of, "model", &text),
                Said::Call { name, args } => self.write(of, "model", &format!("{name} {args}")),
            }
        }
        if cut {
            self.write(of, "finish", "length");
        }
    }

    /// The stream broke off, and what it said is forgotten.
    pub(super) fn cut(&mut self, of: &AgentId) {
        self.replied(of);
        self.write(of, "cut", "");
        if let Some(speech) = self.agents.get_mut(of) {
            speech.calls.clear();
        }
    }

    pub(super) fn interrupted(&mut self) {
        let main = AgentId::default();
        self.replied(&main);
        self.write(&main, "interrupt", "");
    }

    pub(super) fn title(&mut self, of: &AgentId, claim: &Claim) {
        if let Some(call) = self.call(of, &claim.call.id) {
            call.title.clone_from(&claim.title);
        }
    }

    pub(super) fn asked(&mut self, of: &AgentId, question: &Question, answer: &str) {
        let (title, shown) = match question {
            Question::Permit { claim, preview, .. } => {
                self.title(of, claim);
                let shown = match preview {
                    Some(Preview::Diff(text)) => format!("\n{}", text.trim_end()),
                    Some(Preview::Text(_)) | None => String::new(),
                };
                (claim.title.clone(), shown)
            }
            Question::Choose { text, .. } => (text.clone(), String::new()),
        };
        self.write(of, "ask", &format!("{title} → {answer}{shown}"));
    }

    pub(super) fn answered(&mut self, of: &AgentId, id: &str, output: &Output) {
        let text = plain(&output.content);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let more = lines.len().saturating_sub(SHOWN);
        let mut shown: Vec<String> = lines.iter().take(SHOWN).map(|line| timeless(line)).collect();
        if more > 0 {
            shown.push(format!("… {more} more lines"));
        }
        let failed = if output.failed { " failed" } else { "" };
        if let Some(call) = self.call(of, id) {
            let title = call.title.lines().next().unwrap_or_default();
            call.answer = Some(format!("{title}{failed}\n{}", shown.join("\n")));
        }
    }

    pub(super) fn compacted(&mut self, tier: Tier, summary: Option<&str>) {
        match (tier, summary) {
            (Tier::Summarise, Some(summary)) => self.main("recap", summary),
            (Tier::Summarise | Tier::Trim | Tier::Collapse, _) => (),
        }
        self.main("room", &format!("{tier:?}").to_lowercase());
    }

    pub(super) fn undone(&mut self, changes: &[Change]) {
        let paths: Vec<_> = changes.iter().map(|c| c.path.display().to_string()).collect();
        self.main("undone", &paths.join(", "));
    }

    pub(super) fn ended(&mut self, of: &AgentId, ended: &Ended) {
        self.replied(of);
        let value = serde_json::to_value(ended).unwrap_or_default();
        let (end, why) = (value["end"].as_str(), value["why"].as_str());
        let words = [end, why].into_iter().flatten().collect::<Vec<_>>().join(": ");
        self.line(of, "end", &words);
    }

    fn call(&mut self, of: &AgentId, id: &str) -> Option<&mut Call> {
        self.agents.get_mut(of)?.calls.iter_mut().find(|call| call.id == id)
    }

    /// Writes the answers that have come, in the order of their calls.
    fn answers(&mut self, of: &AgentId) {
        let Some(speech) = self.agents.get_mut(of) else { return };
        for call in std::mem::take(&mut speech.calls) {
            match call.answer {
                Some(answer) => self.write(of, "tool", &answer),
                None => self.agents.entry(of.clone()).or_default().calls.push(call),
            }
        }
    }

    fn write(&mut self, of: &AgentId, kind: &str, words: &str) {
        let depth = if of.is_main() { 0 } else { 2 };
        let mut words = words.to_owned();
        for (place, short) in &self.places {
            words = words.replace(place, short);
        }
        for (number, line) in words.lines().chain(words.is_empty().then_some("")).enumerate() {
            let label = if number == 0 { format!("{kind}:") } else { String::new() };
            let whole = format!("{:depth$}{label:WORDS$}{line}", "");
            self.text.push_str(whole.trim_end());
            self.text.push('\n');
        }
    }
}

/// A line without how long something took.
fn timeless(line: &str) -> String {
    let split = line.strip_prefix("[exit ").and_then(|rest| rest.split_once(" in "));
    match split.and_then(|(code, rest)| Some((code, rest.split_once(" s")?.1))) {
        Some((code, after)) => format!("[exit {code}{after}"),
        None => line.to_owned(),
    }
}
