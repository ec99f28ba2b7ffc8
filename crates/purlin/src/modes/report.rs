//! What one-shot mode writes to stdout: the answer, one JSON object, or every event.

use purlin_engine::budget::Spent;
use purlin_engine::event::{Ended, Event, Told};
use purlin_engine::model::Delta;
use serde_json::{Value, json};

use crate::args::Format;
use crate::exit::Code;

/// The version of both JSON formats.
const VERSION: u32 = 1;

/// Gathers what is to be reported.
pub(super) struct Report {
    format: Format,
    session: String,
    model: String,
    text: String,
    called: bool,
    last: String,
    spent: Spent,
}

impl Report {
    pub(super) fn new(format: Format, session: &str, model: &str) -> Self {
        let (session, model) = (session.to_owned(), model.to_owned());
        let (text, last) = (String::new(), String::new());
        Self { format, session, model, text, called: false, last, spent: Spent::default() }
    }

    /// What stands before the first event.
    pub(super) fn begin(&self) -> Option<String> {
        let data = json!({"id": self.session, "model": self.model});
        (self.format == Format::StreamJson)
            .then(|| line(&json!({"v": VERSION, "event": "session", "data": data})))
    }

    /// What an event adds to stdout.
    pub(super) fn take(&mut self, told: &Told) -> Option<String> {
        if told.agent.is_main() {
            self.gather(&told.event);
        } else if let Event::Usage(spent) = &told.event {
            self.spent = spent.clone();
        }
        if self.format != Format::StreamJson {
            return None;
        }
        let mut value = serde_json::to_value(told).ok()?;
        value.as_object_mut()?.shift_insert(0, "v".to_owned(), VERSION.into());
        Some(line(&value))
    }

    /// What stands after the last event.
    pub(super) fn end(&self, ended: &Ended, code: Code) -> String {
        match self.format {
            Format::Text if self.last.is_empty() || self.last.ends_with('\n') => self.last.clone(),
            Format::Text => format!("{}\n", self.last),
            Format::Json => line(&self.result(ended, code)),
            Format::StreamJson => {
                line(&json!({"v": VERSION, "event": "result", "data": self.result(ended, code)}))
            }
        }
    }

    fn result(&self, ended: &Ended, code: Code) -> Value {
        let how = serde_json::to_value(ended).unwrap_or_default();
        json!({
            "version": VERSION,
            "result": self.last,
            "end": how.get("end"),
            "why": how.get("why"),
            "exit_code": code as u8,
            "session": self.session,
            "model": self.model,
            "calls": self.spent.calls,
            "usage": self.spent.usage,
            "dollars": self.spent.dollars,
        })
    }

    /// The answer is the text of the last reply that said anything; what stands beside calls is
    /// talk on the way.
    fn gather(&mut self, event: &Event) {
        match event {
            Event::Delta(Delta::Text(text)) => self.text.push_str(text),
            Event::Delta(Delta::Call { .. }) => self.called = true,
            Event::Delta(Delta::Restart { .. }) => {
                self.text.clear();
                self.called = false;
            }
            Event::Replied => {
                let text = std::mem::take(&mut self.text);
                self.last = if std::mem::take(&mut self.called) { String::new() } else { text };
            }
            Event::Usage(spent) => self.spent = spent.clone(),
            Event::Delta(_)
            | Event::Said(_)
            | Event::Ask { .. }
            | Event::Started { .. }
            | Event::Progress { .. }
            | Event::Answered { .. }
            | Event::Changed { .. }
            | Event::Compacted { .. }
            | Event::State { .. }
            | Event::Model(_)
            | Event::Diff(_)
            | Event::Notice(_)
            | Event::Ended(_) => (),
        }
    }
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}
