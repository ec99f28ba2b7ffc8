//! Every story in `tests/transcripts` goes as it is told. `UPDATE=1` rewrites those that do not.
#![allow(clippy::unwrap_used, clippy::expect_used)] // clippy knows tests, not what they are made of

use std::fs;
use std::path::Path;

use purlin::{Agent, Config, Llm};
use purlin_testkit::World;
use purlin_testkit::transcript::{Ends, play};

fn agent(world: &World, url: &str) -> Ends {
    let vars = [("HOME", world.home()), ("PATH", "/usr/bin:/bin".into())];
    let vars = vars.map(|(name, value)| (name.into(), value.into()));
    let cwd = world.project().canonicalize().unwrap();
    let agent = Agent::new(Llm::new(url, None, "scripted").unwrap());
    let ends = agent.with(Config::new(vars.to_vec(), cwd)).ends().unwrap();
    Ends { handle: ends.handle, events: ends.events, agent: ends.agent }
}

#[tokio::test]
async fn every_story_goes_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    let mut strayed = Vec::new();
    for path in paths {
        let told = fs::read_to_string(&path).unwrap();
        let went = play(&told, agent).await;
        if told == went {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, went).unwrap();
        } else {
            strayed.push(format!("{} went like this:\n\n{went}", path.display()));
        }
    }
    assert!(strayed.is_empty(), "{}\nUPDATE=1 rewrites them", strayed.join("\n"));
}
