//! Eight commands that only wait, asked for in one reply: they should cost what one costs.

use anyhow::Result;
use purlin_testkit::{Latch, Reply, Script, Server};
use serde_json::json;

use super::figure::{Figure, median};
use super::stand::{Stand, millis, run};

const RUNS: usize = 5;
const CALLS: usize = 8;
const SLEEP: f64 = 0.5;

pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure<'static>>> {
    let spans = (0..RUNS).map(|_| span(stand)).collect::<Result<Vec<_>>>()?;
    let measured = median(spans) / 1000.0;
    let figure = Figure::new("eight parallel `sleep 0.5`", 0.65, measured, "s");
    Ok(vec![figure.beside("one sleep", SLEEP)])
}

/// From the first byte of the first call, since calls may start while the reply still streams.
fn span(stand: &Stand) -> Result<f64> {
    let first = Latch::new();
    let calls = (0..CALLS).fold(Reply::new().reached(&first), |reply, call| {
        // Each says another word, lest equal calls count as going in circles.
        let command = format!("sleep {SLEEP} && echo {call}");
        reply.call("bash", &json!({"command": command}))
    });
    let server = Server::start(Script::new().then(calls).then(Reply::new().text("done")))?;
    run(&mut stand.one_shot(&server))?;
    let next = server.completions().into_iter().nth(1);
    let at = first.opened_at();
    Ok(millis(next.zip(at).and_then(|(next, at)| next.head_at.checked_duration_since(at))))
}
