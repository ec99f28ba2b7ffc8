//! Claiming and preparing change nothing, whatever the tool.

use serde_json::json;

use crate::bench::{bench, call, tool};

#[tokio::test]
async fn claim_and_prepare_change_nothing_on_disk() {
    let mut b = bench();
    b.world.file("a", "one\r\n").file("sub/b", "x").file(".gitignore", "sub/\n");
    b.ok("read_file", json!({"path": "a"})).await;
    let before = b.world.tree();
    let calls = [
        ("read_file", json!({"path": "a"})),
        ("write_file", json!({"path": "a", "content": "two"})),
        ("write_file", json!({"path": "new/folder/file", "content": "two"})),
        ("edit_file", json!({"path": "a", "old_string": "one", "new_string": "two"})),
        ("edit_file", json!({"path": "fresh", "old_string": "", "new_string": "two"})),
        ("glob", json!({"pattern": "*"})),
        ("grep", json!({"pattern": "o"})),
        ("agent", json!({"task": "write everything"})),
    ];
    for (name, args) in calls {
        let tool = tool(name);
        let claim = tool.claim(&call(name, &args), &b.cx).unwrap();
        let again = tool.claim(&call(name, &args), &b.cx).unwrap();
        assert_eq!(claim, again);
        drop(tool.prepare(claim, &b.cx).await.unwrap());
        assert_eq!(b.world.tree(), before, "{name}");
    }
}
