//! Asking: a page with an authorization request on it, which a person approves or denies.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::model::{Params, Response, Said, Url, percent_encode};
use crate::oauth::{Step, name};
use crate::redact::RecordedResponse;
use crate::replay::page::attribute;
use crate::replay::player::{Answer, Pages, Player};
use crate::replay::values::Live;

/// The requests that nobody has decided on yet. They hold this run's secrets: no `Debug`.
#[derive(Default)]
pub(super) struct Pending {
    next: u64,
    requests: VecDeque<Undecided>,
}

struct Undecided {
    number: u64,
    at: usize,
    said: Said,
}

impl Pending {
    fn add(&mut self, at: usize, said: &Said) -> u64 {
        self.next += 1;
        if self.requests.len() >= PENDING_MAX {
            self.requests.pop_front();
        }
        self.requests.push_back(Undecided {
            number: self.next,
            at,
            said: Said {
                method: said.method.clone(),
                url: said.url.clone(),
                version: said.version,
                headers: said.headers.clone(),
                body: said.body.clone(),
            },
        });
        self.next
    }

    fn take(&mut self, number: &str) -> Option<Undecided> {
        let is_it = |request: &Undecided| request.number.to_string() == number;
        let at = self.requests.iter().position(is_it)?;
        self.requests.remove(at)
    }
}

impl Player {
    /// The page for an authorization request, where a person is to be asked: not where the client
    /// says that none is there (`prompt=none`, OpenID Connect Core section 3.1.2.1), and not where
    /// what was recorded is a failure of the wire.
    pub(super) fn ask(&mut self, at: usize, live: &Live<'_>) -> Option<Response> {
        let prompt = live.fields.get(name::PROMPT).unwrap_or_default();
        let is_silent = prompt.split(' ').any(|word| word == NO_PROMPT);
        let is_asked = self.repertoire.options.pages == Pages::Asked
            && self.repertoire.step(at) == Step::AuthorizationRequest;
        let answering = self.repertoire.answering(at);
        if !is_asked || is_silent || self.repertoire.response(answering).is_none() {
            return None;
        }
        let number = self.pending.add(at, live.said);
        Some(page(live, number))
    }

    /// What follows on a person's decision, where the request is one.
    pub(super) fn decided(&mut self, live: &Live<'_>) -> Option<Answer> {
        if self.repertoire.options.pages != Pages::Asked {
            return None;
        }
        let decision = live.fields.query.get(DECISION)?;
        let Some(request) = live
            .fields
            .query
            .get(NUMBER)
            .and_then(|number| self.pending.take(number))
        else {
            let gone =
                "<h1>This request was decided before</h1><p>Begin again in your application.</p>";
            return Some(Answer::Response(document(410, gone)));
        };
        let asked = Live::of(&request.said);
        if decision == APPROVE {
            let judged = self.judged(&asked, Some(Step::AuthorizationRequest));
            return Some(self.answer(request.at, &asked, &judged));
        }
        Some(Answer::Response(self.deny(request.at, &asked)))
    }

    /// The error response (RFC 6749 section 4.1.2.1), by the way that the recorded response took.
    fn deny(&mut self, at: usize, live: &Live<'_>) -> Response {
        self.report.played += 1;
        self.plays.play(at);
        for follower in self.repertoire.followers(at) {
            self.plays.mean(follower);
        }
        self.bind(at, live);
        let answering = self.authorize(at, live);
        let recorded = self.repertoire.response(answering);
        let is_posted = recorded.is_some_and(|recorded| !recorded.forms().is_empty());
        let locations = recorded.map(RecordedResponse::locations);
        let locations = locations.unwrap_or_default();
        let mut locations = locations.iter().filter_map(|location| Url::parse(location));
        let location = locations.find(|location| self.asked.answers_at(&location.endpoint()));
        let is_fragment = location
            .as_ref()
            .is_some_and(|location| location.fragment.is_some());
        let params = self.denial(answering, location.as_ref(), live);
        let asked = self.asked.live.get(name::REDIRECT_URI).map(str::to_owned);
        let Some(uri) = asked.or_else(|| Some(location?.endpoint())) else {
            let nowhere =
                "<h1>Denied</h1><p>The request has no redirect URI, and none was recorded.</p>";
            return document(200, nowhere);
        };
        if is_posted {
            return posted(&uri, &params);
        }
        let pairs: Vec<String> = params
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encode(value)))
            .collect();
        let mark = match (is_fragment, uri.contains('?')) {
            (true, _) => '#',
            (false, true) => '&',
            (false, false) => '?',
        };
        Response::new(302, "")
            .with("Location", format!("{uri}{mark}{}", pairs.join("&")))
            .with("Cache-Control", "no-store")
            .with("authtape-replay", "1")
    }

    /// What the client is told: this run's state, and the issuer where it was said.
    fn denial(
        &mut self,
        answering: usize,
        location: Option<&Url>,
        live: &Live<'_>,
    ) -> Vec<(&'static str, String)> {
        let said = location
            .into_iter()
            .flat_map(|url| [&url.query, &url.fragment]);
        let issuer = said.flatten().find_map(|params| {
            let params = Params::parse(params);
            params.get(name::ISS).map(str::to_owned)
        });
        let issuer = issuer.map(|issuer| self.filled(answering, &issuer));
        let state = live.fields.get(name::STATE).map(str::to_owned);
        let mut params = vec![(name::ERROR, ACCESS_DENIED.to_owned())];
        params.extend(state.map(|state| (name::STATE, state)));
        params.extend(issuer.map(|issuer| (name::ISS, issuer)));
        params
    }
}

fn page(live: &Live<'_>, number: u64) -> Response {
    let get = |name: &str| live.fields.get(name).unwrap_or_default();
    let redirect_uri = Url::parse(get(name::REDIRECT_URI));
    let goes_to = redirect_uri.map_or_else(
        || get(name::REDIRECT_URI).to_owned(),
        |url| format!("{}://{}", url.scheme, url.authority()),
    );
    let scopes: String = get(name::SCOPE)
        .split_whitespace()
        .map(|scope| format!("<li>{}</li>", attribute(scope)))
        .collect();
    let scopes = if scopes.is_empty() {
        "<p class=\"none\">none asked for</p>".to_owned()
    } else {
        format!("<ul>{scopes}</ul>")
    };
    let body = format!(
        "<p class=\"from\">{server}</p>\n\
         <h1>Let <b>{client}</b> in?</h1>\n\
         <h2>Scopes</h2>\n{scopes}\n\
         <h2>The answer goes to</h2>\n<p>{goes_to}</p>\n\
         <form method=\"get\" action=\"{action}\">\n\
         <input type=\"hidden\" name=\"{NUMBER}\" value=\"{number}\">\n\
         <button name=\"{DECISION}\" value=\"deny\">Deny</button>\n\
         <button name=\"{DECISION}\" value=\"{APPROVE}\" class=\"first\">Approve</button>\n\
         </form>\n\
         <p class=\"note\">This is a replay by authtape; no server is asked.</p>",
        server = attribute(&live.said.url.authority()),
        client = attribute(get(name::CLIENT_ID)),
        goes_to = attribute(&goes_to),
        action = attribute(&live.said.url.path),
    );
    document(200, &body)
}

fn document(status: u16, body: &str) -> Response {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    // Nothing says where the form may lead: a browser would hold the redirect behind it to that, too.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'"
    );
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>authtape replay</title>\n<style>{STYLE}</style></head>\n\
         <body><main>\n{body}\n</main></body></html>\n"
    );
    Response::new(status, html)
        .with("Content-Type", "text/html; charset=utf-8")
        .with("Content-Security-Policy", policy)
        .with("Cache-Control", "no-store")
        .with("Referrer-Policy", "no-referrer")
        .with("authtape-replay", "1")
}

/// The parameters in a form that sends itself (OAuth 2.0 Form Post Response Mode).
fn posted(uri: &str, params: &[(&str, String)]) -> Response {
    let inputs: String = params
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n",
                attribute(value)
            )
        })
        .collect();
    let html = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>authtape replay</title></head>\n\
         <body onload=\"document.forms[0].submit()\">\n<form method=\"post\" action=\"{}\">\n{inputs}</form></body></html>\n",
        attribute(uri)
    );
    Response::new(200, html)
        .with("Content-Type", "text/html; charset=utf-8")
        .with("Cache-Control", "no-store")
        .with("authtape-replay", "1")
}

/// The client says that nobody is to be asked.
const NO_PROMPT: &str = "none";
/// The resource owner says no.
const ACCESS_DENIED: &str = "access_denied";
/// Parameters of the page's own form.
const DECISION: &str = "authtape_decision";
const NUMBER: &str = "authtape_request";
const APPROVE: &str = "approve";
/// A client that never decides must not fill the memory.
const PENDING_MAX: usize = 64;
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--line:#d5dbe3;--sheet:#fff;--back:#eef1f5;--go:#1a5fb4}\
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--dim:#9aa6b5;--line:#39424f;--sheet:#1d232c;--back:#12161c;--go:#3584e4}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
main{width:100%;max-width:26rem;padding:1.5rem;background:var(--sheet);border:1px solid var(--line);border-radius:12px;overflow-wrap:anywhere}\
h1{margin:.25rem 0 1rem;font-size:1.35rem;line-height:1.25;font-weight:500}\
h2{margin:1rem 0 .25rem;font-size:.8rem;font-weight:600;color:var(--dim)}\
p{margin:0}ul{margin:0;padding-left:1.25rem}\
.from,.none,.note{color:var(--dim);font-size:.9rem}.note{margin-top:1rem}\
form{display:flex;gap:.75rem;margin-top:1.5rem}\
button{flex:1;padding:.65rem;font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:8px;cursor:pointer}\
.first{background:var(--go);border-color:var(--go);color:#fff}\
button:focus-visible{outline:3px solid var(--go);outline-offset:2px}";
