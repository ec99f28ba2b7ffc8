//! `purlin demo`: a scripted model finds and fixes a bug in a real little project.
//!
//! Only the model is not real. The script speaks the real wire over loopback to the real client,
//! and the real loop runs the real tools in a temporary folder.

mod project;

use std::path::Path;
use std::time::Duration;

use purlin_engine::desk::Asks;
use purlin_engine::event::{Command, Event};
use purlin_engine::message::UserMessage;
use purlin_testkit::{Reply, Script, Server};
use purlin_tui::page::Setting;
use serde_json::json;

use self::project::Project;
use super::screen;
use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::llm::Llm;
use crate::wire::{Toolset, Which, Wired, wire};

/// The pause after each piece of the model's stream: long enough to see it stream.
const PACE: Duration = Duration::from_millis(25);

/// Plays it.
pub(super) async fn demo() -> Result<Code, Fatal> {
    let mut config = Config::from_env()?;
    let project = Project::for_this_machine(&config);
    let folder = tempfile::Builder::new().prefix("purlin-demo-").tempdir();
    let folder = folder.map_err(|why| Fatal::new(Code::Failed, format!("a folder: {why}")))?;
    let place = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_path_buf());
    let root = place.join("numbers");
    project.write(&root).map_err(|why| Fatal::new(Code::Failed, format!("the project: {why}")))?;
    let server = Server::start(script(&project, &root))
        .map_err(|why| Fatal::new(Code::Failed, format!("the scripted model: {why}")))?;
    config.sessions = place.join("sessions");
    config.vars.retain(|(name, _)| name != "RUST_BACKTRACE"); // a page of noise
    config.cwd.clone_from(&root);
    config.yes = true;
    let llm = Llm::new(&server.url(), None, "scripted")?;
    screen::talk(&format!(
        "This is a demonstration. The model is a script; everything else is real: the wire, the \
         loop, the tools, the {} project in {}, its failing test.\n\n› {}\n\n",
        project.language,
        root.display(),
        project.task
    ));
    let code = play(&config, &llm, project.task).await?;
    let complaints = server.violations();
    if code != Code::Done || !complaints.is_empty() || !project.is_fixed(&root) {
        let why = format!("the demo did not go as it should: {}", complaints.join("; "));
        return Err(Fatal::new(Code::Failed, why));
    }
    screen::talk("\nThat was the scripted model. With a key, or a model server on this machine:\n");
    screen::talk("  purlin -p \"what does this project do?\"      purlin\n");
    Ok(code)
}

async fn play(config: &Config, llm: &Llm, task: &str) -> Result<Code, Fatal> {
    let Wired { handle, mut events, agent, .. } =
        wire(config, llm, Which::New, Asks::Nobody, Toolset::default())?;
    let running = tokio::spawn(agent);
    let mut page = screen::page(config, Setting::OneShot);
    let _ = handle.send(Command::Prompt(UserMessage::person(task)));
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let code = loop {
        let told = tokio::select! {
            told = events.recv() => told,
            _ = &mut interrupted => return Ok(Code::Interrupted),
        };
        let Some(told) = told else { break Code::Failed };
        for print in page.tell(&told) {
            screen::print(&print);
        }
        if let (true, Event::Ended(ended)) = (told.agent.is_main(), &told.event) {
            break Code::of(ended);
        }
    };
    drop(handle);
    let _ = running.await;
    Ok(code)
}

/// What the model says, round by round.
fn script(project: &Project, root: &Path) -> Script {
    let file = |name: &str| root.join(name).display().to_string();
    let test = json!({"command": project.test});
    let edit = json!({
        "path": file(project.source), "old_string": project.wrong, "new_string": project.right,
    });
    let reply = || Reply::new().pace(PACE);
    Script::new()
        .then(reply().text("I'll run the tests first, to see what fails.").call("bash", &test))
        .then(
            reply()
                .text("One test fails. Let me find the code behind it and read it.")
                .call("grep", &json!({"pattern": project.symbol}))
                .call("read_file", &json!({"path": project.source})),
        )
        .then(reply().text(project.finding).call("edit_file", &edit))
        .then(reply().text("And the tests again.").call("bash", &test))
        .then(reply().text(project.report))
}
