//! The members of a JSON object, its texts left where they stand.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor, value};
use serde_json::Value;

use crate::model::Params;

/// The members of a JSON object; none where a text is some other JSON.
#[derive(Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Member<'a>)>);

/// The value of a member.
pub enum Member<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// Anything else.
    Other(Value),
}

impl<'a> Members<'a> {
    /// Reads a JSON text.
    ///
    /// # Errors
    ///
    /// Where it is no JSON, or nested deeper than 128 times.
    pub fn of(text: &'a str) -> serde_json::Result<Self> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
        } else {
            serde_json::from_str::<Value>(text).map(|_| Self::default())
        }
    }

    /// The last value of that name, as most parsers have it (RFC 8259 section 4).
    pub fn get(&self, name: &str) -> Option<&Member<'a>> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, member)| member)
    }

    /// The same of every name as parameters; what is no string is written as JSON.
    pub fn params(&self) -> Params {
        let mut seen = HashSet::new();
        let mut last: Vec<_> = self.0.iter().rev().collect();
        last.retain(|(name, _)| seen.insert(name));
        let param = |(name, member): &(Cow<'_, str>, Member<'_>)| {
            let value = match member {
                Member::Text(text) => text.clone().into_owned(),
                Member::Other(other) => other.to_string(),
            };
            (name.clone().into_owned(), value)
        };
        last.into_iter().rev().map(param).collect()
    }
}

impl Member<'_> {
    /// The string, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    /// The elements, where it is an array.
    pub fn as_array(&self) -> Option<&Vec<Value>> {
        match self {
            Self::Other(other) => other.as_array(),
            Self::Text(_) => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Member::Text(name), member)) = map.next_entry()? {
                    members.push((name, member));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Member::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Member::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Member::Other(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Member::Other(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Member::Other(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Member::Other(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Member::Other(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(value::SeqAccessDeserializer::new(seq)).map(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(value::MapAccessDeserializer::new(map)).map(Member::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_any_parser_reads_them() {
        let text = r#"{"a":"1","b\u0063":"x\"y","n":1.50,"o":{"p":[1]},"a":"2","t":true,"z":null}"#;
        let members = Members::of(text).expect("JSON");
        assert_eq!(members.get("a").and_then(Member::as_str), Some("2"));
        assert_eq!(members.get("bc").and_then(Member::as_str), Some("x\"y"));
        assert!(members.get("n").is_some() && members.get("m").is_none());
        let params = members.params();
        let pairs: Vec<_> = params
            .iter()
            .map(|param| (param.name.as_str(), param.value.as_str()))
            .collect();
        let expected = [
            ("bc", "x\"y"),
            ("n", "1.5"),
            ("o", r#"{"p":[1]}"#),
            ("a", "2"),
            ("t", "true"),
            ("z", "null"),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn what_is_no_object_has_none_and_what_is_no_json_is_told() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for (text, is_json) in [
            ("[1, 2]", true),
            ("\"a\"", true),
            ("{}", true),
            ("{\"a\":1", false),
            ("{\"a\":1} x", false),
            (deep.as_str(), false),
        ] {
            let members = Members::of(text);
            assert_eq!(members.is_ok(), is_json, "{text}");
            assert!(members.is_err() || members.unwrap_or_default().get("a").is_none());
        }
    }
}
