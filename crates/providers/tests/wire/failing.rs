//! What fails, and what is to be done about it.

use std::time::{Duration, SystemTime};

use purlin_engine::model::ModelError;
use purlin_providers::Chat;
use purlin_testkit::{Fault, Reply, Round, Script, Wire, fault::Ends, refusal};

use crate::loopback::{LIMITS, ask, chat, client, endpoint, failure, request, said, server};

async fn failing(with: impl Into<Round>) -> ModelError {
    let server = server(Script::new().then(with));
    let failed = failure(&chat(&server)).await;
    assert_eq!(server.completions().len(), 1, "nothing is asked twice here");
    failed
}

fn waits(error: &ModelError) -> Option<Duration> {
    match error {
        ModelError::Transient { wait, .. } => *wait,
        ModelError::Overflow
        | ModelError::Quota { .. }
        | ModelError::Auth(_)
        | ModelError::Refused(_) => panic!("not transient: {error}"),
    }
}

#[tokio::test]
async fn an_overflow_is_known_in_every_spelling() {
    let spellings = [
        "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens",
        "prompt is too long: 200001 tokens > 200000 maximum",
        "the request exceeds the available context size (4096 tokens)",
        "Invalid request: Your request exceeded model token limit: 8192",
        "The input token count (1200000) exceeds the maximum number of tokens allowed",
        "Range of input length should be [1, 30720]",
        "input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000",
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is \
         loaded with context length of only 4096 tokens",
    ];
    for spelling in spellings {
        let failed = failing(refusal::error(400, "invalid_request_error", spelling)).await;
        assert_eq!(failed, ModelError::Overflow, "{spelling}");
    }
    assert_eq!(failing(refusal::too_long()).await, ModelError::Overflow);
    assert_eq!(failing(refusal::too_large()).await, ModelError::Overflow);
}

#[tokio::test]
async fn a_wrong_key_is_told_in_the_servers_words() {
    let failed = failing(refusal::wrong_key()).await;
    let ModelError::Auth(why) = failed else { panic!("{failed:?}") };
    assert!(why.contains("401 Unauthorized: Incorrect API key provided"), "{why}");
    assert!(!why.contains("sk-test"));
    assert!(matches!(failing(refusal::error(403, "x", "no")).await, ModelError::Auth(_)));
}

#[tokio::test]
async fn waiting_is_asked_for_in_seconds_milliseconds_and_dates() {
    let asked = |value: &str| failing(refusal::rate_limited_for(value));
    assert_eq!(waits(&asked("7").await), Some(Duration::from_secs(7)));
    assert_eq!(waits(&asked("1.5").await), Some(Duration::from_millis(1500)));
    assert_eq!(waits(&asked("soon").await), None);
    let date = refusal::rate_limited_for("Sun, 06 Nov 1994 08:50:00 GMT")
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(waits(&failing(date).await), Some(Duration::from_secs(23)));
    let millis = waits(&failing(refusal::rate_limited_for_ms(250)).await);
    assert_eq!(millis, Some(Duration::from_millis(250)));
    assert_eq!(waits(&failing(refusal::rate_limited()).await), None);
}

#[tokio::test]
async fn a_rate_limit_that_advertises_billing_is_still_a_rate_limit() {
    let message = "Rate limit reached for gpt-4o on tokens per min. You can increase your rate \
                   limit by adding a payment method at https://example.test/account/billing.";
    waits(&failing(refusal::error(429, "tokens", message)).await);
}

#[tokio::test]
async fn what_no_waiting_helps_is_a_quota() {
    assert!(matches!(failing(refusal::out_of_quota()).await, ModelError::Quota { .. }));
    let broke = refusal::error(402, "x", "Insufficient Balance");
    assert!(matches!(failing(broke).await, ModelError::Quota { .. }));
    let until = refusal::error(429, "usage_limit_reached", "come back on Sunday")
        .header("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let ModelError::Quota { until, .. } = failing(until).await else { panic!("quota") };
    assert_eq!(until, SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(784_111_800)));
}

#[tokio::test]
async fn only_some_statuses_are_worth_another_try() {
    for status in [408, 409, 425, 429, 500, 502, 503, 504, 520, 529] {
        waits(&failing(refusal::failing(status)).await);
    }
    for status in [400, 404, 405, 422, 501, 505] {
        let failed = failing(refusal::failing(status)).await;
        assert!(matches!(failed, ModelError::Refused(_)), "{status}: {failed:?}");
    }
}

#[tokio::test]
async fn a_status_without_a_name_is_told_by_its_number() {
    let why = failing(refusal::failing(529)).await.to_string();
    assert!(why.contains(" answered 529: "), "{why}");
    let why = failing(refusal::failing(503)).await.to_string();
    assert!(why.contains(" answered 503 Service Unavailable: "), "{why}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_but_named() {
    let away = Wire::status(302).header("location", "https://elsewhere.test/v1");
    let ModelError::Refused(why) = failing(away).await else { panic!("refused") };
    assert!(why.contains("points to https://elsewhere.test/v1; not followed"), "{why}");
}

#[tokio::test]
async fn a_page_instead_of_a_reply_names_the_proxy() {
    let ModelError::Refused(why) = failing(refusal::html_page()).await else { panic!("refused") };
    assert!(why.starts_with("a proxy answered: text/html; charset=utf-8 \"Sign in"), "{why}");
    assert!(why.contains("127.0.0.1:"), "{why}");
    let text = Wire::status(200).header("content-type", "text/plain").write("no healthy upstream");
    let ModelError::Refused(why) = failing(text).await else { panic!("refused") };
    assert!(why.contains("text/plain \"no healthy upstream\""), "{why}");
}

#[tokio::test]
async fn a_page_labelled_as_json_is_called_a_page() {
    for label in ["application/json", ""] {
        let page = Wire::status(200).header("content-type", label).write("\n<html>Sign in</html>");
        let ModelError::Refused(why) = failing(page).await else { panic!("refused") };
        assert!(why.starts_with("a proxy answered: a web page \"Sign in\" from 127"), "{why}");
    }
}

#[tokio::test]
async fn an_error_as_a_success_is_an_error() {
    waits(&failing(refusal::error_as_success("overloaded, try later")).await);
}

#[tokio::test]
async fn an_error_inside_a_stream_ends_it() {
    let error = refusal::error_body("insufficient_quota", "out of credits");
    let broken = Reply::new().text("half").with(Ends::ErrorAfter(2, error));
    assert!(matches!(failing(broken).await, ModelError::Quota { .. }));
}

#[tokio::test]
async fn a_connection_that_breaks_is_worth_another_try() {
    waits(&failing(refusal::hung_up()).await);
    waits(&failing(Reply::new().text("some words").with(Ends::CutAfter(2))).await);
    let ended = failing(Reply::new().text("some words").with(Ends::After(2))).await;
    assert_eq!(ended.to_string(), "stream ended before its end marker");
}

#[tokio::test]
async fn nothing_listening_here_is_told_at_once() {
    let gone = server(Script::new()).url();
    let failed = failure(&Chat::new(client(), endpoint(&gone), LIMITS)).await;
    let ModelError::Refused(why) = failed else { panic!("{failed:?}") };
    assert!(why.ends_with("/v1/chat/completions; is the server running?"), "{why}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    for address in ["", "localhost:1234", "ftp://example.test"] {
        let failed = failure(&Chat::new(client(), endpoint(address), LIMITS)).await;
        assert!(failed.to_string().contains("is not an address"), "{failed}");
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up_and_left() {
    let left = purlin_testkit::Latch::new();
    let stalled =
        Reply::new().text("some words").with(Fault::from(Ends::StallAfter(2, left.clone())));
    let server = server(Script::new().then(stalled));
    let limits = purlin_providers::Limits { idle: Duration::from_millis(30), ..LIMITS };
    let model = Chat::new(client(), endpoint(&server.url()), limits);
    let (deltas, failed) = ask(&model, request([said("hi")])).await;
    assert!(!deltas.is_empty());
    assert!(failed.unwrap().to_string().starts_with("the server sent nothing for"));
    drop(model);
    left.opened().await;
}

#[tokio::test]
async fn a_server_that_never_begins_is_given_up() {
    let left = purlin_testkit::Latch::new();
    let server = server(Script::new().then(Wire::stream().stall(&left)));
    let limits = purlin_providers::Limits { first: Duration::from_millis(30), ..LIMITS };
    let failed = failure(&Chat::new(client(), endpoint(&server.url()), limits)).await;
    waits(&failed);
}
