//! What stands at the top of a cassette.

use schemars::JsonSchema;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cassette::Stamp;
use crate::oauth::Step;
use crate::redact::{Interaction, Named, Profile};

/// The header of a cassette.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// What recorded it: `authtape/0.1.0`.
    pub recorded_by: String,
    /// When the recording began: RFC 3339, UTC, in seconds.
    pub recorded_at: String,
    /// How much the recording shows.
    pub profile: Profile,
    /// The token endpoint's host, where one was seen.
    pub server: Option<String>,
    /// Globs of the hosts whose certificate was not verified.
    pub insecure_upstream: Vec<String>,
    /// How many secrets of each kind were replaced.
    pub redacted: Vec<Named<u32>>,
    /// The interaction from which on there were more secrets than are remembered: bodies are
    /// dropped, and the same secret may have several labels.
    pub ledger_full_at: Option<u64>,
    /// What was changed on purpose, where this is no longer what was recorded.
    pub mutant: Option<Mutant>,
    /// What the audit at the end of the recording came to.
    pub audit: Option<Stamp>,
}

/// What makes a cassette a negative test: what was changed, and what a client has to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// The kind, as `authtape mutate --list` names it.
    pub kind: String,
    /// What was changed, and where.
    pub changed: String,
    /// What a client must do.
    pub client: String,
    /// Where that is said.
    pub see: String,
}

impl Header {
    /// The header of a recording that begins at this time.
    pub fn begun(recorded_at: String) -> Self {
        Self {
            recorded_by: concat!("authtape/", env!("CARGO_PKG_VERSION")).to_owned(),
            recorded_at,
            ..Self::default()
        }
    }

    /// When the recording began, where that can be read.
    pub fn began(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.recorded_at, &Rfc3339).ok()
    }

    /// The same header with the token endpoint's host, or else the first host, filled in.
    #[must_use]
    pub fn with_server(mut self, interactions: &[Interaction]) -> Self {
        let token = interactions
            .iter()
            .find(|interaction| interaction.step() == Step::TokenRequest);
        let served = token.or_else(|| interactions.first());
        self.server = served
            .and_then(|served| served.request().parsed_url())
            .map(|url| url.host);
        self
    }
}
