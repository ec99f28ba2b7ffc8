//! What one-shot mode writes to stdout: the answer, one JSON object, or every event.

use purlin_engine::budget::Spent;
use purlin_engine::event::{Ended, Event, Told};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::args::Format;
use crate::exit::Code;

/// The version of both JSON formats.
const VERSION: u32 = 1;

/// Gathers what is to be reported.
pub(super) struct Report {
    format: Format,
    session: String,
    model: String,
    answer: Answer,
    spent: Spent,
}

impl Report {
    pub(super) fn new(format: Format, session: &str, model: &str) -> Self {
        let (session, model) = (session.to_owned(), model.to_owned());
        let (answer, spent) = (Answer::default(), Spent::default());
        Self { format, session, model, answer, spent }
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
            self.answer.take(&told.event);
        }
        if let Event::Usage(spent) = &told.event {
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
            Format::Text => whole_lines(&self.answer.text),
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
            "result": self.answer.text,
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
}

fn whole_lines(text: &str) -> String {
    let ended = text.is_empty() || text.ends_with('\n');
    if ended { text.to_owned() } else { format!("{text}\n") }
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}
