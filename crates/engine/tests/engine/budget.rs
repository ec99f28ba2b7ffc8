//! What a session may spend, and that it stops there.

use std::time::Duration;

use purlin_engine::budget::Limits;
use purlin_engine::event::Ended;
use purlin_engine::model::Price;
use purlin_testkit::{Reply, Scripted};

use crate::common::{Bench, says};
use crate::tools::what;
use crate::turn::{done, steps};

fn spends(tokens: u64) -> Scripted {
    Scripted::by(move |request| {
        Reply::new().call("look", &what(&steps(request).to_string())).usage(tokens, 0).into()
    })
}

#[tokio::test]
async fn the_turn_ends_when_the_tokens_are_spent() {
    let limits = Limits { tokens: Some(2_500), ..Limits::default() };
    let mut talk = Bench::new(spends(1_000)).change(|bench| bench.shared.limits = limits).start();
    let Ended::Budget(why) = talk.turn("go").await.ended else { panic!("went on") };
    assert_eq!(why, "3000 of 2500 tokens are spent");
    assert_eq!(talk.end().await.requests().len(), 3);
}

#[tokio::test]
async fn the_turn_ends_when_the_dollars_are_spent() {
    let price = Price { input: 1.0, cache_read: 0.1, cache_write: 1.0, output: 10.0 };
    let model = spends(1_000_000).with_info(|info| info.price = Some(price));
    let limits = Limits { dollars: Some(1.5), ..Limits::default() };
    let mut talk = Bench::new(model).change(|bench| bench.shared.limits = limits).start();
    assert!(matches!(talk.turn("go").await.ended, Ended::Budget(_)));
    assert_eq!(talk.end().await.requests().len(), 2);
}

#[tokio::test]
async fn a_limit_in_dollars_cannot_be_kept_where_the_price_is_unknown() {
    let limits = Limits { dollars: Some(1.5), ..Limits::default() };
    let mut talk = Bench::new(spends(1)).change(|bench| bench.shared.limits = limits).start();
    let Ended::Budget(why) = talk.turn("go").await.ended else { panic!("went on") };
    assert!(why.contains("the price of scripted is unknown"), "{why}");
    assert_eq!(talk.end().await.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_turn_ends_when_the_time_is_over() {
    let limits = Limits { time: Some(Duration::from_secs(60)), ..Limits::default() };
    let mut talk = Bench::new(Scripted::new([done("quick"), done("late")]))
        .change(|bench| bench.shared.limits = limits)
        .start();
    assert_eq!(talk.turn("one").await.ended, Ended::Done);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(matches!(talk.turn("two").await.ended, Ended::Limit(_)));
    assert_eq!(talk.end().await.requests().len(), 1);
}

#[tokio::test]
async fn sub_agents_spend_from_the_same_purse() {
    let limits = Limits { tokens: Some(3_500), ..Limits::default() };
    let model = Scripted::by(|request| {
        let child = says(&request.items[0].1, "task");
        let name = if child { "look" } else { "agent" };
        Reply::new().call(name, &what(&format!("task {}", steps(request)))).usage(1_000, 0).into()
    });
    let mut talk = Bench::new(model).change(|bench| bench.shared.limits = limits).start();
    assert!(matches!(talk.turn("go").await.ended, Ended::Budget(_)));
    assert!(talk.answer_to(0).contains("tokens are spent"), "{:?}", talk.story());
    assert_eq!(talk.end().await.requests().len(), 4);
}
