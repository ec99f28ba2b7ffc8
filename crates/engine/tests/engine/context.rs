//! Keeping the conversation inside the window: when, how far, and what must survive it.

use std::sync::Arc;

use purlin_engine::context::{self, tokens};
use purlin_engine::event::{Command, Ended, Event, Tier};
use purlin_engine::message::{Item, Output, Source, plain};
use purlin_engine::model::{Model as _, ModelError, ModelInfo, Request};
use purlin_testkit::{Reply, Said, Scripted};
use serde_json::{Value, json};

use crate::common::{Bench, Talk, Turn, outputs, says};
use crate::tools::what;
use crate::turn::steps;

/// Tokens that a prompt may have in these tests.
const USABLE: u64 = 10_000;

fn small(info: &mut ModelInfo) {
    info.window = 16_000;
    info.output_limit = 4_000;
}

fn start(author: impl Fn(&Request) -> Said + Send + Sync + 'static) -> Talk {
    Bench::new(Scripted::by(author).with_info(small)).start()
}

fn done() -> Said {
    Reply::new().text("done").into()
}

/// Whether a summary is asked for.
fn summarises(request: &Request) -> bool {
    let last = &request.items[request.items.len() - 1].1;
    says(last, "The conversation is about to be shortened")
}

fn compactions(turn: &Turn) -> Vec<(Tier, u64, u64)> {
    turn.pick(|event| match event {
        Event::Compacted { tier, before, after } => Some((*tier, *before, *after)),
        _ => None,
    })
}

/// What a request comes to, counted by letters.
fn letters(request: &Request) -> usize {
    let text = |item: &Item| match item {
        Item::User(message) => plain(&message.content),
        Item::Step(step) => {
            let outputs = outputs(item);
            let outputs = outputs.iter().map(|output| plain(&output.content)).collect::<String>();
            step.reply().text() + &outputs
        }
    };
    request.items.iter().map(|(_, item)| text(item).chars().count()).sum()
}

fn letters_of(what: &str, letters: usize) -> Value {
    json!({"what": what, "letters": letters})
}

#[test]
fn what_is_usable_is_the_window_without_reserve_and_margin() {
    let usable = |window, output_limit| {
        let mut info = Scripted::by(|_| done()).info().clone();
        (info.window, info.output_limit) = (window, output_limit);
        context::usable(&info)
    };
    assert_eq!(usable(128_000, 8_000), 107_000);
    assert_eq!(usable(16_000, 4_000), USABLE);
    assert_eq!(usable(8_000, 8_000), 5_000); // no more than a quarter and an eighth
    assert_eq!(usable(1, 1), 1);
    assert_eq!(usable(0, 0), 1);
}

#[tokio::test]
async fn trimming_goes_down_far_enough_and_comes_back_late() {
    let mut talk = start(|request| match steps(request) {
        12 => done(),
        n => Reply::new().call("look", &letters_of(&n.to_string(), 4_000)).into(),
    });
    let turn = talk.turn("go").await;
    assert_eq!(turn.ended, Ended::Done);
    let made = compactions(&turn);
    assert!(made.len() > 1 && made.iter().all(|(tier, ..)| *tier == Tier::Trim), "{made:?}");
    for (_, before, after) in &made {
        assert!(*before >= USABLE * context::TRIM_AT / 100, "{made:?}");
        assert!(*after <= USABLE * (context::TRIM_TO + 2) / 100, "{made:?}");
    }
    for pair in made.windows(2) {
        assert!(pair[1].1 >= pair[0].2 + USABLE * context::AGAIN_AFTER / 100, "{made:?}");
    }
    let model = talk.end().await;
    for request in model.requests() {
        if let Some(newest) = request.items.iter().flat_map(|(_, item)| outputs(item)).last() {
            // CC-29: what the model has not seen is whole.
            assert_eq!(plain(&newest.content).len(), 4_000);
        }
    }
    let requests = model.requests();
    let last = requests.last().unwrap();
    let oldest = plain(&outputs(&last.items[1].1)[0].content);
    assert!(oldest.contains("[trimmed to save room; 1 lines in all; the whole is in /kept/whole]"));
}

#[tokio::test]
async fn cc_29_a_fresh_result_is_seen_before_it_is_cut() {
    let mut talk = start(|request| match steps(request) {
        0 => Reply::new().call("look", &letters_of("a", 26_000)).into(),
        _ => done(),
    });
    let turn = talk.turn("go").await;
    assert!(compactions(&turn).is_empty());
    let requests = talk.end().await.requests();
    assert!(letters(&requests[1]) > 26_000);
}

/// A person who talks much, and a model that says little.
async fn long_talk(talk: &mut Talk, turns: usize) -> Vec<(Tier, u64, u64)> {
    let mut made = Vec::new();
    for n in 0..turns {
        let text = format!("wish {n}: {}", "please think about this ".repeat(200));
        let turn = talk.turn(&text).await;
        assert_eq!(turn.ended, Ended::Done);
        made.extend(compactions(&turn));
    }
    made
}

#[tokio::test]
async fn a_summary_stands_for_the_older_items_and_recent_ones_stay() {
    let mut talk = start(|request| match summarises(request) {
        true => Reply::new().text("They wish much.").into(),
        false => done(),
    });
    let made = long_talk(&mut talk, 9).await;
    assert!(made.iter().any(|(tier, ..)| *tier == Tier::Summarise), "{made:?}");
    assert!(made.iter().all(|(tier, ..)| *tier != Tier::Collapse), "{made:?}");
    assert!(made.iter().all(|(_, before, after)| after < before));
    let folded = talk.folded();
    let Item::User(first) = &*folded.items[0].1 else { panic!() };
    assert_eq!(first.source, Source::Summary);
    let text = plain(&first.content);
    // CC-32: whatever the model wrote, the person's words are kept.
    assert!(text.contains("They wish much.") && text.contains("- wish 0: please"), "{text}");
    assert!(folded.items.iter().any(|(_, item)| says(item, "wish 8")));
    talk.end().await;
}

#[tokio::test]
async fn cc_32_a_summary_that_fails_or_says_nothing_falls_to_collapse() {
    let failing: [fn() -> Said; 4] = [
        || Reply::new().into(),
        || ModelError::Refused("no".to_owned()).into(),
        || ModelError::Overflow.into(),
        || Said::Silent(Reply::new().text("half a summ")),
    ];
    for fails in failing {
        let mut talk = start(move |request| match summarises(request) {
            true => fails(),
            false => done(),
        });
        let made = long_talk(&mut talk, 9).await;
        assert!(made.iter().any(|(tier, ..)| *tier == Tier::Collapse), "{made:?}");
        assert!(!talk.story().iter().any(|line| line.contains("half a summ")));
        talk.end().await;
    }
}

#[tokio::test]
async fn cc_31_a_summary_longer_than_what_it_stands_for_is_not_taken() {
    let mut talk = start(|request| match summarises(request) {
        true => Reply::new().text("blah ".repeat(9_000)).into(),
        false => done(),
    });
    let made = long_talk(&mut talk, 9).await;
    assert!(made.iter().all(|(_, before, after)| after < before), "{made:?}");
    let requests = talk.end().await.requests();
    assert!(requests.iter().filter(|request| summarises(request)).count() < 9);
}

/// What is too large is collapsed below the limit before it is sent.
async fn fits(author: fn(&Request) -> Said, prompts: &[String]) {
    let mut talk = start(move |request| match summarises(request) {
        true => ModelError::Overflow.into(),
        false => author(request),
    });
    for prompt in prompts {
        let turn = talk.turn(prompt).await;
        assert_eq!(turn.ended, Ended::Done);
    }
    for request in talk.end().await.requests() {
        if !summarises(&request) {
            let text = tokens(&"lorem ipsum ".repeat(letters(&request) / 12));
            assert!(text < USABLE, "{text}");
        }
    }
}

#[tokio::test]
async fn cc_30_one_line_of_200_000_characters_fits_a_small_window() {
    let author = |request: &Request| match steps(request) {
        0 if request.items.len() == 1 => {
            Reply::new().call("look", &letters_of("a", 200_000)).into()
        }
        _ => done(),
    };
    fits(author, &["go".to_owned(), "and on".to_owned(), "and on".to_owned()]).await;
}

#[tokio::test]
async fn cc_31_twelve_large_results_fit_a_small_window() {
    let author = |request: &Request| match request.items.len() {
        1 => {
            let call =
                |reply: Reply, n: usize| reply.call("look", &letters_of(&n.to_string(), 20_000));
            (0..12).fold(Reply::new(), call).into()
        }
        _ => done(),
    };
    fits(author, &["go".to_owned(), "and on".to_owned()]).await;
}

#[tokio::test]
async fn nc_19_three_huge_messages_fit_a_small_window() {
    let huge = || "lorem ipsum ".repeat(10_000);
    fits(|_| done(), &[huge(), huge(), huge(), "and on".to_owned()]).await;
}

#[tokio::test]
async fn the_providers_own_count_is_the_truth() {
    // It counts four times what we would: room is made four times as early, and far enough.
    let mut talk = start(|request| {
        let counted = (letters(request) * 8 / 10) as u64;
        match summarises(request) {
            true => ModelError::Overflow.into(),
            false => Reply::new().text("done").usage(counted, 1).into(),
        }
    });
    let mut made = Vec::new();
    for n in 0..12 {
        let turn = talk.turn(&format!("{n} {}", "lorem ipsum ".repeat(150))).await;
        made.extend(compactions(&turn));
    }
    assert!(!made.is_empty());
    let most = talk.end().await.requests().iter().map(letters).max().unwrap();
    assert!(most * 8 / 10 < 10_000, "{most}");
}

#[tokio::test]
async fn cc_33_compact_means_now() {
    let mut talk = start(|request| match summarises(request) {
        true => Reply::new().text("Much was said.").into(),
        false => Reply::new().text("lorem ipsum ".repeat(40)).into(),
    });
    for n in 0..3 {
        talk.turn(&format!("{n} {}", "and ".repeat(300))).await;
    }
    talk.send(Command::Compact);
    let made = talk.until(|event| matches!(event, Event::Compacted { .. })).await;
    let Event::Compacted { tier, before, after } = made.last().unwrap().event.clone() else {
        panic!()
    };
    assert!(tier == Tier::Summarise && after < before);
    assert!(talk.story()[0].contains("Much was said."));
    assert_eq!(talk.turn("go on").await.ended, Ended::Done);
    talk.end().await;
}

#[tokio::test]
async fn what_cannot_be_made_shorter_is_left_as_it_is_and_said_so() {
    let mut talk = start(|request| match summarises(request) {
        true => Reply::new().text("They said hello, and I said that I am done.").into(),
        false => done(),
    });
    talk.send(Command::Compact);
    talk.turn("hello").await;
    let before = talk.story();
    talk.send(Command::Compact);
    let turn = talk.turn("again").await;
    assert_eq!(turn.notices(), ["nothing could be made shorter"]);
    assert_eq!(talk.story()[..2], before[..]);
    talk.end().await;
}

#[tokio::test]
async fn cc_28_nc_20_an_overflow_makes_room_and_is_asked_once_more() {
    let overflowed = std::sync::atomic::AtomicBool::new(false);
    let mut talk = start(move |request| match steps(request) {
        4 if !overflowed.swap(true, std::sync::atomic::Ordering::Relaxed) => {
            ModelError::Overflow.into()
        }
        n @ 0..4 => Reply::new().call("look", &letters_of(&n.to_string(), 2_000)).into(),
        _ => done(),
    });
    let turn = talk.turn("go").await;
    assert_eq!(turn.ended, Ended::Done);
    assert!(!compactions(&turn).is_empty());
    let requests = talk.end().await.requests();
    assert_eq!(requests.len(), 6);
    assert!(letters(&requests[5]) < letters(&requests[4]));
}

#[tokio::test]
async fn cc_28_an_overflow_that_stays_ends_the_turn_and_the_next_is_valid() {
    let mut talk =
        start(|request| match says(&request.items[request.items.len() - 1].1, "again") {
            true => done(),
            false => ModelError::Overflow.into(),
        });
    assert!(matches!(talk.turn("go").await.ended, Ended::Provider(_)));
    assert_eq!(talk.turn("again").await.ended, Ended::Done);
    assert_eq!(talk.end().await.requests().len(), 3);
}

#[tokio::test]
async fn nc_18_whatever_is_cut_away_calls_and_answers_stay_together() {
    let mut talk = start(|request| match (summarises(request), steps(request)) {
        (true, _) => Reply::new().text("sum").into(),
        (_, n) if n % 7 == 6 => done(),
        (_, n) => {
            let args = letters_of(&n.to_string(), 1_400); // too short to be trimmed
            Reply::new().call("look", &args).call("touch", &what("x")).into()
        }
    });
    for n in 0..10 {
        talk.turn(&format!("turn {n}")).await;
    }
    talk.end().await;
}

#[tokio::test]
async fn facts_are_told_again_once_what_told_them_is_gone() {
    let model = Scripted::by(|request| match summarises(request) {
        true => Reply::new().text("Much was said.").into(),
        false => Reply::new().text("lorem ipsum ".repeat(40)).into(),
    });
    let mut talk = Bench::new(model)
        .change(|bench| {
            bench.facts = Arc::new(|_| vec![("rules".to_owned(), "Run the tests.".to_owned())]);
        })
        .start();
    for n in 0..3 {
        talk.turn(&format!("{n} {}", "and ".repeat(300))).await;
    }
    talk.send(Command::Compact);
    talk.until(|event| matches!(event, Event::Compacted { .. })).await;
    talk.turn("go on").await;
    let told = |items: &[purlin_engine::session::Keyed]| {
        items.iter().filter(|(_, item)| says(item, "Run the tests.")).count()
    };
    let requests = talk.end().await.requests();
    assert!(requests.iter().all(|request| told(&request.items) == 1), "always there, never twice");
}

#[tokio::test]
async fn a_collapse_never_takes_away_what_was_not_seen() {
    let author = |request: &Request| match steps(request) {
        0 if request.items.len() == 1 => {
            let call =
                |reply: Reply, n: usize| reply.call("look", &letters_of(&n.to_string(), 6_000));
            (0..64).fold(Reply::new(), call).into()
        }
        _ => done(),
    };
    let mut talk = start(author);
    let turn = talk.turn("read all").await;
    assert!(compactions(&turn).iter().any(|(tier, ..)| *tier == Tier::Collapse));
    let requests = talk.end().await.requests();
    let Item::Step(step) = &*requests.last().unwrap().items.last().unwrap().1 else {
        panic!("no step is left")
    };
    assert_eq!(step.answers().count(), 64);
    let way = |output: &Output| plain(&output.content).contains("the whole is in");
    assert!(step.answers().all(|(_, output)| way(output)));
}
