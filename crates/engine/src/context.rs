//! Keeping the conversation inside the model's window: trim, summarise, collapse.
//!
//! Pure: what there is in, what to write to the journal out. The loop decides when.

use crate::event::Tier;
use crate::message::{Body, Content, Item, Source, UserMessage, plain};
use crate::model::{ItemKey, ModelInfo};
use crate::session::{self, Cut, Entry, Folded, Keyed};
use crate::tool::{Keep, ToolSpec};

/// Where each tier begins, in percent of the usable window.
pub const TRIM_AT: u64 = 50;
/// Trimming goes down to this, so that it need not come again soon.
pub const TRIM_TO: u64 = 35;
/// A tier is not tried again before this much has been added: the cached prefix lives in between.
pub const AGAIN_AFTER: u64 = 10;
/// See [`TRIM_AT`].
pub const SUMMARISE_AT: u64 = 70;
/// See [`TRIM_AT`].
pub const COLLAPSE_AT: u64 = 90;
/// An output is worth trimming above this many characters.
pub const LONG: usize = 1_500;
/// What stays of it at each end.
pub const END_LINES: usize = 3;
/// What stays of each such line, in characters.
pub const END_WIDTH: usize = 200;
/// Items that stay verbatim after a summary, at most.
pub const RECENT: usize = 8;
/// Items that stay after a collapse, at most.
pub const LAST: usize = 4;
/// What the person said that is repeated after a summary or a collapse, at most.
const SAYINGS: usize = 20;
/// Changed files that are named there, at most.
const FILES: usize = 50;
/// Tokens that stay free beside the output reserve, of a window of 100,000 or more.
pub const MARGIN: u64 = 13_000;

/// Tokens a prompt may have: the window without the reserve for the reply and a margin.
pub fn usable(model: &ModelInfo) -> u64 {
    let reserve = model.output_limit.min(model.window / 4);
    let margin = MARGIN.min(model.window / 8);
    (model.window - reserve - margin).max(1)
}

/// Estimates prompts. The provider's own count is the truth; between two counts this scales its
/// estimate by what the last one showed, system prompt and tool schemas included.
pub(crate) struct Meter {
    /// Tokens a prompt may have.
    pub(crate) usable: u64,
    fixed: u64,
    scale: f64,
    /// What was measured, in the order of the items.
    sizes: Vec<(ItemKey, u64)>,
    /// Not before the prompt has this many tokens is trimming, or summarising, tried again.
    again: [u64; 2],
}

impl Meter {
    pub(crate) fn new(system: &str, tools: &[ToolSpec], model: &ModelInfo) -> Self {
        let schema = |spec: &ToolSpec| {
            tokens(&spec.name) + tokens(&spec.description) + tokens(&spec.schema.to_string()) + 10
        };
        let fixed = tokens(system) + tools.iter().map(schema).sum::<u64>();
        Self { usable: usable(model), fixed, scale: 1.0, sizes: Vec::new(), again: [0; 2] }
    }

    /// The prompt's tokens.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(crate) fn prompt(&mut self, items: &[Keyed]) -> u64 {
        (self.raw(items) as f64 * self.scale) as u64
    }

    /// The provider counted this many tokens in a prompt of these items.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn learn(&mut self, items: &[Keyed], counted: u64) {
        if counted > 0 {
            self.scale = (counted as f64 / self.raw(items).max(1) as f64).clamp(0.2, 5.0);
        }
    }

    /// Whether a tier is due, given that it is not due again until enough was added.
    pub(crate) fn due(&mut self, tier: Tier, items: &[Keyed]) -> bool {
        let (at, again) = match tier {
            Tier::Trim => (TRIM_AT, self.again[0]),
            Tier::Summarise => (SUMMARISE_AT, self.again[1]),
            Tier::Collapse => (COLLAPSE_AT, 0),
        };
        let prompt = self.prompt(items);
        prompt * 100 >= self.usable * at && prompt >= again
    }

    /// A tier has made room: the prompt has this many tokens now.
    pub(crate) fn did(&mut self, tier: Tier, prompt: u64) {
        self.again[0] = prompt + self.usable * AGAIN_AFTER / 100;
        if tier != Tier::Trim {
            self.again[1] = self.again[0];
        }
    }

    /// Each item is measured once for as long as its bytes stay the same. Between compactions items
    /// only come at the end, so looking for the first that differs is all it takes.
    fn raw(&mut self, items: &[Keyed]) -> u64 {
        let same = self.sizes.iter().zip(items).take_while(|(known, item)| known.0 == item.0);
        self.sizes.truncate(same.count());
        let more = items[self.sizes.len()..].iter().map(|(key, item)| (*key, size(item)));
        self.sizes.extend(more);
        self.fixed + self.sizes.iter().map(|(_, size)| size).sum::<u64>()
    }
}

/// Tokens of an item before calibration.
fn size(item: &Item) -> u64 {
    let parts = |content: &[Content]| -> u64 {
        content.iter().map(|part| if let Content::Text(t) = part { tokens(t) } else { 1_500 }).sum()
    };
    match item {
        Item::User(message) => 4 + parts(&message.content),
        Item::Step(step) => {
            let said = step.reply().blocks.iter().map(|block| match &block.body {
                Body::Text(text) | Body::Thinking(text) => tokens(text),
                Body::Call(call) => 12 + tokens(&call.name) + tokens(&call.args),
                Body::Opaque(value) => tokens(&value.to_string()),
            });
            let heard = step.answers().map(|(_, output)| 8 + parts(&output.content));
            4 + said.sum::<u64>() + heard.sum::<u64>()
        }
    }
}

/// Tokens of a text, roughly: hundredths of a token for each character by its script, as measured
/// with the vocabulary `o200k_base`.
pub fn tokens(text: &str) -> u64 {
    let weight = |c: char| match c {
        'a'..='z' | 'A'..='Z' => 22,
        ' ' | '\n' => 5,
        '\0'..='\u{7f}' => 72,
        '\u{3040}'..='\u{30ff}' => 67,
        '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => 75,
        '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}' => 95,
        '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => 76,
        _ => 35,
    };
    text.chars().map(weight).sum::<u64>().div_ceil(100)
}

/// Shortens old outputs that the model has already seen, oldest first, until the prompt has
/// `wanted` tokens. Nothing when there is nothing to shorten.
pub(crate) fn trim(meter: &mut Meter, folded: &Folded, wanted: u64, keep: &Keep) -> Vec<Entry> {
    let is_step = |(_, item): &&Keyed| matches!(**item, Item::Step(_));
    let mut now = meter.prompt(&folded.items);
    let mut cuts = Vec::new();
    let steps: Vec<&Keyed> = folded.items.iter().filter(is_step).collect();
    for (key, item) in steps.iter().take(steps.len().saturating_sub(1)) {
        for (index, whole) in parts(item).iter().enumerate() {
            if now > wanted && whole.chars().count() > LONG {
                let text = ends(whole, keep);
                now = now.saturating_sub(tokens(whole).saturating_sub(tokens(&text)));
                cuts.push(Cut { line: key.line, index, text });
            }
        }
    }
    if cuts.is_empty() { Vec::new() } else { vec![Entry::Trimmed { cuts }] }
}

/// The parts of an item that a [`Cut`] can name: a message's own, or a step's outputs.
fn parts(item: &Item) -> Vec<String> {
    match item {
        Item::User(message) => message.content.chunks(1).map(plain).collect(),
        Item::Step(step) => step.answers().map(|(_, output)| plain(&output.content)).collect(),
    }
}

/// The first and last lines of a text, and how to read the whole.
fn ends(whole: &str, keep: &Keep) -> String {
    let lines: Vec<&str> = whole.split('\n').collect();
    let short = |line: &&str| clip(line, END_WIDTH);
    let head = lines.iter().take(END_LINES).map(short);
    let tail = lines.iter().skip(END_LINES.max(lines.len().saturating_sub(END_LINES))).map(short);
    let missing =
        format!("[trimmed to save room; {} lines in all; {}]", lines.len(), way(whole, keep));
    head.chain([missing]).chain(tail).collect::<Vec<_>>().join("\n")
}

/// How to read the whole of a text.
pub(crate) fn way(whole: &str, keep: &Keep) -> String {
    match keep(whole.as_bytes()) {
        Ok(kept) => format!("the whole is in {}", kept.path.display()),
        Err(_) => "run the call again to see the whole".to_owned(),
    }
}

/// The first `most` characters, marked where more were.
pub(crate) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Which items a summary leaves verbatim: from here, few and small. What was not seen yet stays.
pub(crate) fn recent(items: &[Keyed], usable: u64) -> usize {
    let room = usable / 5;
    let sizes = items.iter().rev().take(RECENT).map(|(_, item)| size(item));
    let fitting = sizes.scan(0, |sum, size| {
        *sum += size;
        (*sum <= room).then_some(())
    });
    items.len().saturating_sub(fitting.count().min(items.len() / 2).max(1))
}

/// A summary of all before `from`: what the model wrote, and what must not depend on its care.
pub(crate) fn summarised(folded: &Folded, from: usize, summary: &str) -> Entry {
    let said = format!(
        "[Summary of the conversation so far]\n{summary}\n\n{}",
        facts(folded, from, 12_000)
    );
    compacted(folded, from, Tier::Summarise, said)
}

fn compacted(folded: &Folded, from: usize, tier: Tier, text: String) -> Entry {
    let message = UserMessage::text(Source::Summary, text);
    Entry::Compacted { tier, from: folded.items.get(from).map(|(key, _)| key.line), message }
}

/// Collapses without a model, always below the limit: what fits of the last items stays, cut short.
pub(crate) fn collapse(meter: &mut Meter, folded: &Folded, limit: u64, keep: &Keep) -> Vec<Entry> {
    let items = &folded.items;
    let room = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut tried = Vec::new();
    for last in (0..=LAST.min(items.len())).rev() {
        let from = items.len() - last;
        let text = format!(
            "[The conversation so far was dropped to make room. What is known of it:]\n{}",
            facts(folded, from, room / 4)
        );
        // All parts together get half of the room, so that the last item stays however many it has.
        let parts: usize = items[from..].iter().map(|(_, item)| parts(item).len()).sum();
        let cuts = shorten(&items[from..], room / 2 / parts.max(1), keep);
        tried = vec![compacted(folded, from, Tier::Collapse, text), Entry::Trimmed { cuts }];
        if after(meter, folded, &tried) <= limit {
            break;
        }
    }
    tried
}

/// The line of what is only tried.
const UNWRITTEN: u64 = u64::MAX;

/// The prompt's tokens once these entries are written.
pub(crate) fn after(meter: &mut Meter, folded: &Folded, entries: &[Entry]) -> u64 {
    let mut folded = folded.clone();
    for entry in entries {
        folded.apply(UNWRITTEN, entry);
    }
    let prompt = meter.prompt(&folded.items);
    meter.sizes.retain(|(key, _)| key.line.max(key.trimmed) < UNWRITTEN);
    prompt
}

/// Cuts every part of these items that is longer than `most` characters.
fn shorten(items: &[Keyed], most: usize, keep: &Keep) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (key, item) in items {
        for (index, whole) in parts(item).iter().enumerate() {
            let length = whole.chars().count();
            if length > most {
                let (head, way) = (clip(whole, most / 2), way(whole, keep));
                let tail: String = whole.chars().skip(length - most / 2).collect();
                let text = format!("{head}\n[cut to save room; {way}]\n{tail}");
                cuts.push(Cut { line: key.line, index, text });
            }
        }
    }
    cuts
}

/// What the person said and which files were changed, in at most `most` characters.
fn facts(folded: &Folded, from: usize, most: usize) -> String {
    let mut said: Vec<String> =
        folded.items[..from].iter().filter_map(|(_, item)| said(item)).collect();
    if said.len() > SAYINGS {
        said.drain(1..=said.len() - SAYINGS);
    }
    let each = most / 2 / said.len().max(1);
    let said = said.iter().map(|said| format!("- {}\n", clip(said, each)));
    let mut text = format!("What the person said, oldest first:\n{}", said.collect::<String>());
    let mut files: Vec<String> = Vec::new();
    for change in folded.changes.iter().rev() {
        let path = change.path.display().to_string();
        if !files.contains(&path) && files.len() < FILES {
            files.push(path);
        }
    }
    if !files.is_empty() {
        text.push_str(&clip(&format!("Files changed: {}", files.join(", ")), most / 4));
    }
    if let Some(cwd) = session::cwd(&folded.state) {
        text.push_str(&format!("\nThe directory is {}", cwd.display()));
    }
    text
}

/// The words of the person in an item; an earlier summary holds the earlier ones.
fn said(item: &Item) -> Option<String> {
    let Item::User(UserMessage { content, source }) = item else { return None };
    matches!(source, Source::Person | Source::Task | Source::Summary).then(|| plain(content))
}
