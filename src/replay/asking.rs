//! Asking: a page with an authorization request on it, which a person approves or denies.

use std::collections::VecDeque;

use crate::model::{Params, Response, Said, Url};
use crate::oauth::{Step, name};
use crate::replay::document::document;
use crate::replay::grants::words;
use crate::replay::judged::Judged;
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
                alias: said.alias.clone(),
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
    pub(super) fn ask(&mut self, at: usize, live: &Live<'_>, judged: &Judged) -> Option<Response> {
        let is_asked = self.repertoire.options.pages == Pages::Asked
            && self.repertoire.step(at) == Step::AuthorizationRequest;
        if !is_asked {
            return None;
        }
        let prompt = judged.wanted.get(name::PROMPT).unwrap_or_default();
        let answering = self.repertoire.answering(at);
        if words(prompt).contains(NO_PROMPT) || self.repertoire.response(answering).is_none() {
            return None;
        }
        let number = self.pending.add(at, live.said);
        Some(page(&live.said.url, &judged.wanted, number))
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
        let judged = self.judged(&asked, Some(Step::AuthorizationRequest));
        if decision == APPROVE {
            return Some(self.answer(request.at, &asked, &judged));
        }
        Some(Answer::Response(self.deny(request.at, &asked, &judged)))
    }

    /// The resource owner says no (RFC 6749 section 4.1.2.1).
    fn deny(&mut self, at: usize, live: &Live<'_>, judged: &Judged) -> Response {
        self.report.played += 1;
        self.plays.play(at);
        for follower in self.repertoire.followers(at) {
            self.plays.mean(follower);
        }
        self.bind(at, live, judged);
        self.authorize(at, judged);
        let denied = [(name::ERROR, ACCESS_DENIED)];
        let response = self.error_response(at, &judged.wanted, &denied);
        let response = response.unwrap_or_else(|| {
            let nowhere =
                "<h1>Denied</h1><p>The request has no redirect URI, and none was recorded.</p>";
            document(200, nowhere)
        });
        self.note(live, judged, &response);
        response
    }
}

fn page(url: &Url, wanted: &Params, number: u64) -> Response {
    let get = |name: &str| wanted.get(name).unwrap_or_default();
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
        server = attribute(&url.authority()),
        client = attribute(get(name::CLIENT_ID)),
        goes_to = attribute(&goes_to),
        action = attribute(&url.path),
    );
    document(200, &body)
}

/// The client says that nobody is to be asked.
const NO_PROMPT: &str = "none";
/// The resource owner says no.
const ACCESS_DENIED: &str = "access_denied";
/// Parameters of the page's own form.
pub(super) const DECISION: &str = "authtape_decision";
const NUMBER: &str = "authtape_request";
pub(super) const APPROVE: &str = "approve";
/// A client that never decides must not fill the memory.
const PENDING_MAX: usize = 64;
