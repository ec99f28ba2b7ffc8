//! Purlin as a library: a coding agent in three lines.
//!
//! ```no_run
//! # async fn f() -> Result<(), purlin::Fatal> {
//! use purlin::{Agent, Llm};
//!
//! let llm = Llm::from_env().await?;
//! println!("{}", Agent::new(llm).chat("What does this project do?").await?);
//! # Ok(()) }
//! ```
//!
//! Reading order: `agent` (the front door), `answer`, `config`, `llm`, `wire` (where the rooms are
//! joined), then `modes`, which are the program.

mod agent;
mod answer;
mod args;
mod config;
mod exit;
mod facts;
mod http;
mod llm;
mod modes;
mod wire;

pub use agent::{Agent, Ends};
pub use args::{Args, Format, Sub};
pub use config::Config;
pub use exit::{Code, Fatal};
pub use llm::Llm;
pub use modes::run;
/// What a tool of your own is made of.
pub use purlin_engine as engine;
