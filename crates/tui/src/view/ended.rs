//! How a turn ended, where it was not simply done: what happened, and what to do.

use purlin_engine::event::Ended;

use super::ink::Ink;
use super::plain::plain;

/// What to say of the end; nothing when the model was done.
pub fn ended(ink: Ink, ended: &Ended) -> Option<String> {
    let (what, why, hint) = match ended {
        Ended::Done => return None,
        Ended::Interrupted => (
            "interrupted",
            "what was done stays done",
            "say how to go on, or /undo the last change",
        ),
        Ended::Limit(why) => ("limit", why.as_str(), "/tokens shows what this session has used"),
        Ended::Budget(why) => {
            ("budget", why.as_str(), "the session is kept: resume it with a higher limit")
        }
        Ended::Repetition(why) => ("stopped", why.as_str(), "say what to try instead"),
        Ended::Refused(why) => (
            "not permitted",
            why.as_str(),
            "run it yourself, or start again with --yes and then everything may run",
        ),
        Ended::Auth(why) => {
            ("the key was not accepted", why.as_str(), "check the key, then resume the session")
        }
        Ended::Provider(why) => (
            "the provider failed",
            why.as_str(),
            "nothing is lost: say \"continue\" to try again, or name another /model",
        ),
        Ended::Failed(why) => {
            ("failed", why.as_str(), "nothing is lost: say \"continue\" to try again")
        }
    };
    Some(format!("{}: {}\nhint: {hint}", ink.red(what), plain(why)))
}
