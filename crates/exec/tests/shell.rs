//! The shell is asked where it ended up.

mod common;

use std::ffi::OsStr;

use common::{said, world};
use purlin_exec::{End, Shell, Spec};

#[tokio::test]
async fn cc_11_every_way_of_moving_is_followed() {
    for command in [
        "cd sub && false",
        "cd -P sub",
        "cd -- sub",
        "pushd sub",
        "d=sub; cd $d",
        "if true; then { cd sub; }; fi",
        "true\ncd sub\ntrue",
        "cd sub; exit 3",
        "cd sub/deep; cd ..",
        "cd sub; cd /; cd -",
        "for d in sub deep; do cd $d; done; cd ..",
        "set -eu; cd sub; false",
        "set -C -x; cd sub",
        "trap 'echo mine' EXIT; cd sub",
        "f() { cd sub; }; f",
    ] {
        let world = world();
        world.run(command).await;
        assert_eq!(world.moved_to().as_deref(), Some("sub"), "{command}");
    }
}

#[tokio::test]
async fn cc_12_what_did_not_move_the_shell_is_not_followed() {
    for command in ["cd sub | cat", "false && cd sub; true", "cd sub & wait", "(cd sub)", "cd nope"]
    {
        let world = world();
        world.run(command).await;
        assert_eq!(world.moved_to().as_deref(), Some(""), "{command}");
    }
}

#[tokio::test]
async fn asking_changes_neither_status_nor_output_nor_arguments() {
    for (command, status, output) in [
        ("exit 3", 3, ""),
        ("(exit 4)", 4, ""),
        ("cd sub; false", 1, ""),
        ("set -e; false; echo unreached", 1, ""),
        ("echo $0 $# \"$*\"", 0, "bash 0 \n"),
        // Two signs, because the command is evaluated inside ours.
        ("set -x; true", 0, "++ true\n"),
        ("trap 'echo mine >&2' EXIT; exit 5", 5, "mine\n"),
        ("exec echo replaced", 0, "replaced\n"),
    ] {
        let world = world();
        let finished = world.run(command).await;
        assert_eq!(finished.end, End::Exited(status), "{command}");
        assert_eq!(said(&finished), output, "{command}");
    }
}

#[tokio::test]
async fn cc_17_it_is_bash_where_there_is_one() {
    let world = world();
    let command = "a=(x y); [[ ${a[1]} == y ]] && set -o pipefail && source /dev/null && echo yes";
    assert_eq!(said(&world.run(command).await), "yes\n");
    let bash = Shell::find(OsStr::new("relative:/nowhere:/usr/bin:/bin"));
    assert_eq!(bash.name(), "bash");
    assert_eq!(Shell::find(OsStr::new("/nowhere")), Shell::at("/bin/sh"));
}

#[tokio::test]
async fn sh_tells_as_well() {
    for (command, status, place) in
        [("cd sub; false", 1, "sub"), ("set -C; cd sub; exit 3", 3, "sub"), ("cd sub | cat", 0, "")]
    {
        let world = world();
        let argv = Shell::at("/bin/sh").argv(command, &world.told);
        let finished = common::finish(Spec { argv, ..world.spec("") }).await.unwrap();
        assert_eq!(finished.end, End::Exited(status), "{command}");
        assert_eq!(world.moved_to().as_deref(), Some(place), "{command}");
    }
}

#[tokio::test]
async fn a_directory_deleted_underneath_is_still_told_or_nothing_is() {
    let world = world();
    let finished = world.run("cd sub/deep && rmdir ../deep && echo gone").await;
    assert_eq!((finished.end, said(&finished).as_str()), (End::Exited(0), "gone\n"));
    assert!(matches!(world.moved_to().as_deref(), None | Some("sub/deep")));
}

#[test]
fn only_a_whole_path_counts_as_told() {
    assert_eq!(Shell::told(b"/a/b\n"), Some("/a/b".into()));
    assert_eq!(Shell::told(b"/a\nb\n"), Some("/a\nb".into()));
    assert_eq!(Shell::told(b""), None);
    assert_eq!(Shell::told(b"/a/b"), None);
    assert_eq!(Shell::told(b"(unreachable)/b\n"), None);
}
