//! Every other request, calls of an API among them: which recorded one answers, or what the server
//! says to a token that is none of its own.

use crate::oauth::name;
use crate::replay::judged::Judged;
use crate::replay::miss::Miss;
use crate::replay::picking::{Chosen, Here, otherwise};
use crate::replay::player::Player;
use crate::replay::refusal::{Manner, Refusal};
use crate::replay::values::{AUTHORIZATION, Live, same_parameter};

impl Player {
    pub(super) fn other_request(
        &self,
        live: &Live<'_>,
        judged: &Judged,
        here: &Here<'_>,
    ) -> Result<Chosen, Box<Miss>> {
        let is_same_method = |at: usize| self.repertoire.method(at) == live.said.method;
        let holds = |at: usize| {
            is_same_method(at)
                && leads_there(self.leads(at).as_deref(), live)
                && self.mismatches(at, live).is_empty()
                && self.other_parts(at, live).is_empty()
        };
        let same = |at: usize| judged.is_as_wrong_as(&self.repertoire, at) && holds(at);
        let better = |at: usize| judged.is_as_good_as(&self.repertoire, at) && holds(at);
        // Any token that was issued here and still works is as good as the recorded one.
        let by_token = |at: usize| {
            is_same_method(at)
                && self.other_parts(at, live).is_empty()
                && judged.is_as_good_as(&self.repertoire, at)
                && self
                    .mismatched(at, live)
                    .iter()
                    .all(|name| name == AUTHORIZATION)
        };
        let again = || {
            let has_token = judged.call.has_token() && judged.defects.are_none();
            has_token.then(|| here.last_that(by_token)).flatten()
        };
        let found = self
            .first_that(here, same)
            .or_else(|| self.first_that(here, better))
            .or_else(again);
        if let Some(at) = found.or_else(|| self.elsewhere(live)) {
            return Ok(Chosen::Track(at));
        }
        if let Some(refusal) = self.not_answered(judged, here, is_same_method) {
            return Ok(Chosen::Refusal(refusal));
        }
        let Some(nearest) = self.next_of(here) else {
            return Err(self.nothing_here(live));
        };
        let mut differs = self.mismatches(nearest, live);
        differs.extend(self.other_parts(nearest, live));
        let recorded = self.repertoire.method(nearest);
        if recorded != live.said.method {
            let method = format!("the method is {} (recorded: {recorded})", live.said.method);
            differs.insert(0, method);
        }
        let name = name::POST_LOGOUT_REDIRECT_URI;
        let leads = self.leads(nearest);
        if !leads_there(leads.as_deref(), live) {
            let is_sent = live.get(name).is_some();
            differs.push(otherwise(name, leads.is_some(), is_sent));
        }
        differs.extend(judged.defects.differences(self.repertoire.defects(nearest)));
        let first = differs.first().cloned().unwrap_or_default();
        let is_gone = !self.repertoire.is_success(nearest) && judged.defects.are_none();
        let reason =
            if is_gone && is_same_method(nearest) && self.mismatches(nearest, live).is_empty() {
                format!("the defect recorded here is gone: {first}")
            } else {
                first
            };
        Err(self.miss(live, reason, Some(nearest), differs))
    }

    /// Where the client was to be sent on to when this was recorded.
    fn leads(&self, at: usize) -> Option<String> {
        let name = name::POST_LOGOUT_REDIRECT_URI;
        let request = self.repertoire.interaction(at).request();
        let (query, body) = (request.query_params(), request.body_params());
        let recorded = query.get(name).or_else(|| body.get(name));
        recorded.map(str::to_owned)
    }

    /// What a server says to what is wrong here and was right when the answer was recorded.
    fn not_answered(
        &self,
        judged: &Judged,
        here: &Here<'_>,
        fits: impl Fn(usize) -> bool,
    ) -> Option<Refusal> {
        let likely = here.likely();
        let is_success = |at: &usize| self.repertoire.is_success(*at) && fits(*at);
        let success = likely.into_iter().find(is_success)?;
        let defect = judged.defects.beyond(self.repertoire.defects(success))?;
        let manner = if defect.is_of_token() {
            Manner::Challenge {
                scheme: judged.call.scheme(),
                is_without: defect.is_absence(),
            }
        } else {
            Manner::Body
        };
        Some(Refusal {
            error: defect.error(self.repertoire.step(success)),
            why: defect.to_string(),
            manner,
        })
    }
}

/// Whether the client is to be sent on to where it was.
fn leads_there(recorded: Option<&str>, live: &Live<'_>) -> bool {
    let name = name::POST_LOGOUT_REDIRECT_URI;
    match (recorded, live.get(name)) {
        (None, None) => true,
        (Some(recorded), Some(sent)) => same_parameter(name, recorded, sent),
        _ => false,
    }
}
