//! Undo for files: keeps what a call is about to change, and puts it back if nobody else has
//! touched it since.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, FutureExt as _};
use purlin_engine::effect::{Claim, Effect};
use purlin_engine::listen::{Change, Keeper, Ticket};
use purlin_engine::tool::resolve;
use serde::{Deserialize, Serialize};

use crate::commit::{Act, commit};
use crate::diff;
use crate::file::{self, Stamp};
use crate::store::Store;
use crate::text::{Text, size};

/// The largest file that is kept; a call that would change a larger one is asked about.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Keeps the files that a claim names as written.
#[derive(Clone, Debug)]
pub struct Files {
    /// Where contents are kept.
    pub store: Store,
    /// The project's root, which the paths of diffs are relative to.
    pub root: PathBuf,
}

/// What stood at a path before the call.
#[derive(Serialize, Deserialize)]
struct Before {
    path: PathBuf,
    hash: Option<String>,
}

/// What stands at a path now.
struct Now {
    hash: Option<String>,
    stamp: Option<Stamp>,
}

impl Keeper for Files {
    fn before<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Ticket, String>> {
        let (keeper, paths) = (self.clone(), written(&claim.effect));
        pooled(move || {
            let before = |path: PathBuf| {
                keeper.look(&path).map(|now| Before { path: path.clone(), hash: now.hash })
            };
            let kept = paths.into_iter().map(before).collect::<Result<Vec<_>, _>>()?;
            serde_json::to_value(kept).map(Ticket).map_err(|error| error.to_string())
        })
    }

    fn after(&self, ticket: Ticket) -> BoxFuture<'static, Vec<Change>> {
        let keeper = self.clone();
        let changed = pooled(move || {
            let kept: Vec<Before> =
                serde_json::from_value(ticket.0).map_err(|error| error.to_string())?;
            Ok(kept.into_iter().filter_map(|before| keeper.change(before)).collect())
        });
        changed.map(Result::unwrap_or_default).boxed()
    }

    fn undo<'a>(&'a self, changes: &'a [Change]) -> BoxFuture<'a, Result<Vec<Change>, String>> {
        let (keeper, changes) = (self.clone(), changes.to_vec());
        async move {
            let (acts, undone) = pooled(move || keeper.plan_undo(&changes)).await?;
            commit(&acts)?;
            Ok(undone)
        }
        .boxed()
    }

    fn diff<'a>(&'a self, changes: &'a [Change]) -> BoxFuture<'a, String> {
        let (keeper, changes) = (self.clone(), changes.to_vec());
        pooled(move || Ok(keeper.difference(&changes)))
            .map(|text| text.unwrap_or_else(|why| why))
            .boxed()
    }
}

impl Files {
    /// What stands at a path; its content goes to the store. Links are not followed.
    fn look(&self, path: &Path) -> Result<Now, String> {
        let shown = path.display().to_string();
        let meta: Metadata = match path.symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Now { hash: None, stamp: None });
            }
            Err(error) => return Err(format!("{shown}: {error}")),
        };
        if !meta.is_file() {
            return Err(format!("{shown} is not a regular file, so it is not kept"));
        }
        if meta.len() > LARGEST {
            return Err(format!("{shown} is too large to keep ({})", size(meta.len())));
        }
        let bytes = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
        let kept = self.store.keep(&bytes).map_err(|error| format!("keeping {shown}: {error}"))?;
        Ok(Now { hash: Some(kept.hash), stamp: Some(Stamp::of(&meta)) })
    }

    /// What became of a file since; one that cannot be looked at any more is not ours to undo.
    fn change(&self, before: Before) -> Option<Change> {
        let after = self.look(&before.path).ok()?.hash;
        let changed = after != before.hash;
        changed.then_some(Change { path: before.path, before: before.hash, after })
    }

    /// Walks back through the changes, newest first. Where a file, at the moment it is come to, is
    /// not as the change left it, somebody else's work would be lost: then nothing is undone.
    fn plan_undo(&self, changes: &[Change]) -> Result<(Vec<Act>, Vec<Change>), String> {
        let mut nows: BTreeMap<&Path, Now> = BTreeMap::new();
        let mut backs: BTreeMap<&Path, Option<String>> = BTreeMap::new();
        let mut refused = Vec::new();
        for change in changes.iter().rev() {
            let path = change.path.as_path();
            if !nows.contains_key(path) {
                let now = self.look(path)?;
                backs.insert(path, now.hash.clone());
                nows.insert(path, now);
            }
            let linked = resolve(path) != path;
            match backs.get_mut(path) {
                Some(at) if *at == change.after && !linked => at.clone_from(&change.before),
                Some(_) | None => refused.push(self.name(path)),
            }
        }
        if !refused.is_empty() {
            refused.dedup();
            return Err(format!(
                "nothing was undone: {} changed since, and undoing would lose that",
                refused.join(", ")
            ));
        }
        let mut acts = Vec::new();
        let mut undone = Vec::new();
        for ((path, back), now) in backs.into_iter().zip(nows.into_values()) {
            if now.hash == back {
                continue;
            }
            acts.push(self.act(path, back.as_deref(), now.stamp)?);
            undone.push(Change { path: path.to_owned(), before: now.hash, after: back });
        }
        Ok((acts, undone))
    }

    fn act(&self, path: &Path, back: Option<&str>, was: Option<Stamp>) -> Result<Act, String> {
        let shown = self.name(path);
        let read = |hash| self.store.read(hash).map_err(|error| format!("{shown}: {error}"));
        let bytes = back.map(read).transpose()?;
        Ok(Act { path: path.to_owned(), shown: shown.clone(), was, bytes })
    }

    /// From the first change's before to what is there now, file by file.
    fn difference(&self, changes: &[Change]) -> String {
        let mut firsts: Vec<(&Path, Option<&str>)> = Vec::new();
        for change in changes {
            if firsts.iter().all(|(path, _)| *path != change.path) {
                firsts.push((&change.path, change.before.as_deref()));
            }
        }
        let mut text = String::new();
        for (path, first) in firsts {
            let name = self.name(path);
            let before = first.and_then(|hash| self.store.read(hash).ok());
            let regular = path.symlink_metadata().is_ok_and(|meta| meta.is_file());
            let after = regular.then(|| std::fs::read(path).ok()).flatten();
            if before != after {
                text.push_str(&compare(&name, before.as_deref(), after.as_deref()));
            }
        }
        text
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

fn compare(name: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> String {
    let binary = |bytes: Option<&[u8]>| bytes.is_some_and(|bytes| file::binary(bytes).is_some());
    if binary(before) || binary(after) {
        return format!("Binary file {name} differs\n");
    }
    let text = |bytes: &[u8]| Text::decode(bytes).map(|text| text.body).unwrap_or_default();
    let (before, after) = (before.map(text), after.map(text));
    diff::unified(name, before.as_deref(), after.as_deref()).text
}

/// The paths to keep. What a command line may change is for whoever confines it to keep.
fn written(effect: &Effect) -> Vec<PathBuf> {
    match effect {
        Effect::Files { writes, .. } => writes.clone(),
        Effect::Exec(_) | Effect::Net(_) | Effect::Session | Effect::Agent | Effect::Unknown => {
            Vec::new()
        }
    }
}

/// Blocking work that commits nothing, so that dropping it does no harm.
fn pooled<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> BoxFuture<'static, Result<T, String>> {
    async move {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(error.to_string()))
    }
    .boxed()
}
