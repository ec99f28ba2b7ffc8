//! A call's arguments: what is malformed is told in the parser's words with its field, and nothing
//! silently becomes `{}`.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::message::ToolCall;
use crate::tool::ToolError;

/// The arguments of a call as a type; where they are not, in the parser's words and with the field.
/// A type that denies unknown fields has them named, and the fields there are.
pub fn arguments<T: DeserializeOwned>(call: &ToolCall) -> Result<T, ToolError> {
    serde_path_to_error::deserialize(parse(&call.args)?).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." => String::new(),
            path => format!("`{path}`: "),
        };
        let why = error.into_inner();
        ToolError::tell(format!("arguments of {}: {field}{why}; nothing was run", call.name))
    })
}

/// The arguments as a JSON object. Empty text and `null` mean no arguments; an object encoded
/// twice is decoded once more; a null field is a field not given.
pub(crate) fn parse(args: &str) -> Result<Value, ToolError> {
    let mut value = read(args)?;
    if let Value::String(inner) = &value {
        value = read(inner)?;
    }
    if value.is_null() {
        return Ok(Value::Object(Map::new()));
    }
    let Some(fields) = value.as_object_mut() else {
        let why = format!("the arguments must be a JSON object, not {value}");
        return Err(ToolError::tell(why));
    };
    fields.retain(|_, value| !value.is_null());
    Ok(value)
}

/// Whether the text is the beginning of JSON arguments and no more.
pub(crate) fn is_cut_off(args: &str) -> bool {
    let read = serde_json::from_str::<Value>(args);
    !args.trim().is_empty() && read.is_err_and(|error| error.is_eof())
}

fn read(args: &str) -> Result<Value, ToolError> {
    if args.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(args).map_err(|error| {
        ToolError::tell(format!("the arguments are not valid JSON: {error}; send the call again"))
    })
}
