//! Telling: why nothing answers, and how a play went.

use std::collections::BTreeSet;

use crate::model::Said;
use crate::oauth::classify::classify;
use crate::oauth::fields::Reading;
use crate::redact::{Piece, shown};
use crate::replay::miss::{Miss, Report, TOLD_MAX};
use crate::replay::player::Player;
use crate::replay::values::Live;

impl Player {
    /// How the play went so far.
    pub fn report(&self) -> Report {
        let required = self.repertoire.required().iter();
        let unplayed = required.filter(|at| !self.plays.was_asked(**at));
        Report {
            unplayed: unplayed.map(|at| self.repertoire.title(*at)).collect(),
            extra: self.extra(),
            faults: self.faults.done(),
            is_empty: self.repertoire.is_empty(),
            sessions: 1,
            ..self.report.clone()
        }
    }

    /// How it went beside other sessions: of what it did not ask for, that alone is told which goes
    /// on with what it began.
    pub(super) fn own_report(&self) -> Report {
        let unplayed = self.unfinished().into_iter();
        let unplayed = unplayed.map(|at| self.repertoire.title(at));
        Report {
            unplayed: unplayed.map(|title| self.named(title)).collect(),
            extra: self.extra(),
            faults: self.faults.done(),
            ..self.report.clone()
        }
    }

    /// What it did not ask for, and which goes on with what it began.
    pub(super) fn unfinished(&self) -> BTreeSet<usize> {
        let mut begun = BTreeSet::new();
        for at in self.plays.asked() {
            begun.extend(self.repertoire.followers(at));
        }
        let required = self.repertoire.required();
        begun.retain(|at| required.binary_search(at).is_ok() && !self.plays.was_asked(*at));
        begun
    }

    /// What the recording has once and this session asked for again, and how often.
    fn extra(&self) -> Vec<(String, usize)> {
        let is_once = |at: &usize| {
            let step = self.repertoire.step(*at);
            step.is_oauth() && !step.is_repeatable()
        };
        let repeats = self.plays.repeats().into_iter();
        let repeats = repeats.filter(|(at, _)| is_once(at));
        repeats
            .map(|(at, times)| (self.named(self.repertoire.title(at)), times))
            .take(TOLD_MAX)
            .collect()
    }

    /// What is told of this session, with its name.
    pub(super) fn named(&self, told: String) -> String {
        match &self.session {
            Some(name) => format!("session {name}: {told}"),
            None => told,
        }
    }

    /// The miss of a request to a URL that nothing recorded went to.
    pub(super) fn nothing_here(&self, live: &Live<'_>) -> Box<Miss> {
        let accepts = |cassette: usize, recorded: &[Piece]| {
            self.bindings
                .accepts_url(cassette, recorded, &live.endpoint)
        };
        if self.repertoire.was_refused(&live.endpoint, accepts) {
            let reason = "authtape itself refused this call when it was recorded, so there is no answer to play";
            return self.miss(live, reason.to_owned(), None, Vec::new());
        }
        let step = classify(&self.flows, &Reading::of(live.said, None));
        let alike = self.repertoire.first_of(step);
        let reason = match alike {
            Some(at) => format!(
                "no recorded {} went to this URL; the recorded one went to {}",
                step.title(),
                self.repertoire.interaction(at).request().url()
            ),
            None => "nothing recorded went to this URL".to_owned(),
        };
        self.miss(live, reason, alike, Vec::new())
    }

    /// A miss, with the step that would have come next.
    pub(super) fn miss(
        &self,
        live: &Live<'_>,
        reason: String,
        nearest: Option<usize>,
        differs: Vec<String>,
    ) -> Box<Miss> {
        let mut playable = self.repertoire.playable();
        let expected = playable.find(|at| self.plays.count(*at) == 0);
        Box::new(Miss {
            asked: self.asked(live.said),
            session: self.session.clone(),
            reason,
            expected: expected.map(|at| self.repertoire.title(at)),
            nearest: nearest.map(|at| self.repertoire.title(at)),
            differs,
        })
    }

    /// The request as a person may read it: what of its path is, or may be, a secret is left out.
    pub(super) fn asked(&self, said: &Said) -> String {
        shown(&said.method, &said.url, |segment| {
            self.bindings.holds(segment)
        })
    }
}
