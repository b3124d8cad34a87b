//! Requests that say everything in parameters: which recorded one answers, or why the server says
//! no.

use std::borrow::Cow;

use crate::oauth::{Step, name};
use crate::replay::grants::Defect;
use crate::replay::judged::Judged;
use crate::replay::miss::Miss;
use crate::replay::picking::{Chosen, Here, another};
use crate::replay::player::Player;
use crate::replay::posture::Posture;
use crate::replay::refusal::{CLIENT, GRANT, Manner, Refusal};
use crate::replay::values::{AUTHORIZATION, Live, has_label, same_parameter};

impl Player {
    pub(super) fn parameter_request(
        &self,
        live: &Live<'_>,
        judged: &Judged,
        here: &Here<'_>,
    ) -> Result<Chosen, Box<Miss>> {
        let step = judged.call.step();
        let posture = Posture::live(live, &judged.call, &self.grants);
        let holds = |at: usize| {
            self.is_equal(at, step, &posture) && self.deviations(at, live, judged).is_empty()
        };
        let same = |at: usize| judged.is_as_wrong_as(&self.repertoire, at) && holds(at);
        let better = |at: usize| judged.is_as_good_as(&self.repertoire, at) && holds(at);
        let found = self
            .first_that(here, same)
            .or_else(|| self.first_that(here, better));
        // What was issued and not used yet is worth an answer, however often the tape was played.
        let again = || {
            let has_grant = judged.call.redeems() && judged.defects.are_none();
            has_grant.then(|| here.last_that(better)).flatten()
        };
        if let Some(at) = found.or_else(again) {
            return Ok(Chosen::Track(at));
        }
        let likely = here.likely();
        let alike: Vec<usize> = likely
            .into_iter()
            .filter(|at| self.repertoire.step(*at) == step)
            .collect();
        if let Some(success) = self.success_for(&posture, judged, &alike)
            && let Some(refusal) = self.worse_than(success, live, &posture, judged)
        {
            return Ok(Chosen::Refusal(refusal));
        }
        Err(self.unfit(live, &posture, judged, &alike))
    }

    /// The recorded success that the request comes nearest to: one of the same grant type. There is
    /// none where all that is recorded of the grant type are failures.
    fn success_for(&self, posture: &Posture, judged: &Judged, alike: &[usize]) -> Option<usize> {
        let is_same_grant = |at: &usize| {
            let before = self.repertoire.posture(*at).grant_type.as_deref();
            posture
                .grant_type
                .as_deref()
                .is_none_or(|grant| before == Some(grant))
        };
        let known: Vec<usize> = alike.iter().copied().filter(is_same_grant).collect();
        let among = if known.is_empty() { alike } else { &known };
        let distance = |at: &usize| {
            let before = self.before(*at, posture);
            let defects = judged.defects.differences(self.repertoire.defects(*at));
            posture.differences(&before).len() + defects.len()
        };
        let successes = among
            .iter()
            .copied()
            .filter(|at| self.repertoire.is_success(*at));
        successes.min_by_key(distance)
    }

    /// What a server would say to a request that is worse than this one, which had success.
    fn worse_than(
        &self,
        success: usize,
        live: &Live<'_>,
        posture: &Posture,
        judged: &Judged,
    ) -> Option<Refusal> {
        let step = judged.call.step();
        let refused = posture.refusal(&self.before(success, posture));
        let defect = judged.defects.beyond(self.repertoire.defects(success));
        let is_of_question = refused.is_none() && defect.is_some_and(Defect::is_of_question);
        let faulty = || defect.map(|defect| (defect.error(step), defect.to_string()));
        let foreign = || {
            let first = self.mismatched(success, live).into_iter().next()?;
            let of_client = [name::CLIENT_ID, name::CLIENT_SECRET, AUTHORIZATION];
            let is_of_client = of_client.contains(&first.as_str());
            let error = if is_of_client { CLIENT } else { GRANT };
            Some((error, another(&first)))
        };
        // Another scope or redirect URI may be as good, and nobody here knows.
        let is_unheard = || !self.deviations(success, live, judged).is_empty();
        let spent = || {
            let why = "the recorded grants are all redeemed".to_owned();
            (!is_unheard()).then_some((GRANT, why))
        };
        let (error, why) = refused.or_else(faulty).or_else(foreign).or_else(spent)?;
        let manner = if live.said.method != self.repertoire.method(success) {
            Manner::Method
        } else if step == Step::Introspection && is_of_question {
            Manner::Inactive
        } else {
            Manner::Body
        };
        Some(Refusal { error, why, manner })
    }

    /// Why none of these requests answers.
    fn unfit(
        &self,
        live: &Live<'_>,
        posture: &Posture,
        judged: &Judged,
        alike: &[usize],
    ) -> Box<Miss> {
        let differs = |at: usize| {
            let mut differs = posture.differences(&self.before(at, posture));
            differs.extend(judged.defects.differences(self.repertoire.defects(at)));
            differs.extend(self.deviations(at, live, judged));
            differs
        };
        let distance = |at: &&usize| (differs(**at).len(), self.plays.count(**at));
        let Some(nearest) = alike.iter().min_by_key(distance).copied() else {
            return self.nothing_here(live);
        };
        let differs = differs(nearest);
        // Who the client is, is no defect of it.
        let of_client = posture.client_difference(&self.before(nearest, posture));
        let of_client: Vec<_> = of_client
            .into_iter()
            .chain(judged.defects.of_client())
            .collect();
        let defect = differs.iter().find(|text| !of_client.contains(*text));
        let is_sound = posture.is_sound() && judged.defects.are_none();
        let reason = match (defect.or_else(|| of_client.first()), defect) {
            (Some(first), None) => first.clone(),
            (Some(first), _) if self.repertoire.is_success(nearest) => first.clone(),
            (Some(first), _) if is_sound => {
                format!("the defect recorded here is gone: {first}")
            }
            (Some(first), _) => format!("another defect than the one recorded here: {first}"),
            (None, _) => "the recorded answers to this request are all played".to_owned(),
        };
        self.miss(live, reason, Some(nearest), differs)
    }

    /// What the request asks for otherwise, or holds of another run.
    fn deviations(&self, at: usize, live: &Live<'_>, judged: &Judged) -> Vec<String> {
        let mut out = self.mismatches(at, live);
        out.extend(self.other_parts(at, live));
        match judged.call.step() {
            Step::PushedAuthorizationRequest => {
                out.extend(self.asked_differences(at, &judged.wanted));
            }
            Step::TokenRequest if !judged.call.redeems() => {
                out.extend(self.scope_difference(at, live));
            }
            Step::BackchannelAuthenticationRequest | Step::DeviceAuthorizationRequest => {
                out.extend(self.scope_difference(at, live));
            }
            _ => {}
        }
        out
    }

    fn scope_difference(&self, at: usize, live: &Live<'_>) -> Option<String> {
        let request = self.repertoire.interaction(at).request();
        let recorded = request.param(name::SCOPE)?;
        let sent = live.get(name::SCOPE)?;
        let is_same = same_parameter(name::SCOPE, &recorded, sent);
        (!is_same).then(|| format!("{} is another", name::SCOPE))
    }

    fn is_equal(&self, at: usize, step: Step, live: &Posture) -> bool {
        self.repertoire.step(at) == step && *self.before(at, live) == *live
    }

    /// What a recorded request showed; a client whose name is a label is whoever the client of this
    /// run is.
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
}
