//! A session: a cassette read as the steps of authorization attempts, with what belongs together.

mod client;
mod flow;
mod metadata;
mod tie;
mod tokens;
mod turn;

pub use client::ClientAuth;
pub use flow::{AuthorizationResponse, Flow, Mode};
pub use metadata::Metadata;
pub use tokens::IdToken;
pub use turn::{Outcome, Turn};

use std::cell::OnceCell;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::cassette::Cassette;
use crate::cassette::session::tie::Tied;
use crate::oauth::Step;
use crate::redact::{Declaration, cores};

/// The steps of a cassette.
pub struct Session<'a> {
    turns: Vec<Turn<'a>>,
    tied: OnceCell<Tied>,
    metadata: OnceCell<Vec<Metadata>>,
}

impl<'a> Session<'a> {
    /// The session that a cassette holds.
    pub fn new(cassette: &'a Cassette) -> Self {
        Self {
            turns: cassette.interactions.iter().map(Turn::of).collect(),
            tied: OnceCell::new(),
            metadata: OnceCell::new(),
        }
    }

    /// Every request and what came of it, in order.
    pub fn turns(&self) -> &[Turn<'a>] {
        &self.turns
    }

    /// The requests of a step, in order.
    pub fn of(&self, step: Step) -> impl Iterator<Item = &Turn<'a>> {
        self.turns.iter().filter(move |turn| turn.step() == step)
    }

    /// The requests to the token endpoint, in order.
    pub fn token_requests(&self) -> impl Iterator<Item = &Turn<'a>> {
        self.of(Step::TokenRequest)
    }

    /// The requests by which a client shows who it is, in order.
    pub fn client_requests(&self) -> impl Iterator<Item = &Turn<'a>> {
        let is_one = |turn: &&Turn<'_>| turn.step().authenticates_client();
        self.turns.iter().filter(is_one)
    }

    /// The requests to the authorization endpoint, in order.
    pub fn authorization_requests(&self) -> impl Iterator<Item = &Turn<'a>> {
        self.of(Step::AuthorizationRequest)
    }

    /// The authorization requests, each with what belongs to it, in order.
    pub fn flows(&self) -> impl Iterator<Item = Flow<'_, 'a>> {
        let flows = self.tied().flows.iter();
        flows.map(|ties| Flow::new(self, ties))
    }

    /// The flow that a token request belongs to, and how that is known: by the code (strong), or
    /// because there is only one for this client within a quarter of an hour.
    pub fn flow_of(&self, token: &Turn<'_>) -> Option<(Flow<'_, 'a>, Link)> {
        let tied = self.tied();
        let (flow, link) = tied.of_tokens.get(&token.id())?;
        Some((Flow::new(self, &tied.flows[*flow]), *link))
    }

    fn tied(&self) -> &Tied {
        self.tied.get_or_init(|| Tied::of(self))
    }

    /// The metadata of servers that the session saw, in order.
    pub fn metadata(&self) -> &[Metadata] {
        let read = || self.of(Step::Discovery).filter_map(Metadata::of).collect();
        self.metadata.get_or_init(read)
    }

    /// The metadata that speaks of the endpoint of a request: one that names its URL, or else one of
    /// an issuer above it; the last that was seen.
    pub fn metadata_of(&self, turn: &Turn<'_>) -> Option<&Metadata> {
        let url = turn.url()?;
        let all = || self.metadata().iter().rev();
        let names = all().find(|metadata| metadata.endpoint_at(url).is_some());
        names.or_else(|| all().find(|metadata| metadata.is_issuer_above(url)))
    }

    /// What is declared of the secret whose label stands in a text, and the message that brought it.
    pub fn declared(&self, text: &str) -> Option<(&Turn<'a>, &'a Declaration)> {
        let key = cores(text).next()?.key();
        self.turns.iter().find_map(|turn| {
            let mut secrets = turn.interaction.secrets().iter();
            let declared = secrets.find(|secret| secret.name == key)?;
            Some((turn, &declared.value))
        })
    }

    /// The readable parts of a JWT whose label stands in a text.
    pub fn jwt(&self, text: &str) -> Option<SeenJwt> {
        let (first, declared) = self.declared(text)?;
        let object = |json: &Option<String>| serde_json::from_str(json.as_deref()?).ok();
        Some(SeenJwt {
            header: object(&declared.jwt_header)?,
            claims: object(&declared.jwt_claims)?,
            at: first.interaction.at(),
        })
    }
}

/// The readable parts of a JWT.
pub struct SeenJwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims; points in time are seconds from when it was first seen.
    pub claims: Map<String, Value>,
    /// When it was first seen.
    pub at: Duration,
}

impl SeenJwt {
    /// A claim that is a point in time, in seconds from when the JWT was first seen.
    pub fn time(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_str()?.parse().ok()
    }
}

/// How two messages are known to belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// A value ties them.
    Strong,
    /// Nothing speaks against it.
    Weak,
}
