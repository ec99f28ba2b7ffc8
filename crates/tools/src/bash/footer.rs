//! The last line of every answer: how the command ended, how long it took, where the session is.

use std::path::Path;
use std::time::Duration;

use purlin_engine::tool::{Cx, resolve};
use purlin_exec::{End, Finished};

/// What the line says.
pub(super) struct Notes<'a> {
    pub(super) finished: &'a Finished,
    pub(super) limit: Duration,
    pub(super) now: &'a Path,
    pub(super) moved: bool,
}

impl Notes<'_> {
    pub(super) fn line(&self, cx: &Cx) -> String {
        let parts: Vec<_> =
            [Some(self.end()), self.left(), self.place(cx)].into_iter().flatten().collect();
        format!("[{}]", parts.join("; "))
    }

    fn end(&self) -> String {
        let took = self.finished.elapsed.as_secs_f64();
        match self.finished.end {
            End::Exited(status) => format!("exit {status} in {took:.1} s"),
            End::Signalled(signal) => format!("killed by signal {signal} after {took:.1} s"),
            End::Deadline => format!(
                "stopped after {:.1} s, the limit; what it had started was ended with it. Its \
                 input is empty: if it waited for an answer, pass the answer as an argument",
                self.limit.as_secs_f64()
            ),
        }
    }

    fn left(&self) -> Option<String> {
        let whole = self.finished.output.whole.as_ref();
        let place = whole.map(|whole| format!("; what it prints goes to {}", whole.display()));
        let left = self.finished.children_left;
        left.then(|| format!("a process it started still runs{}", place.unwrap_or_default()))
    }

    fn place(&self, cx: &Cx) -> Option<String> {
        let root = resolve(&cx.root);
        if *self.now != root {
            let place = self.now.strip_prefix(&root).unwrap_or(self.now);
            return Some(format!("now in {}", place.display()));
        }
        self.moved.then(|| "now in the project's root".to_owned())
    }
}

/// Said when the session's directory was deleted.
pub(super) fn gone(cx: &Cx, place: &Path) -> String {
    let (old, new) = (cx.cwd.display(), place.display());
    format!("[the directory {old} no longer exists; the command was run in {new}]")
}
