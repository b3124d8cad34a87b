//! How a client shows who it is, and whether the server believed it (RFC 6749 section 2.3).

use crate::cassette::{Outcome, Turn};
use crate::oauth::name::{self, auth_method};
use crate::redact::BasicCredentials;

/// A way in which a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// The `Basic` scheme.
    Basic,
    /// The secret in the body.
    Post,
    /// An assertion.
    Assertion,
}

impl ClientAuth {
    /// Where it stands.
    pub fn place(self) -> &'static str {
        match self {
            Self::Basic => "Authorization: Basic",
            Self::Post => "client_secret in the body",
            Self::Assertion => "client_assertion in the body",
        }
    }

    /// The names that a registration has for it.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Basic => &[auth_method::CLIENT_SECRET_BASIC],
            Self::Post => &[auth_method::CLIENT_SECRET_POST],
            Self::Assertion => &[auth_method::PRIVATE_KEY_JWT, auth_method::CLIENT_SECRET_JWT],
        }
    }
}

impl<'a> Turn<'a> {
    /// The scheme of `Authorization`.
    pub fn scheme(&self) -> Option<&str> {
        self.authorization().map(|(scheme, _)| scheme)
    }

    /// Whether `Authorization` has that scheme.
    pub fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme()
            .is_some_and(|known| known.eq_ignore_ascii_case(scheme))
    }

    /// The halves of `Basic` credentials.
    pub fn basic(&self) -> Option<&'a BasicCredentials> {
        self.interaction.request().basic()
    }

    /// The client that the request says it is of.
    pub fn client_id(&self) -> Option<&str> {
        let user = || self.basic().map(|basic| basic.user.as_str());
        self.param(name::CLIENT_ID).or_else(user)
    }

    /// The client's secret, wherever it stands.
    pub fn client_secret(&self) -> Option<&str> {
        let password = || self.basic().and_then(|basic| basic.password.as_deref());
        self.param(name::CLIENT_SECRET).or_else(password)
    }

    /// The ways in which the client shows who it is.
    pub fn client_auth(&self) -> Vec<ClientAuth> {
        let ways = [
            (self.has_scheme("basic"), ClientAuth::Basic),
            (self.body().has(name::CLIENT_SECRET), ClientAuth::Post),
            (
                self.body().has(name::CLIENT_ASSERTION),
                ClientAuth::Assertion,
            ),
        ];
        let used = ways.into_iter().filter(|(used, _)| *used);
        used.map(|(_, way)| way).collect()
    }

    /// The one way in which the client shows who it is.
    pub fn only_client_auth(&self) -> Option<ClientAuth> {
        match self.client_auth()[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether the server refused the client, rather than what it asked for.
    pub fn refused_client(&self) -> bool {
        let refused = || self.status() == Some(401) || NOT_BELIEVED.contains(&self.error());
        self.outcome() == Outcome::Failed && refused()
    }
}

/// What servers say to a client that they do not believe: the standard's code, Keycloak's and X's,
/// Slack's, GitHub's.
const NOT_BELIEVED: &[&str] = &[
    "invalid_client",
    "unauthorized_client",
    "bad_client_secret",
    "incorrect_client_credentials",
];
