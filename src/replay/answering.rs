//! Answering: the response of the interaction that was picked, and what later requests owe to it.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;

use crate::model::{Body, Captured, Cut, Failure, FailureKind, Headers, Heard, Response};
use crate::oauth::fields::Reading;
use crate::oauth::{Step, name};
use crate::redact::RecordedResponse;
use crate::replay::player::{Answer, Pages, Player};
use crate::replay::render::{Asked, Rendering, redirected};
use crate::replay::values::{Live, label_of_key, pairs};

impl Player {
    /// Plays the interaction at this place.
    pub(super) fn answer(&mut self, at: usize, live: &Live<'_>) -> Answer {
        self.report.played += 1;
        if self.plays.count(at) > 0 {
            self.begin_anew(at);
        }
        self.plays.play(at);
        self.bind(at, live);
        let step = self.repertoire.step(at);
        let answering = if step == Step::AuthorizationRequest {
            self.authorize(at, live)
        } else {
            at
        };
        let interaction = self.repertoire.interaction(answering);
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
        if matches!(step, Step::AuthorizationRequest | Step::LoginPage) {
            self.redirect(&mut response);
        }
        self.note(step, live, &response);
        response.body = response.body.trailed(self.trailers(answering));
        Answer::Response(response)
    }

    /// What is played again brings new values, and what was done with the old ones can be done
    /// with these.
    fn begin_anew(&mut self, at: usize) {
        let cassette = self.repertoire.cassette(at);
        let mut again = vec![at];
        match self.repertoire.step(at) {
            Step::AuthorizationRequest
            | Step::DeviceAuthorizationRequest
            | Step::PushedAuthorizationRequest => again.extend(self.repertoire.followers(at)),
            Step::TokenRequest => {}
            _ => return,
        }
        let is_asked = self.repertoire.step(at) == Step::AuthorizationRequest;
        for at in again {
            self.plays.renew(at);
            for label in self.repertoire.brought(at) {
                self.bindings.forget(cassette, &label);
            }
        }
        if is_asked {
            for secret in self.repertoire.interaction(at).secrets() {
                if let Some(label) = label_of_key(&secret.name) {
                    self.bindings.forget(cassette, &label);
                }
            }
        }
    }

    pub(super) fn bind(&mut self, at: usize, live: &Live<'_>) {
        let cassette = self.repertoire.cassette(at);
        let interaction = self.repertoire.interaction(at);
        self.bindings
            .bind_url(cassette, interaction.request().url(), &live.endpoint);
        for (_, recorded, live) in pairs(interaction, live) {
            self.bindings.bind(cassette, &recorded, &live);
        }
    }

    /// Notes what the authorization endpoint was asked for; the interaction that answers. Pages
    /// between the request and its response are skipped.
    pub(super) fn authorize(&mut self, at: usize, live: &Live<'_>) -> usize {
        let recorded = self.repertoire.interaction(at).request().query_params();
        self.cassette = Some(self.repertoire.cassette(at));
        self.asked = Asked {
            live: live.fields.query.clone(),
            recorded_redirect_uri: recorded.get(name::REDIRECT_URI).map(str::to_owned),
        };
        if self.repertoire.options.pages == Pages::Kept {
            at
        } else {
            self.repertoire.answering(at)
        }
    }

    fn render(&mut self, at: usize) -> Response {
        self.rendered(at, |recorded, rendering| rendering.response(recorded))
            .unwrap_or_else(|| Response::new(502, ""))
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
            bindings: &mut self.bindings,
            at,
            times: self.repertoire.times(at, self.now),
            open: HashSet::new(),
        };
        let recorded = self.repertoire.response(at)?;
        Some(make(recorded, &mut rendering))
    }

    fn redirect(&self, response: &mut Response) {
        let fields = std::mem::take(&mut response.headers);
        for field in &fields {
            let location = field
                .name
                .eq_ignore_ascii_case("location")
                .then(|| String::from_utf8_lossy(&field.value));
            // Between pages there is no response that would have to carry this run's state.
            let location = location.filter(|location| self.asked.answers_at(location));
            match location {
                Some(location) => response
                    .headers
                    .push(field.name.clone(), redirected(&location, &self.asked)),
                None => response
                    .headers
                    .push(field.name.clone(), field.value.clone()),
            }
        }
    }

    /// What this answer says is what later requests are read against.
    fn note(&mut self, step: Step, live: &Live<'_>, response: &Response) {
        let bytes = match &response.body {
            Body::Full(bytes) => bytes.clone(),
            Body::Live(_) => Bytes::new(),
        };
        let heard = Heard {
            status: response.status,
            reason: None,
            version: response.version,
            headers: response.headers.clone(),
            body: Captured::of(&bytes, bytes.len()),
            after: Duration::ZERO,
        };
        let reading = Reading::of(live.said, Some(&heard));
        self.flows.observe(step, &reading);
        let carried = self.flows.carried(&heard, &reading.answer);
        if let Some(code) = carried.as_ref().and_then(|carried| carried.get(name::CODE)) {
            self.issued.issue(code.to_owned());
        }
        if step == Step::TokenRequest
            && response.status < 300
            && !self.repertoire.options.allow.repeats
            && let Some(code) = live.fields.get(name::CODE)
        {
            self.issued.spend(code);
        }
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
