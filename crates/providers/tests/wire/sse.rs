//! The event parser.

use proptest::prelude::*;
use purlin_providers::sse::{Event, LIMIT, Parser, TooLong};

fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let (mut parser, mut events) = (Parser::default(), Vec::new());
    for piece in pieces {
        parser.push(piece, &mut events).unwrap();
    }
    events.extend(parser.finish());
    events
}

fn data(bytes: &[u8]) -> Vec<String> {
    let whole = parse([bytes]);
    assert_eq!(whole, parse(bytes.chunks(1)), "byte by byte");
    whole.into_iter().map(|event| event.data).collect()
}

#[test]
fn all_three_line_ends_are_known_even_mixed() {
    assert_eq!(data(b"data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\n"), ["a", "b", "c", "d"]);
}

#[test]
fn several_data_lines_are_one_event() {
    assert_eq!(data(b"data: a\r\ndata: b\r\ndata\r\n\r\n"), ["a\nb\n"]);
}

#[test]
fn a_space_after_the_colon_is_optional_and_only_one_is_dropped() {
    assert_eq!(data(b"data:a\n\ndata:  b\n\n"), ["a", " b"]);
}

#[test]
fn comments_ids_retries_and_unknown_fields_mean_nothing() {
    assert_eq!(data(b": hello\nid: 7\nretry: 100\nfoo: bar\nbaz\n\ndata: a\n\n"), ["a"]);
}

#[test]
fn a_byte_order_mark_is_not_a_part_of_the_first_field() {
    assert_eq!(data(b"\xEF\xBB\xBFdata: a\n\n"), ["a"]);
}

#[test]
fn a_last_event_without_its_blank_line_is_delivered() {
    assert_eq!(data(b"data: a\n\ndata: b\n"), ["a", "b"]);
    assert_eq!(data(b"data: a\n\ndata: b"), ["a", "b"]);
}

#[test]
fn an_event_without_data_is_none_and_its_name_does_not_stay() {
    let events = parse([&b"event: ping\n\nevent: error\ndata: x\n\ndata: y\n\n"[..]]);
    let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
    assert_eq!(events, [event("error", "x"), event("", "y")]);
}

#[test]
fn invalid_utf_8_is_replaced_and_nothing_is_lost() {
    assert_eq!(data(b"data: a\xFFb\n\n"), ["a\u{FFFD}b"]);
}

#[test]
fn a_line_over_the_limit_is_an_error() {
    let (mut parser, mut events) = (Parser::default(), Vec::new());
    let piece = vec![b'x'; 1 << 20];
    let pushed: Vec<_> = (0..=LIMIT >> 20).map(|_| parser.push(&piece, &mut events)).collect();
    assert_eq!(pushed.last(), Some(&Err(TooLong)));
    assert_eq!(TooLong.to_string(), "an event of more than 16 MB");
}

proptest! {
    #[test]
    fn pieces_of_any_size_make_the_same_events(
        lines in prop::collection::vec("(data: ?|event: |: |)[a-zé한😀]{0,6}(\r\n|\r|\n)", 0..12),
        cuts in prop::collection::vec(0usize..200, 0..8),
    ) {
        let bytes = lines.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        prop_assert_eq!(parse(pieces), parse([&bytes[..]]));
    }
}
