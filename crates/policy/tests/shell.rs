//! What the strict reader takes for looking, and what it leaves to be asked about.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use purlin_engine::effect::{CommandLine, Effect};
use purlin_policy::shell::{read, simple};

const ROOT: &str = "/no/such/project";

/// The paths a command only looks at, if that is what it does.
fn looks(text: &str) -> Option<Vec<PathBuf>> {
    let effect = read(text, Path::new(ROOT), &Path::new(ROOT).join("sub"));
    if let Effect::Files { reads, writes } = &effect {
        assert!(writes.is_empty());
        return Some(reads.clone());
    }
    let cwd = Path::new(ROOT).join("sub");
    assert_eq!(effect, Effect::Exec(CommandLine { text: text.into(), cwd, proved: false }));
    None
}

#[test]
fn what_only_looks_reads_the_project() {
    for text in [
        "ls",
        "ls -la src",
        "pwd ; ls src",
        "echo a=b,c:d@e%f+g",
        "cat Cargo.toml && head -n 5 README.md; true",
        "cat a&&cat b;",
        "date +%Y-%m-%d",
        "sleep 0.5\n",
        "cat ../other/file",
        "echo /dev/null ../../x",
    ] {
        assert_eq!(looks(text), Some(vec![ROOT.into()]), "{text}");
    }
}

#[test]
fn paths_outside_the_project_are_claimed_by_name() {
    let outside = |path: &str| Some(vec![ROOT.into(), path.into()]);
    assert_eq!(looks("cat /no/where/else"), outside("/no/where/else"));
    assert_eq!(looks("ls ../../other; true"), outside("/no/such/other"));
    let cwd = Path::new("/no/where");
    let effect = read("ls x", Path::new(ROOT), cwd);
    assert_eq!(effect, Effect::reads([ROOT.into(), cwd.to_path_buf()]));
}

#[test]
fn a_link_is_claimed_where_it_leads() {
    let world = tempfile::tempdir().unwrap();
    let root = world.path().canonicalize().unwrap().join("project");
    let secret = root.with_file_name("secret");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(&secret, "").unwrap();
    std::os::unix::fs::symlink(&secret, root.join("link")).unwrap();
    assert_eq!(read("cat link", &root, &root), Effect::reads([root.clone(), secret]));
    assert!(Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    assert!(!read("cat pipe", &root, &root).only_looks(), "reading a pipe empties it");
}

#[test]
fn everything_else_is_a_command_line() {
    for text in [
        "",
        ";",
        "&&",
        "ls &&",
        "; ls",
        "ls ;; ls",
        "ls & ls",
        "ls &",
        "ls && && ls",
        "ls | cat",
        "ls || ls",
        "ls > x",
        "ls 2>&1",
        "cat < x",
        "ls\nls",
        "ls\rls",
        "a=b",
        "a=b ls",
        "cd sub",
        "cat *",
        "cat ~/x",
        "cat a?",
        "cat {a,b}",
        "echo $HOME",
        "echo `id`",
        "echo 'a'",
        "ls # x",
        "! ls",
        "echo a\\ b",
        "echo é",
        "(ls)",
        "date",
        "date -s x",
        "date 010100002030",
        "date +%s -s x",
        "/bin/ls",
        "rm x",
        "LS",
        "cat /dev/sda",
        "head -c 1 /proc/kmsg",
        "cat ../../../../dev/zero",
    ] {
        assert_eq!(looks(text), None, "{text}");
    }
}

/// Pieces of which some make commands and some break them.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "(echo|true|pwd|ls|cat|head|date|sleep) ",
        6 => "[a-z0-9_./,:+@%=-]{1,4}",
        4 => "[ \t]",
        4 => "(;|&&)",
        2 => r#"[ -~\n\t]"#,
        1 => any::<char>().prop_map(String::from),
        1 => r"[$`'\\~*?{}\[\]()<>|&!#\x22]{1,2}",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// What bash makes of it: every word of every command, with the commands replaced by ones that
/// print what they are given.
fn bash(text: &str, folder: &Path) -> Vec<Vec<String>> {
    let names = ["echo", "true", "pwd", "ls", "cat", "head", "date", "sleep"];
    let print = |name| format!("{name}() {{ printf '%s\\037' {name} \"$@\"; printf '\\036'; }}\n");
    let script = names.map(print).concat() + text;
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{text:?}: {output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let command = |line: &str| line.split_terminator('\x1f').map(String::from).collect();
    printed.split_terminator('\x1e').map(command).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn bash_reads_the_same_words_in_whatever_is_accepted(text in text()) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "ls", "0"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        if looks(&text).is_some() {
            let syntax = Command::new("bash").args(["-n", "-c", &text]).output().unwrap();
            prop_assert!(syntax.status.success() && syntax.stderr.is_empty());
            prop_assert_eq!(bash(&text, folder.path()), simple(&text).unwrap());
        }
    }
}
