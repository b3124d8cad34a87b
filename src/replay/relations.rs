//! What belongs together within one cassette: who declares a label, who sends it, and which page
//! ends an authorization request.

use std::collections::HashMap;

use crate::model::Url;
use crate::oauth::{Step, name};
use crate::redact::{Interaction, Label, Piece, RecordedResponse, pieces};
use crate::replay::grants::asked_of;
use crate::replay::values::{client_password, is_of_flow};

/// The relations between the interactions of one cassette. An interaction is named by its place
/// among the tracks of the repertoire.
#[derive(Default)]
pub(super) struct Relations {
    declared: HashMap<String, usize>,
    senders: HashMap<Label, Vec<usize>>,
    authorizations: Vec<usize>,
    /// The page behind an authorization request whose response leaves the server.
    answering: HashMap<usize, usize>,
}

impl Relations {
    /// Reads the interactions of a cassette, the first of which has this place.
    pub(super) fn of(first: usize, interactions: &[Interaction]) -> Self {
        let mut relations = Self::default();
        for (at, interaction) in (first..).zip(interactions) {
            relations.add(at, interaction);
        }
        relations.join_pages(first, interactions);
        relations
    }

    /// The interaction that declares the label of this key.
    pub(super) fn declares(&self, key: &str) -> Option<usize> {
        self.declared.get(key).copied()
    }

    /// The interactions whose request holds a label that belongs to a flow, in order.
    pub(super) fn senders(&self, label: &Label) -> &[usize] {
        self.senders.get(label).map_or(&[], Vec::as_slice)
    }

    /// The page whose response ends the authorization request at this place, where pages stand
    /// between the two.
    pub(super) fn answering(&self, authorization: usize) -> Option<usize> {
        self.answering.get(&authorization).copied()
    }

    fn add(&mut self, at: usize, interaction: &Interaction) {
        for secret in interaction.secrets() {
            self.declared.entry(secret.name.clone()).or_insert(at);
        }
        for label in sent(interaction) {
            let senders = self.senders.entry(label).or_default();
            if senders.last() != Some(&at) {
                senders.push(at);
            }
        }
        if interaction.step() == Step::AuthorizationRequest {
            self.authorizations.push(at);
        }
    }

    /// Finds the page that ends each authorization request: the one that leads to its redirect URI,
    /// with its `state`, or else before the next request.
    fn join_pages(&mut self, first: usize, interactions: &[Interaction]) {
        let of = |at: usize| &interactions[at - first];
        let mut by_state: HashMap<Label, Vec<usize>> = HashMap::new();
        for (at, page) in (first..).zip(interactions) {
            let locations = (page.step() == Step::LoginPage).then(|| locations(page));
            let carried = locations.iter().flatten();
            for label in carried.flat_map(|location| labels(location)) {
                by_state.entry(label).or_default().push(at);
            }
        }
        for at in self.authorizations.clone() {
            let asked = asked_of(of(at), interactions);
            let Some(redirect_uri) = asked.get(name::REDIRECT_URI).and_then(Url::parse) else {
                continue;
            };
            let leaves = |at: &usize| leads_to(of(*at), &redirect_uri);
            if leaves(&at) {
                continue;
            }
            let state = asked.get(name::STATE).into_iter().flat_map(labels).next();
            let of_state = state.and_then(|state| by_state.get(&state));
            let of_state = of_state.into_iter().flatten().copied();
            let before_next = (at + 1..first + interactions.len())
                .take_while(|at| of(*at).step() != Step::AuthorizationRequest)
                .filter(|at| of(*at).step() == Step::LoginPage);
            let pages = of_state.filter(|page| *page > at).chain(before_next);
            if let Some(page) = pages.into_iter().find(leaves) {
                self.answering.insert(at, page);
            }
        }
    }
}

/// The labels of a text, as those of the secrets themselves.
pub(super) fn labels(text: &str) -> impl Iterator<Item = Label> + use<> {
    let label = |piece| match piece {
        Piece::Label(label) => Some(label.core()),
        Piece::Literal(_) => None,
    };
    pieces(text).into_iter().filter_map(label)
}

/// The labels of a request that belong to a flow.
pub(super) fn sent(interaction: &Interaction) -> Vec<Label> {
    let request = interaction.request();
    let mut out: Vec<Label> = labels(request.url()).collect();
    for params in [request.query_params(), request.body_params()] {
        out.extend(params.iter().flat_map(|param| labels(&param.value)));
    }
    out.extend(
        request
            .headers()
            .get("authorization")
            .into_iter()
            .flat_map(labels),
    );
    out.extend(client_password(interaction).into_iter().flat_map(labels));
    out.retain(|label| is_of_flow(&label.kind));
    out
}

fn locations(interaction: &Interaction) -> Vec<String> {
    interaction
        .response()
        .map(RecordedResponse::locations)
        .unwrap_or_default()
}

fn leads_to(interaction: &Interaction, redirect_uri: &Url) -> bool {
    let leads = |location: &String| {
        Url::parse(location).is_some_and(|location| location.endpoint() == redirect_uri.endpoint())
    };
    locations(interaction).iter().any(leads)
}
