//! Writing to the terminal, and what there is to say about sessions.

use std::fs::{File, Metadata};
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::time::UNIX_EPOCH;

use purlin_engine::message::{Item, Source};
use purlin_engine::session::mode;
use purlin_tui::page::{Page, Print, Setting, Stream};
use purlin_tui::state::{Listed, Look, Opened, Reach};
use purlin_tui::view::ink::Ink;

use crate::config::Config;
use crate::wire::Wired;
use purlin_store::sessions::{Found, Sessions, date, look};

/// Sessions in a list, at most.
const LISTED: usize = 20;

/// Writes to stderr. A closed stderr is no reason to stop.
pub(super) fn talk(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Writes what a view wants written. False when stdout is closed: nobody reads any more.
pub(super) fn print(print: &Print) -> bool {
    match print.to {
        Stream::Err => {
            talk(&print.text);
            true
        }
        Stream::Out => answer(&print.text),
    }
}

/// Writes to stdout. False when it is closed.
pub(super) fn answer(text: &str) -> bool {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// An empty page.
pub(super) fn page(config: &Config, setting: Setting) -> Page {
    let mut page = Page::new(surroundings(config));
    (page.setting, page.root) = (setting, config.root());
    page
}

/// Where text goes and comes from.
pub(super) fn surroundings(config: &Config) -> Look {
    let reach = |terminal| if terminal { Reach::Terminal } else { Reach::Elsewhere };
    let plain = config.var("NO_COLOR").is_some() || config.var("TERM").as_deref() == Some("dumb");
    let colours = std::io::stderr().is_terminal() && !plain;
    Look {
        ink: if colours { Ink::Colour } else { Ink::Plain },
        input: reach(std::io::stdin().is_terminal()),
        output: reach(std::io::stdout().is_terminal() || one_place()),
    }
}

/// Whether stdout and stderr go to the same file or pipe, and so share a page as on a terminal.
fn one_place() -> bool {
    let file =
        |fd: BorrowedFd<'_>| fd.try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    let (out, err) = (file(std::io::stdout().as_fd()), file(std::io::stderr().as_fd()));
    let same = |a: Metadata, b: Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    out.is_ok_and(|out| err.is_ok_and(|err| same(out, err)))
}

/// A session that was just opened, for the screen.
pub(super) fn opened(wired: &Wired) -> Opened {
    let folded = &wired.folded;
    let person = |item: &Item| matches!(item, Item::User(said) if said.source == Source::Person);
    Opened {
        id: wired.id.clone(),
        name: folded.state.get("name").and_then(|name| name.as_str()).map(str::to_owned),
        model: wired.llm.info().origin.clone(),
        mode: mode(&folded.state),
        messages: folded.items.iter().filter(|(_, item)| person(item)).count() as u64,
        spent: wired.spent.clone(),
    }
}

/// The sessions there are, newest first.
pub(super) fn listed(sessions: &Sessions) -> Vec<Listed> {
    sessions.all().iter().take(LISTED).map(describe).collect()
}

/// The same as numbered lines.
pub(super) fn numbered(listed: &[Listed]) -> String {
    let line = |(index, listed): (usize, &Listed)| {
        let name = listed.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        format!("{:>3}  {}{name}  {}  {}\n", index + 1, listed.id, listed.when, listed.about)
    };
    listed.iter().enumerate().map(line).collect()
}

fn describe(found: &Found) -> Listed {
    let since = found.written.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (day, clock) = date(since.as_secs());
    let (name, about) = match look(found) {
        Ok((folded, first)) => {
            let name = folded.state.get("name").and_then(|name| name.as_str());
            (name.map(str::to_owned), first)
        }
        Err(why) => (None, format!("cannot be read: {why}")),
    };
    Listed { id: found.id.clone(), name, when: format!("{day} {clock} UTC"), about }
}
