//! `edit_file`.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use purlin_engine::gate::Preview;
use purlin_engine::tool::Tool as _;
use purlin_tools::edit_file::EditFile;
use serde_json::{Value, json};

use crate::bench::{Bench, bench, call};

/// A bench with this file, already read.
async fn with(path: &str, bytes: impl AsRef<[u8]>) -> Bench {
    let mut b = bench();
    b.world.file(path, bytes);
    b.ok("read_file", json!({"path": path})).await;
    b
}

fn edit(path: &str, old: &str, new: &str) -> Value {
    json!({"path": path, "old_string": old, "new_string": new})
}

#[tokio::test]
async fn an_edit_answers_with_its_diff() {
    let mut b = with("src/a.rs", "fn a() {}\nfn b() {}\n").await;
    assert_eq!(
        b.ok("edit_file", edit("src/a.rs", "fn b()", "fn c()")).await,
        "edited src/a.rs (+1 −1)\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@\n fn a() {}\n\
         -fn b() {}\n+fn c() {}\n"
    );
}

#[tokio::test]
async fn the_whole_diff_is_there_before_a_yes_and_a_long_one_is_cut_in_the_answer() {
    let text: String = (0..400).map(|line| format!("line number {line}\n")).collect();
    let mut b = with("a", &text).await;
    let args =
        json!({"path": "a", "old_string": "number", "new_string": "no", "replace_all": true});
    let tool = Arc::new(EditFile::default());
    let claim = tool.claim(&call("edit_file", &args), &b.cx).unwrap();
    let plan = tool.prepare(claim, &b.cx).await.unwrap();
    let Some(Preview::Diff(diff)) = plan.preview.clone() else { panic!("no diff") };
    assert!(diff.contains("+line no 399"));
    drop(plan);
    assert_eq!(b.world.read("a"), text);
    let said = b.ok("edit_file", args).await;
    assert!(said.chars().count() < 3200 && said.contains("[diff cut: "), "{said}");
}

#[tokio::test]
async fn cc_03_crlf_survives_an_edit() {
    let mut b = with("a", "one\r\ntwo\r\nthree\r\n").await;
    b.ok("edit_file", edit("a", "one\ntwo", "one\nzwei\nmore")).await;
    assert_eq!(b.world.read("a"), "one\r\nzwei\r\nmore\r\nthree\r\n");
    b.ok("edit_file", edit("a", "three\r\n", "drei\r\n")).await;
    assert_eq!(b.world.read("a"), "one\r\nzwei\r\nmore\r\ndrei\r\n");
    b.ok("edit_file", edit("a", "\nmore", "")).await;
    assert_eq!(b.world.read("a"), "one\r\nzwei\r\ndrei\r\n");
    // The other way round: a plain file does not come to have others.
    let mut b = with("plain", "one\ntwo\n").await;
    b.ok("edit_file", edit("plain", "one\r\ntwo", "1\r\n2")).await;
    assert_eq!(b.world.read("plain"), "1\n2\n");
}

#[tokio::test]
async fn cc_03_lone_cr_and_mixed_line_ends_survive_an_edit() {
    let mut b = with("mac", "one\rtwo\rthree").await;
    b.ok("edit_file", edit("mac", "one\ntwo", "one\n2\nII")).await;
    assert_eq!(b.world.read("mac"), "one\r2\rII\rthree");
    let mut b = with("mixed", "a\r\nb\nc\r\nd\n").await;
    b.ok("edit_file", edit("mixed", "a\nb\nc\nd", "a\nb\nC\nmore\nd")).await;
    assert_eq!(b.world.read("mixed"), "a\r\nb\nC\r\nmore\r\nd\n");
}

#[tokio::test]
async fn line_ends_themselves_can_be_edited() {
    let mut b = with("a", "one\r\ntwo\r\n").await;
    let said = b.ok("edit_file", edit("a", "one\r\n", "one\n")).await;
    assert_eq!(b.world.read("a"), "one\ntwo\r\n");
    assert!(said.contains("-one\\r\n+one\n"), "{said}");
}

#[tokio::test]
async fn nc_22_latin_1_survives_an_edit_and_what_it_lacks_is_refused() {
    let mut b = with("a", b"caf\xe9 \x93x\x94\nb\n").await;
    b.ok("edit_file", edit("a", "b", "thé")).await;
    assert_eq!(b.world.bytes("a"), b"caf\xe9 \x93x\x94\nth\xe9\n");
    let said = b.no("edit_file", edit("a", "thé", "茶")).await;
    assert!(said.contains("has no '茶'; nothing was written"), "{said}");
    assert_eq!(b.world.bytes("a"), b"caf\xe9 \x93x\x94\nth\xe9\n");
}

#[tokio::test]
async fn a_byte_order_mark_and_utf_16_survive_an_edit() {
    let mut b = with("bom", "\u{feff}one\ntwo").await;
    b.ok("edit_file", edit("bom", "one", "1")).await;
    assert_eq!(b.world.read("bom"), "\u{feff}1\ntwo");
    let mut b = with("wide", b"\xff\xfea\0\r\0\n\0").await;
    b.ok("edit_file", edit("wide", "a\n", "茶\n")).await;
    assert_eq!(b.world.bytes("wide"), b"\xff\xfe\x36\x83\r\0\n\0");
}

#[tokio::test]
async fn an_edit_needs_a_read_and_what_shows_the_place_counts() {
    let mut b = bench();
    b.world.file("a", "one\n").file("b", "one\n");
    let said = b.no("edit_file", edit("a", "one", "two")).await;
    assert!(said.contains("read it first"), "{said}");
    b.ok("grep", json!({"pattern": "on", "mode": "files"})).await;
    b.no("edit_file", edit("a", "one", "two")).await;
    b.ok("grep", json!({"pattern": "on"})).await;
    b.ok("edit_file", edit("a", "one", "two")).await;
    b.ok("edit_file", edit("b", "one", "two")).await;
}

#[tokio::test]
async fn nc_23_a_hundred_reads_later_the_first_is_remembered() {
    let mut b = with("first", "one\n").await;
    for number in 0..101 {
        let name = format!("f{number}");
        b.world.file(&name, "x\n");
        b.ok("read_file", json!({"path": name})).await;
    }
    b.ok("edit_file", edit("first", "one", "two")).await;
}

#[tokio::test]
async fn a_file_changed_since_is_edited_only_where_the_anchor_is_certain() {
    let mut b = with("a", "one\ntwo\n").await;
    b.world.file("a", "zero\none\ntwo\n");
    let said = b.ok("edit_file", edit("a", "two", "2")).await;
    assert!(said.contains("[a had changed since you read it"), "{said}");
    assert_eq!(b.world.read("a"), "zero\none\n2\n");
    // The other's change is still unseen, so the file as a whole may not be overwritten.
    let said = b.no("write_file", json!({"path": "a", "content": "all mine"})).await;
    assert!(said.contains("has changed since you read it"), "{said}");
    let all = json!({"path": "a", "old_string": "o", "new_string": "0", "replace_all": true});
    assert!(b.no("edit_file", all).await.contains("has changed since you read it"));
    let said = b.no("edit_file", edit("a", "two", "3")).await;
    assert!(said.contains("has changed since you read it"), "{said}");
}

#[tokio::test]
async fn a_file_changed_between_the_diff_and_the_yes_is_left_alone() {
    let b = with("a", "one\n").await;
    let tool = Arc::new(EditFile::default());
    let slow = Slow { edit: tool, world: b.world.path("a") };
    let args = edit("a", "one", "two");
    let (output, _) =
        purlin_engine::call::once(Arc::new(slow), &call("edit_file", &args), &b.cx).await;
    let said = purlin_engine::message::plain(&output.content);
    assert!(
        said.ends_with("changed by somebody else just now; read it again; nothing was changed"),
        "{said}"
    );
    assert_eq!(b.world.read("a"), "theirs\n");
}

/// The edit tool, with somebody else writing to the file after it has prepared.
struct Slow {
    edit: Arc<EditFile>,
    world: std::path::PathBuf,
}

impl purlin_engine::tool::Tool for Slow {
    fn spec(&self) -> &purlin_engine::tool::ToolSpec {
        self.edit.spec()
    }

    fn claim(
        &self,
        call: &purlin_engine::message::ToolCall,
        cx: &purlin_engine::tool::Cx,
    ) -> Result<purlin_engine::effect::Claim, purlin_engine::tool::ToolError> {
        self.edit.claim(call, cx)
    }

    fn prepare(
        &self,
        claim: purlin_engine::effect::Claim,
        cx: &purlin_engine::tool::Cx,
    ) -> futures::future::BoxFuture<
        'static,
        Result<purlin_engine::gate::Plan, purlin_engine::tool::ToolError>,
    > {
        let (prepared, path) = (self.edit.prepare(claim, cx), self.world.clone());
        Box::pin(async move {
            let plan = prepared.await;
            std::fs::write(path, "theirs\n").unwrap();
            plan
        })
    }
}

#[tokio::test]
async fn several_edits_of_several_files_are_all_or_nothing() {
    let mut b = bench();
    b.world.file("a", "one\ntwo\n").file("b", "one\n");
    b.ok("read_file", json!({"files": [{"path": "a"}, {"path": "b"}]})).await;
    let edits = |last: &str| {
        json!({"path": "a", "edits": [
            {"old_string": "one", "new_string": "two"},
            {"old_string": "two", "new_string": "three"},
            {"path": "b", "old_string": last, "new_string": "1"},
        ]})
    };
    let said = b.no("edit_file", edits("nine")).await;
    assert!(said.starts_with("old_string does not occur in b"), "{said}");
    assert_eq!((b.world.read("a"), b.world.read("b")), ("one\ntwo\n".into(), "one\n".into()));
    let said = b.ok("edit_file", edits("one")).await;
    assert!(said.starts_with("edited a, b (+2 −2)\n--- a/a\n"), "{said}");
    assert_eq!((b.world.read("a"), b.world.read("b")), ("two\nthree\n".into(), "1\n".into()));
    assert_eq!(std::fs::read_dir(b.world.project()).unwrap().count(), 2);
}

#[tokio::test]
async fn when_the_last_file_cannot_be_replaced_the_first_is_put_back() {
    let mut b = bench();
    b.world.file("a", "one\n");
    std::fs::hard_link(b.world.path("a"), b.world.path("b")).unwrap();
    b.ok("read_file", json!({"files": [{"path": "a"}, {"path": "b"}]})).await;
    let inode = |path: &str| b.world.path(path).metadata().unwrap().ino();
    let before = (inode("a"), inode("b"));
    // Two names of one file: replacing it under the first changes what the second names.
    let edits = json!({"edits": [
        {"path": "a", "old_string": "one", "new_string": "two"},
        {"path": "b", "old_string": "one", "new_string": "three"},
    ]});
    let said = b.no("edit_file", edits).await;
    assert!(said.ends_with("read it again; nothing was changed"), "{said}");
    let inode = |path: &str| b.world.path(path).metadata().unwrap().ino();
    assert_eq!((inode("a"), inode("b")), before);
    assert_eq!(b.world.read("a"), "one\n");
    assert_eq!(std::fs::read_dir(b.world.project()).unwrap().count(), 2);
}

#[tokio::test]
async fn overlapping_edits_are_refused() {
    let mut b = with("a", "one two three\n").await;
    let edits = json!({"path": "a", "edits": [
        {"old_string": "one two", "new_string": "1"}, {"old_string": "two three", "new_string": "3"}]});
    let said = b.no("edit_file", edits).await;
    assert_eq!(said, "two edits of a overlap at line 1; make them one");
}

#[tokio::test]
async fn a_miss_shows_the_closest_region() {
    let mut b = with("a", "fn a() {\n    let x = 1;\n    x\n}\n").await;
    assert_eq!(
        b.no("edit_file", edit("a", "let x = 1;\nx", "y")).await,
        "old_string does not occur in a. The closest are lines 2-3, which differ in blanks \
         only:\n2\t    let x = 1;\n3\t    x"
    );
    let said = b.no("edit_file", edit("a", "let y = 1;", "y")).await;
    assert!(said.ends_with("The closest are lines 2-2:\n2\t    let x = 1;"), "{said}");
    let said = b.no("edit_file", edit("a", "2\t    let x = 1;", "y")).await;
    assert!(said.contains("leave out the line numbers"), "{said}");
    let said = b.no("edit_file", edit("a", "qqqqqqqq", "y")).await;
    assert!(said.ends_with("Nothing in it comes near: read it again"), "{said}");
}

#[tokio::test]
async fn many_matches_are_counted_with_their_lines() {
    let mut b = with("a", "x\ny\nx\n").await;
    assert_eq!(
        b.no("edit_file", edit("a", "x", "z")).await,
        "old_string occurs 2 times in a, at lines 1, 3; add lines around it until it is unique, \
         or set replace_all"
    );
    let all = json!({"path": "a", "old_string": "x", "new_string": "z", "replace_all": true});
    b.ok("edit_file", all).await;
    assert_eq!(b.world.read("a"), "z\ny\nz\n");
}

#[tokio::test]
async fn the_closest_region_is_found_by_its_telling_lines() {
    let braces = "{\n}\n\n".repeat(20);
    let mut b = with("a", format!("{braces}fn telling_name() {{\n    old();\n}}\n")).await;
    let said = b.no("edit_file", edit("a", "fn telling_name() {\n    new();\n}", "x")).await;
    assert!(said.contains("The closest are lines 61-63:\n61\tfn telling_name() {"), "{said}");
}

#[tokio::test]
async fn a_call_dropped_anywhere_leaves_the_old_file_or_the_new_one() {
    for polls in 0..12 {
        let b = with("a", "one\n").await;
        let args = edit("a", "one", "two");
        let call = call("edit_file", &args);
        let tool = Arc::new(EditFile::default());
        let mut running = Box::pin(purlin_engine::call::once(tool, &call, &b.cx));
        let mut left = polls;
        std::future::poll_fn(|task| {
            if left == 0 {
                return std::task::Poll::Ready(());
            }
            left -= 1;
            running.as_mut().poll(task).map(drop)
        })
        .await;
        drop(running);
        let text = b.world.read("a");
        assert!(text == "one\n" || text == "two\n", "{text:?}");
        assert_eq!(std::fs::read_dir(b.world.project()).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_refused() {
    let mut b = with("a", "x\n").await;
    assert!(b.no("edit_file", edit("a", "x", "x")).await.contains("changes nothing"));
}

#[tokio::test]
async fn an_empty_old_string_makes_a_file_and_never_replaces_one() {
    let mut b = bench();
    b.ok("edit_file", edit("new/file", "", "text\n")).await;
    assert_eq!(b.world.read("new/file"), "text\n");
    let said = b.no("edit_file", edit("new/file", "", "other\n")).await;
    assert!(said.contains("exists and is not empty"), "{said}");
    let said = b.no("edit_file", edit("gone", "x", "y")).await;
    assert!(said.starts_with("gone does not exist"), "{said}");
}

#[tokio::test]
async fn what_is_too_large_or_not_text_is_refused_with_advice() {
    let mut b = bench();
    b.world.file("big", "x".repeat(11 << 20)).file("bin", b"a\0b");
    assert!(b.no("edit_file", edit("big", "x", "y")).await.contains("use a command such as sed"));
    assert!(b.no("edit_file", edit("bin", "a", "b")).await.contains("binary data"));
}
