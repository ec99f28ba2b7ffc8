//! Words that may not stand in the code, each with where it may and what to do instead.

use super::Finding;
use crate::source::{Kind, Source};

/// A rule about words; they are looked for in code only, never in comments or literals.
struct Ban {
    /// Matched as whole words where they begin or end with a letter.
    words: &'static [&'static str],
    place: Place,
    reach: Reach,
    instead: &'static str,
}

/// Which paths a ban speaks of, as prefixes.
enum Place {
    Everywhere,
    Except(&'static [&'static str]),
    Only(&'static [&'static str]),
}

/// Which kinds of file a ban speaks of.
enum Reach {
    /// What ships, and what a reader would copy.
    Shipped,
    /// Tests as well.
    All,
}

/// The crates that meet the machine: the binary, its test worlds, and this one.
const EDGE: &[&str] = &["crates/purlin/", "crates/testkit/", "crates/xtask/"];
const ENGINE: &[&str] = &["crates/engine/"];
/// The one file that may make system calls by hand.
const SYSTEM_CALLS: &[&str] = &["crates/exec/src/sandbox/sys.rs"];
const SPAWNERS: &[&str] = &[
    "crates/exec/",
    "crates/mcp/",
    "crates/tui/",
    "crates/purlin/",
    "crates/testkit/",
    "examples/",
];

const BANS: &[Ban] = &[
    Ban {
        words: &[
            "std::env",
            "env::var",
            "env::vars",
            "env::args",
            "env::current_dir",
            "env::temp_dir",
        ],
        place: Place::Except(EDGE),
        reach: Reach::Shipped,
        instead: "nothing below `purlin` reads the environment; pass it in",
    },
    Ban {
        words: &["SystemTime::now"],
        place: Place::Except(EDGE),
        reach: Reach::Shipped,
        instead: "nothing below `purlin` reads the clock of the day; pass a `now` in",
    },
    Ban {
        words: &["std::process", "std::net", "tokio::process", "tokio::net", "std::io::stdout"],
        place: Place::Only(ENGINE),
        reach: Reach::Shipped,
        instead: "the engine has no processes, no network and no terminal",
    },
    Ban {
        words: &["println!", "eprintln!", "print!", "eprint!"],
        place: Place::Except(&["crates/purlin/", "crates/xtask/", "examples/"]),
        reach: Reach::Shipped,
        instead: "only the binary prints; answer with a value or an event",
    },
    Ban {
        words: &["dbg!", "todo!", "unimplemented!"],
        place: Place::Everywhere,
        reach: Reach::All,
        instead: "finish it or take it out",
    },
    Ban {
        words: &[".unwrap()", ".expect("],
        place: Place::Everywhere,
        reach: Reach::Shipped,
        instead: "treat the impossible as the nearest possible case, and say why",
    },
    Ban {
        words: &[
            "cfg(feature",
            "cfg!(feature",
            "cfg_attr(feature",
            "not(feature",
            "any(feature",
            "all(feature",
        ],
        place: Place::Except(&["crates/purlin/src/wire.rs"]),
        reach: Reach::All,
        instead: "features are decided in manifests and in `purlin::wire`",
    },
    Ban {
        words: &["unsafe"],
        place: Place::Except(SYSTEM_CALLS),
        reach: Reach::All,
        instead: "only the sandbox's system calls may be unsafe",
    },
    Ban {
        words: &["thread_local!", "static mut"],
        place: Place::Everywhere,
        reach: Reach::Shipped,
        instead: "state has an owner; pass it in",
    },
    Ban {
        words: &["tokio::spawn", "task::spawn"],
        place: Place::Except(SPAWNERS),
        reach: Reach::Shipped,
        instead: "hand back a future and let the caller spawn it",
    },
    Ban {
        words: &["#[ignore"],
        place: Place::Everywhere,
        reach: Reach::All,
        instead: "a test runs or goes",
    },
    Ban {
        words: &["#[test]", "#[tokio::test"],
        place: Place::Everywhere,
        reach: Reach::Shipped,
        instead: "tests live in `tests/` or in a `tests.rs`, never inside a source file",
    },
];

/// A parser may have its own way of expecting a token; this is not `Option::expect`.
const OWN_EXPECT: &str = "self.expect(";

/// Names of things that lie outside the repository, so that nothing in it may lean on them. Written
/// in two halves: this file obeys its own rule.
const OUTSIDE: &[&str] =
    &[concat!("..", "/shared"), concat!("shared", "/facts"), concat!("shared", "/design")];

/// Every banned word in the file.
pub fn check(source: &Source) -> Vec<Finding> {
    let code = source.code.replace(OWN_EXPECT, "self.token(");
    let mut findings = Vec::new();
    for ban in BANS.iter().filter(|ban| ban.speaks_of(source)) {
        for (line, text) in code.lines().enumerate() {
            if let Some(word) = ban.words.iter().find(|word| has_word(text, word)) {
                let say = format!("`{word}`: {}", ban.instead);
                findings.push(Finding::on_line(&source.path, line + 1, say));
            }
        }
    }
    findings
}

/// Every mention, in any file, of what lies outside the repository.
pub fn check_outside(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, content) in text.lines().enumerate() {
        if let Some(word) = OUTSIDE.iter().find(|word| content.contains(**word)) {
            let say = format!("`{word}` lies outside the repository; say here what it says");
            findings.push(Finding::on_line(path, line + 1, say));
        }
    }
    findings
}

impl Ban {
    fn speaks_of(&self, source: &Source) -> bool {
        let is_under = |paths: &[&str]| paths.iter().any(|path| source.path.starts_with(path));
        let in_place = match self.place {
            Place::Everywhere => true,
            Place::Except(paths) => !is_under(paths),
            Place::Only(paths) => is_under(paths),
        };
        match self.reach {
            Reach::All => in_place,
            Reach::Shipped => in_place && source.kind != Kind::Test,
        }
    }
}

/// Whether `word` stands in `line` with no letter joined to either of its ends.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let joined_before = word.starts_with(is_letter) && line[..at].ends_with(is_letter);
        let joined_after =
            word.ends_with(is_letter) && line[at + word.len()..].starts_with(is_letter);
        !joined_before && !joined_after
    })
}
