//! Trying again: the one place that does, with one budget.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt as _};

use purlin_engine::model::{Delta, Model, ModelError, ModelInfo, Request};

/// How often and how long a request is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in all.
    pub attempts: u32,
    /// The first pause; each further one is twice as long.
    pub pause: Duration,
    /// No pause is longer, unless the server asked for it.
    pub longest: Duration,
    /// A server may ask for this much and no more.
    pub asked: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { attempts: 5, pause: seconds(1), longest: seconds(30), asked: seconds(60) }
    }
}

/// A model that is tried again when a call fails in passing. Each new attempt is announced with
/// [`Delta::Restart`] before its pause.
pub struct Retrying {
    model: Arc<dyn Model>,
    patience: Patience,
}

impl Retrying {
    /// Tries `model` again with this patience.
    pub fn new(model: Arc<dyn Model>, patience: Patience) -> Self {
        Self { model, patience }
    }
}

impl Model for Retrying {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Result<Delta, ModelError>> {
        let first = self.model.stream(request.clone());
        let (model, patience) = (Arc::clone(&self.model), self.patience);
        let state =
            Attempt { model, request, patience, number: 1, stream: Some(first), pause: None };
        stream::unfold(state, |attempt| attempt.next()).boxed()
    }
}

struct Attempt {
    model: Arc<dyn Model>,
    request: Request,
    patience: Patience,
    number: u32,
    /// Nothing once the reply is complete or has failed for good.
    stream: Option<BoxStream<'static, Result<Delta, ModelError>>>,
    pause: Option<Duration>,
}

impl Attempt {
    async fn next(mut self) -> Option<(Result<Delta, ModelError>, Self)> {
        if let Some(pause) = self.pause.take() {
            tokio::time::sleep(pause).await;
            self.stream = Some(self.model.stream(self.request.clone()));
        }
        let next = self.stream.as_mut()?.next().await;
        match next.unwrap_or_else(|| Err(ModelError::cut_off())) {
            Ok(end @ Delta::End { .. }) => {
                self.stream = None;
                Some((Ok(end), self))
            }
            Ok(delta) => Some((Ok(delta), self)),
            Err(error) => Some((self.again(error), self)),
        }
    }

    /// The announcement of another attempt, or the error when there is to be none.
    fn again(&mut self, error: ModelError) -> Result<Delta, ModelError> {
        self.stream = None;
        let ModelError::Transient { why, wait } = error else { return Err(error) };
        if self.number >= self.patience.attempts || wait > Some(self.patience.asked) {
            let why = match self.number {
                1 => why,
                number => format!("{why} ({number} attempts)"),
            };
            return Err(ModelError::Transient { why, wait });
        }
        let pause = wait.unwrap_or_else(|| self.backoff());
        self.number += 1;
        self.pause = Some(pause);
        let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        Ok(Delta::Restart { attempt: self.number, why, wait_ms })
    }

    /// Exponential, with a random half: many clients must not come back at the same moment.
    fn backoff(&self) -> Duration {
        let whole = self.patience.pause * 2u32.saturating_pow(self.number - 1);
        let whole = whole.min(self.patience.longest);
        let random = RandomState::new().build_hasher().finish() % 1_000;
        whole / 2 + whole / 2 * u32::try_from(random).unwrap_or(0) / 1_000
    }
}
