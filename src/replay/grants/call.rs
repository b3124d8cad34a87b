//! What a request puts forward and what came back, in one shape for live and recorded ones.
//!
//! On tape, labels stand where the secrets stood. They are equal where those were.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Heard, Params, Said, Url};
use crate::oauth::asked::{claim_params, object_params};
use crate::oauth::credentials::{basic_token, decode_basic};
use crate::oauth::fields::{Fields, Reading};
use crate::oauth::page::Form;
use crate::oauth::sniff::Sniff;
use crate::oauth::{Step, jwt, name};
use crate::redact::{Declaration, Interaction, Label, Named, cores};
use crate::replay::grants::REDEEMED;

/// A request. It is raw where it is live: no `Debug`.
pub(crate) struct Call {
    pub(super) step: Step,
    pub(super) method: String,
    /// Without its query.
    pub(super) url: String,
    /// The same as the client calls it, where that is another.
    pub(super) called: Option<String>,
    pub(super) query: Params,
    pub(super) body: Params,
    /// The scheme and the credentials of a bearer token, or of one with `DPoP`.
    pub(super) token: Option<(String, String)>,
    /// The user of Basic credentials.
    pub(super) user: Option<String>,
    /// The `DPoP` header field.
    pub(super) proof: Option<Signed>,
    pub(super) assertion: Option<Signed>,
    pub(super) request_object: Option<Signed>,
}

/// A JWT as it was sent, and what can be read of it.
pub(super) struct Signed {
    pub(super) text: String,
    pub(super) jwt: Option<jwt::Jwt>,
}

impl Call {
    /// A live one.
    pub(crate) fn live(step: Step, said: &Said, fields: &Fields) -> Self {
        let signed = |text: &str| Signed {
            text: text.to_owned(),
            jwt: jwt::parse(text),
        };
        let basic = basic_token(said).and_then(decode_basic);
        Self {
            step,
            method: said.method.clone(),
            url: said.url.endpoint(),
            called: said.alias.is_some().then(|| said.called()),
            query: fields.query.clone(),
            body: fields.body.clone(),
            token: said.headers.get("authorization").and_then(token),
            user: basic.map(|basic| basic.split(':').next().unwrap_or_default().to_owned()),
            proof: said.headers.get(PROOF).map(signed),
            assertion: fields.get(name::CLIENT_ASSERTION).map(signed),
            request_object: fields.get(name::REQUEST).map(signed),
        }
    }

    /// A recorded one.
    pub(crate) fn recorded(interaction: &Interaction, declared: &Declared<'_>) -> Self {
        let request = interaction.request();
        let (query, body) = (request.query_params(), request.body_params());
        let headers = request.header_fields();
        let signed = |text: &str| Signed {
            text: text.to_owned(),
            jwt: declared_jwt(declared, text),
        };
        let get = |name| body.get(name).or_else(|| query.get(name));
        Self {
            step: interaction.step(),
            method: request.method().to_owned(),
            url: request.url().to_owned(),
            called: None,
            token: field(headers, "authorization").and_then(token),
            user: request.basic().map(|basic| basic.user.clone()),
            proof: field(headers, PROOF).map(signed),
            assertion: get(name::CLIENT_ASSERTION).map(signed),
            request_object: get(name::REQUEST).map(signed),
            query,
            body,
        }
    }

    /// The names of the URL: a client that calls a local origin may sign for that, or for the server
    /// that it knows.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.url.as_str()).chain(self.called.as_deref())
    }

    /// The step that it is.
    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// Whether it is an authorization request, or what one refers to.
    pub(crate) fn asks(&self) -> bool {
        matches!(
            self.step,
            Step::AuthorizationRequest | Step::PushedAuthorizationRequest
        )
    }

    /// Whether it is a token request that redeems a code, or means to.
    pub(crate) fn is_of_code(&self) -> bool {
        let is_meant = || self.get(name::GRANT_TYPE) == Some(name::grant::AUTHORIZATION_CODE);
        self.step == Step::TokenRequest && (self.get(name::CODE).is_some() || is_meant())
    }

    /// Whether it redeems something that a server issues.
    pub(crate) fn redeems(&self) -> bool {
        let mut redeemed = REDEEMED.iter();
        redeemed.any(|(_, name)| self.get(name).is_some_and(|value| !value.is_empty()))
    }

    /// Whether it brings an access token.
    pub(crate) fn has_token(&self) -> bool {
        self.access_token().is_some()
    }

    /// The scheme of its token, as a challenge names it.
    pub(crate) fn scheme(&self) -> &'static str {
        match &self.token {
            Some((scheme, _)) if scheme == "dpop" => "DPoP",
            _ => "Bearer",
        }
    }

    /// The first value of a name, in the body or else in the query.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.body.get(name).or_else(|| self.query.get(name))
    }

    /// The client, however it says who it is.
    pub(super) fn client(&self) -> Option<&str> {
        let claims = self
            .assertion
            .as_ref()
            .and_then(|assertion| assertion.jwt.as_ref());
        let subject = claims.and_then(|jwt| jwt.claims.get(name::SUB)?.as_str());
        self.get(name::CLIENT_ID)
            .or(self.user.as_deref())
            .or(subject)
    }

    /// Where it went, without path.
    pub(super) fn origin(&self) -> String {
        Url::parse(&self.url).map_or_else(String::new, |url| url.authority())
    }

    /// Whether the client proves who it is.
    pub(super) fn is_authenticated(&self) -> bool {
        self.assertion.is_some() || self.user.is_some() || self.get(name::CLIENT_SECRET).is_some()
    }

    /// The words of a parameter that is a list.
    pub(super) fn words(&self, name: &str) -> Option<BTreeSet<String>> {
        self.get(name).map(words)
    }

    /// The access token, in the header field or as a parameter (RFC 6750 section 2).
    pub(super) fn access_token(&self) -> Option<&str> {
        let header = self.token.as_ref().map(|(_, token)| token.as_str());
        header.or_else(|| self.get(name::ACCESS_TOKEN))
    }

    /// The claims of the request object, live or as they are declared.
    pub(super) fn object_params(&self, object: &str) -> Option<Params> {
        let own = self
            .request_object
            .as_ref()
            .filter(|own| own.text == object);
        let read = own.and_then(|own| own.jwt.as_ref());
        read.map(|jwt| claim_params(&jwt.claims))
            .or_else(|| object_params(object))
    }
}

/// What a server answered. It is raw where it is live: no `Debug`.
pub(crate) struct Reply {
    pub(super) status: u16,
    /// The members of a JSON object, or the pairs of a form.
    pub(super) members: Params,
    /// An authorization response that it carries.
    pub(super) carried: Option<Params>,
    /// `DPoP-Nonce`
    pub(super) nonce: Option<String>,
    /// `WWW-Authenticate`
    pub(super) challenge: Option<String>,
}

impl Reply {
    /// A live one.
    pub(crate) fn live(step: Step, heard: &Heard, reading: &Reading<'_>) -> Self {
        let form = reading.answer.page().and_then(|page| page.answer());
        let location = heard.headers.get("location").and_then(carried);
        let is_read = !step.is_repeatable();
        let text = std::str::from_utf8(&heard.body.bytes).unwrap_or_default();
        let members = match reading.answer.sniff {
            Some(Sniff::Json) if is_read => reading.answer.members().params(),
            Some(Sniff::Form) if is_read => Params::parse(text),
            _ => Params::default(),
        };
        Self {
            status: heard.status,
            members,
            carried: location.or_else(|| form.map(Form::params)),
            nonce: heard.headers.get(NONCE).map(str::to_owned),
            challenge: heard.headers.get(CHALLENGE).map(str::to_owned),
        }
    }

    /// A recorded one; `None` where there was no answer.
    pub(crate) fn recorded(interaction: &Interaction) -> Option<Self> {
        let response = interaction.response()?;
        let headers = response.header_fields();
        let is_read = !interaction.step().is_repeatable();
        let members = is_read.then(|| response.body_params());
        Some(Self {
            status: response.status(),
            members: members.unwrap_or_default(),
            carried: response.locations().iter().find_map(|to| carried(to)),
            nonce: field(headers, NONCE).map(str::to_owned),
            challenge: field(headers, CHALLENGE).map(str::to_owned),
        })
    }

    /// Whether it is what the client wanted.
    pub(super) fn is_success(&self) -> bool {
        self.status < 300 && !self.members.has(name::ERROR)
    }

    /// The error code, of the body or of the challenge.
    pub(super) fn error(&self) -> Option<&str> {
        let challenged = self.challenge.as_deref().and_then(challenged_error);
        self.members.get(name::ERROR).or(challenged)
    }
}

/// Finds what a cassette declares of a label.
pub(crate) type Declared<'a> = dyn Fn(&Label) -> Option<&'a Declaration> + 'a;

/// What can be read of a JWT for which a label stands.
fn declared_jwt(declared: &Declared<'_>, text: &str) -> Option<jwt::Jwt> {
    let declared = declared(&cores(text).next()?)?;
    let part = |text: &Option<String>| -> Option<Map<String, Value>> {
        serde_json::from_str(text.as_deref()?).ok()
    };
    Some(jwt::Jwt {
        header: part(&declared.jwt_header)?,
        claims: part(&declared.jwt_claims)?,
    })
}

/// The error code of a challenge (RFC 6750 section 3).
pub(crate) fn challenged_error(challenge: &str) -> Option<&str> {
    let (_, rest) = challenge.split_once("error=\"")?;
    rest.split('"').next()
}

/// The words of a list.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn field<'a>(fields: &'a [Named<String>], name: &str) -> Option<&'a str> {
    let mut fields = fields.iter();
    let found = fields.find(|field| field.name.eq_ignore_ascii_case(name));
    found.map(|field| field.value.as_str())
}

fn token(authorization: &str) -> Option<(String, String)> {
    let (scheme, token) = authorization.split_once(' ')?;
    let scheme = scheme.to_ascii_lowercase();
    ["bearer", "dpop"]
        .contains(&scheme.as_str())
        .then(|| (scheme, token.trim().to_owned()))
}

/// The authorization response that an address carries, in its query or behind it.
fn carried(address: &str) -> Option<Params> {
    let address = Url::parse(address)?;
    let query = Params::parse(address.query.as_deref().unwrap_or_default());
    let fragment = Params::parse(address.fragment.as_deref().unwrap_or_default());
    let all = query.iter().chain(fragment.iter());
    let all: Params = all
        .map(|param| (param.name.clone(), param.value.clone()))
        .collect();
    let answers = [name::CODE, name::ERROR, name::ACCESS_TOKEN, name::ID_TOKEN];
    answers.iter().any(|name| all.has(name)).then_some(all)
}

const PROOF: &str = "dpop";
const NONCE: &str = "dpop-nonce";
const CHALLENGE: &str = "www-authenticate";
