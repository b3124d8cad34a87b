//! The protocol of the demo server: codes, tokens, and one text for every failure.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::model::{Params, Url, percent_encode};
use crate::oauth::credentials::decode_basic;
use crate::oauth::name::{self, grant};
use crate::oauth::pkce;

/// The one client that the server knows.
pub const CLIENT_ID: &str = "8kqf3mz2x7";

/// What the server says of every failure, whatever it is.
pub const ERROR_DESCRIPTION: &str = "Unable to authenticate username and password";

/// A request as the provider reads it.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) content_type: &'a str,
    pub(super) authorization: &'a str,
    pub(super) body: &'a [u8],
}

/// A response as the provider writes it.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// What the server knows. It holds secrets: no `Debug`.
pub(super) struct Provider {
    issuer: String,
    client_secret: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    codes: HashMap<String, Grant>,
    refresh_tokens: HashMap<String, String>,
    access_tokens: HashMap<String, String>,
}

struct Grant {
    redirect_uri: String,
    scope: String,
    challenge: Option<String>,
}

impl Provider {
    /// A provider under this issuer, with a client secret of its own.
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            client_secret: random(40),
            state: Mutex::default(),
        }
    }

    pub(super) fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// Answers one request.
    pub(super) fn answer(&self, asked: &Asked<'_>) -> Answered {
        let answer = match asked.path {
            "/.well-known/openid-configuration" => self.discovery(),
            "/app/oauth/authorize" => self.authorize(asked),
            "/token" => self.token(asked),
            "/jwks" => Answered::json(200, &json!({ "keys": [] })),
            "/userinfo" => self.userinfo(asked),
            _ => Answered {
                status: 404,
                headers: vec![("content-type", "text/plain".to_owned())],
                body: "not found".to_owned(),
            },
        };
        answer.with("x-request-id", request_id())
    }

    fn discovery(&self) -> Answered {
        let at = |path: &str| format!("{}{path}", self.issuer);
        Answered::json(
            200,
            &json!({
                (name::ISSUER): self.issuer,
                (name::AUTHORIZATION_ENDPOINT): at("/app/oauth/authorize"),
                (name::TOKEN_ENDPOINT): at("/token"),
                (name::JWKS_URI): at("/jwks"),
                (name::USERINFO_ENDPOINT): at("/userinfo"),
                "response_types_supported": [name::CODE],
                "grant_types_supported": [grant::AUTHORIZATION_CODE, grant::REFRESH_TOKEN],
                (name::TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED): ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
            }),
        )
    }

    /// Approves at once: the demo has no resource owner to ask.
    fn authorize(&self, asked: &Asked<'_>) -> Answered {
        let params = Params::parse(asked.query);
        let redirect_uri = params
            .get(name::REDIRECT_URI)
            .filter(|uri| Url::parse(uri).is_some());
        let known = params.get(name::CLIENT_ID) == Some(CLIENT_ID)
            && params.get(name::RESPONSE_TYPE) == Some(name::CODE);
        let (Some(redirect_uri), true) = (redirect_uri, known) else {
            let page = "<!DOCTYPE html><title>Error</title><p>The client or its redirect_uri is not known here.</p>";
            return Answered {
                status: 400,
                headers: vec![("content-type", "text/html".to_owned())],
                body: page.to_owned(),
            };
        };
        let code = random(24).to_ascii_lowercase();
        let granted = Grant {
            redirect_uri: redirect_uri.to_owned(),
            scope: params.get(name::SCOPE).unwrap_or("full").to_owned(),
            challenge: params.get(name::CODE_CHALLENGE).map(str::to_owned),
        };
        self.lock().codes.insert(code.clone(), granted);
        let joint = if redirect_uri.contains('?') { '&' } else { '?' };
        let state = params
            .get(name::STATE)
            .map(|state| format!("&{}={}", name::STATE, percent_encode(state)));
        let location = format!(
            "{redirect_uri}{joint}{}={code}{}",
            name::CODE,
            state.unwrap_or_default()
        );
        Answered {
            status: 302,
            headers: vec![("location", location)],
            body: String::new(),
        }
    }

    fn token(&self, asked: &Asked<'_>) -> Answered {
        let form = asked
            .content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let readable = asked.method == "POST"
            && form.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let body = std::str::from_utf8(asked.body)
            .ok()
            .filter(|_| readable)
            .unwrap_or_default();
        self.granted(&Params::parse(body), asked.authorization)
            .unwrap_or_else(Answered::denied)
    }

    fn granted(&self, params: &Params, authorization: &str) -> Option<Answered> {
        self.authenticated(params, authorization)?;
        let mut state = self.lock();
        let scope = match params.get(name::GRANT_TYPE)? {
            grant::AUTHORIZATION_CODE => {
                // A code is spent by the first try, right or wrong.
                let granted = state.codes.remove(params.get(name::CODE)?)?;
                let verified = match &granted.challenge {
                    Some(challenge) => pkce::s256(params.get(name::CODE_VERIFIER)?) == *challenge,
                    None => true,
                };
                (verified && params.get(name::REDIRECT_URI) == Some(&granted.redirect_uri))
                    .then_some(granted.scope)?
            }
            grant::REFRESH_TOKEN => state
                .refresh_tokens
                .remove(params.get(name::REFRESH_TOKEN)?)?,
            _ => return None,
        };
        let (access_token, refresh_token) = (random(32), random(32));
        state
            .access_tokens
            .insert(access_token.clone(), scope.clone());
        state
            .refresh_tokens
            .insert(refresh_token.clone(), scope.clone());
        let answer = json!({
            (name::ACCESS_TOKEN): access_token,
            (name::TOKEN_TYPE): "bearer",
            (name::EXPIRES_IN): 86400,
            (name::REFRESH_TOKEN): refresh_token,
            (name::SCOPE): scope,
        });
        Some(Answered::json(200, &answer).with("cache-control", "no-store".to_owned()))
    }

    fn authenticated(&self, params: &Params, authorization: &str) -> Option<()> {
        let basic = authorization.strip_prefix("Basic ").and_then(decode_basic);
        let (id, secret) = match &basic {
            Some(basic) => basic.split_once(':')?,
            None => (
                params.get(name::CLIENT_ID)?,
                params.get(name::CLIENT_SECRET)?,
            ),
        };
        (id == CLIENT_ID && secret == self.client_secret).then_some(())
    }

    fn userinfo(&self, asked: &Asked<'_>) -> Answered {
        let token = asked
            .authorization
            .strip_prefix("Bearer ")
            .unwrap_or_default();
        if self.lock().access_tokens.contains_key(token) {
            let claims = json!({ (name::SUB): "1000042", "name": "Jane Doe", "email": "jane.doe@shop.example.org" });
            return Answered::json(200, &claims);
        }
        let denied = Answered::json(401, &json!({ (name::ERROR): "invalid_token" }));
        denied.with(
            "www-authenticate",
            "Bearer error=\"invalid_token\"".to_owned(),
        )
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    fn json(status: u16, value: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json;charset=UTF-8".to_owned())];
        Self {
            status,
            headers,
            body: value.to_string(),
        }
    }

    fn denied() -> Self {
        Self::json(
            401,
            &json!({ (name::ERROR): "invalid_grant", (name::ERROR_DESCRIPTION): ERROR_DESCRIPTION }),
        )
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

fn random(length: usize) -> String {
    const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = vec![0_u8; length];
    // A system without randomness could not have made the server's certificate.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
        .into_iter()
        .map(|byte| char::from(CHARACTERS[usize::from(byte) % CHARACTERS.len()]))
        .collect()
}

fn request_id() -> String {
    let mut bytes = [0_u8; 16];
    // As above.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(provider: &Provider) -> String {
        let query = format!(
            "response_type=code&client_id={CLIENT_ID}&state=s&redirect_uri=https%3A%2F%2Fshop.example%2Fcb%2F"
        );
        let asked = Asked {
            method: "GET",
            path: "/app/oauth/authorize",
            query: &query,
            content_type: "",
            authorization: "",
            body: b"",
        };
        let answer = provider.answer(&asked);
        let location = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "location")
            .expect("a redirect");
        let url = Url::parse(&location.1).expect("a URL");
        Params::parse(&url.query.expect("a query"))
            .get(name::CODE)
            .expect("a code")
            .to_owned()
    }

    #[test]
    fn whatever_is_wrong_the_answer_is_the_same() {
        let provider = Provider::new("https://localhost".to_owned());
        let secret = provider.client_secret().to_owned();
        let form = "application/x-www-form-urlencoded";
        let good = |code: &str| {
            format!(
                "grant_type=authorization_code&client_id={CLIENT_ID}&client_secret={secret}&code={code}&redirect_uri=https%3A%2F%2Fshop.example%2Fcb%2F"
            )
        };
        for (name, method, content_type, body, expected) in [
            ("right", "POST", form, good(&code(&provider)), 200),
            ("GET", "GET", form, good(&code(&provider)), 401),
            ("JSON", "POST", "application/json", "{}".to_owned(), 401),
            ("nothing", "POST", form, String::new(), 401),
            (
                "another redirect_uri",
                "POST",
                form,
                good(&code(&provider)).replace("cb%2F", "cb"),
                401,
            ),
            (
                "no secret",
                "POST",
                form,
                good(&code(&provider)).replace(&secret, ""),
                401,
            ),
            ("no code of ours", "POST", form, good("made-up"), 401),
        ] {
            let asked = Asked {
                method,
                path: "/token",
                query: "",
                content_type,
                authorization: "",
                body: body.as_bytes(),
            };
            let answer = provider.answer(&asked);
            assert_eq!(answer.status, expected, "{name}");
            assert_eq!(
                answer.body.contains(ERROR_DESCRIPTION),
                expected == 401,
                "{name}"
            );
        }
    }

    #[test]
    fn a_code_is_spent_once() {
        let provider = Provider::new("https://localhost".to_owned());
        let secret = provider.client_secret().to_owned();
        let body = format!(
            "grant_type=authorization_code&client_id={CLIENT_ID}&client_secret={secret}&code={}&redirect_uri=https%3A%2F%2Fshop.example%2Fcb%2F",
            code(&provider)
        );
        let asked = Asked {
            method: "POST",
            path: "/token",
            query: "",
            content_type: "application/x-www-form-urlencoded",
            authorization: "",
            body: body.as_bytes(),
        };
        assert_eq!(provider.answer(&asked).status, 200);
        assert_eq!(provider.answer(&asked).status, 401);
    }
}
