//! Picking: which recorded interaction answers a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::oauth::{Step, name};
use crate::replay::endpoints::Endpoint;
use crate::replay::miss::Miss;
use crate::replay::player::Player;
use crate::replay::posture::Posture;
use crate::replay::refusal::{CLIENT, GRANT, Refusal};
use crate::replay::repertoire::Repertoire;
use crate::replay::values::{Live, has_label, is_bound_name, pairs, same_parameter};

/// What answers a request.
pub(super) enum Chosen {
    /// The interaction at this place.
    Track(usize),
    /// A refusal as the recorded server would have said it.
    Refusal(Refusal),
}

/// The interactions that a request may be meant for.
pub(super) struct Here<'a> {
    endpoints: Vec<&'a Endpoint>,
    /// Those first that a value of this run ties to the request, then those that say the same,
    /// then all; among equals those of the cassette that the session is on.
    tiers: Vec<Cow<'a, [usize]>>,
    step: Option<Step>,
}

impl Here<'_> {
    /// Every interaction, each once, in recorded order.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = usize> {
        let endpoints = self.endpoints.iter();
        endpoints.flat_map(|endpoint| endpoint.all()).copied()
    }

    /// The likely ones: few enough to be compared with one by one.
    fn likely(&self) -> Vec<usize> {
        let mut out = Vec::new();
        let tiers = self.tiers.iter().flat_map(|tier| tier.iter());
        for at in tiers.take(LIKELY_MAX) {
            if !out.contains(at) {
                out.push(*at);
            }
        }
        out
    }
}

impl Player {
    /// The interactions that went to the URL of a request.
    pub(super) fn here<'a>(&self, repertoire: &'a Repertoire, live: &Live<'_>) -> Here<'a> {
        let endpoints = repertoire.at(&live.endpoint, |cassette, recorded| {
            self.bindings
                .accepts_url(cassette, recorded, &live.endpoint)
        });
        let all = || {
            let tracks = endpoints.iter().flat_map(|endpoint| endpoint.all());
            tracks.copied()
        };
        let method =
            |at: &usize| repertoire.interaction(*at).request().method() == live.said.method;
        let step = all().take(LIKELY_MAX).find(method).or_else(|| all().next());
        let exact = endpoints.iter().flat_map(|endpoint| endpoint.exact(live));
        let every = endpoints.iter().map(|endpoint| endpoint.all());
        let mut tiers = vec![Cow::Owned(self.tied(live, &endpoints))];
        for list in exact.chain(every) {
            let (on, before, behind) = self.parted(list);
            tiers.extend([on, before, behind].map(Cow::Borrowed));
        }
        tiers.retain(|tier| !tier.is_empty());
        Here {
            step: step.map(|at| repertoire.step(at)),
            endpoints,
            tiers,
        }
    }

    /// A list in three: what is of the cassette that the session is on, and what stands before and
    /// behind that.
    fn parted<'a>(&self, list: &'a [usize]) -> (&'a [usize], &'a [usize], &'a [usize]) {
        let Some(cassette) = self.cassette else {
            return (list, &[], &[]);
        };
        let tracks = self.repertoire.tracks_of(cassette);
        let begin = list.partition_point(|at| *at < tracks.start);
        let end = list.partition_point(|at| *at < tracks.end);
        (&list[begin..end], &list[..begin], &list[end..])
    }

    /// The interactions here whose request holds what this one brings back: most of it, if some do
    /// more than others.
    fn tied(&self, live: &Live<'_>, endpoints: &[&Endpoint]) -> Vec<usize> {
        let mut ties: BTreeMap<usize, usize> = BTreeMap::new();
        for value in live.values() {
            for (cassette, label) in self.bindings.owners(value) {
                let relations = self.repertoire.relations(*cassette);
                for at in relations.senders(label) {
                    *ties.entry(*at).or_default() += 1;
                }
            }
        }
        let is_here = |at: &usize| {
            let mut endpoints = endpoints.iter();
            endpoints.any(|endpoint| endpoint.all().binary_search(at).is_ok())
        };
        ties.retain(|at, _| is_here(at));
        let most = ties.values().max().copied();
        let tied = ties.into_iter().filter(|(_, count)| Some(*count) == most);
        tied.map(|(at, _)| at).collect()
    }

    /// The interaction that answers.
    pub(super) fn pick(&self, live: &Live<'_>, here: &Here<'_>) -> Result<Chosen, Miss> {
        match here.step {
            None => match self.elsewhere(live) {
                Some(at) => Ok(Chosen::Track(at)),
                None => Err(self.nothing_here(live)),
            },
            Some(_) if self.repertoire.options.as_recorded => {
                let next = here.all().find(|at| self.plays.is_fresh(*at));
                let next = next.or_else(|| here.all().next_back());
                next.map(Chosen::Track)
                    .ok_or_else(|| self.nothing_here(live))
            }
            Some(Step::TokenRequest) => self.token_request(live, here),
            Some(Step::AuthorizationRequest) => self.authorization_request(live, here),
            Some(_) => self.other_request(live, here),
        }
    }

    /// The first that is fresh among the likely ones, or else the last.
    pub(super) fn next_of(&self, here: &Here<'_>) -> Option<usize> {
        let likely = here.likely();
        let fresh = likely.iter().find(|at| self.plays.is_fresh(**at));
        fresh.or_else(|| likely.last()).copied()
    }

    /// The first fresh interaction that fits, or else the last that may be played again.
    fn first_that(&self, here: &Here<'_>, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let in_tier = |tier: &Cow<'_, [usize]>| {
            let fresh = tier
                .iter()
                .find(|at| self.plays.is_fresh(**at) && fits(**at));
            let again = || {
                let mut backwards = tier.iter().rev();
                backwards.find(|at| fits(**at) && self.repertoire.may_repeat(**at))
            };
            fresh.or_else(again).copied()
        };
        here.tiers.iter().find_map(in_tier)
    }

    fn token_request(&self, live: &Live<'_>, here: &Here<'_>) -> Result<Chosen, Miss> {
        let posture = Posture::live(&self.flows, live.said, &self.issued);
        let is_equal = |at: usize| self.is_grant(at) && self.has_posture(at, &posture);
        let holds = |at: usize| is_equal(at) && self.mismatches(at, live).is_empty();
        let fits = |at: usize| holds(at) && self.other_parts(at, live).is_empty();
        if let Some(at) = self.first_that(here, fits) {
            return Ok(Chosen::Track(at));
        }
        if let Some(at) = self.first_that(here, holds) {
            return Err(self.missed(live, Some(at), self.other_parts(at, live)));
        }
        let grants: Vec<usize> = here
            .likely()
            .into_iter()
            .filter(|at| self.is_grant(*at))
            .collect();
        let success = grants.iter().find(|at| self.repertoire.is_success(**at));
        if let Some(success) = success {
            let refused = posture.refusal(&self.before(*success, &posture));
            let spent = || {
                let held = grants.iter().any(|at| holds(*at));
                held.then(|| (GRANT, "the recorded grants are all redeemed".to_owned()))
            };
            let foreign = || {
                let equal = grants.iter().find(|at| is_equal(**at));
                equal.map(|at| (CLIENT, self.mismatches(*at, live).join(", ")))
            };
            if let Some((error, why)) = refused.or_else(spent).or_else(foreign) {
                return Ok(Chosen::Refusal(Refusal {
                    error,
                    why,
                    method: posture.method != "POST",
                }));
            }
        }
        Err(self.missed_grant(live, &posture, &grants))
    }

    /// Why none of these token requests answers.
    fn missed_grant(&self, live: &Live<'_>, posture: &Posture, grants: &[usize]) -> Miss {
        let distance = |at: &&usize| {
            let before = self.before(**at, posture);
            (posture.differences(&before).len(), self.plays.count(**at))
        };
        let Some(nearest) = grants.iter().min_by_key(distance).copied() else {
            return self.nothing_here(live);
        };
        let mut differs = posture.differences(&self.before(nearest, posture));
        differs.extend(self.mismatches(nearest, live));
        let reason = match differs.first() {
            Some(first) if self.repertoire.is_success(nearest) => first.clone(),
            Some(first) if posture.is_sound() => {
                format!("the defect recorded here is gone: {first}")
            }
            Some(first) => format!("another defect than the one recorded here: {first}"),
            None => "the recorded answers to this request are all played".to_owned(),
        };
        self.miss(live, reason, Some(nearest), differs)
    }

    fn is_grant(&self, at: usize) -> bool {
        self.repertoire.step(at) == Step::TokenRequest
    }

    fn has_posture(&self, at: usize, live: &Posture) -> bool {
        *self.before(at, live) == *live
    }

    /// What a recorded token request showed; a client whose name is a label is whoever the client
    /// of this run is.
    fn before(&self, at: usize, live: &Posture) -> Cow<'_, Posture> {
        let before = self.repertoire.posture(at);
        let cassette = self.repertoire.cassette(at);
        if let (Some(recorded), Some(sent)) = (&before.client_id, &live.client_id)
            && has_label(recorded)
            && self.bindings.accepts(cassette, recorded, sent)
        {
            return Cow::Owned(Posture {
                client_id: Some(sent.clone()),
                ..before.clone()
            });
        }
        Cow::Borrowed(before)
    }

    fn authorization_request(&self, live: &Live<'_>, here: &Here<'_>) -> Result<Chosen, Miss> {
        let differences = |at: usize| {
            let mut differs = self.authorization_differences(at, live);
            differs.extend(self.other_parts(at, live));
            differs
        };
        let fits = |at: usize| differences(at).is_empty();
        if let Some(at) = self.first_that(here, fits) {
            return Ok(Chosen::Track(at));
        }
        let nearest = self.next_of(here);
        let differs = nearest.map(differences).unwrap_or_default();
        Err(self.missed(live, nearest, differs))
    }

    /// What the request asks for otherwise than the recorded one: volatile values and those that a
    /// client may leave out of no consequence are not among it.
    fn authorization_differences(&self, at: usize, live: &Live<'_>) -> Vec<String> {
        let cassette = self.repertoire.cassette(at);
        let recorded = self.repertoire.interaction(at).request().query_params();
        let live = &live.fields;
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

    fn other_request(&self, live: &Live<'_>, here: &Here<'_>) -> Result<Chosen, Miss> {
        let method = |at: usize| self.repertoire.interaction(at).request().method();
        let fits = |at: usize| {
            method(at) == live.said.method
                && self.mismatches(at, live).is_empty()
                && self.other_parts(at, live).is_empty()
        };
        if let Some(at) = self.first_that(here, fits) {
            return Ok(Chosen::Track(at));
        }
        if let Some(at) = self.elsewhere(live) {
            return Ok(Chosen::Track(at));
        }
        let Some(nearest) = self.next_of(here) else {
            return Err(self.nothing_here(live));
        };
        let mut differs = self.mismatches(nearest, live);
        differs.extend(self.other_parts(nearest, live));
        let recorded = method(nearest);
        if recorded != live.said.method {
            let method = format!("the method is {} (recorded: {recorded})", live.said.method);
            differs.insert(0, method);
        }
        Err(self.missed(live, Some(nearest), differs))
    }

    /// The miss for what differs, of which the first is the reason.
    fn missed(&self, live: &Live<'_>, nearest: Option<usize>, differs: Vec<String>) -> Miss {
        let reason = differs.first().cloned().unwrap_or_default();
        self.miss(live, reason, nearest, differs)
    }

    /// The values that this run bound otherwise, by name.
    fn mismatches(&self, at: usize, live: &Live<'_>) -> Vec<String> {
        let cassette = self.repertoire.cassette(at);
        let accepts = |recorded: &str, live: &str| self.bindings.accepts(cassette, recorded, live);
        let pairs = pairs(self.repertoire.interaction(at), live);
        let differs = pairs.iter().filter(|(name, recorded, live)| {
            is_bound_name(name) && has_label(recorded) && !accepts(recorded, live)
        });
        differs
            .map(|(name, ..)| format!("{name} is not the one this run used before"))
            .collect()
    }
}

/// How many interactions are compared to say why none of them answers.
const LIKELY_MAX: usize = 64;
