//! A tool of your own beside the seven: it counts the words of a file.
//!
//! ```sh
//! cargo run -p purlin --example 02_your_own_tool
//! ```
#![allow(clippy::print_stdout)] // what an example is for

use futures::future::{BoxFuture, ready};
use purlin::engine::effect::{Claim, Effect};
use purlin::engine::gate::{Outcome, Plan};
use purlin::engine::message::{Output, ToolCall};
use purlin::engine::tool::{Cx, Tool, ToolError, ToolSpec, arguments};
use purlin::{Agent, Config, Llm};
use purlin_testkit::{Reply, Script, Server};
use serde::Deserialize;
use serde_json::json;

struct CountWords(ToolSpec);

#[derive(Deserialize)]
struct Arguments {
    path: String,
}

impl CountWords {
    fn new() -> Self {
        let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
        let description = "Counts the words of a text file.".to_owned();
        Self(ToolSpec { name: "count_words".to_owned(), description, schema })
    }
}

impl Tool for CountWords {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    /// It only reads, so nobody need be asked, and it may run while the reply still streams.
    fn claim(&self, call: &ToolCall, cx: &Cx) -> Result<Claim, ToolError> {
        let Arguments { path } = arguments(call)?;
        let effect = Effect::reads([cx.path(&path)]);
        Ok(Claim { call: call.clone(), title: format!("count the words of {path}"), effect })
    }

    fn prepare(&self, claim: Claim, cx: &Cx) -> BoxFuture<'static, Result<Plan, ToolError>> {
        let path = arguments(&claim.call).map(|Arguments { path }| cx.path(&path));
        let plan = path.map(|path| {
            let run = async move {
                Outcome::Done(match std::fs::read_to_string(path) {
                    Ok(text) => Output::text(format!("{} words", text.split_whitespace().count())),
                    Err(why) => Output::failure(why.to_string()),
                })
            };
            Plan::new(claim, None, run)
        });
        Box::pin(ready(plan))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("poem.txt"), "The roof is carried,\nunseen, by a beam.\n")?;
    let server = Server::start(
        Script::new()
            .then(Reply::new().call("count_words", &json!({"path": "poem.txt"})))
            .then(Reply::new().text("Eight words.")),
    )?;
    let config = Config {
        cwd: folder.path().canonicalize()?,
        sessions: folder.path().join("sessions"),
        ..Config::from_env()?
    };
    let llm = Llm::new(&server.url(), None, "scripted")?;
    let mut agent = Agent::new(llm).with(config).with_tool(CountWords::new());
    println!("{}", agent.chat("How long is the poem?").await?);
    if let Some(last) = server.completions().last() {
        println!("(the tool said: {})", last.messages()[last.messages().len() - 1]["content"]);
    }
    Ok(())
}
