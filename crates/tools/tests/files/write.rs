//! `write_file`.

use std::os::unix::fs::MetadataExt as _;

use purlin_engine::call::once;
use serde_json::json;

use crate::bench::{bench, call, tool};

#[tokio::test]
async fn a_new_file_is_made_with_its_folders() {
    let mut b = bench();
    let said = b.ok("write_file", json!({"path": "a/b/c.txt", "content": "1\n2\n"})).await;
    assert_eq!(said, "wrote a/b/c.txt, a new file of 2 lines");
    assert_eq!(b.world.read("a/b/c.txt"), "1\n2\n");
    // What was just written need not be read before it is edited.
    b.ok("edit_file", json!({"path": "a/b/c.txt", "old_string": "2", "new_string": "3"})).await;
}

#[tokio::test]
async fn an_existing_file_must_have_been_read() {
    let mut b = bench();
    b.world.file("a", "old\n");
    let said = b.no("write_file", json!({"path": "a", "content": "new\n"})).await;
    assert!(said.starts_with("a was not read in this session; read it first"), "{said}");
    b.ok("read_file", json!({"path": "a"})).await;
    let said = b.ok("write_file", json!({"path": "a", "content": "new\n"})).await;
    assert_eq!(said, "wrote a, 1 line (+1 −1)\n--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-old\n+new\n");
    let same = b.ok("write_file", json!({"path": "a", "content": "new\n"})).await;
    assert_eq!(same, "a has exactly this content already");
}

#[tokio::test]
async fn nc_24_a_file_changed_since_the_read_is_not_overwritten() {
    let mut b = bench();
    b.world.file("a", "old\n");
    b.ok("read_file", json!({"path": "a"})).await;
    b.world.file("a", "new\n"); // the same size, within the same second
    let said = b.no("write_file", json!({"path": "a", "content": "mine\n"})).await;
    assert_eq!(said, "a has changed since you read it; nothing was written. Read it again");
    assert_eq!(b.world.read("a"), "new\n");
}

#[tokio::test]
async fn nc_21_mode_and_symlink_survive() {
    let mut b = bench();
    b.world.file("real.sh", "old\n").mode("real.sh", 0o755).link("link.sh", "real.sh");
    b.ok("read_file", json!({"path": "link.sh"})).await;
    b.ok("write_file", json!({"path": "link.sh", "content": "new\n"})).await;
    assert!(b.world.path("link.sh").is_symlink());
    assert_eq!(b.world.read("real.sh"), "new\n");
    let mode = b.world.path("real.sh").metadata().unwrap().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[tokio::test]
async fn owner_and_extended_attributes_survive() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let mut b = bench();
    b.world.file("a", "old\n").mode("a", 0o640);
    let path = b.world.path("a");
    // Not every file system has attributes, and only root may give a file away.
    let kept = setxattr(&path, "user.origin", b"here", XattrFlags::empty()).is_ok();
    let given = std::os::unix::fs::chown(&path, Some(4321), Some(4321)).is_ok();
    b.ok("read_file", json!({"path": "a"})).await;
    b.ok("write_file", json!({"path": "a", "content": "new\n"})).await;
    let meta = path.metadata().unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid() == 4321), (0o640, given));
    let mut value = [0_u8; 16];
    assert_eq!(getxattr(&path, "user.origin", &mut value[..]).is_ok(), kept);
}

#[tokio::test]
async fn a_link_to_nowhere_and_a_read_only_file_are_refused() {
    let mut b = bench();
    b.world.link("dangling", "nowhere").file("fixed", "x\n").mode("fixed", 0o444);
    let said = b.no("write_file", json!({"path": "dangling", "content": "x"})).await;
    assert!(said.contains("symlink to nowhere"), "{said}");
    assert!(b.world.path("dangling").is_symlink());
    b.ok("read_file", json!({"path": "fixed"})).await;
    let said = b.no("write_file", json!({"path": "fixed", "content": "y"})).await;
    assert!(said.starts_with("fixed is read-only (mode 444, owner uid"), "{said}");
    assert_eq!(b.world.read("fixed"), "x\n");
}

#[tokio::test]
async fn cc_04_an_unwritable_content_leaves_the_file_whole() {
    let mut b = bench();
    b.world.file("a", "keep\n").file("latin", b"caf\xe9\n");
    b.ok("read_file", json!({"files": [{"path": "a"}, {"path": "latin"}]})).await;
    let args = r#"{"path": "a", "content": "half \ud83d"}"#.to_owned();
    let broken = purlin_engine::message::ToolCall { args, ..call("write_file", &json!({})) };
    let (output, _) = once(tool("write_file"), &broken, &b.cx).await;
    assert!(output.failed);
    assert_eq!(b.world.read("a"), "keep\n");
    let said = b.no("write_file", json!({"path": "latin", "content": "日本\n"})).await;
    assert!(said.contains("Latin-1 (windows-1252), which has no '日'"), "{said}");
    assert_eq!(b.world.bytes("latin"), b"caf\xe9\n");
}

#[tokio::test]
async fn cc_06_an_overwritten_file_keeps_encoding_mark_and_line_ends() {
    let mut b = bench();
    b.world
        .file("latin", b"caf\xe9\r\nx\r\n")
        .file("bom", "\u{feff}a\n")
        .file("wide", b"\xfe\xff\0a\0\n");
    let all = json!([{"path": "latin"}, {"path": "bom"}, {"path": "wide"}]);
    b.ok("read_file", json!({"files": all})).await;
    b.ok("write_file", json!({"path": "latin", "content": "café\nthé\n"})).await;
    b.ok("write_file", json!({"path": "bom", "content": "b\n"})).await;
    b.ok("write_file", json!({"path": "wide", "content": "é\n"})).await;
    assert_eq!(b.world.bytes("latin"), b"caf\xe9\r\nth\xe9\r\n");
    assert_eq!(b.world.read("bom"), "\u{feff}b\n");
    assert_eq!(b.world.bytes("wide"), b"\xfe\xff\0\xe9\0\n");
}

#[tokio::test]
async fn hard_links_are_spoken_of_and_nothing_is_left_beside_the_file() {
    let mut b = bench();
    b.world.file("a", "old\n");
    std::fs::hard_link(b.world.path("a"), b.world.path("b")).unwrap();
    b.ok("read_file", json!({"path": "a"})).await;
    let said = b.ok("write_file", json!({"path": "a", "content": "new\n"})).await;
    assert!(said.ends_with("[a had 2 hard links; the others keep the old text]"), "{said}");
    let names = std::fs::read_dir(b.world.project()).unwrap().count();
    assert_eq!(names, 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_named() {
    if rustix::process::geteuid().is_root() {
        return; // root may write anywhere
    }
    let mut b = bench();
    b.world.file("sealed/x", "");
    b.world.mode("sealed", 0o500);
    let said = b.no("write_file", json!({"path": "sealed/y", "content": "x"})).await;
    assert!(said.contains("(mode 500, owner uid"), "{said}");
}
