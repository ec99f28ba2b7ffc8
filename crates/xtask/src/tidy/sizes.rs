//! How big everything is: the engine's size is a promise and fails, the rest is printed.

use super::Finding;
use crate::rooms::{self, ROOMS};
use crate::source::{Kind, Source, functions};

const FUNCTION: usize = 60;

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

/// A table of the rooms against their budgets, then every file and function over the usual.
pub fn report(sources: &[Source]) -> String {
    let mut out = String::from("room         lines  budget\n");
    for room in ROOMS {
        let lines = room_lines(sources, room.name);
        if lines > 0 {
            let over = if lines > room.lines { "  over" } else { "" };
            out += &format!("{:<11} {lines:>6}  {:>6}{over}\n", room.name, room.lines);
        }
    }
    for source in sources {
        out.push_str(&long(source));
    }
    out
}

/// The file if it is over the usual, and its functions that are.
fn long(source: &Source) -> String {
    let mut out = String::new();
    let usual = if source.room == rooms::ENGINE { 400 } else { 500 };
    if source.lines() > usual {
        out += &format!("long file: {} ({} lines)\n", source.path, source.lines());
    }
    for function in functions(&source.code).iter().filter(|it| it.lines > FUNCTION) {
        let (path, line, name) = (&source.path, function.line, &function.name);
        out += &format!("long function: {path}:{line} {name} ({} lines)\n", function.lines);
    }
    out
}
