//! placeholder
use crate::budget::Limits;
use crate::desk::{Asks, Filter};
use crate::gate::Gate;
use crate::listen::{Change, Keeper, Listener, Ticket};
use futures::future::{BoxFuture, ready};
use std::sync::Arc;

/// What all agents of a session are to share.
pub struct Shared {
    /// Decides which plans run.
    pub gate: Gate,
    /// Keeps what calls may destroy.
    pub keeper: Arc<dyn Keeper>,
    /// Hear of moments in a turn.
    pub listeners: Vec<Box<dyn Listener>>,
    /// Sees every output first.
    pub filter: Filter,
    /// What may be spent.
    pub limits: Limits,
    /// Whether anybody is there to be asked.
    pub asks: Asks,
}

/// What happens, as it happens.
pub type Events = tokio::sync::mpsc::UnboundedReceiver<crate::event::Told>;

/// Keeps nothing: for agents whose changes somebody else looks after.
pub struct KeepNothing;

impl Keeper for KeepNothing {
    fn before<'a>(&'a self, _: &'a crate::effect::Claim) -> BoxFuture<'a, Result<Ticket, String>> {
        Box::pin(ready(Ok(Ticket(serde_json::Value::Null))))
    }

    fn after(&self, _: Ticket) -> BoxFuture<'static, Vec<Change>> {
        Box::pin(ready(Vec::new()))
    }

    fn undo<'a>(&'a self, _: &'a [Change]) -> BoxFuture<'a, Result<Vec<Change>, String>> {
        Box::pin(ready(Err("nothing was kept, so nothing can be undone".to_owned())))
    }

    fn diff<'a>(&'a self, _: &'a [Change]) -> BoxFuture<'a, String> {
        Box::pin(ready(String::new()))
    }
}

impl Default for Shared {
    /// Rules and guards: none. Nothing is kept, nothing filtered, nothing limited, nobody asked.
    fn default() -> Self {
        Self {
            gate: Gate::default(),
            keeper: Arc::new(KeepNothing),
            listeners: Vec::new(),
            filter: Arc::new(|_| ()),
            limits: Limits::default(),
            asks: Asks::Nobody,
        }
    }
}
