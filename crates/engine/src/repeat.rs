//! Whether the model goes round in circles.

use crate::message::{Item, Output, Source, Step, ToolCall, plain};
use crate::schema;
use crate::session::Keyed;

/// The call of the last step that has brought the same result the most rounds running, and how
/// many. Twins in one step count once; the count begins with the person's last message.
pub(crate) fn repeated(items: &[Keyed]) -> Option<(String, usize)> {
    let asked = |item: &Item| match item {
        Item::User(message) => matches!(message.source, Source::Person | Source::Task),
        Item::Step(_) => false,
    };
    let turn = items.iter().rev().map(|(_, item)| &**item).take_while(|item| !asked(item));
    let mut rounds = turn.filter_map(|item| match item {
        Item::Step(step) => Some(results(step)),
        Item::User(_) => None,
    });
    let (mut same, mut times) = (rounds.next()?, 1);
    for earlier in rounds {
        let still: Vec<_> = same.iter().filter(|it| earlier.contains(it)).cloned().collect();
        if still.is_empty() {
            break;
        }
        (same, times) = (still, times + 1);
    }
    let (name, ..) = same.into_iter().next()?;
    Some((name, times))
}

/// What a step asked, however it was spelled, and got, without the lines that we added.
fn results(step: &Step) -> Vec<(String, String, String)> {
    let args = |call: &ToolCall| match schema::parse(&call.args) {
        Ok(args) => args.to_string(),
        Err(_) => call.args.clone(),
    };
    step.answers()
        .map(|(call, output)| (call.name.clone(), args(call), without_footers(output)))
        .collect()
}

fn without_footers(output: &Output) -> String {
    let text = plain(&output.content);
    let ours = |line: &&str| !(line.starts_with('[') && line.ends_with(']'));
    text.lines().filter(ours).collect::<Vec<_>>().join("\n")
}
