//! The keeper and its store.

use std::os::unix::fs::MetadataExt as _;

use purlin_engine::effect::{Claim, Effect};
use purlin_engine::listen::Keeper as _;
use purlin_tools::store::Store;
use serde_json::json;

use crate::bench::{bench, call};

#[tokio::test]
async fn an_edit_a_write_and_a_new_file_are_undone() {
    let mut b = bench();
    b.world.file("a", "one\r\n").mode("a", 0o750);
    b.ok("read_file", json!({"path": "a"})).await;
    b.ok("edit_file", json!({"path": "a", "old_string": "one", "new_string": "two"})).await;
    b.ok("write_file", json!({"path": "a", "content": "three\n"})).await;
    b.ok("write_file", json!({"path": "new/b", "content": "b\n"})).await;
    let diff = b.keeper.diff(&b.changes).await;
    assert_eq!(
        diff,
        "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-one\n+three\n\
         --- /dev/null\n+++ b/new/b\n@@ -0,0 +1,1 @@\n+b\n"
    );
    let undone = b.keeper.undo(&b.changes).await.unwrap();
    assert_eq!((b.world.read("a"), undone.len()), ("one\r\n".to_owned(), 2));
    assert!(!b.world.path("new/b").exists());
    assert_eq!(b.world.path("a").metadata().unwrap().mode() & 0o777, 0o750);
    // Undoing the undo brings both back, the folder included.
    std::fs::remove_dir(b.world.path("new")).unwrap();
    b.keeper.undo(&undone).await.unwrap();
    assert_eq!((b.world.read("a"), b.world.read("new/b")), ("three\r\n".into(), "b\n".into()));
}

#[tokio::test]
async fn cc_47_undo_never_takes_a_persons_later_work() {
    let mut b = bench();
    b.world.file("a", "one\n").file("b", "one\n");
    b.ok("read_file", json!({"files": [{"path": "a"}, {"path": "b"}]})).await;
    let edit = |path| json!({"path": path, "old_string": "one", "new_string": "two"});
    b.ok("edit_file", edit("a")).await;
    b.ok("edit_file", edit("b")).await;
    b.world.file("a", "two, and mine\n");
    let why = b.keeper.undo(&b.changes).await.unwrap_err();
    assert_eq!(why, "nothing was undone: a changed since, and undoing would lose that");
    assert_eq!((b.world.read("a"), b.world.read("b")), ("two, and mine\n".into(), "two\n".into()));
}

#[tokio::test]
async fn cc_47_work_between_two_changes_is_not_lost_either() {
    let mut b = bench();
    b.world.file("a", "one\n");
    b.ok("read_file", json!({"path": "a"})).await;
    b.ok("edit_file", json!({"path": "a", "old_string": "one", "new_string": "two"})).await;
    b.world.file("a", "two, and mine\n");
    b.ok("edit_file", json!({"path": "a", "old_string": "two", "new_string": "three"})).await;
    assert!(b.keeper.undo(&b.changes).await.is_err());
    b.keeper.undo(&b.changes[1..]).await.unwrap();
    assert_eq!(b.world.read("a"), "two, and mine\n");
}

#[tokio::test]
async fn what_cannot_be_kept_is_said_before_the_call() {
    let b = bench();
    b.world.file("folder/x", "");
    let call = call("write_file", &json!({}));
    let effect = Effect::writes(b.world.path("folder"));
    let claim = Claim { call, title: String::new(), effect };
    let why = b.keeper.before(&claim).await.unwrap_err();
    assert!(why.ends_with("folder is not a regular file, so it is not kept"), "{why}");
}

#[tokio::test]
async fn undo_does_not_follow_a_link_that_came_later() {
    let mut b = bench();
    b.world.file("d/a", "one\n").file("elsewhere/a", "two\n");
    b.ok("read_file", json!({"path": "d/a"})).await;
    b.ok("edit_file", json!({"path": "d/a", "old_string": "one", "new_string": "two"})).await;
    std::fs::remove_dir_all(b.world.path("d")).unwrap();
    b.world.link("d", "elsewhere");
    assert!(b.keeper.undo(&b.changes).await.is_err());
    assert_eq!(b.world.read("elsewhere/a"), "two\n");
}

#[tokio::test]
async fn cc_48_contents_are_private_and_kept_once() {
    let b = bench();
    let store = Store { folder: b.world.state().join("private/kept") };
    let kept = store.keep(b"secret").unwrap();
    assert_eq!(store.keep(b"secret").unwrap(), kept);
    assert_eq!(store.read(&kept.hash).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(&store.folder).unwrap().count(), 1);
    let mode = |path: &std::path::Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!((mode(&store.folder), mode(&kept.path)), (0o700, 0o600));
    assert!(store.read("../../etc/passwd").is_err());
    std::fs::write(&kept.path, "damaged").unwrap();
    assert!(store.read(&kept.hash).is_err());
}
