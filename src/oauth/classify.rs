//! From a request, with what came back and what came before, to its step of the protocol.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::model::{Heard, Said};
use crate::oauth::fields::{Answer, Fields, Reading};
use crate::oauth::flows::Flows;
use crate::oauth::sniff::Sniff;
use crate::oauth::{Step, error_code, name};

/// Tells the step of a request.
///
/// Metadata seen before decides where it names the endpoint; else the evidence of parameters and
/// response is weighed, which outranks the path's name. The response may be missing: a request
/// that failed is classified by itself.
pub fn classify(flows: &Flows, reading: &Reading<'_>) -> Step {
    if let Some(step) = flows.endpoint(&reading.said.url) {
        return step;
    }
    let evidence = Evidence {
        flows,
        said: reading.said,
        heard: reading.heard,
        fields: &reading.fields,
        answer: &reading.answer,
    };
    evidence
        .well_known()
        .or_else(|| evidence.redirection_endpoint())
        .or_else(|| evidence.token_endpoint())
        .or_else(|| evidence.authorization_endpoint())
        .or_else(|| evidence.side_endpoint())
        .or_else(|| evidence.keys())
        .or_else(|| evidence.bearer())
        .or_else(|| evidence.login_page())
        .unwrap_or(Step::Other)
}

static GRANT_TYPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(name::GRANT_TYPE));

struct Evidence<'a> {
    flows: &'a Flows,
    said: &'a Said,
    heard: Option<&'a Heard>,
    fields: &'a Fields,
    answer: &'a Answer<'a>,
}

impl Evidence<'_> {
    fn well_known(&self) -> Option<Step> {
        let path = &self.said.url.path;
        if path.contains("/.well-known/oauth-protected-resource") {
            return Some(Step::ProtectedResourceMetadata);
        }
        let known = [
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
        ];
        known
            .iter()
            .any(|part| path.contains(part))
            .then_some(Step::Discovery)
    }

    fn redirection_endpoint(&self) -> Option<Step> {
        let answers = [
            name::CODE,
            name::ERROR,
            name::ID_TOKEN,
            name::RESPONSE,
            name::STATE,
        ];
        let answered = answers.iter().any(|name| self.fields.has(name));
        (answered && self.flows.is_redirect_uri(&self.said.url))
            .then_some(Step::AuthorizationResponse)
    }

    fn token_endpoint(&self) -> Option<Step> {
        let mut score = self.token_parameters() + self.token_response() + self.token_path();
        if self.said.method == "OPTIONS" || self.fields.has(name::RESPONSE_TYPE) {
            score -= 6;
        }
        (score >= 3).then_some(Step::TokenRequest)
    }

    fn token_parameters(&self) -> i32 {
        if self.fields.has(name::GRANT_TYPE) || self.body_names_grant() {
            return 5;
        }
        let grants = [
            name::CODE,
            name::REFRESH_TOKEN,
            name::DEVICE_CODE,
            name::ASSERTION,
        ];
        let client = self.fields.has(name::CLIENT_ID)
            || self.fields.has(name::CLIENT_ASSERTION)
            || self.said.headers.has("authorization");
        if client && grants.iter().any(|name| self.fields.body.has(name)) {
            3
        } else {
            0
        }
    }

    /// A body that no parser reads may still name the parameter: encoded whole, or cut.
    fn body_names_grant(&self) -> bool {
        GRANT_TYPE.find(&self.said.body.bytes).is_some()
    }

    fn token_response(&self) -> i32 {
        let Some(heard) = self.heard else {
            return 0;
        };
        if self.answer.has(name::ACCESS_TOKEN) {
            return 5;
        }
        let registered = self
            .answer
            .get(name::ERROR)
            .is_some_and(error_code::is_registered);
        if registered && heard.status >= 400 {
            2
        } else {
            0
        }
    }

    fn token_path(&self) -> i32 {
        let path = self.said.url.path.to_ascii_lowercase();
        let last = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let named = [
            "token",
            "access_token",
            "accesstoken",
            "oauth.v2.access",
            "bearer",
        ];
        if !named.contains(&last) {
            return if last.contains("token") && last != "token" {
                -3
            } else {
                0
            };
        }
        // A client that went to the authorization endpoint of this server comes for its token,
        // even where its body shows no parameter.
        let expected = self.flows.has_authorized_with(&self.said.url);
        let bodyless = matches!(self.fields.sniff, Sniff::Empty) && self.said.method != "POST";
        1 + if expected && !bodyless { 2 } else { 0 }
    }

    fn authorization_endpoint(&self) -> Option<Step> {
        let names = [
            name::REDIRECT_URI,
            name::SCOPE,
            name::STATE,
            name::CODE_CHALLENGE,
        ];
        let extra = names.iter().filter(|name| self.fields.has(name)).count();
        let client = self.fields.has(name::CLIENT_ID);
        let asked = self.fields.has(name::RESPONSE_TYPE) || self.fields.has(name::REQUEST_URI);
        if self.is_pushed() {
            return Some(Step::PushedAuthorizationRequest);
        }
        let path = self.said.url.path.to_ascii_lowercase();
        let named = path.contains("authorize") || path.contains("/auth");
        (client && (asked || (named && extra >= 2)) && !self.fields.has(name::GRANT_TYPE))
            .then_some(Step::AuthorizationRequest)
    }

    fn is_pushed(&self) -> bool {
        let posted = self.said.method == "POST" && self.fields.body.has(name::RESPONSE_TYPE);
        posted && self.answer.has(name::REQUEST_URI)
    }

    fn side_endpoint(&self) -> Option<Step> {
        let posted = self.said.method == "POST";
        let path = self.said.url.path.to_ascii_lowercase();
        if posted && self.answer.has(name::DEVICE_CODE) {
            return Some(Step::DeviceAuthorizationRequest);
        }
        if posted && (self.answer.has(name::AUTH_REQ_ID) || self.hints_at_somebody()) {
            return Some(Step::BackchannelAuthenticationRequest);
        }
        if posted && self.fields.body.has(name::TOKEN) {
            let introspected = self.answer.has(name::ACTIVE) || path.contains("introspect");
            let revoked =
                path.contains("revoke") || self.heard.is_some_and(|heard| heard.body.size == 0);
            return introspected
                .then_some(Step::Introspection)
                .or_else(|| revoked.then_some(Step::Revocation));
        }
        if posted && self.fields.body.has(name::REDIRECT_URIS) {
            return Some(Step::Registration);
        }
        let ends =
            self.fields.has(name::ID_TOKEN_HINT) || self.fields.has(name::POST_LOGOUT_REDIRECT_URI);
        ends.then_some(Step::EndSession)
    }

    /// Whether the body names who is to be asked, and for what, without a browser.
    fn hints_at_somebody(&self) -> bool {
        let hints = [
            name::LOGIN_HINT,
            name::LOGIN_HINT_TOKEN,
            name::ID_TOKEN_HINT,
        ];
        let body = &self.fields.body;
        let is_hint = hints.iter().any(|hint| body.has(hint));
        is_hint && body.has(name::SCOPE) && !body.has(name::RESPONSE_TYPE)
    }

    fn keys(&self) -> Option<Step> {
        let keys = self.answer.members().get(name::KEYS)?.as_array()?;
        keys.iter()
            .any(|key| key.get("kty").is_some())
            .then_some(Step::Jwks)
    }

    fn bearer(&self) -> Option<Step> {
        let authorization = self.said.headers.get("authorization")?;
        let (scheme, token) = authorization.split_once(' ')?;
        if !["bearer", "dpop"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return None;
        }
        let path = self.said.url.path.to_ascii_lowercase();
        if path.contains("userinfo")
            || (self.answer.has(name::SUB) && !self.answer.has(name::ACTIVE))
        {
            return Some(Step::Userinfo);
        }
        self.flows
            .is_access_token(token.trim())
            .then_some(Step::Resource)
    }

    /// Between the authorization request and its response, the server shows pages.
    fn login_page(&self) -> Option<Step> {
        let heard = self.heard?;
        let page = self.answer.sniff == Some(Sniff::Html);
        let moved = (300..400).contains(&heard.status);
        let asset = self
            .said
            .headers
            .get("sec-fetch-dest")
            .is_some_and(|to| !["document", "iframe"].contains(&to));
        // A page that sends an answer on by itself is one even where nobody saw the question.
        let answers = self.answer.is_answering_page();
        let awaited = (page || moved) && self.flows.awaits_response_from(&self.said.url);
        (!asset && (awaited || answers)).then_some(Step::LoginPage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::flows::tests::{heard, said};

    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
    const DENIED: &str = r#"{"error":"invalid_grant"}"#;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_request_is_told_by_its_evidence() {
        let authorize = "https://as.example/app/oauth/authorize?response_type=code&client_id=c&state=s&redirect_uri=https%3A%2F%2Fshop.example%2Fcb";
        let token = "https://as.example/token";
        let multipart =
            "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\na\r\n--x--\r\n";
        let rows = [
            (
                "authorization request",
                "GET",
                authorize,
                "",
                302,
                "",
                Step::AuthorizationRequest,
            ),
            (
                "GitHub leaves out response_type",
                "GET",
                "https://gh.example/login/oauth/authorize?client_id=c&state=s&scope=repo",
                "",
                302,
                "",
                Step::AuthorizationRequest,
            ),
            (
                "form",
                "POST",
                token,
                "grant_type=authorization_code&code=c",
                200,
                "{}",
                Step::TokenRequest,
            ),
            (
                "multipart",
                "POST",
                token,
                multipart,
                401,
                DENIED,
                Step::TokenRequest,
            ),
            (
                "JSON",
                "POST",
                token,
                r#"{"grant_type":"password"}"#,
                401,
                DENIED,
                Step::TokenRequest,
            ),
            (
                "encoded whole",
                "POST",
                token,
                "grant_type%3Da",
                401,
                DENIED,
                Step::TokenRequest,
            ),
            ("empty", "POST", token, "", 401, DENIED, Step::TokenRequest),
            (
                "empty, no answer",
                "POST",
                token,
                "",
                0,
                "",
                Step::TokenRequest,
            ),
            (
                "in the query",
                "GET",
                "https://as.example/token?grant_type=a",
                "",
                405,
                "",
                Step::TokenRequest,
            ),
            (
                "CSRF tokens are others",
                "GET",
                "https://as.example/csrf-token",
                "",
                200,
                r#"{"t":"x"}"#,
                Step::Other,
            ),
            (
                "discovery",
                "GET",
                "https://as.example/.well-known/openid-configuration",
                "",
                404,
                "",
                Step::Discovery,
            ),
            (
                "keys",
                "GET",
                "https://as.example/k",
                "",
                200,
                r#"{"keys":[{"kty":"RSA"}]}"#,
                Step::Jwks,
            ),
            (
                "callback",
                "GET",
                "https://shop.example/cb?code=1&state=s",
                "",
                200,
                "",
                Step::AuthorizationResponse,
            ),
            (
                "device",
                "POST",
                "https://as.example/device",
                "client_id=c",
                200,
                r#"{"device_code":"d"}"#,
                Step::DeviceAuthorizationRequest,
            ),
            (
                "by the back channel",
                "POST",
                "https://as.example/bc",
                "client_id=c&scope=openid&login_hint_token=t",
                200,
                r#"{"auth_req_id":"r"}"#,
                Step::BackchannelAuthenticationRequest,
            ),
            (
                "refused by the back channel",
                "POST",
                "https://as.example/bc",
                "client_id=c&scope=openid&login_hint=ada",
                400,
                r#"{"error":"unknown_user_id"}"#,
                Step::BackchannelAuthenticationRequest,
            ),
            (
                "logout",
                "POST",
                "https://as.example/logout",
                "id_token_hint=t",
                200,
                "",
                Step::EndSession,
            ),
            (
                "pushed",
                "POST",
                "https://as.example/par",
                "client_id=c&response_type=code",
                201,
                r#"{"request_uri":"u"}"#,
                Step::PushedAuthorizationRequest,
            ),
            (
                "introspection",
                "POST",
                "https://as.example/i",
                "token=t",
                200,
                r#"{"active":true}"#,
                Step::Introspection,
            ),
            (
                "revocation",
                "POST",
                "https://as.example/revoke",
                "token=t",
                200,
                "",
                Step::Revocation,
            ),
            (
                "sign-in page",
                "GET",
                "https://as.example/login",
                "",
                200,
                "<html><form></form></html>",
                Step::LoginPage,
            ),
            (
                "something else",
                "GET",
                "https://shop.example/",
                "",
                200,
                "<html></html>",
                Step::Other,
            ),
        ];
        for (case, method, url, body, status, answer, expected) in rows {
            let mut flows = Flows::default();
            let first = said("GET", authorize, &[], "");
            flows.observe(Step::AuthorizationRequest, &Reading::of(&first, None));
            let asked = said(method, url, &[FORM], body);
            let answered = (status > 0).then(|| heard(status, &[], answer));
            assert_eq!(
                classify(&flows, &Reading::of(&asked, answered.as_ref())),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn metadata_outranks_everything() {
        let mut flows = Flows::default();
        let asked = said(
            "GET",
            "https://as.example/.well-known/openid-configuration",
            &[],
            "",
        );
        let metadata = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t"}"#;
        let answer = heard(200, &[], metadata);
        flows.observe(Step::Discovery, &Reading::of(&asked, Some(&answer)));
        let empty = said("GET", "https://as.example/t", &[], "");
        assert_eq!(
            classify(&flows, &Reading::of(&empty, None)),
            Step::TokenRequest
        );
    }

    #[test]
    fn a_token_issued_here_makes_a_resource() {
        let mut flows = Flows::default();
        let asked = said(
            "POST",
            "https://as.example/token",
            &[FORM],
            "grant_type=password",
        );
        let answer = heard(200, &[], r#"{"access_token":"abc"}"#);
        flows.observe(Step::TokenRequest, &Reading::of(&asked, Some(&answer)));
        for (token, expected) in [("abc", Step::Resource), ("other", Step::Other)] {
            let bearer = format!("Bearer {token}");
            let asked = said(
                "GET",
                "https://api.example/orders",
                &[("Authorization", &bearer)],
                "",
            );
            assert_eq!(
                classify(&flows, &Reading::of(&asked, None)),
                expected,
                "{token}"
            );
        }
    }
}
