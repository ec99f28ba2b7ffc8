//! The code map: a line for every crate, and for every module of the engine, in reading order and
//! in their own first sentences.

use super::counts::grouped;
use crate::rooms::{ENGINE, ROOMS};
use crate::source::{Kind, Source};
use crate::tidy::sizes::room_lines;

const START: &str = "crates/engine/src/turn.rs";
const LAST: &str = "└── ";
const NAME_WIDTH: usize = 26;
const SENTENCE_WIDTH: usize = 90;

/// A module of the engine, with the folder of the same name counted in.
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
        let modules = if room.name == ENGINE { modules(sources) } else { Vec::new() };
        for (branch, module) in branches(modules) {
            let arrow = if module.source.path == START { "   ← start here" } else { "" };
            let said = short(&module.source.sentence()) + arrow;
            out += &line(&format!("│   {branch}{}", module.label), module.lines, &said);
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

/// The modules right below the engine's root, in reading order.
fn modules(sources: &[Source]) -> Vec<Module<'_>> {
    let Some(root) = root_of(sources, ENGINE) else {
        return Vec::new();
    };
    let folder = root.path.trim_end_matches("lib.rs");
    let mut modules: Vec<_> = sources
        .iter()
        .filter(|it| it.kind == Kind::Src && it.path != root.path)
        .filter_map(|it| Some((it, it.path.strip_prefix(folder)?.strip_suffix(".rs")?)))
        .filter(|(_, name)| !name.contains('/'))
        .collect();
    modules.sort_by_key(|(_, name)| place(root, name));
    modules.into_iter().map(|(it, name)| module(sources, it, &format!("{folder}{name}/"))).collect()
}

/// Where the crate's own doc mentions the module: rustfmt sorts declarations, so that the reading
/// order is the doc's to give.
fn place(root: &Source, name: &str) -> usize {
    let doc: String = root.text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    doc.find(&format!("`{name}`")).unwrap_or(usize::MAX)
}

fn module<'a>(sources: &[Source], head: &'a Source, own: &str) -> Module<'a> {
    let below = sources.iter().filter(|it| it.kind == Kind::Src && it.path.starts_with(own));
    let lines: usize = below.map(Source::lines).sum();
    let name = head.path.rsplit('/').next().unwrap_or_default();
    let folder = own.rsplit('/').nth(1).unwrap_or_default();
    let label = if lines == 0 { name.to_owned() } else { format!("{name} + {folder}/") };
    Module { source: head, label, lines: lines + head.lines() }
}
