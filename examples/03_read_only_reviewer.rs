//! A reviewer that cannot write, because it lacks the tools: nothing has to be forbidden.
//!
//! ```sh
//! cargo run -p purlin --example 03_read_only_reviewer
//! ```
#![allow(clippy::print_stdout)] // what an example is for

use purlin::engine::event::Event;
use purlin::engine::message::plain;
use purlin::{Agent, Config, Llm};
use purlin_testkit::{Reply, Script, Server};
use serde_json::json;

const CODE: &str = "fn half(n: u32) -> u32 {\n    n / 3\n}\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("half.rs");
    std::fs::write(&file, CODE)?;

    // This model tries to change what it was to review.
    let server = Server::start(
        Script::new()
            .then(Reply::new().call("read_file", &json!({"path": "half.rs"})))
            .then(Reply::new().call("write_file", &json!({"path": "half.rs", "content": "mine"})))
            .then(Reply::new().text("half.rs:2 divides by 3; half of a number is n / 2.")),
    )?;

    let config = Config {
        cwd: folder.path().canonicalize()?,
        sessions: folder.path().join("sessions"),
        yes: true, // even so: there is nothing to say yes to
        ..Config::from_env()?
    };
    let llm = Llm::new(&server.url(), None, "scripted")?;
    let mut reviewer = Agent::new(llm).with(config).read_only().watched(|told| {
        if let Event::Answered { output, .. } = &told.event
            && output.failed
        {
            println!("refused: {}", plain(&output.content));
        }
    });
    println!("{}", reviewer.chat("Review half.rs.").await?);
    println!("unchanged: {}", std::fs::read_to_string(&file)? == CODE);
    Ok(())
}
