//! What was refused, and no rule sees why.

use std::collections::BTreeSet;

use crate::cassette::{Outcome, Session};
use crate::diagnose::{Finding, Severity};
use crate::oauth::{Step, error_code, name};

/// A request that the server refused, and of which no error and no warning speaks.
pub struct Unexplained {
    /// The interaction's number.
    pub interaction: u64,
    /// What it is for.
    pub step: Step,
    /// The response's status code.
    pub status: u16,
    /// The error code, where there is one.
    pub error: Option<String>,
    /// What the server says of it.
    pub said: Option<String>,
}

/// The refusals that these findings leave unexplained, in order.
pub(super) fn unexplained(session: &Session<'_>, findings: &[Finding]) -> Vec<Unexplained> {
    let grave = findings
        .iter()
        .filter(|finding| finding.severity < Severity::Note);
    let places = grave.flat_map(|finding| &finding.evidence);
    let named: BTreeSet<u64> = places.map(|place| place.interaction).collect();
    let turns = session.turns().iter();
    let refused = turns.filter(|turn| {
        turn.step().authenticates_client()
            && turn.outcome() == Outcome::Failed
            && !error_code::ONGOING.contains(&turn.error())
            && !named.contains(&turn.id())
    });
    refused
        .map(|turn| Unexplained {
            interaction: turn.id(),
            step: turn.step(),
            status: turn.status().unwrap_or_default(),
            error: turn.refusal(),
            said: turn
                .answer()
                .get(name::ERROR_DESCRIPTION)
                .map(str::to_owned),
        })
        .collect()
}
