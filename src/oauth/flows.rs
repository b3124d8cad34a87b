//! What the exchanges so far said that later ones are read against: raw, in memory only.

use std::collections::HashMap;

use crate::model::{Bounded, Heard, Param, Params, Remembered, Said, Url};
use crate::oauth::asked::{asked, object_params};
use crate::oauth::elsewhere::{Elsewhere, elsewhere};
use crate::oauth::fields::{Answer, Fields, Reading};
use crate::oauth::tokens::{Keys, Token, Verdict};
use crate::oauth::{Step, name};

/// One authorization request, and what became of it.
pub struct Authorization {
    /// Where it went, without its query.
    pub url: Url,
    /// `client_id`
    pub client_id: Option<String>,
    /// `redirect_uri`, decoded once.
    pub redirect_uri: Option<String>,
    /// `state`
    pub state: Option<String>,
    /// `code_challenge`
    pub challenge: Option<String>,
    /// `code_challenge_method`
    pub method: Option<String>,
    /// The code that came back.
    pub code: Option<String>,
    /// Whether a response came back at all.
    pub answered: bool,
}

/// The flows of one session. It holds secrets: no `Debug`, no `Serialize`.
#[derive(Default)]
pub struct Flows {
    /// By how many came before.
    authorizations: Bounded<usize, Authorization>,
    /// Where their responses go, without queries.
    redirect_uris: Remembered,
    access_tokens: Remembered,
    client_secrets: Remembered,
    endpoints: HashMap<String, Step>,
    keys: Keys,
    /// What was pushed, by the request URI that stands for it (RFC 9126).
    pushed: Bounded<String, Params>,
}

impl Flows {
    /// Takes in one exchange, whose step is known.
    pub fn observe(&mut self, step: Step, reading: &Reading<'_>) {
        let (said, fields) = (reading.said, &reading.fields);
        match step {
            Step::AuthorizationRequest => {
                let asked = self.asked(fields);
                let redirect_uri = asked.get(name::REDIRECT_URI).and_then(Url::parse);
                if let Some(redirect_uri) = redirect_uri {
                    self.redirect_uris.add(&redirect_uri.endpoint());
                }
                let number = self.authorizations.came();
                self.authorizations
                    .insert(number, Authorization::asked(said, &asked));
            }
            Step::PushedAuthorizationRequest => {
                if let Some(request_uri) = reading.answer.get(name::REQUEST_URI) {
                    self.pushed
                        .insert(request_uri.to_owned(), fields.body.clone());
                }
            }
            Step::AuthorizationResponse => {
                self.answer(fields.get(name::STATE), fields.get(name::CODE));
            }
            Step::Discovery => self.learn_endpoints(&reading.answer),
            Step::Jwks => self.keys.learn(&said.url.host, &reading.answer),
            _ => {}
        }
        self.keys.learn_secret(reading);
        if let Some(secret) = fields.get(name::CLIENT_SECRET) {
            self.client_secrets.add(secret);
        }
        if let Some(heard) = reading.heard {
            self.learn_response(step, heard, &reading.answer);
        }
    }

    /// What an authorization request asks for, with what was pushed before it and what a request
    /// object says.
    fn asked(&self, fields: &Fields) -> Params {
        let pushed = fields
            .get(name::REQUEST_URI)
            .and_then(|uri| self.pushed.get(uri));
        asked(&[&fields.body, &fields.query], pushed, object_params)
    }

    /// The authorization whose code this is; without a code that is known, the only one, or none.
    pub fn authorization(&self, code: Option<&str>) -> Option<&Authorization> {
        let of_code = |flow: &&Authorization| flow.code.as_deref() == code;
        let mut all = self.authorizations();
        let only = all.next().filter(|_| all.next().is_none());
        code.and_then(|_| self.authorizations().rev().find(of_code))
            .or(only)
    }

    /// How the URL that a code is sent to is of another server than the one that issued it, unless
    /// metadata names both.
    pub fn elsewhere(&self, url: &Url, code: Option<&str>) -> Option<Elsewhere> {
        let flow = self.authorization(Some(code?))?;
        let is_named = |url| self.endpoint(url).is_some();
        let are_named = is_named(&flow.url) && is_named(url);
        elsewhere(&flow.url, url).filter(|_| !are_named)
    }

    /// The authorizations that are remembered, in order.
    pub fn authorizations(&self) -> impl DoubleEndedIterator<Item = &Authorization> {
        self.authorizations.iter().map(|(_, flow)| flow)
    }

    /// The step that metadata gives this URL.
    pub fn endpoint(&self, url: &Url) -> Option<Step> {
        // Most sessions have no metadata.
        let is_named = !self.endpoints.is_empty();
        is_named.then(|| self.endpoints.get(&url.endpoint()).copied())?
    }

    /// Whether the URL, without its query, is a redirect URI that was asked for.
    pub fn is_redirect_uri(&self, url: &Url) -> bool {
        self.redirect_uris.has(&url.endpoint())
    }

    /// The authorization response that a response carries to a redirect URI that was asked for: in
    /// its `Location`, or in a form.
    pub fn carried(&self, heard: &Heard, answer: &Answer<'_>) -> Option<Params> {
        let location = heard.headers.get("location").and_then(Url::parse);
        if let Some(location) = location.filter(|location| self.is_redirect_uri(location)) {
            let query = Params::parse(location.query.as_deref().unwrap_or_default());
            let fragment = Params::parse(location.fragment.as_deref().unwrap_or_default());
            let pair = |param: &Param| (param.name.clone(), param.value.clone());
            return Some(query.iter().chain(fragment.iter()).map(pair).collect());
        }
        let form = answer.page()?.answer()?;
        let action = Url::parse(&form.action)?;
        self.is_redirect_uri(&action).then(|| form.params())
    }

    /// Whether an authorization request went to the host, or to a sibling of it, before.
    pub fn has_authorized_with(&self, url: &Url) -> bool {
        self.authorizations()
            .any(|flow| are_siblings(&flow.url.host, &url.host))
    }

    /// Whether an authorization request to the host has no response yet.
    pub fn awaits_response_from(&self, url: &Url) -> bool {
        self.authorizations()
            .any(|flow| !flow.answered && flow.url.host == url.host)
    }

    /// Whether the token was issued in this session.
    pub fn is_access_token(&self, token: &str) -> bool {
        self.access_tokens.has(token)
    }

    /// Whether the value was sent or issued as a client's secret in this session.
    pub fn is_client_secret(&self, value: &str) -> bool {
        self.client_secrets.has(value)
    }

    /// How many keys, of sets or shared, the signatures of this session can be verified with.
    pub fn signers_known(&self) -> usize {
        self.keys.len()
    }

    /// What the keys and the secrets of this session say of the signature of a JWT.
    pub fn signature(&self, token: Token, text: &str) -> Verdict {
        self.keys.check(token, text)
    }

    /// Whether the value is a client's identifier in this session.
    pub fn is_client_id(&self, value: &str) -> bool {
        self.authorizations()
            .any(|flow| flow.client_id.as_deref() == Some(value))
    }

    fn learn_response(&mut self, step: Step, heard: &Heard, answer: &Answer<'_>) {
        if let Some(carried) = self.carried(heard, answer) {
            self.answer(carried.get(name::STATE), carried.get(name::CODE));
        }
        if matches!(step, Step::TokenRequest | Step::Registration) {
            if let Some(token) = answer.get(name::ACCESS_TOKEN) {
                self.access_tokens.add(token);
            }
            if let Some(secret) = answer.get(name::CLIENT_SECRET) {
                self.client_secrets.add(secret);
            }
        }
    }

    fn answer(&mut self, state: Option<&str>, code: Option<&str>) {
        let waiting = |flow: &&mut Authorization| !flow.answered && flow.state.as_deref() == state;
        if let Some(flow) = self.authorizations.values_mut().rev().find(waiting) {
            flow.answered = true;
            flow.code = code.map(str::to_owned);
        }
    }

    fn learn_endpoints(&mut self, answer: &Answer<'_>) {
        for (field, step) in ENDPOINTS {
            if let Some(url) = answer.get(field).and_then(Url::parse) {
                self.endpoints.insert(url.endpoint(), *step);
            }
        }
    }
}

impl Authorization {
    fn asked(said: &Said, asked: &Params) -> Self {
        let get = |name| asked.get(name).map(str::to_owned);
        Self {
            url: Url {
                query: None,
                ..said.url.clone()
            },
            client_id: get(name::CLIENT_ID),
            redirect_uri: get(name::REDIRECT_URI),
            state: get(name::STATE),
            challenge: get(name::CODE_CHALLENGE),
            method: get(name::CODE_CHALLENGE_METHOD),
            code: None,
            answered: false,
        }
    }
}

/// `accounts.example.com` and `api.example.com`: one operator's hosts, as far as names can tell.
fn are_siblings(a: &str, b: &str) -> bool {
    let parent = |host: &str| {
        host.split_once('.')
            .map(|(_, parent)| parent.to_ascii_lowercase())
    };
    let named =
        |parent: &Option<String>| parent.as_ref().is_some_and(|parent| parent.contains('.'));
    a.eq_ignore_ascii_case(b) || (named(&parent(a)) && parent(a) == parent(b))
}

const ENDPOINTS: &[(&str, Step)] = &[
    (name::AUTHORIZATION_ENDPOINT, Step::AuthorizationRequest),
    (name::TOKEN_ENDPOINT, Step::TokenRequest),
    (name::JWKS_URI, Step::Jwks),
    (name::USERINFO_ENDPOINT, Step::Userinfo),
    (name::REVOCATION_ENDPOINT, Step::Revocation),
    (name::INTROSPECTION_ENDPOINT, Step::Introspection),
    (name::REGISTRATION_ENDPOINT, Step::Registration),
    (
        name::BACKCHANNEL_AUTHENTICATION_ENDPOINT,
        Step::BackchannelAuthenticationRequest,
    ),
    (
        name::DEVICE_AUTHORIZATION_ENDPOINT,
        Step::DeviceAuthorizationRequest,
    ),
    (
        name::PUSHED_AUTHORIZATION_REQUEST_ENDPOINT,
        Step::PushedAuthorizationRequest,
    ),
    (name::END_SESSION_ENDPOINT, Step::EndSession),
];

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Captured, Version};

    pub(crate) fn said(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Said {
        Said {
            method: method.to_owned(),
            url: Url::parse(url).expect(url),
            version: Version::Http11,
            headers: headers.iter().copied().collect(),
            body: Captured::of(body.as_bytes(), 1 << 20),
            alias: None,
        }
    }

    pub(crate) fn heard(status: u16, headers: &[(&str, &str)], body: &str) -> Heard {
        Heard {
            status,
            reason: None,
            version: Version::Http11,
            headers: headers.iter().copied().collect(),
            body: Captured::of(body.as_bytes(), 1 << 20),
            after: Duration::from_millis(87),
        }
    }

    #[test]
    fn a_code_leads_back_to_its_authorization() {
        let mut flows = Flows::default();
        for (state, code) in [("s1", "c1"), ("s2", "c2")] {
            let url = format!(
                "https://as.example/authorize?response_type=code&client_id={state}&state={state}&redirect_uri=https://x.example/cb"
            );
            let location = format!("https://x.example/cb?code={code}&state={state}");
            let answer = heard(302, &[("Location", &location)], "");
            let asked = said("GET", &url, &[], "");
            flows.observe(
                Step::AuthorizationRequest,
                &Reading::of(&asked, Some(&answer)),
            );
        }
        let client = |code| {
            flows
                .authorization(code)
                .and_then(|flow| flow.client_id.clone())
        };
        assert_eq!(client(Some("c1")).as_deref(), Some("s1"));
        assert_eq!(client(Some("c2")).as_deref(), Some("s2"));
        assert_eq!(client(Some("c3")), None);
    }

    #[test]
    fn what_was_pushed_is_what_the_authorization_request_asks_for() {
        let mut flows = Flows::default();
        let pushing = said(
            "POST",
            "https://as.example/par",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            "client_id=c&response_type=code&redirect_uri=https://x.example/cb&state=s&code_challenge=h",
        );
        let pushed = heard(201, &[], r#"{"request_uri":"urn:1","expires_in":60}"#);
        let step = Step::PushedAuthorizationRequest;
        flows.observe(step, &Reading::of(&pushing, Some(&pushed)));
        let url = "https://as.example/authorize?client_id=c&request_uri=urn%3A1";
        let asking = said("GET", url, &[], "");
        let answer = heard(
            302,
            &[("Location", "https://x.example/cb?code=k&state=s")],
            "",
        );
        let step = Step::AuthorizationRequest;
        flows.observe(step, &Reading::of(&asking, Some(&answer)));
        let flow = flows.authorization(Some("k")).expect("the code is of it");
        assert_eq!(flow.redirect_uri.as_deref(), Some("https://x.example/cb"));
        assert_eq!(flow.challenge.as_deref(), Some("h"));
    }

    #[test]
    fn a_code_in_a_form_is_an_answer_where_the_form_goes_to_a_redirect_uri_of_ours() {
        let url = "https://as.example/authorize?response_type=code&client_id=c&state=s&redirect_uri=https://x.example/cb";
        for (action, expected) in [
            ("https://x.example/cb", Some("k")),
            ("https://y.example/cb", None),
        ] {
            let mut flows = Flows::default();
            let asked = said("GET", url, &[], "");
            flows.observe(Step::AuthorizationRequest, &Reading::of(&asked, None));
            let page = format!(
                "<html><body onload='document.forms[0].submit()'><form method=post action={action}>\
                 <input type=hidden name=code value=k><input type=hidden name=state value=s></form>"
            );
            let page = heard(200, &[], &page);
            flows.observe(Step::LoginPage, &Reading::of(&asked, Some(&page)));
            let flow = flows.authorizations().next().expect("a flow");
            assert_eq!(flow.code.as_deref(), expected, "{action}");
            assert_eq!(flows.awaits_response_from(&asked.url), expected.is_none());
        }
    }

    #[test]
    fn hosts_of_one_operator_are_siblings() {
        for (a, b, expected) in [
            ("accounts.example.com", "api.example.com", true),
            ("localhost", "localhost", true),
            ("a.com", "b.com", false),
            ("127.0.0.1", "127.0.0.1", true),
        ] {
            assert_eq!(are_siblings(a, b), expected, "{a} {b}");
        }
    }
}
