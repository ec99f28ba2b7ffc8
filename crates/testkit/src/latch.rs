//! A latch: closed until somebody opens it, then open for good. Tests wait for one instead of
//! sleeping.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// A signal given once. Clones are the same latch.
#[derive(Clone, Debug, Default)]
pub struct Latch(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    opened: Option<Instant>,
    wakers: Vec<Waker>,
}

impl Latch {
    /// A closed latch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens it and wakes everybody who waits. Opening it again changes nothing.
    pub fn open(&self) {
        let mut state = hold(&self.0.state);
        state.opened.get_or_insert_with(Instant::now);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.0.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// When it was opened.
    pub fn opened_at(&self) -> Option<Instant> {
        hold(&self.0.state).opened
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.opened_at().is_some()
    }

    /// Blocks the thread until it is open, for no longer than `limit`; says whether it is.
    pub fn wait(&self, limit: Duration) -> bool {
        let closed = |state: &mut State| state.opened.is_none();
        let state = hold(&self.0.state);
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, limit, closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.opened.is_some()
    }

    /// Waits until it is open without blocking the thread.
    pub async fn opened(&self) {
        poll_fn(|task| {
            let mut state = hold(&self.0.state);
            if state.opened.is_some() {
                return Poll::Ready(());
            }
            if !state.wakers.iter().any(|waker| waker.will_wake(task.waker())) {
                state.wakers.push(task.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// Locks, also after a thread died holding the lock: what we keep is whole between statements.
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
