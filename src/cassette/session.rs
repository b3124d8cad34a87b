//! A session: a cassette read as the steps of authorization attempts, with what belongs together.

use std::cell::OnceCell;
use std::time::Duration;

use crate::cassette::Cassette;
use crate::model::{Headers, Params, Url};
use crate::oauth::facts::Facts;
use crate::oauth::{Step, name};
use crate::redact::{Content, DropReason, Interaction, Label, RecordedResponse, cores};

/// The steps of a cassette.
pub struct Session<'a> {
    turns: Vec<Turn<'a>>,
}

impl<'a> Session<'a> {
    /// The session that a cassette holds.
    pub fn new(cassette: &'a Cassette) -> Self {
        Self {
            turns: cassette.interactions.iter().map(Turn::of).collect(),
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

/// A request and what came of it, taken apart when it is first asked for.
pub struct Turn<'a> {
    /// The interaction.
    pub interaction: &'a Interaction,
    url: OnceCell<Option<Url>>,
    query: OnceCell<Params>,
    body: OnceCell<Params>,
    headers: OnceCell<Headers>,
    answer: OnceCell<Params>,
    answer_headers: OnceCell<Headers>,
}

impl<'a> Turn<'a> {
    fn of(interaction: &'a Interaction) -> Self {
        Self {
            interaction,
            url: OnceCell::new(),
            query: OnceCell::new(),
            body: OnceCell::new(),
            headers: OnceCell::new(),
            answer: OnceCell::new(),
            answer_headers: OnceCell::new(),
        }
    }

    /// The interaction's number.
    pub fn id(&self) -> u64 {
        self.interaction.id()
    }

    /// What only the raw exchange could tell.
    pub fn facts(&self) -> &'a Facts {
        self.interaction.facts()
    }

    /// What it is for.
    pub fn step(&self) -> Step {
        self.interaction.step()
    }

    /// The parameters of the query.
    pub fn query(&self) -> &Params {
        self.query
            .get_or_init(|| self.interaction.request().query_params())
    }

    /// The parameters of the body, in whatever format it is.
    pub fn body(&self) -> &Params {
        self.body
            .get_or_init(|| self.interaction.request().body_params())
    }

    /// The header fields of the request.
    pub fn headers(&self) -> &Headers {
        self.headers
            .get_or_init(|| self.interaction.request().headers())
    }

    /// The members of the response's JSON object, or the pairs of its form.
    pub fn answer(&self) -> &Params {
        let response = self.interaction.response();
        let members = || response.map(RecordedResponse::body_params);
        self.answer.get_or_init(|| members().unwrap_or_default())
    }

    /// The header fields of the response.
    pub fn answer_headers(&self) -> &Headers {
        let response = self.interaction.response();
        let fields = || response.map(RecordedResponse::headers);
        self.answer_headers
            .get_or_init(|| fields().unwrap_or_default())
    }

    /// The response's status code.
    pub fn status(&self) -> Option<u16> {
        self.interaction.response().map(RecordedResponse::status)
    }

    /// The first value of a parameter, in the body or else in the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.body().get(name).or_else(|| self.query().get(name))
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
        self.headers().media_type().unwrap_or_default()
    }

    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        let Some(status) = self.status() else {
            return Outcome::Unknown;
        };
        let fields = self.answer();
        if status >= 400 || fields.has(name::ERROR) {
            Outcome::Failed
        } else if status < 300 && (fields.has(name::ACCESS_TOKEN) || fields.has(name::ID_TOKEN)) {
            Outcome::Accepted
        } else {
            Outcome::Unknown
        }
    }

    /// Whether the request was seen whole, so that something may be said to be missing from it.
    pub fn is_whole(&self) -> bool {
        !matches!(self.content(), Content::Dropped(dropped) if DROPPED_UNSEEN.contains(&dropped.dropped))
    }

    /// The URL, without its query.
    pub fn url(&self) -> Option<&Url> {
        self.url
            .get_or_init(|| self.interaction.request().parsed_url())
            .as_ref()
    }

    /// The host of the endpoint.
    pub fn host(&self) -> &str {
        self.url().map(|url| url.host.as_str()).unwrap_or_default()
    }

    /// The path of the endpoint.
    pub fn path(&self) -> &str {
        self.url().map(|url| url.path.as_str()).unwrap_or_default()
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

const WEAK_LINK_MAX: Duration = Duration::from_mins(15);

const DROPPED_UNSEEN: &[DropReason] = &[
    DropReason::TooLarge,
    DropReason::Cut,
    DropReason::Encoded,
    DropReason::Binary,
    DropReason::Audit,
    DropReason::LedgerFull,
];
