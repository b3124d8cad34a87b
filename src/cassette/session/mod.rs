//! A session: a cassette read as the steps of authorization attempts, with what belongs together.

mod metadata;
mod turn;

pub use metadata::Metadata;
pub use turn::{Outcome, Turn};

use std::cell::OnceCell;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::cassette::Cassette;
use crate::model::{Params, Url};
use crate::oauth::jwt::Jwt;
use crate::oauth::{Step, name};
use crate::redact::{Label, RecordedResponse, cores};

/// The steps of a cassette.
pub struct Session<'a> {
    turns: Vec<Turn<'a>>,
    metadata: OnceCell<Vec<Metadata>>,
}

impl<'a> Session<'a> {
    /// The session that a cassette holds.
    pub fn new(cassette: &'a Cassette) -> Self {
        Self {
            turns: cassette.interactions.iter().map(Turn::of).collect(),
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

    /// The requests to the authorization endpoint, in order.
    pub fn authorization_requests(&self) -> impl Iterator<Item = &Turn<'a>> {
        self.of(Step::AuthorizationRequest)
    }

    /// The authorization request that a token request belongs to, and how that is known: by the
    /// code (strong), or because there is only one for this client within a quarter of an hour.
    pub fn authorization_of(&self, token: &Turn<'_>) -> Option<(&Turn<'a>, Link)> {
        let code = token.param(name::CODE).and_then(|code| cores(code).next());
        let brought =
            |asked: &&Turn<'a>| code.as_ref().is_some_and(|code| self.brings(asked, code));
        if let Some(asked) = self.authorization_requests().find(brought) {
            return Some((asked, Link::Strong));
        }
        let near = |asked: &&Turn<'a>| {
            let age = token.interaction.at().checked_sub(asked.interaction.at());
            let client = asked.query().get(name::CLIENT_ID);
            let same = token
                .param(name::CLIENT_ID)
                .is_none_or(|sent| client == Some(sent));
            age.is_some_and(|age| age <= WEAK_LINK_MAX) && same
        };
        let mut candidates = self.authorization_requests().filter(near);
        let only = candidates.next()?;
        candidates.next().is_none().then_some((only, Link::Weak))
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

    /// The readable parts of a JWT whose label stands in a text. Its times are seconds from the
    /// clock of the interaction that it was first seen in.
    pub fn jwt(&self, text: &str) -> Option<Jwt> {
        let key = cores(text).next()?.key();
        let mut secrets = self
            .turns
            .iter()
            .flat_map(|turn| turn.interaction.secrets());
        let declared = &secrets.find(|secret| secret.name == key)?.value;
        let object = |json: &Option<String>| -> Option<Map<String, Value>> {
            serde_json::from_str(json.as_deref()?).ok()
        };
        Some(Jwt {
            header: object(&declared.jwt_header)?,
            claims: object(&declared.jwt_claims)?,
        })
    }

    /// Whether the server sent anybody on with a code for an authorization request.
    pub fn got_code(&self, asked: &Turn<'_>) -> bool {
        let query = |location: &str| Url::parse(location)?.query;
        self.locations(asked)
            .filter_map(|location| query(&location))
            .any(|query| Params::parse(&query).has(name::CODE))
    }

    /// Whether the response to an authorization request, or a page behind it, brought the code.
    fn brings(&self, asked: &Turn<'_>, code: &Label) -> bool {
        self.locations(asked)
            .any(|location| cores(&location).any(|label| label == *code))
    }

    /// Where the response to an authorization request, and the pages behind it, send the client.
    fn locations(&self, asked: &Turn<'_>) -> impl Iterator<Item = String> {
        let id = asked.interaction.id();
        let begins = self
            .turns
            .iter()
            .position(|turn| turn.interaction.id() == id);
        let mut behind = self.turns.iter().skip(begins.unwrap_or(self.turns.len()));
        let asked = behind.next();
        let pages = behind.take_while(|other| other.step() == Step::LoginPage);
        let responses = asked.into_iter().chain(pages);
        let responses = responses.filter_map(|turn| turn.interaction.response());
        responses.flat_map(RecordedResponse::locations)
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

const WEAK_LINK_MAX: Duration = Duration::from_mins(15);
