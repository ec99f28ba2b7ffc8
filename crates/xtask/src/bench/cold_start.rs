//! From the start of the program until its first request reaches the server, beside a bare client
//! that sends the very same bytes.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use purlin_testkit::{Reply, Script, Server};

use super::figure::{Figure, median};
use super::stand::{Stand, millis, run};

const RUNS: usize = 31;

pub(super) fn measure(stand: &Stand) -> Result<Vec<Figure<'static>>> {
    let request = first_request(stand)?;
    let tokens = request.len() as f64 / 4.0;
    fs::write(stand.file("request.json"), request)
        .context("keeping a request for the bare client")?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    // Interleaved, so that a busy minute of the machine is everybody's.
    for _ in 0..RUNS {
        ours.push(start_of(|server| stand.one_shot(server))?);
        bare.push(start_of(|server| bare_client(stand, server))?);
    }
    let (measured, bare) = (median(ours), median(bare));
    let ratio = measured / bare;
    Ok(vec![
        Figure::new("cold start to first request", 8.0, measured, "ms")
            .beside("a bare client", bare),
        Figure::new("… as a ratio", 3.0, ratio, "×"),
        Figure::new("first request, at four bytes a token", 2000.0, tokens, "tokens"),
    ])
}

/// The bare client with the kept request.
pub(super) fn bare_client(stand: &Stand, server: &Server) -> Command {
    let mut command = Command::new(&stand.bare);
    command.arg(server.url()).arg(stand.file("request.json"));
    command
}

fn first_request(stand: &Stand) -> Result<Vec<u8>> {
    let server = Server::start(greeting())?;
    run(&mut stand.one_shot(&server))?;
    let request = server.completions().into_iter().next().context("purlin asked nothing")?;
    Ok(request.bytes.clone())
}

fn start_of(program: impl Fn(&Server) -> Command) -> Result<f64> {
    let server = Server::start(greeting())?;
    let started = run(&mut program(&server))?;
    let first = server.completions().into_iter().next();
    Ok(millis(first.map(|request| request.head_at - started)))
}

/// The shortest conversation.
pub(super) fn greeting() -> Script {
    Script::by(|_| Reply::new().text("hello").into())
}
