//! Who speaks which format where: vendors and models as rows of data.
//!
//! A row says what is known today; a quirk is a field of [`Quirks`], never a branch on a name. A
//! model without a row has no price: a guess would be worse than none.

use purlin_engine::model::Price;
use reqwest::Url;
use serde_json::{Map, Value};

/// A model at an address: all that a wire must know.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The vendor's name, for people and for the origin of replies.
    pub provider: String,
    /// The address that the format's own path is appended to.
    pub base_url: String,
    /// The key, where one is needed.
    pub key: Option<String>,
    /// The model's name there.
    pub model: String,
    /// Tokens of prompt and output together.
    pub window: u64,
    /// The most tokens of one reply.
    pub output_limit: u64,
    /// US dollars, or nothing where the price is unknown.
    pub price: Option<Price>,
    /// Where the server departs from the format.
    pub quirks: Quirks,
}

/// The window assumed of a model without a row.
pub const ASSUMED_WINDOW: u64 = 128_000;
/// The window assumed of a model on this machine: servers here are often started with less than
/// the model could do.
pub const ASSUMED_LOCAL_WINDOW: u64 = 32_768;
/// The output limit assumed of a model without a row.
pub const ASSUMED_OUTPUT: u64 = 8_192;

/// How a server departs from the format.
#[derive(Clone, Debug, PartialEq)]
pub struct Quirks {
    /// The field that limits the output.
    pub limit: Limit,
    /// Whether reasoning goes back.
    pub reasoning: Reasoning,
    /// Further parameters, sent as they are. One that the server rejects is not sent again.
    pub extra: Map<String, Value>,
}

/// The field that limits the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `max_tokens`, which most servers know.
    MaxTokens,
    /// `max_completion_tokens`, which OpenAI's reasoning models insist on.
    MaxCompletionTokens,
}

/// Whether reasoning goes back to the model that did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reasoning {
    /// It does not.
    Dropped,
    /// In `reasoning_content` of every message with calls, even when there was none: the server
    /// rejects such a message without it.
    WithCalls,
}

/// A vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The name to choose it by.
    pub name: &'static str,
    /// The address of its Chat Completions.
    pub base_url: &'static str,
    /// The variable its users keep their key in; none for servers that ask for none.
    pub key_var: Option<&'static str>,
    /// The field that limits the output.
    pub limit: Limit,
    /// Whether reasoning goes back.
    pub reasoning: Reasoning,
}

/// The vendors. The first is the default.
pub const VENDORS: &[Vendor] = &[
    Vendor {
        limit: Limit::MaxCompletionTokens,
        ..cloud("openai", "https://api.openai.com/v1", "OPENAI_API_KEY")
    },
    cloud("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    thinking("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    thinking("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    thinking("zai", "https://api.z.ai/api/paas/v4", "ZHIPU_API_KEY"),
    cloud(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
    ),
    local("ollama", "http://127.0.0.1:11434/v1"),
    local("lmstudio", "http://127.0.0.1:1234/v1"),
    local("llama.cpp", "http://127.0.0.1:8080/v1"),
    local("vllm", "http://127.0.0.1:8000/v1"),
];

const fn cloud(name: &'static str, base_url: &'static str, key_var: &'static str) -> Vendor {
    let (limit, reasoning) = (Limit::MaxTokens, Reasoning::Dropped);
    Vendor { name, base_url, key_var: Some(key_var), limit, reasoning }
}

const fn thinking(name: &'static str, base_url: &'static str, key_var: &'static str) -> Vendor {
    Vendor { reasoning: Reasoning::WithCalls, ..cloud(name, base_url, key_var) }
}

const fn local(name: &'static str, base_url: &'static str) -> Vendor {
    Vendor { key_var: None, ..cloud(name, base_url, "") }
}

/// The vendor of a name.
pub fn named(name: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.name == name)
}

/// The vendor behind an address: the one with the same host, and on this machine the same port.
pub fn at(base_url: &str) -> Option<&'static Vendor> {
    let url = Url::parse(base_url).ok()?;
    let here = |url: &Url| is_loopback(url).then(|| url.port_or_known_default());
    VENDORS.iter().find(|vendor| {
        Url::parse(vendor.base_url).is_ok_and(|known| match (here(&known), here(&url)) {
            (Some(known), Some(port)) => known == port,
            (None, None) => known.host() == url.host(),
            (Some(_), None) | (None, Some(_)) => false,
        })
    })
}

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    ip.is_ok_and(|ip| ip.is_loopback()) || host == "localhost" || host.ends_with(".localhost")
}

impl Endpoint {
    /// A model at an address, with what the tables know of both.
    pub fn new(base_url: &str, key: Option<String>, model: &str) -> Self {
        let vendor = at(base_url);
        let url = Url::parse(base_url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or(base_url);
        let here = url.as_ref().is_some_and(is_loopback);
        // What runs here costs nothing that we could name, whatever it calls itself.
        let row = if here { None } else { known(model) };
        let assumed = if here { ASSUMED_LOCAL_WINDOW } else { ASSUMED_WINDOW };
        Self {
            provider: vendor.map_or(host, |vendor| vendor.name).to_owned(),
            base_url: base_url.to_owned(),
            key,
            model: model.to_owned(),
            window: row.map_or(assumed, |row| row.window),
            output_limit: row.map_or(ASSUMED_OUTPUT, |row| row.output),
            price: row.map(Known::price),
            quirks: Quirks {
                limit: vendor.map_or(Limit::MaxTokens, |vendor| vendor.limit),
                reasoning: vendor.map_or(Reasoning::Dropped, |vendor| vendor.reasoning),
                extra: Map::new(),
            },
        }
    }
}

/// What is known of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Who makes it; gateways put this before the name.
    pub maker: &'static str,
    /// Its name.
    pub model: &'static str,
    /// Tokens of prompt and output together.
    pub window: u64,
    /// The most tokens of one reply.
    pub output: u64,
    /// US dollars per million tokens: input, input from a cache, output.
    pub price: (f64, f64, f64),
}

impl Known {
    /// Its price. Anthropic alone charges more for what goes into the cache: a quarter more.
    fn price(&self) -> Price {
        let (input, cache_read, output) = self.price;
        let cache_write = if self.maker == "anthropic" { input * 1.25 } else { input };
        Price { input, cache_read, cache_write, output }
    }
}

/// The row of a model: its exact name, perhaps after its maker's.
pub fn known(model: &str) -> Option<&'static Known> {
    let (maker, name) = model.split_once('/').map_or((None, model), |(m, name)| (Some(m), name));
    MODELS.iter().find(|row| row.model == name && maker.is_none_or(|maker| maker == row.maker))
}

const fn row(
    maker: &'static str,
    model: &'static str,
    window: u64,
    output: u64,
    price: (f64, f64, f64),
) -> Known {
    Known { maker, model, window, output, price }
}

/// Models whose prices are known, as of November 2026. Where a cached price is not published, the
/// input's stands.
pub const MODELS: &[Known] = &[
    row("openai", "gpt-5.5", 1_050_000, 128_000, (5.0, 0.5, 30.0)),
    row("openai", "gpt-5.4", 1_050_000, 128_000, (2.5, 0.25, 15.0)),
    row("openai", "gpt-5.4-mini", 400_000, 128_000, (0.75, 0.075, 4.5)),
    row("openai", "gpt-5.4-nano", 400_000, 128_000, (0.2, 0.02, 1.25)),
    row("openai", "o4-mini", 200_000, 100_000, (1.1, 0.275, 4.4)),
    row("openai", "gpt-4.1", 1_047_576, 32_768, (2.0, 0.5, 8.0)),
    row("openai", "gpt-4.1-mini", 1_047_576, 32_768, (0.4, 0.1, 1.6)),
    row("openai", "gpt-4.1-nano", 1_047_576, 32_768, (0.1, 0.025, 0.4)),
    row("openai", "gpt-4o", 128_000, 16_384, (2.5, 1.25, 10.0)),
    row("openai", "gpt-4o-mini", 128_000, 16_384, (0.15, 0.075, 0.6)),
    row("deepseek", "deepseek-chat", 1_000_000, 384_000, (0.14, 0.0028, 0.28)),
    row("deepseek", "deepseek-reasoner", 1_000_000, 384_000, (0.14, 0.0028, 0.28)),
    row("deepseek", "deepseek-v4-flash", 1_000_000, 384_000, (0.14, 0.0028, 0.28)),
    row("deepseek", "deepseek-v4-pro", 1_000_000, 384_000, (0.435, 0.003_625, 0.87)),
    row("anthropic", "claude-opus-4-6", 1_000_000, 128_000, (5.0, 0.5, 25.0)),
    row("anthropic", "claude-sonnet-4-6", 1_000_000, 64_000, (3.0, 0.3, 15.0)),
    row("anthropic", "claude-haiku-4-5", 200_000, 64_000, (1.0, 0.1, 5.0)),
    row("qwen", "qwen3-max", 262_144, 65_536, (1.2, 1.2, 6.0)),
    row("qwen", "qwen-max", 32_768, 8_192, (1.6, 1.6, 6.4)),
    row("moonshotai", "kimi-k2.5", 262_144, 262_144, (0.6, 0.1, 3.0)),
    row("moonshotai", "kimi-k2.6", 262_144, 262_144, (0.95, 0.16, 4.0)),
];
