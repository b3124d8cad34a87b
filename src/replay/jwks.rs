//! Key sets: which test key stands for which recorded one.

use serde_json::{Map, Value};

use crate::oauth::jwt::Alg;
use crate::oauth::name;
use crate::redact::{Content, Interaction, JsonWire};
use crate::replay::keys::{Family, Which};

/// The keys that the sets of one cassette have, by their `kid`, in the order of first sight.
#[derive(Default)]
pub(super) struct Ring {
    keys: Vec<Key>,
}

struct Key {
    name: String,
    family: Family,
    which: Which,
    /// Whether it is there to encrypt, and so signs nothing.
    encrypts: bool,
}

impl Ring {
    /// The keys of all the sets that were answered with.
    pub(super) fn of<'a>(interactions: impl Iterator<Item = &'a Interaction>) -> Self {
        let mut ring = Self::default();
        for set in interactions.filter_map(set_of) {
            for jwk in keys_of(&set) {
                ring.learn(jwk);
            }
        }
        ring
    }

    /// The key that signs where the recorded one of this name and type did.
    pub(super) fn which(&self, alg: Alg, kid: Option<&str>) -> Which {
        let family = Family::of_alg(alg);
        let mut fits = self.keys.iter().filter(|key| Some(key.family) == family);
        let named = fits.clone().find(|key| Some(key.name.as_str()) == kid);
        named
            .or_else(|| fits.find(|key| !key.encrypts))
            .map_or(Which::First, |key| key.which)
    }

    /// A recorded set with the public parts of the test keys; `None` where it is no set of keys.
    pub(super) fn served(&self, text: &str, wire: JsonWire) -> Option<String> {
        let mut set = parse(text)?;
        let Some(Value::Array(keys)) = set.get_mut(name::KEYS) else {
            return None;
        };
        for jwk in keys.iter_mut().filter_map(Value::as_object_mut) {
            self.replace(jwk);
        }
        match wire {
            JsonWire::Exact => serde_json::to_string_pretty(&set).ok(),
            JsonWire::Compact => serde_json::to_string(&set).ok(),
        }
    }

    fn learn(&mut self, jwk: &Map<String, Value>) {
        let (Some(name), Some(family)) = (name_of(jwk), family_of(jwk)) else {
            return;
        };
        if self.key(name, family).is_some() {
            return;
        }
        let encrypts = jwk.get("use").and_then(Value::as_str) == Some("enc");
        let is_first = !self
            .keys
            .iter()
            .any(|key| key.family == family && !key.encrypts);
        self.keys.push(Key {
            name: name.to_owned(),
            family,
            which: if is_first && !encrypts {
                Which::First
            } else {
                Which::Second
            },
            encrypts,
        });
    }

    fn key(&self, name: &str, family: Family) -> Option<&Key> {
        let mut keys = self.keys.iter();
        keys.find(|key| key.name == name && key.family == family)
    }

    /// Puts a test key in the place of a recorded one. Its certificate goes, since it is of another
    /// key; and what is private of it, if anybody ever showed that.
    fn replace(&self, jwk: &mut Map<String, Value>) {
        let key = name_of(jwk).zip(family_of(jwk));
        let key = key.and_then(|(name, family)| self.key(name, family));
        let Some(Ok(public)) = key.map(|key| key.family.public(key.which)) else {
            return;
        };
        jwk.retain(|member, _| !OF_ANOTHER_KEY.contains(&member.as_str()));
        for (member, value) in public {
            jwk.insert(member.to_owned(), value.into());
        }
    }
}

/// Whether a server answered with a set of keys.
pub(super) fn is_key_set(interaction: &Interaction) -> bool {
    set_of(interaction).is_some()
}

/// The set of keys that an answer is.
fn set_of(interaction: &Interaction) -> Option<Map<String, Value>> {
    match interaction.response()?.content() {
        Content::Json { text, .. } => parse(text),
        _ => None,
    }
}

fn parse(text: &str) -> Option<Map<String, Value>> {
    // Most answers are something else.
    if !text.contains(KTY) {
        return None;
    }
    let parsed = serde_json::from_str::<Map<String, Value>>(text);
    parsed.ok().filter(|set| set.contains_key(name::KEYS))
}

fn keys_of(set: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let keys = set.get(name::KEYS).and_then(Value::as_array);
    keys.into_iter().flatten().filter_map(Value::as_object)
}

/// What a key is called: by its `kid`, or else by what is public of it.
fn name_of(jwk: &Map<String, Value>) -> Option<&str> {
    let mut names = ["kid", "n", "x"].into_iter();
    names.find_map(|name| jwk.get(name)?.as_str())
}

fn family_of(jwk: &Map<String, Value>) -> Option<Family> {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    Family::of_key(member(KTY)?, member("crv"))
}

const KTY: &str = "kty";
const OF_ANOTHER_KEY: &[&str] = &[
    "d", "dp", "dq", "oth", "p", "q", "qi", "x5c", "x5t", "x5t#S256", "x5u",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(sets: &[&str]) -> Ring {
        let mut ring = Ring::default();
        for set in sets {
            let set = parse(set).expect("a set");
            keys_of(&set).for_each(|jwk| ring.learn(jwk));
        }
        ring
    }

    const SET: &str = r#"{"keys":[{"kid":"e","use":"enc","kty":"RSA","n":"REDACTED-n-1","e":"AQAB"},{"kty":"RSA","kid":"a","alg":"RS256","use":"sig","x5c":["REDACTED-x5c-1"],"n":"REDACTED-n-2","e":"AQAB","x5t":"REDACTED-x5t-1"},{"kty":"EC","crv":"P-256","kid":"b","x":"REDACTED-x-1","y":"REDACTED-y-1"},{"kty":"RSA","kid":"c","n":"REDACTED-n-3","e":"AQAB"},{"kty":"oct","kid":"z"}],"more":1}"#;

    #[test]
    fn each_recorded_key_has_a_test_key_of_its_type() {
        let ring = ring(&[SET]);
        for (alg, kid, expected) in [
            (Alg::Rs256, Some("a"), Which::First),
            (Alg::Ps512, Some("c"), Which::Second),
            (Alg::Rs256, Some("e"), Which::Second),
            (Alg::Rs256, Some("gone"), Which::First),
            (Alg::Rs256, None, Which::First),
            (Alg::Es256, Some("b"), Which::First),
            (Alg::EdDsa, None, Which::First),
        ] {
            assert_eq!(ring.which(alg, kid), expected, "{alg} {kid:?}");
        }
    }

    #[test]
    fn a_set_keeps_all_but_the_keys_themselves() {
        let served = ring(&[SET]).served(SET, JsonWire::Compact).expect("a set");
        let served: Value = serde_json::from_str(&served).expect("JSON");
        assert_eq!(served["more"], 1);
        let members = |at: usize| {
            let jwk = served["keys"][at].as_object().expect("a key");
            jwk.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(members(0), "kid use kty n e");
        assert_eq!(members(1), "kty kid alg use n e");
        assert_eq!(members(2), "kty crv kid x y");
        let key = |at: usize| served["keys"][at]["n"].as_str().expect("a modulus");
        assert_eq!([key(0).len(), key(1).len()], [342, 342]);
        assert_ne!(key(1), key(3));
        assert_eq!(served["keys"][1]["e"], "AQAB");
        assert_eq!(
            served["keys"][4],
            serde_json::json!({"kty":"oct","kid":"z"})
        );
    }

    #[test]
    fn what_is_no_set_is_left_alone() {
        for text in [
            r#"{"keys":1}"#,
            r#"{"jwks":{"keys":[{"kty":"RSA"}]}}"#,
            "[]",
        ] {
            assert!(
                Ring::default().served(text, JsonWire::Compact).is_none(),
                "{text}"
            );
        }
    }
}
