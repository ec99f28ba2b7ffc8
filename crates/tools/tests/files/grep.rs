//! `grep`.

use serde_json::json;

use crate::bench::bench;

#[tokio::test]
async fn matches_are_grouped_by_file_with_totals() {
    let mut b = bench();
    b.world.file("a.rs", "  let foo = 1;\nbar\nfoo()\n").file("src/b.rs", "no\nfoo\n");
    assert_eq!(
        b.ok("grep", json!({"pattern": "foo"})).await,
        "a.rs\n1:  let foo = 1;\n3:foo()\n\nsrc/b.rs\n2:foo\n[3 matches in 2 files]"
    );
    let said = b.ok("grep", json!({"pattern": "foo", "mode": "files"})).await;
    assert_eq!(said, "a.rs\nsrc/b.rs\n[2 files]");
    let said = b.ok("grep", json!({"pattern": "FOO", "mode": "count", "ignore_case": true})).await;
    assert_eq!(said, "a.rs: 2\nsrc/b.rs: 1\n[3 matches in 2 files]");
    let said = b.ok("grep", json!({"pattern": "bar", "context": 1, "path": "a.rs"})).await;
    assert_eq!(said, "a.rs\n1-  let foo = 1;\n2:bar\n3-foo()\n[1 match in 1 file]");
}

#[tokio::test]
async fn the_rest_of_many_matches_is_counted_and_a_way_to_narrow_given() {
    let mut b = bench();
    b.world.file("a", "match\n".repeat(212)).file("b", "match\n");
    let said = b.ok("grep", json!({"pattern": "match"})).await;
    assert!(
        said.ends_with(
            "200:match\n[the first 200 of 213 matches in 2 files; narrow it with path, include \
             or a longer pattern, or ask for mode files]"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn cc_49_a_pathological_pattern_takes_linear_time() {
    let mut b = bench();
    b.world.file("a", "a".repeat(100_000) + "!\n");
    let said = b.ok("grep", json!({"pattern": "^(a+)+$"})).await;
    assert_eq!(said, "[no line matches ^(a+)+$ in .; 1 file searched]");
}

#[tokio::test]
async fn cc_50_a_minified_line_is_cut_around_the_match() {
    let mut b = bench();
    b.world.file("min.js", "x".repeat(1_000_000) + "needle" + &"y".repeat(1_000_000) + "\n");
    let said = b.ok("grep", json!({"pattern": "needle"})).await;
    assert!(said.len() < 500 && said.contains("xneedley"), "{said}");
    assert!(said.contains("… [of 2000006 characters]"), "{said}");
}

#[tokio::test]
async fn cc_50_what_is_skipped_is_said() {
    let mut b = bench();
    b.world
        .file("bin", b"needle\0")
        .file("build/out.txt", "needle\n")
        .file(".gitignore", "build/\n");
    b.world.file(".hidden", "needle\n");
    let said = b.ok("grep", json!({"pattern": "needle"})).await;
    assert_eq!(
        said,
        ".hidden\n1:needle\n[1 match in 1 file]\n[skipped: 1 binary file]\n\
         [skipped by ignore rules: build/; give one as `path` to look there]"
    );
    let said = b.ok("grep", json!({"pattern": "needle", "path": "build"})).await;
    assert!(said.starts_with("build/out.txt\n1:needle\n"), "{said}");
}

#[tokio::test]
async fn cc_50_accents_are_found_in_other_encodings() {
    let mut b = bench();
    b.world.file("latin", b"le caf\xe9\nx\n").file("wide", b"\xff\xfec\0a\0f\0\xe9\0\n\0");
    b.world.file("mac", "one\rcafé\r");
    assert_eq!(
        b.ok("grep", json!({"pattern": "café"})).await,
        "latin\n1:le café\n\nmac\n2:café\n\nwide\n1:café\n[3 matches in 3 files]"
    );
}

#[tokio::test]
async fn cc_50_braces_in_include_work() {
    let mut b = bench();
    b.world.file("a.js", "x\n").file("d/b.ts", "x\n").file("c.py", "x\n");
    let said = b.ok("grep", json!({"pattern": "x", "include": "*.{js,ts}", "mode": "files"})).await;
    assert_eq!(said, "a.js\nd/b.ts\n[2 files]");
}

#[tokio::test]
async fn nc_02_a_pattern_is_never_a_command() {
    let mut b = bench();
    b.world.file("a", "$(touch pwned)\n");
    b.ok("grep", json!({"pattern": "x; touch pwned #", "include": "$(touch pwned)"})).await;
    b.ok("grep", json!({"pattern": r"\$\(touch pwned\)"})).await;
    assert!(!b.world.path("pwned").exists());
}

#[tokio::test]
async fn nc_03_a_broken_pattern_is_told_in_the_parsers_words() {
    let mut b = bench();
    b.world.file("a", "foo[0]\n");
    let said = b.no("grep", json!({"pattern": "foo["})).await;
    assert!(said.contains("unclosed character class"), "{said}");
    assert!(said.ends_with(r"to find it literally: foo\["), "{said}");
    let said = b.no("grep", json!({"pattern": r"a\nb"})).await;
    assert!(said.starts_with("not a regular expression"), "{said}");
}

#[tokio::test]
async fn a_pipe_in_the_tree_is_passed_by_and_a_missing_place_is_said() {
    let mut b = bench();
    let pipe = b.world.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    b.ok("grep", json!({"pattern": "x"})).await;
    assert!(b.no("grep", json!({"pattern": "x", "path": "pipe"})).await.contains("named pipe"));
    assert!(b.no("grep", json!({"pattern": "x", "path": "gone"})).await.contains("does not exist"));
}
