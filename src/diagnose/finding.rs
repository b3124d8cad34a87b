//! Findings: what the rules raised, graded by what came of the request, and ranked.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::cassette::{Flow, Link, Outcome, Session, Turn};
use crate::diagnose::unexplained::{Unexplained, unexplained};
use crate::diagnose::{Rule, Severity};
use crate::oauth::providers::Allowance;
use crate::oauth::relation::UrlPart;

/// One thing that is wrong, with its evidence.
pub struct Finding {
    /// The rule that raised it.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// What is wrong, here.
    pub message: String,
    /// What to do, here.
    pub fix: String,
    /// Where it shows.
    pub evidence: Vec<Evidence>,
    /// Where the last value parts from the one before, and how, in words.
    pub contrast: Option<Contrast>,
    /// How sure it is that the messages belong together.
    pub link: Link,
}

/// A place on the cassette that shows a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The interaction's number.
    pub interaction: u64,
    /// Which part of it: `authorize`, `token`, `response`, …
    pub r#where: &'static str,
    /// What stands there; secrets are labels.
    pub value: String,
}

/// Where two values part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contrast {
    /// In characters from the start of the last value.
    pub column: usize,
    /// How, in words.
    pub words: String,
}

impl Contrast {
    /// Where the second value parts from the first.
    pub(super) fn between(a: &str, b: &str, words: impl Into<String>) -> Self {
        Self {
            column: a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count(),
            words: words.into(),
        }
    }
}

impl Evidence {
    /// A place on the cassette.
    pub fn new(interaction: u64, r#where: &'static str, value: impl Into<String>) -> Self {
        Self {
            interaction,
            r#where,
            value: value.into(),
        }
    }

    /// A parameter of what an authorization request asks for.
    pub(super) fn asked(flow: Flow<'_, '_>, name: &str) -> Self {
        let (turn, place) = flow.asker(name);
        Self::new(turn.id(), place, flow.asked().get(name).unwrap_or(NOT_SENT))
    }

    /// A parameter of what the authorization server sent back.
    pub(super) fn answered(flow: Flow<'_, '_>, name: &str) -> Self {
        let turn = flow.carrier().unwrap_or_else(|| flow.request());
        let value = flow.answered(name).unwrap_or(NOT_SENT);
        Self::new(turn.id(), "redirect", value)
    }

    /// The credentials in the head of a request.
    pub(super) fn authorization(request: &Turn<'_>) -> Self {
        let sent = request.headers().get("authorization").unwrap_or(NOT_SENT);
        Self::new(request.id(), "header", format!("Authorization: {sent}"))
    }

    /// A parameter of a token request.
    pub(super) fn sent(token: &Turn<'_>, name: &str) -> Self {
        Self::new(token.id(), "token", token.param(name).unwrap_or(NOT_SENT))
    }
}

impl Finding {
    /// A finding of a rule in its own words.
    pub fn of(rule: &'static Rule) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: rule.summary.to_owned(),
            fix: rule.fix.to_owned(),
            evidence: Vec::new(),
            contrast: None,
            link: Link::Strong,
        }
    }

    /// Other words for what is wrong.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Other words for what to do.
    #[must_use]
    pub fn fixed_by(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// How sure it is that the messages belong together.
    #[must_use]
    pub fn linked(self, link: Link) -> Self {
        Self { link, ..self }
    }

    /// As grave as this.
    #[must_use]
    pub fn graded(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Where the last value parts from the one before.
    #[must_use]
    pub fn parting(self, contrast: Contrast) -> Self {
        Self {
            contrast: Some(contrast),
            ..self
        }
    }

    /// One more place that shows it.
    #[must_use]
    pub fn at(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }
}

/// The words for two URLs that differ in these parts.
pub(super) fn parting(parts: &BTreeSet<UrlPart>) -> String {
    let names = parts.iter().map(|part| part.as_str().replace('-', " "));
    let names: Vec<_> = names.collect();
    format!("they part here ({})", names.join(", "))
}

/// What stands for a value that is missing.
const NOT_SENT: &str = "(not sent)";

/// What the rules raised.
#[derive(Default)]
pub struct Findings {
    found: Vec<Finding>,
    unexplained: Vec<Unexplained>,
}

impl Findings {
    /// Takes in a finding about a token request, graded by what came of it: what the server
    /// accepted is a note, whatever it is.
    pub(super) fn raise(&mut self, finding: Finding, about: &Turn<'_>) {
        self.raise_for(finding, about.outcome());
    }

    /// The same of a finding about anything of which that is what came.
    pub(super) fn raise_for(&mut self, mut finding: Finding, outcome: Outcome) {
        if outcome == Outcome::Accepted {
            finding.severity = Severity::Note;
            finding.message.push_str(" (this provider accepted it)");
        } else if finding.link == Link::Weak {
            finding.severity = finding.severity.lowered();
            finding.message.insert_str(0, "probably: ");
        }
        self.found.push(finding);
    }

    /// The same of what a few providers document, this one perhaps among them.
    pub(super) fn raise_unless_taken(
        &mut self,
        mut finding: Finding,
        about: &Turn<'_>,
        allowance: Allowance,
    ) {
        if about.facts().provider_takes == Some(allowance) {
            finding.severity = Severity::Note;
            finding.message.push_str(" (this provider documents it)");
            self.raise_ungraded(finding);
        } else {
            self.raise(finding, about);
        }
    }

    /// Whether a fault of these tiers was found in a request already, so that what is said of it after
    /// that is no cause.
    pub(super) fn has_fault(&self, tiers: RangeInclusive<u8>, about: &Turn<'_>) -> bool {
        let is_there = |finding: &Finding| {
            let mut evidence = finding.evidence.iter();
            evidence.any(|place| place.interaction == about.id())
        };
        self.found.iter().any(|finding| {
            let is_fault = finding.severity != Severity::Note;
            is_fault && tiers.contains(&finding.rule.tier) && is_there(finding)
        })
    }

    /// Takes in a finding as it is.
    pub(super) fn raise_ungraded(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// The most fundamental first: by tier, then severity, then how sure the link is; notes last.
    pub(super) fn rank(&mut self) {
        self.found.sort_by_key(|finding| {
            let note = finding.severity == Severity::Note;
            (note, finding.rule.tier, finding.severity, finding.link)
        });
    }

    /// Looks for what is left unexplained, once all rules have spoken.
    pub(super) fn note_unexplained(&mut self, session: &Session<'_>) {
        self.unexplained = unexplained(session, &self.found);
    }

    /// The refusals of which none of these speaks, in order.
    pub fn unexplained(&self) -> &[Unexplained] {
        &self.unexplained
    }

    /// In order.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.found.iter()
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.found
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
