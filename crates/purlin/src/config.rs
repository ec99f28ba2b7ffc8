//! What the person set: flags, environment, the `.env` of their configuration folder.
//!
//! A project's `.env` is not read: a cloned repository must not choose where the key goes.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exit::{Code, Fatal};

/// The size above which a `.env` is taken for something else.
const ENV_FILE: u64 = 64 * 1024;

/// What an agent is to be made with. Every field may be set by hand.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's address; nothing looks for a vendor's key, then for a server on this machine.
    pub base_url: Option<String>,
    /// The key.
    pub api_key: Option<String>,
    /// The key where there is no other: `OPENAI_API_KEY` means OpenAI, or any server like it, but
    /// a vendor that has a key of its own gets that one.
    pub openai_key: Option<String>,
    /// The model's name at the server.
    pub model: Option<String>,
    /// The folder to work in.
    pub cwd: PathBuf,
    /// Where sessions are kept.
    pub sessions: PathBuf,
    /// Run without asking.
    pub yes: bool,
    /// Calls to the model in one turn, at most.
    pub max_turns: u32,
    /// US dollars that the session may cost.
    pub max_cost: Option<f64>,
    /// Tokens that the session may use, prompt and output together.
    pub max_tokens: Option<u64>,
    /// Wall time that the session may take.
    pub max_time: Option<Duration>,
    /// The environment: keys are looked up in it, and commands get it without them.
    pub vars: Vec<(OsString, OsString)>,
    /// The person's own folder.
    pub home: PathBuf,
}

impl Config {
    /// What the environment says: `PURLIN_API_KEY`, `PURLIN_BASE_URL`, `PURLIN_MODEL`, and
    /// `OPENAI_API_KEY`, `OPENAI_BASE_URL` after them.
    ///
    /// # Errors
    /// When there is no current directory.
    pub fn from_env() -> Result<Self, Fatal> {
        let cwd = std::env::current_dir()
            .map_err(|why| Fatal::new(Code::Configuration, format!("no current folder: {why}")))?;
        Ok(Self::new(std::env::vars_os().collect(), cwd))
    }

    /// What these variables say, in this folder.
    pub fn new(vars: Vec<(OsString, OsString)>, cwd: PathBuf) -> Self {
        let real = Vars::new(&vars);
        let home = real.path("HOME").unwrap_or_else(std::env::temp_dir);
        let folder = real.path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let state = real.path("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state"));
        let file = read_env_file(&folder.join("purlin/.env"));
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| real.text(name))
                .or_else(|| names.iter().find_map(|name| file.get(*name).cloned()))
        };
        let own = real.text("PURLIN_API_KEY");
        // The file comes after every variable, or its key went to an address that is not its own.
        let filed = file.get("PURLIN_API_KEY").filter(|_| real.text("OPENAI_API_KEY").is_none());
        Self {
            base_url: first(&["PURLIN_BASE_URL", "OPENAI_BASE_URL"]),
            api_key: own.or_else(|| filed.cloned()),
            openai_key: first(&["OPENAI_API_KEY"]),
            model: first(&["PURLIN_MODEL"]),
            cwd,
            sessions: state.join("purlin/sessions"),
            yes: false,
            max_turns: 50,
            max_cost: None,
            max_tokens: None,
            max_time: None,
            home,
            vars,
        }
    }

    /// A variable of the environment that is set and not empty.
    pub fn var(&self, name: &str) -> Option<String> {
        Vars::new(&self.vars).text(name)
    }

    /// The project's root: the nearest folder upwards that is a git repository, else the folder
    /// itself.
    pub fn root(&self) -> PathBuf {
        let repository = self.cwd.ancestors().find(|folder| folder.join(".git").exists());
        repository.unwrap_or(&self.cwd).to_path_buf()
    }
}

struct Vars<'a>(&'a [(OsString, OsString)]);

impl<'a> Vars<'a> {
    fn new(vars: &'a [(OsString, OsString)]) -> Self {
        Self(vars)
    }

    fn get(&self, name: &str) -> Option<&OsString> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| value.to_str()).map(str::to_owned)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// `NAME=value` a line, `export` and quotes allowed. Anything but a small regular file is no
/// `.env` of ours.
fn read_env_file(path: &Path) -> HashMap<String, String> {
    let small = |data: std::fs::Metadata| data.is_file() && data.len() <= ENV_FILE;
    if !std::fs::metadata(path).is_ok_and(small) {
        return HashMap::new();
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let line = line.trim();
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let value = value.trim();
        let unquoted = ['"', '\''].iter().find_map(|quote| {
            value.strip_prefix(*quote).and_then(|value| value.strip_suffix(*quote))
        });
        let kept = !name.starts_with('#') && !value.is_empty();
        kept.then(|| (name.trim().to_owned(), unquoted.unwrap_or(value).to_owned()))
    };
    text.lines().filter_map(line).collect()
}
