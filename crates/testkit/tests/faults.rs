//! Each fault does what it says, and nothing else.
#![allow(clippy::unwrap_used)] // clippy knows tests, not what they are made of

mod client;

use client::{LIMIT, Response, ask, connect, good, hear, read, send};
use purlin_testkit::{
    Calls, Chunks, Ends, Fault, Latch, Lines, Reply, Round, Script, Server, Wire, refusal,
};
use serde_json::{Value, json};

fn two_calls() -> Reply {
    Reply::new().text("Hi ä.").call("read_file", &json!({"path": "a"})).call("ls", &json!({}))
}

fn broken(fault: impl Into<Fault>) -> Response {
    hear(two_calls().with(fault))
}

/// One field of every fragment.
fn field(response: &Response, pointer: &str) -> Vec<Value> {
    let value = |one: &Value| one.pointer(pointer).cloned().unwrap_or(json!("-"));
    response.fragments().iter().map(value).collect()
}

fn answered(round: impl Into<Round>) -> Response {
    let server = Server::start(Script::new().then(round)).unwrap();
    ask(&server, &good())
}

#[test]
fn an_unbroken_reply_is_the_measure() {
    let response = hear(two_calls());
    assert_eq!(field(&response, "/index"), [0, 0, 0, 1, 1]);
    assert_eq!(field(&response, "/id"), ["call_1_0", "-", "-", "call_1_1", "-"]);
    assert_eq!(field(&response, "/function/name"), ["read_file", "-", "-", "ls", "-"]);
    assert_eq!(field(&response, "/function/arguments"), ["", "{\"path\":\"", "a\"}", "", "{}"]);
}

#[test]
fn indexes_are_missing_shifted_strings_shared_or_wandering() {
    let index = |fault: Calls| field(&broken(fault), "/index");
    assert_eq!(index(Calls::NoIndex), ["-"; 5]);
    assert_eq!(index(Calls::IndexFromOne), [1, 1, 1, 2, 2]);
    assert_eq!(index(Calls::IndexAsString), ["0", "0", "0", "1", "1"]);
    assert_eq!(index(Calls::SameIndex), [0; 5]);
    assert_eq!(index(Calls::WanderingIndex), [0, 1, 2, 0, 1]);
    let ids = ["call_1_0", "call_1_0", "call_1_0", "call_1_1", "call_1_1"];
    assert_eq!(field(&broken(Calls::WanderingIndex), "/id"), ids);
}

#[test]
fn ids_are_missing_empty_or_shared() {
    let id = |fault: Calls| field(&broken(fault), "/id");
    assert_eq!(id(Calls::NoId), ["-"; 5]);
    assert_eq!(id(Calls::EmptyId), [""; 5]);
    assert_eq!(id(Calls::IdInPieces), ["call", "_1_0", "-", "-", "call", "_1_1", "-"]);
    assert_eq!(id(Calls::SameId), ["call_0", "-", "-", "call_0", "-"]);
}

#[test]
fn names_come_in_pieces_or_again_and_again() {
    let name = |fault: Calls| field(&broken(fault), "/function/name");
    assert_eq!(name(Calls::NameInPieces), ["read", "_file", "-", "-", "l", "s", "-"]);
    let again = ["read_file", "read_file", "read_file", "ls", "ls"];
    assert_eq!(name(Calls::NameRepeated), again);
}

#[test]
fn arguments_are_null_an_object_whole_or_repeated() {
    let args = |fault: Calls| field(&broken(fault), "/function/arguments");
    let (path, whole) = (json!("{\"path\":\""), json!("{\"path\":\"a\"}"));
    let null = Value::Null;
    assert_eq!(
        args(Calls::ArgsNull),
        [null.clone(), path.clone(), json!("a\"}"), null, json!("{}")]
    );
    assert_eq!(args(Calls::ArgsAsObject), [json!({"path": "a"}), json!({})]);
    assert_eq!(args(Calls::Whole), [whole.clone(), json!("{}")]);
    let (empty, object) = (json!(""), json!("{}"));
    let again = [empty.clone(), path, json!("a\"}"), whole, empty, object.clone(), object];
    assert_eq!(args(Calls::ArgsRepeated), again);
    let cut = hear(Reply::new().call_raw("ls", "{\"a").with(Calls::ArgsAsObject));
    assert_eq!(field(&cut, "/function/arguments"), ["{\"a"]);
}

#[test]
fn fragments_share_a_chunk_or_take_turns() {
    let together = broken(Calls::Together);
    let chunks =
        together.events().iter().filter(|one| one.to_string().contains("tool_calls\":[")).count();
    assert_eq!((chunks, together.fragments().len()), (1, 5));
    assert_eq!(field(&broken(Calls::Interleaved), "/index"), [0, 1, 0, 1, 0]);
}

#[test]
fn a_call_comes_in_its_older_form() {
    let response = hear(Reply::new().call("ls", &json!({})).with(Calls::FunctionCall));
    assert_eq!(
        response.events()[1]["choices"][0]["delta"],
        json!({
            "function_call": {"name": "ls", "arguments": ""}
        })
    );
    assert_eq!(response.finish().as_deref(), Some("function_call"));
}

#[test]
fn chunks_without_meaning_come_between_the_others() {
    let plain = hear(two_calls()).events().len();
    let more = |fault: Chunks| broken(fault).events().len() - plain;
    let said = plain - 2;
    assert_eq!(more(Chunks::EmptyChoices), said);
    assert_eq!(more(Chunks::EmptyDeltas), 2 * said);
    assert_eq!(more(Chunks::OtherChoice), said);
    let empty = broken(Chunks::EmptyChoices).events();
    assert_eq!(empty[1]["choices"], json!([]));
    let nulls = broken(Chunks::NullFields).events();
    assert_eq!(nulls[0]["choices"][0]["delta"]["tool_calls"], Value::Null);
    assert!(nulls[0]["choices"][0]["delta"].as_object().unwrap().contains_key("tool_calls"));
}

#[test]
fn usage_is_null_missing_twice_growing_or_with_the_finish_reason() {
    let usages = |fault: Chunks| {
        let events = hear(Reply::new().text("a").usage(8, 4).with(fault)).events();
        let usage = |event: &Value| match event.get("usage") {
            Some(usage) if usage.is_null() => json!("null"),
            Some(usage) => usage["completion_tokens"].clone(),
            None => json!("-"),
        };
        events.iter().map(usage).collect::<Vec<_>>()
    };
    assert_eq!(usages(Chunks::UsageNull), [json!("null"), json!("null"), json!("null"), json!(4)]);
    assert_eq!(usages(Chunks::UsageMissing), ["-"; 3]);
    assert_eq!(
        usages(Chunks::UsageTwice),
        [json!("-"), json!("-"), json!("-"), json!(4), json!(4)]
    );
    assert_eq!(usages(Chunks::UsageInFinish), [json!("-"), json!("-"), json!(4)]);
    assert_eq!(usages(Chunks::UsageGrowing), [1, 2, 3, 4]);
}

#[test]
fn the_finish_reason_is_with_the_last_delta() {
    let events = hear(Reply::new().text("a").with(Chunks::FinishWithDelta)).events();
    assert_eq!(events[1]["choices"][0]["finish_reason"], "stop");
    assert_eq!(events[1]["choices"][0]["delta"]["content"], "a");
}

#[test]
fn reasoning_has_two_names() {
    let delta = |reply: Reply| hear(reply).events()[1]["choices"][0]["delta"].clone();
    let thinking = || Reply::new().thinking("hm");
    assert_eq!(delta(thinking()), json!({"reasoning_content": "hm"}));
    assert_eq!(delta(thinking().with(Chunks::Reasoning)), json!({"reasoning": "hm"}));
}

#[test]
fn a_line_is_as_huge_as_wanted() {
    let response = hear(Reply::new().text("a").with(Chunks::HugeLine(3 << 20)));
    assert!(response.chunks[1].len() > 3 << 20);
    assert!(response.done());
}

#[test]
fn lines_end_with_cr_lf_or_cr() {
    let plain = hear(two_calls()).text();
    assert_eq!(broken(Lines::CrLf).text(), plain.replace('\n', "\r\n"));
    assert_eq!(broken(Lines::Cr).text(), plain.replace('\n', "\r"));
    assert_eq!(broken(Lines::Mixed).text(), plain.replace("\n\n", "\r\n\n"));
}

#[test]
fn lines_have_comments_fields_no_blank_or_a_byte_order_mark() {
    let plain = hear(two_calls()).text();
    let comments = plain.replace("data: ", ": keep-alive\n\ndata: ");
    assert_eq!(broken(Lines::Comments).text(), comments);
    let fields = plain.replace("data: ", "event: message\nid: 7\nretry: 100\nother\ndata: ");
    assert_eq!(broken(Lines::Fields).text(), fields);
    assert_eq!(broken(Lines::NoBlank).text(), plain.replace("data: ", "data:"));
    let untyped = broken(Lines::NoContentType);
    assert!(!untyped.head.contains("content-type") && untyped.text() == plain);
    assert_eq!(broken(Lines::Bom).text(), format!("\u{feff}{plain}"));
}

#[test]
fn the_data_of_an_event_is_spread_over_lines() {
    let text = broken(Lines::ManyDataLines).text();
    let first = text.split("\n\n").next().unwrap();
    assert!(first.lines().count() > 5 && first.lines().all(|line| line.starts_with("data: ")));
    let joined: Vec<&str> = first.lines().map(|line| &line[6..]).collect();
    let chunk: Value = serde_json::from_str(&joined.join("\n")).unwrap();
    assert_eq!(chunk, hear(two_calls()).events()[0]);
}

#[test]
fn writes_split_characters_and_line_ends() {
    let plain = hear(two_calls());
    let single = hear(two_calls().with(Lines::WritesOf(1)));
    assert!(single.chunks.iter().all(|chunk| chunk.len() == 1));
    assert_eq!(single.bytes(), plain.bytes());
    assert!(hear(two_calls().with(Lines::WritesOf(7))).chunks.iter().all(|chunk| chunk.len() <= 7));
    let joined = hear(two_calls().with(Lines::OneWrite));
    assert_eq!((joined.chunks.len(), joined.bytes()), (1, plain.bytes()));
}

#[test]
fn streams_end_early_in_every_way() {
    let end = |fault: Ends| {
        let response = broken(fault);
        (response.events().len(), response.finish().is_some(), response.done(), response.complete)
    };
    let all = hear(two_calls()).events().len();
    assert_eq!(end(Ends::NoDone), (all, true, false, true));
    assert_eq!(end(Ends::NoFinish), (all - 1, false, true, true));
    assert_eq!(end(Ends::After(2)), (2, false, false, true));
    assert_eq!(end(Ends::CutAfter(2)), (2, false, false, false));
    assert_eq!(end(Ends::CutAfter(0)), (0, false, false, false));
    let after = broken(Ends::BytesAfter(b"more".to_vec()));
    assert!(after.text().ends_with("data: [DONE]\n\nmore"));
}

#[test]
fn an_error_comes_in_place_of_a_chunk() {
    let error = refusal::error_body("server_error", "it broke");
    let response = broken(Ends::ErrorAfter(2, error.clone()));
    assert_eq!(response.events().pop(), Some(error));
    assert_eq!((response.events().len(), response.done(), response.complete), (3, false, true));
}

#[test]
fn a_stalled_stream_says_when_the_client_has_left() {
    let left = Latch::new();
    let sent = Latch::new();
    let reply = two_calls().reached(&sent).with(Ends::StallAfter(8, left.clone()));
    let server = Server::start(Script::new().then(reply)).unwrap();
    let mut stream = connect(&server);
    send(&mut stream, &good());
    assert!(sent.wait(LIMIT) && !left.is_open());
    drop(stream);
    assert!(left.wait(LIMIT));
}

#[test]
fn faults_combine() {
    let all =
        [Fault::from(Calls::NoIndex), Lines::CrLf.into(), Lines::Bom.into(), Ends::NoDone.into()];
    let response = hear(all.into_iter().fold(two_calls(), Reply::with));
    let text = response.text();
    assert!(text.starts_with("\u{feff}data: ") && text.ends_with("}\r\n\r\n"));
    assert!(!text.contains("\"index\":1"));
}

#[test]
fn statuses_come_with_their_headers_and_bodies() {
    let status = |wire: Wire| answered(wire).status;
    assert_eq!(status(refusal::failing(503)), 503);
    assert_eq!(status(refusal::overloaded()), 529);
    assert_eq!(status(refusal::wrong_key()), 401);
    assert_eq!(status(refusal::too_large()), 413);
    assert!(answered(refusal::rate_limited_for("2")).head.contains("\r\nretry-after: 2\r\n"));
    assert!(answered(refusal::rate_limited_for_ms(50)).head.contains("\r\nretry-after-ms: 50\r\n"));
    let unknown = answered(refusal::unknown_parameter("stream_options"));
    assert_eq!(
        (unknown.status, unknown.json()["error"]["param"].clone()),
        (400, json!("stream_options"))
    );
    assert_eq!(answered(refusal::too_long()).json()["error"]["code"], "context_length_exceeded");
    assert_eq!(answered(refusal::out_of_quota()).json()["error"]["code"], "insufficient_quota");
}

#[test]
fn a_success_is_an_error_or_a_page() {
    let error = answered(refusal::error_as_success("no"));
    assert_eq!((error.status, error.json()["error"]["message"].clone()), (200, json!("no")));
    let page = answered(refusal::html_page());
    assert!(page.status == 200 && page.text().starts_with("<!DOCTYPE html>"));
    assert!(page.head.contains("content-type: text/html"));
}

#[test]
fn bytes_go_out_as_they_stand() {
    assert_eq!(answered(refusal::hung_up()).head, "");
    let raw = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort";
    let response = answered(Wire::verbatim(raw));
    assert!(response.head.starts_with("HTTP/1.1 200") && !response.complete);
    let bare = Wire::stream().without_header("content-type").write("data: [DONE]\n\n").cut();
    let response = answered(bare);
    assert!(!response.head.contains("content-type") && !response.complete);
}

#[test]
fn a_connection_outlives_a_refusal_but_not_a_cut() {
    let script =
        Script::new().then(refusal::failing(500)).then(two_calls().with(Ends::CutAfter(1)));
    let server = Server::start(script).unwrap();
    let mut stream = connect(&server);
    for (status, complete) in [(500, true), (200, false)] {
        send(&mut stream, &good());
        let response = read(&mut stream);
        assert_eq!((response.status, response.complete), (status, complete));
    }
}

#[test]
fn every_harmless_fault_still_streams_to_its_end() {
    for fault in Fault::harmless() {
        let response = broken(fault.clone());
        assert!(response.status == 200 && response.complete, "{fault:?}");
        assert_ne!(response.bytes(), [0; 0], "{fault:?}");
    }
}
