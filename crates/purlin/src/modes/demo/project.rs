//! The demo's project, in what the machine has: cargo, else python3, else sh.

use std::fs;
use std::io;
use std::path::Path;

use crate::config::Config;

/// A little project with a bug that its test shows.
pub(super) struct Project {
    pub(super) language: &'static str,
    /// What the person asks.
    pub(super) task: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The command that runs the test.
    pub(super) test: &'static str,
    /// What the model searches for.
    pub(super) symbol: &'static str,
    /// The file with the bug.
    pub(super) source: &'static str,
    /// The bug.
    pub(super) wrong: &'static str,
    /// The fix.
    pub(super) right: &'static str,
    /// What the model says about it.
    pub(super) finding: &'static str,
    /// Its last words.
    pub(super) report: &'static str,
}

impl Project {
    /// The project that can be run here.
    pub(super) fn for_this_machine(config: &Config) -> Self {
        let path = config.var("PATH").unwrap_or_default();
        let has = |program: &str| path.split(':').any(|f| Path::new(f).join(program).is_file());
        if has("cargo") {
            return RUST;
        }
        if has("python3") { PYTHON } else { SHELL }
    }

    /// Writes its files.
    pub(super) fn write(&self, root: &Path) -> io::Result<()> {
        for (name, text) in self.files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            fs::write(path, text)?;
        }
        Ok(())
    }

    /// Whether the fix is on disk.
    pub(super) fn is_fixed(&self, root: &Path) -> bool {
        let text = fs::read_to_string(root.join(self.source)).unwrap_or_default();
        text.contains(self.right)
    }
}

const TASK: &str = "A test fails. Find out why, fix it, and show me that it passes.";
const FINDING: &str = "There it is: for an even number of values the median is the mean of the \
                       two in the middle, but the code takes only the upper one.";
const REPORT: &str = "Fixed. `median` took the upper of the two middle values when their number \
                      is even; now it takes their mean. All tests pass.";

const RUST: Project = Project {
    language: "Rust",
    task: TASK,
    files: &[
        (
            "Cargo.toml",
            "[package]\nname = \"numbers\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n",
        ),
        (".gitignore", "target/\n"),
        ("src/lib.rs", RUST_SOURCE),
        ("tests/median.rs", RUST_TEST),
    ],
    test: "cargo test --offline --quiet --test median",
    symbol: "fn median",
    source: "src/lib.rs",
    wrong: "    sorted[middle]\n}",
    right: "    if sorted.len() % 2 == 0 {\n        return (sorted[middle - 1] + sorted[middle]) / 2.0;\n    }\n    sorted[middle]\n}",
    finding: FINDING,
    report: REPORT,
};

const RUST_SOURCE: &str = "//! Numbers.

/// The arithmetic mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    sorted[middle]
}
";

const RUST_TEST: &str = "use numbers::{mean, median};

#[test]
fn the_mean_of_four_values() {
    assert_eq!(mean(&[4.0, 1.0, 3.0, 2.0]), 2.5);
}

#[test]
fn the_median_of_three_values() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
}

#[test]
fn the_median_of_four_values() {
    assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
}
";

const PYTHON: Project = Project {
    language: "Python",
    task: TASK,
    files: &[("numbers_.py", PYTHON_SOURCE), ("test_median.py", PYTHON_TEST)],
    test: "python3 -m unittest --quiet",
    symbol: "def median",
    source: "numbers_.py",
    wrong: "    return ordered[middle]\n",
    right: "    if len(ordered) % 2 == 0:\n        return (ordered[middle - 1] + ordered[middle]) / 2\n    return ordered[middle]\n",
    finding: FINDING,
    report: REPORT,
};

const PYTHON_SOURCE: &str = "\"\"\"Numbers.\"\"\"


def mean(values):
    return sum(values) / len(values)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle]
";

const PYTHON_TEST: &str = "import unittest

from numbers_ import mean, median


class Numbers(unittest.TestCase):
    def test_mean_of_four(self):
        self.assertEqual(mean([4, 1, 3, 2]), 2.5)

    def test_median_of_three(self):
        self.assertEqual(median([3, 1, 2]), 2)

    def test_median_of_four(self):
        self.assertEqual(median([4, 1, 3, 2]), 2.5)
";

const SHELL: Project = Project {
    language: "shell",
    task: TASK,
    files: &[("median.sh", SHELL_SOURCE), ("test.sh", SHELL_TEST)],
    test: "sh test.sh",
    symbol: "middle=",
    source: "median.sh",
    wrong: "sed -n \"${middle}p\" \"$sorted\"\n",
    right: "if [ $((count % 2)) -eq 0 ]; then\n    low=$(sed -n \"$((middle - 1))p\" \"$sorted\")\n    high=$(sed -n \"${middle}p\" \"$sorted\")\n    echo $(((low + high) / 2))\n    exit\nfi\nsed -n \"${middle}p\" \"$sorted\"\n",
    finding: FINDING,
    report: REPORT,
};

const SHELL_SOURCE: &str = "#!/bin/sh
# The median of the whole numbers given.
sorted=$(mktemp)
trap 'rm -f \"$sorted\"' EXIT
printf '%s\\n' \"$@\" | sort -n >\"$sorted\"
count=$#
middle=$((count / 2 + 1))
sed -n \"${middle}p\" \"$sorted\"
";

const SHELL_TEST: &str = "check() {
    want=$1
    shift
    got=$(sh median.sh \"$@\")
    [ \"$got\" = \"$want\" ] && return
    echo \"FAILED: median of $* is $got, not $want\"
    exit 1
}
check 2 3 1 2
check 4 2 6 4 4
check 5 2 6 8 4
echo ok
";
