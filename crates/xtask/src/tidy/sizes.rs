//! How big everything is: the engine's size is a promise and fails, the rest is printed.

use super::Finding;
use crate::rooms::{self, ROOMS};
use crate::source::{Kind, Source};

/// Physical lines of the room's `src/` without tests.
pub fn room_lines(sources: &[Source], room: &str) -> usize {
    shipped(sources).filter(|source| source.room == room).map(Source::lines).sum()
}

fn shipped(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources.iter().filter(|source| source.kind == Kind::Src)
}

/// The engine over its promise.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(engine) = rooms::find(rooms::ENGINE) else {
        return Vec::new();
    };
    let lines = room_lines(sources, engine.name);
    if lines <= engine.lines {
        return Vec::new();
    }
    let say = format!("{lines} lines; the promise to the reader is {}", engine.lines);
    vec![Finding::at("crates/engine/src", say)]
}

/// A table of the rooms against their budgets, then every file over the usual. Functions over the
/// usual are clippy's to find.
pub fn report(sources: &[Source]) -> String {
    let mut out = String::from("room         lines  budget\n");
    for room in ROOMS {
        let lines = room_lines(sources, room.name);
        if lines > 0 {
            let over = if lines > room.lines { "  over" } else { "" };
            out += &format!("{:<11} {lines:>6}  {:>6}{over}\n", room.name, room.lines);
        }
    }
    let usual = |source: &Source| if source.room == rooms::ENGINE { 400 } else { 500 };
    for source in sources.iter().filter(|it| it.lines() > usual(it)) {
        out += &format!("long file: {} ({} lines)\n", source.path, source.lines());
    }
    out
}
