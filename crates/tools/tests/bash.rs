//! `bash`, as the loop uses it.
#![allow(clippy::unwrap_used)]

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use purlin_engine::call::once;
use purlin_engine::driver::Events;
use purlin_engine::effect::{CommandLine, Effect};
use purlin_engine::event::Event;
use purlin_engine::message::{Output, ToolCall, plain};
use purlin_engine::tool::{Cx, Kept, Tool as _};
use purlin_exec::Shell;
use purlin_testkit::gate::shared;
use purlin_tools::bash::{Bash, Config, environment};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A project in which everything is allowed, and a session in it.
struct World {
    root: PathBuf,
    scratch: PathBuf,
    bash: Arc<Bash>,
    cx: Cx,
    events: Events,
    _kept: TempDir,
}

fn world() -> World {
    let kept = tempfile::tempdir().unwrap();
    let place = kept.path().canonicalize().unwrap();
    let (root, scratch) = (place.join("project"), place.join("scratch"));
    std::fs::create_dir_all(root.join("sub/deep")).unwrap();
    let path = "/usr/local/bin:/usr/bin:/bin";
    let config = Config {
        shell: Shell::find(OsStr::new(path)),
        env: environment([("PATH".into(), path.into())]),
        read: Arc::new(reader),
        scratch: scratch.clone(),
    };
    let keep = Arc::new(|_: &[u8]| Ok(Kept { path: PathBuf::new(), hash: String::new() }));
    let (cx, events) = Cx::alone(root.clone(), keep, shared());
    World { root, scratch, bash: Arc::new(Bash::new(config)), cx, events, _kept: kept }
}

/// Believes whoever says that they only look.
fn reader(text: &str, cwd: &Path) -> Effect {
    if text.starts_with(": look;") {
        return Effect::reads([cwd.to_path_buf()]);
    }
    Effect::Exec(CommandLine { text: text.to_owned(), cwd: cwd.to_path_buf(), proved: false })
}

fn call(args: &Value) -> ToolCall {
    ToolCall { id: "1".into(), name: "bash".into(), args: args.to_string() }
}

impl World {
    async fn call(&mut self, args: &Value) -> Output {
        let (output, _) = once(self.bash.clone(), &call(args), &self.cx).await;
        self.cx = self.cx.after(&output);
        output
    }

    /// What the model is told, with durations left out.
    async fn run(&mut self, command: &str) -> String {
        timeless(&self.call(&json!({ "command": command })).await)
    }

    fn file(&self, extension: &str) -> Option<PathBuf> {
        let files = std::fs::read_dir(&self.scratch).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|path| path.extension() == Some(OsStr::new(extension)))
    }
}

fn timeless(output: &Output) -> String {
    let text = plain(&output.content);
    let Some((before, footer)) = text.rsplit_once('[') else { return text };
    let words: Vec<_> = footer.split(' ').collect();
    let timed = words.iter().position(|word| *word == "in" || *word == "after");
    let kept = words.iter().enumerate().filter(|(index, word)| {
        timed.is_none_or(|timed| *index != timed + 1) || word.parse::<f64>().is_err()
    });
    format!("{before}[{}", kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn the_answer_ends_with_status_and_duration_always() {
    let mut world = world();
    assert_eq!(world.run("echo hello").await, "hello\n[exit 0 in s]");
    assert_eq!(world.run("printf hello; printf ' you' >&2").await, "hello you\n[exit 0 in s]");
    assert_eq!(world.run("true").await, "[exit 0 in s]");
    assert_eq!(world.run("false | false").await, "[exit 1 in s]");
    assert_eq!(world.run("kill -9 $$").await, "[killed by signal 9 after s]");
    let output = world.call(&json!({ "command": "exit 3" })).await;
    assert!(output.failed);
    assert_eq!(plain(&output.content), "[exit 3 in 0.0 s]");
}

#[tokio::test]
async fn cc_11_the_session_goes_where_the_shell_went_and_the_answer_says_so() {
    let mut world = world();
    assert_eq!(world.run("cd sub && false").await, "[exit 1 in s; now in sub]");
    assert_eq!(
        world.run("pwd; true").await,
        format!("{}/sub\n[exit 0 in s; now in sub]", world.root.display())
    );
    assert_eq!(world.run("cd deep; exit 2").await, "[exit 2 in s; now in sub/deep]");
    assert_eq!(world.run("cd ../..").await, "[exit 0 in s; now in the project's root]");
    assert_eq!(world.run("true").await, "[exit 0 in s]");
    assert_eq!(world.run("cd /").await, "[exit 0 in s; now in /]");
}

#[tokio::test]
async fn cc_12_what_did_not_move_the_shell_does_not_move_the_session() {
    let mut world = world();
    for command in ["cd sub | cat", "false && cd sub; true", "cd sub &", "(cd sub)"] {
        assert_eq!(world.run(command).await, "[exit 0 in s]", "{command}");
    }
    assert!(world.run("cd -").await.contains("OLDPWD not set"), "nothing is inherited");
}

#[tokio::test]
async fn a_command_that_may_run_early_does_not_move_the_session() {
    let mut world = world();
    let output = world.call(&json!({ "command": ": look; cd sub" })).await;
    assert!(output.state.is_empty());
    assert!(!plain(&output.content).contains("now in"));
}

#[tokio::test]
async fn a_deleted_directory_is_replaced_by_its_nearest_living_parent() {
    let mut world = world();
    world.run("cd sub/deep").await;
    std::fs::remove_dir_all(world.root.join("sub")).unwrap();
    let told = world.run("pwd").await;
    let root = world.root.display();
    assert_eq!(
        told,
        format!(
            "{root}\n[the directory {root}/sub/deep no longer exists; the command was run in \
             {root}]\n[exit 0 in s; now in the project's root]"
        )
    );
    assert_eq!(world.cx.cwd, world.root);
}

#[tokio::test]
async fn cc_14_a_deadline_says_so_and_keeps_what_was_said() {
    let mut world = world();
    let began = Instant::now();
    let output = world.call(&json!({ "command": "echo a; sleep 30", "timeout": 1 })).await;
    assert!(output.failed && began.elapsed() < Duration::from_secs(4));
    let text = plain(&output.content);
    assert!(text.starts_with("a\n[stopped after 1.0 s, the limit; "), "{text}");
}

#[tokio::test]
async fn a_timeout_out_of_range_is_refused_and_not_made_another() {
    let refused = |timeout: Value| {
        let world = world();
        let args = json!({ "command": "echo a", "timeout": timeout });
        world.bash.claim(&call(&args), &world.cx).map(drop).unwrap_err().to_string()
    };
    for timeout in [json!(0), json!(-1), json!(0.5), json!(601)] {
        let told =
            format!("`timeout` is in seconds, from 1 to 600, not {timeout}; nothing was run");
        assert_eq!(refused(timeout), told);
    }
    let told = "`timeout` is in seconds, from 1 to 600, not 120000 (milliseconds?); \
                nothing was run";
    assert_eq!(refused(json!(120_000)), told);
}

#[tokio::test]
async fn an_argument_that_there_is_not_is_named() {
    let world = world();
    let args = json!({ "command": "echo a", "cwd": "/" });
    let told = world.bash.claim(&call(&args), &world.cx).map(drop).unwrap_err().to_string();
    assert!(told.contains("unknown field `cwd`"), "{told}");
}

#[tokio::test]
async fn cc_15_a_process_left_running_is_mentioned_with_the_file_it_writes_to() {
    let mut world = world();
    let began = Instant::now();
    let text = world.run("sleep 30 & echo started").await;
    assert!(began.elapsed() < Duration::from_secs(2));
    let whole = world.file("out").unwrap();
    let note =
        format!("a process it started still runs; what it prints goes to {}", whole.display());
    assert_eq!(text, format!("started\n[exit 0 in s; {note}]"));
}

#[tokio::test]
async fn cc_16_nothing_waits_for_a_person() {
    let mut world = world();
    assert_eq!(world.run("cat; read x; echo $?").await, "1\n[exit 0 in s]");
    let set = "echo $PAGER $GIT_PAGER $GIT_EDITOR $GIT_TERMINAL_PROMPT $TERM";
    assert_eq!(world.run(set).await, "cat cat true 0 dumb\n[exit 0 in s]");
}

#[tokio::test]
async fn cc_18_the_first_line_keeps_its_blanks() {
    assert_eq!(world().run("printf '\\n    x\\n'").await, "\n    x\n[exit 0 in s]");
}

#[tokio::test]
async fn nc_27_a_long_output_shows_both_ends_and_says_which_lines_are_missing() {
    let mut world = world();
    let text = world.run("seq 1 20000").await;
    let whole = world.file("out").unwrap();
    let lines: String = (1..=20_000).map(|line| format!("{line}\n")).collect();
    assert_eq!(std::fs::read_to_string(&whole).unwrap(), lines);
    let gap = format!(
        "\n1421\n[lines 1422 to 18334 of 20000 not shown; the whole output is in {}]\n18335\n",
        whole.display()
    );
    assert!(text.starts_with("1\n2\n") && text.contains(&gap), "{text}");
    assert!(text.ends_with("\n19999\n20000\n[exit 0 in s]"));
    assert!(text.chars().count() < 16_400);
}

#[tokio::test]
async fn a_long_output_that_fits_in_memory_is_cut_the_same_way() {
    let mut world = world();
    let text = world.run("seq 1 5000").await;
    assert!(text.contains("\n1421\n[lines 1422 to 3000 of 5000 not shown; the whole"), "{text}");
    assert!(text.contains("]\n3001\n"));
}

#[tokio::test]
async fn one_long_line_is_cut_inside() {
    let mut world = world();
    let text = world.run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end").await;
    assert!(text.contains("x\n[line 1 of 2 not shown in full; the whole output is in"), "{text}");
    assert!(text.ends_with("xxx\nend\n[exit 0 in s]"));
}

#[tokio::test]
async fn what_is_meant_for_a_terminal_is_not_shown() {
    let mut world = world();
    for (command, shown) in [
        (r"printf '\033[1;31mred\033[0m\n'", "red\n"),
        (r"printf '\033]0;title\007a\033]8;;http://x\033\\link\n'", "alink\n"),
        (r"printf '\033]52;c;swallowed\nnext line\n'", "\nnext line\n"),
        (r"printf ' 10%%\r 50%%\r100%%\ndone\n'", "100%\ndone\n"),
        (r"printf 'a\r\nb\r\n'", "a\nb\n"),
        (r"printf '|\b/\b-\bok\n'", "ok\n"),
        (r"printf 'caf\xe9 \xff\n'", "caf\u{fffd} \u{fffd}\n"),
        (
            r"printf 'a\0b\a\n'; printf 'and much more text than that\n'",
            "a\u{2400}b\nand much more text than that\n",
        ),
        (r"printf 'tab\tend\n'", "tab\tend\n"),
    ] {
        assert_eq!(world.run(command).await, format!("{shown}[exit 0 in s]"), "{command}");
    }
}

#[tokio::test]
async fn a_progress_bar_leaves_its_last_state_and_no_file() {
    let mut world = world();
    let bar = "for i in $(seq 1 30000); do printf '\\r%s' $i; done; echo; echo done";
    let text = world.run(bar).await;
    assert!(text.ends_with("30000\ndone\n[exit 0 in s]"), "{text}");
    world.run("for i in $(seq 1 5000); do printf '\\r%s' $i; done").await;
    let small = world.run("for i in $(seq 1 5000); do printf '\\r%s' $i; done").await;
    assert_eq!(small, "5000\n[exit 0 in s]");
}

#[tokio::test]
async fn binary_output_is_named_with_its_size() {
    let mut world = world();
    let text = world.run("head -c 3000 /bin/sh").await;
    assert_eq!(text, "[binary output, 3000 bytes]\n[exit 0 in s]");
    let text = world.run("head -c 50000 /bin/sh").await;
    assert!(text.starts_with("[binary output, 50000 bytes; the whole output is in /"), "{text}");
}

#[tokio::test]
async fn nothing_is_left_in_the_scratch_folder_by_a_short_command() {
    let mut world = world();
    world.run("echo a").await;
    assert_eq!(std::fs::read_dir(&world.scratch).unwrap().count(), 0);
}

#[tokio::test]
async fn output_is_shown_while_it_comes_but_never_a_flood() {
    let mut world = world();
    world.run("yes | head -c 30000000").await;
    let mut shown = Vec::new();
    while let Ok(told) = world.events.try_recv() {
        if let Event::Progress { text, .. } = told.event {
            shown.push(text);
        }
    }
    let length: usize = shown.iter().map(String::len).sum();
    assert!(length > 0 && length < 1_000_000, "{length}");
}

#[tokio::test]
async fn dropping_a_running_call_kills_what_it_started() {
    let world = world();
    let command = "sleep 300 & echo $! >pid; wait";
    let call = call(&json!({ "command": command }));
    let pid = world.root.join("pid");
    let running = once(world.bash.clone(), &call, &world.cx);
    let started = async {
        while std::fs::read_to_string(&pid).unwrap_or_default().trim().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = running => panic!("ended by itself"),
        () = started => (),
    }
    let number = std::fs::read_to_string(&pid).unwrap();
    let state = format!("/proc/{}/stat", number.trim());
    let dead = || std::fs::read_to_string(&state).map_or(true, |stat| stat.contains(") Z "));
    let began = Instant::now();
    while !dead() {
        assert!(began.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn provider_keys_do_not_reach_commands() {
    let ours = [("OPENAI_API_KEY", "secret"), ("PWD", "/x"), ("TERM", "xterm"), ("LANG", "C")];
    let theirs = environment(ours.map(|(name, value)| (OsString::from(name), value.into())));
    let names: Vec<_> = theirs.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    let expected = ["LANG", "GIT_EDITOR", "GIT_PAGER", "GIT_TERMINAL_PROMPT", "PAGER", "TERM"];
    assert_eq!(names, expected);
    assert!(theirs.contains(&("TERM".into(), "dumb".into())));
}

#[test]
fn a_claim_names_the_first_line_and_asks_the_reader() {
    let world = world();
    let claim = |command: &str| world.bash.claim(&call(&json!({ "command": command })), &world.cx);
    assert_eq!(claim("ls -l").unwrap().title, "ls -l");
    assert_eq!(claim("cat <<E\na\nE").unwrap().title, "cat <<E …");
    assert_eq!(claim(&"x".repeat(300)).unwrap().title, format!("{} …", "x".repeat(100)));
    assert!(claim(": look; x").unwrap().effect.only_looks());
    assert_eq!(claim(" \n").unwrap_err().to_string(), "`command` is empty; nothing was run");
}

#[test]
fn its_description_is_short_and_names_the_shell() {
    let world = world();
    let description = &world.bash.spec().description;
    assert!(description.len() <= 450, "{}", description.len());
    for fact in ["bash", "`cd` lasts", "120 s", "600", "16,000", "empty"] {
        assert!(description.contains(fact), "{fact}");
    }
}

#[tokio::test]
async fn what_cat_shows_counts_as_read() {
    let mut world = world();
    std::fs::write(world.root.join("a.txt"), "one\n").unwrap();
    let read = |output: Output| output.state.keys().filter(|key| key.starts_with("read:")).count();
    assert_eq!(read(world.call(&json!({"command": "cat a.txt && sed -n '1,2p' a.txt"})).await), 1);
    assert_eq!(read(world.call(&json!({"command": "head -n 3 a.txt"})).await), 1);
    assert_eq!(read(world.call(&json!({"command": "cat a.txt | wc -l"})).await), 0);
    assert_eq!(read(world.call(&json!({"command": "cat a.txt; false"})).await), 0);
    assert_eq!(read(world.call(&json!({"command": "cd sub; cat ../a.txt"})).await), 0);
}
