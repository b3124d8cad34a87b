//! One login as it goes over the wire, every part of which a case may spoil.

use std::time::Duration;

use authtape::model::{Exchange, Heard, percent_encode};
use authtape::oauth::pkce;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::support::{self, answered, said};

pub(crate) const HOST: &str = "login.acme-identity.example";
pub(crate) const CALLBACK: &str = "https://shop.acme-store.example/oauth/callback";
pub(crate) const CLIENT: &str = "8kqf3mz2x7";
pub(crate) const CLOCK: i64 = 1_790_000_000;
pub(crate) const CODE: &str = "4/0AQCn7sQ2wE4rT6+yU8iO0pA=Lk9j.M3x5Vb";
pub(crate) const SECRET: &str = "z/tCn9VwFZqApmIQ+ZH1I5pLk%uB4ud&X2gT=";
pub(crate) const STATE: &str = "Cn1d2c3b4a+68776f1d/c3b4a596877e0=";
pub(crate) const VERIFIER: &str = "CnjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const REFRESH: &str = "1//0eCn4dR8fT2gY6hU0jI4kO8lP2zQ6xW0cE4vR8bT2n";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const REFUSED: &str = "{\"error\":\"invalid_grant\",\"error_description\":\"refused\"}";
pub(crate) const ISSUED: &str =
    "{\"access_token\":\"Cn2bX4cV6bN8mQ0wE2rT4yU6iO8p\",\"token_type\":\"Bearer\"}";

/// Names and values in their order, decoded.
pub(crate) type Pairs = Vec<(String, String)>;

/// How the parameters of a token request are written.
#[derive(Clone)]
pub(crate) enum Written {
    Form,
    Json,
    Multipart,
    /// In the URL, beside a body without a byte.
    Query,
    /// As these bytes.
    Text(String),
}

/// An authorization request and its answer.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) at: u64,
    pub(crate) params: Pairs,
    pub(crate) status: u16,
    /// What is added to the redirect URI, encoded.
    pub(crate) back: Option<String>,
    pub(crate) page: &'static str,
}

/// A token request and its answer.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) at: u64,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Pairs,
    pub(crate) params: Pairs,
    pub(crate) written: Written,
    pub(crate) status: u16,
    pub(crate) reply: (Pairs, String),
}

/// A login with one authorization request and one token request, unless a case has more.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) asked: Vec<Asked>,
    pub(crate) calls: Vec<Call>,
}

fn pairs(of: &[(&str, &str)]) -> Pairs {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    of.iter().map(pair).collect()
}

/// Sets a pair where it stands, or adds it behind the others.
fn set(pairs: &mut Pairs, name: &str, value: &str) {
    match pairs.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => value.clone_into(known),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn form(pairs: &Pairs) -> String {
    let encode = |text: &str| percent_encode(text).replace("%20", "+");
    let pair = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// `Basic` credentials of two halves as they are.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl Flow {
    /// The login that nothing is wrong with, which the server refuses all the same.
    pub(crate) fn sound() -> Self {
        let challenge = pkce::s256(VERIFIER);
        let asked = Asked {
            at: 1_204,
            params: pairs(&[
                ("response_type", "code"),
                ("client_id", CLIENT),
                ("redirect_uri", CALLBACK),
                ("scope", "profile"),
                ("state", STATE),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ]),
            status: 302,
            back: Some(form(&pairs(&[("code", CODE), ("state", STATE)]))),
            page: "",
        };
        let call = Call {
            at: 2_408,
            method: "POST",
            url: format!("https://{HOST}/oauth2/token"),
            headers: pairs(&[("Host", HOST), ("Content-Type", FORM)]),
            params: pairs(&[
                ("grant_type", "authorization_code"),
                ("client_id", CLIENT),
                ("client_secret", SECRET),
                ("code", CODE),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ]),
            written: Written::Form,
            status: 400,
            reply: (
                pairs(&[
                    ("Content-Type", "application/json"),
                    ("Cache-Control", "no-store"),
                ]),
                REFUSED.to_owned(),
            ),
        };
        Self {
            asked: vec![asked],
            calls: vec![call],
        }
    }

    /// Another value in the authorization request.
    pub(crate) fn ask(&mut self, name: &str, value: &str) -> &mut Self {
        set(&mut self.asked[0].params, name, value);
        self
    }

    /// None in the authorization request.
    pub(crate) fn unask(&mut self, name: &str) -> &mut Self {
        self.asked[0].params.retain(|(known, _)| known != name);
        self
    }

    /// What comes back to the redirect URI.
    pub(crate) fn back(&mut self, query: &[(&str, &str)]) -> &mut Self {
        self.asked[0].back = Some(form(&pairs(query)));
        self
    }

    /// Another authorization request before, whose code is never redeemed.
    pub(crate) fn begun_before(&mut self, code: &str, verifier: &str) -> &mut Self {
        let mut other = self.asked[0].clone();
        other.at = 301;
        let state = "Cn9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c";
        set(&mut other.params, "state", state);
        set(&mut other.params, "code_challenge", &pkce::s256(verifier));
        other.back = Some(form(&pairs(&[("code", code), ("state", state)])));
        self.asked.insert(0, other);
        self
    }

    /// The last token request.
    pub(crate) fn call(&mut self) -> &mut Call {
        self.calls.last_mut().expect("a token request")
    }

    /// Another value in the token request.
    pub(crate) fn send(&mut self, name: &str, value: &str) -> &mut Self {
        set(&mut self.call().params, name, value);
        self
    }

    /// None in the token request.
    pub(crate) fn unsend(&mut self, name: &str) -> &mut Self {
        self.call().params.retain(|(known, _)| known != name);
        self
    }

    /// The same value under another name.
    pub(crate) fn rename(&mut self, name: &str, other: &str) -> &mut Self {
        let found = self
            .call()
            .params
            .iter_mut()
            .find(|(known, _)| known == name);
        other.clone_into(&mut found.expect("a parameter").0);
        self
    }

    /// Only these parameters in the token request.
    pub(crate) fn sends(&mut self, params: &[(&str, &str)]) -> &mut Self {
        self.call().params = pairs(params);
        self
    }

    /// Another header field in the token request.
    pub(crate) fn header(&mut self, name: &str, value: &str) -> &mut Self {
        set(&mut self.call().headers, name, value);
        self
    }

    /// No such header field in the token request.
    pub(crate) fn unheader(&mut self, name: &str) -> &mut Self {
        self.call().headers.retain(|(known, _)| known != name);
        self
    }

    /// The client authenticates by this field, and by nothing in the body.
    pub(crate) fn authorized_by(&mut self, value: &str) -> &mut Self {
        self.unsend("client_secret").header("Authorization", value)
    }

    /// The client authenticates by an assertion of these parts, and is not believed.
    pub(crate) fn asserted(&mut self, head: &str, claims: &str, signature: &[u8]) -> &mut Self {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (head, claims) = (part(head.as_bytes()), part(claims.as_bytes()));
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        self.unsend("client_secret")
            .send("client_assertion_type", kind)
            .send(
                "client_assertion",
                &format!("{head}.{claims}.{}", part(signature)),
            )
            .answer(401, "application/json", "{\"error\":\"invalid_client\"}")
    }

    /// Another way to write the parameters.
    pub(crate) fn write(&mut self, written: Written) -> &mut Self {
        self.call().written = written;
        self
    }

    /// Another answer to the token request.
    pub(crate) fn answer(&mut self, status: u16, media_type: &str, body: &str) -> &mut Self {
        let call = self.call();
        call.status = status;
        body.clone_into(&mut call.reply.1);
        set(&mut call.reply.0, "Content-Type", media_type);
        self
    }

    /// The same token request once more, some milliseconds later.
    pub(crate) fn again(&mut self, later: u64) -> &mut Self {
        let mut call = self.call().clone();
        call.at += later;
        self.calls.push(call);
        self
    }

    /// What the tape is given.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let asked = self.asked.iter().map(Asked::exchange);
        let all = asked.chain(self.calls.iter().map(Call::exchange));
        (1..)
            .zip(all)
            .map(|(id, exchange)| Exchange { id, ..exchange })
            .collect()
    }
}

fn exchange(at: u64, request: authtape::model::Said, response: Heard) -> Exchange {
    Exchange {
        at: Duration::from_millis(at),
        clock: CLOCK,
        ..answered(0, request, response)
    }
}

fn heard(status: u16, headers: &Pairs, body: &str) -> Heard {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Heard {
        after: Duration::from_millis(23),
        ..support::heard(status, &headers, body)
    }
}

impl Asked {
    fn exchange(&self) -> Exchange {
        let url = format!("https://{HOST}/oauth2/authorize?{}", form(&self.params));
        let to = self.params.iter().find(|(name, _)| name == "redirect_uri");
        let to = to.map_or("", |(_, uri)| uri);
        let joint = if to.contains('?') { '&' } else { '?' };
        let headers = match &self.back {
            Some(back) => pairs(&[("Location", &format!("{to}{joint}{back}"))]),
            None => pairs(&[("Content-Type", "text/html")]),
        };
        let request = said("GET", &url, &[("Host", HOST)], "");
        exchange(self.at, request, heard(self.status, &headers, self.page))
    }
}

impl Call {
    fn exchange(&self) -> Exchange {
        let (url, body) = match &self.written {
            Written::Form => (self.url.clone(), form(&self.params)),
            Written::Json => (self.url.clone(), json(&self.params)),
            Written::Multipart => (self.url.clone(), multipart(&self.params)),
            Written::Query => (
                format!("{}?{}", self.url, form(&self.params)),
                String::new(),
            ),
            Written::Text(text) => (self.url.clone(), text.clone()),
        };
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = said(self.method, &url, &headers, &body);
        let (fields, answer) = &self.reply;
        exchange(self.at, request, heard(self.status, fields, answer))
    }
}

fn json(pairs: &Pairs) -> String {
    let member =
        |(name, value): &(String, String)| (name.clone(), serde_json::Value::from(value.as_str()));
    serde_json::Value::Object(pairs.iter().map(member).collect()).to_string()
}

fn multipart(pairs: &Pairs) -> String {
    let part = |(name, value): &(String, String)| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = pairs.iter().map(part).collect();
    format!("{parts}--{BOUNDARY}--\r\n")
}

const BOUNDARY: &str = "------------------------d74496d66958873e";
