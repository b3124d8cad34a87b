//! The player: picks the interaction that answers a request, or says why there is none.

use std::collections::HashMap;

use bytes::Bytes;

use crate::cassette::Cassette;
use crate::model::{
    Body, Captured, Cut, Failure, FailureKind, Headers, Heard, Response, Said, Url,
};
use crate::oauth::classify::classify;
use crate::oauth::errand::is_errand;
use crate::oauth::fields::{Fields, Reading};
use crate::oauth::flows::Flows;
use crate::oauth::{Step, name};
use crate::redact::{Interaction, RecordedResponse, is_suspicious};
use crate::replay::bindings::Bindings;
use crate::replay::miss::{Miss, Report};
use crate::replay::posture::{Issued, Posture};
use crate::replay::refusal::{CLIENT, GRANT, Refusal};
use crate::replay::render::{Asked, Rendering, redirected};
use crate::replay::values::{has_label, is_bound_name, label_of_key, pairs, same_parameter};

/// How a player behaves.
#[derive(Clone, Debug, Default)]
pub struct PlayOptions {
    /// Play recorded answers whatever the request does right or wrong.
    pub as_recorded: bool,
    /// Show the pages between an authorization request and its response, as their forms.
    pub keep_pages: bool,
    /// What minted values are made of; the same seed makes the same values.
    pub seed: [u8; 32],
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer {
    /// A response from tape, or a refusal in the recorded server's words.
    Response(Response),
    /// A recorded failure on the wire.
    Failure(Failure),
    /// Nothing on tape answers.
    Miss(Miss),
}

/// Plays cassettes for one session. It holds this run's secrets: no `Debug`.
pub struct Player {
    tracks: Vec<Track>,
    /// Of the cassettes, where there are several.
    names: Vec<String>,
    as_recorded: bool,
    keep_pages: bool,
    /// What this run asked the authorization endpoint for, last.
    asked: Asked,
    bindings: Bindings,
    flows: Flows,
    issued: Issued,
    report: Report,
}

struct Track {
    cassette: usize,
    interaction: Interaction,
    plays: usize,
    /// Whether a request that did not fit was meant for it.
    was_asked: bool,
}

impl Player {
    /// A player of these cassettes.
    pub fn new(cassettes: Vec<Cassette>, options: &PlayOptions) -> Self {
        let numbered = cassettes.into_iter().enumerate();
        let tracks = numbered.flat_map(|(cassette, content)| {
            let track = move |interaction| Track {
                cassette,
                interaction,
                plays: 0,
                was_asked: false,
            };
            content.interactions.into_iter().map(track)
        });
        Self {
            tracks: tracks.collect(),
            names: Vec::new(),
            as_recorded: options.as_recorded,
            keep_pages: options.keep_pages,
            asked: Asked::default(),
            bindings: Bindings::new(options.seed),
            flows: Flows::default(),
            issued: Issued::default(),
            report: Report::default(),
        }
    }

    /// The same, with the names of its cassettes, which are told where there are several.
    #[must_use]
    pub fn named(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// Answers a request.
    pub fn play(&mut self, said: &Said) -> Answer {
        let here: Vec<usize> = (0..self.tracks.len())
            .filter(|at| self.is_at(*at, said))
            .collect();
        let chosen = match self.step_at(&here) {
            None => Err(self.nothing_here(said)),
            Some(_) if self.as_recorded => Ok(Chosen::Track(self.next_of(&here))),
            Some(Step::TokenRequest) => self.token_request(said, &here),
            Some(Step::AuthorizationRequest) => self.authorization_request(said, &here),
            Some(_) => self.other_request(said, &here),
        };
        if !here.is_empty() && !matches!(chosen, Ok(Chosen::Track(_))) {
            let meant = self.next_of(&here);
            self.tracks[meant].was_asked = true;
        }
        match chosen {
            Ok(Chosen::Track(at)) => self.answer(at, said),
            Ok(Chosen::Refusal(refusal)) => {
                let refused = format!("{}: {}", self.asked(said), refusal.why);
                self.report.note_refused(refused);
                Answer::Response(refusal.response(&self.recorded_failures(&here)))
            }
            // A browser goes its own errands, and no client of OAuth does.
            Err(_) if is_errand(&said.url) => Answer::Response(Response::new(404, "")),
            Err(miss) => {
                self.report.note_miss(miss.clone());
                Answer::Miss(miss)
            }
        }
    }

    /// How the play went so far.
    pub fn report(&self) -> Report {
        let required = |track: &&Track| {
            let step = track.interaction.step();
            track.plays == 0
                && !track.was_asked
                && !track.is_our_refusal()
                && step.is_oauth()
                && !step.is_repeatable()
                && step != Step::LoginPage
                && step != Step::AuthorizationResponse
        };
        let unplayed = self
            .tracks
            .iter()
            .filter(required)
            .map(|track| self.title(track))
            .collect();
        Report {
            unplayed,
            is_empty: self.tracks.iter().all(Track::is_our_refusal),
            ..self.report.clone()
        }
    }

    fn is_at(&self, at: usize, said: &Said) -> bool {
        let track = &self.tracks[at];
        !track.is_our_refusal() && self.is_for(track, said)
    }

    fn is_for(&self, track: &Track, said: &Said) -> bool {
        let recorded = track.interaction.request().url();
        let live = said.url.endpoint();
        // A path may hold a label, which stands for whatever this run put there.
        recorded == live || self.bindings.accepts_url(track.cassette, recorded, &live)
    }

    fn title(&self, track: &Track) -> String {
        match self.names.get(track.cassette) {
            Some(name) if self.names.len() > 1 => format!("{name}: {}", track.title()),
            _ => track.title(),
        }
    }

    fn step_at(&self, here: &[usize]) -> Option<Step> {
        here.first().map(|at| self.tracks[*at].interaction.step())
    }

    /// The first that was not played, or else the last.
    fn next_of(&self, at: &[usize]) -> usize {
        let fresh = at.iter().find(|at| self.tracks[**at].plays == 0);
        fresh.or_else(|| at.last()).copied().unwrap_or_default()
    }

    fn token_request(&self, said: &Said, here: &[usize]) -> Result<Chosen, Miss> {
        let live = Posture::live(&self.flows, said, &self.issued);
        let mut grants = recorded(&self.tracks, here);
        for (at, before) in &mut grants {
            self.name_client(*at, before, &live);
        }
        let equal: Vec<usize> = grants
            .iter()
            .filter(|(_, before)| *before == live)
            .map(|(at, _)| *at)
            .collect();
        let held: Vec<usize> = equal
            .iter()
            .copied()
            .filter(|at| self.mismatches(*at, said).is_empty())
            .collect();
        if let Some(at) = self.unspent(&held) {
            return Ok(Chosen::Track(at));
        }
        if let Some((_, success)) = grants.iter().find(|(at, _)| self.is_success(*at)) {
            let refused = live.refusal(success);
            let spent = || {
                (!held.is_empty())
                    .then(|| (GRANT, "the recorded grants are all redeemed".to_owned()))
            };
            let foreign = || {
                equal
                    .first()
                    .map(|at| (CLIENT, self.mismatches(*at, said).join(", ")))
            };
            if let Some((error, why)) = refused.or_else(spent).or_else(foreign) {
                return Ok(Chosen::Refusal(Refusal {
                    error,
                    why,
                    method: live.method != "POST",
                }));
            }
        }
        let Some((nearest, before)) = self.nearest(&grants, &live) else {
            return Err(self.nothing_here(said));
        };
        let mut differs = live.differences(before);
        differs.extend(self.mismatches(*nearest, said));
        let reason = match differs.first() {
            Some(first) if self.is_success(*nearest) => first.clone(),
            Some(first) if live.is_sound() => format!("the defect recorded here is gone: {first}"),
            Some(first) => format!("another defect than the one recorded here: {first}"),
            None => "the recorded answers to this request are all played".to_owned(),
        };
        Err(self.miss(said, reason, Some(*nearest), differs))
    }

    /// A client whose name is a label is whoever the client of this run is.
    fn name_client(&self, at: usize, before: &mut Posture, live: &Posture) {
        let cassette = self.tracks[at].cassette;
        if let (Some(recorded), Some(sent)) = (&before.client_id, &live.client_id)
            && has_label(recorded)
            && self.bindings.accepts(cassette, recorded, sent)
        {
            before.client_id = Some(sent.clone());
        }
    }

    fn recorded_failures(&self, here: &[usize]) -> Vec<&RecordedResponse> {
        here.iter()
            .filter_map(|at| self.tracks[*at].interaction.response())
            .collect()
    }

    /// A failure may be asked for again and again; a success is spent once.
    fn unspent(&self, equal: &[usize]) -> Option<usize> {
        let fresh = equal.iter().find(|at| self.tracks[**at].plays == 0);
        let again = || equal.iter().rev().find(|at| !self.is_success(**at));
        fresh.or_else(again).copied()
    }

    fn nearest<'a>(
        &self,
        grants: &'a [(usize, Posture)],
        live: &Posture,
    ) -> Option<&'a (usize, Posture)> {
        grants
            .iter()
            .min_by_key(|(at, before)| (live.differences(before).len(), self.tracks[*at].plays))
    }

    fn is_success(&self, at: usize) -> bool {
        self.tracks[at]
            .interaction
            .response()
            .is_some_and(|response| response.status() < 300)
    }

    fn authorization_request(&self, said: &Said, here: &[usize]) -> Result<Chosen, Miss> {
        let fits: Vec<usize> = here
            .iter()
            .copied()
            .filter(|at| self.authorization_differences(*at, said).is_empty())
            .collect();
        if fits.is_empty() {
            let nearest = self.next_of(here);
            let differs = self.authorization_differences(nearest, said);
            let reason = differs.first().cloned().unwrap_or_default();
            return Err(self.miss(said, reason, Some(nearest), differs));
        }
        Ok(Chosen::Track(self.next_of(&fits)))
    }

    /// What the request asks for otherwise than the recorded one: volatile values and those that a
    /// client may leave out of no consequence are not among it.
    fn authorization_differences(&self, at: usize, said: &Said) -> Vec<String> {
        let cassette = self.tracks[at].cassette;
        let recorded = self.tracks[at].interaction.request().query_params();
        let live = Fields::of(said);
        let differs = |name: &str| match (recorded.get(name), live.get(name)) {
            (None, None) => false,
            (Some(recorded), Some(live)) => {
                !same_parameter(name, recorded, live)
                    || name == name::REDIRECT_URI
                        && has_label(recorded)
                        && !self.bindings.accepts(cassette, recorded, live)
            }
            _ => true,
        };
        let compared = [
            name::RESPONSE_TYPE,
            name::CLIENT_ID,
            name::REDIRECT_URI,
            name::SCOPE,
            name::RESPONSE_MODE,
            name::CODE_CHALLENGE_METHOD,
            name::PROMPT,
        ];
        let mut out: Vec<_> = compared
            .iter()
            .filter(|name| differs(name))
            .map(|name| format!("{name} is another, or is there on one side only"))
            .collect();
        let challenged = (
            recorded.has(name::CODE_CHALLENGE),
            live.has(name::CODE_CHALLENGE),
        );
        if challenged.0 != challenged.1 {
            out.push(format!(
                "{} is {}",
                name::CODE_CHALLENGE,
                if challenged.1 { "sent" } else { "not sent" }
            ));
        }
        out
    }

    fn other_request(&self, said: &Said, here: &[usize]) -> Result<Chosen, Miss> {
        let fits: Vec<usize> = here
            .iter()
            .copied()
            .filter(|at| {
                self.tracks[*at].interaction.request().method() == said.method
                    && self.mismatches(*at, said).is_empty()
            })
            .collect();
        if let Some(repeatable) = self.unspent(&fits).or_else(|| fits.last().copied()) {
            return Ok(Chosen::Track(repeatable));
        }
        let nearest = self.next_of(here);
        let mut differs = self.mismatches(nearest, said);
        let method = self.tracks[nearest].interaction.request().method();
        if method != said.method {
            differs.insert(
                0,
                format!("the method is {} (recorded: {method})", said.method),
            );
        }
        let reason = differs.first().cloned().unwrap_or_default();
        Err(self.miss(said, reason, Some(nearest), differs))
    }

    /// The values that this run bound otherwise, by name.
    fn mismatches(&self, at: usize, said: &Said) -> Vec<String> {
        let track = &self.tracks[at];
        let accepts =
            |recorded: &str, live: &str| self.bindings.accepts(track.cassette, recorded, live);
        let pairs = pairs(&track.interaction, said);
        let differs = pairs.iter().filter(|(name, recorded, live)| {
            is_bound_name(name) && has_label(recorded) && !accepts(recorded, live)
        });
        differs
            .map(|(name, ..)| format!("{name} is not the one this run used before"))
            .collect()
    }

    fn nothing_here(&self, said: &Said) -> Miss {
        let mut refused = self.tracks.iter().filter(|track| track.is_our_refusal());
        if refused.any(|track| self.is_for(track, said)) {
            let reason = "authtape itself refused this call when it was recorded, so there is no answer to play";
            return self.miss(said, reason.to_owned(), None, Vec::new());
        }
        let step = classify(&self.flows, &Reading::of(said, None));
        let alike = self
            .tracks
            .iter()
            .position(|track| track.interaction.step() == step && step.is_oauth());
        let reason = match alike {
            Some(at) => format!(
                "no recorded {} went to this URL; the recorded one went to {}",
                step.title(),
                self.tracks[at].interaction.request().url()
            ),
            None => "nothing recorded went to this URL".to_owned(),
        };
        self.miss(said, reason, alike, Vec::new())
    }

    fn miss(
        &self,
        said: &Said,
        reason: String,
        nearest: Option<usize>,
        differs: Vec<String>,
    ) -> Miss {
        let expected = self.tracks.iter().find(|track| {
            let is_playable = !track.is_our_refusal();
            track.plays == 0 && is_playable && !track.interaction.step().is_repeatable()
        });
        Miss {
            asked: self.asked(said),
            reason,
            expected: expected.map(|track| self.title(track)),
            nearest: nearest.map(|at| self.title(&self.tracks[at])),
            differs,
        }
    }

    /// The request as a person may read it: what of its path is, or may be, a secret is left out.
    fn asked(&self, said: &Said) -> String {
        let segment = |segment| {
            let is_secret = is_suspicious(segment) || self.bindings.holds(segment);
            if is_secret { "…" } else { segment }
        };
        let path: Vec<_> = said.url.path.split('/').map(segment).collect();
        let url = Url {
            path: path.join("/"),
            ..said.url.clone()
        };
        format!("{} {}", said.method, url.endpoint())
    }

    fn answer(&mut self, at: usize, said: &Said) -> Answer {
        self.report.played += 1;
        if self.tracks[at].plays > 0
            && self.tracks[at].interaction.step() == Step::AuthorizationRequest
        {
            self.forget(at);
        }
        self.tracks[at].plays += 1;
        self.bind(at, said);
        let answering = self.fast_forward(at);
        let failure = self.tracks[answering]
            .interaction
            .error()
            .map(|error| Failure::new(error.kind(), error.phase(), error.after()));
        let is_answered = self.tracks[answering].interaction.response().is_some();
        let cut = match failure {
            Some(failure) if !is_answered => return Answer::Failure(failure),
            failure => failure.map(|failure| failure.kind),
        };
        let step = self.tracks[at].interaction.step();
        if step == Step::AuthorizationRequest {
            let recorded = self.tracks[at].interaction.request().query_params();
            self.asked = Asked {
                live: Fields::of(said).query,
                recorded_redirect_uri: recorded.get(name::REDIRECT_URI).map(str::to_owned),
            };
        }
        let mut response = self.render(answering);
        if let Some(kind) = cut {
            response.body = severed(response.body, kind);
        }
        if matches!(step, Step::AuthorizationRequest | Step::LoginPage) {
            self.redirect(&mut response);
        }
        self.note(step, said, &response);
        response.body = response.body.trailed(self.trailers(answering));
        Answer::Response(response)
    }

    /// A new flow from a tape that was played before brings new values.
    fn forget(&mut self, at: usize) {
        let track = &self.tracks[at];
        for secret in track.interaction.secrets() {
            if let Some(label) = label_of_key(&secret.name) {
                self.bindings.forget(track.cassette, &label);
            }
        }
    }

    fn bind(&mut self, at: usize, said: &Said) {
        let track = &self.tracks[at];
        let recorded = track.interaction.request().url();
        self.bindings
            .bind_url(track.cassette, recorded, &said.url.endpoint());
        for (_, recorded, live) in pairs(&track.interaction, said) {
            self.bindings.bind(track.cassette, &recorded, &live);
        }
    }

    /// Pages between an authorization request and its response are skipped: the interaction whose
    /// response leaves the server answers.
    fn fast_forward(&mut self, at: usize) -> usize {
        let (cassette, asked) = (self.tracks[at].cassette, &self.tracks[at].interaction);
        if asked.step() != Step::AuthorizationRequest || self.keep_pages {
            return at;
        }
        let redirect_uri = asked
            .request()
            .query_params()
            .get(name::REDIRECT_URI)
            .and_then(Url::parse);
        let Some(redirect_uri) = redirect_uri else {
            return at;
        };
        let leaves = |track: &Track| {
            let locations = track
                .interaction
                .response()
                .map(RecordedResponse::locations);
            let leads = |location: &String| {
                Url::parse(location)
                    .is_some_and(|location| location.endpoint() == redirect_uri.endpoint())
            };
            track.cassette == cassette && locations.unwrap_or_default().iter().any(leads)
        };
        let pages = self
            .tracks
            .iter()
            .enumerate()
            .skip(at + 1)
            .take_while(|(_, track)| {
                track.cassette == cassette && track.interaction.step() != Step::AuthorizationRequest
            });
        let left = pages
            .filter(|(_, track)| track.interaction.step() == Step::LoginPage && leaves(track))
            .map(|(at, _)| at)
            .next();
        if leaves(&self.tracks[at]) {
            at
        } else {
            left.unwrap_or(at)
        }
    }

    fn render(&mut self, at: usize) -> Response {
        self.rendered(at, |recorded, rendering| rendering.response(recorded))
            .unwrap_or_else(|| Response::new(502, ""))
    }

    fn trailers(&mut self, at: usize) -> Headers {
        let recorded = self.tracks[at].interaction.response();
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
        let cassette = self.tracks[at].cassette;
        let session = session(&self.tracks, cassette);
        let mut rendering = Rendering {
            cassette,
            session: &session,
            asked: &self.asked,
            bindings: &mut self.bindings,
        };
        let recorded = self.tracks[at].interaction.response()?;
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
    fn note(&mut self, step: Step, said: &Said, response: &Response) {
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
            after: std::time::Duration::ZERO,
        };
        let reading = Reading::of(said, Some(&heard));
        self.flows.observe(step, &reading);
        let carried = self.flows.carried(&heard, &reading.answer);
        if let Some(code) = carried.as_ref().and_then(|carried| carried.get(name::CODE)) {
            self.issued.issue(code.to_owned());
        }
        if step == Step::TokenRequest
            && response.status < 300
            && let Some(code) = Fields::of(said).get(name::CODE)
        {
            self.issued.spend(code);
        }
    }
}

/// What belongs to one cassette, in order.
fn session(tracks: &[Track], cassette: usize) -> Vec<&Interaction> {
    let of = tracks.iter().filter(|track| track.cassette == cassette);
    of.map(|track| &track.interaction).collect()
}

/// The token requests among the tracks at these places, and what each shows of its client.
fn recorded(tracks: &[Track], here: &[usize]) -> Vec<(usize, Posture)> {
    let mut sessions = HashMap::new();
    let posture = |at: &usize| {
        let track = &tracks[*at];
        let session = sessions
            .entry(track.cassette)
            .or_insert_with(|| session(tracks, track.cassette));
        (*at, Posture::recorded(&track.interaction, session))
    };
    let is_grant = |at: &&usize| tracks[**at].interaction.step() == Step::TokenRequest;
    here.iter().filter(is_grant).map(posture).collect()
}

enum Chosen {
    Track(usize),
    Refusal(Refusal),
}

impl Track {
    /// Whether no server was asked.
    fn is_our_refusal(&self) -> bool {
        let error = self.interaction.error();
        error.is_some_and(|error| error.kind() == FailureKind::ConnectForbidden)
    }

    fn title(&self) -> String {
        let request = self.interaction.request();
        format!(
            "{} {} ({} {})",
            self.interaction.id(),
            self.interaction.step().title(),
            request.method(),
            request.url()
        )
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
