//! Which messages belong to one authorization.

use std::collections::HashMap;
use std::time::Duration;

use crate::cassette::session::flow::{AuthorizationResponse, Mode};
use crate::cassette::session::{Link, Session, Turn};
use crate::model::{Param, Params, Url};
use crate::oauth::asked::{asked, claim_params};
use crate::oauth::name::grant::AUTHORIZATION_CODE;
use crate::oauth::page::Method;
use crate::oauth::{Step, name};
use crate::redact::{Label, RecordedForm, cores};

/// The authorizations of a session.
pub(super) struct Tied {
    /// In the order of their requests.
    pub(super) flows: Vec<Ties>,
    /// Which of them a token request belongs to, by the number of its interaction.
    pub(super) of_tokens: HashMap<u64, (usize, Link)>,
}

/// What belongs to one authorization, by where it stands among the turns.
pub(super) struct Ties {
    /// A server that sends a person to its login page may have the request come once more.
    pub(super) requests: Vec<usize>,
    pub(super) pushed: Option<usize>,
    pub(super) asked: Params,
    /// Whether all that was asked for is seen.
    pub(super) is_whole: bool,
    pub(super) response: Option<AuthorizationResponse>,
    pub(super) callback: Option<usize>,
    pub(super) tokens: Vec<(usize, Link)>,
}

/// Ties the messages of a session, one after the other.
struct Tying<'s, 'a> {
    session: &'s Session<'a>,
    flows: Vec<Ties>,
    /// By the codes that came back.
    of_codes: HashMap<Label, usize>,
    of_tokens: HashMap<u64, (usize, Link)>,
}

impl Tied {
    /// All flows of a session.
    pub(super) fn of(session: &Session<'_>) -> Self {
        let mut tying = Tying {
            session,
            flows: Vec::new(),
            of_codes: HashMap::new(),
            of_tokens: HashMap::new(),
        };
        for (at, turn) in session.turns.iter().enumerate() {
            match turn.step() {
                Step::AuthorizationRequest => tying.take_request(at),
                Step::AuthorizationResponse => tying.take_callback(at),
                Step::TokenRequest => tying.take_token(at),
                _ => {}
            }
            if !tying.flows.is_empty() {
                tying.take_response(at);
            }
        }
        Self {
            flows: tying.flows,
            of_tokens: tying.of_tokens,
        }
    }
}

impl Tying<'_, '_> {
    fn take_request(&mut self, at: usize) {
        // A token request may be sent to the wrong endpoint.
        if self.session.turns[at].param(name::GRANT_TYPE).is_some() {
            return;
        }
        let ties = Ties::of(self.session, at);
        let mut open = self.flows.iter_mut().rev();
        match open.find(|known| known.is_again(&ties)) {
            Some(known) => known.requests.push(at),
            None => self.flows.push(ties),
        }
    }

    /// Ties what the answer of a turn sends on to the flow whose response it is.
    fn take_response(&mut self, at: usize) {
        let turn = &self.session.turns[at];
        for (to, mode) in sent_on(turn) {
            let Some((params, mode)) = carried(self.session, &to, mode) else {
                continue;
            };
            let to = address(&to).to_owned();
            if let Some((flow, link)) = self.flow_of_response(at, &to, &params) {
                let carrier = at;
                let response = AuthorizationResponse {
                    carrier,
                    to,
                    params,
                    mode,
                    link,
                };
                self.answer(flow, response);
            }
        }
    }

    /// Whose response it is that the answer of a turn sends on, and how that is known.
    fn flow_of_response(&self, at: usize, to: &str, params: &Params) -> Option<(usize, Link)> {
        let turn = &self.session.turns[at];
        let flows = &self.flows;
        let open = || {
            (0..flows.len())
                .rev()
                .filter(|flow| flows[*flow].response.is_none())
        };
        let awaited = |flow: &usize| flows[*flow].awaits_at(to);
        let has_state = |flow: &usize| flows[*flow].has_state_of(params);
        let leaves = origin(turn.interaction.request().url()) != origin(to);
        // A server may have a page of its own for errors, at another host.
        let is_error = params.has(name::ERROR);
        let strays = |flow: &usize| leaves && (!is_error || has_state(flow));
        let own =
            |flow: &usize| flows[*flow].requests.contains(&at) && (awaited(flow) || strays(flow));
        let page = |flow: &usize| {
            let asked = &self.session.turns[flows[*flow].requests[0]];
            turn.step() == Step::LoginPage && asked.host() == turn.host() && strays(flow)
        };
        let strong = open()
            .find(own)
            .or_else(|| open().find(|flow| awaited(flow) && has_state(flow)));
        let weak = || open().find(awaited).or_else(|| open().find(page));
        let strong = strong.map(|flow| (flow, Link::Strong));
        strong.or_else(|| weak().map(|flow| (flow, Link::Weak)))
    }

    /// Ties what reached a redirection endpoint to its flow, which it answers where nothing else
    /// did.
    fn take_callback(&mut self, at: usize) {
        let turn = &self.session.turns[at];
        let (query, body) = (turn.query(), turn.body());
        let pair = |param: &Param| (param.name.clone(), param.value.clone());
        let params: Params = body.iter().chain(query).map(pair).collect();
        let params = with_claims(self.session, params);
        let to = turn.interaction.request().url();
        let flows = &self.flows;
        let waits = |flow: &usize| flows[*flow].callback.is_none();
        let waiting = || (0..flows.len()).rev().filter(waits);
        let strong = self
            .flow_of_code(params.get(name::CODE))
            .filter(waits)
            .or_else(|| waiting().find(|flow| flows[*flow].has_state_of(&params)));
        let link = strong.map_or(Link::Weak, |_| Link::Strong);
        let tied = strong.or_else(|| waiting().find(|flow| flows[*flow].awaits_at(to)));
        let Some(flow) = tied else { return };
        self.flows[flow].callback = Some(at);
        if self.flows[flow].response.is_none() && is_response(&params) {
            let mode = if body.is_empty() {
                Mode::Query
            } else {
                Mode::FormPost
            };
            let (carrier, to) = (at, to.to_owned());
            let response = AuthorizationResponse {
                carrier,
                to,
                params,
                mode,
                link,
            };
            self.answer(flow, response);
        }
    }

    fn answer(&mut self, flow: usize, response: AuthorizationResponse) {
        let code = response.params.get(name::CODE).unwrap_or_default();
        for label in cores(code) {
            self.of_codes.entry(label).or_insert(flow);
        }
        self.flows[flow].response = Some(response);
    }

    fn flow_of_code(&self, code: Option<&str>) -> Option<usize> {
        let mut labels = cores(code?);
        labels.find_map(|label| self.of_codes.get(&label).copied())
    }

    fn take_token(&mut self, at: usize) {
        let token = &self.session.turns[at];
        let code = token.param(name::CODE);
        let grant = token.param(name::GRANT_TYPE);
        if code.is_none() && grant != Some(AUTHORIZATION_CODE) {
            return;
        }
        let strong = self.flow_of_code(code).map(|flow| (flow, Link::Strong));
        let weak = || self.only_flow_near(token).map(|flow| (flow, Link::Weak));
        if let Some((flow, link)) = strong.or_else(weak) {
            self.flows[flow].tokens.push((at, link));
            self.of_tokens.insert(token.id(), (flow, link));
        }
    }

    /// The only authorization of the client within a quarter of an hour.
    fn only_flow_near(&self, token: &Turn<'_>) -> Option<usize> {
        let is_near = |flow: &usize| {
            let flow = &self.flows[*flow];
            let asked = self.session.turns[flow.requests[0]].interaction.at();
            let age = token.interaction.at().checked_sub(asked);
            let client = flow.asked.get(name::CLIENT_ID);
            let sent = token.param(name::CLIENT_ID);
            let same = sent.is_none_or(|sent| client == Some(sent));
            age.is_some_and(|age| age <= WEAK_LINK_MAX) && same
        };
        let mut near = (0..self.flows.len()).filter(is_near);
        let only = near.next()?;
        near.next().is_none().then_some(only)
    }
}

impl Ties {
    fn of(session: &Session<'_>, at: usize) -> Self {
        let turn = &session.turns[at];
        let pushed = turn.param(name::REQUEST_URI).and_then(|uri| {
            let behind = session.turns[..at].iter();
            let is_it = |turn: &Turn<'_>| {
                turn.step() == Step::PushedAuthorizationRequest
                    && turn.answer().get(name::REQUEST_URI) == Some(uri)
            };
            behind.rev().position(is_it).map(|back| at - 1 - back)
        });
        let pushed_params = pushed.map(|at| session.turns[at].body());
        let asked = asked(&[turn.body(), turn.query()], pushed_params, |object| {
            claims(session, object)
        });
        let object = asked.get(name::REQUEST);
        let is_unread = object.is_some_and(|object| session.jwt(object).is_none());
        let is_elsewhere = turn.param(name::REQUEST_URI).is_some() && pushed.is_none();
        Self {
            requests: vec![at],
            pushed,
            is_whole: turn.is_whole() && !is_unread && !is_elsewhere,
            asked,
            response: None,
            callback: None,
            tokens: Vec::new(),
        }
    }

    /// Whether this is the request of the other once more.
    fn is_again(&self, other: &Self) -> bool {
        let same = |name: &&str| self.asked.get(name) == other.asked.get(name);
        self.response.is_none() && OF_ONE_REQUEST.iter().all(same)
    }

    /// Whether the address is the one that was asked for, whatever its query.
    fn awaits_at(&self, to: &str) -> bool {
        let asked = self.asked.get(name::REDIRECT_URI);
        asked.is_some_and(|asked| address(asked) == to)
    }

    fn has_state_of(&self, params: &Params) -> bool {
        let (sent, back) = (self.asked.get(name::STATE), params.get(name::STATE));
        sent.zip(back).is_some_and(|(sent, back)| {
            let secrets: Vec<Label> = cores(sent).collect();
            sent == back || cores(back).any(|label| secrets.contains(&label))
        })
    }
}

/// Where an answer sends the browser on to, and how.
fn sent_on(turn: &Turn<'_>) -> Vec<(String, Mode)> {
    let Some(response) = turn.interaction.response() else {
        return Vec::new();
    };
    let location = turn.answer_headers().get("location");
    let location = location.map(|location| (location.to_owned(), Mode::Query));
    let form = |form: &RecordedForm| {
        let mode = match form.method() {
            Method::Get => Mode::Query,
            Method::Post => Mode::FormPost,
        };
        Some((form.location()?, mode))
    };
    let forms = response.forms().iter().filter_map(form);
    location.into_iter().chain(forms).collect()
}

/// What an address carries of an authorization response, and how; `None` where it carries none.
fn carried(session: &Session<'_>, to: &str, mode: Mode) -> Option<(Params, Mode)> {
    let (before, fragment) = to.split_once('#').unwrap_or((to, ""));
    let (_, query) = before.split_once('?').unwrap_or_default();
    let query = Params::parse(query);
    if is_response(&query) {
        return Some((with_claims(session, query), mode));
    }
    // A redirect URI that has a fragment gets what it should get in its query behind that.
    let params = fragment
        .split_once('?')
        .map_or(fragment, |(_, params)| params);
    let params = Params::parse(params);
    is_response(&params).then(|| (with_claims(session, params), Mode::Fragment))
}

/// The parameters, with those of the JWT that they may be in (JARM section 2.3).
fn with_claims(session: &Session<'_>, params: Params) -> Params {
    match params
        .get(name::RESPONSE)
        .and_then(|response| claims(session, response))
    {
        Some(claims) => {
            let both = claims.iter().chain(&params);
            both.map(|param| (param.name.clone(), param.value.clone()))
                .collect()
        }
        None => params,
    }
}

/// What is read of a JWT, as parameters.
fn claims(session: &Session<'_>, text: &str) -> Option<Params> {
    session.jwt(text).map(|jwt| claim_params(&jwt.claims))
}

fn is_response(params: &Params) -> bool {
    RESPONSE.iter().any(|name| params.has(name))
}

/// A URL without its query and fragment; not every redirect URI has a host.
fn address(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The scheme, the host and the port of an address.
fn origin(url: &str) -> Option<(String, String)> {
    Url::parse(url).map(|url| (url.authority(), url.scheme))
}

const WEAK_LINK_MAX: Duration = Duration::from_mins(15);
/// What is the same where a server has one request sent twice.
const OF_ONE_REQUEST: &[&str] = &[
    name::CLIENT_ID,
    name::CODE_CHALLENGE,
    name::NONCE,
    name::REDIRECT_URI,
    name::REQUEST_URI,
    name::STATE,
];
/// What makes a message an authorization response.
const RESPONSE: &[&str] = &[
    name::ACCESS_TOKEN,
    name::CODE,
    name::ERROR,
    name::ID_TOKEN,
    name::RESPONSE,
];
