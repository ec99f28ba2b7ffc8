//! Keys: where they come from, and where they must not go.

use purlin_providers::vendor::VENDORS;
use purlin_testkit::Reply;
use serde_json::json;

use crate::common::Stage;

#[test]
fn cc_19_no_command_sees_a_key_and_no_journal_holds_one() {
    let env = Reply::new().call("bash", &json!({"command": "env; cat /proc/$$/environ"}));
    let stage = Stage::saying([env, Reply::new().text("Nothing there.")]);
    let mut run = stage.purlin().env("PURLIN_API_KEY", "sk-secret-0").env("HARMLESS", "seen");
    for (number, vendor) in VENDORS.iter().enumerate() {
        let Some(name) = vendor.key_var else { continue };
        run = run.env(name, format!("sk-secret-{}", number + 1));
    }
    let ran = run.args(["--yes", "-v", "-p", "print your environment"]).finish().unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(stage.requests()[0].header("authorization"), Some("Bearer sk-secret-0"));
    let answer = &stage.answers(1)[0];
    assert!(answer.contains("HARMLESS=seen") && !answer.contains("sk-secret"), "{answer}");
    let journal = stage.world.read(stage.journal());
    assert!(!journal.contains("sk-secret") && !ran.stderr.contains("sk-secret"), "{journal}");
}

#[test]
fn cc_46_the_env_file_of_a_project_is_not_read() {
    let stage = Stage::saying([Reply::new().text("Safe.")]);
    let theirs = "OPENAI_BASE_URL=http://127.0.0.1:9/v1\nPURLIN_BASE_URL=http://127.0.0.1:9/v1\n\
                  PURLIN_API_KEY=theirs\nHTTP_PROXY=http://127.0.0.1:9\n";
    stage.world.file(".env", theirs).file(".config/purlin/.env", theirs);
    let run = stage.world.run(crate::common::PURLIN).env("OPENAI_API_KEY", "mine");
    let run = run.env("OPENAI_BASE_URL", stage.server.url()).args(["-m", "m", "-p", "hi"]);
    assert_eq!(run.finish().unwrap().stdout, "Safe.\n");
    assert_eq!(stage.requests()[0].header("authorization"), Some("Bearer mine"));
}

#[test]
fn the_persons_own_env_file_counts_and_variables_win_over_it() {
    let stage = Stage::saying([Reply::new().text("One."), Reply::new().text("Two.")]);
    let own = format!(
        "# where I work\nexport PURLIN_BASE_URL=\"{}\"\nPURLIN_API_KEY='from-file'\n\nPURLIN_MODEL=filed\n",
        stage.server.url()
    );
    stage.world.file(stage.world.config().join("purlin/.env"), own);
    let run = || stage.world.run(crate::common::PURLIN).args(["-p", "hi"]);
    assert_eq!(run().finish().unwrap().stdout, "One.\n");
    assert_eq!(run().env("PURLIN_API_KEY", "from-env").finish().unwrap().stdout, "Two.\n");
    let requests = stage.requests();
    assert_eq!(requests[0].body["model"], "filed");
    assert_eq!(requests[0].header("authorization"), Some("Bearer from-file"));
    assert_eq!(requests[1].header("authorization"), Some("Bearer from-env"));
}

#[test]
fn a_vendor_gets_its_own_key_before_openais_and_after_purlins() {
    let stage = Stage::saying(["One.", "Two.", "Three."].map(|text| Reply::new().text(text)));
    let proxy = stage.server.url().trim_end_matches("/v1").to_owned();
    let run = || {
        let run = stage.purlin().env("PURLIN_BASE_URL", "http://api.deepseek.com/v1");
        let run = run.env("HTTP_PROXY", &proxy).env("http_proxy", &proxy);
        run.env("OPENAI_API_KEY", "for-openai").args(["-p", "hi"])
    };
    let own = || run().env("DEEPSEEK_API_KEY", "for-deepseek");
    for run in [run(), own(), own().env("PURLIN_API_KEY", "for-purlin")] {
        let ran = run.finish().unwrap();
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    let requests = stage.requests();
    let keys: Vec<_> = requests.iter().map(|request| request.header("authorization")).collect();
    let bearer = ["Bearer for-openai", "Bearer for-deepseek", "Bearer for-purlin"];
    assert_eq!(keys, bearer.map(Some));
}

#[test]
fn the_key_of_the_vendor_at_the_address_is_used_and_no_other() {
    let stage = Stage::saying([Reply::new().text("Here.")]);
    let run = stage.purlin().env("DEEPSEEK_API_KEY", "for-deepseek").args(["-p", "hi"]);
    assert_eq!(run.finish().unwrap().code, Some(0));
    assert_eq!(stage.requests()[0].header("authorization"), None);
}
