//! A read whose call is complete two seconds before its reply ends: it should start at once, and
//! nothing should be left to do when the reply is over.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use purlin_testkit::{Latch, Reply, Script, Server};
use serde_json::json;

use super::figure::{Figure, median};
use super::stand::{Stand, millis, start};

const RUNS: usize = 3;
const REST: Duration = Duration::from_secs(2);

pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure<'static>>> {
    fs::write(stand.project().join("early.txt"), "read me\n").context("writing a file to read")?;
    let (mut started, mut left) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let spans = session(stand)?;
        started.push(spans.0);
        left.push(spans.1);
    }
    let (started, left) = (median(started), median(left));
    Ok(vec![
        Figure::new("early read: call complete → started", 10.0, started, "ms"),
        Figure::new("early read: reply ends → next request", 10.0, left, "ms"),
    ])
}

/// From the call's last byte to the `started` event, and from the reply's end to the next request.
fn session(stand: &Stand) -> Result<(f64, f64)> {
    let (complete, ended) = (Latch::new(), Latch::new());
    let reply = Reply::new().call("read_file", &json!({"path": "early.txt"})).reached(&complete);
    let reply = reply.pause(REST).text("that is all").reached(&ended);
    let server = Server::start(Script::new().then(reply).then(Reply::new().text("done")))?;
    let mut command = stand.one_shot(&server);
    let command = command.args(["--output-format", "stream-json"]).stdout(Stdio::piped());
    let (_, mut child) = start(command)?;
    let events = BufReader::new(child.stdout.take().context("purlin has no stdout")?);
    let mut started: Option<Instant> = None;
    for line in events.lines() {
        if line?.to_lowercase().contains("\"started\"") {
            started.get_or_insert_with(Instant::now);
        }
    }
    child.wait()?;
    let next = server.completions().into_iter().nth(1).map(|request| request.head_at);
    let span = |from: &Latch, to: Option<Instant>| {
        millis(to.zip(from.opened_at()).map(|(to, from)| to.saturating_duration_since(from)))
    };
    Ok((span(&complete, started), span(&ended, next)))
}
