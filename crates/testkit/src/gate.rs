//! A gate that lets everything pass and what else a session shares, for tests that are about
//! something else.

use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use purlin_engine::budget::Limits;
use purlin_engine::desk::Asks;
use purlin_engine::driver::Shared;
use purlin_engine::effect::Claim;
use purlin_engine::gate::{Gate, Rules, Verdict};
use purlin_engine::listen::{Change, Keeper, Ticket};

/// One verdict on every call; nothing where the engine's own defaults are to decide.
pub struct Always(pub Option<Verdict>);

impl Rules for Always {
    fn verdict(&self, _: &Claim) -> Option<Verdict> {
        self.0.clone()
    }

    fn always(&self, _: &Claim) -> String {
        "everything".to_owned()
    }

    fn allow(&self, _: &Claim) {}
}

/// Keeps nothing.
pub struct KeepNothing;

impl Keeper for KeepNothing {
    fn before<'a>(&'a self, _: &'a Claim) -> BoxFuture<'a, Result<Ticket, String>> {
        Box::pin(ready(Ok(Ticket(serde_json::Value::Null))))
    }

    fn after(&self, _: Ticket) -> BoxFuture<'static, Vec<Change>> {
        Box::pin(ready(Vec::new()))
    }

    fn undo<'a>(&'a self, _: &'a [Change]) -> BoxFuture<'a, Result<Vec<Change>, String>> {
        Box::pin(ready(Err("nothing was kept".to_owned())))
    }

    fn diff<'a>(&'a self, _: &'a [Change]) -> BoxFuture<'a, String> {
        Box::pin(ready(String::new()))
    }
}

/// Everything is allowed, nothing is kept, filtered or limited, nobody is asked.
pub fn shared() -> Shared {
    Shared {
        gate: Gate { rules: Box::new(Always(Some(Verdict::Allow))), guards: Vec::new() },
        keeper: Arc::new(KeepNothing),
        listeners: Vec::new(),
        filter: Arc::new(|_| ()),
        limits: Limits::default(),
        asks: Asks::Nobody,
    }
}
