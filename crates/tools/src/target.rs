//! A file that a call is about to change: looked at, checked against what the model has seen, and
//! then turned into an act and an answer.

use std::path::{Path, PathBuf};

use purlin_engine::gate::Preview;
use purlin_engine::message::Output;
use purlin_engine::session::State;

use crate::commit::{Act, commit, writable};
use crate::diff::{Changes, unified};
use crate::file::{self, Stamp};
use crate::seen::{self, Seen};
use crate::text::Text;

/// A file to change, as it is now.
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    pub(crate) shown: String,
    /// What is there.
    pub(crate) text: Text,
    /// Whether the model has seen that.
    pub(crate) seen: Seen,
    stamp: Option<Stamp>,
}

/// A change that is worked out but not made.
pub(crate) struct Change {
    act: Act,
    pub(crate) changes: Changes,
    /// The hash of the new content, where the model may be said to have seen all of it.
    mark: Option<String>,
}

impl Target {
    /// Looks at what a path names. A file that is not there is an empty one.
    pub(crate) fn look(path: &Path, shown: &str, state: &State) -> Result<Self, String> {
        let (path, shown) = (path.to_owned(), shown.to_owned());
        let Ok(link) = path.symlink_metadata() else {
            let text = Text::new(String::new());
            return Ok(Self { path, shown, text, seen: Seen::Fresh, stamp: None });
        };
        if link.is_symlink() {
            let to = path.read_link().unwrap_or_default();
            return Err(format!(
                "{shown} is a symlink to {}, which does not exist; name that file itself",
                to.display()
            ));
        }
        let whole = file::whole(&path, &shown)?;
        if let Some(kind) = file::binary(&whole.bytes) {
            return Err(format!("{shown} is {kind}, not text; use a command to change it"));
        }
        writable(&path, &shown)?;
        let text = Text::decode(&whole.bytes).map_err(|why| format!("{shown} {why}"))?;
        // An empty file has nothing to be seen.
        let seen = if whole.bytes.is_empty() {
            Seen::Fresh
        } else {
            seen::check(state, &path, &whole.hash())
        };
        Ok(Self { path, shown, text, seen, stamp: Some(whole.stamp) })
    }

    /// Whether there is no such file yet.
    pub(crate) fn is_new(&self) -> bool {
        self.stamp.is_none()
    }

    /// The change to this body, in the file's own encoding.
    pub(crate) fn change(self, body: &str) -> Result<Change, String> {
        let bytes = self.text.encode(body).map_err(|why| {
            format!("{}: {why}; nothing was written. Use characters it has", self.shown)
        })?;
        let before = (!self.is_new()).then_some(self.text.body.as_str());
        let changes = unified(&self.shown, before, Some(body));
        // Whoever edited beside the model wrote something that it has still not seen.
        let mark = (self.seen == Seen::Fresh).then(|| seen::hash(&bytes));
        let act = Act { path: self.path, shown: self.shown, was: self.stamp, bytes: Some(bytes) };
        Ok(Change { act, changes, mark })
    }
}

/// All diffs, to be shown before a yes.
pub(crate) fn preview(changes: &[Change]) -> Preview {
    Preview::Diff(changes.iter().map(|change| change.changes.text.as_str()).collect())
}

/// Makes the changes, all or none, and answers with `answer` and what could not be kept. One poll:
/// see `commit`.
pub(crate) fn make(changes: Vec<Change>, answer: String) -> Output {
    let (acts, marks): (Vec<_>, Vec<_>) =
        changes.into_iter().map(|change| (change.act, change.mark)).unzip();
    let notes = match commit(&acts) {
        Ok(notes) => notes,
        Err(why) => return Output::failure(why),
    };
    let mut output = Output::text(answer);
    for (act, mark) in acts.iter().zip(marks) {
        if let Some(hash) = mark {
            seen::mark(&mut output, &act.path, &hash);
        }
    }
    notes.iter().fold(output, |output, note| output.footer(note))
}
