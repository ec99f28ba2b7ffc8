//! Twelve awkward streams, each seen in the wild. A popular client library mishandles nine of the
//! first of their kind; the rows that concern other formats stand here as what they mean for this
//! one.

// What a test stands on may fail as the test may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "wire/reading.rs"]
#[allow(dead_code)] // shared with the other tests
mod reading;

use purlin_engine::message::{Body, Stop, Usage};
use purlin_engine::model::{Delta, ModelError};
use reading::{calls, deltas, error, events, pieces, reply, stream};
use serde_json::json;

#[test]
fn a_call_piece_without_an_index_is_not_lost() {
    let whole = json!([{"id": "a", "function": {"name": "ls", "arguments": "{\"path\":\".\"}"}}]);
    let bytes = stream([pieces(whole)], "tool_calls");
    assert_eq!(calls(&reply(&bytes)), [("ls", "{\"path\":\".\"}")]);
}

#[test]
fn a_first_index_of_one_does_not_double_the_call() {
    let bytes = stream(
        [
            pieces(json!([{"index": 1, "id": "a", "function": {"name": "ls", "arguments": ""}}])),
            pieces(json!([{"index": 1, "function": {"arguments": "{\"path\":"}}])),
            pieces(json!([{"index": 1, "function": {"arguments": "\".\"}"}}])),
        ],
        "tool_calls",
    );
    assert_eq!(calls(&reply(&bytes)), [("ls", "{\"path\":\".\"}")]);
}

#[test]
fn a_finish_reason_ends_a_stream_without_done() {
    let bytes = events([
        json!({"choices": [{"delta": {"content": "hi"}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}],
               "usage": {"prompt_tokens": 7, "completion_tokens": 2}}),
    ]);
    let reply = reply(&bytes);
    assert_eq!(reply.text(), "hi");
    assert_eq!(reply.usage, Usage { input: 7, output: 2, ..Usage::default() });
    assert_eq!(reply.stop, Stop::End);
}

#[test]
fn a_stream_cut_in_the_middle_is_an_error_and_not_an_end() {
    let bytes = events([json!({"choices": [{"delta": {"content": "hal"}}]})]);
    let why = "stream ended before its end marker".to_owned();
    let cut = ModelError::Transient { why, wait: None };
    assert_eq!(deltas(&bytes), (vec![Delta::Text("hal".to_owned())], Some(cut)));
}

#[test]
fn cut_off_arguments_are_reported_as_they_came() {
    let piece = json!([{"index": 0, "id": "a", "function": {"name": "ls", "arguments": "{\"pa"}}]);
    let reply = reply(&stream([pieces(piece)], "tool_calls"));
    assert_eq!(calls(&reply), [("ls", "{\"pa")]);
}

#[test]
fn unusual_spacing_in_arguments_survives() {
    let args = "{ \"path\" :\n\t\".\" ,\"n\": 1.0e0 }";
    let piece = json!([{"index": 0, "id": "a", "function": {"name": "ls", "arguments": args}}]);
    assert_eq!(calls(&reply(&stream([pieces(piece)], "tool_calls"))), [("ls", args)]);
}

#[test]
fn reasoning_details_with_their_signature_are_kept_whole() {
    let detail = |fields| json!({ "reasoning_details": [fields] });
    let bytes = stream(
        [
            detail(json!({"type": "reasoning.text", "index": 0, "text": "Let "})),
            detail(json!({"type": "reasoning.text", "index": 0, "text": "me."})),
            detail(json!({"type": "reasoning.text", "index": 0, "signature": "c2ln"})),
            detail(json!({"type": "reasoning.encrypted", "index": 1, "data": "eA=="})),
            json!({"content": "Done."}),
        ],
        "stop",
    );
    let reply = reply(&bytes);
    let kept = json!({ "reasoning_details": [
        {"type": "reasoning.text", "index": 0, "text": "Let me.", "signature": "c2ln"},
        {"type": "reasoning.encrypted", "index": 1, "data": "eA=="},
    ]});
    let bodies: Vec<&Body> = reply.blocks.iter().map(|block| &block.body).collect();
    let said = [
        &Body::Thinking("Let me.".to_owned()),
        &Body::Text("Done.".to_owned()),
        &Body::Opaque(kept),
    ];
    assert_eq!(bodies, said);
}

#[test]
fn a_refusal_is_delivered_as_text() {
    let reply = reply(&stream([json!({"refusal": "I will not."})], "stop"));
    assert_eq!(reply.text(), "I will not.");
    assert_eq!(reply.stop, Stop::Refused("the model refused".to_owned()));
}

#[test]
fn thinking_text_and_calls_keep_their_order() {
    let call = |index, name| {
        pieces(json!([{"index": index, "id": name, "function": {"name": name, "arguments": "{}"}}]))
    };
    let bytes = stream(
        [
            json!({"reasoning_content": "a"}),
            json!({"content": "b"}),
            call(0, "c"),
            json!({"reasoning_content": "d"}),
            json!({"content": "e"}),
            call(1, "f"),
        ],
        "tool_calls",
    );
    let reply = reply(&bytes);
    let said = |body: &Body| match body {
        Body::Text(text) => format!("text {text}"),
        Body::Thinking(text) => format!("thinking {text}"),
        Body::Call(call) => format!("call {}", call.name),
        Body::Opaque(value) => value.to_string(),
    };
    let order: Vec<String> = reply.blocks.iter().map(|block| said(&block.body)).collect();
    assert_eq!(order, ["thinking a", "text b", "call c", "thinking d", "text e", "call f"]);
}

#[test]
fn parts_and_fields_nobody_knows_break_nothing() {
    let bytes = events([
        json!({"object": "ping", "choices": []}),
        json!({"choices": [{"delta": {"content": [
            {"type": "hologram", "depth": 3}, {"type": "text", "text": "hi"},
        ], "annotations": [{"url": "x"}]}, "finish_reason": "stop", "novelty": 1}]}),
    ]);
    assert_eq!(reply(&bytes).text(), "hi");
}

#[test]
fn an_error_inside_a_stream_is_that_error() {
    let busy = json!({"error": {"message": "slow down", "type": "rate_limit_exceeded"}});
    let ModelError::Transient { why, .. } = error(&events([busy])) else { panic!("transient") };
    assert_eq!(why, "the provider reported an error: slow down");
    let named = b"event: error\ndata: {\"message\":\"Incorrect API key provided\"}\n\n";
    assert!(matches!(error(named), ModelError::Auth(_)));
}

#[test]
fn cached_tokens_are_counted_apart() {
    let bytes = events([
        json!({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {
            "prompt_tokens": 100, "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 5},
        }}),
    ]);
    let usage = Usage { input: 30, cache_read: 60, cache_write: 10, output: 20, reasoning: 5 };
    assert_eq!(reply(&bytes).usage, usage);
}
