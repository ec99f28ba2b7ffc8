//! Responses that are not a stream: what servers, gateways and proxies answer instead.

use serde_json::{Value, json};

use crate::wire::Wire;

/// An error in the shape that Chat Completions servers share.
pub fn error(status: u16, kind: &str, message: &str) -> Wire {
    Wire::status(status).json(&error_body(kind, message))
}

/// The body of such an error; also what some servers send as an event inside a stream.
pub fn error_body(kind: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
}

/// 429 that says nothing of when to come back.
pub fn rate_limited() -> Wire {
    error(429, "rate_limit_exceeded", "Rate limit reached for requests")
}

/// 429 with `Retry-After`: seconds, or a date.
pub fn rate_limited_for(retry_after: &str) -> Wire {
    rate_limited().header("retry-after", retry_after)
}

/// 429 with `retry-after-ms`.
pub fn rate_limited_for_ms(millis: u64) -> Wire {
    rate_limited().header("retry-after-ms", &millis.to_string())
}

/// 429 that no waiting helps.
pub fn out_of_quota() -> Wire {
    error(429, "insufficient_quota", "You exceeded your current quota, please check your plan")
}

/// 500, 502, 503 and their like, with a body that says so.
pub fn failing(status: u16) -> Wire {
    error(status, "server_error", "The server had an error while processing your request")
}

/// 529.
pub fn overloaded() -> Wire {
    error(529, "overloaded_error", "Overloaded")
}

/// 400 that names a parameter the server does not know.
pub fn unknown_parameter(name: &str) -> Wire {
    let message = format!("Unrecognized request argument supplied: {name}");
    let mut body = error_body("invalid_request_error", &message);
    body["error"]["param"] = json!(name);
    Wire::status(400).json(&body)
}

/// 400 because the conversation is too long.
pub fn too_long() -> Wire {
    let message = "This model's maximum context length is 8192 tokens. However, your messages \
                   resulted in 9001 tokens. Please reduce the length of the messages.";
    error(400, "context_length_exceeded", message)
}

/// 401.
pub fn wrong_key() -> Wire {
    error(401, "invalid_api_key", "Incorrect API key provided")
}

/// 413.
pub fn too_large() -> Wire {
    error(413, "request_too_large", "Request exceeds the maximum size")
}

/// An error as the only body of a 200.
pub fn error_as_success(message: &str) -> Wire {
    error(200, "server_error", message)
}

/// A page of HTML with 200: a proxy or a login page answered.
pub fn html_page() -> Wire {
    let page =
        "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>";
    Wire::status(200).header("content-type", "text/html; charset=utf-8").write(page)
}

/// The connection is closed without a word.
pub fn hung_up() -> Wire {
    Wire::verbatim("")
}
