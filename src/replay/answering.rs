//! Answering: the response of the interaction that was picked, and what later requests owe to it.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::model::{Body, Cut, Failure, FailureKind, Headers, Params, Response};
use crate::oauth::fields::Reading;
use crate::oauth::registry::{self, Place};
use crate::oauth::{Step, name};
use crate::redact::{Label, RecordedResponse, is_suspicious, pieces};
use crate::replay::echo::Echo;
use crate::replay::judged::Judged;
use crate::replay::player::{Answer, Pages, Player};
use crate::replay::registering::registered;
use crate::replay::render::{Asked, Rendering, redirected};
use crate::replay::values::Live;

impl Player {
    /// Plays the interaction at this place.
    pub(super) fn answer(&mut self, at: usize, live: &Live<'_>, judged: &Judged) -> Answer {
        self.report.played += 1;
        if self.plays.count(at) > 0 {
            self.begin_anew(at);
        }
        self.plays.play(at);
        self.bind(at, live, judged);
        let step = self.repertoire.step(at);
        if step == Step::AuthorizationRequest || step.authenticates_client() {
            self.note_unknown(at, live);
        }
        let answering = if step == Step::AuthorizationRequest {
            self.authorize(at, judged)
        } else {
            at
        };
        let interaction = self.repertoire.interaction(answering);
        self.took = interaction.took();
        if matches!(step, Step::AuthorizationRequest | Step::LoginPage) {
            let sent = self.asked.recorded_state.as_deref();
            self.asked.echo = Echo::of(sent, interaction.response());
        }
        let failure = interaction
            .error()
            .map(|error| Failure::new(error.kind(), error.phase(), error.after()));
        let cut = match failure {
            Some(failure) if interaction.response().is_none() => return Answer::Failure(failure),
            failure => failure.map(|failure| failure.kind),
        };
        let mut response = self.render(answering);
        if let Some(kind) = cut {
            response.body = severed(response.body, kind);
        }
        match step {
            Step::AuthorizationRequest | Step::LoginPage => redirect(&mut response, &self.asked),
            Step::EndSession => redirect(&mut response, &self.leaving(at, live)),
            Step::Registration => {
                let recorded = self.repertoire.interaction(at);
                response.body = registered(recorded, live.said, response.body);
            }
            _ => {}
        }
        self.note(live, judged, &response);
        self.note_device(at, &response);
        response.body = response.body.trailed(self.trailers(answering));
        Answer::Response(response)
    }

    /// What is played again brings new values, and what was done with the old ones can be done
    /// with these.
    fn begin_anew(&mut self, at: usize) {
        let cassette = self.repertoire.cassette(at);
        let followers = match self.repertoire.step(at) {
            Step::AuthorizationRequest
            | Step::BackchannelAuthenticationRequest
            | Step::DeviceAuthorizationRequest
            | Step::PushedAuthorizationRequest => self.repertoire.followers(at),
            Step::TokenRequest => Vec::new(),
            _ => return,
        };
        let is_asked = self.repertoire.step(at) == Step::AuthorizationRequest;
        for follower in &followers {
            self.plays.renew(*follower);
        }
        for at in std::iter::once(at).chain(followers) {
            for label in self.repertoire.brought(at) {
                self.bindings.forget(cassette, label);
            }
        }
        if is_asked {
            for secret in self.repertoire.interaction(at).secrets() {
                if let Some(label) = Label::of_key(&secret.name) {
                    self.bindings.forget(cassette, &label);
                }
            }
        }
    }

    /// What no standard knows is of no consequence (RFC 6749 section 3.1), and may be a slip.
    fn note_unknown(&mut self, at: usize, live: &Live<'_>) {
        let step = self.repertoire.step(at);
        let recorded = self.repertoire.parameters(at);
        let is_unheard = |name: &&str| {
            let was_heard = || recorded.iter().any(|recorded| recorded.name == *name);
            registry::class(Place::of_request(step), name).is_none()
                && !was_heard()
                && !is_suspicious(name)
        };
        let sent = live.fields.query.iter().chain(live.fields.body.iter());
        let sent = sent.map(|param| param.name.as_str());
        for name in sent.filter(is_unheard) {
            let note = format!(
                "the {} has a parameter that was not recorded: {name}",
                step.title()
            );
            self.report.note(note);
        }
    }

    pub(super) fn bind(&mut self, at: usize, live: &Live<'_>, judged: &Judged) {
        let cassette = self.repertoire.cassette(at);
        let url = self.repertoire.interaction(at).request().url();
        self.bindings.bind_url(cassette, url, &live.endpoint);
        for recorded in self.repertoire.parameters(at) {
            if let Some(live) = recorded.in_live(live) {
                self.bindings.bind(cassette, &recorded.value, live);
            }
        }
        // What a request object says stands nowhere else.
        for param in self.repertoire.asked(at).into_iter().flatten() {
            if let Some(sent) = judged.wanted.get(&param.name) {
                self.bindings.bind(cassette, &pieces(&param.value), sent);
            }
        }
    }

    /// Notes what the authorization endpoint was asked for; the interaction that answers. Pages
    /// between the request and its response are skipped.
    pub(super) fn authorize(&mut self, at: usize, judged: &Judged) -> usize {
        self.cassette = Some(self.repertoire.cassette(at));
        self.asked = self.asking(at, &judged.wanted);
        if self.repertoire.options.pages == Pages::Kept {
            at
        } else {
            for skipped in self.repertoire.on_the_way(at) {
                self.plays.skip(skipped);
            }
            self.repertoire.answering(at)
        }
    }

    /// What is asked for, in the place of what a recorded authorization request asked for.
    pub(super) fn asking(&self, at: usize, wanted: &Params) -> Asked {
        let recorded = self.repertoire.asked(at);
        let sent = |name| recorded.and_then(|recorded| recorded.get(name));
        Asked {
            live: wanted.clone(),
            recorded_redirect_uri: sent(name::REDIRECT_URI).map(str::to_owned),
            recorded_state: sent(name::STATE).map(str::to_owned),
            echo: Echo::default(),
        }
    }

    pub(super) fn render(&mut self, at: usize) -> Response {
        self.rendered(at, |recorded, rendering| rendering.response(recorded))
            .unwrap_or_else(|| Response::new(502, ""))
    }

    /// The header fields alone.
    pub(super) fn head(&mut self, at: usize) -> Headers {
        self.rendered(at, |recorded, rendering| rendering.headers(recorded))
            .unwrap_or_default()
    }

    /// A recorded text with this run's values.
    pub(super) fn filled(&mut self, at: usize, text: &str) -> String {
        let filled = self.rendered(at, |_, rendering| rendering.fill(text, str::to_owned));
        filled.unwrap_or_default()
    }

    fn trailers(&mut self, at: usize) -> Headers {
        let recorded = self.repertoire.response(at);
        if recorded.is_none_or(|recorded| recorded.trailer_fields().is_empty()) {
            return Headers::new();
        }
        self.rendered(at, |recorded, rendering| rendering.trailers(recorded))
            .unwrap_or_default()
    }

    /// What is made of the recorded response of an interaction, where there is one.
    fn rendered<T>(
        &mut self,
        at: usize,
        make: impl FnOnce(&RecordedResponse, &mut Rendering<'_>) -> T,
    ) -> Option<T> {
        let mut rendering = Rendering {
            repertoire: &self.repertoire,
            cassette: self.repertoire.cassette(at),
            asked: &self.asked,
            alias: self.alias.as_deref(),
            bindings: &mut self.bindings,
            at,
            times: self.repertoire.times(at, self.now),
            open: HashSet::new(),
        };
        let recorded = self.repertoire.response(at)?;
        Some(make(recorded, &mut rendering))
    }

    /// Where a logout leads to, and with which state (OpenID Connect RP-Initiated Logout section 3).
    fn leaving(&self, at: usize, live: &Live<'_>) -> Asked {
        let request = self.repertoire.interaction(at).request();
        let (query, body) = (request.query_params(), request.body_params());
        let recorded = query
            .get(name::POST_LOGOUT_REDIRECT_URI)
            .or_else(|| body.get(name::POST_LOGOUT_REDIRECT_URI));
        let known = [
            (name::REDIRECT_URI, live.get(name::POST_LOGOUT_REDIRECT_URI)),
            (name::STATE, live.get(name::STATE)),
        ];
        let known = known
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Asked {
            live: known
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            recorded_redirect_uri: Some(recorded.unwrap_or_default().to_owned()),
            ..Asked::default()
        }
    }

    /// What this answer says is what later requests are read against.
    pub(super) fn note(&mut self, live: &Live<'_>, judged: &Judged, response: &Response) {
        let heard = response.heard();
        let reading = Reading::with(live.said, Arc::clone(&live.fields), Some(&heard));
        self.flows.observe(judged.call.step(), &reading);
        let now = self.now();
        judged.learn(&mut self.grants, &heard, &reading, now);
    }
}

fn redirect(response: &mut Response, asked: &Asked) {
    let fields = std::mem::take(&mut response.headers);
    for field in &fields {
        let location = field
            .name
            .eq_ignore_ascii_case("location")
            .then(|| String::from_utf8_lossy(&field.value));
        // Between pages there is no response that would have to carry this run's state.
        let location = location.filter(|location| asked.answers_at(location));
        let value = match location {
            Some(location) => redirected(&location, asked).into_bytes(),
            None => field.value.to_vec(),
        };
        response.headers.push(field.name.clone(), value);
    }
}

/// The body as far as it is on tape; then it ends as it did.
fn severed(body: Body, kind: FailureKind) -> Body {
    let bytes = match body {
        Body::Full(bytes) => bytes,
        Body::Live(_) => Bytes::new(),
    };
    let cut = match kind {
        FailureKind::ConnectionReset => Cut::Reset,
        FailureKind::ProtocolError => Cut::Malformed,
        FailureKind::ReadTimeout => Cut::Stalled,
        _ => Cut::Closed,
    };
    Body::severed(bytes, cut)
}
