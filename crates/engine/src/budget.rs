//! What a session may spend: rounds, tokens, money, time. Checked before each call to a model and
//! shared with sub-agents.

use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::desk::locked;
use crate::event::Ended;
use crate::message::Usage;
use crate::model::ModelInfo;

/// The most a session may spend. Nothing means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Tokens, prompt and output together, over all calls.
    pub tokens: Option<u64>,
    /// US dollars.
    pub dollars: Option<f64>,
    /// Wall time since the session was opened.
    pub time: Option<Duration>,
}

/// What a session has spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens of all calls.
    pub usage: Usage,
    /// US dollars, each call at its own model's price when it happened; nothing once a call was
    /// made whose price is unknown: an incomplete sum would look like a whole one.
    pub dollars: Option<f64>,
    /// Calls to a model.
    pub calls: u64,
    /// Tokens that the last call's prompt had.
    pub context: u64,
    /// The window of the last model called.
    pub window: u64,
}

/// A session's purse.
pub(crate) struct Budget {
    limits: Limits,
    opened: Instant,
    spent: Mutex<Spent>,
}

impl Budget {
    /// A purse with these limits; time runs from here.
    pub(crate) fn new(limits: Limits) -> Self {
        let spent = Spent { dollars: Some(0.0), ..Spent::default() };
        Self { limits, opened: Instant::now(), spent: Mutex::new(spent) }
    }

    /// Whether another call may be made; if not, which limit was reached, for the person.
    pub(crate) fn check(&self, model: &ModelInfo) -> Result<(), Ended> {
        let spent = locked(&self.spent).clone();
        let tokens = spent.usage.total();
        if let Some(limit) = self.limits.tokens.filter(|limit| tokens >= *limit) {
            return Err(Ended::Budget(format!("{tokens} of {limit} tokens are spent")));
        }
        if let Some(limit) = self.limits.time.filter(|limit| self.opened.elapsed() >= *limit) {
            return Err(Ended::Limit(format!("the limit of {} s is reached", limit.as_secs())));
        }
        let Some(limit) = self.limits.dollars else { return Ok(()) };
        let why = match (spent.dollars, model.price) {
            (Some(dollars), Some(_)) if dollars < limit => return Ok(()),
            (Some(dollars), Some(_)) => format!("${dollars:.4} of ${limit:.4} are spent"),
            (_, None) | (None, _) => {
                let name = &model.origin.model;
                format!("the price of {name} is unknown, so ${limit:.2} cannot be kept")
            }
        };
        Err(Ended::Budget(why))
    }

    /// Books a call and says what has been spent in all.
    pub(crate) fn book(&self, usage: &Usage, model: &ModelInfo) -> Spent {
        let mut spent = locked(&self.spent);
        spent.usage.add(usage);
        spent.calls += 1;
        spent.context = usage.prompt();
        spent.window = model.window;
        spent.dollars = match (spent.dollars, model.price) {
            (Some(dollars), Some(price)) => Some(dollars + price.of(usage)),
            (_, None) | (None, _) => None,
        };
        spent.clone()
    }
}
