//! `read_file`.

use serde_json::json;

use crate::bench::bench;

#[tokio::test]
async fn lines_are_numbered_and_leading_blanks_stay() {
    let mut b = bench();
    b.world.file("a.py", "  def f():\n\treturn 1\n");
    assert_eq!(b.ok("read_file", json!({"path": "a.py"})).await, "1\t  def f():\n2\t\treturn 1");
}

#[tokio::test]
async fn several_files_and_ranges_come_in_one_answer() {
    let mut b = bench();
    b.world.file("a", "1\n2\n3\n").file("b", "x\n");
    let files = json!([{"path": "a", "offset": 2, "limit": 1}, {"path": "nope"}, {"path": "b"}]);
    assert_eq!(
        b.ok("read_file", json!({"files": files})).await,
        "== a\n2\t2\n[lines 2-2 of 3; continue with offset 3]\n\n\
         == nope\nnope does not exist; find it with glob\n\n== b\n1\tx"
    );
}

#[tokio::test]
async fn cc_07_a_long_file_is_cut_with_a_way_to_continue() {
    let mut b = bench();
    let text: String = (1..=8112).map(|line| format!("line {line}\n")).collect();
    b.world.file("long", text);
    let first = b.ok("read_file", json!({"path": "long"})).await;
    assert!(first.ends_with("2000\tline 2000\n[lines 1-2000 of 8112; continue with offset 2001]"));
    let last = b.ok("read_file", json!({"path": "long", "offset": 8112})).await;
    assert_eq!(last, "8112\tline 8112\n[lines 8112-8112 of 8112]");
}

#[tokio::test]
async fn cc_07_one_line_of_five_megabytes_and_wide_lines_stay_within_bounds() {
    let mut b = bench();
    b.world.file("one", "x".repeat(5_000_000)).file("wide", ("y".repeat(400) + "\n").repeat(2000));
    let one = b.ok("read_file", json!({"path": "one"})).await;
    assert!(one.len() < 3000 && one.contains("4998000 characters of this line left out"));
    let wide = b.ok("read_file", json!({"path": "wide"})).await;
    assert!(wide.len() < 50_200, "{}", wide.len());
    assert!(
        wide.ends_with("[lines 1-123 of 2000; continue with offset 124]"),
        "{}",
        &wide[49_000..]
    );
}

#[tokio::test]
async fn a_file_too_large_to_load_is_read_by_window() {
    let mut b = bench();
    let path = b.world.path("huge.log");
    let text: String = (1..=1_500_000).map(|line| format!("entry {line}\n")).collect();
    std::fs::write(&path, text + "last without end").unwrap();
    let middle =
        b.ok("read_file", json!({"path": "huge.log", "offset": 700_000, "limit": 2})).await;
    assert_eq!(
        middle,
        "700000\tentry 700000\n700001\tentry 700001\n[lines 700000-700001 of 1500001; \
         continue with offset 700002; 18.9 MB, too large for edit_file]"
    );
    let end = b.ok("read_file", json!({"path": "huge.log", "offset": 1_500_001})).await;
    assert!(end.starts_with("1500001\tlast without end\n"));
    let file = std::fs::File::create(b.world.path("sparse")).unwrap();
    file.set_len(2 << 30).unwrap();
    assert!(b.no("read_file", json!({"path": "sparse"})).await.contains("binary data (2.0 GB"));
}

#[tokio::test]
async fn cc_08_odd_files_are_named_for_what_they_are() {
    let mut b = bench();
    b.world.file("logo", b"\x89PNG\r\n\x1a\n\0\0").file("raw", b"ab\0cd").file("empty", "");
    b.world.file("three", "1\n2\n3\n").file("doc", "%PDF-1.7 ...");
    let pipe = b.world.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(b.world.path("socket")).unwrap();
    let mut said = Vec::new();
    for path in ["logo", "raw", "doc", "pipe", "socket", "/dev/zero"] {
        said.push(b.no("read_file", json!({"path": path})).await);
    }
    drop(socket);
    assert_eq!(
        said,
        [
            "logo is a PNG picture (10 bytes); only text is shown",
            "raw is binary data (5 bytes); only text is shown",
            "doc is a PDF document (12 bytes); only text is shown",
            "pipe is a named pipe (FIFO), not a file; nothing was read or written",
            "socket is a socket, not a file; nothing was read or written",
            "/dev/zero is a character device, not a file; nothing was read or written",
        ]
    );
    assert_eq!(b.ok("read_file", json!({"path": "empty"})).await, "[the file is empty]");
    let past = b.no("read_file", json!({"path": "three", "offset": 9})).await;
    assert_eq!(past, "line 9 is past the end: three has 3 lines");
    let none = b.no("read_file", json!({"path": "three", "limit": 0})).await;
    assert!(none.contains("shows nothing"));
}

#[tokio::test]
async fn cc_09_only_a_newline_ends_a_line() {
    let mut b = bench();
    b.world.file("a", "one\u{c}still\u{2028}still\u{85}still\ntwo\n");
    let text = b.ok("read_file", json!({"path": "a"})).await;
    assert_eq!(text, "1\tone\u{c}still\u{2028}still\u{85}still\n2\ttwo");
}

#[tokio::test]
async fn cc_06_other_encodings_are_decoded_and_named() {
    let mut b = bench();
    b.world
        .file("latin", b"caf\xe9\n")
        .file("wide", b"\xff\xfeh\0i\0\n\0")
        .file("bom", "\u{feff}x\r\n");
    let latin = b.ok("read_file", json!({"path": "latin"})).await;
    assert_eq!(latin, "1\tcafé\n[encoding Latin-1 (windows-1252)]");
    assert_eq!(b.ok("read_file", json!({"path": "wide"})).await, "1\thi\n[encoding UTF-16LE]");
    assert_eq!(
        b.ok("read_file", json!({"path": "bom"})).await,
        "1\tx\n[UTF-8 with a byte order mark; line ends are CRLF]"
    );
}

#[tokio::test]
async fn a_folder_is_listed_and_a_missing_file_suggests_its_neighbours() {
    let mut b = bench();
    b.world.file("src/main.rs", "").file("src/inner/x", "");
    let list = b.ok("read_file", json!({"path": "src"})).await;
    assert_eq!(list, "inner/\nmain.rs\n[2 entries of the folder src]");
    let near = b.no("read_file", json!({"path": "src/mian.rs"})).await;
    assert_eq!(near, "src/mian.rs does not exist; in its folder there is: main.rs");
}

#[tokio::test]
async fn a_file_of_the_kernel_that_says_it_is_empty_is_read() {
    let mut b = bench();
    assert!(b.ok("read_file", json!({"path": "/proc/self/status"})).await.starts_with("1\tName:"));
}

#[tokio::test]
async fn cc_10_all_tools_follow_the_sessions_directory() {
    let mut b = bench();
    b.world.file("x.py", "outer\n").file("sub/x.py", "inner\n");
    b.cx.cwd = b.cx.root.join("sub");
    assert_eq!(b.ok("read_file", json!({"path": "x.py"})).await, "1\tinner");
    b.ok("edit_file", json!({"path": "x.py", "old_string": "inner", "new_string": "x"})).await;
    assert_eq!((b.world.read("x.py"), b.world.read("sub/x.py")), ("outer\n".into(), "x\n".into()));
    // A path that an answer shows names the same file when it is given back.
    let found = b.ok("glob", json!({"pattern": "*.py"})).await;
    let path = found.lines().next().unwrap().to_owned();
    assert_eq!(b.ok("read_file", json!({"path": path})).await, "1\tx");
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let mut b = bench();
    assert!(b.no("read_file", json!({})).await.contains("`path`"));
    assert!(b.no("read_file", json!({"file_path": "x"})).await.contains("file_path"));
    assert!(b.no("read_file", json!({"path": "x", "offset": -3})).await.contains("`offset`"));
}
