//! What every test here starts from: a world, a scripted model, and the program between them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use purlin_testkit::terminal::Size;
use purlin_testkit::{Ran, Received, Reply, Run, Script, Server, Terminal, World};
use serde_json::Value;

/// The shipped binary.
pub(crate) const PURLIN: &str = env!("CARGO_BIN_EXE_purlin");

/// A world with a model in it. When dropped, the server must have had nothing to complain about.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) server: Server,
}

impl Stage {
    pub(crate) fn new(script: Script) -> Self {
        Self { world: World::new(), server: Server::start(script).expect("a server") }
    }

    /// The model says these, one after the other.
    pub(crate) fn saying<const N: usize>(replies: [Reply; N]) -> Self {
        Self::new(replies.into_iter().collect())
    }

    /// The program, about to run beside its model.
    pub(crate) fn purlin(&self) -> Run {
        let run = self.world.run(PURLIN).env("PURLIN_BASE_URL", self.server.url());
        run.env("PURLIN_MODEL", "scripted")
    }

    /// One turn in which everything is allowed.
    pub(crate) fn ask(&self, prompt: &str) -> Ran {
        self.purlin().args(["--yes", "-p", prompt]).finish().expect("a run")
    }

    /// A conversation in a terminal that is waiting for its first line.
    pub(crate) fn terminal(&self, args: &[&str]) -> Terminal {
        let url = self.server.url();
        let environment = [("PURLIN_BASE_URL", url.as_str()), ("PURLIN_MODEL", "scripted")];
        let size = Size { rows: 200, columns: 140 };
        let terminal = Terminal::start(&self.world, PURLIN, args, &environment, size);
        let terminal = terminal.expect("a terminal");
        idle(&terminal);
        terminal
    }

    /// The requests for a completion so far.
    pub(crate) fn requests(&self) -> Vec<Arc<Received>> {
        self.server.completions()
    }

    /// What the calls of the last reply were answered with, in the request of this number.
    pub(crate) fn answers(&self, request: usize) -> Vec<String> {
        answers(&self.requests()[request])
    }

    /// Where sessions are kept.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.world.state().join("purlin/sessions")
    }

    /// The journals there are, oldest first.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.sessions()) else { return Vec::new() };
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let journal = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "jsonl");
        let mut paths: Vec<_> = paths.filter(journal).collect();
        paths.sort();
        paths
    }

    /// The only journal there is.
    pub(crate) fn journal(&self) -> PathBuf {
        let journals = self.journals();
        assert_eq!(journals.len(), 1, "{journals:?}");
        journals[0].clone()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.server.violations(), Vec::<String>::new());
        }
    }
}

/// The texts of the messages after the last reply that answer its calls.
pub(crate) fn answers(request: &Received) -> Vec<String> {
    let messages = request.messages();
    let last = messages.iter().rposition(|message| message["role"] == "assistant");
    let after = &messages[last.map_or(0, |last| last + 1)..];
    after.iter().filter(|message| message["role"] == "tool").map(text).collect()
}

/// What a message says.
pub(crate) fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

/// Everything that messages of this role say.
pub(crate) fn said(request: &Received, role: &str) -> String {
    let messages = request.messages().iter().filter(|message| message["role"] == role);
    messages.map(text).collect::<Vec<_>>().join("\n")
}

/// Lines of JSON.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    text.lines().map(parse).collect()
}

/// A folder that holds nothing but links to these programs, as the only PATH.
pub(crate) fn path_of(world: &World, programs: &[&str]) -> String {
    let folder = world.home().join("path");
    fs::create_dir_all(&folder).expect("a folder");
    for program in programs {
        symlink(found(program), folder.join(program)).expect("a link");
    }
    folder.display().to_string()
}

/// Types a line.
#[track_caller]
pub(crate) fn enter(terminal: &Terminal, line: &str) {
    terminal.keys(&format!("{line}\r")).expect("a terminal that is still there");
}

/// Waits until the screen shows this.
#[track_caller]
pub(crate) fn shows(terminal: &Terminal, what: &str) -> String {
    terminal.shows(what).unwrap_or_else(|screen| panic!("no {what:?} on the screen:\n{screen}"))
}

/// Waits for the prompt.
#[track_caller]
pub(crate) fn idle(terminal: &Terminal) -> String {
    let prompt = |screen: &str| screen.trim_end().ends_with("\n›");
    terminal.until(prompt).unwrap_or_else(|screen| panic!("no prompt on the screen:\n{screen}"))
}

/// Waits for the end and returns the exit code.
#[track_caller]
pub(crate) fn left(terminal: &Terminal) -> Option<i32> {
    terminal.ended().unwrap_or_else(|| panic!("still there:\n{}", terminal.screen())).code()
}

/// Where the tests' own PATH has a program.
fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_file()).unwrap_or_else(|| panic!("no {program} on PATH"))
}

/// Whether a process has ended; one that only waits to be buried has.
pub(crate) fn is_dead(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.map_or(true, |stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}
