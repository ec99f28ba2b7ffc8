//! The answer of a turn, gathered from its events.

use purlin_engine::event::Event;
use purlin_engine::model::Delta;

/// The text of the last reply. What stands beside calls is talk on the way, and no answer.
#[derive(Default)]
pub(crate) struct Answer {
    /// The answer, as far as it is known.
    pub(crate) text: String,
    reply: String,
    called: bool,
}

impl Answer {
    /// Takes in an event of the session's own agent.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::Delta(Delta::Text(text)) => self.reply.push_str(text),
            Event::Delta(Delta::Call { .. }) => self.called = true,
            Event::Delta(Delta::Restart { .. }) => {
                self.reply.clear();
                self.called = false;
            }
            Event::Replied => {
                let reply = std::mem::take(&mut self.reply);
                self.text = if std::mem::take(&mut self.called) { String::new() } else { reply };
            }
            Event::Delta(_)
            | Event::Said(_)
            | Event::Ask { .. }
            | Event::Started { .. }
            | Event::Progress { .. }
            | Event::Answered { .. }
            | Event::Changed { .. }
            | Event::Compacted { .. }
            | Event::Usage(_)
            | Event::State { .. }
            | Event::Model(_)
            | Event::Diff(_)
            | Event::Notice(_)
            | Event::Ended(_) => (),
        }
    }
}
