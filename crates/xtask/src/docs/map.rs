//! The code map: a line for every crate and module, in reading order, from their own first sentences.

use super::counts::grouped;
use crate::rooms::{ROOMS, Room};
use crate::source::{Kind, Source};
use crate::tidy::sizes::room_lines;

const START: &str = "crates/engine/src/turn.rs";
const NAME_WIDTH: usize = 26;

/// A module of a crate, with the folder of the same name counted in.
struct Module<'a> {
    source: &'a Source,
    label: String,
    lines: usize,
}

/// The whole tree.
pub(super) fn write(sources: &[Source]) -> String {
    let mut out = String::from("crates/\n");
    let rooms: Vec<&Room> =
        ROOMS.iter().filter(|room| room_lines(sources, room.name) > 0).collect();
    for (at, room) in rooms.iter().enumerate() {
        let (branch, stem) =
            if at + 1 == rooms.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
        let lines = room_lines(sources, room.name);
        let sentence = root_of(sources, room.name).map(Source::sentence).unwrap_or_default();
        out += &line(&format!("{branch}{}/", room.name), lines, &sentence);
        let modules = modules(sources, room.name);
        for (at, module) in modules.iter().enumerate() {
            let branch = if at + 1 == modules.len() { "└── " } else { "├── " };
            let name = format!("{stem}{branch}{}", module.label);
            out += &line(&name, module.lines, &said(module.source));
        }
    }
    out + &examples(sources)
}

fn line(name: &str, lines: usize, sentence: &str) -> String {
    let text = format!("{name:<NAME_WIDTH$} {:>6}  {sentence}", grouped(lines));
    format!("{}\n", text.trim_end())
}

fn said(source: &Source) -> String {
    let arrow = if source.path == START { "   ← start here" } else { "" };
    format!("{}{arrow}", source.sentence())
}

fn root_of<'a>(sources: &'a [Source], room: &str) -> Option<&'a Source> {
    let at = |file: &str| format!("crates/{room}/src/{file}");
    let find = |path: String| sources.iter().find(|source| source.path == path);
    find(at("lib.rs")).or_else(|| find(at("main.rs")))
}

/// The modules right below the crate's root: in the order it declares them, then whatever it does not declare.
fn modules<'a>(sources: &'a [Source], room: &str) -> Vec<Module<'a>> {
    let Some(root) = root_of(sources, room) else {
        return Vec::new();
    };
    let folder = format!("crates/{room}/src/");
    let mut modules: Vec<(usize, Module<'a>)> = Vec::new();
    for source in sources.iter().filter(|it| it.kind == Kind::Src && it.path != root.path) {
        let Some(name) = source.path.strip_prefix(&folder).and_then(top) else {
            continue;
        };
        let place = declared(root).position(|declared| declared == name).unwrap_or(usize::MAX);
        modules.push((place, module(sources, source, &folder, name)));
    }
    modules.sort_by_key(|(place, _)| *place);
    modules.into_iter().map(|(_, module)| module).collect()
}

/// The module a path below `src/` is the head of: `gate` for `gate.rs` and for `gate/mod.rs`.
fn top(path: &str) -> Option<&str> {
    let name = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs"))?;
    (!name.contains('/')).then_some(name)
}

fn declared(root: &Source) -> impl Iterator<Item = &str> {
    let lines = root.code.lines().map(str::trim);
    lines.filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name))
}

fn module<'a>(sources: &[Source], head: &'a Source, folder: &str, name: &str) -> Module<'a> {
    let own = format!("{folder}{name}/");
    let inside = |it: &&Source| it.kind == Kind::Src && it.path.starts_with(&own);
    let below: Vec<&Source> = sources.iter().filter(inside).collect();
    let lines: usize = below.iter().filter(|it| it.path != head.path).map(|it| it.lines()).sum();
    let label = match (below.is_empty(), head.path.ends_with("/mod.rs")) {
        (true, _) => format!("{name}.rs"),
        (false, true) => format!("{name}/"),
        (false, false) => format!("{name}.rs + {name}/"),
    };
    Module { source: head, label, lines: lines + head.lines() }
}

fn examples(sources: &[Source]) -> String {
    let examples: Vec<&Source> = sources.iter().filter(|it| it.room.is_empty()).collect();
    if examples.is_empty() {
        return String::new();
    }
    let mut out = String::from("examples/\n");
    for (at, source) in examples.iter().enumerate() {
        let branch = if at + 1 == examples.len() { "└── " } else { "├── " };
        let name = source.path.trim_start_matches("examples/");
        out += &line(&format!("{branch}{name}"), source.lines(), &source.sentence());
    }
    out
}
