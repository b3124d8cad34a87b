//! A flow: an authorization request, what came back for it, and what was asked for with that.

use std::time::Duration;

use crate::cassette::session::{Link, Outcome, Session, Turn};
use crate::model::{Param, Params, Url};
use crate::oauth::asked::{asked, claim_params};
use crate::oauth::name::grant::AUTHORIZATION_CODE;
use crate::oauth::page::Method;
use crate::oauth::{Step, name};
use crate::redact::{Label, RecordedForm, cores};

/// One authorization as far as the session shows it.
#[derive(Clone, Copy)]
pub struct Flow<'s, 'a> {
    session: &'s Session<'a>,
    ties: &'s Ties,
}

/// What belongs to one authorization, by where it stands among the turns.
pub(super) struct Ties {
    /// A server that sends a person to its login page may have the request come once more.
    requests: Vec<usize>,
    pushed: Option<usize>,
    asked: Params,
    /// Whether all that was asked for is seen.
    is_whole: bool,
    response: Option<AuthorizationResponse>,
    callback: Option<usize>,
    tokens: Vec<(usize, Link)>,
}

/// What the authorization server sent to the redirect URI.
pub struct AuthorizationResponse {
    carrier: usize,
    /// Where it was sent, with the parameters.
    pub to: Url,
    /// What it says.
    pub params: Params,
    /// How it was sent.
    pub mode: Mode,
    /// How it is known whose it is: by the request that it answers, or by the state (strong), or
    /// because it goes to where one is awaited.
    pub link: Link,
}

/// How an authorization response travels (OAuth 2.0 Multiple Response Types section 2.1, Form Post
/// Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the query of the redirect URI.
    Query,
    /// Behind it, where no server sees it.
    Fragment,
    /// As the body of a request.
    FormPost,
}

impl<'s, 'a> Flow<'s, 'a> {
    pub(super) fn new(session: &'s Session<'a>, ties: &'s Ties) -> Self {
        Self { session, ties }
    }

    fn turn(self, at: usize) -> &'s Turn<'a> {
        &self.session.turns[at]
    }

    /// The authorization request; the first, where the server had it sent again.
    pub fn request(self) -> &'s Turn<'a> {
        self.turn(self.ties.requests[0])
    }

    /// The last answer of the authorization endpoint.
    pub fn last_request(self) -> &'s Turn<'a> {
        self.turn(self.ties.requests[self.ties.requests.len() - 1])
    }

    /// What was asked for, wherever it stands: in the request, in what was pushed before it, or in
    /// a request object.
    pub fn asked(self) -> &'s Params {
        &self.ties.asked
    }

    /// Whether all that was asked for is seen, so that something may be said to be missing.
    pub fn is_whole(self) -> bool {
        self.ties.is_whole
    }

    /// The message in which a parameter stands, and what it is called.
    pub fn asker(self, name: &str) -> (&'s Turn<'a>, &'static str) {
        let pushed = self.ties.pushed.map(|at| self.turn(at));
        match pushed.filter(|pushed| pushed.body().has(name)) {
            Some(pushed) => (pushed, "pushed"),
            None => (self.request(), "authorize"),
        }
    }

    /// What came back.
    pub fn response(self) -> Option<&'s AuthorizationResponse> {
        self.ties.response.as_ref()
    }

    /// The message that carries it: an answer of the server, or else what reached the client.
    pub fn carrier(self) -> Option<&'s Turn<'a>> {
        Some(self.turn(self.ties.response.as_ref()?.carrier))
    }

    /// The first value of a parameter of what came back.
    pub fn answered(self, name: &str) -> Option<&'s str> {
        self.response()?.params.get(name)
    }

    /// When it came back, since the recording began.
    pub fn answered_at(self) -> Option<Duration> {
        let carrier = self.carrier()?;
        let sent = match carrier.step() {
            Step::AuthorizationResponse => Duration::ZERO,
            _ => carrier.interaction.took(),
        };
        Some(carrier.interaction.at() + sent)
    }

    /// The request that reached the client's redirection endpoint.
    pub fn callback(self) -> Option<&'s Turn<'a>> {
        self.ties.callback.map(|at| self.turn(at))
    }

    /// The token requests that redeem the code, in order, and how that is known.
    pub fn token_requests(self) -> impl Iterator<Item = (&'s Turn<'a>, Link)> {
        let tokens = self.ties.tokens.iter();
        tokens.map(move |(at, link)| (self.turn(*at), *link))
    }

    pub(super) fn link_to(self, id: u64) -> Option<Link> {
        let mut tokens = self.token_requests();
        tokens.find_map(|(token, link)| (token.id() == id).then_some(link))
    }

    /// What came of it, as far as it went.
    pub fn outcome(self) -> Outcome {
        let outcomes: Vec<_> = self
            .token_requests()
            .map(|(token, _)| token.outcome())
            .collect();
        if outcomes.contains(&Outcome::Accepted) {
            Outcome::Accepted
        } else if outcomes.contains(&Outcome::Failed) || self.is_refused() {
            Outcome::Failed
        } else {
            Outcome::Unknown
        }
    }

    /// Whether the authorization endpoint itself refused the request.
    pub fn is_refused(self) -> bool {
        let status = self.last_request().status();
        self.answered(name::ERROR).is_some() || status.is_some_and(|status| status >= 400)
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
    fn awaits_at(&self, to: &Url) -> bool {
        let asked = self.asked.get(name::REDIRECT_URI).and_then(Url::parse);
        asked.is_some_and(|asked| asked.endpoint() == to.endpoint())
    }

    fn has_state_of(&self, params: &Params) -> bool {
        let (sent, back) = (self.asked.get(name::STATE), params.get(name::STATE));
        sent.zip(back)
            .is_some_and(|(sent, back)| relate(sent, back))
    }

    fn has_code_of(&self, code: Option<&str>) -> bool {
        let response = self.response.as_ref();
        let issued = response.and_then(|response| response.params.get(name::CODE));
        issued
            .zip(code)
            .is_some_and(|(issued, code)| relate(issued, code))
    }
}

/// All flows of a session.
pub(super) fn tied(session: &Session<'_>) -> Vec<Ties> {
    let mut flows: Vec<Ties> = Vec::new();
    for (at, turn) in session.turns.iter().enumerate() {
        // A token request may be sent to the wrong endpoint.
        let is_lost = || turn.param(name::GRANT_TYPE).is_some();
        if turn.step() == Step::AuthorizationRequest && !is_lost() {
            let ties = Ties::of(session, at);
            match flows.iter_mut().rev().find(|known| known.is_again(&ties)) {
                Some(known) => known.requests.push(at),
                None => flows.push(ties),
            }
        }
        match turn.step() {
            Step::AuthorizationResponse => take_callback(session, &mut flows, at),
            Step::TokenRequest => take_token(session, &mut flows, at),
            _ => {}
        }
        if !flows.is_empty() {
            take_response(session, &mut flows, at);
        }
    }
    flows
}

/// Ties what the answer of a turn sends on to the flow whose response it is.
fn take_response(session: &Session<'_>, flows: &mut [Ties], at: usize) {
    let turn = &session.turns[at];
    for (to, mode) in sent_on(turn) {
        let Some(response) = read(session, at, &to, mode) else {
            continue;
        };
        let leaves = turn
            .url()
            .is_some_and(|url| url.authority() != response.to.authority());
        let open = || {
            let open = (0..flows.len()).rev();
            open.filter(|flow| flows[*flow].response.is_none())
        };
        let awaited = |flow: &usize| flows[*flow].awaits_at(&response.to);
        let has_state = |flow: &usize| flows[*flow].has_state_of(&response.params);
        // A server may have a page of its own for errors, at another host.
        let is_error = response.params.has(name::ERROR);
        let strays = |flow: &usize| leaves && (!is_error || has_state(flow));
        let own =
            |flow: &usize| flows[*flow].requests.contains(&at) && (awaited(flow) || strays(flow));
        let page = |flow: &usize| {
            let asked = &session.turns[flows[*flow].requests[0]];
            turn.step() == Step::LoginPage && asked.host() == turn.host() && strays(flow)
        };
        let strong = open()
            .find(own)
            .or_else(|| open().find(|flow| awaited(flow) && has_state(flow)));
        let link = strong.map_or(Link::Weak, |_| Link::Strong);
        let tied = strong.or_else(|| open().find(awaited));
        if let Some(flow) = tied.or_else(|| open().find(page)) {
            flows[flow].response = Some(AuthorizationResponse { link, ..response });
        }
    }
}

/// Ties what reached a redirection endpoint to its flow, which it answers where nothing else did.
fn take_callback(session: &Session<'_>, flows: &mut [Ties], at: usize) {
    let turn = &session.turns[at];
    let Some(url) = turn.url() else { return };
    let (query, body) = (turn.query(), turn.body());
    let pair = |param: &Param| (param.name.clone(), param.value.clone());
    let params: Params = body.iter().chain(query).map(pair).collect();
    let params = with_claims(session, params);
    let code = params.get(name::CODE);
    let all = || {
        (0..flows.len())
            .rev()
            .filter(|flow| flows[*flow].callback.is_none())
    };
    let strong = all()
        .find(|flow| flows[*flow].has_code_of(code))
        .or_else(|| all().find(|flow| flows[*flow].has_state_of(&params)));
    let link = strong.map_or(Link::Weak, |_| Link::Strong);
    let tied = strong.or_else(|| all().find(|flow| flows[*flow].awaits_at(url)));
    let Some(flow) = tied else { return };
    flows[flow].callback = Some(at);
    if flows[flow].response.is_none() && is_response(&params) {
        flows[flow].response = Some(AuthorizationResponse {
            carrier: at,
            to: url.clone(),
            mode: if body.is_empty() {
                Mode::Query
            } else {
                Mode::FormPost
            },
            params,
            link,
        });
    }
}

fn take_token(session: &Session<'_>, flows: &mut [Ties], at: usize) {
    let token = &session.turns[at];
    let code = token.param(name::CODE);
    let grant = token.param(name::GRANT_TYPE);
    if code.is_none() && grant != Some(AUTHORIZATION_CODE) {
        return;
    }
    if let Some(flow) = flows.iter_mut().find(|flow| flow.has_code_of(code)) {
        flow.tokens.push((at, Link::Strong));
        return;
    }
    let is_near = |flow: &Ties| {
        let asked = session.turns[flow.requests[0]].interaction.at();
        let age = token.interaction.at().checked_sub(asked);
        let client = flow.asked.get(name::CLIENT_ID);
        let sent = token.param(name::CLIENT_ID);
        age.is_some_and(|age| age <= WEAK_LINK_MAX) && sent.is_none_or(|sent| client == Some(sent))
    };
    let mut near = flows.iter_mut().filter(|flow| is_near(flow));
    if let (Some(only), None) = (near.next(), near.next()) {
        only.tokens.push((at, Link::Weak));
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

/// The authorization response that an address carries, if it does.
fn read(
    session: &Session<'_>,
    carrier: usize,
    to: &str,
    mode: Mode,
) -> Option<AuthorizationResponse> {
    let to = Url::parse(to)?;
    let query = Params::parse(to.query.as_deref().unwrap_or_default());
    if is_response(&query) {
        let params = with_claims(session, query);
        return Some(AuthorizationResponse {
            carrier,
            to,
            params,
            mode,
            link: Link::Weak,
        });
    }
    let fragment = to.fragment.as_deref().unwrap_or_default();
    // A redirect URI that has a fragment gets what it should get in its query behind that.
    let params = fragment
        .split_once('?')
        .map_or(fragment, |(_, params)| params);
    let params = with_claims(session, Params::parse(params));
    let mode = Mode::Fragment;
    is_response(&params).then_some(AuthorizationResponse {
        carrier,
        to,
        params,
        mode,
        link: Link::Weak,
    })
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

/// Whether two texts are of one secret, or the same text.
fn relate(a: &str, b: &str) -> bool {
    let secrets: Vec<Label> = cores(a).collect();
    a == b || cores(b).any(|label| secrets.contains(&label))
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
