//! What an authorization server publishes about itself (RFC 8414, OpenID Connect Discovery).

use serde_json::{Map, Value};

use crate::cassette::Turn;
use crate::model::Url;
use crate::oauth::name;
use crate::redact::Content;

/// A metadata document as it was fetched in a session.
pub struct Metadata {
    interaction: u64,
    members: Map<String, Value>,
}

impl Metadata {
    /// The document that came back; `None` where what came back is none.
    pub(super) fn of(turn: &Turn<'_>) -> Option<Self> {
        let response = turn.interaction.response()?;
        let Content::Json { text, .. } = response.content() else {
            return None;
        };
        let members: Map<String, Value> = serde_json::from_str(text).ok()?;
        let is_metadata = members.contains_key(name::ISSUER);
        (response.status() < 300 && is_metadata).then_some(Self {
            interaction: turn.id(),
            members,
        })
    }

    /// The number of the interaction that brought it.
    pub fn id(&self) -> u64 {
        self.interaction
    }

    /// A member that is a string.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The strings of a member that is a list.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        let values = self.members.get(name).and_then(Value::as_array)?;
        Some(values.iter().filter_map(Value::as_str).collect())
    }

    /// Whether a member says `true`.
    pub fn is_set(&self, name: &str) -> bool {
        self.members.get(name) == Some(&Value::Bool(true))
    }

    /// Where a client goes that shows a certificate (RFC 8705 section 5).
    pub fn mtls_alias(&self, name: &str) -> Option<&str> {
        let aliases = self.members.get(name::MTLS_ENDPOINT_ALIASES)?;
        aliases.get(name).and_then(Value::as_str)
    }

    /// The name of the member that has this URL, whatever its query.
    pub fn endpoint_at(&self, url: &Url) -> Option<&str> {
        let endpoint = url.endpoint();
        let is_it = |value: &Value| {
            let known = value.as_str().and_then(Url::parse);
            known.is_some_and(|known| known.endpoint() == endpoint)
        };
        let aliases = self.members.get(name::MTLS_ENDPOINT_ALIASES);
        let aliases = aliases.and_then(Value::as_object).into_iter().flatten();
        let mut all = self.members.iter().chain(aliases);
        all.find(|(_, value)| is_it(value))
            .map(|(name, _)| name.as_str())
    }

    /// Whether the URL is below the issuer.
    pub fn is_issuer_above(&self, url: &Url) -> bool {
        let Some(issuer) = self.get(name::ISSUER).and_then(Url::parse) else {
            return false;
        };
        let behind = url.path.strip_prefix(issuer.path.trim_end_matches('/'));
        issuer.scheme == url.scheme
            && issuer.host.eq_ignore_ascii_case(&url.host)
            && issuer.effective_port() == url.effective_port()
            && behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('/'))
    }
}
