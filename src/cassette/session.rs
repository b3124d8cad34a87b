//! A session: a cassette read as the steps of authorization attempts, with what belongs together.

use std::time::Duration;

use crate::cassette::Cassette;
use crate::model::{Headers, Params, Url};
use crate::oauth::{Step, name};
use crate::redact::{Content, DropReason, Interaction, Label, RecordedResponse, cores};

/// The steps of a cassette.
pub struct Session<'a> {
    interactions: &'a [Interaction],
}

impl<'a> Session<'a> {
    /// The session that a cassette holds.
    pub fn new(cassette: &'a Cassette) -> Self {
        Self {
            interactions: &cassette.interactions,
        }
    }

    /// Every interaction, in order.
    pub fn interactions(&self) -> &'a [Interaction] {
        self.interactions
    }

    /// The requests to the token endpoint, in order.
    pub fn token_requests(&self) -> impl Iterator<Item = TokenRequest<'a>> {
        let of = |interaction: &&Interaction| interaction.step() == Step::TokenRequest;
        self.interactions.iter().filter(of).map(TokenRequest::of)
    }

    /// The requests to the authorization endpoint, in order.
    pub fn authorization_requests(&self) -> impl Iterator<Item = &'a Interaction> {
        self.interactions
            .iter()
            .filter(|interaction| interaction.step() == Step::AuthorizationRequest)
    }

    /// The authorization request that a token request belongs to, and how that is known: by the
    /// code (strong), or because there is only one for this client within a quarter of an hour.
    pub fn authorization_of(&self, token: &TokenRequest<'_>) -> Option<(&'a Interaction, Link)> {
        let code = token.param(name::CODE).and_then(|code| cores(code).next());
        let brought =
            |asked: &&'a Interaction| code.as_ref().is_some_and(|code| self.brings(asked, code));
        if let Some(asked) = self.authorization_requests().find(brought) {
            return Some((asked, Link::Strong));
        }
        let near = |asked: &&'a Interaction| {
            let age = token.interaction.at().checked_sub(asked.at());
            let client = asked
                .request()
                .query_params()
                .get(name::CLIENT_ID)
                .map(str::to_owned);
            let same = token
                .param(name::CLIENT_ID)
                .is_none_or(|sent| client.as_deref() == Some(sent));
            age.is_some_and(|age| age <= WEAK_LINK_MAX) && same
        };
        let mut candidates = self.authorization_requests().filter(near);
        let only = candidates.next()?;
        candidates.next().is_none().then_some((only, Link::Weak))
    }

    /// Whether the server sent anybody on with a code for an authorization request.
    pub fn got_code(&self, asked: &'a Interaction) -> bool {
        let query = |location: &str| Url::parse(location)?.query;
        self.locations(asked)
            .filter_map(|location| query(&location))
            .any(|query| Params::parse(&query).has(name::CODE))
    }

    /// Whether the response to an authorization request, or a page behind it, brought the code.
    fn brings(&self, asked: &'a Interaction, code: &Label) -> bool {
        self.locations(asked)
            .any(|location| cores(&location).any(|label| label == *code))
    }

    /// Where the response to an authorization request, and the pages behind it, send the client.
    fn locations(&self, asked: &'a Interaction) -> impl Iterator<Item = String> {
        let behind = self.interactions.iter();
        let behind = behind.skip_while(|other| other.id() <= asked.id());
        let pages = behind.take_while(|other| other.step() == Step::LoginPage);
        let responses = std::iter::once(asked).chain(pages);
        let responses = responses.filter_map(|interaction| interaction.response());
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

/// A request to the token endpoint.
pub struct TokenRequest<'a> {
    /// The interaction.
    pub interaction: &'a Interaction,
    /// The parameters of the query.
    pub query: Params,
    /// The parameters of the body, in whatever format it is.
    pub body: Params,
    /// The header fields of the request.
    pub headers: Headers,
}

impl<'a> TokenRequest<'a> {
    fn of(interaction: &'a Interaction) -> Self {
        let request = interaction.request();
        Self {
            interaction,
            query: request.query_params(),
            body: request.body_params(),
            headers: request.headers(),
        }
    }

    /// The first value of a parameter, in the body or else in the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.body.get(name).or_else(|| self.query.get(name))
    }

    /// The method, as written.
    pub fn method(&self) -> &'a str {
        self.interaction.request().method()
    }

    /// The body.
    pub fn content(&self) -> Content<'a> {
        self.interaction.request().content()
    }

    /// The declared media type in lower case, or nothing.
    pub fn media_type(&self) -> String {
        self.headers.media_type().unwrap_or_default()
    }

    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        outcome(self.interaction)
    }

    /// Whether the request was seen whole, so that something may be said to be missing from it.
    pub fn is_whole(&self) -> bool {
        !matches!(self.content(), Content::Dropped(dropped) if DROPPED_UNSEEN.contains(&dropped.dropped))
    }

    /// The host of the endpoint.
    pub fn host(&self) -> String {
        self.interaction
            .request()
            .parsed_url()
            .map(|url: Url| url.host)
            .unwrap_or_default()
    }

    /// The path of the endpoint.
    pub fn path(&self) -> String {
        self.interaction
            .request()
            .parsed_url()
            .map(|url: Url| url.path)
            .unwrap_or_default()
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A token came back.
    Accepted,
    /// An error came back.
    Failed,
    /// Nothing came back that says either.
    Unknown,
}

fn outcome(interaction: &Interaction) -> Outcome {
    let Some(response) = interaction.response() else {
        return Outcome::Unknown;
    };
    let fields = response.body_params();
    if response.status() >= 400 || fields.has(name::ERROR) {
        Outcome::Failed
    } else if response.status() < 300
        && (fields.has(name::ACCESS_TOKEN) || fields.has(name::ID_TOKEN))
    {
        Outcome::Accepted
    } else {
        Outcome::Unknown
    }
}

const WEAK_LINK_MAX: Duration = Duration::from_mins(15);

const DROPPED_UNSEEN: &[DropReason] = &[
    DropReason::TooLarge,
    DropReason::Cut,
    DropReason::Encoded,
    DropReason::Binary,
    DropReason::Audit,
    DropReason::LedgerFull,
];
