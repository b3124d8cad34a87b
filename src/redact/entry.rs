//! The small shapes of the file: an entry of an ordered list, a table, a time.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A time in seconds, to the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub(super) Duration);

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(Duration::from_millis(
            u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        ))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        match Duration::try_from_secs_f64(seconds) {
            Ok(duration) => Ok(Self(Duration::from_millis(rounded_millis(duration)))),
            Err(error) => Err(serde::de::Error::custom(format!(
                "no number of seconds: {error}"
            ))),
        }
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}

fn rounded_millis(duration: Duration) -> u64 {
    u64::try_from(
        duration
            .saturating_add(Duration::from_micros(500))
            .as_millis(),
    )
    .unwrap_or(u64::MAX)
}

/// One entry of an ordered list: a map of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T> {
    /// The key.
    pub name: String,
    /// Its value.
    pub value: T,
}

impl<T> Named<T> {
    /// An entry.
    pub fn new(name: impl Into<String>, value: T) -> Self {
        Self {
            name: name.into(),
            value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneKey<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for OneKey<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of one key")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let (name, value) = map.next_entry()?.ok_or_else(|| {
                    serde::de::Error::custom("expected a map of one key, found an empty one")
                })?;
                if map.next_key::<String>()?.is_some() {
                    return Err(serde::de::Error::custom(
                        "expected a map of one key, found a second one",
                    ));
                }
                Ok(Named { name, value })
            }
        }

        deserializer.deserialize_map(OneKey(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": generator.subschema_for::<T>(),
        })
    }
}

/// Reads a map of the file as entries in its order.
pub(crate) fn table<'de, T, D>(deserializer: D) -> Result<Vec<Named<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    struct Table<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Table<T> {
        type Value = Vec<Named<T>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut entries: Vec<Named<T>> = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, T>()? {
                entries.push(Named { name, value });
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(Table(std::marker::PhantomData))
}
