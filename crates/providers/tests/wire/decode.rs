//! The decoder, beyond the twelve streams of `conformance.rs`.

use proptest::prelude::*;
use purlin_engine::message::{Stop, Usage};
use purlin_engine::model::{Delta, ModelError};
use serde_json::{Value, json};

use crate::reading::{calls, deltas, error, events, pieces, read, reply, stream, thinking};

fn named(index: i64, id: &str, name: &str, args: &str) -> Value {
    pieces(json!([{"index": index, "id": id, "function": {"name": name, "arguments": args}}]))
}

fn args(index: i64, args: &str) -> Value {
    pieces(json!([{"index": index, "function": {"arguments": args}}]))
}

fn heard(deltas: impl IntoIterator<Item = Value>) -> Vec<(String, String)> {
    let reply = reply(&stream(deltas, "tool_calls"));
    let owned = |(name, args): (&str, &str)| (name.to_owned(), args.to_owned());
    calls(&reply).into_iter().map(owned).collect()
}

fn call(name: &str, args: &str) -> (String, String) {
    (name.to_owned(), args.to_owned())
}

#[test]
fn cc_25_two_calls_that_both_have_index_zero_are_two_calls() {
    let two = [call("ls", "{\"a\":1}"), call("cat", "{\"b\":2}")];
    let whole = [named(0, "x", "ls", "{\"a\":1}"), named(0, "y", "cat", "{\"b\":2}")];
    assert_eq!(heard(whole), two);
    let in_pieces = [
        named(0, "x", "ls", ""),
        args(0, "{\"a\":1}"),
        named(0, "y", "cat", ""),
        args(0, "{\"b\":2}"),
    ];
    assert_eq!(heard(in_pieces), two);
    let without_ids = [named(0, "", "ls", "{\"a\":1}"), named(0, "", "cat", "{\"b\":2}")];
    assert_eq!(heard(without_ids), two);
    let of_one_tool = [named(0, "x", "ls", "{\"a\":1}"), named(0, "y", "ls", "{\"a\":1}")];
    assert_eq!(heard(of_one_tool), [call("ls", "{\"a\":1}"), call("ls", "{\"a\":1}")]);
    let without_arguments = [named(0, "call_x", "ls", ""), named(0, "call_y", "pwd", "")];
    assert_eq!(heard(without_arguments), [call("ls", ""), call("pwd", "")]);
}

#[test]
fn cc_25_without_index_and_id_calls_are_told_apart_by_name() {
    let bare =
        |name: &str, args: &str| pieces(json!([{"function": {"name": name, "arguments": args}}]));
    let two = [call("ls", "{\"a\":1}"), call("cat", "{}")];
    assert_eq!(heard([bare("ls", "{\"a\":"), bare("", "1}"), bare("cat", "{}")]), two);
    assert_eq!(heard([bare("ls", "{\"a\":"), bare("ls", "1}"), bare("cat", "{}")]), two);
}

#[test]
fn cc_25_names_and_ids_come_in_pieces_or_with_every_chunk() {
    let one = [call("read_file", "{\"p\":1}")];
    assert_eq!(heard([named(0, "x", "read_", ""), named(0, "", "file", "{\"p\":1}")]), one);
    let every = [
        named(0, "x", "read_file", ""),
        named(0, "x", "read_file", "{\"p\":"),
        named(0, "x", "read_file", "1}"),
    ];
    assert_eq!(heard(every), one);
    let both = [named(0, "call_", "read_", ""), named(0, "17", "file", ""), args(0, "{\"p\":1}")];
    let bytes = stream(both, "tool_calls");
    assert_eq!(calls(&reply(&bytes)), [("read_file", "{\"p\":1}")]);
    assert_eq!(reply(&bytes).calls().next().unwrap().id, "call_17");
    let new_id_each = [
        named(0, "r1", "read_file", ""),
        pieces(json!([{"index": 0, "id": "r2", "function": {"arguments": "{\"p\":"}}])),
        pieces(json!([{"index": 0, "id": "r3", "function": {"arguments": "1}"}}])),
    ];
    assert_eq!(heard(new_id_each), one);
}

#[test]
fn an_index_may_be_text_and_may_change_where_the_id_stays() {
    let text =
        pieces(json!([{"index": "1", "id": "x", "function": {"name": "ls", "arguments": "{"}}]));
    assert_eq!(heard([text, args(1, "}")]), [call("ls", "{}")]);
    let moved = [named(0, "x", "ls", "{"), named(3, "x", "", "}")];
    assert_eq!(heard(moved), [call("ls", "{}")]);
}

#[test]
fn repeated_ids_become_different_ones() {
    let twice = [named(0, "x", "ls", "{}"), named(1, "x", "pwd", "{}")];
    let reply = reply(&stream(twice, "tool_calls"));
    assert_eq!(calls(&reply), [("ls", "{}"), ("pwd", "{}")]);
    let ids: Vec<&str> = reply.calls().map(|call| &*call.id).collect();
    assert_eq!(ids, ["x", "call_0_1"]);
}

#[test]
fn arguments_may_be_an_object_or_null() {
    let object = pieces(json!([{"index": 0, "id": "x",
        "function": {"name": "ls", "arguments": {"b": 1, "a": [2]}}}]));
    assert_eq!(heard([object]), [call("ls", "{\"b\":1,\"a\":[2]}")]);
    let null =
        pieces(json!([{"index": 0, "id": "x", "function": {"name": "ls", "arguments": null}}]));
    assert_eq!(heard([null]), [call("ls", "")]);
}

#[test]
fn the_older_function_call_is_a_call() {
    let older = [
        json!({"function_call": {"name": "ls", "arguments": "{\"a\""}}),
        json!({"function_call": {"arguments": ":1}"}}),
    ];
    let reply = reply(&stream(older, "function_call"));
    assert_eq!(calls(&reply), [("ls", "{\"a\":1}")]);
}

#[test]
fn a_call_is_done_with_the_byte_that_closes_its_arguments() {
    let bytes = events([
        json!({"choices": [{"delta": named(0, "x", "ls", "{\"a\":\"}\\\"{\"")}]}),
        json!({"choices": [{"delta": args(0, "}")}]}),
    ]);
    let (deltas, error) = deltas(&bytes);
    assert!(error.is_some(), "the stream itself is cut");
    let begun = Delta::Call { id: "x".to_owned(), name: "ls".to_owned() };
    let piece = |text: &str| Delta::Args(text.to_owned());
    assert_eq!(deltas, [begun, piece("{\"a\":\"}\\\"{\""), piece("}"), Delta::CallDone]);
}

#[test]
fn arguments_repeated_whole_are_ignored() {
    let whole = "{\"a\":1}";
    let repeated = [named(0, "x", "ls", "{\"a\":"), args(0, "1}"), args(0, whole)];
    assert_eq!(heard(repeated), [call("ls", whole)]);
    let in_pieces = [named(0, "x", "ls", whole), args(0, "{\"a\""), args(0, ":1}"), args(0, "\n")];
    assert_eq!(heard(in_pieces), [call("ls", whole)]);
}

#[test]
fn anything_else_behind_the_arguments_voids_the_call() {
    let bytes =
        stream([named(0, "x", "ls", "{\"a\":1}"), args(0, "{\"a\":"), args(0, "2}")], "stop");
    let (deltas, _) = deltas(&bytes);
    let (id, args) = ("x".to_owned(), "{\"a\":1}{\"a\":2}".to_owned());
    assert!(deltas.contains(&Delta::CallDone));
    assert!(deltas.contains(&Delta::Void { id, args: args.clone() }), "{deltas:?}");
    assert_eq!(calls(&reply(&bytes)), [("ls", &*args)]);
}

#[test]
fn interleaved_calls_come_out_one_after_the_other() {
    let interleaved = [
        named(0, "x", "ls", "{\"a\""),
        named(1, "y", "cat", "{\"b\""),
        json!({"content": "and then"}),
        args(0, ":1}"),
        args(1, ":2}"),
    ];
    let (deltas, _) = deltas(&stream(interleaved, "tool_calls"));
    let begun = |id: &str, name: &str| Delta::Call { id: id.to_owned(), name: name.to_owned() };
    let piece = |text: &str| Delta::Args(text.to_owned());
    let sequence = [
        begun("x", "ls"),
        piece("{\"a\""),
        piece(":1}"),
        Delta::CallDone,
        begun("y", "cat"),
        piece("{\"b\""),
        piece(":2}"),
        Delta::CallDone,
        Delta::Text("and then".to_owned()),
    ];
    assert_eq!(deltas[..9], sequence);
}

#[test]
fn a_cut_call_of_a_reply_that_ran_out_of_tokens_is_never_done() {
    let (deltas, error) = deltas(&stream([named(0, "x", "ls", "{\"a")], "length"));
    assert_eq!(error, None);
    assert!(!deltas.contains(&Delta::CallDone));
    let end = Delta::End { usage: Usage::default(), stop: Stop::Length };
    assert_eq!(deltas.last(), Some(&end));
}

#[test]
fn every_way_to_end_is_known() {
    let stop = |reason| reply(&stream([json!({"content": "x"})], reason)).stop;
    assert_eq!(stop("stop"), Stop::End);
    assert_eq!(stop("MAX_TOKENS"), Stop::Length);
    assert!(matches!(stop("content_filter"), Stop::Refused(_)));
    assert_eq!(stop("a reason from the future"), Stop::End);
    let broke = error(&stream([json!({"content": "x"})], "error"));
    assert!(matches!(broke, ModelError::Transient { .. }));
}

#[test]
fn done_ends_a_reply_that_has_no_finish_reason() {
    let chunk = json!({"choices": [{"delta": {"content": "x"}}]});
    let bytes = [events([chunk]), b"data: [DONE]\n\ndata: {nonsense\n\n".to_vec()].concat();
    assert_eq!(reply(&bytes).stop, Stop::End);
}

#[test]
fn half_an_event_at_the_end_is_a_broken_stream() {
    let chunk = events([json!({"choices": [{"delta": {"content": "x"}}]})]);
    let bytes = [&chunk[..], b"data: {\"choices\":[{\"del"].concat();
    let ModelError::Transient { why, .. } = error(&bytes) else { panic!("transient") };
    assert_eq!(why, "stream ended before its end marker");
}

#[test]
fn reasoning_is_thinking_and_said_once() {
    let both = [json!({"reasoning_content": "hm", "reasoning": "hm", "content": "x"})];
    assert_eq!(thinking(&reply(&stream(both, "stop"))), "hm");
    let either = [json!({"reasoning": "h"}), json!({"reasoning": "m", "content": "x"})];
    assert_eq!(thinking(&reply(&stream(either, "stop"))), "hm");
}

#[test]
fn the_last_count_holds_and_counts_are_never_added_up() {
    let chunk = |usage: Value| json!({"choices": [{"delta": {"content": "x"}}], "usage": usage});
    let counted = |prompt, output| json!({"prompt_tokens": prompt, "completion_tokens": output});
    let bytes = [
        events([chunk(Value::Null), chunk(counted(10, 1)), chunk(counted(10, 2))]),
        stream([], "stop"),
    ]
    .concat();
    assert_eq!(reply(&bytes).usage, Usage { input: 10, output: 2, ..Usage::default() });
}

#[test]
fn deepseek_and_moonshot_count_their_cache_elsewhere() {
    let usage = |counted| {
        let choice = json!({"delta": {"content": "x"}, "finish_reason": "stop", "usage": counted});
        reply(&events([json!({"choices": [choice]})])).usage
    };
    let expected = Usage { input: 4, cache_read: 6, output: 1, ..Usage::default() };
    let deepseek =
        json!({"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 6});
    assert_eq!(usage(deepseek), expected);
    let moonshot = json!({"prompt_tokens": 10, "completion_tokens": 1, "cached_tokens": 6});
    assert_eq!(usage(moonshot), expected);
}

#[test]
fn empty_choices_and_other_choices_are_skipped() {
    let chunk = json!({"choices": [
        {"index": 1, "delta": {"content": "no"}, "finish_reason": "length"},
        {"index": 0, "delta": {"content": "yes"}, "finish_reason": "stop"},
    ]});
    let heard = reply(&events([json!({"choices": []}), json!({"choices": null}), chunk]));
    assert_eq!((heard.text().as_str(), heard.stop), ("yes", Stop::End));
}

#[test]
fn lone_surrogates_are_replaced_and_pairs_are_not() {
    let said = r#"{"choices":[{"delta":{"content":"a\ud83d b\ud83d\ude00 c\\ud83d"}}]}"#;
    let bytes = [format!("data: {said}\n\n").into_bytes(), stream([], "stop")].concat();
    assert_eq!(reply(&bytes).text(), "a\u{FFFD} b😀 c\\ud83d");
}

#[test]
fn a_whole_reply_in_place_of_a_stream_is_taken() {
    let message = json!({"role": "assistant", "content": "hi", "tool_calls": [
        {"id": "x", "type": "function", "function": {"name": "ls", "arguments": "{}"}},
    ]});
    let document = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let heard = reply(document.to_string().as_bytes());
    assert_eq!((heard.text().as_str(), calls(&heard)), ("hi", vec![("ls", "{}")]));
}

#[test]
fn an_error_as_the_only_body_is_taken_by_its_kind() {
    let said = |error: Value| self::error(json!({ "error": error }).to_string().as_bytes());
    assert!(matches!(said(json!({"code": 429, "message": "m"})), ModelError::Transient { .. }));
    assert!(matches!(said(json!({"code": "insufficient_quota"})), ModelError::Quota { .. }));
    assert_eq!(said(json!("the prompt is too long: 9 tokens")), ModelError::Overflow);
    assert!(matches!(said(json!("model \"x\" not found")), ModelError::Refused(_)));
}

#[test]
fn an_empty_error_is_none() {
    let chunk = |error: Value| json!({"error": error, "choices": [{"delta": {"content": "x"}}]});
    let quiet =
        events([chunk(Value::Null), chunk(json!("")), chunk(json!({})), chunk(json!(false))]);
    assert_eq!(reply(&[quiet, stream([], "stop")].concat()).text(), "xxxx");
}

#[test]
fn a_page_is_named_as_what_it_is() {
    let page = b"\n<!DOCTYPE html><style>b{}</style><title>Sign in</title><p>to the hotel";
    let ModelError::Refused(why) = error(page) else { panic!("refused") };
    assert_eq!(why, "a proxy answered: text/html \"Sign in to the hotel\" from models.test");
}

#[test]
fn gemini_signatures_on_calls_are_sealed_into_them() {
    let signed = pieces(json!([{"id": "x", "function": {"name": "ls", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "c2ln"}}}]));
    let reply = reply(&stream([signed], "tool_calls"));
    let seal = json!({"extra_content": {"google": {"thought_signature": "c2ln"}}});
    assert_eq!(reply.blocks[0].seal, Some(seal));
}

fn any_piece() -> impl Strategy<Value = Value> {
    let index = prop_oneof![Just(Value::Null), Just(json!(0)), Just(json!(1)), Just(json!("1"))];
    let id = prop_oneof![Just(Value::Null), Just(json!("")), Just(json!("a")), Just(json!("b"))];
    let name = prop_oneof![Just(Value::Null), Just(json!("ls")), Just(json!("cat"))];
    let args = prop_oneof![
        Just(Value::Null),
        Just(json!("{\"a\"")),
        Just(json!(":1}")),
        Just(json!("{}")),
        Just(json!(" ")),
        Just(json!("}")),
        Just(json!("\"\\")),
        Just(json!({"a": 1})),
    ];
    (index, id, name, args).prop_map(|(index, id, name, args)| {
        json!({"choices": [{"delta": {"tool_calls": [
            {"index": index, "id": id, "function": {"name": name, "arguments": args}},
        ], "content": "t", "reasoning": "r"}}]})
    })
}

proptest! {
    #[test]
    fn whatever_the_pieces_the_deltas_are_in_order(
        chunks in prop::collection::vec(any_piece(), 0..10),
        cut in 0usize..2000,
    ) {
        let bytes = [events(chunks), stream([], "tool_calls")].concat();
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        let whole = read([&bytes[..]]);
        prop_assert_eq!(&whole, &read([first, second]));
        let (mut open, mut ids) = (false, Vec::new());
        for delta in &whole.0 {
            match delta {
                Delta::Call { id, .. } => {
                    prop_assert!(!open && !ids.contains(id), "{:?}", whole);
                    ids.push(id.clone());
                    open = true;
                }
                Delta::Args(_) => prop_assert!(open),
                Delta::CallDone => prop_assert!(std::mem::take(&mut open)),
                Delta::Text(_) | Delta::Thinking(_) | Delta::End { .. } => prop_assert!(!open),
                Delta::Void { id, .. } => prop_assert!(ids.contains(id)),
                Delta::Open(_) | Delta::Opaque(_) | Delta::Seal(_) | Delta::Restart { .. } => (),
            }
        }
        let ended = matches!(whole.0.last(), Some(Delta::End { .. }));
        prop_assert!(ended);
    }

    #[test]
    fn no_bytes_at_all_can_do_worse_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (deltas, error) = read([&bytes[..]]);
        let ended = matches!(deltas.last(), Some(Delta::End { .. }));
        prop_assert!(error.is_some() || ended);
    }
}
