//! What was spent, in words.

use purlin_engine::budget::Spent;
use purlin_engine::message::Usage;

/// What one turn cost and how full the window is: a line.
pub fn turn(before: &Spent, after: &Spent) -> String {
    let dollars = before.dollars.zip(after.dollars).map(|(before, after)| after - before);
    let usage = since(&before.usage, &after.usage);
    let context = format!("context {}", filled(after));
    [tokens(&usage), price(dollars), context].join(" · ")
}

/// What a session has spent: two lines.
pub fn session(spent: &Spent) -> String {
    let calls = spent.calls;
    let calls = format!("{calls} {} to models", if calls == 1 { "call" } else { "calls" });
    let sum = [calls, tokens(&spent.usage), price(spent.dollars)].join(" · ");
    let (context, window) = (grouped(spent.context), grouped(spent.window));
    match spent.window {
        0 => format!("{sum}\ncontext: empty"),
        _ => format!("{sum}\ncontext: {context} of {window} tokens, {}", filled(spent)),
    }
}

/// What was spent before and what was spent since, together.
pub fn sum(before: &Spent, since: &Spent) -> Spent {
    let mut sum = since.clone();
    sum.usage.add(&before.usage);
    sum.calls += before.calls;
    sum.dollars = before.dollars.zip(since.dollars).map(|(before, since)| before + since);
    sum
}

fn tokens(usage: &Usage) -> String {
    let (prompt, cached) = (grouped(usage.prompt()), grouped(usage.cache_read));
    let output = grouped(usage.output);
    match usage.reasoning {
        0 => format!("{prompt} tokens in ({cached} cached), {output} out"),
        reasoning => {
            let reasoning = grouped(reasoning);
            format!("{prompt} tokens in ({cached} cached), {output} out ({reasoning} reasoning)")
        }
    }
}

fn price(dollars: Option<f64>) -> String {
    // A sum of floats may end a hair below zero.
    dollars.map_or("price unknown".to_owned(), |dollars| format!("${:.4}", dollars.max(0.0)))
}

fn filled(spent: &Spent) -> String {
    match spent.context.saturating_mul(100).checked_div(spent.window) {
        Some(share) => format!("{share}%"),
        None => "unknown".to_owned(),
    }
}

fn since(before: &Usage, after: &Usage) -> Usage {
    Usage {
        input: after.input.saturating_sub(before.input),
        cache_read: after.cache_read.saturating_sub(before.cache_read),
        cache_write: after.cache_write.saturating_sub(before.cache_write),
        output: after.output.saturating_sub(before.output),
        reasoning: after.reasoning.saturating_sub(before.reasoning),
    }
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
