//! Picking: which recorded interaction answers a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::oauth::Step;
use crate::replay::endpoints::Endpoint;
use crate::replay::judged::Judged;
use crate::replay::miss::Miss;
use crate::replay::player::Player;
use crate::replay::refusal::Refusal;
use crate::replay::repertoire::Repertoire;
use crate::replay::values::Live;

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
    /// The step of what was asked for here.
    pub(super) step: Option<Step>,
}

impl Here<'_> {
    /// Every interaction, each once, in recorded order.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = usize> {
        let endpoints = self.endpoints.iter();
        endpoints.flat_map(|endpoint| endpoint.all()).copied()
    }

    /// The likely ones: few enough to be compared with one by one.
    pub(super) fn likely(&self) -> Vec<usize> {
        let mut out = Vec::new();
        let tiers = self.tiers.iter().flat_map(|tier| tier.iter());
        for at in tiers.take(LIKELY_MAX) {
            if !out.contains(at) {
                out.push(*at);
            }
        }
        out
    }

    /// The last interaction that fits, whether it was played before or not.
    pub(super) fn last_that(&self, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let in_tier = |tier: &Cow<'_, [usize]>| tier.iter().rev().find(|at| fits(**at)).copied();
        self.tiers.iter().find_map(in_tier)
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
        let method = |at: &usize| repertoire.method(*at) == live.said.method;
        let step = all().take(LIKELY_MAX).find(method).or_else(|| all().next());
        let step = step.map(|at| repertoire.step(at));
        // What begins a flow goes on with none.
        let cassette = self.cassette.filter(|_| !step.is_some_and(begins_flow));
        let exact = endpoints.iter().flat_map(|endpoint| endpoint.exact(live));
        let every = endpoints.iter().map(|endpoint| endpoint.all());
        let mut tiers = vec![Cow::Owned(self.tied(live, &endpoints))];
        for list in exact.chain(every) {
            let (on, before, behind) = self.parted(list, cassette);
            tiers.extend([on, before, behind].map(Cow::Borrowed));
        }
        tiers.retain(|tier| !tier.is_empty());
        Here {
            endpoints,
            tiers,
            step,
        }
    }

    /// A list in three: what is of the cassette that the session is on, and what stands before and
    /// behind that.
    fn parted<'a>(
        &self,
        list: &'a [usize],
        cassette: Option<usize>,
    ) -> (&'a [usize], &'a [usize], &'a [usize]) {
        let Some(cassette) = cassette else {
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
    pub(super) fn pick(
        &self,
        live: &Live<'_>,
        judged: &Judged,
        here: &Here<'_>,
    ) -> Result<Chosen, Box<Miss>> {
        if here.step.is_some() && self.repertoire.options.as_recorded {
            let mut fresh = here.endpoints.iter().map(|endpoint| {
                let all = endpoint.all();
                all[self.plays.spent_of(all)..].iter()
            });
            let next = fresh.find_map(|mut rest| rest.find(|at| self.plays.is_fresh(**at)));
            let next = next.copied().or_else(|| here.all().next_back());
            return next
                .map(Chosen::Track)
                .ok_or_else(|| self.nothing_here(live));
        }
        match here.step {
            None => match self.elsewhere(live) {
                Some(at) => Ok(Chosen::Track(at)),
                None => Err(self.nothing_here(live)),
            },
            Some(Step::AuthorizationRequest) => self.authorization_request(live, judged, here),
            Some(step) if step.authenticates_client() => self.parameter_request(live, judged, here),
            Some(_) => self.other_request(live, judged, here),
        }
    }

    /// The first that is fresh among the likely ones, or else the last.
    pub(super) fn next_of(&self, here: &Here<'_>) -> Option<usize> {
        let likely = here.likely();
        let fresh = likely.iter().find(|at| self.plays.is_fresh(**at));
        fresh.or_else(|| likely.last()).copied()
    }

    /// The first fresh interaction that fits, or else the last that may be played again.
    pub(super) fn first_that(
        &self,
        here: &Here<'_>,
        fits: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let in_tier = |tier: &Cow<'_, [usize]>| {
            let begin = match tier {
                Cow::Borrowed(list) => self.plays.spent_of(list),
                Cow::Owned(_) => 0,
            };
            let mut fresh = tier[begin..].iter();
            let fresh = fresh.find(|at| self.plays.is_fresh(**at) && fits(**at));
            let again = || {
                let mut backwards = tier.iter().rev().take(LIKELY_MAX);
                backwards.find(|at| fits(**at) && self.repertoire.may_repeat(**at))
            };
            fresh.or_else(again).copied()
        };
        here.tiers.iter().find_map(in_tier)
    }

    /// The values that this run bound otherwise, in words.
    pub(super) fn mismatches(&self, at: usize, live: &Live<'_>) -> Vec<String> {
        let names = self.mismatched(at, live);
        names.iter().map(|name| another(name)).collect()
    }

    /// The same by name.
    pub(super) fn mismatched(&self, at: usize, live: &Live<'_>) -> Vec<String> {
        let cassette = self.repertoire.cassette(at);
        let parameters = self.repertoire.parameters(at).iter();
        let differs = parameters.filter(|recorded| {
            recorded.is_bound
                && recorded
                    .in_live(live)
                    .is_some_and(|live| !self.bindings.takes(cassette, &recorded.value, live))
        });
        differs.map(|recorded| recorded.name.clone()).collect()
    }
}

/// What is said of a parameter that is asked for otherwise: whether it was recorded, and is sent.
pub(super) fn otherwise(name: &str, is_recorded: bool, is_sent: bool) -> String {
    match (is_recorded, is_sent) {
        (true, false) => format!("{name} is not sent, and was when this was recorded"),
        (false, true) => format!("{name} is sent, and was not when this was recorded"),
        _ => format!("{name} is another than was recorded"),
    }
}

/// What is said of a value that this run bound otherwise.
pub(super) fn another(name: &str) -> String {
    format!("{name} is not the one this run used before")
}

fn begins_flow(step: Step) -> bool {
    matches!(
        step,
        Step::AuthorizationRequest
            | Step::BackchannelAuthenticationRequest
            | Step::DeviceAuthorizationRequest
            | Step::PushedAuthorizationRequest
            | Step::Registration
    )
}

/// How many interactions are compared for an answer that was given before, or to say why there is
/// none.
const LIKELY_MAX: usize = 64;
