//! Reading a story: what is there, what the person says, what the model replies.

use std::collections::VecDeque;

use crate::fault::Ends;
use crate::latch::Latch;
use crate::reply::Reply;
use crate::script::Script;

/// Where the words of a line begin.
pub(super) const WORDS: usize = 8;

/// A story's script.
#[derive(Default)]
pub(super) struct Story {
    /// Everything before the first line that is played, as it stands.
    pub(super) top: String,
    pub(super) files: Vec<(String, String)>,
    pub(super) person: VecDeque<String>,
    pub(super) answers: VecDeque<Answer>,
    pub(super) summaries: VecDeque<String>,
    pub(super) stops: VecDeque<Stop>,
    replies: Vec<Reply>,
    /// What the model said last.
    spoken: String,
}

/// What the person answers, and what they say before that.
pub(super) struct Answer {
    pub(super) words: String,
    pub(super) steer: Vec<String>,
}

/// Where the person stops the turn.
pub(super) enum Stop {
    /// When the model has said this.
    Text(String),
    /// When the call with these arguments has begun.
    Call(String),
}

/// A line with all that is indented below it.
struct Line {
    depth: usize,
    kind: String,
    words: String,
}

impl Line {
    fn same(&self, other: &Self) -> bool {
        (self.depth, &self.kind) == (other.depth, &other.kind)
    }
}

impl Story {
    pub(super) fn read(text: &str) -> Self {
        let mut story = Self::default();
        let played = text.split_inclusive('\n').position(|line| line.starts_with("person:"));
        let begin = text.split_inclusive('\n').take(played.unwrap_or(0)).map(str::len).sum();
        let (top, rest) = text.split_at(begin);
        story.top = top.trim_end().to_owned() + "\n";
        story.files = lines(top).into_iter().filter(|line| line.kind == "file").map(file).collect();
        let rest = lines(rest);
        for (index, line) in rest.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| &rest[before]);
            story.take(line, before);
        }
        story
    }

    fn take(&mut self, line: &Line, before: Option<&Line>) {
        let words = line.words.clone();
        match line.kind.as_str() {
            "person" => self.person.push_back(words),
            "model" => {
                let goes_on = before.is_some_and(|before| before.same(line));
                let reply = if goes_on { self.replies.pop() } else { None };
                self.replies.push(said(reply.unwrap_or_default(), &words));
                self.spoken = words;
            }
            "cut" => self.change(|reply| reply.with(Ends::NoFinish).with(Ends::NoDone)),
            "finish" => self.change(|reply| reply.finish(&words)),
            "recap" => {
                self.replies.push(Reply::new().text(&words));
                self.summaries.push_back(words);
            }
            "ask" => {
                let first = words.lines().next().unwrap_or_default();
                let words = first.rsplit_once('→').map_or("no", |(_, answer)| answer.trim());
                self.answers.push_back(Answer { words: words.to_owned(), steer: Vec::new() });
            }
            "steer" => match self.answers.iter_mut().last() {
                Some(answer) => answer.steer.push(words),
                None => panic!("nothing was asked when the person says {words:?}"),
            },
            "interrupt" => {
                if let Some((_, args)) = call(&self.spoken) {
                    self.stops.push_back(Stop::Call(args.to_owned()));
                } else {
                    self.stops.push_back(Stop::Text(self.spoken.clone()));
                    self.change(|reply| reply.wait(&Latch::new()));
                }
            }
            _ => (),
        }
    }

    fn change(&mut self, change: impl FnOnce(Reply) -> Reply) {
        if let Some(reply) = self.replies.pop() {
            self.replies.push(change(reply));
        }
    }

    /// The model's part.
    pub(super) fn script(&self) -> Script {
        self.replies.iter().cloned().collect()
    }
}

fn said(reply: Reply, words: &str) -> Reply {
    match call(words) {
        Some((name, args)) => reply.call_raw(name, args),
        None => reply.text(words),
    }
}

/// `tool {arguments}`.
fn call(words: &str) -> Option<(&str, &str)> {
    let (name, args) = words.split_once(' ')?;
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (named && args.starts_with('{')).then_some((name, args))
}

fn file(line: Line) -> (String, String) {
    let (name, contents) = line.words.split_once('\n').unwrap_or((&line.words, ""));
    (name.to_owned(), format!("{contents}\n"))
}

/// The lines that have a kind. An empty one counts where something indented follows it.
fn lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut blank = 0;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() {
            blank += 1;
        } else if let (true, Some(last)) = (indent >= WORDS, lines.last_mut()) {
            last.words.push_str(&"\n".repeat(std::mem::take(&mut blank) + 1));
            last.words.push_str(&line[indent.min(WORDS + last.depth)..]);
        } else if let Some((kind, words)) = line.split_once(':').filter(|_| !line.starts_with('#'))
        {
            blank = 0;
            let (kind, words) = (kind.trim().to_owned(), words.trim().to_owned());
            lines.push(Line { depth: indent, kind, words });
        }
    }
    lines
}
