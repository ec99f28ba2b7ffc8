//! The seven tools in one session, as the model meets them.

use purlin_testkit::{Received, Reply, Script};
use serde_json::{Value, json};

use crate::common::{Stage, answers, lines, said, text};

#[test]
fn find_read_change_and_prove_in_one_session() {
    let reply = Reply::new;
    let stage = Stage::saying([
        reply()
            .call("glob", &json!({"pattern": "*.sh"}))
            .call("grep", &json!({"pattern": "greet", "include": "*.sh"})),
        reply().call("read_file", &json!({"path": "greet.sh"})),
        reply()
            .call(
                "edit_file",
                &json!({"path": "greet.sh", "old_string": "helo", "new_string": "hello"}),
            )
            .call("write_file", &json!({"path": "docs/use.md", "content": "Run greet.sh.\n"}))
            .call("bash", &json!({"command": "sh greet.sh | tee out && cat docs/use.md"}))
            .call("read_file", &json!({"path": "out"})),
        reply().text("It greets."),
    ]);
    stage
        .world
        .file("greet.sh", "#!/bin/sh\r\n# greet\r\necho helo\r\n")
        .mode("greet.sh", 0o755)
        .git();
    let ran = stage.ask("fix the greeting");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "It greets.\n"));

    let [globbed, grepped] = <[String; 2]>::try_from(stage.answers(1)).unwrap();
    assert!(globbed.contains("greet.sh"), "{globbed}");
    assert!(grepped.contains("greet.sh") && grepped.contains("2:# greet"), "{grepped}");
    assert!(stage.answers(2)[0].contains("3\techo helo"), "{:?}", stage.answers(2));
    let [edited, wrote, tested, read] = <[String; 4]>::try_from(stage.answers(3)).unwrap();
    assert!(edited.contains("-echo helo") && edited.contains("+echo hello"), "{edited}");
    assert!(wrote.contains("docs/use.md"), "{wrote}");
    assert!(tested.starts_with("hello\nRun greet.sh.\n"), "{tested:?}");
    assert!(read.contains("1\thello"), "{read}");
    assert_eq!(stage.world.bytes("greet.sh"), b"#!/bin/sh\r\n# greet\r\necho hello\r\n");
}

#[test]
fn cc_20_calls_that_touch_the_same_file_keep_their_order() {
    let stage = Stage::saying([
        Reply::new()
            .call("write_file", &json!({"path": "f", "content": "one\n"}))
            .call("edit_file", &json!({"path": "f", "old_string": "one", "new_string": "two"}))
            .call("bash", &json!({"command": "cat f; echo three >> f"}))
            .call("read_file", &json!({"path": "f"})),
        Reply::new().text("In order."),
    ]);
    assert_eq!(stage.ask("go").code, Some(0));
    let answers = stage.answers(1);
    assert!(answers[2].starts_with("two\n"), "{answers:?}");
    assert_eq!(answers[3], "1\ttwo\n2\tthree");
}

#[test]
fn cc_10_one_directory_for_all_tools_and_cd_moves_it() {
    let stage = Stage::saying([
        Reply::new().call("bash", &json!({"command": "cd sub && true"})),
        Reply::new()
            .call("read_file", &json!({"path": "x"}))
            .call(
                "edit_file",
                &json!({"path": "x", "old_string": "in sub", "new_string": "edited"}),
            )
            .call("glob", &json!({"pattern": "*"}))
            .call("bash", &json!({"command": "pwd"})),
        Reply::new().text("There."),
        Reply::new().call("bash", &json!({"command": "pwd"})),
        Reply::new().text("Still there."),
    ]);
    stage.world.file("x", "in root\n").file("sub/x", "in sub\n");
    assert_eq!(stage.ask("go there").code, Some(0));
    let answers = stage.answers(2);
    assert_eq!(answers[0], "1\tin sub");
    assert!(answers[3].contains("/sub\n"), "{answers:?}");
    assert_eq!(stage.world.read("x"), "in root\n");
    assert_eq!(stage.world.read("sub/x"), "edited\n");
    stage.purlin().args(["-c", "-p", "where?"]).finish().unwrap();
    assert!(stage.answers(4)[0].contains("/sub\n"), "{:?}", stage.answers(4));
}

#[test]
fn cc_13_each_call_is_fixed_to_the_directory_it_starts_in() {
    let pwd = json!({"command": "pwd"});
    let reply = Reply::new().call("bash", &pwd).call("bash", &json!({"command": "cd sub"}));
    let stage = Stage::saying([reply.call("bash", &pwd), Reply::new().text("Two places.")]);
    stage.world.file("sub/x", "");
    assert_eq!(stage.ask("where?").code, Some(0));
    let answers = stage.answers(1);
    assert!(answers[0].contains("/project\n"), "{answers:?}");
    assert!(answers[2].contains("/project/sub\n"), "{answers:?}");
}

#[test]
fn a_file_nobody_read_or_that_changed_since_is_not_written() {
    let write = json!({"path": "f", "content": "mine\n"});
    let change = "while read -r _; do :; done < f; echo theirs > f";
    let stage = Stage::saying([
        Reply::new().call("write_file", &write),
        Reply::new().call("read_file", &json!({"path": "f"})),
        Reply::new().call("bash", &json!({"command": change})),
        Reply::new().call("write_file", &write),
        Reply::new().text("No."),
    ]);
    stage.world.file("f", "old\n");
    assert_eq!(stage.ask("write").code, Some(0));
    assert!(stage.answers(1)[0].contains("read"), "{:?}", stage.answers(1));
    assert!(stage.answers(4)[0].contains("changed"), "{:?}", stage.answers(4));
    assert_eq!(stage.world.read("f"), "theirs\n");
}

#[test]
fn long_output_is_cut_in_the_middle_and_the_whole_can_be_read() {
    let stage = Stage::saying([
        Reply::new().call("bash", &json!({"command": "seq 1 50000"})),
        Reply::new().text("Long."),
    ]);
    assert_eq!(stage.ask("count").code, Some(0));
    let answer = &stage.answers(1)[0];
    assert!(answer.len() < 20_000 && answer.starts_with("1\n2\n") && answer.contains("\n50000\n"));
    let kept = answer.split_whitespace().find(|word| word.contains(".kept/")).expect(answer);
    let kept = kept.trim_matches(|c: char| !c.is_alphanumeric() && c != '/' && c != '.');
    assert_eq!(stage.world.read(kept).lines().count(), 50_000);
}

/// A request of the agent whose task says this.
fn of_task(task: &'static str) -> impl Fn(&Received) -> bool + Send + Sync {
    move |request| said(request, "user").contains(task) && request.tools().len() == 6
}

#[test]
fn sub_agents_ask_their_own_requests_side_by_side_and_answer_within_a_bound() {
    let task = |task: &str| json!({"task": task});
    let both =
        Reply::new().call("agent", &task("count the ants")).call("agent", &task("count bees"));
    let read = |path: &str| Reply::new().call("read_file", &json!({"path": path}));
    // What a request gets depends on nothing but itself: one that is asked again changes nothing.
    let script = Script::by(move |request| {
        let answered = request.messages().iter().any(|message| message["role"] == "tool");
        let reply = match (of_task("count the ants")(request), of_task("count bees")(request)) {
            (true, _) if answered => Reply::new().text("Three ants."),
            (_, true) if answered => Reply::new().text("buzz ".repeat(2_000)),
            (true, _) => read("ants"),
            (_, true) => read("bees"),
            (false, false) if answered => Reply::new().text("Counted."),
            (false, false) => both.clone(),
        };
        reply.into()
    });
    let stage = Stage::new(script);
    stage.world.file("ants", "3\n").file("bees", "2000\n");
    let run = stage.purlin().args(["-p", "count", "--output-format", "stream-json"]);
    let ran = run.finish().unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);

    let requests = stage.requests();
    let last = requests.iter().rfind(|request| request.tools().len() == 7).unwrap();
    let [ants, bees] = <[String; 2]>::try_from(answers(last)).unwrap();
    assert_eq!(ants, "Three ants.");
    assert!(bees.chars().count() < 5_300 && bees.contains("5000 of 10000 characters"), "{bees}");
    let asked = requests.iter().find(|request| of_task("count the ants")(request)).unwrap();
    assert!(text(&asked.messages()[0]).starts_with("You are a sub-agent"));
    assert!(!said(asked, "user").contains("count bees"), "{}", said(asked, "user"));

    let agents = lines(&ran.stdout);
    let of = |event: &Value| event["agent"].as_str().map(str::to_owned);
    let names: std::collections::BTreeSet<_> = agents.iter().filter_map(of).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let beside = stage.journal().with_extension("kept");
    let journals = std::fs::read_dir(beside).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(journals.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).count(), 2);
}

#[test]
fn a_sub_agent_that_cannot_is_reported_and_its_parent_goes_on() {
    let script = Script::new()
        .then(Reply::new().call("agent", &json!({"task": "touch it"})))
        .then(Reply::new().call("bash", &json!({"command": "touch it"})))
        .then(Reply::new().text("I was not allowed to."))
        .then(Reply::new().text("It did not work."));
    let stage = Stage::new(script);
    let ran = stage.purlin().args(["-p", "make it"]).finish().unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(8), "It did not work.\n"));
    let answer = answers(&stage.requests()[3]).remove(0);
    assert!(answer.starts_with("I was not allowed to."), "{answer}");
    assert!(!stage.world.path("it").exists());
}

#[test]
fn forty_calls_in_one_reply_are_answered_in_their_order() {
    let reply = (0..40).fold(Reply::new(), |reply, number| {
        reply.call("bash", &json!({"command": format!("echo {number}")}))
    });
    let stage = Stage::saying([reply, Reply::new().text("All.")]);
    assert_eq!(stage.ask("go").code, Some(0));
    let answers = stage.answers(1);
    let firsts: Vec<_> = answers.iter().map(|answer| answer.lines().next().unwrap()).collect();
    assert_eq!(firsts, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
}
