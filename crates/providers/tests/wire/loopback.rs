//! A wire that asks the scripted server, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use purlin_engine::message::{
    Block, Body, Content, Item, OpenStep, Origin, Output, Reply, Source, Stop, ToolCall, Usage,
    UserMessage,
};
use purlin_engine::model::{Collector, Delta, ItemKey, Model, ModelError, Request};
use purlin_providers::{Chat, Endpoint, Limits};
use purlin_testkit::{Script, Server};
use reqwest::Client;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Long enough that only a fault can reach it, except after a finish reason.
pub(crate) const LIMITS: Limits = Limits {
    first: Duration::from_secs(60),
    idle: Duration::from_secs(60),
    tail: Duration::from_millis(50),
};

/// A client that trusts nobody: loopback has no certificates.
pub(crate) fn client() -> Client {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let none = reqwest::redirect::Policy::none();
    Client::builder().no_proxy().redirect(none).tls_backend_preconfigured(tls).build().unwrap()
}

pub(crate) fn server(script: Script) -> Server {
    Server::start(script).unwrap()
}

pub(crate) fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(url, Some("sk-test".to_owned()), "scripted")
}

pub(crate) fn chat(server: &Server) -> Chat {
    Chat::new(client(), endpoint(&server.url()), LIMITS)
}

/// Asks, and hears the reply out.
pub(crate) async fn ask(model: &Chat, request: Request) -> (Vec<Delta>, Option<ModelError>) {
    let heard: Vec<_> = model.stream(request).collect().await;
    let errors: Vec<_> = heard.iter().filter_map(|delta| delta.clone().err()).collect();
    assert!(errors.is_empty() || heard.last().is_some_and(Result::is_err), "nothing follows one");
    let deltas = heard.into_iter().filter_map(Result::ok).collect();
    (deltas, errors.into_iter().next())
}

/// Asks a model that fails.
pub(crate) async fn failure(model: &Chat) -> ModelError {
    ask(model, request([said("hi")])).await.1.expect("a failure")
}

/// Asks a model that replies.
pub(crate) async fn reply(model: &Chat, request: Request) -> Reply {
    let (deltas, error) = ask(model, request).await;
    assert_eq!(error, None, "after {deltas:?}");
    let mut collector = Collector::default();
    for delta in &deltas {
        collector.take(delta);
    }
    collector.finish(model.info().origin.clone()).expect("a reply")
}

pub(crate) fn request(items: impl IntoIterator<Item = Item>) -> Request {
    let key = |line: usize| ItemKey { journal: 1, line: line as u64 + 1, trimmed: 0 };
    let items = items.into_iter().enumerate().map(|(at, item)| (key(at), Arc::new(item)));
    Request {
        system: "Be brief.".into(),
        items: items.collect(),
        tools: Arc::new([]),
        max_output: None,
    }
}

pub(crate) fn said(text: &str) -> Item {
    Item::User(UserMessage {
        content: vec![Content::Text(text.to_owned())],
        source: Source::Person,
    })
}

pub(crate) fn body_call(id: &str, name: &str, args: &str) -> Body {
    let (id, name, args) = (id.to_owned(), name.to_owned(), args.to_owned());
    Body::Call(ToolCall { id, name, args })
}

/// A step of the scripted model, its calls answered in order.
pub(crate) fn step(
    blocks: impl IntoIterator<Item = impl Into<Block>>,
    outputs: impl IntoIterator<Item = Output>,
) -> Item {
    let origin = Origin { provider: "127.0.0.1".to_owned(), model: "scripted".to_owned() };
    let blocks = blocks.into_iter().map(Into::into).collect();
    let mut open =
        OpenStep::new(Reply { blocks, origin, usage: Usage::default(), stop: Stop::End });
    for (index, output) in outputs.into_iter().enumerate() {
        open.answer(index, output);
    }
    Item::Step(open.close())
}
