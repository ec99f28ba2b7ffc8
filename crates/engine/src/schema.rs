//! Arguments against a schema: malformed JSON is told in the parser's words, a violation names the
//! field, and nothing silently becomes `{}`.

use serde_json::{Map, Value};

use crate::message::ToolCall;
use crate::tool::{ToolError, ToolSpec};

/// The arguments as a JSON object. Empty text and `null` mean no arguments; an object encoded
/// twice is decoded once more.
///
/// # Errors
/// In the parser's words, or naming what came instead of an object.
pub fn parse(args: &str) -> Result<Value, ToolError> {
    if args.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match read(args)? {
        Value::Null => Ok(Value::Object(Map::new())),
        Value::String(inner) if inner.trim().is_empty() => Ok(Value::Object(Map::new())),
        Value::String(inner) => match read(&inner)? {
            object @ Value::Object(_) => Ok(object),
            other => Err(not_an_object(&other)),
        },
        object @ Value::Object(_) => Ok(object),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Err(not_an_object(&other)),
    }
}

/// Whether the text is the beginning of JSON arguments and no more.
pub fn is_cut_off(args: &str) -> bool {
    let read = serde_json::from_str::<Value>(args);
    !args.trim().is_empty() && read.is_err_and(|error| error.is_eof())
}

fn read(args: &str) -> Result<Value, ToolError> {
    serde_json::from_str(args).map_err(|error| {
        ToolError::tell(format!("the arguments are not valid JSON: {error}; send the call again"))
    })
}

fn not_an_object(value: &Value) -> ToolError {
    ToolError::tell(format!("the arguments must be a JSON object, not {}", kind(value)))
}

/// Checks a call's arguments against its tool's schema.
///
/// # Errors
/// All violations, each with its field, and the fields there are.
pub fn check(spec: &ToolSpec, call: &ToolCall) -> Result<(), ToolError> {
    let value = parse(&call.args)?;
    let mut wrong = Vec::new();
    violations(&spec.schema, &value, "", &mut wrong);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(ToolError::tell(format!("{}: {}; nothing was run", call.name, wrong.join("; "))))
}

/// Collects what `value` violates. Keywords we do not know are not enforced: a server may use any.
fn violations(schema: &Value, value: &Value, field: &str, wrong: &mut Vec<String>) {
    if !type_fits(schema, value) {
        let expected = schema.get("type").map(names).unwrap_or_default();
        wrong.push(format!("`{}` must be {expected}, not {}", shown(field), kind(value)));
        return;
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        wrong.push(format!("`{}` must be one of {}", shown(field), Value::from(allowed.clone())));
    }
    match value {
        Value::Object(fields) => object_violations(schema, fields, field, wrong),
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                violations(schema, item, &format!("{field}[{index}]"), wrong);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

fn object_violations(
    schema: &Value,
    fields: &Map<String, Value>,
    field: &str,
    wrong: &mut Vec<String>,
) {
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = required.as_str() else { continue };
        if !fields.contains_key(name) {
            wrong.push(format!("`{}` is missing", inside(field, name)));
        }
    }
    let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in fields {
        match known.get(name) {
            // Models write null for "not given"; only a required field must be there.
            Some(_) if value.is_null() && !requires(schema, name) => (),
            Some(schema) => violations(schema, value, &inside(field, name), wrong),
            None if closed => {
                let known: Vec<_> = known.keys().map(String::as_str).collect();
                let name = inside(field, name);
                wrong.push(format!("`{name}` is unknown; there are: {}", known.join(", ")));
            }
            None => (),
        }
    }
}

fn requires(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|required| required == name))
}

fn type_fits(schema: &Value, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        name => name == kind(value),
    };
    match schema.get("type") {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => true,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn names(types: &Value) -> String {
    match types {
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn inside(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

fn shown(field: &str) -> &str {
    if field.is_empty() { "arguments" } else { field }
}
