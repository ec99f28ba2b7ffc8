//! The scripted model without a network: the engine's `Model` in the same process, for tests of
//! the loop. It says the same [`Reply`]s as the server; faults of the wire do not exist here.

use std::collections::BTreeSet;
use std::sync::Mutex;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use purlin_engine::message::{Body, Content, Item, Origin, Step, Stop, Usage, UserMessage};
use purlin_engine::model::{Delta, Model, ModelError, ModelInfo, Request};
use serde_json::Value;

use crate::latch::{Latch, hold};
use crate::reply::{Part, Reply, call_id, cut};

/// Letters in one delta: odd and small, so that no test depends on whole words.
const PIECE: usize = 7;

/// What the model does with one request.
#[derive(Clone, Debug)]
pub enum Said {
    /// A reply and its end.
    Reply(Reply),
    /// A reply that breaks with an error before its end.
    Broken(Reply, ModelError),
    /// A reply whose stream ends without its end.
    Silent(Reply),
    /// A reply that stops and never goes on.
    Hanging(Reply),
    /// These very deltas.
    Deltas(Vec<Result<Delta, ModelError>>),
}

impl From<Reply> for Said {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl From<ModelError> for Said {
    fn from(error: ModelError) -> Self {
        Self::Deltas(vec![Err(error)])
    }
}

type Author = Box<dyn Fn(&Request) -> Said + Send + Sync>;

/// A model that says what it is told to.
pub struct Scripted {
    info: ModelInfo,
    author: Author,
    requests: Mutex<Vec<Request>>,
    complaints: Mutex<Vec<String>>,
}

impl Scripted {
    /// Says these, one a request; after the last it refuses.
    pub fn new(rounds: impl IntoIterator<Item = impl Into<Said>>) -> Self {
        let rounds: Vec<Said> = rounds.into_iter().map(Into::into).collect();
        let rest = Mutex::new(rounds.into_iter());
        Self::by(move |_| {
            let refused = || ModelError::Refused("the script has no round for it".to_owned());
            hold(&rest).next().unwrap_or_else(|| refused().into())
        })
    }

    /// Says what this function makes of each request.
    pub fn by(author: impl Fn(&Request) -> Said + Send + Sync + 'static) -> Self {
        let origin = Origin { provider: "testkit".to_owned(), model: "scripted".to_owned() };
        Self {
            info: ModelInfo { origin, window: 128_000, output_limit: 8_000, price: None },
            author: Box::new(author),
            requests: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    /// The same model with other facts about it.
    #[must_use]
    pub fn with_info(mut self, change: impl FnOnce(&mut ModelInfo)) -> Self {
        change(&mut self.info);
        self
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        hold(&self.requests).clone()
    }

    /// What was wrong with the requests so far.
    pub fn complaints(&self) -> Vec<String> {
        hold(&self.complaints).clone()
    }
}

impl Model for Scripted {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>> {
        let number = self.record(&request);
        let tokens = |reply: &Reply| reply.tokens(prompt_bytes(&request));
        let beats = match (self.author)(&request) {
            Said::Reply(reply) => {
                let end = Beat::Delta(Ok(end(&reply, tokens(&reply))));
                beats(&reply, number).chain([end]).collect()
            }
            Said::Broken(reply, error) => {
                beats(&reply, number).chain([Beat::Delta(Err(error))]).collect()
            }
            Said::Silent(reply) => beats(&reply, number).collect(),
            Said::Hanging(reply) => {
                beats(&reply, number).chain([Beat::Wait(Latch::new())]).collect()
            }
            Said::Deltas(deltas) => deltas.into_iter().map(Beat::Delta).collect::<Vec<_>>(),
        };
        stream::iter(beats).filter_map(play).boxed()
    }
}

impl Scripted {
    /// Keeps the request and what is wrong with it; returns its number, counting from one.
    fn record(&self, request: &Request) -> usize {
        let mut requests = hold(&self.requests);
        let number = requests.len() + 1;
        requests.push(request.clone());
        let named = complaints(request).into_iter().map(|why| format!("request {number}: {why}"));
        hold(&self.complaints).extend(named);
        number
    }
}

/// What is wrong with a conversation as a wire would have to send it. That every call has its
/// answer needs no check: an item without one cannot be built.
pub fn complaints(request: &Request) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    let mut keys = BTreeSet::new();
    // Whether the last item was a step without calls: nothing is asked after it.
    let mut spoken = true;
    for (at, (key, item)) in request.items.iter().enumerate() {
        let mut complain = |why: &str| wrong.push(format!("items[{at}]: {why}"));
        if !keys.insert(*key) {
            complain("the key of another item");
        }
        match &**item {
            Item::User(message) => {
                if is_empty(message) {
                    complain("a message that says nothing");
                }
                spoken = false;
            }
            Item::Step(step) => {
                if spoken {
                    complain("a step that nobody asked for");
                }
                check_step(step, &mut ids, &mut complain);
                spoken = step.reply().calls().next().is_none();
            }
        }
    }
    if spoken {
        wrong.push("the request asks nothing".to_owned());
    }
    wrong
}

fn check_step(step: &Step, ids: &mut BTreeSet<String>, complain: &mut impl FnMut(&str)) {
    let says = |body: &Body| match body {
        Body::Text(text) => !text.is_empty(),
        Body::Thinking(_) => false,
        Body::Call(_) | Body::Opaque(_) => true,
    };
    if !step.reply().blocks.iter().any(|block| says(&block.body)) {
        complain("a reply that says nothing");
    }
    for call in step.reply().calls() {
        if call.id.is_empty() {
            complain("a call without an id");
        }
        if !ids.insert(call.id.clone()) {
            complain(&format!("another call has the id {:?}", call.id));
        }
    }
}

fn is_empty(message: &UserMessage) -> bool {
    let empty = |content: &Content| matches!(content, Content::Text(text) if text.is_empty());
    message.content.iter().all(empty)
}

/// A piece of a stream, or a silence in it.
enum Beat {
    Delta(Result<Delta, ModelError>),
    Pause(std::time::Duration),
    Wait(Latch),
    Reached(Latch),
}

async fn play(beat: Beat) -> Option<Result<Delta, ModelError>> {
    match beat {
        Beat::Delta(delta) => return Some(delta),
        // A timer would tie the engine's tests to a runtime; a thread's clock serves any.
        Beat::Pause(time) => {
            let over = Latch::new();
            let waking = over.clone();
            std::thread::spawn(move || {
                std::thread::sleep(time);
                waking.open();
            });
            over.opened().await;
        }
        Beat::Wait(latch) => latch.opened().await,
        Beat::Reached(latch) => latch.open(),
    }
    None
}

fn beats(reply: &Reply, number: usize) -> impl Iterator<Item = Beat> {
    let mut beats = Vec::new();
    let mut calls = 0;
    for part in &reply.parts {
        match part {
            Part::Text(text) => beats.extend(pieces(text, Delta::Text)),
            Part::Thinking(text) => beats.extend(pieces(text, Delta::Thinking)),
            Part::Call { id, name, args } => {
                let id = id.clone().unwrap_or_else(|| call_id(number, calls));
                calls += 1;
                beats.push(Beat::Delta(Ok(Delta::Call { id, name: name.clone() })));
                beats.extend(pieces(args, Delta::Args));
                // A wire says so when the arguments close, not when they are cut.
                if serde_json::from_str::<Value>(args).is_ok() {
                    beats.push(Beat::Delta(Ok(Delta::CallDone)));
                }
            }
            Part::Delta(delta) => beats.push(Beat::Delta(Ok(Delta::Opaque(delta.clone())))),
            Part::Pause(time) => beats.push(Beat::Pause(*time)),
            Part::Wait(latch) => beats.push(Beat::Wait(latch.clone())),
            Part::Reached(latch) => beats.push(Beat::Reached(latch.clone())),
        }
    }
    beats.into_iter()
}

fn pieces(text: &str, delta: impl Fn(String) -> Delta) -> impl Iterator<Item = Beat> {
    cut(text, PIECE).map(move |piece| Beat::Delta(Ok(delta(piece.to_owned()))))
}

fn end(reply: &Reply, (prompt, completion): (u64, u64)) -> Delta {
    let usage = Usage { input: prompt, output: completion, ..Usage::default() };
    let stop = match reply.finish_reason().as_str() {
        "stop" | "tool_calls" => Stop::End,
        "length" => Stop::Length,
        reason => Stop::Refused(reason.to_owned()),
    };
    Delta::End { usage, stop }
}

/// About as many bytes as a wire would send.
fn prompt_bytes(request: &Request) -> u64 {
    let tools =
        request.tools.iter().map(|tool| tool.description.len() + tool.schema.to_string().len());
    let items = request.items.iter().map(|(_, item)| item_bytes(item));
    (request.system.len() + tools.sum::<usize>() + items.sum::<usize>()) as u64
}

fn item_bytes(item: &Item) -> usize {
    let content = |content: &[Content]| purlin_engine::message::plain(content).len();
    let body = |body: &Body| match body {
        Body::Text(text) | Body::Thinking(text) => text.len(),
        Body::Call(call) => call.name.len() + call.args.len(),
        Body::Opaque(value) => value.to_string().len(),
    };
    match item {
        Item::User(message) => content(&message.content),
        Item::Step(step) => {
            let said: usize = step.reply().blocks.iter().map(|block| body(&block.body)).sum();
            said + step.answers().map(|(_, output)| content(&output.content)).sum::<usize>()
        }
    }
}
