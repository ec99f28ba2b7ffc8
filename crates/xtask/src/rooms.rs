//! The plan of the house: every crate, its size as meant, and which others it may lean on.

/// A crate of the workspace as planned.
pub struct Room {
    /// The package name without `purlin-`.
    pub name: &'static str,
    /// How soon a reader meets it.
    pub ring: &'static str,
    /// Physical lines of `src/` without tests.
    pub lines: usize,
    /// The rooms it may depend on; development dependencies are free.
    pub uses: &'static [&'static str],
}

/// Every room, in reading order. A crate that is not here does not belong to the house.
pub const ROOMS: &[Room] = &[
    room("engine", "ring 1", 3_700, &[]),
    room("providers", "ring 2", 3_000, &["engine"]),
    room("tools", "ring 2", 4_000, &["engine", "exec"]),
    room("store", "ring 2", 700, &["engine"]),
    room("exec", "ring 2", 3_000, &[]),
    room("policy", "ring 2", 4_000, &["engine"]),
    room("config", "ring 3", 1_000, &["engine"]),
    room("extend", "ring 3", 2_000, &["engine"]),
    room("mcp", "ring 3", 1_500, &["engine"]),
    room("tui", "ring 3", 5_000, &["engine"]),
    room("purlin", "ring 3", 2_500, PURLIN_USES),
    room("testkit", "dev", 4_000, &["engine"]),
    room("xtask", "dev", 2_000, &["testkit", "providers", "tui", "purlin"]),
];

// `testkit` because `purlin demo` serves its scripted model from the shipped binary.
const PURLIN_USES: &[&str] = &[
    "engine",
    "providers",
    "tools",
    "exec",
    "store",
    "policy",
    "config",
    "extend",
    "mcp",
    "tui",
    "testkit",
];

/// The one room whose size is a promise to the reader and therefore fails the build.
pub const ENGINE: &str = "engine";

/// What the engine may depend on: the package, and the only features it may ask for.
pub const ENGINE_USES: &[(&str, &[&str])] = &[
    ("futures", &["std", "async-await"]),
    ("serde", &["derive"]),
    ("serde_json", &["preserve_order", "raw_value"]),
    ("serde_path_to_error", &[]),
    ("thiserror", &[]),
    ("tokio", &["sync", "time", "rt"]),
];

const fn room(
    name: &'static str,
    ring: &'static str,
    lines: usize,
    uses: &'static [&'static str],
) -> Room {
    Room { name, ring, lines, uses }
}

/// The planned room of that name.
pub fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The room of a package, as in `purlin-engine` → `engine`.
pub fn of_package(package: &str) -> &str {
    package.strip_prefix("purlin-").unwrap_or(package)
}
