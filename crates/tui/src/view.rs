//! Text for everything that is shown. Pure: what is shown depends on the arguments and on nothing
//! else.

pub mod call;
pub mod diff;
pub mod ended;
pub mod ink;
pub mod plain;
pub mod question;
pub mod sessions;
pub mod spent;

use std::path::Path;

use purlin_engine::event::Tier;
use purlin_engine::gate::Mode;
use purlin_engine::listen::Change;
use purlin_engine::message::Origin;

use crate::state::{Opened, State};
use ink::Ink;
use plain::plain;

/// What stands before the line that the person types.
pub fn prompt(state: &State) -> &'static str {
    match (state.questions.front(), state.mode()) {
        (Some(_), _) => "answer › ",
        (None, Mode::Plan) => "plan › ",
        (None, Mode::Normal) => "› ",
    }
}

/// The first lines.
pub fn welcome(ink: Ink, session: &Opened) -> String {
    let mode = match session.mode {
        Mode::Normal => "",
        Mode::Plan => " · plan mode",
    };
    let line = format!("{} · session {}{mode} · /help", model(&session.model), plain(&session.id));
    ink.dim(&line)
}

/// A model and who serves it.
pub fn model(origin: &Origin) -> String {
    match origin.provider.as_str() {
        "" => plain(&origin.model),
        provider => plain(&format!("{} ({provider})", origin.model)),
    }
}

/// What the mode means.
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Normal => "plan mode is off",
        Mode::Plan => {
            "plan mode is on: nothing that changes anything runs; \"approve\" leaves it and has \
             the plan carried out"
        }
    }
}

/// How room was made.
pub fn compacted(tier: Tier, before: u64, after: u64) -> String {
    let how = match tier {
        Tier::Trim => "old outputs were shortened",
        Tier::Summarise => "older messages became a summary",
        Tier::Collapse => "older messages became a list",
    };
    let (before, after) = (spent::grouped(before), spent::grouped(after));
    format!("made room: {how}, about {before} → {after} tokens")
}

/// A reply begins anew.
pub fn restart(attempt: u32, why: &str, wait_ms: u64) -> String {
    let why = plain(why);
    let wait = match wait_ms {
        0 => "now".to_owned(),
        ms => format!("in {}.{} s", ms / 1000, ms % 1000 / 100),
    };
    format!("again {wait} (attempt {attempt}), without what was said above: {why}")
}

/// Files that changed, those inside the project from its root.
pub fn changes(root: &Path, changes: &[Change]) -> String {
    let one = |change: &Change| {
        let what = match (&change.before, &change.after) {
            (None, _) => "created",
            (Some(_), None) => "deleted",
            (Some(_), Some(_)) => "changed",
        };
        let inside = change.path.strip_prefix(root).ok().filter(|_| root.is_absolute());
        format!("{what} {}", plain(&inside.unwrap_or(&change.path).display().to_string()))
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}
