//! What the harness itself takes between two rounds: from the last word of a reply that calls a
//! tool to the next request, early in a session and late.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use purlin_testkit::{Latch, Received, Reply, Script, Server};
use serde_json::json;

use super::figure::{Figure, median};
use super::stand::{Stand, millis, run};

const EARLY: usize = 10;
const LATE: usize = 200;
/// Rounds on each side of the one measured, so that one hiccup is not the figure.
const AROUND: usize = 5;
const ROUNDS: usize = LATE + AROUND + 2;
const RUNS: usize = 3;

/// One latch a round, opened when all of its reply is sent.
type Sent = Arc<Mutex<Vec<Latch>>>;

pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure<'static>>> {
    for round in 0..ROUNDS {
        let path = stand.project().join(name(round));
        fs::write(&path, format!("note {round}\n")).context("writing a note to read")?;
    }
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let spans = session(stand)?;
        early.push(around(&spans, EARLY));
        late.push(around(&spans, LATE));
    }
    let (early, late) = (median(early), median(late));
    Ok(vec![
        Figure::new("harness at round 10", 1.0, early, "ms"),
        Figure::new("harness at round 200", 1.0, late, "ms").beside("round 10", early),
        Figure::new("… its growth", 1.5, late / early, "×"),
    ])
}

/// Another file each round: the same call with the same result would count as going in circles.
fn name(round: usize) -> String {
    format!("note-{round}.txt")
}

/// Milliseconds from each reply to the request after it.
fn session(stand: &Stand) -> Result<Vec<f64>> {
    let sent = Sent::default();
    let inside = Arc::clone(&sent);
    let server = Server::start(Script::by(move |request| answer(request, &inside).into()))?;
    run(stand.one_shot(&server).args(["--max-turns", &(ROUNDS + 1).to_string()]))?;
    let requests = server.completions();
    let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    let span = |(latch, next): (&Latch, &Arc<Received>)| {
        millis(latch.opened_at().and_then(|at| next.head_at.checked_duration_since(at)))
    };
    Ok(sent.iter().zip(requests.iter().skip(1)).map(span).collect())
}

fn answer(request: &Received, sent: &Sent) -> Reply {
    let latch = Latch::new();
    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    let round = sent.len();
    sent.push(latch.clone());
    if round >= ROUNDS || request.tools().is_empty() {
        return Reply::new().text("done");
    }
    Reply::new().call("read_file", &json!({"path": name(round)})).reached(&latch)
}

fn around(spans: &[f64], round: usize) -> f64 {
    let near = spans.iter().skip(round.saturating_sub(AROUND)).take(2 * AROUND + 1);
    median(near.copied().collect())
}
