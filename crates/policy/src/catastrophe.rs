//! Commands that are never run, not even after a yes: those that end the machine, the home folder,
//! the project, or what it lies in.
//!
//! A guard against slips, of a model or of a tired person. It is not a boundary: whoever wants to
//! get around it can.

use std::path::{Component, Path, PathBuf};

use futures::future::{BoxFuture, ready};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::gate::{Guard, Preview, Verdict};

use crate::split::{End, PWD, Simple, split};

/// Refuses the catastrophes there are for this project and this person.
pub struct Catastrophe {
    /// The project.
    pub root: PathBuf,
    /// The person's home folder.
    pub home: PathBuf,
}

impl Guard for Catastrophe {
    fn judge<'a>(
        &'a self,
        claim: &'a Claim,
        _preview: Option<&'a Preview>,
    ) -> BoxFuture<'a, Verdict> {
        let verdict = match &claim.effect {
            Effect::Exec(line) => {
                self.refuses(&line.text, &line.cwd).map_or(Verdict::Allow, Verdict::Deny)
            }
            Effect::Files { .. }
            | Effect::Net(_)
            | Effect::Session
            | Effect::Agent
            | Effect::Unknown => Verdict::Allow,
        };
        Box::pin(ready(verdict))
    }
}

/// `sh -c` inside `sh -c` deeper than this is not looked at.
const DEPTH: usize = 4;

/// Folders whose loss is the machine's.
const SYSTEM: &[&str] = &[
    "/Applications",
    "/Library",
    "/System",
    "/Users",
    "/Volumes",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/media",
    "/mnt",
    "/nix",
    "/opt",
    "/private",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/snap",
    "/srv",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/lib",
];

/// How the names of disks begin, below `/dev`.
const DISKS: &[&str] = &[
    "disk", "dm-", "hd", "kmem", "loop", "mapper/", "md", "mem", "mmcblk", "nbd", "nvme", "rdisk",
    "sd", "sr", "vd", "xvd", "zram",
];

/// Words that stand before the command proper: their options that take a value, and how many
/// arguments of their own they have.
const PREFIXES: &[(&str, &str, usize)] = &[
    ("!", "", 0),
    ("builtin", "", 0),
    ("busybox", "", 0),
    ("command", "", 0),
    ("do", "", 0),
    ("doas", "uC", 0),
    ("elif", "", 0),
    ("else", "", 0),
    ("env", "uCS", 0),
    ("exec", "a", 0),
    ("if", "", 0),
    ("ionice", "cnp", 0),
    ("nice", "n", 0),
    ("nohup", "", 0),
    ("setsid", "", 0),
    ("stdbuf", "ioe", 0),
    ("sudo", "ughpCDRTU", 0),
    ("then", "", 0),
    ("time", "fo", 0),
    ("timeout", "sk", 1),
    ("until", "", 0),
    ("while", "", 0),
    ("{", "", 0),
];

const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "su"];

impl Catastrophe {
    /// Why this command line is never run, in words for the model.
    pub fn refuses(&self, text: &str, cwd: &Path) -> Option<String> {
        let (part, ruin) = self.look(text, cwd, DEPTH)?;
        Some(format!(
            "refused: `{part}` {ruin}. This is never run, whoever agrees. Name the one file or \
             folder inside the project that you mean, or ask the person to do it themselves"
        ))
    }

    /// The first part that is a catastrophe, and what it would do.
    fn look(&self, text: &str, cwd: &Path, depth: usize) -> Option<(String, String)> {
        let depth = depth.checked_sub(1)?;
        let commands = split(text, &self.home.to_string_lossy());
        if let Some(bomb) = commands.windows(4).find_map(fork_bomb) {
            return Some(bomb);
        }
        let mut place = Place { now: cwd.to_path_buf(), before: None };
        let mut outer = Vec::new();
        for simple in &commands {
            let words = proper(&simple.words);
            let disk = simple.onto.iter().find(|target| is_disk(target));
            let ruin = disk.map(|disk| overwrites(disk)).or_else(|| self.ruin(words, &place));
            if let Some(ruin) = ruin {
                return Some((shown(simple), ruin));
            }
            if let Some(found) =
                script(words).and_then(|script| self.look(&script, &place.now, depth))
            {
                return Some(found);
            }
            self.follow(words, &mut place);
            match simple.end {
                End::Open => outer.push(place.clone()),
                End::Close => place = outer.pop().unwrap_or(place),
                End::Next | End::Pipe | End::Background => (),
            }
        }
        None
    }

    /// What one command would do, if that is a catastrophe.
    fn ruin(&self, words: &[String], place: &Place) -> Option<String> {
        let (program, arguments) = words.split_first()?;
        let of = |verb: &str, whole: Option<String>| whole.map(|it| format!("would {verb} {it}"));
        let each = || operands(arguments).find_map(|path| self.whole(&place.of(path)));
        let lost = || operands(arguments).find_map(|path| self.lost(&place.of(path)));
        match name_of(program) {
            "rm" if has(arguments, "rR", "--recursive") => of("delete", lost()),
            "find" if deletes_all(arguments) => of("delete", self.searched(arguments, place)),
            "chmod" | "chown" | "chgrp" if has(arguments, "R", "--recursive") => {
                of("change the permissions of", each())
            }
            "dd" => arguments
                .iter()
                .filter_map(|word| word.strip_prefix("of="))
                .find(|target| is_disk(target))
                .map(overwrites),
            "wipefs" if !has(arguments, "a", "--all") => None,
            name if name.starts_with("mkfs")
                || ["mkswap", "blkdiscard", "shred", "tee", "wipefs"].contains(&name) =>
            {
                operands(arguments).find(|target| is_disk(target)).map(overwrites)
            }
            _ => None,
        }
    }

    /// What `find` would delete, from the folders it starts from.
    fn searched(&self, arguments: &[String], place: &Place) -> Option<String> {
        let how = |word: &&String| ["-H", "-L", "-P"].contains(&word.as_str());
        let rest = arguments.iter().skip_while(how);
        let mut starts = rest.take_while(|word| !word.starts_with(['-', '!'])).peekable();
        if starts.peek().is_none() {
            return self.lost(&place.now);
        }
        starts.find_map(|path| self.lost(&place.of(path)))
    }

    /// What this path stands for, if deleting all of it would be a catastrophe.
    fn lost(&self, path: &Path) -> Option<String> {
        let git = "the project's .git, which holds its whole history";
        let project = "the whole project (name what you mean by its full path; for what git does \
                       not track, look at `git clean -n` first)";
        let own = || match path.strip_prefix(&self.root).ok()?.to_str()? {
            "" => Some(project.to_owned()),
            ".git" => Some(git.to_owned()),
            _ => None,
        };
        self.whole(path).or_else(own)
    }

    /// What this path stands for, if changing all of it would be a catastrophe.
    fn whole(&self, path: &Path) -> Option<String> {
        if path == Path::new("/") {
            return Some("the whole file system".to_owned());
        }
        if path == self.home {
            return Some("the person's home folder".to_owned());
        }
        let shown = path.display();
        if SYSTEM.iter().any(|folder| path == Path::new(folder)) {
            return Some(format!("the system folder {shown}"));
        }
        let holds = path != self.root && self.root.starts_with(path);
        holds.then(|| format!("{shown}, the folder this project lies in"))
    }

    /// Where the next command runs.
    fn follow(&self, words: &[String], place: &mut Place) {
        let Some(("cd" | "pushd", arguments)) =
            words.split_first().map(|(name, rest)| (name.as_str(), rest))
        else {
            return;
        };
        let now = match operands(arguments).next() {
            Some(path) => normal(&place.at(path)),
            None if arguments.is_empty() => self.home.clone(),
            None => place.before.clone().unwrap_or_else(|| place.unknown()),
        };
        place.before = Some(std::mem::replace(&mut place.now, now));
    }
}

/// Where a command stands.
#[derive(Clone)]
struct Place {
    now: PathBuf,
    /// Where it stood before the last `cd` of this text.
    before: Option<PathBuf>,
}

impl Place {
    /// The file or folder that an argument names; that folder where it names all that is in one.
    fn of(&self, word: &str) -> PathBuf {
        normal(&self.at(without_glob(word)))
    }

    /// The path that a word stands for.
    fn at(&self, word: &str) -> PathBuf {
        let variable = |name| {
            let rest = word.strip_prefix(name)?;
            // A longer name is another variable.
            let ends = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            ends.then_some(rest)
        };
        if let Some(rest) = variable(PWD) {
            return format!("{}{rest}", self.now.display()).into();
        }
        if let Some(rest) = variable("$OLDPWD") {
            // Not set before the first `cd`: what follows then begins at the root.
            let before = self.before.as_deref().map(Path::to_string_lossy).unwrap_or_default();
            return self.now.join(format!("{before}{rest}"));
        }
        self.now.join(word)
    }

    /// A place nobody knows. It is taken to be some folder of this one, where most things may
    /// be deleted.
    fn unknown(&self) -> PathBuf {
        self.now.join("-")
    }
}

/// `name() { name | name & }`: as many processes as there can be.
fn fork_bomb(window: &[Simple]) -> Option<(String, String)> {
    let [name, parameters, first, second] = window else { return None };
    let (word, body) = (name.words.last()?, proper(&first.words));
    let defined = name.end == End::Open && parameters.end == End::Close;
    let doubled = first.end == End::Pipe && second.end == End::Background;
    let itself = body.first() == Some(word) && second.words.first() == Some(word);
    let part = format!("{word}() {{ {word} | {word} & }}");
    let ruin = "would start processes without end".to_owned();
    (defined && doubled && itself && parameters.words.is_empty()).then_some((part, ruin))
}

/// The command proper, behind assignments, `sudo`, `env` and the like.
fn proper(words: &[String]) -> &[String] {
    let mut words = words;
    while let Some((first, mut rest)) = words.split_first() {
        let prefix = PREFIXES.iter().find(|(name, ..)| *name == name_of(first));
        if let Some((_, valued, own)) = prefix {
            while let Some((option, after)) = rest.split_first()
                && option.starts_with('-')
            {
                let takes = option.len() == 2 && option.ends_with(|letter| valued.contains(letter));
                rest = after.get(usize::from(takes)..).unwrap_or_default();
            }
            words = rest.get(*own..).unwrap_or_default();
        } else if is_assignment(first) {
            words = rest;
        } else {
            break;
        }
    }
    words
}

fn is_assignment(word: &str) -> bool {
    let name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    word.split_once('=').is_some_and(|(left, _)| name(left))
}

/// The script in `sh -c script` or `eval script`.
fn script(words: &[String]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let name = name_of(program);
    if name == "eval" {
        return Some(arguments.join(" "));
    }
    if !SHELLS.contains(&name) {
        return None;
    }
    let command = |word: &String| is_cluster(word) && word.ends_with('c');
    let place = arguments.iter().position(command)?;
    arguments[place + 1..].iter().find(|word| !word.starts_with('-')).cloned()
}

/// A program's name without its folder.
fn name_of(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Is one of these short options given, or the long one, abbreviated or not?
fn has(arguments: &[String], short: &str, long: &str) -> bool {
    arguments.iter().take_while(|word| *word != "--").any(|word| {
        let abbreviated = word.len() > 2 && long.starts_with(word.as_str());
        abbreviated || is_cluster(word) && word.contains(|letter| short.contains(letter))
    })
}

/// Short options in one word, such as `-rf`.
fn is_cluster(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--")
}

fn operands(arguments: &[String]) -> impl Iterator<Item = &str> {
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let (before, after) = arguments.split_at(end);
    let before = before.iter().filter(|word| !word.starts_with('-'));
    before.chain(after.iter().skip(1)).map(String::as_str)
}

/// Does `find` delete everything it finds? A test other than for the kind of file narrows it.
fn deletes_all(arguments: &[String]) -> bool {
    const WIDE: &[&str] = &[
        "-H",
        "-L",
        "-P",
        "-delete",
        "-depth",
        "-exec",
        "-execdir",
        "-maxdepth",
        "-mindepth",
        "-mount",
        "-print",
        "-type",
        "-xdev",
    ];
    let runs_rm = arguments
        .windows(2)
        .any(|pair| (pair[0] == "-exec" || pair[0] == "-execdir") && name_of(&pair[1]) == "rm");
    let deletes = runs_rm || arguments.iter().any(|word| word == "-delete");
    let test = |word: &&String| word.starts_with('-') && !WIDE.contains(&word.as_str());
    let own = arguments.iter().take_while(|word| !word.starts_with("-exec"));
    deletes && !own.into_iter().any(|word| test(&word))
}

/// A folder for `folder/*` and its kin.
fn without_glob(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    let everything = last.contains(['*', '?']) && last.chars().all(|c| "*?.[]!{},".contains(c));
    if everything { &path[..path.len() - last.len()] } else { path }
}

/// The path without `.` and `..`, as written; links are not followed.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => (),
            Component::RootDir | Component::Prefix(_) | Component::Normal(_) => normal.push(part),
        }
    }
    normal
}

fn is_disk(path: &str) -> bool {
    let path = normal(Path::new(path));
    let Ok(device) = path.strip_prefix("/dev") else { return false };
    let device = device.to_string_lossy();
    DISKS.iter().any(|disk| device.starts_with(disk))
}

fn overwrites(disk: &str) -> String {
    format!("would overwrite the disk {disk}")
}

fn shown(simple: &Simple) -> String {
    let targets = simple.onto.iter().map(|target| format!("> {target}"));
    let words: Vec<_> = simple.words.iter().cloned().chain(targets).collect();
    words.join(" ")
}
