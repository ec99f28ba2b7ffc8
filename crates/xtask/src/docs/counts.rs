//! Every number README states, counted.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Tree;
use crate::cargo::{Need, Origin};
use crate::rooms;
use crate::source::{self, Kind, Source};
use crate::tidy::sizes::room_lines;

/// A number with the name of its region.
struct Count {
    name: &'static str,
    count: fn(&Tree<'_>) -> Result<usize>,
}

const COUNTS: &[Count] = &[
    Count { name: "engine-promise", count: |_| Ok(rooms::ROOMS[0].lines) },
    Count { name: "engine-lines", count: engine_lines },
    Count { name: "source-lines", count: source_lines },
    Count { name: "test-lines", count: test_lines },
    Count { name: "tests", count: tests },
    Count { name: "tools", count: tools },
    Count { name: "direct-dependencies", count: direct },
    Count { name: "locked-crates", count: locked },
];

/// The count of that name; none when there is no such count.
pub(super) fn single(tree: &Tree<'_>, name: &str) -> Result<Option<String>> {
    let count = COUNTS.iter().find(|it| it.name == name);
    count.map(|it| (it.count)(tree).map(grouped)).transpose()
}

/// With a comma between thousands.
pub(super) fn grouped(count: usize) -> String {
    if count < 1000 {
        return count.to_string();
    }
    format!("{},{:03}", grouped(count / 1000), count % 1000)
}

fn engine_lines(tree: &Tree<'_>) -> Result<usize> {
    Ok(room_lines(tree.sources, rooms::ENGINE))
}

fn source_lines(tree: &Tree<'_>) -> Result<usize> {
    let shipped = rooms::ROOMS.iter().filter(|room| room.ring != "dev");
    Ok(shipped.map(|room| room_lines(tree.sources, room.name)).sum())
}

fn test_lines(tree: &Tree<'_>) -> Result<usize> {
    let tests = tree.sources.iter().filter(|source| source.kind == Kind::Test);
    Ok(tests.map(Source::lines).sum())
}

fn tests(tree: &Tree<'_>) -> Result<usize> {
    let is_transcript = |path: &&String| path.contains("transcripts/") && path.ends_with(".txt");
    let transcripts = tree.files.iter().filter(is_transcript).count();
    Ok(transcripts + tree.sources.iter().map(test_functions).sum::<usize>())
}

fn test_functions(source: &Source) -> usize {
    let lines = source.code.lines().map(str::trim_start);
    lines.filter(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test")).count()
}

/// A tool is a file with its description beside it, and the description is what is counted.
fn tools(tree: &Tree<'_>) -> Result<usize> {
    let is_tool = |path: &&String| path.starts_with("crates/tools/src/") && path.ends_with(".md");
    Ok(tree.files.iter().filter(is_tool).count())
}

fn direct(tree: &Tree<'_>) -> Result<usize> {
    let shipped = tree.packages.iter().filter(|package| package.name != "xtask");
    let needed = shipped.flat_map(|package| &package.dependencies);
    let guests = needed
        .filter(|it| it.origin == Origin::Guest && it.need == Need::Always)
        .map(|it| &it.name);
    Ok(guests.collect::<BTreeSet<_>>().len())
}

fn locked(tree: &Tree<'_>) -> Result<usize> {
    let lock = source::read(tree.root, "Cargo.lock")?;
    Ok(lock.lines().filter(|line| line.starts_with("source = ")).count())
}
