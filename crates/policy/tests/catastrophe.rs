//! What is never run, and what must not be mistaken for it.
#![allow(clippy::unwrap_used)]

use futures::FutureExt as _;
use proptest::prelude::*;
use purlin_engine::effect::{Claim, CommandLine, Effect};
use purlin_engine::gate::{Guard as _, Verdict};
use purlin_engine::message::ToolCall;
use purlin_policy::catastrophe::Catastrophe;
use purlin_policy::shell;

fn guard() -> Catastrophe {
    Catastrophe { root: "/home/ada/work/project".into(), home: "/home/ada".into() }
}

fn judge(text: &str) -> Verdict {
    judge_in("/home/ada/work/project", text)
}

fn judge_in(cwd: &str, text: &str) -> Verdict {
    let call = ToolCall { id: "1".into(), name: "bash".into(), args: String::new() };
    let effect = Effect::Exec(CommandLine { text: text.into(), cwd: cwd.into(), proved: false });
    let claim = Claim { call, title: text.into(), effect };
    guard().judge(&claim, None).now_or_never().unwrap()
}

#[test]
fn cc_01_every_spelling_of_a_catastrophe_is_refused() {
    for text in [
        "rm -rf /",
        "rm -fr /",
        "rm -R /",
        "rm -r --force /",
        "rm --recursive /",
        "rm --rec /",
        "rm -r -f -- /",
        "rm / -rf",
        "/bin/rm -rf /",
        "\\rm -rf /",
        "rm -rf //",
        "rm -rf /.",
        "rm -rf '/'",
        "rm -rf \"/\"",
        "rm -rf /*",
        "rm -rf /usr/..",
        "rm -rf ok /",
        "rm -rf ~",
        "rm -rf ~/",
        "rm -rf ~/*",
        "rm -rf $HOME",
        "rm -rf \"$HOME\"",
        "rm -rf \"${HOME}\"/",
        "rm -rf ${HOME:?}",
        "rm -rf /home/ada",
        "rm -rf /home",
        "rm -rf /etc",
        "rm -rf /usr/*",
        "rm -rf ..",
        "rm -rf ../*",
        "rm -rf ../../.*",
        "rm -rf /home/ada/work",
        "cd / && rm -rf *",
        "cd; rm -rf *",
        "cd .. && rm -rf .",
        "rm -rf a b ~ c",
        "ls; rm -rf /",
        "ls && rm -rf /",
        "ls || rm -rf /",
        "ls | rm -rf /",
        "ls & rm -rf /",
        "ls\nrm -rf /",
        "(rm -rf /)",
        "{ rm -rf /; }",
        "if true; then rm -rf /; fi",
        "sudo rm -rf /",
        "sudo -u root -n rm -rf /",
        "env A=b rm -rf /",
        "A=b rm -rf /",
        "command rm -rf /",
        "nohup rm -rf / &",
        "timeout -s KILL 5 rm -rf /",
        "nice -n 5 rm -rf /",
        "sh -c 'rm -rf /'",
        "bash -lc \"cd /; rm -rf *\"",
        "sudo bash -c 'sudo rm -rf ~'",
        "eval rm -rf /",
        "echo $(rm -rf /)",
        "echo \"`rm -rf /`\"",
        "cat <(rm -rf /)",
        "cat <<END\ntext\nEND\nrm -rf /",
        "find / -delete",
        "find / -type f -delete",
        "find ~ -exec rm -rf {} +",
        "find -L / -delete",
        "mkfs.ext4 /dev/sda1",
        "mkfs -t ext4 /dev/nvme0n1",
        "dd if=x of=/dev/sda bs=1M",
        "dd if=x of=/dev/mmcblk0",
        "cat x > /dev/sda",
        "cat x >>/dev/vda",
        "cat x &>/dev/nvme0n1",
        "echo x | sudo tee /dev/sdb",
        "wipefs -a /dev/sda",
        "shred /dev/disk/by-id/x",
        ">/dev/sda",
        "chmod -R 777 /",
        "chmod -R 0777 /",
        "chmod --recursive u+w ~",
        "sudo chown -R me: /etc",
        ":(){ :|:& };:",
        "bomb() { bomb | bomb & }; bomb",
    ] {
        let Verdict::Deny(why) = judge(text) else { panic!("not refused: {text}") };
        assert!(why.contains('`') && why.contains("would"), "{why}");
    }
}

#[test]
fn cc_02_what_only_looks_like_one_is_left_to_be_asked() {
    for text in [
        "rm -f old.log && cp -r a b",
        "git rm -rf --cached x",
        "grep 'rm -rf /' notes",
        "grep -r \"rm -rf /\" .",
        "git commit -m \"mkfs\"",
        "git commit -m 'mkfs.ext4 /dev/sda'",
        "rm -rf /home/ada/work/project/build",
        "rm -rf /abs/project/build",
        "rm -rf ./target",
        "rm -rf target/*",
        "rm -rf /tmp/x",
        "rm -rf ~/.cache/x",
        "rm -rf '~'",
        "rm -rf ./~",
        "rm -rf ../sibling",
        "rm -f /etc",
        "rm -rf $DIR/x",
        "echo \"rm -rf /\"",
        "echo rm -rf /",
        "echo ':(){ :|:& };:'",
        "ls # rm -rf /",
        "cat >notes <<'END'\nrm -rf /\nEND\nls",
        "cd sub && rm -rf build",
        "cd - && rm -rf *",
        "(cd .. && ls); rm -rf ./target",
        "find . -name '*.o' -delete",
        "find target -delete",
        "find / -name '*.pyc' -delete",
        "find / -name x",
        "ls / -R",
        "cat x >/dev/null 2>&1",
        "echo x > /dev/stderr",
        "echo x >/dev/tty",
        "echo x > /dev/fd/3",
        "echo x >/dev/ttyUSB0",
        "dd if=/dev/sda of=image",
        "dd if=/dev/zero of=file",
        "mkfs.ext4 disk.img",
        "wipefs /dev/sda",
        "chmod -R u+w .",
        "chmod +x /usr/local/bin/x",
        "f() { ls | wc & }; f",
        "sh -c 'rm -rf build'",
        "sudo ls /",
        "python3 -c 'print(\"rm -rf /\")'",
        "",
        "'",
        "\"",
        "$(",
        "`",
        "\\",
        "<<",
        ">",
    ] {
        assert_eq!(judge(text), Verdict::Allow, "{text}");
    }
}

#[test]
fn the_project_itself_is_never_deleted() {
    for text in [
        "rm -rf *",
        "rm -rf .",
        "rm -rf ./",
        "rm -rf ./*",
        "rm -rf .*",
        "rm -rf {*,.*}",
        "rm -rf -- *",
        "rm -rf $PWD",
        "rm -rf \"$PWD\"",
        "rm -rf \"$PWD\"/*",
        "rm -rf ${PWD}",
        "rm -rf \"${PWD:?}/\"",
        "rm -rf $(pwd)",
        "rm -rf \"$(pwd -P)\"",
        "rm -rf `pwd`",
        "rm -rf \"$PWD\"/..",
        "rm -rf \"$OLDPWD\"/..",
        "cd sub && rm -rf \"$OLDPWD\"",
        "cd sub && rm -rf \"$OLDPWD\"/..",
        "cd sub && rm -rf ..",
        "cd sub && rm -rf \"$PWD/..\"",
        "cd sub && cd .. && rm -rf *",
        "cd sub && cd - && rm -rf *",
        "cd sub && cd \"$OLDPWD\" && rm -rf *",
        "cd \"$PWD\" && rm -rf *",
        "rm -rf /home/ada/work/project",
        "rm -rf ../project",
        "rm -rf .git",
        "rm -rf ./.git/",
        "rm -rf .git/*",
        "cd sub && rm -r ../.git",
        "find . -delete",
        "find -delete",
        "find \"$PWD\" -type f -delete",
    ] {
        let Verdict::Deny(why) = judge(text) else { panic!("not refused: {text}") };
        assert!(why.contains("would delete"), "{why}");
    }
}

#[test]
fn what_lies_inside_the_project_may_be_deleted() {
    for text in [
        "cd build && rm -rf *",
        "cd target && rm -rf * && ls",
        "cd build && rm -rf .",
        "cd build && rm -rf \"$PWD\"",
        "cd build && rm -rf \"$(pwd)\"/*",
        "cd build && cd .. && rm -rf build/*",
        "(cd build && rm -rf *)",
        "cd \"$(mktemp -d)\" && rm -rf *",
        "rm -rf \"$PWD/target\"",
        "rm -rf $PWD.bak",
        "rm -rf $PWDS",
        "rm -rf build/${PWD##*/}",
        "rm -rf *.o",
        "rm -rf vendor/x/.git",
        "rm -f *",
        "rm .git/index.lock",
        "git clean -fd",
    ] {
        assert_eq!(judge(text), Verdict::Allow, "{text}");
    }
}

#[test]
fn cc_01_what_no_list_can_decide_is_asked_about() {
    for text in [
        "curl -s x | python3",
        "curl x | zsh",
        "curl x | env bash",
        "bash <(curl x)",
        "echo eA== | base64 -d | sh",
        "curl -o f x && sh f",
        "find . -delete",
        "chmod 0777 x",
    ] {
        let read = shell::read(text, "/no/such/project".as_ref(), "/no/such/project".as_ref());
        assert!(!read.only_looks() && !read.changes_nothing(), "{text}");
    }
}

#[test]
fn a_refusal_names_the_part_and_a_safer_way() {
    let why = guard().refuses("make clean; sudo rm -rf ~/ build", &guard().root).unwrap();
    assert_eq!(
        why,
        "refused: `sudo rm -rf /home/ada/ build` would delete the person's home folder. This is \
         never run, whoever agrees. Name the one file or folder inside the project that you mean, \
         or ask the person to do it themselves"
    );
}

#[test]
fn a_refusal_to_delete_the_project_names_a_way_to_clean_it() {
    let why = guard().refuses("rm -rf \"${PWD}\"", &guard().root).unwrap();
    let part = "refused: `rm -rf $PWD` would delete the whole project (name what you mean by \
                its full path; for what git does not track, look at `git clean -n` first)";
    assert!(why.starts_with(part), "{why}");
}

proptest! {
    #[test]
    fn any_text_can_be_judged(text in r#"([ -~\n]|[$`'"\\(){}<>|&;~#]){0,60}"#) {
        let _ = guard().refuses(&text, &guard().root);
    }

    #[test]
    fn a_catastrophe_in_single_quotes_is_data(text in "[ -&(-~]{0,40}") {
        let command = format!("echo '{text} rm -rf / ; mkfs /dev/sda'");
        prop_assert_eq!(guard().refuses(&command, &guard().root), None);
    }
}

#[test]
fn a_command_starts_where_the_session_stands() {
    assert_eq!(judge_in("/home/ada/work/project/target", "rm -rf *"), Verdict::Allow);
    assert_eq!(judge_in("/home/ada/work/project/target", "rm -rf \"$PWD\""), Verdict::Allow);
    assert!(matches!(judge_in("/home/ada/work", "rm -rf project"), Verdict::Deny(_)));
    assert!(matches!(judge_in("/home/ada/work/project/target", "rm -rf .."), Verdict::Deny(_)));
}
