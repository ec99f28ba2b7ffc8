//! A whole turn, offline: the model is a script, everything else is real.
//!
//! ```sh
//! cargo run -p purlin --example 01_hello
//! ```
//!
//! With a key or a model server on this machine, the same in three lines:
//!
//! ```no_run
//! let llm = Llm::from_env().await?;
//! let mut agent = Agent::new(llm);
//! println!("{}", agent.chat("What does this project do?").await?);
//! ```
#![allow(clippy::print_stdout)] // what an example is for

use purlin::engine::event::Event;
use purlin::{Agent, Config, Llm};
use purlin_testkit::{Reply, Script, Server};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("poem.txt"), "The roof is carried,\nunseen, by a beam.\n")?;

    // The model: first it reads, then it answers. The server speaks the real wire.
    let server = Server::start(
        Script::new()
            .then(Reply::new().call("read_file", &json!({"path": "poem.txt"})))
            .then(Reply::new().text("It is about a purlin: the beam that carries a roof.")),
    )?;

    let config = Config {
        cwd: folder.path().canonicalize()?,
        sessions: folder.path().join("sessions"),
        ..Config::from_env()?
    };
    let llm = Llm::new(&server.url(), None, "scripted")?;
    let mut agent = Agent::new(llm).with(config).watched(|told| {
        if let Event::Started { claim } = &told.event {
            println!("● {}", claim.title);
        }
    });
    println!("{}", agent.chat("What is the poem about?").await?);
    Ok(())
}
