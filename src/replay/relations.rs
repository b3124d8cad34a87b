//! What belongs together within one cassette: who declares a label, who sends it, and which page
//! ends an authorization request.

use std::collections::HashMap;

use crate::model::{Params, Url};
use crate::oauth::{Step, name};
use crate::redact::{Content, Interaction, Label, RecordedForm, RecordedResponse, cores};
use crate::replay::outline::{Location, Outline};
use crate::replay::values::{client_password, is_of_flow};

/// The relations between the interactions of one cassette. An interaction is named by its place
/// among the tracks of the repertoire.
#[derive(Default)]
pub(super) struct Relations {
    /// By kind: the numbers, and who declares them.
    declared: HashMap<Box<str>, Vec<(u32, usize)>>,
    senders: HashMap<Label, Vec<usize>>,
    /// The authorization requests and the pages, in order.
    stops: Vec<Stop>,
    /// The stops that send a browser on with a label.
    carriers: HashMap<Label, Vec<usize>>,
}

/// An authorization request, or a page.
struct Stop {
    at: usize,
    step: Step,
    locations: Vec<Location>,
}

impl Relations {
    /// Adds an interaction.
    pub(super) fn add(&mut self, at: usize, outline: Outline) {
        for (kind, number) in outline.declared {
            let declared = self.declared.entry(kind).or_default();
            if let Err(place) = declared.binary_search_by_key(&number, |(number, _)| *number) {
                declared.insert(place, (number, at));
            }
        }
        for label in outline.sent {
            let senders = self.senders.entry(label).or_default();
            if senders.last() != Some(&at) {
                senders.push(at);
            }
        }
        let (step, locations) = (outline.step, outline.locations);
        // A server's own pages may come back to the authorization endpoint, and leave from there.
        if matches!(step, Step::AuthorizationRequest | Step::LoginPage) {
            for label in locations.iter().flat_map(|to| &to.labels) {
                self.carriers.entry(label.clone()).or_default().push(at);
            }
            self.stops.push(Stop {
                at,
                step,
                locations,
            });
        }
    }

    /// The interaction that declares a label.
    pub(super) fn declares(&self, label: &Label) -> Option<usize> {
        let declared = self.declared.get(label.kind.as_str())?;
        let place = declared.binary_search_by_key(&label.number, |(number, _)| *number);
        Some(declared[place.ok()?].1)
    }

    /// The interactions whose request holds a label that belongs to a flow, in order.
    pub(super) fn senders(&self, label: &Label) -> &[usize] {
        self.senders.get(label).map_or(&[], Vec::as_slice)
    }

    /// The page whose response ends the authorization request at this place, where pages stand
    /// between the two: the one that leads to the redirect URI that was asked for, with its `state`,
    /// or else before the next request.
    pub(super) fn answering(&self, at: usize, asked: &Params) -> Option<usize> {
        let redirect_uri = asked.get(name::REDIRECT_URI).and_then(Url::parse)?;
        let redirect_uri = redirect_uri.endpoint();
        let place = self.place(at)?;
        if self.stops[place].leads_to(&redirect_uri) {
            return None;
        }
        let state = asked.get(name::STATE).and_then(|state| cores(state).next());
        let of_state = state.and_then(|state| self.carriers.get(&state));
        let of_state = of_state.into_iter().flatten().filter(|page| **page > at);
        let of_state = of_state.filter_map(|page| Some(&self.stops[self.place(*page)?]));
        let before_next = self.stops[place + 1..].iter();
        let before_next = before_next.take_while(|stop| stop.step == Step::LoginPage);
        let mut pages = of_state.chain(before_next);
        let page = pages.find(|page| page.leads_to(&redirect_uri))?;
        Some(page.at)
    }

    /// The authorization requests behind this place, up to the end.
    pub(super) fn requests_within(&self, at: usize, end: usize) -> impl Iterator<Item = usize> {
        let within = self.stops.iter().filter(move |stop| stop.at > at);
        let within = within.take_while(move |stop| stop.at <= end);
        let requests = within.filter(|stop| stop.step == Step::AuthorizationRequest);
        requests.map(|stop| stop.at)
    }

    fn place(&self, at: usize) -> Option<usize> {
        self.stops.binary_search_by_key(&at, |stop| stop.at).ok()
    }
}

impl Stop {
    /// Whether the response sends a browser on to this URL.
    fn leads_to(&self, endpoint: &str) -> bool {
        let mut locations = self.locations.iter();
        locations.any(|location| location.endpoint.as_deref() == Some(endpoint))
    }
}

/// The labels of a response that belong to a flow.
pub(super) fn answered(response: &RecordedResponse) -> Vec<Label> {
    let fields = response.header_fields().iter().map(|field| &field.value);
    let mut out: Vec<Label> = fields.flat_map(|value| cores(value)).collect();
    match response.content() {
        Content::Json { text, .. } | Content::Text(text) => out.extend(cores(text)),
        Content::Form { pairs, .. } => {
            out.extend(pairs.iter().flat_map(|pair| cores(&pair.value)));
        }
        _ => {}
    }
    let fields = response.forms().iter().flat_map(RecordedForm::fields);
    let values = fields.filter_map(|field| field.value.value.as_deref());
    out.extend(values.flat_map(cores));
    out.retain(|label| is_of_flow(&label.kind));
    out.shrink_to_fit();
    out
}

/// The labels of a request that belong to a flow.
pub(super) fn sent(interaction: &Interaction) -> Vec<Label> {
    let request = interaction.request();
    let mut out: Vec<Label> = cores(request.url()).collect();
    for params in [request.query_params(), request.body_params()] {
        out.extend(params.iter().flat_map(|param| cores(&param.value)));
    }
    out.extend(
        request
            .headers()
            .get("authorization")
            .into_iter()
            .flat_map(cores),
    );
    out.extend(client_password(interaction).into_iter().flat_map(cores));
    out.retain(|label| is_of_flow(&label.kind));
    out.shrink_to_fit();
    out
}
