//! The tables.

use purlin_engine::message::Usage;
use purlin_providers::Endpoint;
use purlin_providers::vendor::{MODELS, Reasoning, VENDORS, at, known, named};

#[test]
fn vendors_are_found_by_name_and_by_address() {
    for vendor in VENDORS {
        assert_eq!(named(vendor.name), Some(vendor));
        assert_eq!(at(vendor.base_url), Some(vendor));
    }
    assert_eq!(at("https://api.deepseek.com/beta").map(|vendor| vendor.name), Some("deepseek"));
    assert_eq!(at("http://localhost:1234").map(|vendor| vendor.name), Some("lmstudio"));
    assert_eq!(at("http://localhost:4321"), None);
    assert_eq!(at("not an address"), None);
}

#[test]
fn a_model_without_a_row_has_no_price() {
    let endpoint = Endpoint::new("https://api.openai.com/v1", None, "gpt-unheard-of");
    assert_eq!(endpoint.price, None);
    assert_eq!((endpoint.window, endpoint.output_limit), (128_000, 8_192));
    assert_eq!(known("gpt-5.5-but-not-quite"), None);
}

#[test]
fn cc_54_a_name_after_its_makers_has_its_price_and_after_anothers_has_none() {
    assert_eq!(known("openai/gpt-4o"), known("gpt-4o"));
    assert_eq!(known("acme/gpt-4o"), None);
    let price = Endpoint::new("https://openrouter.ai/api/v1", None, "openai/gpt-4o").price.unwrap();
    let usage =
        Usage { input: 1_000_000, cache_read: 1_000_000, output: 100_000, ..Usage::default() };
    assert!((price.of(&usage) - 4.75).abs() < 1e-9);
}

#[test]
fn what_runs_here_costs_nothing_we_could_name() {
    let endpoint = Endpoint::new("http://127.0.0.1:11434/v1", None, "gpt-4o");
    assert_eq!((endpoint.provider.as_str(), endpoint.price), ("ollama", None));
    assert_eq!(endpoint.window, 32_768);
}

#[test]
fn thinking_vendors_want_their_reasoning_back() {
    let wanting = VENDORS.iter().filter(|vendor| vendor.reasoning == Reasoning::WithCalls);
    let names: Vec<&str> = wanting.map(|vendor| vendor.name).collect();
    assert_eq!(names, ["moonshot", "deepseek", "zai"]);
}

#[test]
fn every_row_is_plausible() {
    for row in MODELS {
        let (input, cached, output) = row.price;
        assert!(0.0 < cached && cached <= input && input < output, "{}", row.model);
        assert!(row.output <= row.window && row.window >= 32_768, "{}", row.model);
    }
}
