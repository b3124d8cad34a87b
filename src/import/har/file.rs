//! The file around the entries, walked so that no more than one entry is held as it was read.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::import::har::entry::{RawPage, Read};

/// The members of `log` that are read.
pub(super) struct Log {
    pub(super) pages: Vec<RawPage>,
    pub(super) entries: Vec<Read>,
}

/// A HAR file, of which nothing but the log is read.
pub(super) struct File(pub(super) Log);

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let log = deserializer.deserialize_map(Member::<LogSeed>("log", LogSeed))?;
        Ok(Self(log))
    }
}

/// The one member of an object that is read; every other is passed over.
struct Member<S>(&'static str, S);

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Member<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found = Some(map.next_value_seed(self.1)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::missing_field(self.0))
    }
}

#[derive(Clone, Copy)]
struct LogSeed;

impl<'de> DeserializeSeed<'de> for LogSeed {
    type Value = Log;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Log, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LogSeed {
    type Value = Log;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `entries`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Log, A::Error> {
        let (mut pages, mut entries) = (Vec::new(), None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "entries" => entries = Some(map.next_value::<Each<_>>()?.0),
                "pages" => {
                    pages = map
                        .next_value::<Option<Each<_>>>()?
                        .map_or(pages, |all| all.0);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let entries = entries.ok_or_else(|| A::Error::missing_field("entries"))?;
        Ok(Log { pages, entries })
    }
}

/// The items of a list, each made from its value as soon as that is read, since the values of a
/// whole file take many times its size.
struct Each<T>(Vec<T>);

impl<'de, T: From<Value>> Deserialize<'de> for Each<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(std::marker::PhantomData<T>);

        impl<'de, T: From<Value>> Visitor<'de> for Items<T> {
            type Value = Each<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Each<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(value) = items.next_element::<Value>()? {
                    all.push(T::from(value));
                }
                Ok(Each(all))
            }
        }

        deserializer.deserialize_seq(Items(std::marker::PhantomData))
    }
}
