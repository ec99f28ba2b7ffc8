//! Finding a model: what was set, else a vendor whose key is there, else a server on this machine.

use std::sync::Arc;
use std::time::Duration;

use purlin_engine::driver::Models;
use purlin_engine::message::{Origin, Reply};
use purlin_engine::model::{Model, ModelInfo};
use purlin_providers::retry::{Patience, Retrying};
use purlin_providers::vendor::{self, Endpoint, Vendor};
use purlin_providers::{Chat, Limits};
use serde_json::Value;

use crate::config::Config;
use crate::exit::{Code, Fatal};
use crate::http;

/// The model of the default vendor that is spoken to when none is named.
const DEFAULT_MODEL: &str = "gpt-5.5";
/// How long a server on this machine may take to say that it is there.
const PROBE: Duration = Duration::from_millis(300);

/// A language model to make an agent with.
#[derive(Clone)]
pub struct Llm {
    pub(crate) model: Arc<dyn Model>,
    endpoint: Option<Endpoint>,
    /// How it was found, for the person.
    pub found: String,
    how: How,
}

/// How a model came to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// It was set, or belongs to the key that was.
    Set,
    /// It was set for this very run: a session does not bring its own.
    Insisted,
    /// Nobody spoke of it; a server that runs here has it.
    Found,
}

impl Llm {
    /// A model at an address, with a key where the server wants one.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(base_url: &str, key: Option<String>, model: &str) -> Result<Self, Fatal> {
        let endpoint = Endpoint::new(base_url, key, model);
        let found = format!("{} at {}", endpoint.model, endpoint.base_url);
        Ok(Self { model: speak(&endpoint)?, endpoint: Some(endpoint), found, how: How::Set })
    }

    /// A model of your own making. Retrying is its own affair.
    pub fn custom(model: Arc<dyn Model>) -> Self {
        let found = model.info().origin.model.clone();
        Self { model, endpoint: None, found, how: How::Set }
    }

    /// The model that the environment speaks of; see [`Config::from_env`].
    ///
    /// # Errors
    /// When there is none, with three ways to name one.
    pub async fn from_env() -> Result<Self, Fatal> {
        Self::find(&Config::from_env()?).await
    }

    /// The model that a configuration speaks of.
    ///
    /// # Errors
    /// When there is none, with three ways to name one.
    pub async fn find(config: &Config) -> Result<Self, Fatal> {
        let name = config.model.clone();
        if let Some(url) = &config.base_url {
            let theirs = vendor::at(url).and_then(|vendor| vendor_key(config, vendor));
            let general = || config.openai_key.clone();
            let key = config.api_key.clone().or(theirs).or_else(general);
            let name = match name {
                Some(name) => name,
                None => only_model(url, key.as_deref()).await?,
            };
            return Self::new(url, key, &name);
        }
        if let Some(key) = config.api_key.as_ref().or(config.openai_key.as_ref()) {
            let vendor = &vendor::VENDORS[0];
            let name = name.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
            return Self::new(vendor.base_url, Some(key.clone()), &name);
        }
        let mut keyed = vendor::VENDORS.iter().filter_map(|v| Some((v, vendor_key(config, v)?)));
        if let Some((vendor, key)) = keyed.next() {
            let name = name.ok_or_else(|| nameless(vendor))?;
            return Self::new(vendor.base_url, Some(key), &name);
        }
        Self::local(name).await.ok_or_else(|| Fatal::new(Code::Configuration, NOTHING))?
    }

    /// What is known about it.
    pub fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    /// The same, whatever model a session that is gone on with had last.
    pub(crate) fn insisted(self) -> Self {
        Self { how: How::Insisted, ..self }
    }

    /// Whether nobody spoke of it, so that the person must be told.
    pub(crate) fn was_found(&self) -> bool {
        self.how == How::Found
    }

    /// The model that a session had last, where it is one of this server's.
    pub(crate) fn of_session(&self, last: Option<&Origin>) -> Self {
        let here = |last: &&Origin| {
            self.how != How::Insisted && last.provider == self.info().origin.provider
        };
        let other = last.filter(here).zip(self.endpoint.as_ref()).and_then(|(last, endpoint)| {
            Self::new(&endpoint.base_url, endpoint.key.clone(), &last.model).ok()
        });
        other.unwrap_or_else(|| self.clone())
    }

    /// What these replies cost, each at the price of its own model; nothing where one is unknown.
    pub(crate) fn price_of(&self, replies: &[Reply]) -> Option<f64> {
        let price = |origin: &Origin| {
            if *origin == self.info().origin {
                return self.info().price;
            }
            let known = vendor::named(&origin.provider).map(|vendor| vendor.base_url.to_owned());
            let address = known.unwrap_or_else(|| format!("https://{}", origin.provider));
            Endpoint::new(&address, None, &origin.model).price
        };
        replies.iter().map(|reply| Some(price(&reply.origin)?.of(&reply.usage))).sum()
    }

    /// Other models of the same server, by name.
    pub(crate) fn others(&self) -> Models {
        let endpoint = self.endpoint.clone();
        Arc::new(move |name| {
            let endpoint = endpoint.as_ref().ok_or("this model has no others beside it")?;
            let other = Endpoint::new(&endpoint.base_url, endpoint.key.clone(), name);
            speak(&other).map_err(|fatal| fatal.why)
        })
    }

    /// The first server on this machine that answers.
    async fn local(name: Option<String>) -> Option<Result<Self, Fatal>> {
        for vendor in vendor::VENDORS.iter().filter(|vendor| vendor.key_var.is_none()) {
            let Ok(Ok(models)) = tokio::time::timeout(PROBE, models(vendor.base_url, None)).await
            else {
                continue;
            };
            let Some(name) = name.clone().or_else(|| models.into_iter().next()) else { continue };
            return Some(Self::new(vendor.base_url, None, &name).map(|llm| {
                let found = format!("{} at {} (found running here)", name, vendor.name);
                Self { found, how: How::Found, ..llm }
            }));
        }
        None
    }
}

fn speak(endpoint: &Endpoint) -> Result<Arc<dyn Model>, Fatal> {
    let client = http::client(&endpoint.base_url)
        .map_err(|why| Fatal::new(Code::Configuration, format!("{why:#}")))?;
    let chat = Chat::new(client, endpoint.clone(), Limits::default());
    Ok(Arc::new(Retrying::new(Arc::new(chat), Patience::default())))
}

fn vendor_key(config: &Config, vendor: &Vendor) -> Option<String> {
    vendor.key_var.and_then(|name| config.var(name))
}

/// The model of a server that has one, where none was named.
async fn only_model(url: &str, key: Option<&str>) -> Result<String, Fatal> {
    let asked = tokio::time::timeout(Duration::from_secs(5), models(url, key)).await;
    match asked {
        Ok(Ok(models)) if models.len() == 1 => Ok(models.into_iter().next().unwrap_or_default()),
        Ok(Ok(models)) if !models.is_empty() => {
            let names: Vec<_> = models.iter().take(8).map(String::as_str).collect();
            let why = format!("name a model with -m; {url} has {}", names.join(", "));
            Err(Fatal::new(Code::Configuration, why))
        }
        Ok(_) | Err(_) => {
            Err(Fatal::new(Code::Configuration, format!("name a model with -m for {url}")))
        }
    }
}

async fn models(url: &str, key: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut request = http::client(url)?.get(format!("{}/models", url.trim_end_matches('/')));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let body = request.send().await?.error_for_status()?.bytes().await?;
    let body: Value = serde_json::from_slice(&body)?;
    let ids = body.get("data").and_then(Value::as_array).into_iter().flatten();
    Ok(ids.filter_map(|model| model.get("id")?.as_str().map(str::to_owned)).collect())
}

fn nameless(vendor: &Vendor) -> Fatal {
    let key = vendor.key_var.unwrap_or_default();
    let why = format!("{key} is set: name a model of {} with -m or PURLIN_MODEL", vendor.name);
    Fatal::new(Code::Configuration, why)
}

const NOTHING: &str = "no model: no key, no address, and no server running here. For example:
  OPENAI_API_KEY=sk-…  purlin -m gpt-5.5
  OPENAI_API_KEY=sk-…  OPENAI_BASE_URL=https://openrouter.ai/api/v1  purlin -m deepseek/deepseek-chat
  ollama serve, then   purlin -m qwen3-coder
or see it work without any: purlin demo";
