//! What the model is told by us, as Markdown files beside this one. The same bytes on every
//! machine: what differs comes after the prefix, as reminders.

/// Who it is and how it works.
pub const SYSTEM: &str = include_str!("prompts/system.md");
/// The same for a sub-agent.
pub const TASK: &str = include_str!("prompts/task.md");
/// Asks for a summary of the conversation.
pub const SUMMARY: &str = include_str!("prompts/summary.md");
/// Says that a call repeats itself.
pub const REPEATED: &str = include_str!("prompts/repeated.md");
/// Says that a reply was empty.
pub const EMPTY: &str = include_str!("prompts/empty.md");
/// Says that the person stopped the turn.
pub const STOPPED: &str = include_str!("prompts/stopped.md");
/// Says that plan mode is on.
pub const PLAN: &str = include_str!("prompts/plan.md");
/// Says that it is over.
pub const PLAN_OVER: &str = include_str!("prompts/plan_over.md");
/// Answers a call that the person said no to.
pub const REFUSED: &str = include_str!("prompts/refused.md");
