//! The server speaks HTTP and plays its script.
#![allow(clippy::unwrap_used)] // clippy knows tests, not what they are made of

mod client;

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use client::{LIMIT, ask, connect, good, hear, read, send};
use purlin_testkit::{Chunks, Latch, Reply, Round, Script, Server, Wire};
use serde_json::{Value, json};

#[test]
fn a_reply_streams_as_a_provider_would_send_it() {
    let args = json!({"path": "src/main.rs"});
    let response = hear(Reply::new().thinking("let me").text("Looking.").call("read_file", &args));
    let delta = |event: &Value| event["choices"][0]["delta"].clone();
    let deltas: Vec<Value> = response.events().iter().map(delta).collect();
    let function = json!({"name": "read_file", "arguments": ""});
    assert_eq!(
        deltas[..5],
        [
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "let me"}),
            json!({"content": "Lookin"}),
            json!({"content": "g."}),
            json!({"tool_calls": [
                {"index": 0, "id": "call_1_0", "type": "function", "function": function}
            ]}),
        ]
    );
    let fragments = response.fragments();
    let pieces = fragments[1..].iter().map(|fragment| {
        assert_eq!(fragment["index"], 0);
        fragment["function"]["arguments"].as_str().unwrap().to_owned()
    });
    assert_eq!(pieces.collect::<Vec<_>>(), ["{\"path\":\"", "src/main.", "rs\"}"]);
    assert_eq!(response.finish().as_deref(), Some("tool_calls"));
    let usage = response.events().pop().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["prompt_tokens"], good().to_string().len() / 4);
    assert!(response.done() && response.complete);
    assert!(response.head.contains("content-type: text/event-stream"));
}

#[test]
fn usage_comes_when_it_is_asked_for_or_scripted() {
    let script = Script::new()
        .then(Reply::new().text("a"))
        .then(Reply::new().text("b").usage(70, 30))
        .then(Reply::new().text("c").usage(70, 30).with(Chunks::UsageMissing));
    let server = Server::start(script).unwrap();
    let mut body = good();
    body["stream_options"] = Value::Null;
    let usage = |body| ask(&server, body).events().pop().unwrap()["usage"]["total_tokens"].clone();
    assert_eq!(usage(&body), Value::Null);
    assert_eq!(usage(&body), 100);
    assert_eq!(usage(&good()), Value::Null);
}

#[test]
fn ids_of_calls_are_never_the_same() {
    let call = || Reply::new().call("look", &json!({})).call("look", &json!({}));
    let server = Server::start(Script::by(move |_| call().into())).unwrap();
    let ids = |_| ask(&server, &good()).fragments();
    let fragments: Vec<Value> = (0..3).flat_map(ids).collect();
    let mut ids: Vec<&str> = fragments.iter().filter_map(|one| one["id"].as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_connection_carries_many_requests_and_says_which() {
    let script = ["one", "two"].map(|text| Reply::new().text(text));
    let server = Server::start(script.into_iter().collect()).unwrap();
    let mut stream = connect(&server);
    for word in ["one", "two"] {
        send(&mut stream, &good());
        assert!(read(&mut stream).text().contains(word));
    }
    assert_eq!(server.rounds_left(), 0);
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0]);
    assert!(
        requests[0].head_at <= requests[0].body_at && requests[0].body_at < requests[1].head_at
    );
    assert_eq!(requests[0].bytes, good().to_string().as_bytes());
    assert_eq!(requests[0].header("Content-Type"), Some("application/json"));
    assert!(requests[0].says("user", "hell") && !requests[0].says("system", "hell"));
}

#[test]
fn the_models_are_listed_and_other_paths_are_not_found() {
    let server = Server::start(Script::new()).unwrap();
    for (path, status) in [("/v1/models", 200), ("/v1/embeddings", 404)] {
        let mut stream = connect(&server);
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let response = read(&mut stream);
        assert_eq!(response.status, status);
        assert_eq!(response.json()["data"][0]["id"].is_string(), status == 200);
    }
    assert_eq!((server.requests().len(), server.completions().len()), (2, 0));
}

#[test]
fn chunked_bodies_and_clients_that_wait_to_continue_are_served() {
    let server = Server::start(Script::by(|_| Reply::new().text("hi").into())).unwrap();
    let mut stream = connect(&server);
    let start = "POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\n";
    let head = format!("{start}expect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    for piece in good().to_string().as_bytes().chunks(20) {
        write!(stream, "{:x};note=1\r\n", piece.len()).unwrap();
        stream.write_all(piece).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\ntrailer: 1\r\n\r\n").unwrap();
    assert!(read(&mut stream).done());
    send(&mut stream, &good());
    assert!(read(&mut stream).done());
}

#[test]
fn what_is_not_http_is_refused_and_recorded() {
    let server = Server::start(Script::new()).unwrap();
    for request in ["hello\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", "GET / HTTP/1.1\n\n"] {
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(read(&mut stream).status, 400);
    }
    assert_eq!(server.violations().len(), 3);
}

#[test]
fn a_request_beyond_the_script_is_a_violation() {
    let server = Server::start(Script::new()).unwrap();
    assert_eq!(ask(&server, &good()).status, 400);
    assert_eq!(server.violations(), ["request 1: the script has no round for it"]);
}

#[test]
fn rounds_find_their_requests_by_content() {
    let asks =
        |what: &'static str| move |request: &purlin_testkit::Received| request.says("user", what);
    let script = Script::new()
        .when(asks("left"), Reply::new().text("L1"))
        .when(asks("right"), Reply::new().text("R1"))
        .when(asks("left"), Reply::new().text("L2"))
        .then(Reply::new().text("else"));
    let server = Server::start(script).unwrap();
    let said = |what: &str| {
        let mut body = good();
        body["messages"][1]["content"] = json!(what);
        ask(&server, &body).events()[1]["choices"][0]["delta"]["content"].clone()
    };
    assert_eq!([said("right"), said("left"), said("up"), said("left")], ["R1", "L1", "else", "L2"]);
}

#[test]
fn requests_are_answered_side_by_side() {
    let (first, second) = (Latch::new(), Latch::new());
    let script = Script::new()
        .then(Reply::new().text("a").reached(&first).wait(&second).text("b"))
        .then(Reply::new().reached(&second).text("c"));
    let server = Server::start(script).unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| ask(&server, &good()));
        assert!(first.wait(LIMIT));
        assert!(ask(&server, &good()).done());
        assert!(slow.join().unwrap().done());
    });
}

#[test]
fn a_pause_is_silence_between_two_writes() {
    let (before, after) = (Latch::new(), Latch::new());
    let pause = Duration::from_millis(30);
    let reply = Reply::new().text("a").reached(&before).pause(pause).reached(&after).text("b");
    assert!(hear(reply).done());
    let silence = after.opened_at().unwrap() - before.opened_at().unwrap();
    assert!(silence >= pause, "{silence:?}");
}

#[test]
fn a_paced_reply_pauses_after_each_chunk() {
    let end = Latch::new();
    let start = std::time::Instant::now();
    assert!(hear(Reply::new().text("a").pace(Duration::from_millis(5)).reached(&end)).done());
    assert!(end.opened_at().unwrap() - start >= Duration::from_millis(10));
}

#[test]
fn a_request_extends_an_earlier_one_or_does_not() {
    let server = Server::start(Script::by(|_| Reply::new().text("hi").into())).unwrap();
    let mut body = good();
    ask(&server, &body);
    let more =
        [json!({"role": "assistant", "content": "hi"}), json!({"role": "user", "content": "x"})];
    body["messages"].as_array_mut().unwrap().extend(more);
    ask(&server, &body);
    body["messages"][0]["content"] = json!("be long");
    ask(&server, &body);
    let requests = server.requests();
    assert!(requests[1].extends(&requests[0]) && !requests[0].extends(&requests[1]));
    assert!(!requests[2].extends(&requests[1]));
}

#[test]
fn dropping_the_server_ends_every_silence_and_every_thread() {
    let never = Latch::new();
    let waiting = [(); 3].map(|()| Latch::new());
    let scripts: [Round; 3] = [
        Reply::new().reached(&waiting[0]).wait(&never).into(),
        Reply::new().reached(&waiting[1]).pause(Duration::from_hours(1)).into(),
        Wire::stream().reached(&waiting[2]).stall(&never).into(),
    ];
    for (round, waiting) in scripts.into_iter().zip(&waiting) {
        let server = Server::start(Script::new().then(round)).unwrap();
        let mut stream = connect(&server);
        send(&mut stream, &good());
        assert!(waiting.wait(LIMIT));
        drop(server);
        assert!(!read(&mut stream).complete);
    }
}

#[test]
fn a_script_that_panics_ends_its_connection_and_is_a_violation() {
    let server = Server::start(Script::by(|_| panic!("on purpose"))).unwrap();
    assert_eq!(ask(&server, &good()).head, "");
    assert_eq!(server.violations(), ["the script panicked"]);
}
