//! What only the raw exchange can tell, as words, numbers and booleans.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use time::PrimitiveDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

use crate::model::{Heard, Params, Said};
use crate::oauth::credentials::{
    self, AssertionIdentity, AssertionSignature, SecretLook, basic_token, decode_basic,
    has_reserved, is_form_encoded,
};
use crate::oauth::elsewhere::Elsewhere;
use crate::oauth::fields::{Fields, Reading};
use crate::oauth::flows::Flows;
use crate::oauth::pkce::{
    self, ChallengeFault, PLAIN, PkceCheck, VerifierFault, challenge_fault, verifier_fault,
};
use crate::oauth::placeholder::{is_label, is_template};
use crate::oauth::providers::{Allowance, code_life, takes};
use crate::oauth::relation::{UrlPart, url_relation};
use crate::oauth::sniff::{Sniff, promised};
use crate::oauth::state::{Guessable, guessable};
use crate::oauth::tokens::{self, Checked, Hash, Signature, Token, wrong_hashes};
use crate::oauth::{Step, jwt, name};

/// The facts of one interaction. A fact with its expected value is left out.
///
/// A fact is a word, a number or a boolean, never a hash or a part of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and a key of the file"
)]
pub struct Facts {
    /// What the request's body really is, where it is not what this step expects (a form at the
    /// token endpoint, what the header promises elsewhere).
    #[serde(rename = "body.sniff")]
    pub body_sniff: Option<Sniff>,
    /// How the code challenge of this flow relates to the verifier, where that is not `ok`.
    #[serde(rename = "pkce.check")]
    pub pkce_check: Option<PkceCheck>,
    /// What is wrong with the text of a code challenge.
    #[serde(rename = "pkce.challenge")]
    pub pkce_challenge: Option<ChallengeFault>,
    /// What is wrong with the text of a code verifier.
    #[serde(rename = "pkce.verifier")]
    pub pkce_verifier: Option<VerifierFault>,
    /// Why the state of an authorization request can be guessed.
    #[serde(rename = "state.guessable")]
    pub state_guessable: Option<Guessable>,
    /// The credentials behind `Basic` are no base64.
    #[serde(rename = "basic.not_base64")]
    pub basic_not_base64: bool,
    /// The base64 lacks its padding.
    #[serde(rename = "basic.unpadded")]
    pub basic_unpadded: bool,
    /// There is white space inside the credentials.
    #[serde(rename = "basic.white_space")]
    pub basic_white_space: bool,
    /// The credentials stand without a scheme, or the scheme without credentials.
    #[serde(rename = "basic.no_scheme")]
    pub basic_no_scheme: bool,
    /// How many colons the decoded credentials have, where it is not one.
    #[serde(rename = "basic.colons")]
    pub basic_colons: Option<u32>,
    /// The user half is the client's secret, or the password half its identifier.
    #[serde(rename = "basic.swapped")]
    pub basic_swapped: bool,
    /// A half holds a character that a server which decodes it as a form reads as another (RFC 6749
    /// section 2.3.1).
    #[serde(rename = "basic.reserved")]
    pub basic_reserved: bool,
    /// A half decodes as a form and holds `%XX`.
    #[serde(rename = "basic.looks_form_encoded")]
    pub basic_looks_form_encoded: bool,
    /// What stands in the place of the client's secret looks like something else.
    #[serde(rename = "client_secret.looks_like")]
    pub client_secret_looks_like: Option<SecretLook>,
    /// The client assertion is no JWT.
    #[serde(rename = "client_assertion.not_jwt")]
    pub client_assertion_not_jwt: bool,
    /// How the claims of the client assertion, or of a secret that is a JWT, do not name the client.
    #[serde(rename = "client_assertion.identity")]
    pub client_assertion_identity: Option<AssertionIdentity>,
    /// What is wrong with the form of its signature.
    #[serde(rename = "client_assertion.signature")]
    pub client_assertion_signature: Option<AssertionSignature>,
    /// A parameter holds a template that was never filled in (`${…}`, `{{…}}`, `<…>`, `%…%`).
    #[serde(rename = "placeholder.in")]
    pub placeholder_in: Option<String>,
    /// The `redirect_uri` is the one that was asked for, spelled with other escapes. Where these are
    /// in a value that is replaced, both have the same label.
    #[serde(rename = "redirect_uri.spelling")]
    pub redirect_uri_spelling: Option<UrlPart>,
    /// The token request goes to another server than the one that issued the code.
    #[serde(rename = "token_endpoint.elsewhere")]
    pub elsewhere: Option<Elsewhere>,
    /// The server is one that asks for no `grant_type`, and there is none.
    #[serde(rename = "grant_type.not_needed")]
    pub grant_type_not_needed: bool,
    /// How the scopes or the parameters are sent otherwise than the standard has it, where the provider
    /// documents it.
    #[serde(rename = "provider.takes")]
    pub provider_takes: Option<Allowance>,
    /// How many seconds the code lives that is redeemed, where that is known of the provider.
    #[serde(rename = "provider.code_life")]
    pub provider_code_life: Option<u64>,
    /// A page speaks of the redirect URI or the callback, and asks for no password.
    #[serde(rename = "page.mentions_redirect_uri")]
    pub page_mentions_redirect_uri: bool,
    /// A page asks for a password.
    #[serde(rename = "page.asks_password")]
    pub page_asks_password: bool,
    /// What is wrong with the signature of an access token that is a JWT.
    #[serde(rename = "jwt.access_token.sig")]
    pub access_token_sig: Option<Signature>,
    /// What is wrong with the signature of an ID Token.
    #[serde(rename = "jwt.id_token.sig")]
    pub id_token_sig: Option<Signature>,
    /// What is wrong with the signature of a body that is a JWT as a whole.
    #[serde(rename = "jwt.jwt.sig")]
    pub jwt_sig: Option<Signature>,
    /// What is wrong with the signature of an authorization response that is a JWT.
    #[serde(rename = "jwt.response.sig")]
    pub response_sig: Option<Signature>,
    /// What is wrong with `at_hash` in an ID Token.
    #[serde(rename = "hash.at_hash")]
    pub at_hash: Option<Hash>,
    /// What is wrong with `c_hash` in an ID Token.
    #[serde(rename = "hash.c_hash")]
    pub c_hash: Option<Hash>,
    /// What is wrong with `s_hash` in an ID Token.
    #[serde(rename = "hash.s_hash")]
    pub s_hash: Option<Hash>,
    /// What is wrong with `ath` in a `DPoP` proof: it is of another token than goes with it.
    #[serde(rename = "dpop.ath")]
    pub dpop_ath: Option<Hash>,
    /// The server's `Date` minus our clock, in seconds, where it is two or more.
    #[serde(rename = "time.date_skew")]
    pub date_skew: Option<i64>,
}

impl Facts {
    /// The facts that are there, by their keys in the file, in its order.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        let flag = |key, set: bool| set.then(|| (key, "true".to_owned()));
        let facts = [
            word("body.sniff", self.body_sniff),
            word("pkce.check", self.pkce_check),
            word("pkce.challenge", self.pkce_challenge),
            word("pkce.verifier", self.pkce_verifier),
            word("state.guessable", self.state_guessable),
            flag("basic.not_base64", self.basic_not_base64),
            flag("basic.unpadded", self.basic_unpadded),
            flag("basic.white_space", self.basic_white_space),
            flag("basic.no_scheme", self.basic_no_scheme),
            word("basic.colons", self.basic_colons),
            flag("basic.swapped", self.basic_swapped),
            flag("basic.reserved", self.basic_reserved),
            flag("basic.looks_form_encoded", self.basic_looks_form_encoded),
            word("client_secret.looks_like", self.client_secret_looks_like),
            flag("client_assertion.not_jwt", self.client_assertion_not_jwt),
            word("client_assertion.identity", self.client_assertion_identity),
            word(
                "client_assertion.signature",
                self.client_assertion_signature,
            ),
            word("placeholder.in", self.placeholder_in.as_ref()),
            word("redirect_uri.spelling", self.redirect_uri_spelling),
            word("token_endpoint.elsewhere", self.elsewhere),
            flag("grant_type.not_needed", self.grant_type_not_needed),
            word("provider.takes", self.provider_takes),
            word("provider.code_life", self.provider_code_life),
            flag(
                "page.mentions_redirect_uri",
                self.page_mentions_redirect_uri,
            ),
            flag("page.asks_password", self.page_asks_password),
            word("jwt.access_token.sig", self.access_token_sig),
            word("jwt.id_token.sig", self.id_token_sig),
            word("jwt.jwt.sig", self.jwt_sig),
            word("jwt.response.sig", self.response_sig),
            word("hash.at_hash", self.at_hash),
            word("hash.c_hash", self.c_hash),
            word("hash.s_hash", self.s_hash),
            word("dpop.ath", self.dpop_ath),
            word("time.date_skew", self.date_skew),
        ];
        facts.into_iter().flatten().collect()
    }

    /// Computes the facts of an exchange; `clock` is ours at the response's head, in Unix seconds.
    pub fn of(flows: &Flows, step: Step, reading: &Reading<'_>, clock: i64) -> Self {
        let (said, fields) = (reading.said, &reading.fields);
        let mut facts = Self {
            body_sniff: unexpected_sniff(step, said, fields.sniff),
            placeholder_in: placeholder_in(fields),
            ..Self::default()
        };
        let asks = [Step::AuthorizationRequest, Step::PushedAuthorizationRequest];
        if asks.contains(&step) {
            facts.check_asked(said, fields);
        }
        if step == Step::TokenRequest {
            facts.check_pkce(flows, fields);
            let verifier = fields.get(name::CODE_VERIFIER);
            let verifier = verifier.filter(|verifier| !is_label(verifier));
            facts.pkce_verifier = verifier.and_then(verifier_fault);
            facts.check_redirect_uri(flows, fields);
            facts.elsewhere = flows.elsewhere(&said.url, fields.get(name::CODE));
            facts.grant_type_not_needed =
                !fields.has(name::GRANT_TYPE) && takes(&said.url.host, Allowance::NoGrantType);
            facts.provider_code_life = fields
                .get(name::CODE)
                .and_then(|_| code_life(&said.url.host));
            facts.provider_takes =
                unusual(said, fields).filter(|allowance| takes(&said.url.host, *allowance));
        }
        if let Some(credentials) = basic_token(said).filter(|text| !is_label(text)) {
            facts.check_basic(flows, fields, credentials);
        }
        if step.authenticates_client() {
            facts.check_credentials(said, fields);
        }
        facts.dpop_ath = tokens::has_wrong_ath(said).then_some(Hash::Mismatch);
        if let Some(heard) = reading.heard {
            if let Some(page) = reading.answer.page() {
                facts.page_asks_password = page.asks_password();
                facts.page_mentions_redirect_uri = page.mentions_redirect_uri();
            }
            facts.date_skew = date_skew(heard, clock);
        }
        facts
    }

    /// Without those of the answer.
    #[must_use]
    pub fn of_request(self) -> Self {
        Self {
            page_mentions_redirect_uri: false,
            page_asks_password: false,
            access_token_sig: None,
            id_token_sig: None,
            jwt_sig: None,
            response_sig: None,
            at_hash: None,
            c_hash: None,
            s_hash: None,
            date_skew: None,
            ..self
        }
    }

    /// What is wrong with the signature of a JWT that stands there.
    pub fn signature_mut(&mut self, token: Token) -> &mut Option<Signature> {
        match token {
            Token::Access => &mut self.access_token_sig,
            Token::Body => &mut self.jwt_sig,
            Token::Id => &mut self.id_token_sig,
            Token::Response => &mut self.response_sig,
        }
    }

    /// The same, to read.
    pub fn signature(&self, token: Token) -> Option<Signature> {
        match token {
            Token::Access => self.access_token_sig,
            Token::Body => self.jwt_sig,
            Token::Id => self.id_token_sig,
            Token::Response => self.response_sig,
        }
    }

    /// Whether the signature of the JWT of this name is not the one that its header promises.
    pub fn has_bad_signature(&self, name: &str) -> bool {
        let signature = Token::from_word(name).and_then(|token| self.signature(token));
        signature == Some(Signature::Bad)
    }

    /// Whether a hash in the ID Token is of something else than what came with it.
    pub fn has_bad_hash(&self, claim: &str) -> bool {
        let hash = match claim {
            name::AT_HASH => self.at_hash,
            name::C_HASH => self.c_hash,
            name::S_HASH => self.s_hash,
            _ => None,
        };
        hash == Some(Hash::Mismatch)
    }

    /// Computes the facts of the JWTs of an answer, by all that the session has said so far; these
    /// JWTs, with what their signatures are.
    pub fn check_tokens(&mut self, flows: &Flows, reading: &Reading<'_>) -> Vec<Checked> {
        let carried = reading.heard;
        let carried = carried.and_then(|heard| flows.carried(heard, &reading.answer));
        for claim in wrong_hashes(flows, reading, carried.as_ref()) {
            let fact = match claim {
                name::AT_HASH => &mut self.at_hash,
                name::C_HASH => &mut self.c_hash,
                _ => &mut self.s_hash,
            };
            *fact = Some(Hash::Mismatch);
        }
        let tokens = tokens::tokens(reading, carried.as_ref()).into_iter();
        let checked = tokens.map(|(token, text)| {
            let verdict = flows.signature(token, &text);
            *self.signature_mut(token) = verdict.wrong();
            Checked {
                token,
                text,
                verdict,
            }
        });
        checked.collect()
    }

    fn check_asked(&mut self, said: &Said, fields: &Fields) {
        let scope = fields.get(name::SCOPE).unwrap_or_default();
        let has_commas = scope.contains(',') && !scope.contains(' ');
        let taken = has_commas && takes(&said.url.host, Allowance::CommaScopes);
        self.provider_takes = taken.then_some(Allowance::CommaScopes);
        let is_hashed = fields
            .get(name::CODE_CHALLENGE_METHOD)
            .is_some_and(|method| method != PLAIN);
        let challenge = fields.get(name::CODE_CHALLENGE).filter(|_| is_hashed);
        let challenge = challenge.filter(|challenge| !is_label(challenge));
        self.pkce_challenge = challenge.and_then(challenge_fault);
        let state = fields.get(name::STATE);
        self.state_guessable = state.filter(|state| !is_label(state)).and_then(guessable);
    }

    fn check_pkce(&mut self, flows: &Flows, fields: &Fields) {
        let Some(flow) = flows.authorization(fields.get(name::CODE)) else {
            return;
        };
        if !fields.has(name::CODE) {
            return;
        }
        let others = flows.authorizations();
        let (challenge, verifier) = (flow.challenge.as_deref(), fields.get(name::CODE_VERIFIER));
        if let (Some(challenge), Some(verifier)) = (challenge, verifier)
            && (is_label(challenge) || is_label(verifier))
        {
            return;
        }
        let check = pkce::check_among(
            challenge,
            flow.method.as_deref(),
            verifier,
            others.filter_map(|flow| flow.challenge.as_deref()),
        );
        self.pkce_check = check.filter(|check| *check != PkceCheck::Ok);
    }

    fn check_redirect_uri(&mut self, flows: &Flows, fields: &Fields) {
        let flow = flows.authorization(fields.get(name::CODE));
        let asked = flow.and_then(|flow| flow.redirect_uri.as_deref());
        if let (Some(asked), Some(sent)) = (asked, fields.get(name::REDIRECT_URI)) {
            let parts = Vec::from_iter(url_relation(asked, sent));
            self.redirect_uri_spelling = match parts.as_slice() {
                [part @ (UrlPart::PctCase | UrlPart::PctLevel)] => Some(*part),
                _ => None,
            };
        }
    }

    fn check_credentials(&mut self, said: &Said, fields: &Fields) {
        let sent = said.headers.get("authorization");
        self.basic_no_scheme = sent.is_some_and(|sent| !sent.trim().contains(' '));
        let basic = basic_token(said).and_then(decode_basic);
        let halves = basic.as_deref().and_then(|basic| basic.split_once(':'));
        let client_id = fields
            .get(name::CLIENT_ID)
            .or_else(|| halves.map(|(user, _)| user));
        let secret = fields
            .get(name::CLIENT_SECRET)
            .or_else(|| halves.map(|(_, password)| password));
        self.client_secret_looks_like = secret
            .filter(|secret| !self.basic_swapped && !is_label(secret))
            .and_then(|secret| credentials::look(secret, client_id));
        let assertion = fields.get(name::CLIENT_ASSERTION);
        let is_saml = fields
            .get(name::CLIENT_ASSERTION_TYPE)
            .is_some_and(|kind| kind == name::assertion_type::SAML2_BEARER);
        let text = assertion.or(secret);
        let Some(text) = text.filter(|text| !is_saml && !is_label(text)) else {
            return;
        };
        let Some(jwt) = jwt::parse(text) else {
            self.client_assertion_not_jwt = assertion.is_some_and(|text| !text.is_empty());
            return;
        };
        let is_secret = assertion.is_none();
        self.client_assertion_identity = credentials::identity(&jwt, client_id, is_secret);
        self.client_assertion_signature = credentials::signature(text, &jwt);
    }

    fn check_basic(&mut self, flows: &Flows, fields: &Fields, credentials: &str) {
        self.basic_white_space = credentials.contains(|c: char| c.is_ascii_whitespace());
        let Some(decoded) = decode_basic(credentials) else {
            self.basic_not_base64 = true;
            return;
        };
        self.basic_unpadded = STANDARD.decode(credentials).is_err();
        let colons = decoded.matches(':').count();
        self.basic_colons = (colons != 1).then(|| u32::try_from(colons).unwrap_or(u32::MAX));
        let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
        let client_id = fields.get(name::CLIENT_ID);
        self.basic_swapped = user != password
            && (flows.is_client_secret(user)
                || flows.is_client_id(password)
                || (!password.is_empty() && client_id == Some(password)));
        let halves = [user, password];
        self.basic_looks_form_encoded = halves.iter().any(|half| is_form_encoded(half));
        self.basic_reserved =
            !self.basic_looks_form_encoded && halves.iter().any(|half| has_reserved(half));
    }
}

fn word(key: &'static str, fact: Option<impl ToString>) -> Option<(&'static str, String)> {
    fact.map(|fact| (key, fact.to_string()))
}

fn placeholder_in(fields: &Fields) -> Option<String> {
    let templated = |params: &Params| {
        params
            .iter()
            .find(|param| is_template(&param.value))
            .map(|param| param.name.clone())
    };
    templated(&fields.body)
        .or_else(|| templated(&fields.query))
        .filter(|name| crate::oauth::registry::is_known(name))
}

/// What a request does otherwise than the standard says, and a provider may take.
fn unusual(said: &Said, fields: &Fields) -> Option<Allowance> {
    let misplaced = |name: &&str| fields.query.has(name) && !fields.body.has(name);
    let names = [
        name::GRANT_TYPE,
        name::CODE,
        name::CLIENT_ID,
        name::REFRESH_TOKEN,
    ];
    match (said.method.as_str(), fields.sniff) {
        ("GET", _) => Some(Allowance::Get),
        (_, Sniff::Json) => Some(Allowance::Json),
        (_, Sniff::Multipart) => Some(Allowance::Multipart),
        _ => names.iter().any(misplaced).then_some(Allowance::Query),
    }
}

fn unexpected_sniff(step: Step, said: &Said, sniffed: Sniff) -> Option<Sniff> {
    let expected = match step {
        step if step.authenticates_client() && said.method == "POST" => Sniff::Form,
        _ if sniffed == Sniff::Empty => Sniff::Empty,
        _ => said.headers.media_type().as_deref().and_then(promised)?,
    };
    (sniffed != expected).then_some(sniffed)
}

fn date_skew(heard: &Heard, clock: i64) -> Option<i64> {
    let date = PrimitiveDateTime::parse(heard.headers.get("date")?, HTTP_DATE).ok()?;
    let skew = date.assume_utc().unix_timestamp() - clock;
    (skew.abs() >= 2).then_some(skew)
}

/// How `Date` and its like are spelled (RFC 9110 section 5.6.7).
pub(crate) const HTTP_DATE: StaticFormatDescription = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);
#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::flows::tests::{heard, said};

    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

    #[test]
    fn the_body_is_a_fact_only_where_it_is_not_what_is_expected() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
        for (case, method, body, expected) in [
            ("a form", "POST", "grant_type=a", None),
            ("multipart", "POST", multipart, Some(Sniff::Multipart)),
            ("nothing", "POST", "", Some(Sniff::Empty)),
            ("nothing on a GET", "GET", "", None),
            ("JSON", "POST", r#"{"grant_type":"a"}"#, Some(Sniff::Json)),
            (
                "encoded as a whole",
                "POST",
                "grant_type%3Da%26b%3Dc",
                Some(Sniff::FormPctEncodedWhole),
            ),
        ] {
            let asked = said(method, "https://as.example/token", &[FORM], body);
            let facts = Facts::of(
                &Flows::default(),
                Step::TokenRequest,
                &Reading::of(&asked, None),
                0,
            );
            assert_eq!(facts.body_sniff, expected, "{case}");
        }
    }

    #[test]
    fn the_defects_of_basic_credentials_are_told_apart() {
        let facts = |credentials: &str| {
            let header = format!("Basic {credentials}");
            let asked = said(
                "POST",
                "https://as.example/token",
                &[("Authorization", &header)],
                "client_id=id",
            );
            Facts::of(
                &Flows::default(),
                Step::TokenRequest,
                &Reading::of(&asked, None),
                0,
            )
        };
        assert_eq!(facts("aWQ6c2VjcmV0").basic_colons, None);
        assert!(facts("id:secret").basic_not_base64);
        assert!(facts("aWQ6c2VjcmU").basic_unpadded);
        assert_eq!(facts("aWRzZWNyZXQ=").basic_colons, Some(0));
        assert!(facts(&STANDARD.encode("secret:id")).basic_swapped);
        assert!(facts(&STANDARD.encode("id:z/tZ9+x")).basic_reserved);
        assert!(facts(&STANDARD.encode("id:z%2FtZ9")).basic_looks_form_encoded);
    }

    #[test]
    fn the_verifier_is_checked_against_the_challenge_of_its_own_code() {
        let challenge = pkce::s256("verifier-of-the-first-flow");
        let url = format!(
            "https://as.example/authorize?response_type=code&client_id=c&redirect_uri=https://x.example/cb&code_challenge={challenge}&code_challenge_method=S256"
        );
        let mut flows = Flows::default();
        let answer = heard(302, &[("Location", "https://x.example/cb?code=k")], "");
        let asked = said("GET", &url, &[], "");
        flows.observe(
            Step::AuthorizationRequest,
            &Reading::of(&asked, Some(&answer)),
        );
        for (verifier, expected) in [
            ("&code_verifier=verifier-of-the-first-flow", None),
            ("&code_verifier=another", Some(PkceCheck::Mismatch)),
            ("", Some(PkceCheck::NoVerifier)),
        ] {
            let body = format!("grant_type=authorization_code&code=k{verifier}");
            let asked = said("POST", "https://as.example/token", &[FORM], &body);
            let facts = Facts::of(&flows, Step::TokenRequest, &Reading::of(&asked, None), 0);
            assert_eq!(facts.pkce_check, expected, "{verifier}");
        }
    }

    #[test]
    fn a_redirect_uri_with_other_escapes_is_told_from_another() {
        let asked = "https://x.example/cb?o=a%2Fb";
        for (sent, expected) in [
            (asked, None),
            ("https://x.example/cb?o=a%2fb", Some(UrlPart::PctCase)),
            ("https://x.example/cb?o=a/b", Some(UrlPart::PctLevel)),
            ("https://x.example/cb/?o=a/b", None),
            ("https://y.example/cb", None),
        ] {
            let encode = crate::model::percent_encode;
            let url = format!(
                "https://as.example/authorize?response_type=code&client_id=c&redirect_uri={}",
                encode(asked)
            );
            let mut flows = Flows::default();
            let authorization = said("GET", &url, &[], "");
            flows.observe(
                Step::AuthorizationRequest,
                &Reading::of(&authorization, None),
            );
            let body = format!("code=k&redirect_uri={}", encode(sent));
            let asked = said("POST", "https://as.example/token", &[FORM], &body);
            let facts = Facts::of(&flows, Step::TokenRequest, &Reading::of(&asked, None), 0);
            assert_eq!(facts.redirect_uri_spelling, expected, "{sent}");
        }
    }

    #[test]
    fn the_servers_clock_is_compared_with_ours() {
        for (date, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("yesterday", None),
        ] {
            assert_eq!(
                date_skew(&heard(200, &[("Date", date)], ""), 784_111_777),
                expected,
                "{date}"
            );
        }
    }
}
