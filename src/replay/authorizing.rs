//! The authorization request: which recorded one answers, or what the server tells the client or
//! its user instead.

use crate::model::Params;
use crate::oauth::{Step, name};
use crate::redact::RecordedResponse;
use crate::replay::grants::words;
use crate::replay::judged::Judged;
use crate::replay::miss::Miss;
use crate::replay::picking::{Chosen, Here, otherwise};
use crate::replay::player::Player;
use crate::replay::refusal::{CLIENT, Manner, Refusal};
use crate::replay::values::{Live, has_label, same_parameter};

impl Player {
    pub(super) fn authorization_request(
        &self,
        live: &Live<'_>,
        judged: &Judged,
        here: &Here<'_>,
    ) -> Result<Chosen, Box<Miss>> {
        let wanted = &judged.wanted;
        let differences = |at: usize| {
            let mut differs = self.asked_differences(at, wanted);
            differs.extend(self.other_parts(at, live));
            differs
        };
        let fits = |at: usize| differences(at).is_empty();
        let same = |at: usize| judged.is_as_wrong_as(&self.repertoire, at) && fits(at);
        let better = |at: usize| judged.is_as_good_as(&self.repertoire, at) && fits(at);
        let found = self.first_that(here, same);
        if let Some(at) = found.or_else(|| self.first_that(here, better)) {
            return Ok(Chosen::Track(at));
        }
        let Some(nearest) = self.next_of(here) else {
            return Err(self.nothing_here(live));
        };
        let defect = judged.defects.beyond(self.repertoire.defects(nearest));
        let refused = defect
            .map(|defect| Refusal {
                error: defect.error(Step::AuthorizationRequest),
                why: defect.to_string(),
                manner: Manner::Page,
            })
            .or_else(|| self.not_granted(nearest, wanted));
        if let Some(refusal) = refused {
            return Ok(Chosen::Refusal(refusal));
        }
        let mut differs = differences(nearest);
        let gone = judged.defects.differences(self.repertoire.defects(nearest));
        let mended = self.mended(nearest, wanted);
        let mended = mended.or_else(|| gone.first().filter(|_| differs.is_empty()).cloned());
        let reason = match mended {
            Some(gone) => format!("the defect recorded here is gone: {gone}"),
            None => differs.first().cloned().unwrap_or_default(),
        };
        differs.extend(gone);
        Err(self.miss(live, reason, Some(nearest), differs))
    }

    /// What is asked for otherwise than in a recorded request: volatile values and those that a
    /// client may leave out of no consequence are not among it.
    pub(super) fn asked_differences(&self, at: usize, wanted: &Params) -> Vec<String> {
        let Some(recorded) = self.repertoire.asked(at) else {
            return Vec::new();
        };
        let mut out: Vec<_> = COMPARED
            .iter()
            .filter(|name| self.is_asked_otherwise(at, wanted, name))
            .map(|name| otherwise(name, recorded.has(name), wanted.has(name)))
            .collect();
        let challenged = (
            recorded.has(name::CODE_CHALLENGE),
            wanted.has(name::CODE_CHALLENGE),
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

    /// How a request that the server took was wrong all the same, where a recorded token request of
    /// its session failed for it and this one has what that had.
    fn mended(&self, at: usize, wanted: &Params) -> Option<String> {
        let name = name::REDIRECT_URI;
        let sent = wanted.get(name)?;
        let is_of = |later: &usize| {
            let recorded = self.repertoire.interaction(*later).request().param(name);
            let is_same = |recorded: &str| same_parameter(name, recorded, sent);
            !self.repertoire.is_success(*later)
                && self.repertoire.posture(*later).redirect_uri.differs()
                && recorded.is_some_and(|recorded| !has_label(&recorded) && is_same(&recorded))
        };
        let later = self.repertoire.followers(at).into_iter().find(is_of)?;
        Some(format!(
            "{name} is that of {}",
            self.repertoire.title(later)
        ))
    }

    fn is_asked_otherwise(&self, at: usize, wanted: &Params, name: &str) -> bool {
        let cassette = self.repertoire.cassette(at);
        let recorded = self.repertoire.asked(at);
        let recorded = recorded.and_then(|recorded| recorded.get(name));
        match (recorded, wanted.get(name)) {
            (None, None) => false,
            (Some(recorded), Some(sent)) => {
                !same_parameter(name, recorded, sent)
                    || name == name::REDIRECT_URI
                        && has_label(recorded)
                        && !self.bindings.accepts(cassette, recorded, sent)
            }
            _ => true,
        }
    }

    /// What a server does not grant that had granted the recorded request, as far as its metadata
    /// or the standards say. Where its client wants to be answered is another question, and then
    /// nobody here knows.
    fn not_granted(&self, at: usize, wanted: &Params) -> Option<Refusal> {
        let recorded = self.repertoire.asked(at)?;
        let differs = |name: &str| self.is_asked_otherwise(at, wanted, name);
        if differs(name::REDIRECT_URI) {
            return None;
        }
        let refused = |error, why: String, manner| Some(Refusal { error, why, manner });
        let back = || Manner::Redirect(at);
        if differs(name::CLIENT_ID) {
            let why = format!("{} is another than in the recording", name::CLIENT_ID);
            return refused(CLIENT, why, Manner::Page);
        }
        for (name, listed, error) in [
            (
                name::RESPONSE_TYPE,
                name::RESPONSE_TYPES_SUPPORTED,
                "unsupported_response_type",
            ),
            (
                name::RESPONSE_MODE,
                name::RESPONSE_MODES_SUPPORTED,
                "invalid_request",
            ),
        ] {
            let Some(value) = wanted.get(name).filter(|_| differs(name)) else {
                continue;
            };
            let advertised = self.advertised(at, listed).unwrap_or_default();
            if !advertised
                .iter()
                .any(|known| same_parameter(name, known, value))
            {
                let why = format!("{name} is neither recorded nor advertised");
                return refused(error, why, back());
            }
        }
        let scopes = words(wanted.get(name::SCOPE).unwrap_or_default());
        let is_unlisted = |listed: &Vec<String>| scopes.iter().any(|word| !listed.contains(word));
        let listed = || self.advertised(at, name::SCOPES_SUPPORTED);
        if differs(name::SCOPE) && listed().is_some_and(|listed| is_unlisted(&listed)) {
            let why = format!("{} has a word that the server does not list", name::SCOPE);
            return refused("invalid_scope", why, back());
        }
        let method = |params: &Params| params.get(name::CODE_CHALLENGE_METHOD) == Some("S256");
        let why = if recorded.has(name::CODE_CHALLENGE) && !wanted.has(name::CODE_CHALLENGE) {
            format!("{} is not sent", name::CODE_CHALLENGE)
        } else if method(recorded) && !method(wanted) {
            format!(
                "{} is weaker than the recorded one",
                name::CODE_CHALLENGE_METHOD
            )
        } else {
            return None;
        };
        refused("invalid_request", why, back())
    }

    /// What the metadata of the server lists, where there is some that does.
    fn advertised(&self, at: usize, member: &str) -> Option<Vec<String>> {
        let tracks = self.repertoire.tracks_of(self.repertoire.cassette(at));
        let mut metadata = tracks.filter(|at| self.repertoire.step(*at) == Step::Discovery);
        metadata.find_map(|at| {
            let members = self
                .repertoire
                .response(at)
                .map(RecordedResponse::body_params)?;
            serde_json::from_str(members.get(member)?).ok()
        })
    }
}

/// What says which answer is wanted.
const COMPARED: &[&str] = &[
    name::RESPONSE_TYPE,
    name::CLIENT_ID,
    name::REDIRECT_URI,
    name::SCOPE,
    name::RESPONSE_MODE,
    name::CODE_CHALLENGE_METHOD,
    name::PROMPT,
];
