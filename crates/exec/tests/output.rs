//! What is kept of the output, and that it is bounded.

mod common;

use common::{finish, said, world};
use purlin_exec::{Bounds, Missing, Spec};

#[tokio::test]
async fn nc_27_head_and_tail_are_kept_and_the_whole_is_on_disk() {
    let world = world();
    let spill = world.root.join("whole");
    let bounds = Bounds { head: 100, tail: 200, spill: Some(spill.clone()), ..Bounds::default() };
    let spec = Spec { bounds, ..world.spec("seq 1 10000") };
    let output = finish(spec).await.unwrap().output;
    let whole: String = (1..=10_000).map(|line| format!("{line}\n")).collect();
    assert_eq!(output.head, whole.as_bytes()[..100]);
    assert_eq!(output.tail, whole.as_bytes()[whole.len() - 200..]);
    assert_eq!((output.bytes, output.newlines), (whole.len() as u64, 10_000));
    let missing = Missing { bytes: whole.len() as u64 - 300, first_line: 37, last_line: 9961 };
    assert_eq!(output.missing(), Some(missing));
    assert_eq!((output.whole, output.whole_bytes), (Some(spill.clone()), output.bytes));
    assert_eq!(std::fs::read_to_string(spill).unwrap(), whole);
}

#[tokio::test]
async fn a_short_output_makes_no_file() {
    let world = world();
    let spill = world.root.join("whole");
    let bounds = Bounds { head: 6, tail: 6, spill: Some(spill.clone()), ..Bounds::default() };
    let finished = finish(Spec { bounds, ..world.spec("echo short") }).await.unwrap();
    assert_eq!((said(&finished).as_str(), finished.output.whole), ("short\n", None));
    assert!(!spill.exists());
}

#[tokio::test]
async fn cc_18_fifty_megabytes_are_counted_but_only_the_cap_is_stored() {
    let world = world();
    let spill = world.root.join("whole");
    let bounds = Bounds { spill: Some(spill.clone()), cap: 1 << 20, ..Bounds::default() };
    let spec = Spec { bounds, ..world.spec("yes | head -c 50000000") };
    let output = finish(spec).await.unwrap().output;
    assert_eq!((output.bytes, output.newlines), (50_000_000, 25_000_000));
    assert_eq!((output.head.len(), output.tail.len()), (16_000, 48_000));
    assert_eq!(output.whole_bytes, 1 << 20);
    assert_eq!(std::fs::metadata(spill).unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn one_endless_line_is_cut_inside() {
    let output = world().run("head -c 20000000 /dev/zero | tr '\\0' x").await.output;
    let missing = Missing { bytes: 20_000_000 - 64_000, first_line: 1, last_line: 1 };
    assert_eq!((output.newlines, output.missing()), (0, Some(missing)));
}

#[tokio::test]
async fn bytes_arrive_as_they_were_written_leading_blanks_and_broken_characters_too() {
    let output = world().run(r"printf '  \xff\x00\xc3\r\n'").await.output;
    assert_eq!(output.head, b"  \xff\x00\xc3\r\n");
}

#[tokio::test]
async fn a_file_that_cannot_be_made_does_not_fail_the_program() {
    let world = world();
    let bounds = Bounds { head: 1, spill: Some("/no/such/folder/f".into()), ..Bounds::default() };
    let output = finish(Spec { bounds, ..world.spec("seq 1 9") }).await.unwrap().output;
    assert_eq!((output.whole, output.bytes), (None, 18));
}

#[tokio::test]
async fn output_is_shown_while_it_comes() {
    let world = world();
    let mut shown = Vec::new();
    let command = "echo one; while [ ! -e go ]; do sleep 0.01; done; echo two";
    let go = world.root.join("go");
    purlin_exec::run(world.spec(command), |piece| {
        shown.push(String::from_utf8(piece.to_vec()).unwrap());
        std::fs::write(&go, "").unwrap();
    })
    .await
    .unwrap();
    assert_eq!(shown, ["one\n", "two\n"]);
}
