//! A flow: an authorization request, what came back for it, and what was asked for with that.

use std::time::Duration;

use crate::cassette::session::tie::Ties;
use crate::cassette::session::{Link, Outcome, Session, Turn};
use crate::model::Params;
use crate::oauth::{Step, name};

/// One authorization as far as the session shows it.
#[derive(Clone, Copy)]
pub struct Flow<'s, 'a> {
    session: &'s Session<'a>,
    ties: &'s Ties,
}

/// What the authorization server sent to the redirect URI.
pub struct AuthorizationResponse {
    pub(super) carrier: usize,
    /// Where it was sent, without parameters.
    pub to: String,
    /// What it says.
    pub params: Params,
    /// How it was sent.
    pub mode: Mode,
    /// How it is known whose it is: by the request that it answers, or by the state (strong), or
    /// because it goes to where one is awaited.
    pub link: Link,
}

/// How an authorization response travels (OAuth 2.0 Multiple Response Types section 2.1, Form Post
/// Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the query of the redirect URI.
    Query,
    /// Behind it, where no server sees it.
    Fragment,
    /// As the body of a request.
    FormPost,
}

impl<'s, 'a> Flow<'s, 'a> {
    pub(super) fn new(session: &'s Session<'a>, ties: &'s Ties) -> Self {
        Self { session, ties }
    }

    fn turn(self, at: usize) -> &'s Turn<'a> {
        &self.session.turns[at]
    }

    /// The authorization request; the first, where the server had it sent again.
    pub fn request(self) -> &'s Turn<'a> {
        self.turn(self.ties.requests[0])
    }

    /// The last answer of the authorization endpoint.
    pub fn last_request(self) -> &'s Turn<'a> {
        self.turn(self.ties.requests[self.ties.requests.len() - 1])
    }

    /// What was asked for, wherever it stands: in the request, in what was pushed before it, or in
    /// a request object.
    pub fn asked(self) -> &'s Params {
        &self.ties.asked
    }

    /// Whether all that was asked for is seen, so that something may be said to be missing.
    pub fn is_whole(self) -> bool {
        self.ties.is_whole
    }

    /// The message in which a parameter stands, and what it is called.
    pub fn asker(self, name: &str) -> (&'s Turn<'a>, &'static str) {
        let pushed = self.ties.pushed.map(|at| self.turn(at));
        match pushed.filter(|pushed| pushed.body().has(name)) {
            Some(pushed) => (pushed, "pushed"),
            None => (self.request(), "authorize"),
        }
    }

    /// What came back.
    pub fn response(self) -> Option<&'s AuthorizationResponse> {
        self.ties.response.as_ref()
    }

    /// The message that carries it: an answer of the server, or else what reached the client.
    pub fn carrier(self) -> Option<&'s Turn<'a>> {
        Some(self.turn(self.ties.response.as_ref()?.carrier))
    }

    /// The first value of a parameter of what came back.
    pub fn answered(self, name: &str) -> Option<&'s str> {
        self.response()?.params.get(name)
    }

    /// When it came back, since the recording began.
    pub fn answered_at(self) -> Option<Duration> {
        let carrier = self.carrier()?;
        let sent = match carrier.step() {
            Step::AuthorizationResponse => Duration::ZERO,
            _ => carrier.interaction.took(),
        };
        Some(carrier.interaction.at() + sent)
    }

    /// The request that reached the client's redirection endpoint.
    pub fn callback(self) -> Option<&'s Turn<'a>> {
        self.ties.callback.map(|at| self.turn(at))
    }

    /// The token requests that redeem the code, in order, and how that is known.
    pub fn token_requests(self) -> impl Iterator<Item = (&'s Turn<'a>, Link)> {
        let tokens = self.ties.tokens.iter();
        tokens.map(move |(at, link)| (self.turn(*at), *link))
    }

    /// What came of it, as far as it went.
    pub fn outcome(self) -> Outcome {
        let outcomes: Vec<_> = self
            .token_requests()
            .map(|(token, _)| token.outcome())
            .collect();
        if outcomes.contains(&Outcome::Accepted) {
            Outcome::Accepted
        } else if outcomes.contains(&Outcome::Failed) || self.is_refused() {
            Outcome::Failed
        } else {
            Outcome::Unknown
        }
    }

    /// Whether the authorization endpoint itself refused the request.
    pub fn is_refused(self) -> bool {
        let status = self.last_request().status();
        self.answered(name::ERROR).is_some() || status.is_some_and(|status| status >= 400)
    }
}
