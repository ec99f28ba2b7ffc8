//! How a turn ended, where it was not simply done: what happened, and what to do.

use purlin_engine::event::Ended;

use super::ink::Ink;
use super::plain::plain;
use crate::page::Setting;

/// What to say of the end; nothing when the model was done.
pub fn ended(ink: Ink, setting: Setting, ended: &Ended) -> Option<String> {
    let (what, why) = match ended {
        Ended::Done => return None,
        Ended::Interrupted => ("interrupted", "what was done stays done"),
        Ended::Limit(why) => ("limit", why.as_str()),
        Ended::Budget(why) => ("budget", why.as_str()),
        Ended::Repetition(why) => ("stopped", why.as_str()),
        Ended::Refused(why) => ("not permitted", why.as_str()),
        Ended::Auth(why) => ("the key was not accepted", why.as_str()),
        Ended::Provider(why) => ("the provider failed", why.as_str()),
        Ended::Failed(why) => ("failed", why.as_str()),
    };
    let hint = match setting {
        Setting::Conversation => next_line(ended),
        Setting::OneShot => next_run(ended),
    };
    Some(format!("{}: {}\nhint: {hint}", ink.red(what), plain(why)))
}

/// What to do where another line can be typed.
fn next_line(ended: &Ended) -> &'static str {
    match ended {
        Ended::Done => "",
        Ended::Interrupted => "say how to go on, or /undo the last change",
        Ended::Limit(_) => "/tokens shows what this session has used",
        Ended::Budget(_) => "the session is kept: resume it with a higher limit",
        Ended::Repetition(_) => "say what to try instead",
        Ended::Refused(_) => REFUSED,
        Ended::Auth(_) => "check the key, then resume the session",
        Ended::Provider(_) => {
            "nothing is lost: say \"continue\" to try again, or name another /model"
        }
        Ended::Failed(_) => "nothing is lost: say \"continue\" to try again",
    }
}

/// What to do where the program is over.
fn next_run(ended: &Ended) -> &'static str {
    match ended {
        Ended::Done => "",
        Ended::Interrupted | Ended::Limit(_) => "to go on: purlin -c -p \"continue\"",
        Ended::Budget(_) => "to go on: purlin -c -p \"continue\", with a higher --max-cost",
        Ended::Repetition(_) => "say what to try instead: purlin -c -p \"…\"",
        Ended::Refused(_) => REFUSED,
        Ended::Auth(_) => "check the key, then go on: purlin -c -p \"continue\"",
        Ended::Provider(_) => {
            "nothing is lost: purlin -c -p \"continue\" tries again, and -m names another model"
        }
        Ended::Failed(_) => "nothing is lost: purlin -c -p \"continue\" tries again",
    }
}

const REFUSED: &str = "run it yourself, or start again with --yes and then everything may run";
