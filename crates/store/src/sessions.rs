//! Where sessions lie, what they are called, which there are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use purlin_engine::message::{Reply, Source, UserMessage, plain};
use purlin_engine::session::{Entry, Folded, fold};
use thiserror::Error;

use crate::journal::{self, FORMAT, Header};

/// The ending of a journal's name.
const ENDING: &str = "jsonl";
/// The most characters of an id or a name that is looked for.
const LONGEST: usize = 100;
/// The most characters of a new name: in any script they fit into a file's name.
const LONGEST_NAME: usize = 60;

/// Why a session cannot be had, or not be called so.
#[derive(Debug, Error)]
pub enum SessionsError {
    /// There is none of this id or name.
    #[error("there is no session {0}; purlin -r lists those there are")]
    Missing(String),
    /// It is no id and no name: one that could lead out of the folder is none.
    #[error("`{0}` is no session: ids and names are letters, digits, -, _ and .")]
    NoName(String),
    /// Nothing is left of it that a name can have.
    #[error("`{0}` makes no name: names are letters, digits, -, _ and .")]
    Nameless(String),
    /// Another session has the name.
    #[error("another session is called {0}")]
    Taken(String),
    /// The name could not be written down.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The folder of all sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// Where it is; made with the first message of the first session.
    pub folder: PathBuf,
}

/// A session that is on disk.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its journal.
    pub path: PathBuf,
    /// When it was last written.
    pub written: SystemTime,
}

impl Sessions {
    /// A header for a new session, begun now in this folder.
    pub fn header(&self, now: SystemTime, cwd: &Path) -> Header {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (date, clock) = date(since.as_secs());
        let clock = clock.replace(':', "");
        let base = format!("{}-{clock}-{:03}", date.replace('-', ""), since.subsec_millis());
        let taken = |id: &String| self.journal(id).exists();
        let again = (2..).map(|number| format!("{base}-{number}"));
        let id = std::iter::once(base.clone()).chain(again).find(|id| !taken(id));
        Header {
            purlin: FORMAT,
            id: id.unwrap_or(base),
            cwd: cwd.to_path_buf(),
            time: since.as_secs(),
        }
    }

    /// The journal of an id.
    pub fn journal(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }

    /// What lies beside a journal: whole outputs, what undo needs, the journals of sub-agents.
    pub fn beside(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.kept"))
    }

    /// The session of an id or a name.
    ///
    /// # Errors
    /// When there is none, or when it is no id: one that would lead out of the folder.
    pub fn find(&self, said: &str) -> Result<PathBuf, SessionsError> {
        let id = clean(said)?;
        let named = fs::read_to_string(self.names().join(&id)).ok();
        let candidates = [Some(id.clone()), named.and_then(|id| clean(id.trim()).ok())];
        let found = candidates.into_iter().flatten().map(|id| self.journal(&id));
        found.into_iter().find(|path| path.is_file()).ok_or(SessionsError::Missing(id))
    }

    /// Gives a session a name, made from what was said.
    ///
    /// # Errors
    /// When nothing is left of it, or another session has it.
    pub fn name(&self, id: &str, said: &str) -> Result<String, SessionsError> {
        let name = name_from(said).ok_or_else(|| SessionsError::Nameless(said.to_owned()))?;
        let path = self.names().join(&name);
        let owner = fs::read_to_string(&path).unwrap_or_default();
        let other = !owner.is_empty() && owner != id && self.journal(&owner).exists();
        if other || (name != id && self.journal(&name).exists()) {
            return Err(SessionsError::Taken(name));
        }
        let written = fs::create_dir_all(self.names()).and_then(|()| fs::write(&path, id));
        written.map(|()| name).map_err(|error| SessionsError::Io { path, error })
    }

    /// A name made from the first words of a session.
    pub fn first_words(&self, id: &str) -> Option<String> {
        let found = self.all().into_iter().find(|found| found.id == id)?;
        let (_, line) = look(&found).ok()?;
        let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let name = words.take(5).collect::<Vec<_>>().join("-").to_lowercase();
        (!name.is_empty()).then_some(name)
    }

    /// Every reply that a session paid for, its sub-agents' last; also those that were summarised
    /// or gone back from since.
    pub fn replies(&self, id: &str) -> Vec<Reply> {
        let beside = fs::read_dir(self.beside(id)).into_iter().flatten().flatten();
        let tasks = beside.map(|entry| entry.path()).filter(|path| is_journal(path));
        let journals = std::iter::once(self.journal(id)).chain(tasks);
        let lines = journals.flat_map(|path| journal::read(&path).unwrap_or_default());
        let reply = |line: String| match serde_json::from_str(&line) {
            Ok(Entry::Reply(reply)) => Some(reply),
            Ok(_) | Err(_) => None,
        };
        lines.filter_map(reply).collect()
    }

    /// All sessions, the last written first. What cannot be looked at is not there.
    pub fn all(&self) -> Vec<Found> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let found = |entry: io::Result<fs::DirEntry>| {
            let path = entry.ok()?.path();
            let data = fs::metadata(&path).ok()?;
            if !(is_journal(&path) && data.is_file()) {
                return None;
            }
            let id = path.file_stem()?.to_str()?.to_owned();
            Some(Found { id, path, written: data.modified().ok()? })
        };
        let mut found: Vec<Found> = entries.filter_map(found).collect();
        found.sort_by(|a, b| b.written.cmp(&a.written).then_with(|| b.id.cmp(&a.id)));
        found
    }

    /// The last session that was begun in this folder.
    pub fn last_in(&self, cwd: &Path) -> Option<PathBuf> {
        self.all().into_iter().map(|found| found.path).find(|path| begun_in(path, cwd))
    }

    fn names(&self) -> PathBuf {
        self.folder.join("names")
    }
}

/// Letters and digits of any script, `-`, `_`, `.`.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// What a name can keep of this: blanks are `-`, what is not allowed goes. It does not begin like
/// a hidden file or a flag.
fn name_from(said: &str) -> Option<String> {
    let words = said.split_whitespace().map(|word| word.chars().filter(|c| allowed(*c)).collect());
    let words: Vec<String> = words.filter(|word: &String| !word.is_empty()).collect();
    let name: String =
        words.join("-").trim_start_matches(['.', '-']).chars().take(LONGEST_NAME).collect();
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// An id or a name as it was said, if it is one.
fn clean(said: &str) -> Result<String, SessionsError> {
    let fits = !said.is_empty() && said.chars().count() <= LONGEST && !said.starts_with('.');
    if fits && said.chars().all(allowed) {
        return Ok(said.to_owned());
    }
    Err(SessionsError::NoName(said.to_owned()))
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

fn begun_in(path: &Path, cwd: &Path) -> bool {
    let mut first = String::new();
    let read = fs::File::open(path)
        .and_then(|file| io::BufRead::read_line(&mut io::BufReader::new(file), &mut first));
    let header: Option<Header> = serde_json::from_str(&first).ok();
    read.is_ok() && header.is_some_and(|header| header.cwd == cwd)
}

/// What a session is about: its fold, and the first words of the person, which a summary may have
/// taken out of the fold.
pub fn look(found: &Found) -> io::Result<(Folded, String)> {
    let lines = journal::read(&found.path)?;
    let folded = fold(&found.id, &lines, lines.len() as u64);
    let said = lines.iter().find_map(|line| match serde_json::from_str(line) {
        Ok(Entry::User(UserMessage { content, source: Source::Person })) => Some(plain(&content)),
        Ok(_) | Err(_) => None,
    });
    let first = said.unwrap_or_default();
    let line = first.lines().next().unwrap_or_default().chars().take(80).collect();
    Ok((folded, line))
}

/// A time as `2026-11-20` and `13:59:57`, in UTC.
pub fn date(seconds: u64) -> (String, String) {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Counted in eras of 400 years that begin on the first of March of a year divisible by 400.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    let clock = format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    (format!("{year:04}-{month:02}-{day:02}"), clock)
}
