use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use crate::TokenError;

/// The `token` of an auth payload, never coerced from another type. `null` and empty text are no token: that is
/// what a client sends that is not logged in.
pub(super) fn token(json: &str) -> Result<Option<Cow<'_, str>>, TokenError> {
    let payload: Option<Payload<'_>> = serde_json::from_str(json)
        .map_err(|_| TokenError::BadPayload("The auth payload must be an object whose `token` is text"))?;
    Ok(payload.and_then(|payload| payload.0).filter(|token| !token.is_empty()))
}

struct Payload<'a>(Option<Cow<'a, str>>);

/// By hand, because a derived one takes an array for an object.
impl<'de: 'a, 'a> Deserialize<'de> for Payload<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PayloadVisitor;

        impl<'de> Visitor<'de> for PayloadVisitor {
            type Value = Payload<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut found = None;
                while let Some(Text(name)) = entries.next_key()? {
                    if name != "token" {
                        entries.next_value::<IgnoredAny>()?;
                    } else if found.is_none() {
                        found = Some(entries.next_value::<Option<Text<'_>>>()?);
                    } else {
                        return Err(A::Error::custom("two tokens"));
                    }
                }
                Ok(Payload(found.flatten().map(|Text(token)| token)))
            }
        }

        deserializer.deserialize_map(PayloadVisitor)
    }
}

/// Text, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
