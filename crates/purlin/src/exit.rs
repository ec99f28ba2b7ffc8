//! Exit codes, and errors that carry one.

use std::fmt;

use purlin_engine::event::Ended;
use purlin_store::{JournalError, SessionsError};

/// How the program ended, for whoever called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A setting is missing or wrong.
    Configuration = 3,
    /// The key was not accepted.
    Authentication = 4,
    /// The provider or the network failed.
    Provider = 5,
    /// The budget is used up.
    Budget = 6,
    /// The turn's rounds or time are used up, or the reply was cut at the output limit.
    Limit = 7,
    /// Something needed a permission that nobody was there to give.
    Permission = 8,
    /// The sandbox is required and not to be had.
    Sandbox = 9,
    /// The same call brought the same result again and again.
    Repetition = 10,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Code {
    /// Every code with what it means, for the documentation.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Usage, "the command line makes no sense"),
        (Self::Configuration, "a setting is missing or wrong"),
        (Self::Authentication, "the key was not accepted"),
        (Self::Provider, "the provider or the network failed"),
        (Self::Budget, "the budget is used up"),
        (Self::Limit, "the turn's rounds or time are used up, or its reply was cut"),
        (Self::Permission, "something needed a permission that nobody was there to give"),
        (Self::Sandbox, "the sandbox is required and not to be had (not in use yet)"),
        (Self::Repetition, "the same call brought the same result again and again"),
        (Self::Interrupted, "interrupted (SIGINT)"),
        (Self::Terminated, "terminated (SIGTERM)"),
    ];

    /// The code of a turn that ended so.
    pub fn of(ended: &Ended) -> Self {
        match ended {
            Ended::Done => Self::Done,
            Ended::Interrupted => Self::Interrupted,
            Ended::Limit(_) => Self::Limit,
            Ended::Budget(_) => Self::Budget,
            Ended::Repetition(_) => Self::Repetition,
            Ended::Refused(_) => Self::Permission,
            Ended::Auth(_) => Self::Authentication,
            Ended::Provider(_) => Self::Provider,
            Ended::Failed(_) => Self::Failed,
        }
    }
}

/// An error that says how the program is to end.
#[derive(Debug)]
pub struct Fatal {
    /// The exit code.
    pub code: Code,
    /// One line that says what to do.
    pub why: String,
}

impl Fatal {
    /// An error with this code.
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.why)
    }
}

impl std::error::Error for Fatal {}

impl From<SessionsError> for Fatal {
    fn from(error: SessionsError) -> Self {
        let code = match error {
            SessionsError::Missing(_)
            | SessionsError::NoName(_)
            | SessionsError::Nameless(_)
            | SessionsError::Taken(_) => Code::Usage,
            SessionsError::Io { .. } => Code::Failed,
        };
        Self::new(code, error.to_string())
    }
}

impl From<JournalError> for Fatal {
    fn from(error: JournalError) -> Self {
        let code = match error {
            JournalError::Locked(_) => Code::Failed,
            JournalError::Newer { .. } | JournalError::Io { .. } => Code::Configuration,
        };
        Self::new(code, error.to_string())
    }
}

impl From<anyhow::Error> for Fatal {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(fatal) => fatal,
            Err(error) => Self::new(Code::Failed, format!("{error:#}")),
        }
    }
}
