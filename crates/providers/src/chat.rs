//! Chat Completions: the format nearly every server speaks, and nearly none exactly.
//!
//! Below this file: [`decode`] reads a reply (its parts are `args`, `calls`, `order`), `encode`
//! writes a request, `memory` keeps the bytes of items, `params` what the server rejected.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use purlin_engine::message::Origin;
use purlin_engine::model::{Delta, Model, ModelError, ModelInfo, Request};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, Url};
use serde_json::{Map, Value};
use tokio::time::timeout;

mod args;
mod calls;
pub mod decode;
mod encode;
mod memory;
mod order;
mod params;

use crate::body::{Body, Rest};
use crate::fail;
use crate::vendor::Endpoint;
use decode::Decoder;
use memory::Memory;
use params::Learned;

/// The most of an error's body that is read.
const ERROR_BODY: usize = 64 << 10;

/// How long silence may last. There is no limit on the whole: a reply may take what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the first byte of the body. Models think before they speak.
    pub first: Duration,
    /// Between two pieces of the body, comments included.
    pub idle: Duration,
    /// After the finish reason, when only the count and the end marker are missing. Servers that
    /// send neither keep the connection open.
    pub tail: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first: Duration::from_mins(10),
            idle: Duration::from_mins(2),
            tail: Duration::from_secs(2),
        }
    }
}

/// A model behind a Chat Completions address.
pub struct Chat {
    info: ModelInfo,
    wire: Arc<Wire>,
}

/// What a call in flight shares with its model.
struct Wire {
    client: Client,
    endpoint: Endpoint,
    limits: Limits,
    origin: Origin,
    memory: Mutex<Memory>,
    learned: Mutex<Learned>,
}

impl Chat {
    /// A model at an endpoint, asked through a client.
    pub fn new(client: Client, endpoint: Endpoint, limits: Limits) -> Self {
        let origin = Origin { provider: endpoint.provider.clone(), model: endpoint.model.clone() };
        let info = ModelInfo {
            origin: origin.clone(),
            window: endpoint.window,
            output_limit: endpoint.output_limit,
            price: endpoint.price,
        };
        let (memory, learned) = (Mutex::default(), Mutex::default());
        Self { info, wire: Arc::new(Wire { client, endpoint, limits, origin, memory, learned }) }
    }
}

impl Model for Chat {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>> {
        let wire = Arc::clone(&self.wire);
        let opened = async move {
            match wire.open(&request).await {
                Ok(response) => Reading::new(response, &request, wire.limits).deltas(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(opened).flatten().boxed()
    }
}

impl Wire {
    /// Sends the request. One whose parameters the server does not know is sent once more without
    /// them; what was learned holds from then on.
    async fn open(&self, request: &Request) -> Result<Response, ModelError> {
        let url = address(&self.endpoint.base_url)?;
        loop {
            let (params, body) = self.body(request);
            let response = self.send(&url, body).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            if status.as_u16() == 200 {
                return Ok(response);
            }
            let text = timeout(self.limits.idle, error_body(response)).await.unwrap_or_default();
            if !hold(&self.learned).learn(status, &text, &params) {
                return Err(fail::status(status, &headers, &text, &url));
            }
        }
    }

    fn body(&self, request: &Request) -> (Map<String, Value>, String) {
        let params = hold(&self.learned).params(&self.endpoint, request.max_output);
        let reasoning = self.endpoint.quirks.reasoning;
        let body = hold(&self.memory).body(request, params.clone(), &self.origin, reasoning);
        (params, body)
    }

    async fn send(&self, url: &Url, body: String) -> Result<Response, ModelError> {
        let mut request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream, application/json")
            // A compressed stream arrives in lumps.
            .header(ACCEPT_ENCODING, "identity")
            .body(body);
        if let Some(key) = &self.endpoint.key {
            request = request.bearer_auth(key);
        }
        match timeout(self.limits.first, request.send()).await {
            Ok(answered) => answered.map_err(|error| fail::broken(&error, url)),
            Err(_) => Err(silent(self.limits.first)),
        }
    }
}

/// The address of the format at a base address; a query there stays.
fn address(base: &str) -> Result<Url, ModelError> {
    const PATH: &str = "/chat/completions";
    let refused = |why: String| ModelError::Refused(format!("{base:?} is not an address: {why}"));
    let mut url = Url::parse(base).map_err(|error| refused(error.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(refused("it must begin with http:// or https://".to_owned()));
    }
    let path = url.path().trim_end_matches('/');
    if !path.ends_with(PATH) {
        let path = format!("{path}{PATH}");
        url.set_path(&path);
    }
    Ok(url)
}

/// As much of an error's body as says what is wrong; a broken body is as good as it came.
async fn error_body(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() > ERROR_BODY {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

fn silent(limit: Duration) -> ModelError {
    let why = format!("the server sent nothing for {} seconds", limit.as_secs());
    ModelError::Transient { why, wait: None }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept here is whole between statements, also after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A response that is being read.
struct Reading {
    response: Response,
    url: Url,
    content_type: String,
    body: Body,
    decoder: Decoder,
    limits: Limits,
    begun: bool,
    over: bool,
    ready: VecDeque<Result<Delta, ModelError>>,
}

impl Reading {
    fn new(response: Response, request: &Request, limits: Limits) -> Self {
        let content_type = content_type(response.headers());
        Self {
            url: response.url().clone(),
            body: Body::new(&content_type),
            content_type,
            response,
            decoder: Decoder::new(Arc::clone(&request.items)),
            limits,
            begun: false,
            over: false,
            ready: VecDeque::new(),
        }
    }

    fn deltas(self) -> BoxStream<'static, Result<Delta, ModelError>> {
        stream::unfold(self, |mut reading| async {
            while reading.ready.is_empty() && !reading.over {
                reading.more().await;
            }
            Some((reading.ready.pop_front()?, reading))
        })
        .boxed()
    }

    /// Reads until something comes. A terminal event ends the read: servers keep connections open.
    async fn more(&mut self) {
        let limit = match (self.begun, self.decoder.is_complete()) {
            (_, true) => self.limits.tail,
            (true, false) => self.limits.idle,
            (false, false) => self.limits.first,
        };
        let mut out = Vec::new();
        let read = match timeout(limit, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => self.take(&bytes, &mut out),
            Ok(Ok(None)) => self.end(&mut out),
            // All that matters was said before the connection went.
            Ok(Err(_)) | Err(_) if self.decoder.is_complete() => self.end(&mut out),
            Ok(Err(error)) => Err(fail::broken(&error, &self.url)),
            Err(_) => Err(silent(limit)),
        };
        self.over |= read.is_err() || self.decoder.is_over();
        self.ready.extend(out.into_iter().map(Ok));
        self.ready.extend(read.err().map(Err));
    }

    fn take(&mut self, bytes: &[u8], out: &mut Vec<Delta>) -> Result<(), ModelError> {
        self.begun = true;
        let mut events = Vec::new();
        let pushed = self.body.push(bytes, &mut events);
        events.iter().try_for_each(|event| self.decoder.event(event, out))?;
        pushed.map_err(|too_long| ModelError::Refused(format!("the server sent {too_long}")))
    }

    fn end(&mut self, out: &mut Vec<Delta>) -> Result<(), ModelError> {
        self.over = true;
        match std::mem::replace(&mut self.body, Body::new("")).finish() {
            Rest::Event(last) => self.decoder.finish(last.as_ref(), out),
            Rest::Json(text) => self.decoder.document(&text, out),
            Rest::Page(text) => Err(fail::page(&self.content_type, &text, &self.url)),
        }
    }
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
