//! A client that shows what is on the wire: no pool, no decoder, no opinion.
#![allow(clippy::unwrap_used)] // clippy knows tests, not what they are made of
#![allow(dead_code)] // each test file uses its part of it

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use purlin_testkit::{Reply, Script, Server};
use serde_json::{Value, json};

/// Nothing here takes long; a test that hangs fails instead.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A response as it came.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// The chunks of the transfer encoding, or the body as one.
    pub(crate) chunks: Vec<Vec<u8>>,
    /// Whether the body was as long as announced.
    pub(crate) complete: bool,
}

impl Response {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap()
    }

    /// The chunks of a well-formed stream, `[DONE]` aside.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// All fragments of calls, in order.
    pub(crate) fn fragments(&self) -> Vec<Value> {
        let calls = |event: Value| event["choices"][0]["delta"]["tool_calls"].as_array().cloned();
        self.events().into_iter().filter_map(calls).flatten().collect()
    }

    pub(crate) fn done(&self) -> bool {
        self.text().ends_with("data: [DONE]\n\n")
    }

    pub(crate) fn finish(&self) -> Option<String> {
        let reason =
            |event: &Value| event["choices"][0]["finish_reason"].as_str().map(String::from);
        self.events().iter().find_map(reason)
    }
}

/// A request that nothing is wrong with.
pub(crate) fn good() -> Value {
    json!({
        "model": "m",
        "stream": true,
        "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
        ],
    })
}

pub(crate) fn connect(server: &Server) -> TcpStream {
    let address = server.url().replace("http://", "").replace("/v1", "");
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

pub(crate) fn send(stream: &mut TcpStream, body: &Value) {
    let body = body.to_string();
    let head =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
}

pub(crate) fn ask(server: &Server, body: &Value) -> Response {
    let mut stream = connect(server);
    send(&mut stream, body);
    read(&mut stream)
}

/// The response to a good request under a script of this one reply.
pub(crate) fn hear(reply: Reply) -> Response {
    let server = Server::start(Script::new().then(reply)).unwrap();
    ask(&server, &good())
}

/// Reads one response and no byte more.
pub(crate) fn read(stream: &mut TcpStream) -> Response {
    let mut response = Response::default();
    while !response.head.ends_with("\r\n\r\n") {
        match byte(stream) {
            Some(byte) => response.head.push(char::from(byte)),
            None => return response,
        }
    }
    let word = response.head.split(' ').nth(1).unwrap_or_default();
    response.status = word.parse().unwrap();
    if response.head.contains("transfer-encoding: chunked") {
        read_chunks(stream, &mut response);
    } else {
        let length = response.head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split('\r').next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        response.complete = stream.read_exact(&mut body).is_ok();
        response.chunks.push(body);
    }
    response
}

fn read_chunks(stream: &mut TcpStream, response: &mut Response) {
    loop {
        let mut size = String::new();
        while !size.ends_with("\r\n") {
            match byte(stream) {
                Some(byte) => size.push(char::from(byte)),
                None => return,
            }
        }
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        if stream.read_exact(&mut chunk).is_err() {
            return;
        }
        assert!(chunk.ends_with(b"\r\n"));
        chunk.truncate(size);
        if size == 0 {
            response.complete = true;
            return;
        }
        response.chunks.push(chunk);
    }
}

fn byte(stream: &mut TcpStream) -> Option<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    Some(byte[0])
}
