//! The script as a Chat Completions endpoint on loopback: strict about what it is asked, exact
//! about the bytes it answers.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::{Value, json};

use crate::chat;
use crate::http::{self, Head};
use crate::latch::{Latch, hold};
use crate::refusal;
use crate::script::{Playing, Round, Script};
use crate::wire::{After, Wire};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, such as `/v1/chat/completions`.
    pub path: String,
    /// Names as they were sent, and values.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent.
    pub bytes: Vec<u8>,
    /// The body as JSON, or null.
    pub body: Value,
    /// Which connection of the server brought it, counting from zero.
    pub connection: usize,
    /// When the blank line after the headers arrived.
    pub head_at: Instant,
    /// When the last byte of the body arrived.
    pub body_at: Instant,
}

impl Received {
    /// A header's value, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        http::find_header(&self.headers, name)
    }

    /// The messages.
    pub fn messages(&self) -> &[Value] {
        self.body["messages"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The tools.
    pub fn tools(&self) -> &[Value] {
        self.body["tools"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Whether this request is an earlier one with more messages at the end: same prompt, same
    /// tools, byte for byte. What a provider cached for the earlier one serves this one too.
    pub fn extends(&self, earlier: &Self) -> bool {
        // As text: the order of keys is a part of the bytes.
        let text = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
        text(self.messages()).starts_with(&text(earlier.messages()))
            && text(self.tools()) == text(earlier.tools())
    }

    /// Whether any message of this role says this.
    pub fn says(&self, role: &str, what: &str) -> bool {
        let said = |message: &Value| match &message["content"] {
            Value::String(text) => text.contains(what),
            Value::Array(parts) => parts
                .iter()
                .any(|part| part["text"].as_str().is_some_and(|text| text.contains(what))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        self.messages().iter().any(|message| message["role"] == role && said(message))
    }
}

/// A running server. Dropping it ends every silence, closes every connection and joins every
/// thread.
pub struct Server {
    address: SocketAddr,
    desk: Arc<Desk>,
    door: Option<JoinHandle<()>>,
}

/// What the threads of a server share.
struct Desk {
    script: Playing,
    stop: Latch,
    received: Mutex<Vec<Arc<Received>>>,
    violations: Mutex<Vec<String>>,
    open: Mutex<Vec<(TcpStream, JoinHandle<()>)>>,
}

impl Server {
    /// Starts playing a script.
    ///
    /// # Errors
    /// When loopback has no port or the system no thread to give.
    pub fn start(script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk {
            script: Playing::new(script),
            stop: Latch::new(),
            received: Mutex::default(),
            violations: Mutex::default(),
            open: Mutex::default(),
        });
        let inside = Arc::clone(&desk);
        let name = "scripted model".to_owned();
        let door = thread::Builder::new().name(name).spawn(move || accept(&listener, &inside))?;
        Ok(Self { address, desk, door: Some(door) })
    }

    /// The base URL, which ends in `/v1`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Every request so far, in the order in which their bodies were complete.
    pub fn requests(&self) -> Vec<Arc<Received>> {
        hold(&self.desk.received).clone()
    }

    /// The requests for a completion so far.
    pub fn completions(&self) -> Vec<Arc<Received>> {
        let mut requests = self.requests();
        requests.retain(|request| request.path == COMPLETIONS);
        requests
    }

    /// What was wrong with the requests so far. Each was answered with 400 as well.
    pub fn violations(&self) -> Vec<String> {
        hold(&self.desk.violations).clone()
    }

    /// How many rounds of the script nobody has asked for.
    pub fn rounds_left(&self) -> usize {
        self.desk.script.left()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.desk.stop.open();
        // Wakes the thread that accepts; if that fails, it is not waiting any more.
        drop(TcpStream::connect(self.address));
        if let Some(door) = self.door.take() {
            drop(door.join());
        }
        let open = std::mem::take(&mut *hold(&self.desk.open));
        for (stream, _) in &open {
            // Fails when the client was faster.
            drop(stream.shutdown(Shutdown::Both));
        }
        for (_, thread) in open {
            drop(thread.join());
        }
    }
}

const COMPLETIONS: &str = "/v1/chat/completions";

fn accept(listener: &TcpListener, desk: &Arc<Desk>) {
    for (number, stream) in listener.incoming().enumerate() {
        if desk.stop.is_open() {
            return;
        }
        // A connection that fails before it began is the client's to notice.
        let Ok(stream) = stream else { continue };
        let Ok(handle) = stream.try_clone() else { continue };
        let inside = Arc::clone(desk);
        let thread = thread::Builder::new().spawn(move || {
            let line = Line { stream, desk: &inside };
            // What a client breaks ends its connection and nothing else.
            let _ = inside.converse(&line.stream, number);
        });
        if let Ok(thread) = thread {
            hold(&desk.open).push((handle, thread));
        }
    }
}

/// A connection that ends with its thread, also when the script panics: the handle that the desk
/// keeps would hold it open.
struct Line<'a> {
    stream: TcpStream,
    desk: &'a Desk,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            hold(&self.desk.violations).push("the script panicked".to_owned());
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Desk {
    fn converse(&self, stream: &TcpStream, connection: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut from = BufReader::new(stream.try_clone()?);
        let mut to = stream.try_clone()?;
        loop {
            let (head, request) = match receive(&mut from, &mut to, connection) {
                Ok(Some(received)) => received,
                Ok(None) => return Ok(()),
                Err(error) => return self.reject(&error, &mut to),
            };
            let last = head.last();
            let (number, request) = self.keep(request);
            let after = self.answer(number, &request).play(&mut to, &self.stop)?;
            if last || after == After::Close {
                return Ok(());
            }
        }
    }

    /// A request that is no HTTP. A connection that broke is not one.
    fn reject(&self, error: &io::Error, to: &mut TcpStream) -> io::Result<()> {
        if error.kind() == io::ErrorKind::InvalidData {
            let why = format!("not HTTP: {error}");
            hold(&self.violations).push(why.clone());
            refusal::error(400, "bad_request", &why).play(to, &self.stop)?;
        }
        Ok(())
    }

    fn keep(&self, request: Received) -> (usize, Arc<Received>) {
        let mut received = hold(&self.received);
        let request = Arc::new(request);
        received.push(Arc::clone(&request));
        (received.len(), request)
    }

    fn answer(&self, number: usize, request: &Received) -> Wire {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/v1/models") => models(),
            ("POST", COMPLETIONS) => self.complete(number, request),
            (method, path) => refusal::error(404, "not_found", &format!("no {method} {path} here")),
        }
    }

    fn complete(&self, number: usize, request: &Received) -> Wire {
        let mut wrong = chat::violations(&request.body);
        let media = request.header("content-type").unwrap_or_default();
        if !media.starts_with("application/json") {
            wrong.push(format!("the content type is {media:?}"));
        }
        if !wrong.is_empty() {
            return self.violated(number, &wrong);
        }
        match self.script.round(request) {
            Some(Round::Reply(reply)) => reply.wire(request, number),
            Some(Round::Wire(wire)) => wire,
            None => self.violated(number, &["the script has no round for it".to_owned()]),
        }
    }

    fn violated(&self, number: usize, wrong: &[String]) -> Wire {
        let named = wrong.iter().map(|why| format!("request {number}: {why}"));
        hold(&self.violations).extend(named);
        refusal::error(400, "invalid_request_error", &wrong.join("; "))
    }
}

fn receive(
    from: &mut BufReader<TcpStream>,
    to: &mut TcpStream,
    connection: usize,
) -> io::Result<Option<(Head, Received)>> {
    let Some(head) = http::read_head(from)? else { return Ok(None) };
    if head.expects_continue() {
        to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let bytes = http::read_body(&head, from)?;
    let received = Received {
        method: head.method.clone(),
        path: head.path.clone(),
        headers: head.headers.clone(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        bytes,
        connection,
        head_at: head.at,
        body_at: Instant::now(),
    };
    Ok(Some((head, received)))
}

fn models() -> Wire {
    let model = json!({"id": "scripted", "object": "model", "created": 0, "owned_by": "testkit"});
    Wire::status(200).json(&json!({"object": "list", "data": [model]}))
}
