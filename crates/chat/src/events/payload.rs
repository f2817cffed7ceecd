use roomkey_model::Failure;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Decodes the only argument of an event, an object. The failure names the field that is wrong.
pub(super) fn object<T: DeserializeOwned>(args_json: &str) -> Result<T, Failure> {
    let argument = argument(args_json)?;
    if !argument.starts_with('{') {
        // An array would do for a struct, field by field: a shape that nobody means.
        return Err(Failure::bad_payload("The payload must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(argument);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = without_position(&error.into_inner());
        Failure::bad_payload(if path == "." { cause } else { format!("{path}: {cause}") })
    })
}

/// The same, of an event that may come without an argument: then it is the default.
pub(super) fn object_or_nothing<T: DeserializeOwned + Default>(args_json: &str) -> Result<T, Failure> {
    if args_json == "[]" { Ok(T::default()) } else { object(args_json) }
}

/// Sees to it that an event has no argument, or `{}`.
pub(super) fn nothing(args_json: &str) -> Result<(), Failure> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    object_or_nothing(args_json).map(|Nothing {}| ())
}

/// Decodes the only argument of an event, a text.
pub(super) fn text<T: TryFrom<String, Error: std::fmt::Display>>(args_json: &str) -> Result<T, Failure> {
    let text: String = serde_json::from_str(argument(args_json)?)
        .map_err(|_| Failure::bad_payload("The payload must be a string"))?;
    T::try_from(text).map_err(|error| Failure::bad_payload(format!("The payload {error}")))
}

fn argument(args_json: &str) -> Result<&str, Failure> {
    let (argument,): (&RawValue,) = serde_json::from_str(args_json)
        .map_err(|_| Failure::bad_payload("The event takes exactly one argument"))?;
    Ok(argument.get())
}

/// Lines and columns of an argument mean nothing to who wrote an object.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
