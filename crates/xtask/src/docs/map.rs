//! The code map: a line for every crate and module, in reading order, in their own first sentences.

use super::counts::grouped;
use crate::rooms::ROOMS;
use crate::source::{Kind, Source};
use crate::tidy::sizes::room_lines;

const START: &str = "crates/engine/src/turn.rs";
const LAST: &str = "└── ";
const NAME_WIDTH: usize = 26;
const SENTENCE_WIDTH: usize = 90;

/// A module of a crate, with the folder of the same name counted in.
struct Module<'a> {
    source: &'a Source,
    label: String,
    lines: usize,
}

/// The whole tree.
pub(super) fn write(sources: &[Source]) -> String {
    let mut out = String::from("crates/\n");
    let rooms = ROOMS.iter().filter(|room| room_lines(sources, room.name) > 0);
    for (branch, room) in branches(rooms.collect()) {
        let lines = room_lines(sources, room.name);
        let sentence = root_of(sources, room.name).map(Source::sentence).unwrap_or_default();
        out += &line(&format!("{branch}{}/", room.name), lines, &short(&sentence));
        let stem = if branch == LAST { "    " } else { "│   " };
        for (branch, module) in branches(modules(sources, room.name)) {
            let arrow = if module.source.path == START { "   ← start here" } else { "" };
            let said = short(&module.source.sentence()) + arrow;
            out += &line(&format!("{stem}{branch}{}", module.label), module.lines, &said);
        }
    }
    let examples: Vec<_> = sources.iter().filter(|source| source.room.is_empty()).collect();
    out += if examples.is_empty() { "" } else { "examples/\n" };
    for (branch, source) in branches(examples) {
        let name = source.path.trim_start_matches("examples/");
        out += &line(&format!("{branch}{name}"), source.lines(), &short(&source.sentence()));
    }
    out
}

/// Each with what it hangs from.
fn branches<T>(items: Vec<T>) -> impl Iterator<Item = (&'static str, T)> {
    let last = items.len().saturating_sub(1);
    let branch = move |at| if at == last { LAST } else { "├── " };
    items.into_iter().enumerate().map(move |(at, item)| (branch(at), item))
}

fn line(name: &str, lines: usize, sentence: &str) -> String {
    let text = format!("{name:<NAME_WIDTH$} {:>6}  {sentence}", grouped(lines));
    format!("{}\n", text.trim_end())
}

/// As much of a sentence as fits in a line, up to the end of a clause.
fn short(sentence: &str) -> String {
    let plain = sentence.replace("[`", "`").replace("`]", "`");
    let Some((end, _)) = plain.char_indices().nth(SENTENCE_WIDTH) else {
        return plain;
    };
    let cut = &plain[..end];
    let clause = cut.rfind([',', ':', ';']).or_else(|| cut.rfind(' ')).unwrap_or(end);
    cut[..clause].to_owned()
}

fn root_of<'a>(sources: &'a [Source], room: &str) -> Option<&'a Source> {
    let at = |file: &str| format!("crates/{room}/src/{file}");
    let find = |path: String| sources.iter().find(|source| source.path == path);
    find(at("lib.rs")).or_else(|| find(at("main.rs")))
}

/// The modules right below the crate's root, in reading order.
fn modules<'a>(sources: &'a [Source], room: &str) -> Vec<Module<'a>> {
    let Some(root) = root_of(sources, room) else {
        return Vec::new();
    };
    let folder = format!("crates/{room}/src/");
    let mut modules: Vec<((usize, usize), Module<'a>)> = Vec::new();
    for source in sources.iter().filter(|it| it.kind == Kind::Src && it.path != root.path) {
        let Some(name) = source.path.strip_prefix(&folder).and_then(top) else {
            continue;
        };
        let place = place(root, name);
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

/// Where the crate's own doc mentions the module, then where it is declared: rustfmt sorts
/// declarations, so that the reading order is the doc's to give.
fn place(root: &Source, name: &str) -> (usize, usize) {
    let doc: String = root.text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let mentioned = doc.find(&format!("`{name}`")).unwrap_or(usize::MAX);
    let declared = declared(root).position(|declared| declared == name).unwrap_or(usize::MAX);
    (mentioned, declared)
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
