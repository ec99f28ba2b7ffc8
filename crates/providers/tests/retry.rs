//! Trying again, against a scripted model and a clock that only waiting moves.

// What a test stands on may fail as the test may.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use purlin_engine::message::{Content, Item, Source, UserMessage};
use purlin_engine::model::{Delta, ItemKey, Model as _, ModelError, Request};
use purlin_providers::retry::{Patience, Retrying};
use purlin_testkit::Reply;
use purlin_testkit::model::{Said, Scripted};
use tokio::time::{Instant, timeout};

type Heard = Vec<Result<Delta, ModelError>>;

fn request() -> Request {
    let content = vec![Content::Text("hi".to_owned())];
    let said = Item::User(UserMessage { content, source: Source::Person });
    let key = ItemKey { journal: 1, line: 1, trimmed: 0 };
    let items = Arc::new([(key, Arc::new(said))]);
    Request { system: "Be brief.".into(), items, tools: Arc::new([]), max_output: None }
}

fn busy(wait: Option<Duration>) -> ModelError {
    ModelError::Transient { why: "busy".to_owned(), wait }
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn patiently(rounds: impl IntoIterator<Item = Said>) -> (Arc<Scripted>, Retrying) {
    let model = Arc::new(Scripted::new(rounds));
    (Arc::clone(&model), Retrying::new(model, Patience::default()))
}

/// Everything heard of one request, and how often the model was asked.
async fn hear(rounds: impl IntoIterator<Item = Said>) -> (Heard, usize) {
    let (model, retrying) = patiently(rounds);
    let heard = retrying.stream(request()).collect().await;
    (heard, model.requests().len())
}

/// The pauses that were announced, in milliseconds.
fn pauses(heard: &Heard) -> Vec<u64> {
    let pause = |delta: &Result<Delta, ModelError>| match delta {
        Ok(Delta::Restart { wait_ms, .. }) => Some(*wait_ms),
        _ => None,
    };
    heard.iter().filter_map(pause).collect()
}

fn ended(heard: &Heard) -> bool {
    matches!(heard.last(), Some(Ok(Delta::End { .. })))
}

#[tokio::test(start_paused = true)]
async fn there_are_five_attempts_with_growing_pauses() {
    let began = Instant::now();
    let (heard, asked) = hear((0..9).map(|_| busy(None).into())).await;
    assert_eq!(asked, 5);
    let pauses = pauses(&heard);
    assert_eq!(pauses.len(), 4);
    for (pause, whole) in pauses.iter().zip([1000, 2000, 4000, 8000]) {
        assert!((whole / 2..=whole).contains(pause), "{pauses:?}");
    }
    let why = "busy (5 attempts)".to_owned();
    assert_eq!(heard.last(), Some(&Err(ModelError::Transient { why, wait: None })));
    assert!(began.elapsed() >= Duration::from_millis(pauses.iter().sum()));
}

#[tokio::test(start_paused = true)]
async fn no_pause_of_ours_is_longer_than_the_longest() {
    let model = Arc::new(Scripted::by(|_| busy(None).into()));
    let patience = Patience { attempts: 9, longest: Duration::from_secs(3), ..Patience::default() };
    let heard = Retrying::new(model, patience).stream(request()).collect().await;
    let pauses = pauses(&heard);
    assert_eq!(pauses.len(), 8);
    assert!(pauses.iter().all(|pause| *pause <= 3000), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_is_given_the_pause_it_asked_for() {
    let began = Instant::now();
    let rounds = [busy(seconds(7)).into(), busy(seconds(60)).into(), Reply::new().text("x").into()];
    let (heard, asked) = hear(rounds).await;
    assert_eq!((pauses(&heard), asked), (vec![7_000, 60_000], 3));
    assert!(ended(&heard));
    let took = began.elapsed();
    assert!((67..68).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_too_long_a_pause_is_given_up_at_once() {
    let began = Instant::now();
    let (heard, asked) = hear([busy(seconds(61)).into(), Reply::new().text("x").into()]).await;
    assert_eq!(heard, [Err(busy(seconds(61)))]);
    assert_eq!((asked, began.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_announced_before_its_pause_and_made_after_it() {
    let rounds = [busy(seconds(7)).into(), Reply::new().text("x").into()];
    let (model, retrying) = patiently(rounds);
    let began = Instant::now();
    let mut heard = retrying.stream(request());
    let announced = Delta::Restart { attempt: 2, why: "busy".to_owned(), wait_ms: 7_000 };
    assert_eq!(heard.next().await, Some(Ok(announced)));
    assert_eq!((began.elapsed(), model.requests().len()), (Duration::ZERO, 1));
    assert_eq!(heard.next().await, Some(Ok(Delta::Text("x".to_owned()))));
    assert!(began.elapsed() >= Duration::from_secs(7));
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_no_waiting_helps_is_not_tried_again() {
    for error in [
        ModelError::Overflow,
        ModelError::Quota { why: "no credit".to_owned(), until: None },
        ModelError::Auth("wrong key".to_owned()),
        ModelError::Refused("no such model".to_owned()),
    ] {
        let (heard, asked) = hear([error.clone().into(), Reply::new().text("x").into()]).await;
        assert_eq!((heard, asked), (vec![Err(error)], 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_without_its_end_is_tried_again() {
    let silent = Said::Silent(Reply::new().text("ha"));
    let (heard, asked) = hear([silent, Reply::new().text("x").into()]).await;
    assert!(ended(&heard) && asked == 2, "{heard:?}");
    let [Ok(half), Ok(Delta::Restart { attempt: 2, why, .. }), Ok(whole), _] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert_eq!((half, whole), (&Delta::Text("ha".to_owned()), &Delta::Text("x".to_owned())));
    assert!(why.ends_with("stream ended before its end marker"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_in_a_pause_cancels_the_attempt() {
    let (model, retrying) = patiently([busy(seconds(7)).into(), Reply::new().text("x").into()]);
    let mut heard = retrying.stream(request());
    assert_eq!(pauses(&vec![heard.next().await.unwrap()]), [7_000]);
    assert!(timeout(Duration::from_secs(6), heard.next()).await.is_err(), "still in the pause");
    drop(heard);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(model.requests().len(), 1);
}
