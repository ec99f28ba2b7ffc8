//! A session on disk: what survives a torn line, a full disk, a second writer.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use purlin_engine::effect::Effect;
use purlin_engine::event::{Ended, Event};
use purlin_engine::message::{Item, UserMessage, plain};
use purlin_engine::session::{Entry, Folded, Session, fold};
use purlin_store::{JournalError, JournalFile, journal};
use purlin_testkit::{Reply, Scripted};
use serde_json::{Value, json};

use crate::common::{Bench, header, session, story};
use crate::tools::what;

fn said(text: &str) -> Entry {
    Entry::User(UserMessage::person(text))
}

fn open(path: &Path) -> Result<Session, JournalError> {
    JournalFile::open(path.to_path_buf()).map(|file| Session::new(Box::new(file)).unwrap())
}

fn folded(path: &Path) -> Folded {
    fold("s", &journal::read(path).unwrap(), u64::MAX)
}

#[test]
fn the_file_is_made_with_the_first_message_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/s.jsonl");
    let mut session = session(path.clone());
    assert!(!folder.path().join("new").exists());
    assert_eq!(session.append(said("hello")), 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let lines = journal::read(&path).unwrap();
    assert_eq!(serde_json::from_str::<journal::Header>(&lines[0]).unwrap(), header("s"));
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_lines_number_is_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let mut one = session(path.clone());
    assert_eq!([1, 2, 3].map(|n| one.append(said(&n.to_string()))), [1, 2, 3]);
    drop(one);
    let mut two = session(path.clone());
    assert_eq!((two.head(), two.append(said("4"))), (3, 4));
    let line: Value = serde_json::from_str(&journal::read(&path).unwrap()[4]).unwrap();
    let expected = json!({"kind": "user", "content": [{"text": "4"}], "source": "person"});
    assert_eq!(line, expected);
}

#[test]
fn two_writers_do_not_share_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let mut new = session(path.clone());
    new.append(said("hello"));
    assert!(matches!(open(&path), Err(JournalError::Locked(id)) if id == "s"));
    drop(new);
    let old = open(&path).unwrap();
    assert!(matches!(open(&path), Err(JournalError::Locked(_))));
    drop(old);
    open(&path).unwrap();
}

#[test]
fn what_a_newer_program_wrote_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    fs::write(&path, "{\"purlin\":99,\"id\":\"s\"}\n").unwrap();
    assert!(matches!(open(&path), Err(JournalError::Newer { found: 99, .. })));
}

/// The bytes of a conversation with calls, as an agent wrote them.
async fn recorded() -> Vec<u8> {
    let replies = [
        Reply::new().text("I look.").call("look", &what("a")).call("touch", &what("b")),
        Reply::new().text("Schön."),
        Reply::new().call("run", &json!({"what": "cd", "to": "sub"})),
        Reply::new().text("done"),
    ];
    let mut talk = Bench::new(Scripted::new(replies)).start();
    talk.turn("one").await;
    talk.turn("two").await;
    let bytes = fs::read(&talk.path).unwrap();
    talk.end().await;
    bytes
}

#[tokio::test]
async fn a_journal_torn_at_any_byte_opens_and_goes_on() {
    let whole = recorded().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let before = story(&fold("s", &lines(&whole), u64::MAX));
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut session = open(&path).unwrap();
        session.append(said("after"));
        let live = session.folded().clone();
        drop(session);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes[..cut], whole[..cut], "earlier bytes changed at {cut}");
        let found = folded(&path);
        assert_eq!(found, live, "cut at {cut}");
        let story = story(&found);
        assert_eq!(story.last().unwrap(), "person: after", "cut at {cut}");
        check(&found);
        // All that was whole is still there, but for a call's answer that was not yet written.
        for (line, same) in story.iter().zip(&before) {
            let open = line.ends_with(": interrupted") || line.starts_with("reminder: [a part");
            assert!(line == same || open || line == "person: after", "{cut}: {line}");
            if line != same {
                break;
            }
        }
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

/// No two items have one key, and every step follows something said.
fn check(folded: &Folded) {
    let mut keys: Vec<_> = folded.items.iter().map(|(key, _)| *key).collect();
    keys.sort();
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
}

fn damaged() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
        .prop_map(|many| many.into_iter().map(|(index, byte)| (index.index(1_000), byte)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_damaged_journal_folds_and_goes_on(damage in damaged(), zeros in 0usize..40) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.jsonl");
        let mut bytes = RECORDED.with(Clone::clone);
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.extend(std::iter::repeat_n(0, zeros));
        fs::write(&path, &bytes).unwrap();
        // A damaged header may claim to be from the future.
        if let Ok(mut session) = open(&path) {
            session.append(said("after"));
            let live = session.folded().clone();
            drop(session);
            let found = open(&path).unwrap();
            prop_assert_eq!(found.folded(), &live);
            check(&live);
            let last = &live.items.last().unwrap().1;
            prop_assert_eq!(&**last, &Item::User(UserMessage::person("after")));
        }
    }
}

thread_local! {
    static RECORDED: Vec<u8> =
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(recorded());
}

#[test]
fn cc_35_lines_that_mean_nothing_are_kept_and_become_one_visible_gap() {
    let strange: [&[u8]; 8] = [
        b"[]",
        b"null",
        b"{\"kind\":\"from the future\",\"x\":1}",
        b"\xff\xfe\x00",
        b"\0\0\0\0",
        b"",
        b"{\"kind\":\"user\",\"content\":null,\"source\":\"person\"}",
        b"{\"kind\":\"user\",\"content\":[{\"text\"",
    ];
    for line in strange {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.jsonl");
        let mut new = session(path.clone());
        new.append(said("before"));
        drop(new);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&[line, b"\n", line, b"\n"].concat());
        fs::write(&path, &bytes).unwrap();
        let mut session = open(&path).unwrap();
        assert_eq!(session.append(said("after")), 4);
        drop(session);
        assert_eq!(fs::read(&path).unwrap()[..bytes.len()], bytes);
        let story = story(&folded(&path));
        assert_eq!(story.len(), 3, "{story:?}");
        assert!(story[1].contains("could not be read"), "{story:?}");
        assert_eq!((story[0].as_str(), story[2].as_str()), ("person: before", "person: after"));
    }
}

#[test]
fn an_empty_file_becomes_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    fs::write(&path, "").unwrap();
    let mut session = open(&path).unwrap();
    assert_eq!(session.append(said("hello")), 1);
    drop(session);
    assert_eq!(story(&folded(&path)), ["person: hello"]);
    assert_eq!(open(&path).unwrap().journal().id(), "s");
}

#[tokio::test]
async fn where_nothing_can_be_written_the_session_goes_on_and_says_so_once() {
    let replies = (0..3).map(|n| Reply::new().text(n.to_string()));
    let mut bench = Bench::new(Scripted::new(replies));
    bench.session = Some(session(PathBuf::from("/dev/null/s.jsonl")));
    let mut talk = bench.start();
    let mut notices = Vec::new();
    for _ in 0..3 {
        let turn = talk.turn("go").await;
        assert_eq!(turn.ended, Ended::Done);
        notices.extend(turn.notices());
    }
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("goes on in memory: /dev/null/s.jsonl"), "{notices:?}");
    let requests = talk.end().await.requests();
    assert_eq!(requests[2].items.len(), 5);
}

#[test]
fn what_could_not_be_written_is_written_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "a file where a folder should be").unwrap();
    let path = blocked.join("s.jsonl");
    let mut session = session(path.clone());
    assert_eq!(session.append(said("one")), 1);
    assert!(session.trouble().is_some());
    fs::remove_file(&blocked).unwrap();
    assert_eq!(session.append(said("two")), 2);
    assert!(session.trouble().is_none());
    let live = session.folded().clone();
    drop(session);
    assert_eq!(folded(&path), live);
}

#[tokio::test]
async fn a_session_goes_on_where_it_was() {
    let model = std::sync::Arc::new(Scripted::new([
        Reply::new().call("run", &json!({"what": "cd", "to": "sub"})),
        Reply::new().text("there"),
        Reply::new().call("touch", &what("x")),
        Reply::new().text("done"),
    ]));
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let mut talk = Bench::with(model.clone(), folder.clone()).start();
    talk.turn("one").await;
    talk.end().await;
    let mut talk = Bench::with(model, folder).start();
    let turn = talk.turn("two").await;
    let touched = turn.pick(|event| match event {
        Event::Started { claim } => Some(claim.effect.clone()),
        _ => None,
    });
    assert_eq!(touched, [Effect::writes(PathBuf::from("/project/sub/x"))]);
    assert_eq!(plain(&talk.answers()[0].content), "did cd");
    assert_eq!(talk.story().len(), 8);
    talk.end().await;
}
